//! OpenFst's files written the slow way: `const`, `olabel_lookahead` and `ngram`, for tests.
//!
//! Layouts as in OpenFst 1.7: `fst/const-fst.h`, `fst/add-on.h`, `fst/label-reachable.h` and
//! `fst/extensions/ngram/ngram-fst.h`.

use std::collections::BTreeSet;

/// Input, output, cost, target.
pub type Arc = (u32, u32, f32, u32);

/// An automaton: of each state what ending there costs, and its arcs.
#[derive(Clone, Debug)]
pub struct Fst {
    pub start: u32,
    pub states: Vec<(f32, Vec<Arc>)>,
}

/// A context of a language model, in breadth-first order: its parent, the word that it adds as the
/// oldest, the costs of back-off and of ending, and the words that follow with their costs.
#[derive(Clone, Debug)]
pub struct Context {
    pub parent: usize,
    pub word: u32,
    pub back_off: f32,
    pub ending: f32,
    pub words: Vec<(u32, f32)>,
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as i32).to_le_bytes());
    bytes.extend(text.as_bytes());
}

fn header(kind: &str, version: i32, flags: i32, numbers: [i64; 3]) -> Vec<u8> {
    let mut bytes = 2_125_659_606_i32.to_le_bytes().to_vec();
    text(&mut bytes, kind);
    text(&mut bytes, "standard");
    bytes.extend(version.to_le_bytes());
    bytes.extend(flags.to_le_bytes());
    bytes.extend(1u64.to_le_bytes());
    numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
    bytes
}

/// A symbol table of these names, numbered from 0.
fn symbols(names: &[&str]) -> Vec<u8> {
    let mut bytes = 2_125_658_996_i32.to_le_bytes().to_vec();
    text(&mut bytes, "words");
    bytes.extend((names.len() as i64).to_le_bytes());
    bytes.extend((names.len() as i64).to_le_bytes());
    for (number, name) in (0i64..).zip(names) {
        text(&mut bytes, name);
        bytes.extend(number.to_le_bytes());
    }
    bytes
}

impl Fst {
    /// As a `const` file.
    pub fn constant(&self) -> Vec<u8> {
        let arcs: usize = self.states.iter().map(|(_, arcs)| arcs.len()).sum();
        let numbers = [i64::from(self.start), self.states.len() as i64, arcs as i64];
        let mut bytes = header("const", 2, 0, numbers);
        let mut first = 0u32;
        for (ending, arcs) in &self.states {
            bytes.extend(ending.to_le_bytes());
            let silent = arcs.iter().filter(|arc| arc.0 == 0).count() as u32;
            let mute = arcs.iter().filter(|arc| arc.1 == 0).count() as u32;
            for number in [first, arcs.len() as u32, silent, mute] {
                bytes.extend(number.to_le_bytes());
            }
            first += arcs.len() as u32;
        }
        for (input, output, cost, next) in self.states.iter().flat_map(|(_, arcs)| arcs) {
            bytes.extend(input.to_le_bytes());
            bytes.extend(output.to_le_bytes());
            bytes.extend(cost.to_le_bytes());
            bytes.extend(next.to_le_bytes());
        }
        bytes
    }

    /// As an `olabel_lookahead` file; the labels are as they are.
    pub fn look_ahead(&self) -> Vec<u8> {
        let mut sorted = self.clone();
        sorted.states.iter_mut().for_each(|(_, arcs)| arcs.sort_by_key(|arc| arc.1));
        let labels = self.states.iter().flat_map(|(_, arcs)| arcs).map(|arc| arc.1);
        let end = labels.max().unwrap_or(0) + 1;
        let mut bytes = header("olabel_lookahead", 1, 0, [i64::from(self.start), 0, 0]);
        bytes.extend(446_681_434_i32.to_le_bytes());
        bytes.extend(sorted.constant());
        // Something is added: nothing for inputs, for outputs something.
        bytes.extend([1, 0, 1]);
        // Which is of outputs, and without the old labels.
        bytes.extend([0, 0]);
        bytes.extend(end.to_le_bytes());
        bytes.extend((self.states.len() as i64).to_le_bytes());
        for state in 0..self.states.len() {
            let labels = self.next_labels(state, end);
            let intervals = intervals(&labels);
            bytes.extend((intervals.len() as i64).to_le_bytes());
            for bound in intervals.iter().flatten() {
                bytes.extend(bound.to_le_bytes());
            }
            bytes.extend((labels.len() as i32).to_le_bytes());
        }
        bytes
    }

