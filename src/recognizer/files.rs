//! The files of a model's folder that the recogniser reads, and what of its description goes into
//! the graph.

use std::fs;
use std::path::Path;

use super::RecognizerError;
use crate::acoustic::DecodeDefaults;
use crate::graph::compile::CompileOptions;
use crate::units::Cost;

/// The vocabulary: line n is the word of id n.
pub(super) const WORDS: &str = "words.txt";
/// The pronunciations.
pub(super) const LEXICON: &str = "lexicon.txt";
/// The n-gram that goes into the graph.
pub(super) const GRAPH_NGRAM: &str = "graph.ngram";
/// The larger n-gram that rescores; a model may lack it.
pub(super) const RESCORING_NGRAM: &str = "rescore.ngram";

/// The neural language model; a model may lack it.
pub(super) const NEURAL: &str = "neural.safetensors";

/// The bytes of a file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, RecognizerError> {
    fs::read(path).map_err(|source| RecognizerError::Io { path: path.to_owned(), source })
}

/// The weights of the graph that are neither in the lexicon nor in the n-gram.
pub(super) fn compile_options(settings: &DecodeDefaults) -> CompileOptions {
    CompileOptions {
        word_penalty: Cost(settings.word_penalty),
        silence_probability: settings.silence_probability,
    }
}
