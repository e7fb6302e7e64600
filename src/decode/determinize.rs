//! Determinised paths: each word sequence of a lattice once, by its cheapest path.
//!
//! A raw lattice has a path for every alignment of a word sequence, so that sums over its paths
//! favour words whose borders are vague. Here a node stands for all the places where paths with the
//! same words can be, each with how much dearer it is to be there than at the cheapest (a subset of
//! the powerset construction, with residual costs), so that no two edges that leave a node have the
//! same word.
//!
//! ```text
//! expand the node through which the cheapest path goes, among those not yet expanded:
//!     for each word that is said next at any of its places:
//!         places  = those behind the word, and what edges without words reach from there
//!         cost    = that of the cheapest place, which is taken from the costs of all
//!         the next node is the one that has these places with these costs, else a new one
//! ```
//!
//! Nodes through which every path is beyond the beam are left out, and after a bounded amount of
//! work all that are left, which are those of the dearest paths.
//!
//! Reference: Mohri, "Finite-state transducers in language and speech processing", Computational
//! Linguistics 1997; Povey et al., "Generating exact lattices in the WFST framework", ICASSP 2012,
//! as Kaldi's `DeterminizeLatticePruned` does it.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};

use super::lattice::{Lattice, LatticeArc};
use super::paths::{Edge, PathGraph, costs_to_end};
use crate::graph::WORD_MASK;
use crate::units::Cost;

/// Most places of all nodes together: some 40 MB. A lattice of a beam of 8 has far fewer.
const MOST_PLACES: usize = 1 << 18;
/// Most nodes of the lattice that are reached, each as often as it is: a second's work at most.
const MOST_STEPS: usize = 1 << 24;
/// Costs that differ by less than one part in so many of a unit are taken for equal.
const GRAIN: f64 = 1024.0;

/// Where a path may be, and what it cost.
#[derive(Clone, Copy)]
struct Place {
    /// A node of the lattice.
    node: u32,
    /// The whole cost, and the graph's part of it.
    cost: f64,
    graph: f64,
}

/// A step with a word to a place.
struct Said {
    word: u32,
    arc: u32,
    to: Place,
}

/// A node of the result.
struct Subset {
    /// By node; the cheapest costs 0. None once it is expanded.
    places: Vec<Place>,
    /// The node of the first.
    first: u32,
    /// The cost of the cheapest way there.
    forward: f64,
}

/// The key of a subset: its places, and their costs in grains.
type Key = Vec<(u32, i64, i64)>;

/// A subset that waits; the one through which the cheapest path goes is the greatest.
struct Waiting {
    through: f64,
    subset: u32,
}

struct Determinizer<'l> {
    lattice: &'l Lattice,
    /// By node of the lattice: the least cost of getting to an end, and of ending there.
    onward: Vec<f64>,
    ending: Vec<f64>,
    /// How much more than the cheapest a path may cost, and how much in all.
    beam: f64,
    limit: f64,
    graph_scale: f64,
    subsets: Vec<Subset>,
    numbers: HashMap<Key, u32>,
    waiting: BinaryHeap<Waiting>,
    edges: Vec<Edge>,
    finals: Vec<(u32, f64)>,
    num_places: usize,
    steps: usize,
    reached: Reached,
}

/// What edges without words reach: the cheapest way to each node.
struct Reached {
    /// By node; infinite where it was not reached.
    held: Vec<Place>,
    queue: BinaryHeap<Reverse<u32>>,
}

