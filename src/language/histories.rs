//! Word sequences that were asked about, as a tree: what several share is computed once, and no
//! state before a word after it is asked for.

use std::collections::HashMap;

use crate::units::{Cost, WordId};

use super::NeuralModel;
use super::network::{Next, Workspace};

/// Word sequences by number, with the states and costs that a model gave them. Reuse it from one
/// utterance to the next with [`Histories::clear`]: once warm, it allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Histories {
    nodes: Vec<Node>,
    children: HashMap<(u32, WordId), u32>,
    /// States, one after the other.
    states: Vec<f32>,
    /// States computed.
    steps: usize,
    /// States that are to be computed.
    next: Vec<Next>,
    work: Workspace,
}

/// States that are computed at once, at most: what bounds the memory they take on their way.
const BATCH: usize = 64;

/// A word after a history.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// The history before the word, by number; the first has none.
    parent: Option<u32>,
    word: WordId,
    /// The word's cost after its history; none if no more states were to be computed.
    cost: Option<Cost>,
    /// Where its state is, in states.
    state: Option<u32>,
}

/// The history before the first word.
pub(super) const START: u32 = 0;

impl Histories {
    /// Forgets all sequences. The next begin with `begin`.
    pub fn clear(&mut self, begin: WordId) {
        self.nodes.clear();
        self.children.clear();
        self.states.clear();
        self.work.clear();
        self.steps = 0;
        self.nodes.push(Node { parent: None, word: begin, cost: None, state: None });
    }

    /// States that were computed since [`Histories::clear`]: the work done.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The number of a history with one more word, whether it is new, and what the word costs
    /// there; no cost where that would take more than `limit` states.
    ///
    /// # Panics
    /// There is no such history, or the model has no such word.
    pub(super) fn step(
        &mut self,
        model: &NeuralModel,
        history: u32,
        word: WordId,
        limit: usize,
    ) -> (u32, bool, Option<Cost>) {
        if let Some(&known) = self.children.get(&(history, word)) {
            return (known, false, self.nodes[known as usize].cost);
        }
        let cost = self.cost(model, history, word, limit);
        let number = self.nodes.len() as u32;
        self.nodes.push(Node { parent: Some(history), word, cost, state: None });
        self.children.insert((history, word), number);
        (number, true, cost)
    }

    /// What a word costs after a history, as [`Histories::step`] says.
    pub(super) fn cost(
        &mut self,
        model: &NeuralModel,
        history: u32,
        word: WordId,
        limit: usize,
    ) -> Option<Cost> {
        if self.nodes[history as usize].state.is_none() {
            self.prepare(model, [history], limit);
        }
        let at = self.nodes[history as usize].state?;
        Some(model.cost(&self.states, at, word))
    }

    /// Computes what depends on words alone, of those that may follow some history.
    pub(super) fn foresee(&mut self, model: &NeuralModel, words: &[WordId]) {
        model.foresee(words.iter().copied(), &mut self.work);
    }

    /// Computes the states of histories together, which is faster than one by one: those that words
    /// are about to be asked after. No more than `limit` in all.
    pub(super) fn prepare(
        &mut self,
        model: &NeuralModel,
        histories: impl IntoIterator<Item = u32>,
        limit: usize,
    ) {
        for history in histories {
            let node = self.nodes[history as usize];
            // The state of the parent is known, since the history has a cost; where it is not,
            // there were too many.
            let before = node.parent.map(|parent| self.nodes[parent as usize].state);
            if node.state.is_some() || before == Some(None) || self.steps >= limit {
                continue;
            }
            self.nodes[history as usize].state = Some(self.steps as u32);
            self.steps += 1;
            self.next.push(Next { before: before.flatten(), word: node.word });
            if self.next.len() == BATCH {
                self.compute(model);
            }
        }
        self.compute(model);
    }

    fn compute(&mut self, model: &NeuralModel) {
        if !self.next.is_empty() {
            model.extend(&mut self.states, &self.next, &mut self.work);
            self.next.clear();
        }
    }
}
