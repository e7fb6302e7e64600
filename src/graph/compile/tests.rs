//! The compiler against its obvious twin on random small lexicons, models and topologies.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::literal::{END, LiteralModel, START, topology};
use super::oracle::{Plain, hclg};
use super::*;
use crate::graph::{WORD_MASK, WORD_START};
use crate::units::{PhoneId, StateId, WordId};

/// Everything a graph is made of.
#[derive(Debug)]
struct Case {
    topology: Topology,
    pronunciations: Vec<Pronunciation>,
    model: LiteralModel,
    options: CompileOptions,
    frames: Vec<Vec<f64>>,
}

const FIRST_WORD: u32 = 3;
const PHONES: u32 = 4;
const PDFS: u32 = 9;

/// A cost that fixed-point steps hold exactly.
pub(super) fn exact(range: std::ops::Range<i32>) -> impl Strategy<Value = f32> {
    range.prop_map(|x| x as f32 / 256.0)
}

pub(super) fn pronunciations() -> impl Strategy<Value = Vec<Pronunciation>> {
    let phones = prop::collection::vec((1..PHONES).prop_map(PhoneId), 1..4);
    let one =
        (FIRST_WORD..FIRST_WORD + 5, phones, exact(0..600)).prop_map(|(word, phones, cost)| {
            let cost = Steps::of(Cost(cost)).unwrap();
            Pronunciation { phones, word: WordId(word), cost }
        });
    prop::collection::vec(one, 1..9)
}

/// A trigram of which the oldest words have no pronunciation, so that skipping is seen.
pub(super) fn model() -> impl Strategy<Value = LiteralModel> {
    let word = FIRST_WORD..FIRST_WORD + 6;
    let words = prop::collection::vec(prop_oneof![4 => word, 1 => Just(END)], 2..4);
    let ngram = (any::<bool>(), words, exact(0..2000), exact(-300..1000));
    let unigrams = prop::collection::vec((exact(0..2000), exact(-300..1000)), 8);
    (unigrams, prop::collection::vec(ngram, 0..14)).prop_map(|(unigrams, ngrams)| {
        let mut table = BTreeMap::new();
        for (i, costs) in unigrams.into_iter().enumerate() {
            table.insert(vec![i as u32 + 1], costs);
        }
        for (initial, mut words, cost, backoff) in ngrams {
            if initial {
                words.insert(0, START);
                words.truncate(3);
            }
            let end = words.iter().position(|&w| w == END).map_or(words.len(), |at| at + 1);
            words.truncate(end);
            for length in 2..=words.len() {
                table.entry(words[..length].to_vec()).or_insert((cost, backoff));
            }
        }
        let rows: Vec<_> =
            table.into_iter().map(|(words, (cost, backoff))| (words, cost, backoff)).collect();
        LiteralModel::new(3, &rows)
    })
}

fn case() -> impl Strategy<Value = Case> {
    let table = prop::collection::vec(0..PDFS, (PHONES * PHONES * 2) as usize);
    let options = (prop_oneof![Just(0.0f32), Just(0.5), Just(0.25)], exact(-200..400));
    let frame = prop::collection::vec(0.0..8.0f64, PDFS as usize);
    let frames = prop::collection::vec(frame, 0..9);
    (table, pronunciations(), model(), options, frames).prop_map(
        |(table, pronunciations, model, options, frames)| {
            let pdf = |left, phone, arc| table[((left * PHONES + phone) * 2 + arc) as usize];
            let (silence_probability, penalty) = options;
            let word_penalty = Cost(penalty);
            Case {
                topology: topology(PHONES, PDFS as usize, pdf),
                pronunciations,
                model,
                options: CompileOptions { word_penalty, silence_probability },
                frames,
            }
        },
    )
}

impl Case {
    fn compile(&self) -> Graph {
        assemble(&self.topology, self.pronunciations.clone(), &self.model, &self.options).unwrap().0
    }

    /// The cheapest way to say a word, `None` if it has no pronunciation.
    fn pronunciation(&self, word: u32) -> Option<f64> {
        let of_word = self.pronunciations.iter().filter(|p| p.word.0 == word);
        of_word.map(|p| f64::from(p.cost.cost().0)).reduce(f64::min)
    }