    /// The output labels that come next, `end` for the end.
    fn next_labels(&self, state: usize, end: u32) -> BTreeSet<u32> {
        let (mut labels, mut seen, mut waiting) =
            (BTreeSet::new(), BTreeSet::from([state]), vec![state]);
        while let Some(state) = waiting.pop() {
            let (ending, arcs) = &self.states[state];
            labels.extend(ending.is_finite().then_some(end));
            for (_, output, _, next) in arcs {
                match output {
                    0 if seen.insert(*next as usize) => waiting.push(*next as usize),
                    0 => {}
                    label => {
                        labels.insert(*label);
                    }
                }
            }
        }
        labels
    }
}

fn intervals(labels: &BTreeSet<u32>) -> Vec<[u32; 2]> {
    let mut intervals: Vec<[u32; 2]> = Vec::new();
    for label in labels {
        match intervals.last_mut() {
            Some([_, end]) if end == label => *end += 1,
            _ => intervals.push([*label, label + 1]),
        }
    }
    intervals
}

/// A language model as an `ngram` file, with names of the words where there are some.
pub fn ngram(contexts: &[Context], names: Option<&[&str]>) -> Vec<u8> {
    let (states, flags) = (contexts.len(), if names.is_some() { 3 } else { 0 });
    let mut bytes = header("ngram", 4, flags, [1, states as i64, 0]);
    let table = names.map(symbols).unwrap_or_default();
    bytes.extend([table.clone(), table].concat());
    let words: usize = contexts.iter().map(|context| context.words.len()).sum();
    let last = contexts.iter().filter(|context| context.ending.is_finite());
    for number in [states, words, last.clone().count()] {
        bytes.extend((number as u64).to_le_bytes());
    }
    let (mut tree, mut following) = (vec![true, false], vec![false]);
    for (state, context) in contexts.iter().enumerate() {
        let children = contexts.iter().skip(1).filter(|child| child.parent == state).count();
        tree.extend(vec![true; children]);
        tree.push(false);
        following.extend(vec![true; context.words.len()]);
        following.push(false);
    }
    let ends: Vec<bool> = contexts.iter().map(|context| context.ending.is_finite()).collect();
    [tree, following, ends].iter().for_each(|bits| bytes.extend(packed(bits)));
    let own = contexts.iter().skip(1).map(|context| context.word);
    let labels = [u32::MAX].into_iter().chain(own).chain([0]);
    labels.for_each(|label| bytes.extend(label.to_le_bytes()));
    let all = || contexts.iter().flat_map(|context| &context.words);
    all().for_each(|(word, _)| bytes.extend(word.to_le_bytes()));
    let costs = contexts.iter().map(|context| context.back_off).chain([0.0]);
    let costs = costs.chain(last.map(|context| context.ending));
    let costs = costs.chain(all().map(|(_, cost)| *cost)).chain([0.0]);
    costs.for_each(|cost| bytes.extend(cost.to_le_bytes()));
    bytes
}

/// Bits in words of 64, the lowest first.
fn packed(bits: &[bool]) -> Vec<u8> {
    let words = bits
        .chunks(64)
        .map(|bits| (0..).zip(bits).fold(0u64, |word, (at, bit)| word | u64::from(*bit) << at));
    words.flat_map(u64::to_le_bytes).collect()
}
