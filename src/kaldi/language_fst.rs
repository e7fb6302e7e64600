//! `rescore/G.fst`: the language model whose costs are in the decoding graph.
//!
//! ```text
//! a state is a history; an arc with a word leads to the next one
//! the one arc without a word leads to the shorter history that is backed off to
//! ```
//!
//! In the graph backing off is free to all words, those that follow the longer history too, so that
//! a sentence costs there what its cheapest way through the model costs. That is what is told here:
//! a path is at several histories at once, each with how much dearer it is than the word's cheapest
//! way. libvosk, which composes lattices with the model, finds the same.

use std::path::Path;

use super::KaldiError;
use crate::graph::Automaton;
use crate::units::{Cost, WordId};

/// Most times that is backed off in a row, and most histories of a path.
const MOST_PLACES: usize = 8;
/// Costs are counted in parts of one, so that equal ones are equal.
const GRAIN: f32 = 65_536.0;

/// A model, whose rows are in order of their words.
pub(crate) struct LanguageFst {
    automaton: Automaton,
}

/// Where a path is: states, ascending, and how much dearer it is to be there, in grains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Places {
    all: [(u32, i32); MOST_PLACES],
    count: u8,
}

impl LanguageFst {
    /// Opens a `vector`, `const` or `ngram` file.
    ///
    /// # Errors
    /// It cannot be read, or is no back-off model.
    pub fn open(path: &Path) -> Result<LanguageFst, KaldiError> {
        let file = |error: crate::graph::GraphError| KaldiError::File {
            path: path.to_owned(),
            source: Box::new(error.into()),
        };
        LanguageFst::new(Automaton::open(path).map_err(file)?.0, path)
    }

    /// The model that an automaton is: by what it puts out, as Kaldi takes it where the labels
    /// differ.
    ///
    /// # Errors
    /// A state backs off to two others, more than eight times in a row or in a circle, or has two
    /// arcs with the same word. `path` is what errors call it.
    pub fn new(automaton: Automaton, path: &Path) -> Result<LanguageFst, KaldiError> {
        let model = LanguageFst { automaton: automaton.projected().sorted_by_input() };
        for state in 0..model.automaton.num_states() as u32 {
            let wrong = |what: String| KaldiError::Format {
                path: path.to_owned(),
                token: format!("state {state}"),
                what,
            };
            let row = model.automaton.row(state);
            if let Some(twice) = row.windows(2).find(|pair| pair[0].input == pair[1].input) {
                return Err(wrong(match twice[0].input {
                    0 => "it backs off to two states, and a back-off model to one".into(),
                    word => format!("two arcs have word {word}; determinise the model"),
                }));
            }
            let last = model.backed_off(state).take(MOST_PLACES).count();
            if last == MOST_PLACES {
                return Err(wrong(format!(
                    "it backs off {MOST_PLACES} times in a row or in a circle"
                )));
            }
        }
        Ok(model)
    }

    /// The largest number of a word; 0 where there are none.
    pub fn largest_word(&self) -> u32 {
        self.automaton.arcs().iter().map(|arc| arc.input).max().unwrap_or(0)
    }

    /// Before the first word.
    pub fn start(&self) -> Places {
        self.spread([(self.automaton.start(), 0.0)].into_iter())
    }

    /// Where a path is after one more word, and what the cheapest way costs; infinitely much where
    /// there is none.
    pub fn step(&self, places: Places, word: WordId) -> (Places, Cost) {
        let said = || places.iter().filter_map(|(state, cost)| self.say(state, word, cost));
        let least = said().map(|(_, cost)| cost).fold(f32::INFINITY, f32::min);
        if least == f32::INFINITY {
            return (places, Cost(least));
        }
        (self.spread(said().map(|(state, cost)| (state, cost - least))), Cost(least))
    }

    /// What the cheapest end costs; infinitely much where there is none.
    pub fn end(&self, places: Places) -> Cost {
        let ends = places.iter().map(|(state, cost)| cost + self.automaton.final_cost(state));
        Cost(ends.fold(f32::INFINITY, f32::min))
    }

    /// The state behind a word, and the cost there.
    fn say(&self, state: u32, word: WordId, cost: f32) -> Option<(u32, f32)> {
        let row = self.automaton.row(state);
        let at = row.binary_search_by_key(&word.0, |arc| arc.input).ok().filter(|_| word.0 > 0)?;
        Some((row[at].next, cost + row[at].cost)).filter(|(_, cost)| cost.is_finite())
    }

    /// The states that are backed off to from one, each from the one before, and what it costs.
    fn backed_off(&self, state: u32) -> impl Iterator<Item = (u32, f32)> {
        let next = |state: u32| {
            let arc = self.automaton.row(state).first().filter(|arc| arc.input == 0)?;
            Some((arc.next, arc.cost))
        };
        std::iter::successors(next(state), move |&(state, _)| next(state))
    }

    /// These states and those that are backed off to: the cheapest, where there are too many.
    fn spread(&self, from: impl Iterator<Item = (u32, f32)>) -> Places {
        let mut reached: Vec<(u32, i32)> = Vec::with_capacity(2 * MOST_PLACES);
        for (state, cost) in from {
            let mut whole = cost;
            let backed_off = self.backed_off(state).take(MOST_PLACES).map(|(state, cost)| {
                whole += cost;
                (state, whole)
            });
            let all = [(state, cost)].into_iter().chain(backed_off);
            reached.extend(
                all.filter(|(_, cost)| cost.is_finite())
                    .map(|(state, cost)| (state, (cost * GRAIN).round() as i32)),
            );
        }
        reached.sort_unstable();
        reached.dedup_by_key(|(state, _)| *state);
        if reached.len() > MOST_PLACES {
            reached.sort_unstable_by_key(|&(state, cost)| (cost, state));
            reached.truncate(MOST_PLACES);
            reached.sort_unstable();
        }
        let mut places = Places { count: reached.len() as u8, ..Places::default() };
        places.all[..reached.len()].copy_from_slice(&reached);
        places
    }
}

impl Places {
    fn iter(&self) -> impl Iterator<Item = (u32, f32)> {
        let all = self.all[..usize::from(self.count)].iter();
        all.map(|&(state, cost)| (state, cost as f32 / GRAIN))
    }
}
