//! Language models and topologies written down in tests.

use std::collections::BTreeMap;

use crate::units::{Cost, PdfId, PhoneId, WordId};

use super::histories::{BackoffModel, History};
use super::topology::{PhonePdfs, Topology};

/// `<s>` and `</s>` of literal models, above any word of a test.
pub(super) const START: u32 = 1;
pub(super) const END: u32 = 2;

/// A back-off model as a table of n-grams.
#[derive(Debug, Default)]
pub(super) struct LiteralModel {
    states: Vec<State>,
    pub(super) by_words: BTreeMap<Vec<u32>, u32>,
    start: u32,
}

#[derive(Debug, Default)]
struct State {
    successors: Vec<(WordId, Cost, History)>,
    backoff: Option<(History, Cost)>,
    end: Option<Cost>,
}

impl LiteralModel {
    /// From n-grams `(words, cost, back-off cost)`; every prefix of an n-gram is one too, every
    /// word a unigram, and `order` is the longest.
    pub(super) fn new(order: usize, ngrams: &[(Vec<u32>, f32, f32)]) -> Self {
        let mut model = LiteralModel::default();
        model.by_words.insert(vec![], 0);
        model.states.push(State::default());
        for (words, _, _) in ngrams.iter().filter(|n| n.0.len() < order && n.0.last() != Some(&END))
        {
            model.by_words.insert(words.clone(), model.states.len() as u32);
            model.states.push(State::default());
        }
        for (words, cost, backoff) in ngrams {
            let (&last, before) = words.split_last().unwrap();
            let from = model.by_words[before] as usize;
            if last == END {
                model.states[from].end = Some(Cost(*cost));
            } else if last != START {
                let to = model.longest(words);
                model.states[from].successors.push((WordId(last), Cost(*cost), to));
            }
            if let Some(&state) = model.by_words.get(words) {
                let to = model.longest(&words[1..]);
                model.states[state as usize].backoff = Some((to, Cost(*backoff)));
            }
        }
        model.start = model.longest(&[START]).0;
        model
    }

    fn longest(&self, words: &[u32]) -> History {
        let find = |from| self.by_words.get(&words[from..]).copied();
        History((0..=words.len()).find_map(find).unwrap())
    }
}

impl BackoffModel for LiteralModel {
    fn num_states(&self) -> usize {
        self.states.len()
    }

    fn start(&self) -> History {
        History(self.start)
    }

    fn successors(&self, history: History, visit: &mut dyn FnMut(WordId, Cost, History)) {
        for &(word, cost, next) in &self.states[history.0 as usize].successors {
            visit(word, cost, next);
        }
    }

    fn backoff(&self, history: History) -> Option<(History, Cost)> {
        self.states[history.0 as usize].backoff
    }

    fn end(&self, history: History) -> Cost {
        let state = &self.states[history.0 as usize];
        match (state.end, state.backoff) {
            (Some(cost), _) => cost,
            (None, Some((next, cost))) => cost + self.end(next),
            (None, None) => Cost::IMPOSSIBLE,
        }
    }
}

/// A topology of `phones` phones, silence first; `tie` gives the pdf of (left, phone, entry 0 or
/// loop 1).
pub(super) fn topology(phones: u32, pdfs: usize, tie: impl Fn(u32, u32, u32) -> u32) -> Topology {
    let pair = |i: u32| {
        let (left, phone) = (i / phones, i % phones);
        PhonePdfs { entry: PdfId(tie(left, phone, 0)), again: PdfId(tie(left, phone, 1)) }
    };
    let table = (0..phones * phones).map(pair).collect();
    Topology { phones: phones as usize, pdfs, silence: PhoneId(0), table }
}
