//! OpenFst's `ngram` type: a back-off language model whose contexts are a tree, written as bits.
//!
//! Each state is a context, a path in the tree that begins with the newest word; its parent is the
//! context without the oldest word, where back-off leads. The tree is a LOUDS: `10`, then for each
//! state in breadth-first order a 1 for each child and a 0. In the same way the words that may
//! follow a context are told (`0`, then a 1 a word and a 0), and a third bit string says which
//! states are final. Where a word leads is not stored: to the longest context that there is of the
//! word and what was before it.
//!
//! Reference: J. Sorensen and C. Allauzen, "Unary Data Structures for Language Models",
//! Interspeech 2011; OpenFst 1.7, `fst/extensions/ngram/ngram-fst.h`, version 4 of the file.

use std::io::Read;

use super::automaton::{Automaton, FstArc};
use super::input::{Fault, Input, format_fault};
use crate::graph::error::GraphError;
use crate::graph::rows::ARC_LIMIT;

const VERSION: i32 = 4;
/// The state of no context at all.
const ROOT: u32 = 0;
/// The state of the context "beginning of a sentence", which is the root's first child.
const START: u32 = 1;
const WORD_BITS: u64 = 64;

/// The tree of contexts.
struct Contexts {
    /// By state: the word that its context adds to that of its parent, the oldest.
    word: Vec<u32>,
    parent: Vec<u32>,
    /// By state: its first child, and one more at the end.
    children: Vec<u32>,
}

/// Reads what follows the header and the symbols.
pub(super) fn read(input: &mut Input<impl Read>, version: i32) -> Result<Automaton, Fault> {
    if version != VERSION {
        return format_fault(format!("version {version} of the type ngram, not {VERSION}"));
    }
    input.enter("the numbers of contexts and words");
    let [states, words, ends] =
        [size(input, "states")?, size(input, "arcs")?, size(input, "states")?];
    if states < 2 {
        return format_fault(format!("{states} contexts, and the beginning needs one"));
    }
    if states + words > ARC_LIMIT as u64 {
        return too_large("arcs", states + words);
    }
    input.enter("the tree of contexts");
    let children = groups(&bits(input, 2 * states + 1)?, &[true, false], states)?;
    input.enter("the counts of words");
    let followers = groups(&bits(input, states + words + 1)?, &[false], states)?;
    input.enter("the final contexts");
    let is_final = bits(input, states)?;
    if is_final.iter().filter(|last| **last).count() as u64 != ends {
        return format_fault(format!("the final contexts are not {ends}"));
    }
    input.enter("the words of contexts");
    let context_words = labels(input, states + 1)?;
    input.enter("the words that follow");
    let words_after = labels(input, words)?;
    input.enter("the costs of back-off");
    let back_off = costs(input, states + 1)?;
    input.enter("the costs of ending");
    let mut ending = costs(input, ends)?.into_iter();
    input.enter("the costs of words");
    let mut word_costs = costs(input, words + 1)?;
    word_costs.truncate(words as usize);
    let finals = is_final.iter().map(|last| match last {
        true => ending.next().expect("as many costs as final states"),
        false => f32::INFINITY,
    });
    let contexts = Contexts::new(context_words, &children)?;
    let mut rows = vec![0];
    let mut arcs = Vec::with_capacity(words_after.len() + contexts.word.len());
    for state in ROOT..states as u32 {
        if state != ROOT {
            let (cost, next) = (back_off[state as usize], contexts.parent[state as usize]);
            arcs.push(FstArc { input: 0, output: 0, cost, next });
        }
        let span = followers[state as usize] as usize..followers[state as usize + 1] as usize;
        let after = &words_after[span.clone()];
        if after.first() == Some(&0) || !after.is_sorted_by(|a, b| a < b) {
            return format_fault(format!("the words after context {state} are not in order"));
        }
        arcs.extend(after.iter().zip(&word_costs[span]).map(|(&word, &cost)| {
            let next = contexts.after(state, word);
            FstArc { input: word, output: word, cost, next }
        }));
        rows.push(arcs.len() as u32);
    }
    Ok(Automaton::new(START, rows, arcs, finals.collect())?)
}

