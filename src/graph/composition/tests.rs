//! The composition against pairing each path of the one with each of the other.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::compose;
use crate::graph::openfst::{Automaton, LookAhead};
use crate::graph::written::{Arc, Context, Fst, ngram};
use crate::graph::{Graph, GraphError, WORD_END};
use crate::units::PdfId;

/// Most arcs of the lexicon in a path that is looked at.
const LONGEST: usize = 5;

/// What is read and put out.
type Labels = (Vec<u32>, Vec<u32>);
/// The costs of the paths of all labels, ascending.
type Paths = BTreeMap<Labels, Vec<f64>>;

/// Walks an automaton: each path of so many reading arcs at most that ends.
struct Walk<'a> {
    automaton: &'a Automaton,
    longest: usize,
    found: Paths,
}

impl Walk<'_> {
    fn paths(automaton: &Automaton, longest: usize) -> Paths {
        let mut walk = Walk { automaton, longest, found: Paths::new() };
        walk.from(automaton.start(), &mut Labels::default(), 0.0);
        walk.found.values_mut().for_each(|costs| costs.sort_by(f64::total_cmp));
        walk.found
    }

    fn from(&mut self, state: u32, said: &mut Labels, cost: f64) {
        let ending = self.automaton.final_cost(state);
        if ending.is_finite() {
            self.found.entry(said.clone()).or_default().push(cost + f64::from(ending));
        }
        for arc in self.automaton.row(state) {
            let before = (said.0.len(), said.1.len());
            said.0.extend((arc.input != 0).then_some(arc.input));
            said.1.extend((arc.output != 0).then_some(arc.output));
            if said.0.len() <= self.longest {
                self.from(arc.next, said, cost + f64::from(arc.cost));
            }
            said.0.truncate(before.0);
            said.1.truncate(before.1);
        }
    }
}

/// Each path of the lexicon with each of the language model that reads what it puts out.
fn paired(lexicon: &Automaton, language: &Automaton) -> Paths {
    let ours = Walk::paths(lexicon, LONGEST);
    let theirs = Walk::paths(language, LONGEST);
    let mut found = Paths::new();
    for ((inputs, words), costs) in &ours {
        for ((_, outputs), others) in theirs.iter().filter(|((read, _), _)| read == words) {
            let both = costs.iter().flat_map(|one| others.iter().map(move |other| one + other));
            found.entry((inputs.clone(), outputs.clone())).or_default().extend(both);
        }
    }
    found.values_mut().for_each(|costs| costs.sort_by(f64::total_cmp));
    found
}

fn assert_same(found: &Paths, expected: &Paths) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (labels, costs) in found {
        let expected = &expected[labels];
        assert_eq!(costs.len(), expected.len(), "paths of {labels:?}");
        let differ = costs.iter().zip(expected).any(|(one, other)| (one - other).abs() > 1e-4);
        assert!(!differ, "{labels:?}: {costs:?}, not {expected:?}");
    }
}

fn cost() -> impl Strategy<Value = f32> {
    (0..40u32).prop_map(|steps| steps as f32 / 8.0)
}

fn ending() -> impl Strategy<Value = f32> {
    prop_oneof![Just(f32::INFINITY), cost()]
}

/// A lexicon of words 1 to 5, with loops and words that end alike.
fn lexicon() -> impl Strategy<Value = Fst> {
    (2..6usize).prop_flat_map(|states| {
        let output = prop_oneof![2 => Just(0u32), 3 => 1..6u32];
        let arc = (1..4u32, output, cost(), 0..states as u32);
        let state = (ending(), vec(arc, 0..4));
        vec(state, states).prop_map(|states| Fst { start: 0, states })
    })
}

/// A language model whose states back off to earlier ones.
fn language() -> impl Strategy<Value = Fst> {
    (1..5usize).prop_flat_map(|states| {
        let word = (1..6u32, prop_oneof![Just(0u32), 1..6u32], cost(), 0..states as u32);
        let state = (ending(), vec(word, 0..4), any::<u32>(), cost(), any::<bool>());
        vec(state, states).prop_map(|states| {
            let row = |(at, (ending, mut words, to, cost, backs)): (
                u32,
                (f32, Vec<Arc>, u32, f32, bool),
            )| {
                if at > 0 && backs {
                    words.push((0, 0, cost, to % at));
                }
                words.sort_by_key(|arc| arc.0);
                (ending, words)
            };
            let start = states.len() as u32 - 1;
            Fst { start, states: (0..).zip(states).map(row).collect() }
        })
    })
}

