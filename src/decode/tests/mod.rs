//! The search on random graphs and random scores, which the tests of its parts share.

mod cancelled;
mod determinized;
mod exact;
mod lattices;
mod marked;
mod pruned;
mod streamed;

use std::collections::BTreeMap;

use ndarray::Array2;
use proptest::prelude::*;

use crate::graph::{Graph, GraphBuilder, WORD_END, WORD_START};
use crate::units::{Cost, PdfId, StateId};

use super::*;

/// Pdfs of the random graphs.
const PDFS: usize = 6;

/// Arcs (from, pdf or epsilon, label, cost, to), final states with costs, and a score matrix.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub states: usize,
    pub arcs: Vec<(u32, Option<u32>, u32, f32, u32)>,
    pub finals: Vec<(u32, f32)>,
    pub scores: Array2<f32>,
}

impl Case {
    pub(crate) fn graph(&self) -> Graph {
        let mut builder = GraphBuilder::new();
        builder.add_states(self.states);
        builder.set_start(StateId(0));
        for &(from, pdf, label, cost, to) in &self.arcs {
            builder.add_arc(StateId(from), pdf.map(PdfId), label, Cost(cost), StateId(to));
        }
        for &(state, cost) in &self.finals {
            builder.set_final(StateId(state), Cost(cost));
        }
        builder.build().unwrap()
    }
}

/// Random cases: epsilon arcs are a third, of positive cost, and may form loops; a label may hold
/// flags.
pub(crate) fn cases() -> impl Strategy<Value = Case> {
    (1usize..25, 0usize..12).prop_flat_map(|(states, frames)| {
        let state = 0..states as u32;
        let pdf = prop_oneof![2 => (0..PDFS as u32).prop_map(Some), 1 => Just(None)];
        let flags = prop_oneof![3 => Just(0), 1 => Just(WORD_START), 1 => Just(WORD_END)];
        let label = (prop_oneof![2 => Just(0u32), 1 => 1u32..50], flags).prop_map(|(w, f)| w | f);
        let arc = (state.clone(), pdf, label, 0.001f32..3.0, state.clone());
        let arcs = prop::collection::vec(arc, 0..states * 5);
        let finals = prop::collection::vec((state, 0.0f32..2.0), 0..3);
        let scores = prop::collection::vec(-8.0f32..2.0, frames * PDFS);
        (arcs, finals, scores).prop_map(move |(arcs, finals, scores)| Case {
            states,
            arcs,
            finals,
            scores: Array2::from_shape_vec((frames, PDFS), scores).unwrap(),
        })
    })
}

/// A chain 0 → 1 → 2 that says word 5 on pdf 0 and then word 6 on pdf 1, each with a loop.
pub(crate) fn chain() -> Case {
    Case {
        states: 3,
        arcs: vec![
            (0, Some(0), WORD_START | 5, 0.5, 1),
            (1, Some(0), 0, 0.25, 1),
            (1, Some(1), WORD_START | 6, 0.5, 2),
            (2, Some(1), 0, 0.25, 2),
        ],
        finals: vec![(2, 1.0)],
        scores: ndarray::arr2(&[[0.0, -9.0], [0.0, -9.0], [-9.0, 0.0], [-9.0, 0.0]]),
    }
}

fn decode(case: &Case, pruning: Pruning) -> Result<Hypothesis, DecodeError> {
    let graph = case.graph();
    Decoder::new(&graph, pruning)?.decode(&case.scores, &mut Scratch::new())
}

/// Words, cost and edges of a path.
type Walked = (Vec<u32>, f64, Vec<Edge>);

/// Every path of a graph; `None` if there are too many.
pub(crate) fn every_path(paths: &PathGraph<'_>) -> Option<Vec<Walked>> {
    let mut found = Vec::new();
    let mut open = vec![(0u32, Vec::new(), 0.0, Vec::new())];
    while let Some((node, words, cost, edges)) = open.pop() {
        for (_, last) in paths.finals().filter(|&(end, _)| end == node) {
            found.push((words.clone(), cost + last.0, edges.clone()));
        }
        for edge in paths.edges(node) {
            let (mut words, mut edges) = (words.clone(), edges.clone());
            words.extend(Some(paths.word(edge).0).filter(|&word| word != 0));
            edges.push(*edge);
            open.push((edge.next, words, cost + f64::from(edge.cost.0), edges));
        }
        if found.len() + open.len() > 3000 {
            return None;
        }
    }
    Some(found)
}

/// By word sequence: the cost of its cheapest path.
pub(crate) fn cheapest_of(every: &[Walked]) -> BTreeMap<Vec<u32>, f64> {
    let mut cheapest = BTreeMap::new();
    for (words, cost, _) in every {
        let held = cheapest.entry(words.clone()).or_insert(*cost);
        *held = cost.min(*held);
    }
    cheapest
}

/// Small cases whose epsilon arcs lead to later states only.
pub(crate) fn cases_without_loops() -> impl Strategy<Value = Case> {
    cases().prop_map(|mut case| {
        let states = case.states.min(5) as u32;
        case.arcs.truncate(9);
        for arc in &mut case.arcs {
            (arc.0, arc.4) = (arc.0 % states, arc.4 % states);
        }
        case.arcs.retain(|arc| arc.1.is_some() || arc.0 < arc.4);
        case.finals.iter_mut().for_each(|end| end.0 %= states);
        let frames = case.scores.nrows().min(4);
        case.scores = case.scores.slice(ndarray::s![..frames, ..]).to_owned();
        case
    })
}

/// A case in which words recur.
pub(crate) fn of_few_words(mut case: Case) -> Case {
    for arc in &mut case.arcs {
        arc.2 = match arc.2 & crate::graph::WORD_MASK {
            0 => arc.2,
            word => word % 3 + 1,
        };
    }
    case
}
