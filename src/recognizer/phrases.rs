//! A model that hears a list of phrases, as libvosk takes them.

use std::sync::Arc;

use super::model::Model;
use super::{Recognizer, RecognizerError};
use crate::confidence::Calibration;
use crate::graph::{Grammar, Graph};
use crate::kaldi::VoskFolder;

/// In a list of phrases, what stands for any other word.
pub const ANY_OTHER: &str = "[unk]";

impl Recognizer {
    /// The same model, which hears these phrases. A Vosk folder whose graph is in two parts hears,
    /// as in libvosk, what can be put together of their words too, at a price, and its own word
    /// `[unk]` where the list has it. A model of ours hears the phrases alone. As with a grammar
    /// ([`Recognizer::with_grammar`]) nothing is rescored, and no confidence is known.
    ///
    /// # Errors
    /// The model takes no phrases, knows none of their words, or a file of it cannot be read.
    pub fn with_phrases(&self, phrases: &[String]) -> Result<Recognizer, RecognizerError> {
        if let Some(vosk) = self.vosk() {
            let graph = vosk.graph_of_phrases(phrases)?;
            return Ok(self.hearing(graph, &format!("{phrases:?}")));
        }
        let listed: Vec<&str> =
            phrases.iter().map(String::as_str).filter(|phrase| *phrase != ANY_OTHER).collect();
        self.with_grammar(&Grammar::parse(&listed.join("\n"), "the list of phrases")?)
    }

    /// Whether [`Recognizer::with_phrases`] makes these the only words, as with Vosk folders.
    pub fn is_of_vosk(&self) -> bool {
        self.vosk().is_some()
    }

    /// The folder, where it is one of Vosk's.
    pub(super) fn vosk(&self) -> Option<VoskFolder> {
        VoskFolder::find(&self.folder).filter(|_| !Model::is_in(&self.folder))
    }

    /// The same model with another graph of its own words.
    pub(super) fn hearing(&self, graph: Graph, made_of: &str) -> Recognizer {
        let base = self.without_words.as_ref().unwrap_or(&self.model);
        let model = Model {
            graph: Arc::new(graph),
            own: None,
            second_look: None,
            rescoring: None,
            ..base.clone()
        };
        let mut varied = self.varied(model, made_of);
        (varied.calibration, varied.made_for.calibration) = (Calibration::default(), None);
        varied
    }
}