fn read(lexicon: &Fst, language: &Fst) -> (LookAhead, Automaton) {
    let lexicon = LookAhead::read(&lexicon.look_ahead()[..]).unwrap();
    (lexicon, Automaton::read(&language.constant()[..]).unwrap().0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_paths_are_those_of_both(lexicon in lexicon(), language in language()) {
        let (lexicon, language) = read(&lexicon, &language);
        let composed = match compose(&lexicon, &language, &[]) {
            Ok(composed) => composed,
            Err(GraphError::NoPath) => {
                prop_assert!(paired(&lexicon.automaton, &language).is_empty());
                return Ok(());
            }
            Err(other) => panic!("{other}"),
        };
        let found = Walk::paths(&composed, LONGEST);
        assert_same(&found, &paired(&lexicon.automaton, &language));
    }
}

/// Two words that begin alike and one that does not, with a loop between words.
fn small_lexicon() -> Fst {
    Fst {
        start: 0,
        states: vec![
            (0.0, vec![(9, 0, 0.1, 0), (1, 0, 0.5, 1), (2, 3, 0.5, 3)]),
            (f32::INFINITY, vec![(3, 1, 0.0, 2), (4, 2, 0.0, 3)]),
            (f32::INFINITY, vec![(5, 0, 0.25, 3)]),
            (f32::INFINITY, vec![(6, 0, 0.25, 0)]),
        ],
    }
}

fn small_language() -> Vec<u8> {
    let words = |words: &[(u32, f32)]| words.to_vec();
    let context = |parent, word, words| Context { parent, word, back_off: 0.5, ending: 1.0, words };
    ngram(
        &[
            context(0, u32::MAX, words(&[(1, 1.0), (2, 2.0), (3, 3.0)])),
            context(0, 0, words(&[(1, 0.5)])),
            context(0, 2, words(&[(3, 0.25)])),
        ],
        None,
    )
}

#[test]
fn an_ngram_is_composed_as_any_other() {
    let lexicon = LookAhead::read(&small_lexicon().look_ahead()[..]).unwrap();
    let language = Automaton::read(&small_language()[..]).unwrap().0;
    let composed = compose(&lexicon, &language, &[]).unwrap();
    let expected = paired(&lexicon.automaton, &language);
    assert!(expected.len() > 10);
    assert_same(&Walk::paths(&composed, LONGEST), &expected);
}

#[test]
fn silent_labels_read_nothing_and_marks_lie_beside_words() {
    let lexicon = LookAhead::read(&small_lexicon().look_ahead()[..]).unwrap();
    let language = Automaton::read(&small_language()[..]).unwrap().0;
    let meaning = |label: u32| match label {
        6 => Some((PdfId(6), WORD_END)),
        1..=5 => Some((PdfId(label - 1), 0)),
        _ => None,
    };
    let graph = Graph::composed(&lexicon, &language, &[9], meaning).unwrap();
    let arcs = || graph.states().flat_map(|state| graph.emitting_arcs(state));
    assert!(arcs().all(|arc| (arc.label == WORD_END) == (arc.pdf == Some(PdfId(6)))));
    assert!(arcs().any(|arc| arc.label == WORD_END));
    assert_eq!(graph.largest_word().0, 3);
    let refused = Graph::composed(&lexicon, &language, &[], meaning).unwrap_err().to_string();
    assert!(refused.contains("label 9"), "{refused}");
    let many = |label: u32| Some((PdfId(8000 + 100 * label), 0));
    let refused = Graph::composed(&lexicon, &language, &[], many).unwrap_err();
    assert!(matches!(refused, GraphError::TooLarge { what: "pdfs", .. }), "{refused}");
}

#[test]
fn what_has_no_path_in_common_is_refused() {
    let lexicon = LookAhead::read(&small_lexicon().look_ahead()[..]).unwrap();
    let other = Fst { start: 0, states: vec![(f32::INFINITY, vec![(7, 7, 0.0, 0)])] };
    let other = Automaton::read(&other.constant()[..]).unwrap().0;
    assert!(matches!(compose(&lexicon, &other, &[]), Err(GraphError::NoPath)));
}
