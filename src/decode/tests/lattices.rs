//! Lattices, their paths and their rescoring against every path of small graphs.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_lattice_holds_the_best_path(case in cases(), beam in 0.0f32..12.0, network in 1.0f32..30.0) {
        let graph = case.graph();
        let (lattice_beam, network_beam) = (Cost(beam), Cost(network));
        let pruning = Pruning { lattice_beam, network_beam, ..Pruning::OFF };
        let decoder = Decoder::new(&graph, pruning).unwrap();
        let mut scratch = Scratch::new();
        let Ok(expected) = decoder.decode(&case.scores, &mut scratch) else {
            return Ok(());
        };
        let lattice = decoder.lattice(&case.scores, &mut scratch).unwrap();
        let found = lattice.best_path();
        prop_assert!((found.cost.0 - expected.cost.0).abs() < 1e-4, "{found:?} {expected:?}");
        prop_assert_eq!(&found.words, &expected.words);
        prop_assert_eq!(found.reached_final, expected.reached_final);
        prop_assert_eq!(lattice.num_frames(), expected.frames);
        for node in 0..lattice.num_nodes() as u32 {
            prop_assert!(lattice.arcs(node).iter().all(|arc| arc.next > node));
        }
    }

    #[test]
    fn unpruned_rescoring_is_the_best_of_all_paths(case in cases_without_loops()) {
        let graph = case.graph();
        let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
        let Ok(lattice) = decoder.lattice(&case.scores, &mut Scratch::new()) else {
            return Ok(());
        };
        let (small, large) = (Toy(3), Toy(7));
        let how = Rescoring { small: &small, large: &large, scale: 0.8, histories: usize::MAX, cancel: None };
        let found = lattice.rescored(&how).unwrap().best();
        let mut every = EveryPath { graph: &graph, case: &case, how, best: f64::INFINITY };
        let state = (graph.start(), small.start(), large.start());
        every.walk(0, state, 0.0, lattice.reached_final());
        prop_assert!((found.cost.0 - every.best).abs() < 1e-3, "{} {}", found.cost.0, every.best);
    }
}

/// The plain table.
fn edit_distance(a: &[u32], b: &[u32]) -> u32 {
    let mut row: Vec<u32> = (0..=b.len() as u32).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i as u32 + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + u32::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// The best few, and the nearest to a word sequence, by looking at every path.
    #[test]
    fn the_best_few_and_the_nearest(
        case in cases_without_loops(),
        reference in prop::collection::vec(1u32..50, 0..4),
        count in 1usize..6,
        beam in 0.1f32..8.0,
    ) {
        let graph = case.graph();
        let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
        let Ok(lattice) = decoder.lattice(&case.scores, &mut Scratch::new()) else {
            return Ok(());
        };
        let paths = lattice.paths();
        let Some(every) = every_path(&paths) else { return Ok(()); };
        let cheapest = cheapest_of(&every);
        let mut costs: Vec<f64> = cheapest.values().copied().collect();
        costs.sort_by(f64::total_cmp);
        costs.truncate(count);
        let near = paths.n_best_within(count, Cost(beam));
        let limit = costs.first().map_or(0.0, |best| best + f64::from(beam));
        let within = costs.iter().filter(|cost| **cost <= limit);
        prop_assert!(near.len().abs_diff(within.count()) <= usize::from(
            costs.iter().any(|cost| (cost - limit).abs() < 1e-3)));
        prop_assert!(near.iter().zip(&costs).all(|(found, cost)| (found.cost.0 - cost).abs() < 1e-3));
        let found = paths.n_best(count);
        prop_assert_eq!(found.len(), costs.len());
        for (found, cost) in found.iter().zip(costs) {
            let words: Vec<u32> = found.words.iter().map(|word| word.id.0).collect();
            prop_assert!((found.cost.0 - cost).abs() < 1e-3, "{} {cost}", found.cost.0);
            prop_assert!((cheapest[&words] - cost).abs() < 1e-3);
        }
        let ids: Vec<_> = reference.iter().map(|&word| crate::units::WordId(word)).collect();
        let nearest = cheapest.keys().map(|words| edit_distance(words, &reference)).min();
        prop_assert_eq!(paths.least_errors(&ids), nearest);

        let near = |words: &Vec<u32>| edit_distance(words, &reference);
        let of_least = cheapest.iter().filter(|(words, _)| Some(near(words)) == nearest);
        let least = of_least.map(|(_, cost)| *cost).fold(f64::INFINITY, f64::min);
        let Some(placed) = paths.nearest(&ids) else {
            prop_assert!(every.is_empty());
            return Ok(());
        };
        prop_assert!((placed.cost.0 - least).abs() < 1e-3, "{} {least}", placed.cost.0);
        prop_assert!(placed.words.iter().map(|word| word.id).eq(ids));
        prop_assert!(placed.words.iter().all(|word| word.start <= word.end));
        // Words of a path lie where the path has them.
        for best in &found {
            let own = best.word_ids();
            let placed = paths.nearest(&own).unwrap();
            prop_assert!((placed.cost.0 - best.cost.0).abs() < 1e-3);
            prop_assert!(placed.words.iter().map(|word| word.id).eq(own));
        }
    }
}

