//! The graph of a folder in two parts with a caller's own language model in the place of `Gr.fst`:
//! of phrases, or of a grammar, in the folder's words.

use tracing::warn;

use super::KaldiError;
use super::folder::VoskFolder;
use super::transitions::TransitionModel;
use crate::graph::{Automaton, Grammar, Graph, WordTable};

impl VoskFolder {
    /// The graph that hears these phrases, and what can be put together of their words, as in
    /// libvosk: a bigram of them. Words that the model lacks are passed over, with a warning.
    ///
    /// # Errors
    /// The folder's graph is not in two parts, a file of it cannot be used, or no word is known.
    pub fn graph_of_phrases(&self, phrases: &[String]) -> Result<Graph, KaldiError> {
        self.expect_parts()?;
        let words = self.words()?;
        let mut unknown = Vec::new();
        let said = phrases.iter().map(|phrase| {
            let numbers = phrase.split_whitespace().filter_map(|word| {
                let number = number(&words, word);
                if number.is_none() {
                    unknown.push(word);
                }
                number
            });
            numbers.collect()
        });
        let said: Vec<Vec<u32>> = said.collect();
        if said.iter().all(Vec::is_empty) {
            return Err(KaldiError::UnknownWords { words: unknown.join(", ") });
        }
        if !unknown.is_empty() {
            warn!("words that the model lacks are passed over: {}", unknown.join(", "));
        }
        self.composed_with(&self.transitions()?, &Automaton::of_phrases(&said)?)
    }

    /// The graph that hears the sentences of a grammar and nothing else.
    ///
    /// # Errors
    /// As [`VoskFolder::graph_of_phrases`], and a word is not known.
    pub fn graph_of_grammar(&self, grammar: &Grammar) -> Result<Graph, KaldiError> {
        self.expect_parts()?;
        let words = self.words()?;
        let numbers = grammar.words().iter().map(|word| number(&words, word).ok_or(word));
        let unknown: Vec<&str> =
            numbers.clone().filter_map(|number| number.err().map(String::as_str)).collect();
        if !unknown.is_empty() {
            return Err(KaldiError::UnknownWords { words: unknown.join(", ") });
        }
        let numbers: Vec<u32> = numbers.flatten().collect();
        self.composed_with(&self.transitions()?, &Automaton::of_grammar(grammar, &numbers)?)
    }

    fn expect_parts(&self) -> Result<(), KaldiError> {
        match self.is_in_parts() {
            true => Ok(()),
            false => Err(KaldiError::WholeGraph { path: self.path().to_owned() }),
        }
    }

    /// The transitions alone, without the network behind them.
    ///
    /// # Errors
    /// The model cannot be read, or begins with none.
    pub fn transitions(&self) -> Result<TransitionModel, KaldiError> {
        TransitionModel::open(&self.model())
    }
}

/// A word's number; 0 is none.
fn number(words: &WordTable, word: &str) -> Option<u32> {
    words.id(word).map(|id| id.0).filter(|number| *number > 0)
}