impl Contexts {
    fn new(mut word: Vec<u32>, children: &[u32]) -> Result<Contexts, Fault> {
        let states = children.len() - 1;
        word.truncate(states);
        // The root is nobody's child, so that the numbers of children are one ahead.
        let children: Vec<u32> = children.iter().map(|before| before + 1).collect();
        let mut parent = vec![ROOT; states];
        for (state, span) in (0u32..).zip(children.windows(2)) {
            let (first, end) = (span[0] as usize, span[1] as usize);
            // In breadth-first order a state is listed before its children are.
            if first <= state as usize || end > states {
                return format_fault("the contexts are no tree");
            }
            parent[first..end].fill(state);
            if !word[first..end].is_sorted_by(|a, b| a < b) {
                return format_fault(format!("the children of context {state} are not in order"));
            }
        }
        Ok(Contexts { word, parent, children })
    }

    /// The longest context that there is after a word in the context of a state.
    fn after(&self, state: u32, word: u32) -> u32 {
        let mut path = Vec::with_capacity(8);
        let mut at = state;
        while at != ROOT {
            path.push(self.word[at as usize]);
            at = self.parent[at as usize];
        }
        let mut found = ROOT;
        for word in std::iter::once(word).chain(path.into_iter().rev()) {
            match self.child(found, word) {
                Some(child) => found = child,
                None => break,
            }
        }
        found
    }

    fn child(&self, state: u32, word: u32) -> Option<u32> {
        let (first, end) = (self.children[state as usize], self.children[state as usize + 1]);
        let words = &self.word[first as usize..end as usize];
        let at = words.binary_search(&word).ok()?;
        Some(first + at as u32)
    }
}

/// How many there are of something.
fn size(input: &mut Input<impl Read>, what: &'static str) -> Result<u64, Fault> {
    let found = input.count()?;
    match found > ARC_LIMIT as u64 {
        true => too_large(what, found),
        false => Ok(found),
    }
}

fn too_large<T>(what: &'static str, found: u64) -> Result<T, Fault> {
    Err(Fault::Graph(GraphError::TooLarge { what, found, limit: ARC_LIMIT as u64 }))
}

/// So many bits, the lowest of each word of 64 first.
fn bits(input: &mut Input<impl Read>, count: u64) -> Result<Vec<bool>, Fault> {
    let words = input.array(count.div_ceil(WORD_BITS), u64::from_le_bytes)?;
    let all = words.iter().flat_map(|word| (0..WORD_BITS).map(move |at| word >> at & 1 == 1));
    Ok(all.take(count as usize).collect())
}

/// What follows `head`: for each state ones and a zero. Returns how many ones there are before each
/// state, and in all.
fn groups(bits: &[bool], head: &[bool], states: u64) -> Result<Vec<u32>, Fault> {
    let Some(rest) = bits.strip_prefix(head) else {
        return format_fault("the bits do not begin as they should");
    };
    let (mut before, mut ones) = (vec![0], 0);
    for bit in rest {
        match bit {
            true => ones += 1,
            false => before.push(ones),
        }
    }
    let is_whole = rest.last() == Some(&false) && before.len() as u64 == states + 1;
    if !is_whole {
        return format_fault(format!("the bits are of {} states, not {states}", before.len() - 1));
    }
    Ok(before)
}

/// Labels of words. The root's, and what lies behind the last, is −1.
fn labels(input: &mut Input<impl Read>, count: u64) -> Result<Vec<u32>, Fault> {
    Ok(input.array(count, u32::from_le_bytes)?)
}

