//! Word sequences that were asked about, as a tree: what several share is computed once, and no
//! state before a word after it is asked for.

use std::collections::HashMap;

use crate::units::{Cost, WordId};

use super::{NeuralModel, Workspace};

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
    work: Workspace,
}

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
        let at = self.state(model, history, limit)?;
        Some(model.cost(slot(&self.states, at, model.state_len()), word))
    }

    /// Where the state of a history is. That of its parent is known, since the history has a cost;
    /// where it is not, there were too many.
    fn state(&mut self, model: &NeuralModel, history: u32, limit: usize) -> Option<u32> {
        let node = self.nodes[history as usize];
        if node.state.is_some() {
            return node.state;
        }
        let before = match node.parent {
            Some(parent) => Some(self.nodes[parent as usize].state?),
            None => None,
        };
        if self.steps >= limit {
            return None;
        }
        let (at, length) = (self.steps as u32, model.state_len());
        self.states.resize((self.steps + 1) * length, 0.0);
        let (known, after) = self.states.split_at_mut(self.steps * length);
        let before = before.map(|before| slot(known, before, length));
        model.step(before, node.word, after, &mut self.work);
        self.steps += 1;
        self.nodes[history as usize].state = Some(at);
        Some(at)
    }
}

fn slot(states: &[f32], at: u32, length: usize) -> &[f32] {
    &states[at as usize * length..][..length]
}
