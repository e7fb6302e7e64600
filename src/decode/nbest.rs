//! The best few word sequences of a lattice.
//!
//! Every node keeps, for at most N distinct word sequences, the cheapest path that reaches it. This
//! is exact: if a path is not kept, N cheaper paths with other words reach the same node, and each
//! of them can be continued in the same way.

use std::collections::HashMap;

use super::hypothesis::{Hypothesis, PathCost};
use super::paths::{Edge, PathGraph};
use crate::units::Cost;

/// A way to a node.
#[derive(Clone, Copy)]
struct Way {
    /// Number of its word sequence: equal for equal words.
    words: u32,
    cost: f64,
    /// The edge it came by, and which way at that edge's source it goes on from.
    edge: u32,
    back: u32,
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
        let mut ways: Vec<Vec<Way>> = vec![Vec::new(); self.num_nodes()];
        let start = Way { words: 0, cost: 0.0, edge: u32::MAX, back: 0 };
        ways[0].push(start);
        for node in 0..self.num_nodes() {
            keep_cheapest(&mut ways[node], count);
            let here = std::mem::take(&mut ways[node]);
            let first = self.first_edge(node as u32);
            for (index, edge) in (first..).zip(self.edges(node as u32)) {
                let (word, rest) = (self.word(edge).0, left[edge.next as usize]);
                for (back, way) in (0u32..).zip(&here) {
                    let cost = way.cost + f64::from(edge.cost.0);
                    // The ways are in the order of their costs.
                    if cost + rest > limit {
                        break;
                    }
                    let words = sequences.extended(way.words, word);
                    let next = Way { words, cost, edge: index, back };
                    arrive(&mut ways[edge.next as usize], next);
                }
            }
            ways[node] = here;
        }
        let mut best = self.ends(&ways, count);
        best.retain(|heard| heard.cost.0 <= limit);
        best
    }

    fn ends(&self, ways: &[Vec<Way>], count: usize) -> Vec<Hypothesis> {
        let mut ends: Vec<(Way, u32, u32)> = Vec::new();
        for (node, last) in self.finals() {
            for (at, way) in (0u32..).zip(&ways[node as usize]) {
                let cost = way.cost + last.0;
                let way = Way { cost, ..*way };
                match ends.iter_mut().find(|(held, ..)| held.words == way.words) {
                    Some(held) if cost < held.0.cost => *held = (way, node, at),
                    Some(_) => {}
                    None => ends.push((way, node, at)),
                }
            }
        }
        ends.sort_by(|a, b| a.0.cost.total_cmp(&b.0.cost).then(a.0.words.cmp(&b.0.words)));
        ends.truncate(count);
        ends.iter()
            .map(|&(way, node, at)| {
                let path = self.trace(ways, node, at);
                self.hypothesis(&path, PathCost(way.cost))
            })
            .collect()
    }

    fn trace(&self, ways: &[Vec<Way>], mut node: u32, mut at: u32) -> Vec<Edge> {
        let mut path = Vec::new();
        loop {
            let way = ways[node as usize][at as usize];
            let Some(&edge) = self.all_edges().get(way.edge as usize) else {
                break;
            };
            path.push(edge);
            (node, at) = (edge.from, way.back);
        }
        path.reverse();
        path
    }
}

/// Keeps the cheaper of two ways with the same words.
fn arrive(ways: &mut Vec<Way>, way: Way) {
    match ways.iter_mut().find(|held| held.words == way.words) {
        Some(held) if way.cost < held.cost => *held = way,
        Some(_) => {}
        None => ways.push(way),
    }
}

fn keep_cheapest(ways: &mut Vec<Way>, count: usize) {
    ways.sort_by(|a, b| a.cost.total_cmp(&b.cost).then(a.words.cmp(&b.words)));
    ways.truncate(count);
}
