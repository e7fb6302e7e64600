//! The paths of a lattice under a larger language model.
//!
//! The costs of the small model are part of the graph's arc costs, pushed towards the start of each
//! word, and cannot be separated from the rest. So every path is followed together with its state
//! in both models: at each word the small model's cost is subtracted and the large model's cost is
//! added. At the end of a path the sum is exact: acoustic + graph − Σ small + scale · Σ large.

use std::hash::Hash;

use crate::graph::WORD_MASK;
use crate::graph::ngram::Recent;
use crate::units::{Cost, WordId};

use super::cancel::Cancel;
use super::error::DecodeError;
use super::lattice::{Lattice, LatticeArc};
use super::partials::{NONE, numbers};
use super::paths::{Edge, PathGraph};

/// What rescoring needs of a language model: a deterministic automaton over words.
pub trait LanguageModel {
    /// The model's memory of the words so far.
    type State: Copy + Eq + Hash;
    /// The state before the first word.
    fn start(&self) -> Self::State;
    /// Returns the state after a word, and the cost of the word, back-off included.
    fn step(&self, state: Self::State, word: WordId) -> (Self::State, Cost);
    /// Returns the cost of ending the utterance in this state.
    fn end(&self, state: Self::State) -> Cost;
}

/// How to rescore.
#[derive(Clone, Copy, Debug)]
pub struct Rescoring<'m, S, L> {
    /// The model whose costs are in the graph.
    pub small: &'m S,
    /// The model to put in its place.
    pub large: &'m L,
    /// Weight of the large model's costs relative to the small one's in the graph; > 0, usually 1.
    pub scale: f32,
    /// Largest number of word histories that are followed from one lattice node; ≥ 1. Larger:
    /// slower, more accurate.
    pub histories: usize,
    /// A token that can stop the rescoring; it is checked every few nodes.
    pub cancel: Option<&'m Cancel>,
}

/// Nodes that are rescored between two looks at [`Rescoring::cancel`]: some ten microseconds.
const NODES_A_LOOK: u32 = 32;

/// Steps that are remembered: 160 kB.
const REMEMBERED: usize = 1 << 12;

/// Words from states of both models: the states that they lead to, and what the large model asks
/// more for the word than the small one.
type Steps<S, L> = Recent<(S, L, WordId), (S, L, f64)>;

/// A lattice node with the states of both models after some path to it.
#[derive(Clone, Copy)]
struct Partial<S, L> {
    small: S,
    large: L,
    /// Cost of the best way there.
    cost: f64,
}

