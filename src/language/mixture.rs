//! The network and an n-gram together: `p = w · p(network) + (1 − w) · p(n-gram)`.
//!
//! They err differently, so that both together predict better than either. The n-gram's costs are
//! on the paths already; what is added to them is the difference.

use crate::graph::ngram::{BEGIN, END, LmState, Ngram};
use crate::units::{Cost, WordId};

use super::histories::START;
use super::{Histories, NeuralModel};

/// Both models over the histories of one utterance.
pub struct Mixture<'m> {
    network: &'m NeuralModel,
    ngram: &'m Ngram,
    histories: &'m mut Histories,
    /// By history.
    reached: &'m mut Vec<Reached>,
    /// States of the network that may be computed; what would take more has the n-gram's cost.
    limit: usize,
}

/// What a word led to.
#[derive(Clone, Copy, Debug)]
pub struct Reached {
    /// The n-gram's state after it.
    state: LmState,
    /// What it cost more in the mixture than in the n-gram.
    added: Cost,
}

impl<'m> Mixture<'m> {
    /// Starts an utterance. At most `limit` states of the network are computed for it.
    pub fn new(
        network: &'m NeuralModel,
        ngram: &'m Ngram,
        (histories, reached): (&'m mut Histories, &'m mut Vec<Reached>),
        limit: usize,
    ) -> Mixture<'m> {
        histories.clear(BEGIN);
        reached.clear();
        reached.push(Reached { state: ngram.start(), added: Cost::FREE });
        Mixture { network, ngram, histories, reached, limit }
    }

    /// The history before the first word.
    pub fn start(&self) -> u32 {
        START
    }

    /// Looks at words together that may be asked about: the same answers, faster.
    ///
    /// # Panics
    /// The network has no such word.
    pub fn foresee(&mut self, words: &[WordId]) {
        self.histories.foresee(self.network, words);
    }

    /// Looks at histories together that words are about to be asked after: the same answers,
    /// faster.
    ///
    /// # Panics
    /// There is no such history.
    pub fn prepare(&mut self, histories: impl IntoIterator<Item = u32>) {
        self.histories.prepare(self.network, histories, self.limit);
    }

    /// The history with one more word, and what the word costs more in the mixture than in the
    /// n-gram.
    ///
    /// # Panics
    /// There is no such history.
    pub fn step(&mut self, history: u32, word: WordId) -> (u32, Cost) {
        let (network, limit) = (self.network, self.limit);
        let (number, new, cost) = self.histories.step(network, history, word, limit);
        if new {
            let (state, plain) = self.ngram.step(self.reached[history as usize].state, word);
            self.reached.push(Reached { state, added: self.added(plain, cost) });
        }
        (number, self.reached[number as usize].added)
    }

    /// What ending costs more in the mixture than in the n-gram.
    ///
    /// # Panics
    /// There is no such history.
    pub fn end(&mut self, history: u32) -> Cost {
        let plain = self.ngram.end(self.reached[history as usize].state);
        let cost = self.histories.cost(self.network, history, END, self.limit);
        self.added(plain, cost)
    }

    /// `−ln(w · p(network) + (1 − w) · p(n-gram))` less the n-gram's cost.
    fn added(&self, plain: Cost, neural: Option<Cost>) -> Cost {
        let Some(neural) = neural else {
            return Cost::FREE;
        };
        let weight = f64::from(self.network.weight());
        let ratio = f64::from(plain.0 - neural.0).min(80.0).exp();
        Cost(-(weight * ratio + 1.0 - weight).ln() as f32)
    }
}