#[test]
fn backward_pruning_keeps_the_best_path_of_a_long_utterance() {
    let scores = Array2::from_shape_fn((400, 2), |(frame, pdf)| {
        ((frame * 7 + pdf * 3) % 11) as f32 * -0.3
            - if (frame > 150) == (pdf == 1) { 0.0 } else { 1.0 }
    });
    let mut case = Case { scores, ..chain() };
    case.arcs.push((2, None, 0, 0.1, 0));
    let graph = case.graph();
    let decoder =
        Decoder::new(&graph, Pruning { lattice_beam: Cost(2.0), ..Pruning::OFF }).unwrap();
    let mut scratch = Scratch::new();
    let expected = decoder.decode(&case.scores, &mut scratch).unwrap();
    let lattice = decoder.lattice(&case.scores, &mut scratch).unwrap();
    let found = lattice.best_path();
    assert_eq!(found.words, expected.words);
    assert!((found.cost.0 - expected.cost.0).abs() < 1e-3);
    assert!(lattice.num_nodes() < 1200, "{}", lattice.num_nodes());
}

/// A model that knows the last word and prices words by a fixed scramble.
struct Toy(u32);

impl LanguageModel for Toy {
    type State = u32;

    fn start(&self) -> u32 {
        0
    }

    fn step(&self, state: u32, word: crate::units::WordId) -> (u32, Cost) {
        (word.0, Cost(((state * 31 + word.0 * 17) * self.0 % 101) as f32 / 20.0))
    }

    fn end(&self, state: u32) -> Cost {
        Cost((state * self.0 % 13) as f32 / 10.0)
    }
}

/// Walks every path of a graph.
struct EveryPath<'a> {
    graph: &'a Graph,
    case: &'a Case,
    how: Rescoring<'a, Toy, Toy>,
    best: f64,
}

impl EveryPath<'_> {
    fn walk(&mut self, frame: usize, at: (StateId, u32, u32), cost: f64, to_final: bool) {
        let (state, small, large) = at;
        let scale = f64::from(self.how.scale);
        if frame == self.case.scores.nrows() {
            let ends = f64::from(self.graph.final_cost(state).0)
                - f64::from(self.how.small.end(small).0)
                + scale * f64::from(self.how.large.end(large).0);
            self.best = self.best.min(cost + if to_final { ends } else { 0.0 });
        }
        let arcs: Vec<_> =
            self.graph.emitting_arcs(state).chain(self.graph.epsilon_arcs(state)).collect();
        for arc in arcs {
            let (mut next, mut own) = ((arc.next, small, large), f64::from(arc.cost.0));
            if arc.word().0 != 0 {
                let (small, removed) = self.how.small.step(small, arc.word());
                let (large, added) = self.how.large.step(large, arc.word());
                own += scale * f64::from(added.0) - f64::from(removed.0);
                next = (arc.next, small, large);
            }
            match arc.pdf {
                None => self.walk(frame, next, cost + own, to_final),
                Some(pdf) if frame < self.case.scores.nrows() => {
                    let score = f64::from(self.case.scores[[frame, pdf.index()]]);
                    self.walk(frame + 1, next, cost + own - score, to_final);
                }
                Some(_) => {}
            }
        }
    }
}
