//! Which path is cheapest? Beam search over the graph.
//!
//! [`Decoder`] is immutable and shared between threads; what a search writes to is its caller's
//! [`Scratch`]. Scores come through [`Scorer`], so the search knows no network and tests pass a
//! literal matrix.

mod error;
mod history;
mod hypothesis;
mod lattice;
mod links;
pub mod oracle;
mod prune;
mod rescore;
mod search;
#[cfg(test)]
mod tests;
mod tokens;

pub use error::DecodeError;
pub use hypothesis::{CostParts, Effort, Hypothesis, PathCost, Word};
pub use lattice::{Lattice, LatticeArc};
pub use prune::Pruning;
pub use rescore::{LanguageModel, Rescoring};

use crate::graph::Graph;

use history::History;
use hypothesis::words_of;
use lattice::Ends;
use links::Links;
use search::{Buffers, Search};

/// Scores of an utterance: natural logarithms of (pseudo-)likelihoods, larger is better.
pub trait Scorer {
    /// Number of frames.
    fn num_frames(&self) -> usize;
    /// Number of columns.
    fn num_pdfs(&self) -> usize;
    /// The scores of a frame, one for each pdf. Minus infinity rules a pdf out; NaN and plus
    /// infinity are errors.
    fn frame(&self, frame: usize) -> &[f32];
}

impl Scorer for ndarray::Array2<f32> {
    fn num_frames(&self) -> usize {
        self.nrows()
    }

    fn num_pdfs(&self) -> usize {
        self.ncols()
    }

    fn frame(&self, frame: usize) -> &[f32] {
        let row = self.row(frame);
        row.to_slice().expect("score matrices are in row order")
    }
}

/// A search over one graph with one setting of pruning.
#[derive(Clone, Debug)]
pub struct Decoder<'g> {
    graph: &'g Graph,
    pruning: Pruning,
}

/// The memory a search writes to. Keep one a thread and reuse it: once warm, a search does not
/// allocate per frame.
#[derive(Default)]
pub struct Scratch {
    buffers: Buffers,
    history: History,
    links: Links,
}

impl Scratch {
    /// Empty buffers, which grow with the first utterance.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<'g> Decoder<'g> {
    /// A decoder over `graph`.
    ///
    /// # Errors
    /// [`DecodeError::BadPruning`] if a knob is negative, zero where it counts, or NaN.
    pub fn new(graph: &'g Graph, pruning: Pruning) -> Result<Self, DecodeError> {
        pruning.validate()?;
        Ok(Decoder { graph, pruning })
    }

    /// The cheapest path through the graph that consumes every frame.
    ///
    /// No frames give no words. If no token reaches a final state, the best token of the last frame
    /// is taken and
    /// [`Hypothesis::reached_final`] is false.
    ///
    /// # Errors
    /// [`DecodeError`] if the scores do not fit the graph, are not numbers, or rule every path out.
    pub fn decode(
        &self,
        scorer: &impl Scorer,
        scratch: &mut Scratch,
    ) -> Result<Hypothesis, DecodeError> {
        let Scratch {
            buffers, history, ..
        } = scratch;
        let mut search = self.start(scorer, buffers, history)?;
        for frame in 0..scorer.num_frames() {
            search.advance(scorer.frame(frame))?;
        }
        let end = search.finish()?;
        let frames = search.frame;
        let events = search.recorder.events(&search.graph, end.token, frames);
        Ok(Hypothesis {
            words: words_of(&events, frames),
            cost: PathCost(end.cost),
            parts: None,
            reached_final: end.reached_final,
            frames,
            effort: search.effort,
        })
    }

    /// All paths at most [`Pruning::lattice_beam`] worse than the best, as far as pruning left
    /// them.
    ///
    /// # Errors
    /// As [`Decoder::decode`].
    pub fn lattice(
        &self,
        scorer: &impl Scorer,
        scratch: &mut Scratch,
    ) -> Result<Lattice, DecodeError> {
        let Scratch { buffers, links, .. } = scratch;
        links.set_beam(self.pruning.lattice_beam.0);
        let mut search = self.start(scorer, buffers, links)?;
        for frame in 0..scorer.num_frames() {
            search.advance(scorer.frame(frame))?;
        }
        let end = search.finish()?;
        let ends = search.ends(&end);
        search.recorder.finish(ends.iter().map(|&(extra, _)| extra));
        let last = Ends {
            costs: &ends,
            beam: self.pruning.lattice_beam.0,
        };
        let lattice = Lattice::build(&search.graph, search.recorder, scorer, &last);
        Ok(lattice.with_outcome(end.reached_final, search.effort))
    }

    fn start<'a, R: search::Recorder>(
        &self,
        scorer: &impl Scorer,
        buffers: &'a mut Buffers,
        recorder: &'a mut R,
    ) -> Result<Search<'a, R>, DecodeError>
    where
        'g: 'a,
    {
        let (graph, scores) = (self.graph.num_pdfs(), scorer.num_pdfs());
        if graph > scores {
            return Err(DecodeError::PdfMismatch { graph, scores });
        }
        let start = self.graph.start().0;
        Search::start(self.graph.view(), start, self.pruning, buffers, recorder)
    }
}
