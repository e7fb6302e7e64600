//! The best path of a lattice under a larger language model.
//!
//! The graph's arc costs hold the small model's costs, pushed forward along the words so that they
//! cannot be told from the rest; so each path is followed with its state in both models, and on
//! every word the small model's cost is taken off and the large one's put on. At the end of a path
//! the sum is exact: acoustic + graph − Σ small + scale · Σ large.

use std::hash::Hash;

use crate::graph::WORD_MASK;
use crate::units::{Cost, WordId};

use super::hypothesis::{Hypothesis, PathCost};
use super::lattice::Lattice;

/// A language model as rescoring needs it: a deterministic automaton over words.
pub trait LanguageModel {
    /// What the model remembers of the words so far.
    type State: Copy + Eq + Hash;
    /// Before the first word.
    fn start(&self) -> Self::State;
    /// The state after a word, and the word's cost; back-off included.
    fn step(&self, state: Self::State, word: WordId) -> (Self::State, Cost);
    /// The cost of ending after these words.
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
    /// At most so many histories are followed from one lattice node; ≥ 1. Larger: slower, more
    /// accurate.
    pub histories: usize,
}

/// A path to a node with the states of both models after it.
#[derive(Clone, Copy)]
struct Partial<S, L> {
    small: S,
    large: L,
    cost: f64,
    /// The part of the cost that the models changed: −Σ small, and scale · Σ large.
    removed: f64,
    added: f64,
    /// The partial path before the arc, and the arc.
    back: u32,
    arc: u32,
    node: u32,
}

/// No partial path before.
const NONE: u32 = u32::MAX;

impl Lattice {
    /// The best path when the small language model's costs are replaced by the large one's. Word
    /// times are the path's own.
    pub fn rescore<S: LanguageModel, L: LanguageModel>(
        &self,
        how: &Rescoring<'_, S, L>,
    ) -> Hypothesis {
        let mut partials = vec![Partial {
            small: how.small.start(),
            large: how.large.start(),
            cost: 0.0,
            removed: 0.0,
            added: 0.0,
            back: NONE,
            arc: NONE,
            node: 0,
        }];
        let mut at_node: Vec<Vec<u32>> = vec![Vec::new(); self.num_nodes()];
        at_node[0].push(0);
        for node in 0..self.num_nodes() as u32 {
            let mut here = std::mem::take(&mut at_node[node as usize]);
            keep_best(&mut here, &partials, how.histories);
            for (index, arc) in (self.first_arc(node)..).zip(self.arcs(node)) {
                let own = f64::from(arc.acoustic.0) + f64::from(arc.graph.0);
                for &from in &here {
                    let mut partial = Partial {
                        back: from,
                        arc: index,
                        node: arc.next,
                        ..partials[from as usize]
                    };
                    partial.cost += own;
                    partial.say(arc.label & WORD_MASK, how);
                    arrive(&mut partials, &mut at_node[arc.next as usize], partial);
                }
            }
            at_node[node as usize] = here;
        }
        self.best_end(how, &partials, &at_node)
    }

    fn best_end<S: LanguageModel, L: LanguageModel>(
        &self,
        how: &Rescoring<'_, S, L>,
        partials: &[Partial<S::State, L::State>],
        at_node: &[Vec<u32>],
    ) -> Hypothesis {
        let mut best = (f64::INFINITY, 0, Cost::FREE, (0.0, 0.0));
        for &(node, last) in self.finals() {
            for &index in &at_node[node as usize] {
                let partial = &partials[index as usize];
                let mut language = (partial.removed, partial.added);
                // Without a final state the graph charged no end cost, so none is replaced.
                if self.reached_final() {
                    language.0 += f64::from(how.small.end(partial.small).0);
                    language.1 += f64::from(how.scale) * f64::from(how.large.end(partial.large).0);
                }
                let unscored = partial.cost + partial.removed - partial.added;
                let cost = unscored + f64::from(last.0) - language.0 + language.1;
                if cost < best.0 {
                    best = (cost, index, last, language);
                }
            }
        }
        let (_, mut at, last, (removed, added)) = best;
        let mut path = Vec::new();
        while let Some(partial) = partials
            .get(at as usize)
            .filter(|partial| partial.back != NONE)
        {
            path.push((partials[partial.back as usize].node, partial.arc));
            at = partial.back;
        }
        path.reverse();
        let mut hypothesis = self.hypothesis(&path, last);
        if let Some(parts) = &mut hypothesis.parts {
            parts.graph = parts.graph - PathCost(removed);
            parts.language = PathCost(added);
            hypothesis.cost = parts.acoustic + parts.graph + parts.language;
        }
        hypothesis
    }
}

impl<S: Copy, L: Copy> Partial<S, L> {
    /// Says a word, if there is one.
    fn say<A, B>(&mut self, word: u32, how: &Rescoring<'_, A, B>)
    where
        A: LanguageModel<State = S>,
        B: LanguageModel<State = L>,
    {
        if word == 0 {
            return;
        }
        let (small, removed) = how.small.step(self.small, WordId(word));
        let (large, added) = how.large.step(self.large, WordId(word));
        let (removed, added) = (
            f64::from(removed.0),
            f64::from(how.scale) * f64::from(added.0),
        );
        self.small = small;
        self.large = large;
        self.removed += removed;
        self.added += added;
        self.cost += added - removed;
    }
}

/// Keeps the cheaper of two partial paths with the same states at the same node.
fn arrive<S: Copy + Eq, L: Copy + Eq>(
    partials: &mut Vec<Partial<S, L>>,
    here: &mut Vec<u32>,
    partial: Partial<S, L>,
) {
    let same = here.iter().find(|&&index| {
        let held = &partials[index as usize];
        held.small == partial.small && held.large == partial.large
    });
    match same {
        Some(&index) if partial.cost < partials[index as usize].cost => {
            partials[index as usize] = partial
        }
        Some(_) => {}
        None => {
            here.push(partials.len() as u32);
            partials.push(partial);
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
