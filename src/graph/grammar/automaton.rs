//! The automaton of a grammar: which word may follow which.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{GrammarError, MOST_STATES};

/// A deterministic automaton over words; state 0 is the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grammar {
    words: Vec<String>,
    states: Vec<State>,
}

/// What may follow, by the word's place among the grammar's words, and whether a sentence may end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct State {
    next: BTreeMap<usize, usize>,
    is_end: bool,
}

impl Grammar {
    /// The words, each once, in order.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// How many states there are; they are numbered from 0, the start.
    pub fn num_states(&self) -> usize {
        self.states.len()
    }

    /// The words that may follow, by their place among [`Grammar::words`], and the states after
    /// them.
    pub fn after(&self, state: usize) -> impl ExactSizeIterator<Item = (usize, usize)> {
        let next = self.states[state].next.iter();
        next.map(|(&word, &next)| (word, next))
    }

    /// Whether a sentence may end in a state.
    pub fn ends(&self, state: usize) -> bool {
        self.states[state].is_end
    }

    /// Whether a sentence may be said.
    pub fn accepts<'w>(&self, sentence: impl IntoIterator<Item = &'w str>) -> bool {
        let mut words = sentence.into_iter();
        let end = words.try_fold(0, |state, word| {
            let word = self.words.binary_search_by(|known| known.as_str().cmp(word)).ok()?;
            self.states[state].next.get(&word).copied()
        });
        end.is_some_and(|end| self.ends(end))
    }
}

/// An automaton in the making, which may go on without a word.
#[derive(Debug)]
pub(super) struct Builder {
    said: Vec<Vec<(String, usize)>>,
    silent: Vec<Vec<usize>>,
    ends: BTreeSet<usize>,
}

impl Default for Builder {
    fn default() -> Self {
        Builder { said: vec![Vec::new()], silent: vec![Vec::new()], ends: BTreeSet::new() }
    }
}

impl Builder {
    pub fn start(&self) -> usize {
        0
    }

    /// A new state.
    pub fn state(&mut self, name: &str) -> Result<usize, GrammarError> {
        if self.said.len() >= MOST_STATES {
            return Err(too_large(name));
        }
        self.said.push(Vec::new());
        self.silent.push(Vec::new());
        Ok(self.said.len() - 1)
    }

    /// A word leads from one state to another.
    pub fn say(&mut self, from: usize, word: &str, to: usize) {
        self.said[from].push((word.to_owned(), to));
    }

    /// From one state to another without a word.
    pub fn skip(&mut self, from: usize, to: usize) {
        self.silent[from].push(to);
    }

    /// A sentence may end here.
    pub fn end(&mut self, state: usize) {
        self.ends.insert(state);
    }

    /// The deterministic automaton, by subsets of states; where they grow beyond bounds it fails.
    pub fn finish(self, name: &str) -> Result<Grammar, GrammarError> {
        let useful = self.useful();
        let said = self.said.iter().flatten();
        let words: BTreeSet<&String> =
            said.filter(|(_, to)| useful[*to]).map(|(word, _)| word).collect();
        let words: Vec<String> = words.into_iter().cloned().collect();
        let mut states = Vec::new();
        let mut known = HashMap::new();
        let mut waiting = vec![self.closed([self.start()])];
        known.insert(waiting[0].clone(), 0);
        let mut members = 0;
        while states.len() < waiting.len() {
            let here = waiting[states.len()].clone();
            members += here.len();
            let mut state = State {
                next: BTreeMap::new(),
                is_end: here.iter().any(|state| self.ends.contains(state)),
            };
            let mut targets: BTreeMap<&String, Vec<usize>> = BTreeMap::new();
            for (word, to) in here.iter().flat_map(|&state| &self.said[state]) {
                if useful[*to] {
                    targets.entry(word).or_default().push(*to);
                }
            }
            for (word, to) in targets {
                let set = self.closed(to);
                let next = *known.entry(set.clone()).or_insert(waiting.len());
                if next == waiting.len() {
                    waiting.push(set);
                }
                let word = words.binary_search(word).expect("all words are listed");
                state.next.insert(word, next);
            }
            states.push(state);
            if waiting.len() > MOST_STATES || members > 20 * MOST_STATES {
                return Err(too_large(name));
            }
        }
        if words.is_empty() {
            return Err(GrammarError::Empty { name: name.to_owned() });
        }
        Ok(Grammar { words, states })
    }

    /// States and all that can be reached from them without a word, in order.
    fn closed(&self, states: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut reached = BTreeSet::new();
        let mut waiting: Vec<usize> = states.into_iter().collect();
        while let Some(state) = waiting.pop() {
            if reached.insert(state) {
                waiting.extend(&self.silent[state]);
            }
        }
        reached.into_iter().collect()
    }

    /// By state: whether an end can be reached from it.
    fn useful(&self) -> Vec<bool> {
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); self.said.len()];
        for (from, said) in self.said.iter().enumerate() {
            said.iter().for_each(|(_, to)| before[*to].push(from));
            self.silent[from].iter().for_each(|to| before[*to].push(from));
        }
        let mut useful = vec![false; self.said.len()];
        let mut waiting: Vec<usize> = self.ends.iter().copied().collect();
        while let Some(state) = waiting.pop() {
            if !std::mem::replace(&mut useful[state], true) {
                waiting.extend(&before[state]);
            }
        }
        useful
    }
}

fn too_large(name: &str) -> GrammarError {
    GrammarError::TooLarge { name: name.to_owned(), what: "states", limit: MOST_STATES }
}
