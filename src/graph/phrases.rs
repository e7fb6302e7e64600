//! Language models that a caller's own words make, over the numbers of a graph in two parts: of a
//! list of phrases, or of a grammar.

use std::collections::BTreeMap;

use super::error::GraphError;
use super::grammar::Grammar;
use super::openfst::{Automaton, FstArc};

/// The share of a context's probability that its own words have; the rest goes to backing off.
/// libvosk's, which leaves it out of contexts that cannot back off too.
const KEPT: f64 = 0.5;
/// Stands for the end of a phrase.
const END: u32 = 0;
/// The state of no context, where phrases begin too.
const ROOT: u32 = 0;

/// How often words follow, by word; [`END`] among them.
type Counts = BTreeMap<u32, u32>;

impl Automaton {
    /// A bigram with back-off of phrases, as libvosk estimates it for a list of phrases: what was
    /// said in one order may be said in another too, at a price. Words are numbers from 1.
    ///
    /// # Errors
    /// There are more words than an automaton can have arcs.
    pub(crate) fn of_phrases(phrases: &[Vec<u32>]) -> Result<Automaton, GraphError> {
        let mut counts: BTreeMap<u32, Counts> = BTreeMap::new();
        let mut all = Counts::new();
        for phrase in phrases.iter().filter(|phrase| !phrase.is_empty()) {
            let mut before = None;
            for word in phrase.iter().copied().chain([END]) {
                *all.entry(word).or_default() += 1;
                if let Some(before) = before {
                    *counts.entry(before).or_default().entry(word).or_default() += 1;
                }
                before = Some(word);
            }
        }
        let states: BTreeMap<u32, u32> = counts.keys().copied().zip(ROOT + 1..).collect();
        let (mut rows, mut arcs, mut finals) = (vec![0], Vec::new(), Vec::new());
        for (at, counts) in [&all].into_iter().chain(counts.values()).enumerate() {
            if at > ROOT as usize {
                let cost = -(1.0 - KEPT).ln() as f32;
                arcs.push(FstArc { input: 0, output: 0, cost, next: ROOT });
            }
            let total: u32 = counts.values().sum();
            let cost = |count: u32| -(KEPT * f64::from(count) / f64::from(total)).ln() as f32;
            finals.push(counts.get(&END).map_or(f32::INFINITY, |count| cost(*count)));
            arcs.extend(counts.iter().filter(|(word, _)| **word != END).map(|(word, count)| {
                FstArc { input: *word, output: *word, cost: cost(*count), next: states[word] }
            }));
            rows.push(arcs.len() as u32);
        }
        Automaton::new(ROOT, rows, arcs, finals)
    }

    /// A grammar's sentences, all at the same price: `numbers` are those of [`Grammar::words`].
    ///
    /// # Errors
    /// There are more words than an automaton can have arcs.
    pub(crate) fn of_grammar(grammar: &Grammar, numbers: &[u32]) -> Result<Automaton, GraphError> {
        let (mut rows, mut arcs, mut finals) = (vec![0], Vec::new(), Vec::new());
        for state in 0..grammar.num_states() {
            let begin = arcs.len();
            arcs.extend(grammar.after(state).map(|(word, next)| {
                let number = numbers[word];
                FstArc { input: number, output: number, cost: 0.0, next: next as u32 }
            }));
            arcs[begin..].sort_by_key(|arc: &FstArc| arc.input);
            rows.push(arcs.len() as u32);
            finals.push(if grammar.ends(state) { 0.0 } else { f32::INFINITY });
        }
        Automaton::new(0, rows, arcs, finals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a sequence of words costs at least.
    fn cost(automaton: &Automaton, words: &[u32]) -> f32 {
        fn from(automaton: &Automaton, state: u32, words: &[u32]) -> f32 {
            let row = automaton.row(state).iter();
            let ways = row.filter_map(|arc| match (arc.input, words.split_first()) {
                (0, _) => Some(arc.cost + from(automaton, arc.next, words)),
                (word, Some((first, rest))) if word == *first => {
                    Some(arc.cost + from(automaton, arc.next, rest))
                }
                _ => None,
            });
            let ending = match words.is_empty() {
                true => automaton.final_cost(state),
                false => f32::INFINITY,
            };
            ways.fold(ending, f32::min)
        }
        from(automaton, automaton.start(), words)
    }

    #[test]
    fn phrases_are_counted_as_libvosk_counts_them() {
        // "turn on", "turn off", "stop": of no context turn 2, on 1, off 1, stop 1 and the end 3.
        let model = Automaton::of_phrases(&[vec![1, 2], vec![1, 3], vec![4], vec![]]).unwrap();
        let of = |count: f32, total: f32| -(0.5 * count / total).ln();
        let expected = of(2.0, 8.0) + of(1.0, 2.0) + of(1.0, 1.0);
        assert!((cost(&model, &[1, 2]) - expected).abs() < 1e-5);
        let back_off = -(0.5f32).ln();
        // Backing off after `stop` says another word, from no context.
        let expected = of(1.0, 8.0) + back_off + of(1.0, 8.0) + of(1.0, 1.0);
        assert!((cost(&model, &[4, 2]) - expected).abs() < 1e-5);
        assert_eq!(cost(&model, &[5]), f32::INFINITY);
    }

    #[test]
    fn a_grammar_says_its_sentences_alone() {
        let grammar = Grammar::parse("on please\noff\n", "answers").unwrap();
        assert_eq!(grammar.words(), ["off", "on", "please"]);
        let model = Automaton::of_grammar(&grammar, &[9, 4, 2]).unwrap();
        assert_eq!(cost(&model, &[4, 2]), 0.0);
        assert_eq!(cost(&model, &[9]), 0.0);
        assert_eq!(cost(&model, &[4]), f32::INFINITY);
    }
}
