//! The search against its slow twin, on random graphs and random scores.

use std::sync::atomic::{AtomicU64, Ordering};

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
    ) {
        let graph = case.graph();
        let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
        let Ok(lattice) = decoder.lattice(&case.scores, &mut Scratch::new()) else {
            return Ok(());
        };
        let paths = lattice.paths();
        let Some(every) = every_path(&paths) else { return Ok(()); };
        let mut cheapest = std::collections::BTreeMap::new();
        for (words, cost, _) in &every {
            let held = cheapest.entry(words.clone()).or_insert(*cost);
            *held = cost.min(*held);
        }
        let mut costs: Vec<f64> = cheapest.values().copied().collect();
        costs.sort_by(f64::total_cmp);
        costs.truncate(count);
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
            let own: Vec<_> = best.words.iter().map(|word| word.id).collect();
            let placed = paths.nearest(&own).unwrap();
            prop_assert!((placed.cost.0 - best.cost.0).abs() < 1e-3);
            prop_assert!(placed.words.iter().map(|word| word.id).eq(own));
        }
    }

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

/// Scores of a long utterance that somebody cancels while a frame of it is read, which may be a
/// frame ahead.
struct Interrupted {
    cancel: Cancel,
    at: usize,
    /// Frames begun when it was cancelled.
    begun: AtomicU64,
    row: [f32; PDFS],
}

impl Scorer for Interrupted {
    fn num_frames(&self) -> usize {
        10_000
    }

    fn num_pdfs(&self) -> usize {
        PDFS
    }

    fn frame(&self, frame: usize) -> &[f32] {
        if frame == self.at && !self.cancel.is_cancelled() {
            let begun = std::thread::scope(|scope| scope.spawn(|| self.cancel.cancel()).join());
            self.begun.store(begun.unwrap(), Ordering::Relaxed);
        }
        &self.row
    }
}

fn cancelled_by(cancel: &Cancel) -> Scratch {
    Scratch { cancel: Some(cancel.clone()), ..Scratch::new() }
}

#[test]
fn a_search_cancelled_before_its_start_begins_no_frame() {
    let graph = chain().graph();
    let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
    let cancelled = Cancel::new();
    assert_eq!(cancelled.cancel(), 0);
    for cancel in [cancelled, Cancel::at(Some(std::time::Instant::now()))] {
        let mut scratch = cancelled_by(&cancel);
        let stopped = decoder.decode(&chain().scores, &mut scratch).unwrap_err();
        assert_eq!(stopped, DecodeError::Cancelled { frame: 0 });
        let stopped = decoder.lattice(&chain().scores, &mut scratch).unwrap_err();
        assert_eq!(stopped, DecodeError::Cancelled { frame: 0 });
        assert_eq!(cancel.frames(), 0);
    }
}

#[test]
fn a_search_cancelled_by_another_thread_finishes_its_frame_and_no_other() {
    let graph = chain().graph();
    let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
    for at in [0, 1, 700, 9_999] {
        let (cancel, row) = (Cancel::new(), [0.0; PDFS]);
        let mut scratch = cancelled_by(&cancel);
        let begun = AtomicU64::new(0);
        let scores = Interrupted { cancel, at, begun, row };
        let stopped = decoder.decode(&scores, &mut scratch).unwrap_err();
        let begun = scores.begun.into_inner();
        let frame = begun as usize;
        assert!((at.max(1)..=at + 1).contains(&frame), "{frame}");
        assert_eq!(stopped, DecodeError::Cancelled { frame });
        assert_eq!(scores.cancel.frames(), begun);
    }
}

#[test]
fn a_search_that_runs_free_is_cancelled_within_two_frames() {
    let graph = chain().graph();
    let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
    let scores = Array2::zeros((2_000_000, PDFS));
    let cancel = Cancel::new();
    let begun = std::thread::scope(|scope| {
        let search = scope.spawn(|| decoder.decode(&scores, &mut cancelled_by(&cancel)));
        while cancel.frames() < 100 {
            std::hint::spin_loop();
        }
        let begun = cancel.cancel();
        let stopped = search.join().unwrap().unwrap_err();
        let frame = begun as usize;
        assert_eq!(stopped, DecodeError::Cancelled { frame });
        begun
    });
    assert_eq!(cancel.frames(), begun);
}

