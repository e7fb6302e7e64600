//! Exact Viterbi search, the obvious way: the slow twin that the fast search is tested against.
//!
//! Dense tables over all states and frames in double precision: small graphs and short utterances
//! only.

use crate::graph::{ArcRef, Graph};
use crate::units::StateId;

use super::error::DecodeError;
use super::hypothesis::{Event, Hypothesis, PathCost, words_of};
use super::{Effort, Scorer};

/// How a state was reached.
#[derive(Clone, Copy)]
struct Back {
    state: u32,
    arc: ArcRef,
}

/// The best cost of each state after some frames, and how it was reached.
struct Column {
    costs: Vec<f64>,
    backs: Vec<Option<Back>>,
}

impl Column {
    fn new(states: usize) -> Self {
        Column { costs: vec![f64::INFINITY; states], backs: vec![None; states] }
    }

    fn arrive(&mut self, cost: f64, back: Back) -> bool {
        let to = back.arc.next.index();
        let better = cost < self.costs[to];
        if better {
            self.costs[to] = cost;
            self.backs[to] = Some(back);
        }
        better
    }

    /// Relaxes every epsilon arc until nothing changes (Bellman and Ford's algorithm).
    fn close(&mut self, graph: &Graph, frame: usize) -> Result<(), DecodeError> {
        for _ in 0..=self.costs.len() {
            let mut changed = false;
            for state in 0..self.costs.len() as u32 {
                let cost = self.costs[state as usize];
                if cost == f64::INFINITY {
                    continue;
                }
                for arc in graph.epsilon_arcs(StateId(state)) {
                    changed |= self.arrive(cost + f64::from(arc.cost.0), Back { state, arc });
                }
            }
            if !changed {
                return Ok(());
            }
        }
        Err(DecodeError::NegativeLoop { frame })
    }
}

/// The cheapest path of a graph for some scores; what [`Decoder::decode`](super::Decoder::decode)
/// finds with all pruning off. Time and memory are states × frames.
///
/// # Errors
/// [`DecodeError`] as the fast search, except that scores are not checked.
pub fn viterbi(graph: &Graph, scorer: &impl Scorer) -> Result<Hypothesis, DecodeError> {
    let mut first = Column::new(graph.state_limit());
    first.costs[graph.start().index()] = 0.0;
    first.close(graph, 0)?;
    let mut columns = vec![first];
    for frame in 0..scorer.num_frames() {
        let next = advance(graph, &columns[frame], scorer.frame(frame));
        if next.costs.iter().all(|&cost| cost == f64::INFINITY) {
            return Err(DecodeError::DeadEnd { frame });
        }
        columns.push(next);
        columns[frame + 1].close(graph, frame + 1)?;
    }
    let last = &columns[scorer.num_frames()];
    let (final_cost, final_state) = cheapest(
        (0u32..)
            .zip(&last.costs)
            .map(|(state, &cost)| (cost + f64::from(graph.final_cost(StateId(state)).0), state)),
    );
    let reached_final = final_cost < f64::INFINITY;
    let (cost, state) = if reached_final {
        (final_cost, final_state)
    } else {
        cheapest((0u32..).zip(&last.costs).map(|(state, &cost)| (cost, state)))
    };
    let frames = scorer.num_frames() as u32;
    let words = words_of(&trace(&columns, state), frames);
    let (cost, effort) = (PathCost(cost), Effort::default());
    Ok(Hypothesis { words, cost, parts: None, reached_final, frames, effort })
}

fn cheapest(ends: impl Iterator<Item = (f64, u32)>) -> (f64, u32) {
    ends.fold((f64::INFINITY, 0), |best, end| if end.0 < best.0 { end } else { best })
}

fn advance(graph: &Graph, column: &Column, scores: &[f32]) -> Column {
    let mut next = Column::new(column.costs.len());
    let reached = (0u32..).zip(&column.costs);
    for (state, &cost) in reached.filter(|(_, cost)| **cost < f64::INFINITY) {
        for arc in graph.emitting_arcs(StateId(state)) {
            let pdf = arc.pdf.expect("an emitting arc has a pdf");
            let score = f64::from(scores[pdf.index()]);
            next.arrive(cost + f64::from(arc.cost.0) - score, Back { state, arc });
        }
    }
    next
}

/// The labelled arcs on the way to a state of the last column.
fn trace(columns: &[Column], mut state: u32) -> Vec<Event> {
    let mut frame = columns.len() - 1;
    let mut events = Vec::new();
    while let Some(back) = columns[frame].backs[state as usize] {
        frame -= usize::from(back.arc.pdf.is_some());
        if back.arc.label != 0 {
            events.push(Event { label: back.arc.label, frame: frame as u32 });
        }
        state = back.state;
    }
    events.reverse();
    events
}
