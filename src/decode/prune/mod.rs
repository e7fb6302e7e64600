//! All pruning of the search: which tokens go on, which expansions are kept.
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

use crate::units::Cost;

use super::branch::BranchView;
use super::error::DecodeError;

pub(super) use local::Expansion;
pub(super) use network::{Cutoff, Pruner};

/// The tokens of a frame, as pruning sees them: by token, its cost and its branch. Branches are read
/// only if they compete.
#[derive(Clone, Copy)]
pub(super) struct FrameTokens<'a> {
    pub costs: &'a [f32],
    pub branches: BranchView<'a>,
}

/// How much of the search space is given up for speed. Larger values are slower and more accurate,
/// without exception.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pruning {
    /// A token goes on if it costs at most this much more than the best of its frame; ≥ 0, default
    /// 13.
    pub network_beam: Cost,
    /// At most so many tokens of a frame go on (more only if they tie with the last); ≥ 1, default
    /// 7000.
    pub network_top_n: usize,
    /// A token goes on if it costs at most this much more than the best of its branch, which are
    /// the tokens of its frame with the same last word; ≥ 0, default infinity.
    pub global_beam: Cost,
    /// At most so many tokens of a branch go on; of equals, those made first; ≥ 1, default
    /// `usize::MAX`.
    pub global_top_n: usize,
    /// An emitting expansion of a token is kept if it costs at most this much more than the token's
    /// best; ≥ 0, default infinity.
    pub local_beam: Cost,
    /// At most so many emitting expansions of a token are kept; of equals, the earlier arcs; ≥ 1,
    /// default `usize::MAX`.
    pub local_top_n: usize,
    /// Tokens are expanded best first until so many arcs of the frame have been looked at; ≥ 1,
    /// default `usize::MAX`. It bounds the work on noise and foreign speech, where beams do not.
    pub arc_budget: usize,
    /// A lattice keeps what lies on a path at most this much worse than the best; ≥ 0, default 8.
    /// Searches for the best path alone do not read it.
    pub lattice_beam: Cost,
}

impl Default for Pruning {
    fn default() -> Self {
        Pruning {
            network_beam: Cost(13.0),
            network_top_n: 7000,
            lattice_beam: Cost(8.0),
            ..Pruning::OFF
        }
    }
}

impl Pruning {
    /// Exact search: nothing is pruned.
    pub const OFF: Pruning = Pruning {
        network_beam: Cost::IMPOSSIBLE,
        network_top_n: usize::MAX,
        global_beam: Cost::IMPOSSIBLE,
        global_top_n: usize::MAX,
        local_beam: Cost::IMPOSSIBLE,
        local_top_n: usize::MAX,
        arc_budget: usize::MAX,
        lattice_beam: Cost::IMPOSSIBLE,
    };

    /// Checks that every knob means something.
    ///
    /// # Errors
    /// [`DecodeError::BadPruning`] names the first that does not.
    pub fn validate(&self) -> Result<(), DecodeError> {
        let beams = [
            ("network_beam", self.network_beam),
            ("global_beam", self.global_beam),
            ("local_beam", self.local_beam),
            ("lattice_beam", self.lattice_beam),
        ];
        let counts = [
            ("network_top_n", self.network_top_n),
            ("global_top_n", self.global_top_n),
            ("local_top_n", self.local_top_n),
            ("arc_budget", self.arc_budget),
        ];
        let beam = beams
            .iter()
            .find(|(_, beam)| beam.0.is_nan() || beam.0 < 0.0);
        let count = counts.iter().find(|&&(_, count)| count == 0);
        let bad = beam.map(|&(knob, beam)| (knob, f64::from(beam.0)));
        match bad.or(count.map(|&(knob, _)| (knob, 0.0))) {
            Some((knob, value)) => Err(DecodeError::BadPruning { knob, value }),
            None => Ok(()),
        }
    }

    /// Whether the tokens of one branch compete with each other: a beam no narrower than the
    /// network's drops nothing that the network's does not.
    pub(super) fn has_global(&self) -> bool {
        self.global_beam.0 < self.network_beam.0 || self.global_top_n < usize::MAX
    }
}
