//! Posteriors and risk against every path, one by one.

use proptest::prelude::*;

use std::convert::Infallible;

use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::least_risk::{LeastRisk, least_risk};
use super::mbr::risk;
use super::n_best_risk;
use super::posteriors::posteriors;
use crate::decode::tests::{Case, cases_without_loops, cheapest_of, every_path, of_few_words};
use crate::decode::{Decoder, PathGraph, Pruning, Scratch};
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

        let heard = paths.best().word_ids();
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

    /// Every word sequence once, at its cheapest path.
    #[test]
    fn risks_are_means_over_word_sequences(
        case in cases_without_loops(),
        other in prop::collection::vec(1u32..4, 0..4),
    ) {
        let graph = of_few_words(case.clone()).graph();
        let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
        let Ok(lattice) = decoder.lattice(&case.scores, &mut Scratch::new()) else {
            return Ok(());
        };
        let paths = lattice.paths();
        let Some(every) = every_path(&paths) else { return Ok(()); };
        let cheapest = cheapest_of(&every);
        let list = paths.n_best(cheapest.len());
        let best = paths.best_cost().0;
        let total: f64 = cheapest.values().map(|cost| (best - cost).exp()).sum();
        let mean = |of: &dyn Fn(&[u32]) -> f64| {
            let shares = cheapest.iter().map(|(words, cost)| (best - cost).exp() * of(words));
            shares.sum::<f64>() / total
        };
        let heard: Vec<u32> = paths.best().words.iter().map(|word| word.id.0).collect();
        for heard in [&heard, &other] {
            let ids: Vec<WordId> = heard.iter().map(|&word| WordId(word)).collect();
            let risk = n_best_risk::risk(&list, &ids);
            let errors = mean(&|words| distance(words, heard));
            let sequence = mean(&|words| f64::from(u8::from(words == heard.as_slice())));
            prop_assert!((risk.errors - errors).abs() < 1e-3, "{} {errors}", risk.errors);
            prop_assert!((risk.sequence - sequence).abs() < 1e-3);
            prop_assert_eq!(risk.words.len(), heard.len());
            for (at, &word) in risk.words.iter().enumerate() {
                let said = mean(&|words| f64::from(u8::from(words.contains(&heard[at]))));
                prop_assert!((0.0..=1.0).contains(&word), "{word}");
                prop_assert!(word >= sequence - 1e-3 && word <= said + 1e-3);
            }
        }
    }
}

/// All sequences of up to so many of three words.
fn sequences(longest: usize) -> Vec<Vec<u32>> {
    let mut all = vec![vec![]];
    let mut begin = 0;
    for _ in 0..longest {
        let end = all.len();
        for at in begin..end {
            let longer = (1..=3).map(|word| [all[at].clone(), vec![word]].concat());
            let longer: Vec<_> = longer.collect();
            all.extend(longer);
        }
        begin = end;
    }
    all
}

fn decided(paths: &PathGraph<'_>) -> LeastRisk {
    let best = paths.best().word_ids();
    let Ok(chosen) = least_risk(paths, &posteriors(paths, 1.0), &best, || Ok::<(), Infallible>(()));
    chosen
}

/// How the decision by the recursion compares with trying every sequence of words.
fn against_every_sequence(case: &Case) -> Option<bool> {
    let graph = case.graph();
    let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
    let lattice = decoder.lattice(&case.scores, &mut Scratch::new()).ok()?;
    let paths = lattice.paths();
    let every = every_path(&paths).filter(|every| every.len() > 1)?;
    let lowest = paths.best_cost().0;
    let weigh = |cost: f64| (lowest - cost).exp();
    let total: f64 = every.iter().map(|(_, cost, _)| weigh(*cost)).sum();
    let expected = |words: &[u32]| -> f64 {
        let each = every.iter().map(|(said, cost, _)| weigh(*cost) * distance(said, words));
        each.sum::<f64>() / total
    };
    let chosen = decided(&paths);
    let words: Vec<u32> = chosen.words.iter().map(|word| word.0).collect();
    let found = expected(&words);
    assert!(chosen.errors >= found - 1e-3, "{} {found}", chosen.errors);
    assert_eq!(chosen.posteriors.len(), words.len());
    assert!(chosen.posteriors.iter().all(|p| (0.0..=1.0).contains(p)));
    // The bound of the words that it began with is not passed.
    let begin = paths.best().word_ids();
    let Ok(risk) = risk(&paths, &posteriors(&paths, 1.0), &begin, || Ok::<(), Infallible>(()));
    assert!(chosen.errors <= risk.errors + 1e-3, "{} {}", chosen.errors, risk.errors);
    let least = sequences(4).iter().map(|words| expected(words)).fold(f64::INFINITY, f64::min);
    assert!(words.len() > 4 || found >= least - 1e-6);
    Some(found <= least + 1e-3)
}

#[test]
fn the_words_of_least_risk_are_those_that_trying_all_finds() {
    let mut runner = TestRunner::deterministic();
    let (mut same, mut all) = (0, 0);
    for _ in 0..2000 {
        let case = cases_without_loops().new_tree(&mut runner).unwrap().current();
        if let Some(is_least) = against_every_sequence(&of_few_words(case)) {
            all += 1;
            same += u32::from(is_least);
        }
    }
    // It improves the words one by one, so that it may end beside the best.
    assert!(all > 100 && 100 * same >= 97 * all, "{same} of {all}");
}

#[test]
fn a_word_that_most_paths_have_wins_over_the_best_path() {
    // "1 2" with a probability of 0.4, "1 3" and "4 3" with 0.3 each.
    let arc =
        |(from, word, share, to): (u32, u32, f32, u32)| (from, Some(0), word, -share.ln(), to);
    let shares = [
        (0, 1, 0.7, 1),
        (0, 4, 0.3, 2),
        (1, 2, 4.0 / 7.0, 3),
        (1, 3, 3.0 / 7.0, 3),
        (2, 3, 1.0, 3),
    ];
    let case = Case {
        states: 4,
        arcs: shares.map(arc).to_vec(),
        finals: vec![(3, 0.0)],
        scores: ndarray::array![[0.0], [0.0]],
    };
    let graph = case.graph();
    let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
    let lattice = decoder.lattice(&case.scores, &mut Scratch::new()).unwrap();
    let paths = lattice.paths();
    assert_eq!(paths.best().words[1].id, WordId(2));
    let chosen = decided(&paths);
    assert_eq!(chosen.words, [WordId(1), WordId(3)]);
    for (found, expected) in chosen.posteriors.iter().zip([0.7, 0.6]) {
        assert!((found - expected).abs() < 1e-2, "{found} {expected}");
    }
    assert!((chosen.errors - 0.7).abs() < 1e-2, "{}", chosen.errors);
}
