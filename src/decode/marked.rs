//! Which of the last frames does the best path so far spend in pdfs of one kind, silence for
//! example?
//!
//! Each token carries the answer for the last frames of its own path, one bit a frame. So nothing
//! is traced back, and memory does not grow with the utterance.

use super::branch::BranchView;
use super::error::DecodeError;
use super::extremes::lowest_of;
use super::link::Step;
use super::recorder::Recorder;
use super::search::{Buffers, Position, Search};
use super::tokens::{Arrival, TokenSet};
use super::{Decoder, Scorer};
use crate::graph::GraphView;

/// No arc: the token at the start.
const NONE: u32 = u32::MAX;

/// A search whose scores arrive in pieces, and which says in which of the last frames its best path
/// so far has a marked pdf. It is the memory of the search alone: reuse it, and give it the same
/// decoder from the beginning to the end of an utterance.
///
/// ```
/// use ndarray::array;
/// use paretone::decode::{Decoder, MarkedSearch, Pruning};
/// # use paretone::graph::GraphBuilder;
/// # use paretone::units::{Cost, PdfId};
/// # let mut builder = GraphBuilder::new();
/// # let state = builder.add_state();
/// # builder.set_start(state);
/// # builder.set_final(state, Cost::FREE);
/// # builder.add_arc(state, Some(PdfId(0)), 1, Cost::FREE, state);
/// # builder.add_arc(state, Some(PdfId(1)), 2, Cost::FREE, state);
/// # let graph = builder.build()?;
///
/// // A graph in which word 1 sounds like pdf 0, which is marked, and word 2 like pdf 1.
/// let decoder = Decoder::new(&graph, Pruning::default())?;
/// let mut search = MarkedSearch::default();
/// search.begin(&decoder, &[true, false])?;
/// search.push(&decoder, &array![[-0.1, -2.0], [-0.1, -2.0], [-2.0, -0.1]])?;
/// assert_eq!(search.last_frames(), 0b110); // the last frame is the lowest bit
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct MarkedSearch {
    buffers: Buffers,
    marks: Marks,
    at: Position,
    last_frames: u128,
}

impl MarkedSearch {
    /// Begins an utterance; `marked` says of each pdf whether it is of the kind that is asked for.
    ///
    /// # Errors
    /// [`DecodeError::NegativeLoop`] where the graph has one at its start.
    pub fn begin(&mut self, decoder: &Decoder<'_>, marked: &[bool]) -> Result<(), DecodeError> {
        let (view, start) = (decoder.graph.view(), decoder.graph.start().0);
        self.marks.marked.clear();
        self.marks.marked.extend_from_slice(marked);
        self.last_frames = 0;
        let (buffers, marks) = (&mut self.buffers, &mut self.marks);
        self.at = Search::start(view, start, decoder.pruning, buffers, marks)?.position();
        Ok(())
    }

    /// Consumes the next frames of scores.
    ///
    /// # Errors
    /// As [`Decoder::decode`]. After an error the next utterance can only be begun.
    pub fn push(&mut self, decoder: &Decoder<'_>, scores: &impl Scorer) -> Result<(), DecodeError> {
        decoder.check_fit(scores)?;
        let (view, pruning) = (decoder.graph.view(), decoder.pruning);
        let (buffers, marks) = (&mut self.buffers, &mut self.marks);
        let mut search = Search::resume(view, pruning, self.at, buffers, marks);
        search.consume(scores, None)?;
        self.at = search.position();
        let costs = &self.buffers.tokens().costs;
        let lowest = lowest_of(costs);
        if let Some(best) = costs.iter().position(|cost| *cost == lowest) {
            self.last_frames = self.marks.of(&view, best);
        }
        Ok(())
    }

    /// Whether the best path so far has a marked pdf in each of the last 128 frames, the last one
    /// in the lowest bit. Before the first frame no bit is set.
    pub fn last_frames(&self) -> u128 {
        self.last_frames
    }
}

/// How a token was reached: the arc that consumed the frame before it, and the token that the arc
/// left, in that frame.
#[derive(Clone, Copy)]
struct Trace {
    from: u32,
    arc: u32,
}

/// What the tokens of a frame remember.
#[derive(Clone, Default)]
struct Marks {
    /// By pdf.
    marked: Vec<bool>,
    /// Of the frame being read and of the one being written.
    reading: Vec<Trace>,
    writing: Vec<Trace>,
    /// By token of the frame being left and of the one before: the last frames of its path.
    open: Vec<u128>,
    left: Vec<u128>,
}

impl Marks {
    /// The last frames of the path to a token of the frame being read.
    fn of(&self, graph: &GraphView<'_>, token: usize) -> u128 {
        let Trace { from, arc } = self.reading[token];
        match arc {
            NONE => 0,
            arc => {
                let pdf = graph.arc(arc).pdf().0 as usize;
                let is_marked = self.marked.get(pdf).copied().unwrap_or(false);
                self.open[from as usize] << 1 | u128::from(is_marked)
            }
        }
    }
}

impl Recorder for Marks {
    fn begin(&mut self, _: bool) {
        self.reading.clear();
        self.reading.push(Trace { from: 0, arc: NONE });
        self.writing.clear();
        self.open.clear();
    }

    fn open_frame(&mut self, graph: &GraphView<'_>, tokens: &TokenSet, cutoff: f32, _: u32) {
        self.writing.clear();
        let mut left = std::mem::take(&mut self.left);
        left.clear();
        // What lies beyond the cutoff is never a source.
        left.extend(tokens.costs.iter().enumerate().map(|(token, &cost)| match cost <= cutoff {
            true => self.of(graph, token),
            false => 0,
        }));
        self.left = std::mem::replace(&mut self.open, left);
    }

    fn branches(&self) -> BranchView<'_> {
        BranchView::default()
    }

    #[inline(always)]
    fn source(&mut self, _: &GraphView<'_>, token: u32, _: u32) -> u32 {
        token
    }

    #[inline(always)]
    fn emitting(&mut self, step: Step, arrival: Arrival, _: f32, _: f32) {
        put(&mut self.writing, arrival, Trace { from: step.source, arc: step.arc });
    }

    fn close_frame(&mut self) {
        std::mem::swap(&mut self.reading, &mut self.writing);
    }

    fn epsilon(&mut self, step: Step, arrival: Arrival, _: f32, _: f32) {
        let trace = self.reading[step.source as usize];
        put(&mut self.reading, arrival, trace);
    }
}

#[inline(always)]
fn put(traces: &mut Vec<Trace>, arrival: Arrival, trace: Trace) {
    match arrival {
        Arrival::New(_) => traces.push(trace),
        Arrival::Better(index) => traces[index as usize] = trace,
        Arrival::Worse(_) => {}
    }
}
