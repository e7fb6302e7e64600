//! Why an utterance could not be decoded.

use super::knob::Knob;

/// What went wrong in a search.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The graph consumes pdfs that the scores do not have.
    #[error(
        "the graph needs {graph} pdfs, the scores have {scores}: they belong to different models"
    )]
    PdfMismatch {
        /// Columns the graph refers to.
        graph: usize,
        /// Columns the scores have.
        scores: usize,
    },
    /// A score is NaN or plus infinity.
    #[error("score of pdf {pdf} at frame {frame} is {score}: not a log likelihood")]
    BadScore {
        /// Frame index.
        frame: usize,
        /// Column.
        pdf: usize,
        /// The offending value.
        score: f32,
    },
    /// Every path of the graph ended before the utterance did.
    #[error("no path of the graph goes past frame {frame}: the scores there rule every arc out")]
    DeadEnd {
        /// The first frame that no path consumes.
        frame: usize,
    },
    /// Epsilon arcs form a loop of negative cost.
    #[error("the epsilon arcs of the graph form a loop of negative cost (met at frame {frame})")]
    NegativeLoop {
        /// Frames consumed so far.
        frame: usize,
    },
    /// The search was told to stop, or ran into its deadline.
    #[error("cancelled before frame {frame}")]
    Cancelled {
        /// The first frame that was not searched; the number of frames where all were, and what
        /// follows the search was not done.
        frame: usize,
    },
    /// A pruning value that means nothing.
    #[error("pruning: {knob} is {value}; beams are zero or more, counts one or more")]
    BadPruning {
        /// The knob.
        knob: Knob,
        /// Its value.
        value: f64,
    },
}
