//! What a search tells whoever remembers it: the tokens of each frame, and every step along an arc.
//!
//! The search itself keeps costs alone. A recorder keeps what the answer is made of: word histories,
//! for the best path, or all links, for a lattice.

use crate::graph::GraphView;

use super::branch::BranchView;
use super::link::Step;
use super::tokens::{Arrival, TokenSet};

/// What is remembered of a search: word histories ([`History`](super::history::History)) or all
/// links ([`Links`](super::links::Links)).
pub(super) trait Recorder {
    /// An utterance begins, with one token; whether branches `compete`, so that they are asked for.
    fn begin(&mut self, compete: bool);
    /// The tokens of a frame are final, those up to `cutoff` will be expanded; `frame` is the
    /// number of frames consumed so far.
    fn open_frame(&mut self, graph: &GraphView<'_>, tokens: &TokenSet, cutoff: f32, frame: u32);
    /// The branches of the tokens of the open frame; of no use where they do not compete.
    fn branches(&self) -> BranchView<'_>;
    /// What steps from this token will carry; `frame` is the number of frames consumed so far.
    fn source(&mut self, graph: &GraphView<'_>, token: u32, frame: u32) -> u32;
    /// A step to a token of the next frame, which `cost` arrives at and which now costs `held`.
    fn emitting(&mut self, step: Step, arrival: Arrival, cost: f32, held: f32);
    /// All emitting steps of a frame are done; the tokens written become those read.
    fn close_frame(&mut self);
    /// A step within the frame, to a token which `cost` arrives at and which now costs `held`.
    fn epsilon(&mut self, step: Step, arrival: Arrival, cost: f32, held: f32);
}
