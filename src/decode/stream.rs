//! A search whose scores come in pieces, and what it makes of them so far.
//!
//! The same search as [`Decoder::decode`], stopped between two frames: a piece of scores is
//! consumed as soon as it is there, and the best path is traced back as often as somebody asks.
//! Only the best path is remembered; a lattice is made of whole utterances.

use super::error::DecodeError;
use super::extremes::lowest_of;
use super::hypothesis::{Event, Word, words_of};
use super::search::{Position, Search};
use super::{Decoder, Scorer, Scratch};
use crate::graph::{WORD_END, WORD_MASK};
use crate::units::{Cost, StateId};

/// A search under way. It owns its memory, about that of an utterance's search, which
/// [`SearchStream::restart`] reuses.
pub struct SearchStream<'g> {
    decoder: Decoder<'g>,
    scratch: Scratch,
    at: Position,
}

/// What the scores so far say.
#[derive(Clone, Debug, PartialEq)]
pub struct SoFar {
    /// The words of the best path. The last may go on.
    pub words: Vec<Word>,
    /// How many of them, from the first, every path agrees on that may go on, being within the network
    /// beam, or end here: they stay, whatever comes.
    pub agreed: usize,
    /// Score frames of silence since the last word ended; all frames where no word began, and none
    /// within a word.
    pub silence: u32,
    /// How much worse than the best path the best one is that may end here, its final cost
    /// included; infinite where none may.
    pub end_margin: Cost,
    /// Score frames consumed.
    pub frames: u32,
}

impl<'g> Decoder<'g> {
    /// A search that takes its scores piece by piece.
    ///
    /// # Errors
    /// [`DecodeError::NegativeLoop`] where the graph has one at its start.
    pub fn stream(&self) -> Result<SearchStream<'g>, DecodeError> {
        let mut stream = SearchStream {
            decoder: self.clone(),
            scratch: Scratch::new(),
            at: Position::default(),
        };
        stream.restart()?;
        Ok(stream)
    }
}

impl SearchStream<'_> {
    /// Forgets everything and begins an utterance.
    ///
    /// # Errors
    /// As [`Decoder::stream`].
    pub fn restart(&mut self) -> Result<(), DecodeError> {
        let Scratch {
            buffers, history, ..
        } = &mut self.scratch;
        let graph = self.decoder.graph;
        let (view, start, pruning) = (graph.view(), graph.start().0, self.decoder.pruning);
        self.at = Search::start(view, start, pruning, buffers, history)?.position();
        Ok(())
    }

    /// Consumes the next frames of scores.
    ///
    /// # Errors
    /// As [`Decoder::decode`]. After an error the search can only be restarted.
    pub fn push(&mut self, scores: &impl Scorer) -> Result<(), DecodeError> {
        self.decoder.check_fit(scores)?;
        let Scratch {
            buffers, history, ..
        } = &mut self.scratch;
        let (view, pruning) = (self.decoder.graph.view(), self.decoder.pruning);
        let mut search = Search::resume(view, pruning, self.at, buffers, history);
        search.consume(scores, None)?;
        self.at = search.position();
        Ok(())
    }

    /// What would have been said if these scores came next. The search itself does not move: it is
    /// a copy of it that hears them.
    ///
    /// # Errors
    /// As [`SearchStream::push`].
    pub fn so_far_with(&self, scores: &impl Scorer) -> Result<SoFar, DecodeError> {
        let mut copy = SearchStream {
            decoder: self.decoder.clone(),
            scratch: self.scratch.clone(),
            at: self.at,
        };
        copy.push(scores)?;
        Ok(copy.so_far())
    }

    /// What was said so far: one trace back, and one pass over what the paths have in common.
    pub fn so_far(&mut self) -> SoFar {
        let end_margin = self.end_margin();
        let Scratch {
            buffers, history, ..
        } = &mut self.scratch;
        let view = self.decoder.graph.view();
        let (states, costs) = (buffers.tokens().states(), &buffers.tokens().costs);
        let frames = self.at.frame;
        let best = (0..costs.len())
            .min_by(|&a, &b| costs[a].total_cmp(&costs[b]))
            .expect("a search that goes on has a token");
        let limit = costs[best] + self.decoder.pruning.network_beam.0;
        let may_end = |state: u32| view.final_cost(StateId(state)) < Cost::IMPOSSIBLE;
        let alive = (0u32..).zip(states.iter().zip(costs));
        let alive = alive.filter(|&(_, (&state, &cost))| cost <= limit || may_end(state));
        let alive = alive.map(|(token, _)| token);
        let (events, agreed) = history.agreed(&view, best as u32, frames, alive);
        let words = words_of(&events, frames);
        let is_word = |event: &&Event| event.label & WORD_MASK != 0;
        SoFar {
            agreed: events[..agreed].iter().filter(is_word).count(),
            silence: trailing_silence(&events, frames),
            end_margin,
            words,
            frames,
        }
    }

    fn end_margin(&self) -> Cost {
        let (graph, tokens) = (self.decoder.graph.view(), self.scratch.buffers.tokens());
        let best = lowest_of(&tokens.costs);
        let ends = tokens.states().iter().zip(&tokens.costs);
        let ends = ends.map(|(&state, cost)| cost + graph.final_cost(StateId(state)).0);
        Cost(ends.fold(f32::INFINITY, f32::min) - best)
    }
}

/// Frames since the silence began that a path ends in.
fn trailing_silence(events: &[Event], frames: u32) -> u32 {
    match events.last() {
        None => frames,
        Some(last) if last.label & WORD_END != 0 => frames - last.frame.min(frames),
        Some(_) => 0,
    }
}