fn costs(input: &mut Input<impl Read>, count: u64) -> Result<Vec<f32>, Fault> {
    Ok(input.array(count, f32::from_le_bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::written::{Context, ngram};

    fn context(parent: usize, word: u32, words: &[(u32, f32)]) -> Context {
        let back_off = if word == u32::MAX { 0.0 } else { 0.25 * word as f32 + parent as f32 };
        let ending = if word == 2 { f32::INFINITY } else { 1.5 + word as f32 / 8.0 };
        Context { parent, word, back_off, ending, words: words.to_vec() }
    }

    /// No context, the beginning, the words 1 to 3, and 2 and 3 after others.
    fn model() -> Vec<Context> {
        vec![
            context(0, u32::MAX, &[(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0)]),
            context(0, 0, &[(1, 0.5), (2, 0.75)]),
            context(0, 1, &[(2, 0.125), (4, 9.0)]),
            context(0, 2, &[(1, 0.25), (2, 0.5), (3, 0.75)]),
            context(0, 3, &[]),
            context(3, 0, &[(3, 2.5)]),
            context(3, 1, &[(2, 6.0), (3, 7.0)]),
            context(4, 2, &[(1, 8.0)]),
        ]
    }

    fn automaton(bytes: &[u8]) -> Result<Automaton, GraphError> {
        Automaton::read(bytes).map(|(automaton, _)| automaton)
    }

    /// The words of a context, the newest first.
    fn history(contexts: &[Context], mut state: usize) -> Vec<u32> {
        let mut words = Vec::new();
        while state != 0 {
            words.insert(0, contexts[state].word);
            state = contexts[state].parent;
        }
        words
    }

    #[test]
    fn words_lead_to_the_longest_context_that_there_is() {
        let contexts = model();
        let read = automaton(&ngram(&contexts, None)).unwrap();
        assert_eq!((read.start(), read.num_states()), (1, contexts.len()));
        for (state, context) in contexts.iter().enumerate() {
            let mut row = read.row(state as u32).to_vec();
            assert_eq!(read.final_cost(state as u32), context.ending);
            if state > 0 {
                let back = row.remove(0);
                let (cost, next) = (context.back_off, context.parent as u32);
                assert_eq!(back, FstArc { input: 0, output: 0, cost, next });
            }
            assert_eq!(row.len(), context.words.len());
            for (arc, (word, cost)) in row.iter().zip(&context.words) {
                assert_eq!((arc.input, arc.output, arc.cost), (*word, *word, *cost));
                let said = [vec![*word], history(&contexts, state)].concat();
                let fits = |at: &usize| said.starts_with(&history(&contexts, *at));
                let longest =
                    (0..contexts.len()).filter(fits).max_by_key(|at| history(&contexts, *at).len());
                assert_eq!(Some(arc.next as usize), longest, "{word} after {state}");
            }
        }
    }

    #[test]
    fn names_are_read_with_their_numbers() {
        let names = ["<eps>", "one", "two", "three", "four"];
        let bytes = ngram(&model(), Some(&names));
        let (read, symbols) = Automaton::read(&bytes[..]).unwrap();
        assert_eq!(read, automaton(&ngram(&model(), None)).unwrap());
        let symbols = symbols.unwrap();
        assert_eq!(symbols.len(), names.len());
        assert_eq!(symbols[3], (3, "three".into()));
    }

    #[test]
    fn damaged_files_are_errors_that_say_where() {
        let bytes = ngram(&model(), Some(&["<eps>", "one"]));
        for length in 0..bytes.len() {
            let error = automaton(&bytes[..length]).unwrap_err().to_string();
            assert!(error.contains("OpenFst file, in "), "cut to {length}: {error}");
            for value in [0x00, 0x7f, 0xff] {
                let mut damaged = bytes.clone();
                damaged[length] = value;
                let _ = automaton(&damaged);
            }
        }
        let longer = [bytes, vec![0]].concat();
        assert!(automaton(&longer).unwrap_err().to_string().contains("the end"));
    }

    #[test]
    fn contexts_that_are_no_tree_are_refused() {
        let mut unsorted = model();
        unsorted.swap(2, 3);
        assert!(automaton(&ngram(&unsorted, None)).is_err());
        let mut words = model();
        words[3].words.swap(0, 1);
        let error = automaton(&ngram(&words, None)).unwrap_err().to_string();
        assert!(error.contains("the words after context 3"), "{error}");
    }
}
