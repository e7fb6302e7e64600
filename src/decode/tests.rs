//! The search against its slow twin, on random graphs and random scores.

use ndarray::Array2;
use proptest::prelude::*;

use crate::graph::{Graph, GraphBuilder, WORD_END, WORD_START};
use crate::units::{Cost, PdfId, StateId};

use super::*;

/// Pdfs of the random graphs.
const PDFS: usize = 6;

/// Arcs (from, pdf or epsilon, label, cost, to), final states with costs, and a score matrix.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub states: usize,
    pub arcs: Vec<(u32, Option<u32>, u32, f32, u32)>,
    pub finals: Vec<(u32, f32)>,
    pub scores: Array2<f32>,
}

impl Case {
    pub(super) fn graph(&self) -> Graph {
        let mut builder = GraphBuilder::new();
        builder.add_states(self.states);
        builder.set_start(StateId(0));
        for &(from, pdf, label, cost, to) in &self.arcs {
            builder.add_arc(
                StateId(from),
                pdf.map(PdfId),
                label,
                Cost(cost),
                StateId(to),
            );
        }
        for &(state, cost) in &self.finals {
            builder.set_final(StateId(state), Cost(cost));
        }
        builder.build().unwrap()
    }
}

/// Random cases: epsilon arcs are a third, of positive cost, and may form loops; a label may hold flags.
pub(super) fn cases() -> impl Strategy<Value = Case> {
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
fn chain() -> Case {
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn all_pruning_off_is_exact_viterbi(case in cases()) {
        let expected = oracle::viterbi(&case.graph(), &case.scores);
        match (decode(&case, Pruning::OFF), expected) {
            (Ok(found), Ok(expected)) => {
                prop_assert!((found.cost.0 - expected.cost.0).abs() < 1e-4);
                prop_assert_eq!(found.words, expected.words);
                prop_assert_eq!(found.reached_final, expected.reached_final);
            }
            (found, expected) => prop_assert_eq!(found.err(), expected.err()),
        }
    }

    #[test]
    fn pruned_paths_exist_and_cost_no_less(case in cases(), beam in 0.0f32..9.0, n in 1usize..9) {
        let exact = oracle::viterbi(&case.graph(), &case.scores);
        let knobs = [
            Pruning { network_beam: Cost(beam), ..Pruning::OFF },
            Pruning { network_top_n: n, ..Pruning::OFF },
            Pruning { local_beam: Cost(beam), ..Pruning::OFF },
            Pruning { local_top_n: n, ..Pruning::OFF },
            Pruning { arc_budget: n, ..Pruning::OFF },
        ];
        for pruning in knobs {
            if let (Ok(found), Ok(exact)) = (decode(&case, pruning), &exact) {
                let comparable = found.reached_final == exact.reached_final;
                prop_assert!(!comparable || found.cost.0 >= exact.cost.0 - 1e-4, "{pruning:?}");
                let again = decode(&case, pruning).unwrap();
                prop_assert_eq!(found.cost.0.to_bits(), again.cost.0.to_bits());
                prop_assert_eq!(found, again);
            }
        }
    }
}

#[test]
fn words_and_times() {
    let found = decode(&chain(), Pruning::default()).unwrap();
    let spans: Vec<_> = found
        .words
        .iter()
        .map(|w| (w.id.0, w.start, w.end))
        .collect();
    assert_eq!(spans, [(5, 0, 2), (6, 2, 4)]);
    assert!(found.reached_final);
    assert!((found.cost.0 - 2.5).abs() < 1e-6);
    assert_eq!(
        found.words[1].seconds(crate::units::Seconds(0.03)).0.0,
        0.06
    );
}

#[test]
fn no_frames_give_no_words() {
    let case = Case {
        scores: Array2::zeros((0, 2)),
        ..chain()
    };
    let found = decode(&case, Pruning::default()).unwrap();
    assert_eq!(
        (found.words.len(), found.reached_final, found.frames),
        (0, false, 0)
    );
}

#[test]
fn no_final_state_in_reach_gives_the_best_token() {
    let case = Case {
        finals: vec![],
        ..chain()
    };
    let found = decode(&case, Pruning::default()).unwrap();
    assert!(!found.reached_final);
    assert_eq!(found.words.len(), 2);
    assert!((found.cost.0 - 1.5).abs() < 1e-6);
}

#[test]
fn scores_that_are_not_numbers_are_refused() {
    for bad in [f32::NAN, f32::INFINITY] {
        let mut case = chain();
        case.scores[[2, 1]] = bad;
        let error = decode(&case, Pruning::default()).unwrap_err();
        assert!(
            matches!(
                error,
                DecodeError::BadScore {
                    frame: 2,
                    pdf: 1,
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn a_frame_that_rules_every_arc_out_is_a_dead_end() {
    let mut case = chain();
    case.scores.row_mut(1).fill(f32::NEG_INFINITY);
    assert_eq!(
        decode(&case, Pruning::OFF),
        Err(DecodeError::DeadEnd { frame: 1 })
    );
    let case = Case {
        arcs: chain().arcs[..1].to_vec(),
        ..chain()
    };
    assert_eq!(
        decode(&case, Pruning::OFF),
        Err(DecodeError::DeadEnd { frame: 1 })
    );
}

#[test]
fn mistakes_of_the_caller_are_told() {
    let case = Case {
        scores: Array2::zeros((3, 1)),
        ..chain()
    };
    let error = decode(&case, Pruning::OFF).unwrap_err();
    assert_eq!(
        error,
        DecodeError::PdfMismatch {
            graph: 2,
            scores: 1
        }
    );
    let pruning = Pruning {
        network_beam: Cost(f32::NAN),
        ..Pruning::OFF
    };
    assert!(matches!(
        decode(&chain(), pruning),
        Err(DecodeError::BadPruning { .. })
    ));
    let mut case = chain();
    case.arcs.push((1, None, 0, -1.0, 1));
    let error = decode(&case, Pruning::OFF).unwrap_err();
    assert_eq!(error, DecodeError::NegativeLoop { frame: 1 });
}
