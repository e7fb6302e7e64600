//! Posteriors and risk against every path, one by one.

use proptest::prelude::*;

use std::convert::Infallible;

use super::mbr::risk;
use super::posteriors::posteriors;
use crate::decode::tests::{cases_without_loops, every_path};
use crate::decode::{Decoder, Pruning, Scratch};
use crate::units::WordId;

/// The plain recursion.
fn distance(a: &[u32], b: &[u32]) -> f64 {
    match (a, b) {
        ([], rest) | (rest, []) => rest.len() as f64,
        ([x, a_rest @ ..], [y, b_rest @ ..]) => {
            let matched = distance(a_rest, b_rest) + f64::from(u8::from(x != y));
            let gap = distance(a_rest, b).min(distance(a, b_rest)) + 1.0;
            matched.min(gap)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn sums_over_paths(case in cases_without_loops(), scale in 0.2f64..1.5) {
        let graph = case.graph();
        let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
        let Ok(lattice) = decoder.lattice(&case.scores, &mut Scratch::new()) else {
            return Ok(());
        };
        let paths = lattice.paths();
        let Some(every) = every_path(&paths) else { return Ok(()); };
        let found = posteriors(&paths, scale);
        let best = paths.best_cost().0;
        let weight = |cost: f64| (scale * (best - cost)).exp();
        let total: f64 = every.iter().map(|(_, cost, _)| weight(*cost)).sum();

        // The probability of each edge, from its arrivals backward.
        let mut node = vec![0.0; paths.num_nodes()];
        for ((end, _), p) in paths.finals().zip(&found.ending) {
            node[end as usize] += p;
        }
        for (edge, arrival) in paths.all_edges().iter().zip(&found.arrival).rev() {
            let p = node[edge.next as usize] * arrival;
            node[edge.from as usize] += p;
            let through = every.iter().filter(|(_, _, edges)| edges.contains(edge));
            let expected: f64 = through.map(|(_, cost, _)| weight(*cost)).sum();
            prop_assert!((p - expected / total).abs() < 1e-4, "{p} {}", expected / total);
        }

        let heard: Vec<WordId> = paths.best().words.iter().map(|word| word.id).collect();
        let plain: Vec<u32> = heard.iter().map(|word| word.0).collect();
        let Ok(risk) = risk(&paths, &found, &heard, || Ok::<(), Infallible>(()));
        let mean = |of: &dyn Fn(&[u32]) -> f64| {
            every.iter().map(|(words, cost, _)| weight(*cost) * of(words)).sum::<f64>() / total
        };
        let errors = mean(&|words| distance(words, &plain));
        let sequence = mean(&|words| f64::from(u8::from(words == plain)));
        prop_assert!(risk.errors >= errors - 1e-3, "{} {errors}", risk.errors);
        prop_assert!((risk.sequence - sequence).abs() < 1e-3);
        prop_assert_eq!(risk.words.len(), heard.len());
        for &word in &risk.words {
            prop_assert!((0.0..=1.0).contains(&word) && word >= sequence - 1e-3);
        }
    }
}
