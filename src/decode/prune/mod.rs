//! Pruning: which tokens are expanded, and which of their expansions are kept.
//!
//! Six knobs, {beam, top-N} × {local, global, network}, after Halpern et al., "One size does not
//! fit all", ISPASS 2019, section III-A, and a budget. Each is off at infinity, and all off is
//! exact Viterbi search.
//!
//! - *local*: the expansions of one hypothesis compete with each other (`local`);
//! - *global*: the hypotheses of one branch, that is with the same last word, compete with each
//!   other (`global`);
//! - *network*: all hypotheses of a frame compete with each other (`network`).

mod global;
mod local;
mod network;

use super::branch::BranchView;
use super::error::DecodeError;
use super::knob::{Knob, Pruning};

pub(super) use local::Expansion;
pub(super) use network::{Cutoff, Pruner};

/// The cost and the branch of each token of a frame. Branches are read only if they compete.
#[derive(Clone, Copy)]
pub(super) struct FrameTokens<'a> {
    pub costs: &'a [f32],
    pub branches: BranchView<'a>,
}

impl Pruning {
    /// Checks that every knob is in its range.
    ///
    /// # Errors
    /// [`DecodeError::BadPruning`] names the first that is not.
    pub fn validate(&self) -> Result<(), DecodeError> {
        let bad = |knob: &Knob| !knob.allows(self.get(*knob));
        match Knob::ALL.into_iter().find(bad) {
            Some(knob) => Err(DecodeError::BadPruning { knob, value: self.get(knob) }),
            None => Ok(()),
        }
    }

    /// Whether global pruning can drop anything. A global beam at least as wide as the network beam
    /// drops no token that the network beam keeps.
    pub(super) fn has_global(&self) -> bool {
        self.global_beam.0 < self.network_beam.0 || self.global_top_n < usize::MAX
    }
}
