//! The best few word sequences of a lattice.
//!
//! Every node keeps, for at most N distinct word sequences, the cheapest path that reaches it. This
//! is exact: if a path is not kept, N cheaper paths with other words reach the same node, and each
//! of them can be continued in the same way.

use std::collections::HashMap;

use super::hypothesis::{Hypothesis, PathCost};
use super::paths::{Edge, PathGraph};
use super::rescore::NONE;
use crate::units::Cost;

/// A way to a node.
#[derive(Clone, Copy)]
struct Way {
    /// Number of its word sequence: equal for equal words.
    words: u32,
    cost: f64,
    /// The edge it came by, and the way to that edge's source.
    edge: u32,
    back: u32,
    /// Another way to the same node.
    next: u32,
}

/// Ways, as one list a node.
struct Ways {
    all: Vec<Way>,
    /// By node: its newest way.
    heads: Vec<u32>,
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
        let (mut ways, mut kept) = (Ways::new(self.num_nodes()), Vec::new());
        for node in 0..self.num_nodes() as u32 {
            ways.cheapest(node, count, &mut kept);
            for (index, edge) in (self.first_edge(node)..).zip(self.edges(node)) {
                let (word, rest) = (self.word(edge).0, left[edge.next as usize]);
                for &back in &kept {
                    let way = ways.all[back as usize];
                    let cost = way.cost + f64::from(edge.cost.0);
                    // The ways are in the order of their costs.
                    if cost + rest > limit {
                        break;
                    }
                    let words = sequences.extended(way.words, word);
                    ways.arrive(edge.next, Way { words, cost, edge: index, back, next: NONE });
                }
            }
        }
        let mut best = self.ends(&ways, count);
        best.retain(|heard| heard.cost.0 <= limit);
        best
    }

    fn ends(&self, ways: &Ways, count: usize) -> Vec<Hypothesis> {
        let mut ends: HashMap<u32, (f64, u32)> = HashMap::new();
        for (node, last) in self.finals() {
            for at in ways.of(node) {
                let way = &ways.all[at as usize];
                let cost = way.cost + last.0;
                let held = ends.entry(way.words).or_insert((cost, at));
                if cost < held.0 {
                    *held = (cost, at);
                }
            }
        }
        let mut ends: Vec<(u32, (f64, u32))> = ends.into_iter().collect();
        ends.sort_by(|(a, (ours, _)), (b, (theirs, _))| ours.total_cmp(theirs).then(a.cmp(b)));
        ends.truncate(count);
        let heard = |&(_, (cost, at)): &_| self.hypothesis(&self.trace(ways, at), PathCost(cost));
        ends.iter().map(heard).collect()
    }

    fn trace(&self, ways: &Ways, mut at: u32) -> Vec<Edge> {
        let mut path = Vec::new();
        loop {
            let way = ways.all[at as usize];
            let Some(&edge) = self.all_edges().get(way.edge as usize) else {
                break;
            };
            path.push(edge);
            at = way.back;
        }
        path.reverse();
        path
    }
}

impl Ways {
    fn new(nodes: usize) -> Ways {
        let start = Way { words: 0, cost: 0.0, edge: NONE, back: NONE, next: NONE };
        let mut heads = vec![NONE; nodes];
        heads[0] = 0;
        Ways { all: vec![start], heads }
    }

    /// The ways to a node.
    fn of(&self, node: u32) -> impl Iterator<Item = u32> {
        let some = |at: u32| Some(at).filter(|&at| at != NONE);
        std::iter::successors(some(self.heads[node as usize]), move |&at| {
            some(self.all[at as usize].next)
        })
    }

    /// Keeps the cheaper of two ways with the same words.
    fn arrive(&mut self, node: u32, way: Way) {
        let same = self.of(node).find(|&at| self.all[at as usize].words == way.words);
        if let Some(at) = same {
            let held = &mut self.all[at as usize];
            if way.cost < held.cost {
                *held = Way { next: held.next, ..way };
            }
            return;
        }
        let head = &mut self.heads[node as usize];
        self.all.push(Way { next: *head, ..way });
        *head = self.all.len() as u32 - 1;
    }

    /// The cheapest ways to a node, at most `count`.
    fn cheapest(&self, node: u32, count: usize, kept: &mut Vec<u32>) {
        kept.clear();
        kept.extend(self.of(node));
        let key = |at: u32| (self.all[at as usize].cost, self.all[at as usize].words);
        kept.sort_by(|&a, &b| {
            let ((ours, a), (theirs, b)) = (key(a), key(b));
            ours.total_cmp(&theirs).then(a.cmp(&b))
        });
        kept.truncate(count);
    }
}
