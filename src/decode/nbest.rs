//! The best few word sequences of a lattice.
//!
//! Every node keeps, for at most N distinct word sequences, the cheapest path that reaches it. This
//! is exact: if a path is not kept, N cheaper paths with other words reach the same node, and each
//! of them can be continued in the same way.

use std::collections::HashMap;

use super::hypothesis::{Hypothesis, PathCost};
use super::partials::{NONE, Partials};
use super::paths::{Edge, PathGraph};
use crate::units::Cost;

/// How the best way to a partial came.
#[derive(Clone, Copy)]
struct Back {
    edge: u32,
    /// The partial at that edge's source.
    partial: u32,
}

/// Word sequences by number: 0 is empty, others are a shorter one and a word.
#[derive(Default)]
struct Sequences(HashMap<(u32, u32), u32>);

impl Sequences {
    fn extended(&mut self, words: u32, word: u32) -> u32 {
        if word == 0 {
            return words;
        }
        let next = self.0.len() as u32 + 1;
        *self.0.entry((words, word)).or_insert(next)
    }
}

impl PathGraph<'_> {
    /// Returns the N best distinct transcripts, with costs: the best first, each by its cheapest
    /// path. Takes time in proportion to edges × `count`.
    pub fn n_best(&self, count: usize) -> Vec<Hypothesis> {
        self.n_best_within(count, Cost(f32::INFINITY))
    }

    /// As [`PathGraph::n_best`], of those that cost at most `beam` more than the best: faster.
    pub fn n_best_within(&self, count: usize, beam: Cost) -> Vec<Hypothesis> {
        let left = self.costs_left();
        let limit = (self.best_cost().0 + f64::from(beam.0)).min(f64::MAX);
        let mut sequences = Sequences::default();
        let mut partials = Partials::new(self.num_nodes(), 0);
        let (mut back, mut kept) = (vec![Back { edge: NONE, partial: NONE }], Vec::new());
        for node in 0..self.num_nodes() as u32 {
            kept.clear();
            partials.cheapest(node, count, &mut kept);
            for (index, edge) in (self.first_edge(node)..).zip(self.edges(node)) {
                let (word, rest) = (self.word(edge).0, left[edge.next as usize]);
                for &held in &kept {
                    let source = partials.get(held);
                    let cost = source.cost + f64::from(edge.cost.0);
                    // The cheapest come first.
                    if cost + rest > limit {
                        break;
                    }
                    let words = sequences.extended(source.history, word);
                    let arrival = partials.arrive(edge.next, words, cost);
                    if arrival.is_best {
                        back.resize(partials.len(), back[0]);
                        back[arrival.at as usize] = Back { edge: index, partial: held };
                    }
                }
            }
        }
        let mut best = self.ends((&partials, &back), count);
        best.retain(|heard| heard.cost.0 <= limit);
        best
    }

    fn ends(&self, (partials, back): (&Partials<u32>, &[Back]), count: usize) -> Vec<Hypothesis> {
        let mut ends: HashMap<u32, (f64, u32)> = HashMap::new();
        for (node, last) in self.finals() {
            for at in partials.of(node) {
                let partial = partials.get(at);
                let cost = partial.cost + last.0;
                let held = ends.entry(partial.history).or_insert((cost, at));
                if cost < held.0 {
                    *held = (cost, at);
                }
            }
        }
        let mut ends: Vec<(u32, (f64, u32))> = ends.into_iter().collect();
        ends.sort_by(|(a, (ours, _)), (b, (theirs, _))| ours.total_cmp(theirs).then(a.cmp(b)));
        ends.truncate(count);
        let heard = |&(_, (cost, at)): &_| self.hypothesis(&self.trace(back, at), PathCost(cost));
        ends.iter().map(heard).collect()
    }

    /// The edges of the best way to a partial.
    fn trace(&self, back: &[Back], mut at: u32) -> Vec<Edge> {
        let mut path = Vec::new();
        while let Some(&edge) = self.all_edges().get(back[at as usize].edge as usize) {
            path.push(edge);
            at = back[at as usize].partial;
        }
        path.reverse();
        path
    }
}
