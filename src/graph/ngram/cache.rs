//! A memo of recent steps. Rescoring asks for the same words after the same histories again and
//! again.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use crate::units::{Cost, WordId};

use super::{LmState, Ngram};

/// Entries of a step cache: 2¹⁵ of 20 bytes stay within a second-level cache.
const ENTRIES: usize = 1 << 15;

/// Recent answers to questions, each where the question's hash says, over the one that was there.
#[derive(Clone, Debug)]
pub(crate) struct Recent<K, V> {
    entries: Vec<Option<(K, V)>>,
}

impl<K: Copy + Eq + Hash, V: Copy> Recent<K, V> {
    /// Room for so many answers; ≥ 1.
    pub(crate) fn new(entries: usize) -> Self {
        Recent { entries: vec![None; entries] }
    }

    /// The answer to a question: `answer` gives it where it is not remembered.
    pub(crate) fn ask(&mut self, question: K, answer: impl FnOnce() -> V) -> V {
        let mut hasher = FxHasher::default();
        question.hash(&mut hasher);
        let slot = hasher.finish() as usize % self.entries.len();
        if let Some((known, answer)) = self.entries[slot]
            && known == question
        {
            return answer;
        }
        let answer = answer();
        self.entries[slot] = Some((question, answer));
        answer
    }
}

/// Recent answers of [`Ngram::step`], owned by the caller; one for each thread and model.
#[derive(Clone, Debug)]
pub struct StepCache {
    recent: Recent<(LmState, WordId), (LmState, Cost)>,
}

impl Default for StepCache {
    fn default() -> Self {
        StepCache { recent: Recent::new(ENTRIES) }
    }
}

impl StepCache {
    /// What `model.step(state, word)` returns; each cache serves one model only.
    pub fn step(&mut self, model: &Ngram, state: LmState, word: WordId) -> (LmState, Cost) {
        self.recent.ask((state, word), || model.step(state, word))
    }
}