    /// What lexicon and model say a word sequence costs, by every mixture of explicit n-grams and
    /// back-offs.
    fn cost_of(&self, words: &[u32]) -> f64 {
        let p = f64::from(self.options.silence_probability);
        let pause = (-p.ln()).min(-(1.0 - p).ln());
        let mut at = BTreeMap::from([(self.model.start(), pause)]);
        self.back_off(&mut at);
        for &word in words {
            let Some(spoken) = self.pronunciation(word) else {
                return f64::INFINITY;
            };
            let extra = spoken + f64::from(self.options.word_penalty.0) + pause;
            let mut after = BTreeMap::new();
            for (&history, &cost) in &at {
                self.model.successors(history, &mut |WordId(w), more, next| {
                    if w == word {
                        lower(&mut after, next, cost + f64::from(more.0) + extra);
                    }
                });
            }
            self.back_off(&mut after);
            at = after;
        }
        at.iter()
            .map(|(&history, cost)| cost + f64::from(self.model.end(history).0))
            .fold(f64::INFINITY, f64::min)
    }

    fn back_off(&self, at: &mut BTreeMap<histories::History, f64>) {
        for (history, cost) in at.clone() {
            let (mut history, mut cost) = (history, cost);
            while let Some((next, more)) = self.model.backoff(history) {
                (history, cost) = (next, cost + f64::from(more.0));
                lower(at, history, cost);
            }
        }
    }
}

fn lower(at: &mut BTreeMap<histories::History, f64>, history: histories::History, cost: f64) {
    let best = at.entry(history).or_insert(cost);
    *best = best.min(cost);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn same_best_path_as_general_composition(case in case()) {
        let ours = Plain::of_graph(&case.compile());
        let twin = hclg(&case.topology, &case.pronunciations, &case.model, &case.options);
        let (cost, words) = ours.viterbi(&case.frames);
        let (expected, expected_words) = twin.viterbi(&case.frames);
        prop_assert!(close(cost, expected), "{cost} for {words:?}, not {expected} for {expected_words:?}");
        if words != expected_words {
            let (tied, _) = twin.saying(&words).viterbi(&case.frames);
            prop_assert!(close(tied, expected), "{words:?} at {tied}, not {expected_words:?} at {expected}");
        }
    }

    #[test]
    fn word_sequences_cost_what_lexicon_and_model_say(case in case()) {
        let ours = Plain::of_graph(&case.compile());
        let vocabulary: Vec<u32> = (FIRST_WORD..FIRST_WORD + 6).collect();
        let mut sequences = vec![vec![]];
        for _ in 0..3 {
            for sequence in sequences.clone() {
                sequences.extend(vocabulary.iter().map(|&w| [&sequence[..], &[w]].concat()));
            }
            sequences.sort();
            sequences.dedup();
        }
        for words in sequences {
            let (cost, expected) = (ours.saying(&words).cheapest(), case.cost_of(&words));
            prop_assert!(close(cost, expected), "{words:?}: {cost}, not {expected}");
        }
    }

    #[test]
    fn compiling_twice_gives_the_same_bytes(case in case()) {
        let bytes = || {
            let mut bytes = Vec::new();
            case.compile().write(&mut bytes).unwrap();
            bytes
        };
        prop_assert_eq!(bytes(), bytes());
    }

    #[test]
    fn every_word_has_one_start_mark(case in case()) {
        let graph = case.compile();
        // Marks less words on the way to each state, the same on every way there but for the label
        // that is still due.
        let mut seen = vec![None; graph.state_limit()];
        seen[graph.start().index()] = Some(0);
        let mut queue = vec![graph.start()];
        while let Some(state) = queue.pop() {
            let due = seen[state.index()].unwrap();
            for arc in graph.emitting_arcs(state).chain(graph.epsilon_arcs(state)) {
                let mark = i32::from(arc.label & WORD_START != 0);
                let due = due + mark - i32::from(arc.label & WORD_MASK != 0);
                prop_assert!((0..=1).contains(&due));
                match seen[arc.next.index()] {
                    None => {
                        seen[arc.next.index()] = Some(due);
                        queue.push(arc.next);
                    }
                    Some(before) => prop_assert_eq!(before, due),
                }
            }
        }
        let ended = |s: StateId| graph.final_cost(s) == Cost::IMPOSSIBLE || seen[s.index()] == Some(0);
        prop_assert!(graph.states().all(ended));
    }
}

fn close(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() < 5e-4
}
