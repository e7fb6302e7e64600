//! The search against its slow twin, and what it says of scores that it cannot search.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn all_pruning_off_is_exact_viterbi(case in cases()) {
        let expected = oracle::viterbi(&case.graph(), &case.scores);
        match (decode(&case, Pruning::OFF), expected) {
            (Ok(found), Ok(expected)) => {
                prop_assert!((found.cost.0 - expected.cost.0).abs() < 1e-4);
                prop_assert_eq!(found.reached_final, expected.reached_final);
                // Of paths that cost the same but for rounding, each search may find another.
                if found.words != expected.words {
                    let ids = |heard: &Hypothesis| -> Vec<_> {
                        heard.words.iter().map(|word| word.id).collect()
                    };
                    let graph = case.graph();
                    let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
                    let lattice = decoder.lattice(&case.scores, &mut Scratch::new()).unwrap();
                    let ways = lattice.paths().n_best(20);
                    let way = ways.iter().find(|way| ids(way) == ids(&expected));
                    let extra = way.map(|way| way.cost.0 - found.cost.0);
                    prop_assert!(extra.is_some_and(|extra| extra < 1e-4), "{extra:?}");
                }
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
            Pruning { global_beam: Cost(beam), ..Pruning::OFF },
            Pruning { global_top_n: n, ..Pruning::OFF },
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
    let spans: Vec<_> = found.words.iter().map(|w| (w.id.0, w.start, w.end)).collect();
    assert_eq!(spans, [(5, 0, 2), (6, 2, 4)]);
    assert!(found.reached_final);
    assert!((found.cost.0 - 2.5).abs() < 1e-6);
    assert_eq!(found.words[1].seconds(crate::units::Seconds(0.03)).0.0, 0.06);
}

#[test]
fn no_frames_give_no_words() {
    let case = Case { scores: Array2::zeros((0, 2)), ..chain() };
    let found = decode(&case, Pruning::default()).unwrap();
    assert_eq!((found.words.len(), found.reached_final, found.frames), (0, false, 0));
}

#[test]
fn no_final_state_in_reach_gives_the_best_token() {
    let case = Case { finals: vec![], ..chain() };
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
        assert!(matches!(error, DecodeError::BadScore { frame: 2, pdf: 1, .. }), "{error}");
    }
}

#[test]
fn a_frame_that_rules_every_arc_out_is_a_dead_end() {
    let mut case = chain();
    case.scores.row_mut(1).fill(f32::NEG_INFINITY);
    assert_eq!(decode(&case, Pruning::OFF), Err(DecodeError::DeadEnd { frame: 1 }));
    let case = Case { arcs: chain().arcs[..1].to_vec(), ..chain() };
    assert_eq!(decode(&case, Pruning::OFF), Err(DecodeError::DeadEnd { frame: 1 }));
}

#[test]
fn mistakes_of_the_caller_are_told() {
    let case = Case { scores: Array2::zeros((3, 1)), ..chain() };
    let error = decode(&case, Pruning::OFF).unwrap_err();
    assert_eq!(error, DecodeError::PdfMismatch { graph: 2, scores: 1 });
    let pruning = Pruning { network_beam: Cost(f32::NAN), ..Pruning::OFF };
    assert!(matches!(decode(&chain(), pruning), Err(DecodeError::BadPruning { .. })));
    let mut case = chain();
    case.arcs.push((1, None, 0, -1.0, 1));
    let error = decode(&case, Pruning::OFF).unwrap_err();
    assert_eq!(error, DecodeError::NegativeLoop { frame: 1 });
}