impl Lattice {
    /// The paths with the graph's costs times a factor, each word sequence once: by the path that
    /// is cheapest at a factor of 1. Those that are then more than `beam` above the cheapest are
    /// left out. The paths know words and costs, but not when words were said.
    pub fn determinized(&self, beam: Cost, graph_scale: f32) -> PathGraph<'_> {
        let (onward, ending) = self.costs_to_the_end();
        let nowhere = Place { node: 0, cost: f64::INFINITY, graph: 0.0 };
        let mut work = Determinizer {
            lattice: self,
            beam: f64::from(beam.0),
            limit: onward[0] + f64::from(beam.0),
            onward,
            ending,
            graph_scale: f64::from(graph_scale),
            subsets: Vec::new(),
            numbers: HashMap::new(),
            waiting: BinaryHeap::new(),
            edges: Vec::new(),
            finals: Vec::new(),
            num_places: 0,
            steps: 0,
            reached: Reached { held: vec![nowhere; self.num_nodes()], queue: BinaryHeap::new() },
        };
        let start = Place { node: 0, cost: 0.0, graph: 0.0 };
        let begin = work.behind(&[start]);
        work.number(begin, 0.0);
        while let Some(Waiting { subset, .. }) = work.waiting.pop()
            && work.num_places <= MOST_PLACES
            && work.steps <= MOST_STEPS
        {
            work.expand(subset);
        }
        work.finish()
    }

    /// By node: the least cost of a path from there to an end, and the cost of ending there.
    fn costs_to_the_end(&self) -> (Vec<f64>, Vec<f64>) {
        let mut ending = vec![f64::INFINITY; self.num_nodes()];
        for &(node, last) in self.finals() {
            ending[node as usize] = f64::from(last.0);
        }
        let edges = (0..self.num_nodes() as u32).rev().flat_map(|from| {
            let cost = |arc: &LatticeArc| f64::from(arc.acoustic.0) + f64::from(arc.graph.0);
            self.arcs(from).iter().map(move |arc| (from, arc.next, cost(arc)))
        });
        (costs_to_end(ending.clone(), edges), ending)
    }
}

impl Place {
    /// The place behind an arc.
    fn after(&self, arc: &LatticeArc) -> Place {
        let graph = f64::from(arc.graph.0);
        Place {
            node: arc.next,
            cost: self.cost + graph + f64::from(arc.acoustic.0),
            graph: self.graph + graph,
        }
    }
}

impl Reached {
    fn arrive(&mut self, place: Place) {
        let held = &mut self.held[place.node as usize];
        if held.cost == f64::INFINITY {
            self.queue.push(Reverse(place.node));
        }
        if place.cost < held.cost {
            *held = place;
        }
    }

    /// The reached node that no other reached one leads to, and what was held of it.
    fn next(&mut self) -> Option<Place> {
        let Reverse(node) = self.queue.pop()?;
        let held = &mut self.held[node as usize];
        let place = *held;
        held.cost = f64::INFINITY;
        Some(place)
    }
}

impl<'l> Determinizer<'l> {
    /// The places that edges without words reach from these, where a path may say a word or end
    /// within the beam of the cheapest. By node.
    fn behind(&mut self, from: &[Place]) -> Vec<Place> {
        let mut places = Vec::new();
        let limit = self.through(from) + self.beam;
        from.iter().for_each(|&place| self.reached.arrive(place));
        while let Some(place) = self.reached.next() {
            self.steps += 1;
            let node = place.node as usize;
            if place.cost + self.onward[node] > limit {
                continue;
            }
            let mut speaks = self.ending[node] < f64::INFINITY;
            for arc in self.lattice.arcs(place.node) {
                match arc.label & WORD_MASK {
                    0 => self.reached.arrive(place.after(arc)),
                    _ => speaks = true,
                }
            }
            if speaks {
                places.push(place);
            }
        }
        places
    }

    /// The cost of the cheapest path from these places to an end, with what they cost.
    fn through(&self, places: &[Place]) -> f64 {
        let all = places.iter().map(|place| place.cost + self.onward[place.node as usize]);
        all.fold(f64::INFINITY, f64::min)
    }

