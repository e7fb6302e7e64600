//! What did it cost and miss? Word error rate and corpora.
//!
//! Reference and hypothesis go through the same [`Normaliser`], [`align()`] counts substitutions,
//! deletions and insertions, [`Tally`] adds them up (micro and macro averages) and [`bootstrap()`]
//! says how far another draw of speakers could have moved the result. [`corpus`] reads the layouts
//! that speech corpora come in.

pub mod align;
pub mod bootstrap;
pub mod confidence_measures;
pub mod corpus;
pub mod judge;
pub mod normalise;
#[cfg(feature = "report")]
pub mod page;
pub mod pareto;
#[cfg(feature = "report")]
pub mod plot;
#[cfg(feature = "report")]
pub mod plot_tiers;
mod quantile;
#[cfg(feature = "report")]
pub mod report;
pub mod significance;
#[cfg(feature = "report")]
pub mod table;
#[cfg(feature = "report")]
pub mod tier_study;
pub mod transcripts;
#[cfg(feature = "report")]
pub mod versions;
pub mod wer;

pub use align::{Alignment, AlignmentRule, Edit, align};
pub use bootstrap::{BootstrapOptions, Interval, bootstrap};
pub use judge::{Judged, Judging};
pub use normalise::Normaliser;
pub use quantile::quantile;
pub use wer::{ErrorCounts, Scored, Tally, disagreement};

use std::path::PathBuf;

use thiserror::Error;

/// Why a corpus, transcripts or an alignment could not be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EvalError {
    /// A file or folder could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A text file is larger than any transcript or manifest should be.
    #[error("{path} has more than {limit} bytes; is it a list of transcripts?")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest size accepted.
        limit: u64,
    },
    /// A line is not what the format asks for.
    #[error("{path}, line {line}: {problem}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A folder or file has none of the known corpus layouts.
    #[error(
        "{0} is no corpus: expected a manifest .tsv, a VoxForge submission (etc/PROMPTS), LibriSpeech folders (*.trans.txt), Common Voice (validated.tsv) or a Kaldi data directory (wav.scp and text)"
    )]
    UnknownLayout(PathBuf),
    /// An utterance id occurs twice in a file.
    #[error("{path}: utterance `{id}` occurs twice")]
    Duplicate {
        /// The file.
        path: PathBuf,
        /// The id.
        id: String,
    },
    /// Two texts are too long to align.
    #[error(
        "texts of {reference} and {hypothesis} words are too long to align; split them into utterances"
    )]
    TooLong {
        /// Words of the reference.
        reference: usize,
        /// Words of the hypothesis.
        hypothesis: usize,
    },
}
