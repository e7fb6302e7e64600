//! Each word sequence of a lattice once.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// By word sequence: the cost of its cheapest path, and the graph's part of it.
fn cheapest(lattice: &Lattice, every: &[Walked]) -> BTreeMap<Vec<u32>, (f64, f64)> {
    let mut found = BTreeMap::new();
    for (words, cost, edges) in every {
        let graph = edges.iter().map(|edge| f64::from(lattice.arc(edge.arc).graph.0));
        let graph = graph.sum::<f64>();
        let held = found.entry(words.clone()).or_insert((f64::INFINITY, 0.0));
        if *cost < held.0 {
            *held = (*cost, graph);
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn every_word_sequence_within_the_beam_is_there_once_at_its_least_cost(
        mut case in cases_without_loops().prop_map(of_few_words),
        beam in prop_oneof![Just(f32::INFINITY), 0.5f32..8.0],
        scale in 0.5f32..1.5,
    ) {
        case.finals.iter_mut().for_each(|end| end.1 = 0.0);
        let graph = case.graph();
        let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
        let Ok(lattice) = decoder.lattice(&case.scores, &mut Scratch::new()) else {
            return Ok(());
        };
        let Some(every) = every_path(&lattice.paths()) else { return Ok(()); };
        let expected = cheapest(&lattice, &every);
        let best = lattice.paths().best_cost().0;

        let paths = lattice.determinized(Cost(beam), scale);
        for node in 0..paths.num_nodes() as u32 {
            let words: BTreeSet<u32> = paths.edges(node).iter().map(|e| paths.word(e).0).collect();
            prop_assert_eq!(words.len(), paths.edges(node).len());
            prop_assert!(!words.contains(&0) && paths.edges(node).iter().all(|e| e.next > node));
        }
        let found = every_path(&paths).expect("fewer paths than the lattice has");
        let mut seen = BTreeSet::new();
        for (words, cost, _) in found {
            let (all, graph) = expected[&words];
            let scaled = all + graph * (f64::from(scale) - 1.0);
            prop_assert!((cost - scaled).abs() < 0.02, "{words:?}: {cost} {scaled}");
            prop_assert!(seen.insert(words));
        }
        for (words, (all, _)) in expected {
            prop_assert!(seen.contains(&words) || all > best + f64::from(beam) - 0.01, "{words:?}");
        }
    }
}
