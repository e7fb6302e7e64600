//! Graphs in two parts: `HCLr.fst`, from transitions to words, and `Gr.fst`, which says how words
//! follow each other. libvosk composes them as it searches; here that is done once.
//!
//! The words were numbered anew so that looking ahead is cheap, and `Gr.fst` alone tells their
//! names. `disambig_tid.int` lists the labels of `HCLr.fst` that are no transitions and read
//! nothing.

use tracing::info;

use super::boundaries::Boundaries;
use super::folder::VoskFolder;
use super::transitions::TransitionModel;
use super::{KaldiError, read};
use crate::graph::{Automaton, Graph, LookAhead, WordTable};
use crate::units::PdfId;

/// The lexicon's part.
pub(super) const LEXICON: &str = "HCLr.fst";
/// The language model's part.
pub(super) const LANGUAGE: &str = "Gr.fst";
/// The labels that read nothing.
pub(super) const SILENT: &str = "disambig_tid.int";

impl VoskFolder {
    /// Whether the graph is in two parts; where there is a whole one, that counts.
    pub(super) fn is_in_parts(&self) -> bool {
        !self.graph("HCLG.fst").is_file() && self.graph(LEXICON).is_file()
    }

    /// Composes the graph of its two parts.
    pub(super) fn composed(&self, transitions: &TransitionModel) -> Result<Graph, KaldiError> {
        let language = self.graph(LANGUAGE);
        let (language, _) = Automaton::open(&language).map_err(|error| of(&language, error))?;
        self.composed_with(transitions, &language.sorted_by_input())
    }

    /// Composes the lexicon with a language model, in order of its inputs.
    pub(super) fn composed_with(
        &self,
        transitions: &TransitionModel,
        language: &Automaton,
    ) -> Result<Graph, KaldiError> {
        let path = self.graph(LEXICON);
        let lexicon = LookAhead::open(&path).map_err(|error| of(&path, error))?;
        info!(
            "composing {} of {} arcs with a language model of {}",
            path.display(),
            lexicon.automaton.arcs().len(),
            language.arcs().len(),
        );
        let silent = self.silent_labels()?;
        let marks = Boundaries::open(&self.word_boundary())?.of_all(transitions);
        let graph = Graph::composed(&lexicon, language, &silent, |label| {
            let transition = transitions.get(label)?;
            Some((PdfId(transition.pdf), marks[label as usize - 1]))
        });
        graph.map_err(|error| of(&path, error))
    }

    /// The words that the language model names, if it does.
    pub(super) fn words_of_language(&self) -> Result<Option<WordTable>, KaldiError> {
        let path = self.graph(LANGUAGE);
        let symbols = Automaton::symbols(&path).map_err(|error| of(&path, error))?;
        let name = path.display().to_string();
        Ok(symbols.map(|symbols| WordTable::of_numbers(symbols, &name)).transpose()?)
    }

    fn silent_labels(&self) -> Result<Vec<u32>, KaldiError> {
        let path = self.graph(SILENT);
        let bytes = read(&path)?;
        let text = String::from_utf8_lossy(&bytes);
        let labels = text.split_whitespace().map(|label| {
            label.parse().map_err(|_| KaldiError::Format {
                path: path.clone(),
                token: label.to_owned(),
                what: "it is no label of the graph; the file lists whole numbers".into(),
            })
        });
        labels.collect()
    }
}

/// An error of a file.
fn of(path: &std::path::Path, error: crate::graph::GraphError) -> KaldiError {
    KaldiError::File { path: path.to_owned(), source: Box::new(error.into()) }
}