    /// The subset with these places, whose cheapest costs 0, and which the cheapest path reaches
    /// with this cost; none where all paths pass the limit.
    fn number(&mut self, places: Vec<Place>, forward: f64) -> Option<u32> {
        let through = forward + self.through(&places);
        let first = places.first().filter(|_| through <= self.limit)?.node;
        let grains = |cost: f64| (cost * GRAIN).round() as i64;
        let key = places.iter().map(|place| (place.node, grains(place.cost), grains(place.graph)));
        let new = self.subsets.len() as u32;
        let subset = *self.numbers.entry(key.collect()).or_insert(new);
        if subset == new {
            self.num_places += places.len();
            self.subsets.push(Subset { places, first, forward: f64::INFINITY });
        }
        let held = &mut self.subsets[subset as usize];
        if forward < held.forward {
            held.forward = forward;
            self.waiting.push(Waiting { through, subset });
        }
        Some(subset)
    }

    /// Follows the words that are said next.
    fn expand(&mut self, subset: u32) {
        let Subset { places, forward, .. } = &mut self.subsets[subset as usize];
        let (places, forward) = (std::mem::take(places), *forward);
        self.end(subset, forward, &places);
        let mut said = Vec::new();
        for place in &places {
            let arcs = (self.lattice.first_arc(place.node)..).zip(self.lattice.arcs(place.node));
            let words = arcs.map(|(index, arc)| (arc.label & WORD_MASK, index, arc));
            let words = words.filter(|(word, ..)| *word != 0);
            said.extend(words.map(|(word, arc, found)| Said { word, arc, to: place.after(found) }));
        }
        said.sort_by(|a, b| a.word.cmp(&b.word).then(a.arc.cmp(&b.arc)));
        for same in said.chunk_by(|a, b| a.word == b.word) {
            let to: Vec<Place> = same.iter().map(|said| said.to).collect();
            let mut places = self.behind(&to);
            let Some(&least) = places.iter().min_by(|a, b| a.cost.total_cmp(&b.cost)) else {
                continue;
            };
            for place in &mut places {
                place.cost -= least.cost;
                place.graph -= least.graph;
            }
            let Some(next) = self.number(places, forward + least.cost) else {
                continue;
            };
            let cost = Cost(self.scaled(least.cost, least.graph) as f32);
            self.edges.push(Edge { from: subset, next, cost, arc: same[0].arc });
        }
    }

    /// Ends paths where they can be ended.
    fn end(&mut self, subset: u32, forward: f64, places: &[Place]) {
        let ends = places.iter().map(|place| {
            let last = self.ending[place.node as usize];
            (place.cost + last, place.graph + last)
        });
        let least = ends.min_by(|a, b| a.0.total_cmp(&b.0));
        let possible = |cost: f64| cost < f64::INFINITY && forward + cost <= self.limit;
        if let Some((cost, graph)) = least.filter(|&(cost, _)| possible(cost)) {
            self.finals.push((subset, self.scaled(cost, graph)));
        }
    }

    fn scaled(&self, cost: f64, graph: f64) -> f64 {
        cost + graph * (self.graph_scale - 1.0)
    }

    /// The paths, with their nodes in topological order: the first place of a node is before those
    /// of all nodes that it leads to.
    fn finish(mut self) -> PathGraph<'l> {
        let mut order: Vec<u32> = (0..self.subsets.len() as u32).collect();
        order.sort_by_key(|&subset| self.subsets[subset as usize].first);
        let mut rank = vec![0; order.len()];
        for (place, &subset) in (0u32..).zip(&order) {
            rank[subset as usize] = place;
        }
        for edge in &mut self.edges {
            edge.from = rank[edge.from as usize];
            edge.next = rank[edge.next as usize];
        }
        self.edges.sort_by_key(|edge| (edge.from, edge.next, edge.arc));
        self.finals.iter_mut().for_each(|last| last.0 = rank[last.0 as usize]);
        let places = order.iter().map(|&subset| self.subsets[subset as usize].first);
        PathGraph::new(self.lattice, places.collect(), self.edges, self.finals)
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        other.through.total_cmp(&self.through).then(other.subset.cmp(&self.subset))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}
