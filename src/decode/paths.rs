//! A lattice whose arcs have one cost each: that of the search, or that of a larger language model.
//!
//! Nodes are in topological order and the best cost from the start to each node is known. So the
//! best path, the N best paths and the posteriors each take one pass over the edges.

use crate::graph::WORD_MASK;
use crate::units::{Cost, WordId};

use super::hypothesis::{Hypothesis, PathCost};
use super::lattice::Lattice;

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    /// The node it leaves.
    pub from: u32,
    /// The node it leads to, always a later one.
    pub next: u32,
    /// What it costs in all.
    pub cost: Cost,
    /// Index of its arc among the lattice's.
    pub(super) arc: u32,
}

/// An acyclic graph of paths with costs.
#[derive(Clone, Debug)]
pub struct PathGraph<'l> {
    lattice: &'l Lattice,
    /// The lattice node behind each node.
    places: Vec<u32>,
    /// `nodes + 1` offsets into `edges`.
    first: Vec<u32>,
    edges: Vec<Edge>,
    /// The nodes where paths can end, and the cost of ending there.
    finals: Vec<(u32, f64)>,
    /// By node: the cost of the best way there, and its last edge.
    forward: Vec<f64>,
    back: Vec<u32>,
}

/// No edge.
const NONE: u32 = u32::MAX;

impl<'l> PathGraph<'l> {
    /// The paths over `places`, nodes of a lattice in topological order, by edges grouped by the
    /// node they leave.
    pub(super) fn new(
        lattice: &'l Lattice,
        places: Vec<u32>,
        edges: Vec<Edge>,
        finals: Vec<(u32, f64)>,
    ) -> Self {
        let mut first = vec![0; places.len() + 1];
        let mut forward = vec![f64::INFINITY; places.len()];
        let mut back = vec![NONE; places.len()];
        forward[0] = 0.0;
        for (index, edge) in (0u32..).zip(&edges) {
            first[edge.from as usize + 1] += 1;
            let cost = forward[edge.from as usize] + f64::from(edge.cost.0);
            let next = edge.next as usize;
            if cost < forward[next] {
                (forward[next], back[next]) = (cost, index);
            }
        }
        for node in 0..places.len() {
            first[node + 1] += first[node];
        }
        PathGraph { lattice, places, first, edges, finals, forward, back }
    }

