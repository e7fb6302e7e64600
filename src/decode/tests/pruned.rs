//! What each pruning drops and keeps.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// A limit that is on and drops nothing follows branches and finds the same.
    #[test]
    fn branches_that_compete_without_loss_change_nothing(case in cases()) {
        let exact = decode(&case, Pruning::OFF);
        let on = Pruning { global_beam: Cost(1e30), ..Pruning::OFF };
        prop_assert_eq!(decode(&case, on), exact);
    }

    /// A search for words and one for a lattice follow the same branches, so that they prune alike.
    #[test]
    fn both_recorders_follow_the_same_branches(
        case in cases(), global_top_n in 1usize..4, beam in 0.5f32..9.0,
    ) {
        let pruning = Pruning { global_top_n, global_beam: Cost(beam), ..Pruning::OFF };
        let graph = case.graph();
        let decoder = Decoder::new(&graph, pruning).unwrap();
        let words = decoder.decode(&case.scores, &mut Scratch::new());
        let lattice = decoder.lattice(&case.scores, &mut Scratch::new());
        prop_assert_eq!(words.is_ok(), lattice.is_ok());
        if let (Ok(words), Ok(lattice)) = (words, lattice) {
            prop_assert_eq!(words.effort, lattice.effort());
        }
    }
}

/// From the start, word 6 costs 2 more than word 5 but ends cheaper: a local beam of 1 drops it.
#[test]
fn a_local_beam_drops_a_token_s_worse_expansions() {
    let mut case = chain();
    case.arcs = vec![
        (0, Some(0), 5, 0.0, 1),
        (0, Some(0), 6, 2.0, 2),
        (1, Some(0), 0, 0.0, 1),
        (2, Some(0), 0, 0.0, 2),
    ];
    case.finals = vec![(1, 9.0), (2, 0.0)];
    for (beam, word) in [(1.0, 5), (2.5, 6)] {
        let local_beam = Cost(beam);
        let found = decode(&case, Pruning { local_beam, ..Pruning::OFF }).unwrap();
        assert_eq!(found.words[0].id.0, word, "local beam {beam}");
        assert_eq!(found.effort.dropped[Knob::LocalBeam] > 0, word == 5);
    }
}

/// Two words compete at every frame; with one token a branch, each word keeps its best.
#[test]
fn a_branch_is_all_tokens_with_the_same_last_word() {
    let mut case = chain();
    case.arcs = vec![
        (0, Some(0), 5, 0.0, 1),
        (0, Some(0), 6, 0.1, 2),
        (1, Some(0), 0, 0.0, 1),
        (1, Some(0), 0, 3.0, 3),
        (2, Some(0), 0, 0.0, 2),
        (2, Some(0), 0, 3.0, 3),
    ];
    case.states = 4;
    case.finals = vec![(2, 0.0), (3, 0.0)];
    let pruning = Pruning { global_top_n: 1, ..Pruning::OFF };
    let found = decode(&case, pruning).unwrap();
    assert_eq!(found.words[0].id.0, 6, "the better word's token is kept beside the best");
    assert!(
        found.effort.dropped[Knob::GlobalTopN] > 0 && found.effort.dropped[Knob::GlobalBeam] == 0
    );
    let network = Pruning { network_top_n: 1, ..Pruning::OFF };
    let found = decode(&case, network).unwrap();
    assert_eq!(found.words[0].id.0, 5, "all tokens compete with all");
}
