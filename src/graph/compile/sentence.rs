//! The graph of one sentence: what a decoder searches to align known words with sound.

use crate::acoustic::Hmm;
use crate::graph::Graph;
use crate::graph::lexicon::Lexicon;
use crate::units::{Cost, WordId};

use super::histories::{BackoffModel, History};
use super::topology::Topology;
use super::{CompileError, CompileOptions, assemble, inputs};

/// Words in order, each with its language model cost, and the cost of ending after them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sentence {
    /// The words.
    pub words: Vec<(WordId, Cost)>,
    /// The cost of ending.
    pub end: Cost,
}

impl BackoffModel for Sentence {
    fn num_states(&self) -> usize {
        self.words.len() + 1
    }

    fn start(&self) -> History {
        History(0)
    }

    fn successors(&self, history: History, visit: &mut dyn FnMut(WordId, Cost, History)) {
        if let Some(&(word, cost)) = self.words.get(history.0 as usize) {
            visit(word, cost, History(history.0 + 1));
        }
    }

    fn backoff(&self, _: History) -> Option<(History, Cost)> {
        None
    }

    fn end(&self, history: History) -> Cost {
        match history.0 as usize == self.words.len() {
            true => self.end,
            false => Cost::IMPOSSIBLE,
        }
    }
}

/// Compiles the graph whose paths say `sentence` and nothing else, in every pronunciation, with
/// silences where they may be. Its best path costs what that of the whole decoding graph costs for
/// these words, under these language model costs.
///
/// # Errors
/// As [`compile`](super::compile); also for a sentence without words.
pub fn compile_sentence(
    hmm: &Hmm,
    lexicon: &Lexicon,
    sentence: &Sentence,
    options: &CompileOptions,
) -> Result<Graph, CompileError> {
    let topology = Topology::of(hmm);
    let words = sentence.words.iter();
    let said = words.map(|&(word, _)| (word, lexicon.pronunciations(word)));
    let pronunciations = inputs::pronunciations(said, &topology)?;
    assemble(&topology, pronunciations, sentence, options).map(|(graph, _)| graph)
}