    /// The lattice whose paths they are.
    pub fn lattice(&self) -> &'l Lattice {
        self.lattice
    }

    /// Number of nodes; node 0 is the start.
    pub fn num_nodes(&self) -> usize {
        self.places.len()
    }

    /// Number of edges.
    pub fn num_edges(&self) -> usize {
        self.edges.len()
    }

    /// The lattice node behind a node.
    pub(super) fn place(&self, node: u32) -> u32 {
        self.places[node as usize]
    }

    /// Score frames of the utterance.
    pub(super) fn num_frames(&self) -> u32 {
        self.lattice.num_frames()
    }

    /// Whether the ends are final states.
    pub(super) fn reached_final(&self) -> bool {
        self.lattice.reached_final()
    }

    /// Other paths over the same lattice.
    pub(super) fn with_edges(
        &self,
        places: Vec<u32>,
        edges: Vec<Edge>,
        finals: Vec<(u32, f64)>,
    ) -> PathGraph<'l> {
        PathGraph::new(self.lattice, places, edges, finals)
    }

    /// Index of the first edge of a node.
    pub(super) fn first_edge(&self, node: u32) -> u32 {
        self.first[node as usize]
    }

    /// The edges that leave a node.
    pub fn edges(&self, node: u32) -> &[Edge] {
        let (begin, end) = (self.first[node as usize], self.first[node as usize + 1]);
        &self.edges[begin as usize..end as usize]
    }

    /// All edges, grouped by the node they leave, in topological order.
    pub fn all_edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The word on an edge; [`WordId::EPSILON`] if it has none.
    pub fn word(&self, edge: &Edge) -> WordId {
        WordId(self.lattice.arc(edge.arc).label & WORD_MASK)
    }

    /// The cost of the best path from the start to a node.
    pub fn forward(&self, node: u32) -> PathCost {
        PathCost(self.forward[node as usize])
    }

    /// By node: the cost of the best way from there to an end; infinite if there is none.
    pub(super) fn costs_left(&self) -> Vec<f64> {
        let mut ending = vec![f64::INFINITY; self.num_nodes()];
        self.finals().for_each(|(node, last)| ending[node as usize] = last.0);
        let edges = self.all_edges().iter().rev();
        costs_to_end(ending, edges.map(|edge| (edge.from, edge.next, f64::from(edge.cost.0))))
    }

    /// The nodes where paths can end, and the cost of ending there.
    pub fn finals(&self) -> impl Iterator<Item = (u32, PathCost)> {
        self.finals.iter().map(|&(node, last)| (node, PathCost(last)))
    }

    /// The cost of the best path; [`PathCost::IMPOSSIBLE`] if there is none.
    pub fn best_cost(&self) -> PathCost {
        self.best_end().1
    }

    fn best_end(&self) -> (u32, PathCost) {
        let mut best = (0, PathCost::IMPOSSIBLE);
        for (node, last) in self.finals() {
            let cost = self.forward(node) + last;
            if cost < best.1 {
                best = (node, cost);
            }
        }
        best
    }

    /// The edges of the best path, the last first.
    pub(super) fn best_edges(&self) -> impl Iterator<Item = &Edge> {
        self.edges_to(self.best_end().0)
    }

    /// The edges of the best way to a node, the last first.
    fn edges_to(&self, node: u32) -> impl Iterator<Item = &Edge> {
        let into = |node: u32| self.edges.get(self.back[node as usize] as usize);
        std::iter::successors(into(node), move |edge| into(edge.from))
    }

    /// The nodes of the best path, the last first.
    pub(super) fn best_nodes(&self) -> impl Iterator<Item = u32> {
        let last = self.best_end().0;
        std::iter::once(last).chain(self.edges_to(last).map(|edge| edge.from))
    }

    /// The best path.
    pub fn best(&self) -> Hypothesis {
        let (last, cost) = self.best_end();
        let mut path: Vec<Edge> = self.edges_to(last).copied().collect();
        path.reverse();
        self.hypothesis(&path, cost)
    }

    /// The words and costs of a path.
    pub(super) fn hypothesis(&self, path: &[Edge], cost: PathCost) -> Hypothesis {
        let arcs = path.iter().map(|edge| (self.places[edge.from as usize], edge.arc));
        self.lattice.hypothesis(arcs, cost)
    }
}

/// By node: the least cost of going on from it to an end, given what it costs to end there and the
/// edges (from, next, cost), those of the last nodes first.
pub(super) fn costs_to_end(
    ending: Vec<f64>,
    edges: impl Iterator<Item = (u32, u32, f64)>,
) -> Vec<f64> {
    let mut least = ending;
    for (from, next, cost) in edges {
        let way = cost + least[next as usize];
        let held = &mut least[from as usize];
        *held = held.min(way);
    }
    least
}

impl Lattice {
    /// The paths with the costs that the search gave them.
    pub fn paths(&self) -> PathGraph<'_> {
        self.scaled_paths(1.0)
    }

    /// The paths with the graph's costs times a factor: below 1, the sound is trusted more than it
    /// was in the search.
    pub fn scaled_paths(&self, graph_scale: f32) -> PathGraph<'_> {
        let nodes = 0..self.num_nodes() as u32;
        let edges = nodes.clone().flat_map(|from| {
            let arcs = (self.first_arc(from)..).zip(self.arcs(from));
            arcs.map(move |(arc, found)| Edge {
                from,
                next: found.next,
                cost: found.acoustic + Cost(found.graph.0 * graph_scale),
                arc,
            })
        });
        let finals = self.finals().iter();
        let finals = finals.map(|&(node, last)| (node, f64::from(last.0 * graph_scale)));
        PathGraph::new(self, nodes.clone().collect(), edges.collect(), finals.collect())
    }

    /// The best path: the same as [`Decoder::decode`](super::Decoder::decode) finds.
    pub fn best_path(&self) -> Hypothesis {
        self.paths().best()
    }
}
