//! The graph of a grammar: what it says can be heard, and nothing else.

use crate::acoustic::Hmm;
use crate::graph::{Grammar, Graph, lexicon};
use crate::units::{Cost, WordId};

use super::histories::{BackoffModel, History};
use super::topology::Topology;
use super::{CompileError, CompileOptions, assemble, inputs};

/// A word of a grammar: its id, and how it is said.
#[derive(Clone, Debug, PartialEq)]
pub struct GrammarWord {
    /// The id that its arcs carry.
    pub id: WordId,
    /// Its pronunciations.
    pub said: Vec<lexicon::Pronunciation>,
}

/// A grammar, each of whose words is as likely as any other that may stand in its place.
struct Words<'g> {
    grammar: &'g Grammar,
    words: &'g [GrammarWord],
}

impl Words<'_> {
    /// The cost of each way on from a state.
    fn cost(&self, state: usize) -> Cost {
        let ways = self.grammar.after(state).len() + usize::from(self.grammar.ends(state));
        Cost((ways.max(1) as f32).ln())
    }
}

impl BackoffModel for Words<'_> {
    fn num_states(&self) -> usize {
        self.grammar.num_states()
    }

    fn start(&self) -> History {
        History(0)
    }

    fn successors(&self, history: History, visit: &mut dyn FnMut(WordId, Cost, History)) {
        let cost = self.cost(history.0 as usize);
        for (word, next) in self.grammar.after(history.0 as usize) {
            visit(self.words[word].id, cost, History(next as u32));
        }
    }

    fn backoff(&self, _: History) -> Option<(History, Cost)> {
        None
    }

    fn end(&self, history: History) -> Cost {
        match self.grammar.ends(history.0 as usize) {
            true => self.cost(history.0 as usize),
            false => Cost::IMPOSSIBLE,
        }
    }
}

/// Compiles the graph of a grammar whose words, in the order of [`Grammar::words`], are these.
///
/// # Errors
/// As [`compile`](super::compile).
///
/// # Panics
/// There are fewer words than the grammar has.
pub fn compile_grammar(
    hmm: &Hmm,
    grammar: &Grammar,
    words: &[GrammarWord],
    options: &CompileOptions,
) -> Result<Graph, CompileError> {
    assert!(words.len() >= grammar.words().len(), "each word of the grammar is said");
    let topology = Topology::of(hmm);
    let said = words.iter().map(|word| (word.id, word.said.as_slice()));
    let pronunciations = inputs::pronunciations(said, &topology)?;
    let model = Words { grammar, words };
    assemble(&topology, pronunciations, &model, options).map(|(graph, _)| graph)
}
