//! Headroom: how near to the beam's edge the paths of an utterance lay, which says whether a wider
//! search may find better words.
//!
//! After every frame the search drops tokens that cost more than a cutoff. The *room* of a lattice
//! node is that cutoff less the cost of the best path to the node, both as the search counted them.
//! Where the answer had little room it nearly fell out, and better paths may have.

use super::lattice::Lattice;
use super::paths::{PathGraph, costs_to_end};

/// Nodes with less room than this are near the cutoff.
const NEAR: f64 = 2.0;
/// How many of the answer's nodes, those with the least room, are averaged.
const LEAST: usize = 5;

/// How near to the cutoff the paths of an utterance lay; all numbers are finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Headroom {
    /// Σ exp(−extra) over the nodes with little room, where extra is what the best path through the
    /// node costs more than the answer; ≥ 0. Larger: more good paths were nearly lost.
    pub near: f64,
    /// Σ exp(−room) over the frames of the best path by the search's own costs; ≥ 0. Larger: that
    /// path was nearly lost more often.
    pub narrow: f64,
    /// The mean of the five least rooms of the answer, in units of cost; in [0, 20].
    pub least: f64,
}

impl Headroom {
    /// The most room that is told: more of it says nothing new.
    pub const MOST: f64 = 20.0;
}

impl PathGraph<'_> {
    /// Measures the headroom of the best path and of its rivals.
    pub fn headroom(&self) -> Headroom {
        let lattice = self.lattice();
        let (rooms, narrow) = lattice.rooms();
        let room = |node: u32| rooms[self.place(node) as usize];
        let after = self.backward();
        let best = self.best_cost().0;
        let nodes = 0..self.num_nodes() as u32;
        let near = nodes.filter(|&node| room(node) < NEAR).map(|node| {
            let extra = self.forward(node).0 + after[node as usize] - best;
            (-extra.max(0.0)).exp()
        });
        let mut on_path: Vec<f64> = self.best_nodes().map(room).collect();
        on_path.sort_by(f64::total_cmp);
        on_path.truncate(LEAST);
        let count = on_path.len().max(1) as f64;
        Headroom {
            near: near.sum(),
            narrow,
            least: match on_path.is_empty() {
                true => Headroom::MOST,
                false => on_path.iter().sum::<f64>() / count,
            },
        }
    }

    /// By node: the cost of the best way from it to an end; infinite if there is none.
    fn backward(&self) -> Vec<f64> {
        let mut after = vec![f64::INFINITY; self.num_nodes()];
        for (node, last) in self.finals() {
            let held = &mut after[node as usize];
            *held = held.min(last.0);
        }
        let edges = self.all_edges().iter().rev();
        costs_to_end(after, edges.map(|edge| (edge.from, edge.next, f64::from(edge.cost.0))))
    }
}

impl Lattice {
    /// The room of each node, at most [`Headroom::MOST`], and Σ exp(−room) over the frames of the
    /// best path.
    fn rooms(&self) -> (Vec<f64>, f64) {
        let mut cost = vec![f64::INFINITY; self.num_nodes()];
        let mut before = vec![0u32; self.num_nodes()];
        cost[0] = 0.0;
        for node in 0..self.num_nodes() as u32 {
            for arc in self.arcs(node) {
                let way = cost[node as usize] + f64::from(arc.acoustic.0) + f64::from(arc.graph.0);
                if way < cost[arc.next as usize] {
                    (cost[arc.next as usize], before[arc.next as usize]) = (way, node);
                }
            }
        }
        let ends = self.finals().iter();
        let ends = ends.map(|&(node, last)| (node, cost[node as usize] + f64::from(last.0)));
        let best = ends.min_by(|a, b| a.1.total_cmp(&b.1));
        for (room, &frame) in cost.iter_mut().zip(&self.frames) {
            let cutoff = self.searched.get(frame as usize).map(|frame| frame.cutoff);
            *room = (cutoff.unwrap_or(f64::INFINITY) - *room).clamp(0.0, Headroom::MOST);
        }
        let mut narrow = 0.0;
        let mut at = best.map_or(0, |(node, _)| node);
        while at != 0 {
            let earlier = before[at as usize];
            // The last node of a frame is the one that the cutoff was held against.
            if self.frame(earlier) < self.frame(at) {
                narrow += (-cost[earlier as usize]).exp();
            }
            at = earlier;
        }
        (cost, narrow)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::chain;
    use super::super::{Decoder, Pruning, Scratch};
    use super::*;
    use crate::units::Cost;

    #[test]
    fn a_narrow_beam_leaves_little_room_and_no_beam_all_of_it() {
        let case = chain();
        let graph = case.graph();
        let measured = |pruning: Pruning| {
            let decoder = Decoder::new(&graph, pruning).unwrap();
            let lattice = decoder.lattice(&case.scores, &mut Scratch::new()).unwrap();
            lattice.paths().headroom()
        };
        let open = measured(Pruning::OFF);
        assert_eq!((open.near, open.least), (0.0, Headroom::MOST));
        let beam = |cost: f32| Pruning { network_beam: Cost(cost), ..Pruning::OFF };
        let (wide, narrow) = (measured(beam(8.0)), measured(beam(1.0)));
        assert!(narrow.least < wide.least, "{narrow:?} {wide:?}");
        assert!(narrow.narrow > wide.narrow && narrow.near > wide.near, "{narrow:?} {wide:?}");
    }
}
