//! Why a model could not be opened or a recording not be recognised.

use std::path::PathBuf;

use crate::acoustic::AcousticError;
use crate::audio::AudioError;
use crate::confidence::CalibrationError;
use crate::decode::DecodeError;
use crate::feature::FeatureError;
use crate::gate::GateError;
use crate::graph::compile::CompileError;
use crate::graph::ngram::NgramError;
use crate::graph::{GrammarError, GraphError, TextError};
use crate::kaldi::KaldiError;
use crate::language::LanguageError;

use super::versions::VersionsError;

/// A model that cannot be used, or a recording that cannot be recognised with it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecognizerError {
    /// There is no model in the folder.
    #[error(
        "{} holds neither model.json nor Vosk's am/final.mdl and conf/model.conf: name a model's folder, such as \
         models/en",
        folder.display()
    )]
    NoModel {
        /// The folder that was named.
        folder: PathBuf,
    },
    /// A file of the model or of the cache could not be read or written.
    #[error("{} cannot be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// No file could be made, neither in the cache nor in the temporary folder.
    #[error("no temporary file can be made: free some space or set TMPDIR")]
    NoSpace(#[from] std::io::Error),
    /// The model's parts do not belong together.
    #[error("the model's parts do not fit: {what}; copy the whole folder again")]
    Mismatch {
        /// What disagrees.
        what: String,
    },
    /// Nobody can tell how a listed word is said.
    #[error(
        "how \"{word}\" is said cannot be told from its letters: write it as it is spoken, or give its phones after a tab, as in \
         `{word}<TAB>EH N`"
    )]
    Unpronounceable {
        /// The word.
        word: String,
    },
    /// A listed word is said with a phone that the model lacks.
    #[error("\"{word}\" is said with {phone}, which is none of the model's phones: {phones}")]
    UnknownPhone {
        /// The word.
        word: String,
        /// The phone.
        phone: String,
        /// Those there are.
        phones: String,
    },
    /// The recording cannot be brought to the model's sample rate.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The features cannot be computed as the model asks.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// The network or its description cannot be used.
    #[error(transparent)]
    Acoustic(#[from] AcousticError),
    /// The speech gate cannot be used.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The decoding graph cannot be used.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The words or their pronunciations cannot be read.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A grammar cannot be used.
    #[error(transparent)]
    Grammar(#[from] GrammarError),
    /// An n-gram cannot be used.
    #[error(transparent)]
    Ngram(#[from] NgramError),
    /// The neural language model cannot be used.
    #[error(transparent)]
    Language(#[from] LanguageError),
    /// The graph cannot be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The model's versions cannot be read.
    #[error(transparent)]
    Versions(#[from] VersionsError),
    /// The model's calibration cannot be read.
    #[error(transparent)]
    Calibration(#[from] CalibrationError),
    /// A Vosk folder cannot be used.
    #[error(transparent)]
    Kaldi(#[from] KaldiError),
    /// The search options are out of range, or the scores cannot be searched.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}
