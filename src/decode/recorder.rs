//! What a search tells whoever remembers it: the tokens of each frame, and every step along an arc.
//!
//! The search itself keeps costs alone. A recorder keeps what the answer is made of: word
//! histories, for the best path, or all links, for a lattice.

use crate::graph::GraphView;

use super::branch::BranchView;
use super::link::Step;
use super::tokens::{Arrival, TokenSet};

/// What is remembered of a search: word histories ([`History`](super::history::History)) or all
/// links ([`Links`](super::links::Links)).
pub(super) trait Recorder {
    /// Begins an utterance, with one token. `compete` says whether global pruning will ask for
    /// branches.
    fn begin(&mut self, compete: bool);
    /// The tokens of a frame are final, those up to `cutoff` will be expanded; `frame` is the
    /// number of frames consumed so far.
    fn open_frame(&mut self, graph: &GraphView<'_>, tokens: &TokenSet, cutoff: f32, frame: u32);
    /// The branches of the tokens of the open frame; meaningless unless branches compete.
    fn branches(&self) -> BranchView<'_>;
    /// Returns what steps from this token carry as their source; `frame` is the number of frames
    /// consumed so far.
    fn source(&mut self, graph: &GraphView<'_>, token: u32, frame: u32) -> u32;
    /// Notes a step to a token of the next frame. The step arrives with `cost`; the token now costs
    /// `held`, which may be less.
    fn emitting(&mut self, step: Step, arrival: Arrival, cost: f32, held: f32);
    /// Ends the emitting steps of a frame: the next frame becomes the current one.
    fn close_frame(&mut self);
    /// Notes a step along an epsilon arc, to a token of the same frame; costs as above.
    fn epsilon(&mut self, step: Step, arrival: Arrival, cost: f32, held: f32);
}
