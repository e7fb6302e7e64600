//! A search whose scores come in pieces, and what it makes of them so far.
//!
//! This is the search of [`Decoder::decode`], suspended between two frames. It consumes each piece
//! of scores as it arrives, and traces the best path back whenever the caller asks. It remembers
//! the best path alone; lattices need the whole utterance.

use super::error::DecodeError;
use super::extremes::lowest_of;
use super::hypothesis::{Event, Word, words_of};
use super::search::{Position, Search};
use super::{Decoder, Scorer, Scratch};
use crate::graph::{WORD_END, WORD_MASK};
use crate::units::{Cost, StateId};

/// A search whose scores arrive in pieces. It owns its buffers, about as large as those of an
/// utterance's search, and [`SearchStream::restart`] reuses them.
///
/// ```
/// use ndarray::array;
/// use paretone::decode::{Decoder, Pruning};
/// # use paretone::graph::GraphBuilder;
/// # use paretone::units::{Cost, PdfId};
/// # let mut builder = GraphBuilder::new();
/// # let [start, one, two] = [(); 3].map(|()| builder.add_state());
/// # builder.set_start(start);
/// # for (word, state) in [(1, one), (2, two)] {
/// #     builder.set_final(state, Cost::FREE);
/// #     builder.add_arc(start, Some(PdfId(word - 1)), word, Cost::FREE, state);
/// #     builder.add_arc(state, Some(PdfId(word - 1)), 0, Cost::FREE, state);
/// # }
/// # let graph = builder.build()?;
///
/// let decoder = Decoder::new(&graph, Pruning::default())?;
/// let mut search = decoder.stream()?;
/// search.push(&array![[-0.5, -0.4]])?;
/// assert_eq!(search.so_far().words[0].id.0, 2);
/// search.push(&array![[-0.1, -9.0]])?; // what comes next may change the answer
/// assert_eq!(search.so_far().words[0].id.0, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SearchStream<'g> {
    decoder: Decoder<'g>,
    scratch: Scratch,
    at: Position,
}

/// What the scores so far say.
#[derive(Clone, Debug, PartialEq)]
pub struct SoFar {
    /// The words of the best path. The last one may be unfinished.
    pub words: Vec<Word>,
    /// Number of leading words that are certain: every path that can still win agrees on them, that
    /// is every path that network pruning keeps and every path that can end at this frame.
    pub agreed: usize,
    /// Score frames of silence since the last word ended: all frames if no word has begun, 0 inside
    /// a word.
    pub silence: u32,
    /// Extra cost of the cheapest path that can end at this frame, final cost included, over the
    /// best path. Infinite if no active state is final.
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
        let Scratch { buffers, history, .. } = &mut self.scratch;
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
        let Scratch { buffers, history, .. } = &mut self.scratch;
        let (view, pruning) = (self.decoder.graph.view(), self.decoder.pruning);
        let mut search = Search::resume(view, pruning, self.at, buffers, history);
        search.consume(scores, None)?;
        self.at = search.position();
        Ok(())
    }

    /// Returns what [`SearchStream::so_far`] would return if these scores came next. The search
    /// itself does not advance: the scores are consumed by a copy of it.
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

    /// Returns the best path so far, and how much of it is certain. The cost is one trace back and
    /// one pass over the history that the active paths share.
    pub fn so_far(&mut self) -> SoFar {
        let end_margin = self.end_margin();
        let Scratch { buffers, history, .. } = &mut self.scratch;
        let view = self.decoder.graph.view();
        let cut = buffers.cutoff(&self.decoder.pruning);
        let cut = cut.expect("a search that goes on has a token");
        let (states, costs) = (buffers.tokens().states(), &buffers.tokens().costs);
        let frames = self.at.frame;
        let may_end = |state: u32| view.final_cost(StateId(state)) < Cost::IMPOSSIBLE;
        let alive = (0u32..).zip(states.iter().zip(costs));
        let alive = alive.filter(|&(_, (&state, &cost))| cost <= cut.cost || may_end(state));
        let alive = alive.map(|(token, _)| token);
        let (events, agreed) = history.agreed(&view, cut.best as u32, frames, alive);
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
