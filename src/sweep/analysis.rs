//! Why an answer is wrong: by comparing it, its lattice and its cost with what was said.

use crate::recognizer::{
    Recognizer, RecognizerError, RecognizerScratch, ReferenceCost, References, ScoredAudio,
    Setting, Transcript,
};
use crate::units::WordId;

/// What is known of an utterance by comparing with its reference, beyond the errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Analysis {
    /// Reference words that cannot be recognised.
    pub oov: u32,
    /// The reference's own path costs less than the answer: the search missed it.
    pub search_error: bool,
    /// The least errors that any path of the lattice has.
    pub lattice_errors: u32,
}

/// How much cheaper than the answer a reference must be to count as missed: what back-off arcs,
/// which may undercut an explicit n-gram, and rounded costs can make up.
const MISSED: f64 = 0.1;

/// Compares an answer with what was said, by its words' ids ([`References::ids`]).
///
/// # Errors
/// The scores cannot be searched.
pub fn analyse(
    (recognizer, references): (&Recognizer, &References<'_>),
    (setting, scored, transcript): (&Setting, &ScoredAudio, &Transcript),
    words: &[WordId],
    scratch: &mut RecognizerScratch,
) -> Result<Analysis, RecognizerError> {
    let lattice = recognizer.lattice_errors(setting, scored, words, scratch)?;
    let mut analysis = Analysis { lattice_errors: lattice.unwrap_or(0), ..Analysis::default() };
    match references.cost(scored, words, setting)? {
        ReferenceCost::Cost(cost) => {
            analysis.search_error = cost.0 + MISSED < transcript.cost.0;
        }
        ReferenceCost::OutOfVocabulary(count) => analysis.oov = count,
        ReferenceCost::Unknown => {}
    }
    Ok(analysis)
}
