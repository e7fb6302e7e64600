//! A memo of recent steps. Rescoring asks for the same words after the same histories again and
//! again.

use crate::units::{Cost, WordId};

use super::{LmState, Ngram};

/// Entries of the memo: 2¹⁵ of 16 bytes stay within a second-level cache.
const ENTRIES: usize = 1 << 15;
/// A key no step has: the highest state with the highest word.
const VACANT: u64 = u64::MAX;

/// Recent answers of [`Ngram::step`], owned by the caller; one for each thread and model.
#[derive(Clone, Debug)]
pub struct StepCache {
    entries: Vec<(u64, LmState, Cost)>,
}

impl Default for StepCache {
    fn default() -> Self {
        StepCache { entries: vec![(VACANT, LmState::EMPTY, Cost::FREE); ENTRIES] }
    }
}

impl StepCache {
    /// What `model.step(state, word)` returns; each cache serves one model only.
    pub fn step(&mut self, model: &Ngram, state: LmState, word: WordId) -> (LmState, Cost) {
        let key = u64::from(state.0) << 32 | u64::from(word.0);
        // Fibonacci hashing: the top bits of the product depend on all bits of the key.
        let slot = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - ENTRIES.ilog2());
        let entry = &mut self.entries[slot as usize];
        if entry.0 != key {
            let (next, cost) = model.step(state, word);
            *entry = (key, next, cost);
        }
        (entry.1, entry.2)
    }
}
