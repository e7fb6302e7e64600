//! A model that hears what a grammar says, and nothing else.

use std::sync::Arc;

use super::files::compile_options;
use super::known::known;
use super::model::Model;
use super::own_words::{OwnVocabulary, Source};
use super::{Recognizer, RecognizerError};
use crate::confidence::Calibration;
use crate::graph::compile::{GrammarWord, compile_grammar};
use crate::graph::lexicon::Pronunciation;
use crate::graph::{Grammar, GrammarError, WordTable};
use crate::units::WordId;

impl Recognizer {
    /// The same model, which hears sentences of a grammar and nothing else. The network is shared
    /// with this one. Words that the model does not know are said as they are spelt; in a Vosk
    /// folder they are refused, and its graph must be in two parts. The grammar alone says how
    /// words follow each other: nothing is rescored, and no confidence is known, as none was fitted
    /// to it.
    ///
    /// # Errors
    /// A word cannot be pronounced, or a file of the model cannot be read.
    ///
    /// # Examples
    /// ```
    /// use paretone::Recognizer;
    /// use paretone::graph::Grammar;
    ///
    /// let recognizer = Recognizer::open("models/en")?;
    /// let grammar = Grammar::parse("yes please\nno thanks\n", "answers")?;
    /// let hears_answers = recognizer.with_grammar(&grammar)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_grammar(&self, grammar: &Grammar) -> Result<Recognizer, RecognizerError> {
        if let Some(vosk) = self.vosk() {
            let graph = vosk.graph_of_grammar(grammar)?;
            return Ok(self.hearing(graph, &format!("{grammar:?}")));
        }
        let base = self.without_words.as_ref().unwrap_or(&self.model);
        let source = base.source(&self.folder)?;
        let (words, own) = words_of(&source, base.words(), grammar)?;
        let options = compile_options(&base.description.decode);
        let graph = compile_grammar(source.hmm(), grammar, &words, &options)?;
        let model = Model {
            graph: Arc::new(graph),
            own: Some(Arc::new(own)),
            second_look: None,
            ..base.clone()
        };
        let mut varied = self.varied(model, &format!("{grammar:?}"));
        (varied.calibration, varied.made_for.calibration) = (Calibration::default(), None);
        Ok(varied)
    }
}

/// A grammar's words with their ids, and the names of those that are the user's own.
fn words_of(
    source: &Source,
    table: &WordTable,
    grammar: &Grammar,
) -> Result<(Vec<GrammarWord>, OwnVocabulary), RecognizerError> {
    let mut own = OwnVocabulary::new(table);
    let (mut words, mut unsaid) = (Vec::new(), Vec::new());
    for word in grammar.words() {
        let said = source.pronunciations(table, word);
        if said.is_empty() {
            unsaid.push(word.as_str());
        }
        let id: WordId = known(table, word).unwrap_or_else(|| own.add(word));
        let said = said.into_iter().map(|(phones, cost)| Pronunciation { phones, cost });
        words.push(GrammarWord { id, said: said.collect() });
    }
    match unsaid.is_empty() {
        true => Ok((words, own)),
        false => Err(GrammarError::Unpronounceable { words: unsaid.join(", ") }.into()),
    }
}