impl Lattice {
    /// Returns the paths of the lattice with the small language model's costs replaced by those of
    /// the large one.
    ///
    /// ```text
    /// for each lattice node, in topological order:
    ///     keep its cheapest partial paths, one for each pair of model states    (1)
    ///     for each of them and each arc of the node:
    ///         step both models on the arc's word
    ///         arrive at the next node with those states, at the cheaper cost
    /// ```
    ///
    /// 1. At most [`Rescoring::histories`] are kept. Each becomes a node of the result, so paths
    ///    that share words keep their own times.
    ///
    /// # Errors
    /// [`DecodeError::Cancelled`] if [`Rescoring::cancel`] asks to stop.
    pub fn rescored<S: LanguageModel, L: LanguageModel>(
        &self,
        how: &Rescoring<'_, S, L>,
    ) -> Result<PathGraph<'_>, DecodeError> {
        let mut partials =
            vec![Partial { small: how.small.start(), large: how.large.start(), cost: 0.0 }];
        let mut at_node: Vec<Vec<u32>> = vec![Vec::new(); self.num_nodes()];
        at_node[0].push(0);
        let mut steps = Recent::new(REMEMBERED);
        let (mut places, mut edges, mut order) = (Vec::new(), Vec::new(), Vec::new());
        for node in 0..self.num_nodes() as u32 {
            if let Some(cancel) = how.cancel.filter(|_| node.is_multiple_of(NODES_A_LOOK)) {
                cancel.check(self.effort().frames as usize)?;
            }
            let mut here = std::mem::take(&mut at_node[node as usize]);
            keep_best(&mut here, &partials, how.histories);
            for &held in &here {
                let from = places.len() as u32;
                places.push(node);
                order.push(held);
                let source = partials[held as usize];
                for (arc, found) in (self.first_arc(node)..).zip(self.arcs(node)) {
                    let (partial, cost) = source.after(found, how, &mut steps);
                    let next = arrive(&mut partials, &mut at_node[found.next as usize], partial);
                    edges.push(Edge { from, next, cost, arc });
                }
            }
            at_node[node as usize] = here;
        }
        let number = numbers(&order, partials.len());
        edges.iter_mut().for_each(|edge| edge.next = number[edge.next as usize]);
        edges.retain(|edge| edge.next != NONE);
        let finals = self.ends(how, &partials, &at_node);
        let finals = finals.map(|(partial, last)| (number[partial as usize], last));
        Ok(PathGraph::new(self, places, edges, finals.collect()))
    }

    /// The partials at the lattice's ends, and what ending there costs.
    fn ends<'a, S: LanguageModel, L: LanguageModel>(
        &'a self,
        how: &'a Rescoring<'_, S, L>,
        partials: &'a [Partial<S::State, L::State>],
        at_node: &'a [Vec<u32>],
    ) -> impl Iterator<Item = (u32, f64)> + 'a {
        self.finals().iter().flat_map(move |&(node, last)| {
            at_node[node as usize].iter().map(move |&index| {
                let partial = &partials[index as usize];
                let mut cost = f64::from(last.0);
                // Without a final state the graph charged no end cost, so none is replaced.
                if self.reached_final() {
                    cost -= f64::from(how.small.end(partial.small).0);
                    cost += f64::from(how.scale) * f64::from(how.large.end(partial.large).0);
                }
                (index, cost)
            })
        })
    }
}

impl<S: Copy + Eq + Hash, L: Copy + Eq + Hash> Partial<S, L> {
    /// Returns the partial path after an arc, and the arc's cost.
    fn after<A, B>(
        &self,
        arc: &LatticeArc,
        how: &Rescoring<'_, A, B>,
        steps: &mut Steps<S, L>,
    ) -> (Self, Cost)
    where
        A: LanguageModel<State = S>,
        B: LanguageModel<State = L>,
    {
        let mut after = *self;
        let mut cost = f64::from(arc.acoustic.0) + f64::from(arc.graph.0);
        let word = WordId(arc.label & WORD_MASK);
        if word != WordId::EPSILON {
            let (small, large, more) = steps.ask((self.small, self.large, word), || {
                let (small, removed) = how.small.step(self.small, word);
                let (large, added) = how.large.step(self.large, word);
                let more = f64::from(how.scale) * f64::from(added.0) - f64::from(removed.0);
                (small, large, more)
            });
            (after.small, after.large) = (small, large);
            cost += more;
        }
        after.cost += cost;
        (after, Cost(cost as f32))
    }
}

/// Finds the partial path with these states at a node, or creates it; the cheaper cost stays.
fn arrive<S: Copy + Eq, L: Copy + Eq>(
    partials: &mut Vec<Partial<S, L>>,
    here: &mut Vec<u32>,
    partial: Partial<S, L>,
) -> u32 {
    let same = here.iter().find(|&&index| {
        let held = &partials[index as usize];
        held.small == partial.small && held.large == partial.large
    });
    match same {
        Some(&index) => {
            let held = &mut partials[index as usize].cost;
            *held = held.min(partial.cost);
            index
        }
        None => {
            here.push(partials.len() as u32);
            partials.push(partial);
            partials.len() as u32 - 1
        }
    }
}

/// Keeps the cheapest `count` partial paths of a node, in a defined order.
fn keep_best<S, L>(here: &mut Vec<u32>, partials: &[Partial<S, L>], count: usize) {
    if here.len() > count.max(1) {
        let cost = |index: u32| partials[index as usize].cost;
        here.sort_by(|&a, &b| cost(a).total_cmp(&cost(b)).then(a.cmp(&b)));
        here.truncate(count.max(1));
    }
}
