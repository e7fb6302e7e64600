//! What can be wrong with a Kaldi folder, by what the caller can do about it.

use std::path::{Path, PathBuf};

use crate::acoustic::AcousticError;
use crate::graph::compile::CompileError;
use crate::graph::ngram::NgramError;
use crate::graph::{GraphError, TextError};

/// Why a Kaldi folder could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KaldiError {
    /// A file could not be opened, read or written.
    #[error("{} cannot be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file is damaged, or says what is not supported.
    #[error("{}, at {token}: {what}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The token or option that was read last.
        token: String,
        /// What is wrong there.
        what: String,
    },
    /// The network cannot be used as a chain of layers.
    #[error("{}: {what}", path.display())]
    Network {
        /// The file.
        path: PathBuf,
        /// The node or component, and what about it.
        what: String,
    },
    /// A file cannot be used.
    #[error("{} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<KaldiError>,
    },
    /// A large language model is there without the small one whose place it takes.
    #[error(
        "{} is missing: G.carpa takes the place of the language model in it; add the file, or remove G.carpa",
        path.display()
    )]
    NoSubtracted {
        /// The missing file.
        path: PathBuf,
    },
    /// Phrases or a grammar are wanted of a folder whose graph is not in two parts.
    #[error(
        "{}: its graph is whole (HCLG.fst), so that none can be composed of phrases or a grammar; take a model with graph/HCLr.fst",
        path.display()
    )]
    WholeGraph {
        /// The folder.
        path: PathBuf,
    },
    /// Words of the caller's own are wanted of a folder that says how none is pronounced.
    #[error(
        "{}: a Vosk folder has no lexicon, so that no words can be added; --grammar and phrase_list make those it has the only ones",
        path.display()
    )]
    NoLexicon {
        /// The folder.
        path: PathBuf,
    },
    /// A model knows none of the words that it is to hear, or not all of a grammar's.
    #[error("the model does not know these words, and can hear no others: {words}")]
    UnknownWords {
        /// The words.
        words: String,
    },
    /// The model cannot be said in Kaldi's terms.
    #[error("this model cannot be written as a Kaldi model: {0}")]
    NotExportable(String),
    /// The network or its description cannot be used.
    #[error(transparent)]
    Acoustic(#[from] AcousticError),
    /// The words or their pronunciations cannot be read.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The n-gram cannot be used.
    #[error(transparent)]
    Ngram(#[from] NgramError),
    /// The graph cannot be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The graph cannot be used.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

impl KaldiError {
    /// What the system said of a path.
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        KaldiError::Io { path: path.to_owned(), source }
    }
}