#[test]
fn a_token_that_stops_nothing_changes_nothing() {
    let graph = chain().graph();
    let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
    let cancel = Cancel::at(None);
    let free = decoder.decode(&chain().scores, &mut Scratch::new());
    let heard = decoder.decode(&chain().scores, &mut cancelled_by(&cancel));
    assert_eq!(heard, free);
    assert_eq!(cancel.frames(), 4);
}

/// What a stream says after all of a case's scores, cut at these frames.
fn stream_of(decoder: &Decoder<'_>, case: &Case, cuts: &[usize]) -> Result<SoFar, DecodeError> {
    let mut stream = decoder.stream()?;
    let mut from = 0;
    for &to in cuts.iter().chain([&case.scores.nrows()]) {
        let piece = case.scores.slice(ndarray::s![from..to, ..]).to_owned();
        let ahead = stream.so_far_with(&piece)?;
        stream.push(&piece)?;
        assert_eq!(stream.so_far(), ahead);
        from = to;
    }
    Ok(stream.so_far())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// However the scores are cut, and however often somebody asks, the search is the one of
    /// the whole; and no word that was agreed on is taken back.
    #[test]
    fn a_stream_hears_what_the_whole_says(
        case in cases(),
        cuts in prop::collection::vec(0usize..12, 0..4),
        beam in prop_oneof![Just(f32::INFINITY), 1.0f32..6.0],
        top_n in prop_oneof![Just(usize::MAX), 1usize..4],
    ) {
        let frames = case.scores.nrows();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (frames + 1)).collect();
        cuts.sort_unstable();
        let pruning = Pruning { network_beam: Cost(beam), global_top_n: top_n, ..Pruning::OFF };
        let graph = case.graph();
        let decoder = Decoder::new(&graph, pruning).unwrap();
        let whole = stream_of(&decoder, &case, &[]);
        prop_assert_eq!(&stream_of(&decoder, &case, &cuts), &whole);
        let decoded = decoder.decode(&case.scores, &mut Scratch::new());
        match (decoded, whole) {
            (Ok(decoded), Ok(whole)) => {
                prop_assert_eq!(whole.end_margin.0 < f32::INFINITY, decoded.reached_final);
                if !decoded.reached_final {
                    prop_assert_eq!(&decoded.words, &whole.words);
                }
                let ids = |words: &[Word]| -> Vec<_> { words.iter().map(|word| word.id).collect() };
                let kept = ids(&whole.words[..whole.agreed]);
                for &cut in &cuts {
                    let mut part = case.clone();
                    part.scores = case.scores.slice(ndarray::s![..cut, ..]).to_owned();
                    let part = stream_of(&decoder, &part, &[]).unwrap();
                    let agreed = ids(&part.words[..part.agreed]);
                    prop_assert_eq!(&ids(&whole.words)[..agreed.len()], &agreed[..]);
                    prop_assert!(agreed.len() <= kept.len());
                }
                prop_assert!(decoded.words.len() >= kept.len());
                prop_assert_eq!(&ids(&decoded.words)[..kept.len()], &kept[..]);
            }
            (decoded, whole) => prop_assert_eq!(decoded.err(), whole.err()),
        }
    }
}

#[test]
fn a_stream_knows_words_silence_and_ends() {
    let mut case = chain();
    case.arcs.push((2, Some(2), WORD_END, 0.5, 2));
    case.scores = ndarray::arr2(&[
        [0.0, -9.0, -9.0],
        [-9.0, 0.0, -9.0],
        [-9.0, -9.0, 0.0],
        [-9.0, -9.0, 0.0],
    ]);
    let graph = case.graph();
    let pruning = Pruning { network_beam: Cost(4.0), ..Pruning::OFF };
    let mut stream = Decoder::new(&graph, pruning).unwrap().stream().unwrap();
    let mut seen = Vec::new();
    for frame in 0..4 {
        let so_far = stream.so_far();
        seen.push((so_far.words.len(), so_far.agreed, so_far.silence, so_far.end_margin.0));
        let row = case.scores.slice(ndarray::s![frame..frame + 1, ..]).to_owned();
        stream.push(&row).unwrap();
    }
    let none = f32::INFINITY;
    assert_eq!(seen, [(0, 0, 0, none), (1, 1, 0, none), (2, 2, 0, 1.0), (2, 2, 1, 1.0)]);
    stream.restart().unwrap();
    assert_eq!(stream.so_far().frames, 0);
}
