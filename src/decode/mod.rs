//! Which path is cheapest? Beam search over the graph.
//!
//! A [`Decoder`] is immutable and threads share it; each search writes to a [`Scratch`] of its
//! caller's. Scores come through the trait [`Scorer`], so the search knows nothing of networks: any
//! model can provide them, and tests pass a literal matrix.

mod branch;
mod cancel;
mod compact_lattice;
mod determinize;
mod error;
mod expand;
mod extremes;
mod headroom;
mod history;
mod hypothesis;
mod knob;
mod lattice;
mod link;
mod links;
mod marked;
mod nbest;
mod nearest;
mod numbering;
pub mod oracle;
mod partials;
mod paths;
mod prune;
mod recorder;
mod rescore;
mod reweigh;
mod search;
mod stream;
#[cfg(test)]
pub(crate) mod tests;
mod tokens;
mod word_fit;

pub use cancel::Cancel;
pub use compact_lattice::CompactLattice;
pub use error::DecodeError;
pub use headroom::Headroom;
pub use hypothesis::{CostParts, Effort, Hypothesis, PathCost, Word};
pub use knob::{AtLeast, Knob, KnobEntry, KnobFrames, KnobUnit, Pruning, SweepRange, UnknownKnob};
pub use lattice::{Lattice, LatticeArc, RIVAL};
pub use marked::MarkedSearch;
pub use paths::{Edge, PathGraph};
pub use rescore::{LanguageModel, Rescoring};
pub use reweigh::{HistoryId, Reweighing, SequenceModel};
pub use stream::{SearchStream, SoFar};
pub use word_fit::WordFit;

use crate::graph::Graph;

use history::History;
use hypothesis::words_of;
use lattice::Ends;
use links::Links;
use recorder::Recorder;
use search::{Buffers, End, Search};

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
///
/// ```
/// use ndarray::array;
/// use paretone::decode::{Decoder, Pruning, Scratch};
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
/// // A graph in which word 1 sounds like pdf 0, and word 2 like pdf 1.
/// let decoder = Decoder::new(&graph, Pruning::default())?;
/// let mut scratch = Scratch::new(); // reuse it from utterance to utterance
/// let scores = array![[-0.2, -1.8], [-0.4, -1.1]]; // natural logarithms, frames × pdfs
/// let best = decoder.decode(&scores, &mut scratch)?;
/// assert_eq!(best.words[0].id.0, 1);
/// assert!((best.cost.0 - 0.6).abs() < 1e-4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Decoder<'g> {
    graph: &'g Graph,
    pruning: Pruning,
}

/// The memory that a search writes to. Keep one for each thread and reuse it: once warm, a search
/// allocates nothing per frame.
#[derive(Clone, Default)]
pub struct Scratch {
    buffers: Buffers,
    history: History,
    links: Links,
    /// A token that can stop the searches that use this scratch. Default: none.
    pub cancel: Option<Cancel>,
}

/// Scores, and what may stop their search.
struct Stoppable<'s, S>(&'s S, Option<&'s Cancel>);

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

    /// Returns the cheapest path through the graph that consumes every frame.
    ///
    /// Scores without frames give no words. If no token reaches a final state, the answer is the
    /// path of the best token of the last frame, and [`Hypothesis::reached_final`] is false.
    ///
    /// # Errors
    /// [`DecodeError`] if the scores do not fit the graph, are not numbers, or rule every path out,
    /// and if [`Scratch::cancel`] stops the search.
    pub fn decode(
        &self,
        scorer: &impl Scorer,
        scratch: &mut Scratch,
    ) -> Result<Hypothesis, DecodeError> {
        let Scratch { buffers, history, cancel, .. } = scratch;
        let scorer = Stoppable(scorer, cancel.as_ref());
        let end = self.search(scorer, buffers, history)?;
        let frames = end.effort.frames;
        let events = history.events(&self.graph.view(), end.token, frames);
        Ok(Hypothesis {
            words: words_of(&events, frames),
            cost: PathCost(end.cost),
            parts: None,
            reached_final: end.reached_final,
            frames,
            effort: end.effort,
        })
    }

    /// Returns every path that costs at most [`Pruning::lattice_beam`] more than the best, as far
    /// as pruning kept it.
    ///
    /// # Errors
    /// As [`Decoder::decode`].
    pub fn lattice(
        &self,
        scorer: &impl Scorer,
        scratch: &mut Scratch,
    ) -> Result<Lattice, DecodeError> {
        let Scratch { buffers, links, cancel, .. } = scratch;
        // Finite, so that a token that may not end is beyond it.
        let beam = self.pruning.lattice_beam.0.min(f32::MAX);
        links.prepare(beam, cancel.as_ref());
        let stoppable = Stoppable(scorer, cancel.as_ref());
        let end = self.search(stoppable, buffers, links)?;
        let graph = self.graph.view();
        let ends = buffers.ends(&graph, &end);
        links.finish(ends.iter().map(|&(extra, _)| extra));
        if let Some(cancel) = cancel {
            cancel.check(scorer.num_frames())?;
        }
        let costs = &ends;
        let lattice = Lattice::build(&graph, links, scorer, &Ends { costs, beam });
        Ok(lattice.with_search(&end, buffers.searched(), scorer))
    }

    /// Whether the scores have every pdf that the graph asks for.
    fn check_fit(&self, scorer: &impl Scorer) -> Result<(), DecodeError> {
        let (graph, scores) = (self.graph.num_pdfs(), scorer.num_pdfs());
        match graph > scores {
            true => Err(DecodeError::PdfMismatch { graph, scores }),
            false => Ok(()),
        }
    }

    /// The whole search, noting what `recorder` notes.
    fn search(
        &self,
        Stoppable(scorer, cancel): Stoppable<'_, impl Scorer>,
        buffers: &mut Buffers,
        recorder: &mut impl Recorder,
    ) -> Result<End, DecodeError> {
        self.check_fit(scorer)?;
        let start = self.graph.start().0;
        let view = self.graph.view();
        let mut search = Search::start(view, start, self.pruning, buffers, recorder)?;
        search.consume(scorer, cancel)?;
        if let Some(cancel) = cancel {
            cancel.check(scorer.num_frames())?;
        }
        search.finish()
    }
}
