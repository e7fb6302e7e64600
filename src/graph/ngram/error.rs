//! What can be wrong with an n-gram model, by what the caller can do about it.

use std::path::{Path, PathBuf};

use crate::graph::TextError;
use crate::graph::container::Fault;

/// Why an n-gram model could not be read, packed or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NgramError {
    /// The file could not be opened, read or written.
    #[error("{path} cannot be read or written")]
    Io {
        /// The file concerned.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is not a packed n-gram at all.
    #[error("{path}: not a packed n-gram; pack an ARPA file with `paretone lm pack`")]
    NotAnNgram {
        /// The file concerned.
        path: PathBuf,
    },
    /// The file is of another version of the format.
    #[error(
        "{path}: n-gram format {found}, this program reads {supported}; pack the ARPA file again"
    )]
    Version {
        /// The file concerned.
        path: PathBuf,
        /// The version the file states.
        found: u32,
        /// The version this program reads.
        supported: u32,
    },
    /// The file is damaged or was cut short.
    #[error("{path}: damaged n-gram ({what}); fetch it or pack it again")]
    Corrupt {
        /// The file concerned.
        path: PathBuf,
        /// What disagrees.
        what: String,
    },
    /// An ARPA file or word table is not what it should be.
    #[error(transparent)]
    Text(#[from] TextError),
    /// An ARPA file has none of something that a recogniser's model needs.
    #[error("{name} has no {what}; {remedy}")]
    Lacks {
        /// The file concerned.
        name: String,
        /// What is missing.
        what: &'static str,
        /// How to get it.
        remedy: &'static str,
    },
    /// The model has more of something than the format holds.
    #[error("n-gram too large: {found} {what}, the format holds {limit}; estimate a smaller one")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many fit.
        limit: usize,
    },
    /// An n-gram stands twice in the ARPA file.
    #[error("the {order}-gram \"{words}\" stands twice in the ARPA file")]
    Duplicate {
        /// Its length.
        order: usize,
        /// Its words.
        words: String,
    },
}

impl NgramError {
    /// What is wrong with the file at a path.
    pub(super) fn of(fault: Fault, path: &Path) -> NgramError {
        let path = path.to_owned();
        match fault {
            Fault::Io(source) => NgramError::Io { path, source },
            Fault::Foreign => NgramError::NotAnNgram { path },
            Fault::Version { found, supported } => NgramError::Version { path, found, supported },
            Fault::Corrupt(what) => NgramError::Corrupt { path, what },
        }
    }
}
