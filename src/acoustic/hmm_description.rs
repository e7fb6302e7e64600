//! The phones and their distributions, as `model.json` describes them.

use serde::{Deserialize, Serialize};

/// The phone set and its tied distributions (`hmm` of `model.json`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HmmDescription {
    /// Phone names; a phone's id is its position.
    pub phones: Vec<String>,
    /// Name of the silence phone, the left context at the start of an utterance.
    pub silence: String,
    /// Name of the phone that stands for words outside the lexicon.
    pub unknown: String,
    /// Number of distributions, the network's output dimension.
    pub pdfs: usize,
    /// Which context selects a distribution; `left-biphone` is the only one.
    pub context: String,
}
