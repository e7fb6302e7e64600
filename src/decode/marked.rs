//! Which of the last frames does the best path so far spend in pdfs of one kind, silence for
//! example?
//!
//! The path is traced back from the best token as far as it has changed since it was last asked
//! for, and 128 frames at most, so that memory does not grow with the utterance.
//!
//! Reference: `OnlineSilenceWeighting::ComputeCurrentTraceback` of Kaldi's
//! `online2/online-ivector-feature.cc`.

use super::branch::BranchView;
use super::error::DecodeError;
use super::extremes::lowest_of;
use super::link::Step;
use super::recorder::Recorder;
use super::search::{Buffers, Position, Search};
use super::tokens::{Arrival, TokenSet};
use super::{Decoder, Scorer};
use crate::graph::GraphView;

/// Frames that are remembered, one bit each.
const FRAMES: usize = u128::BITS as usize;
/// No arc: the token at the start. No token: the path was not traced there.
const NONE: u32 = u32::MAX;

/// A search whose scores arrive in pieces, and which says in which of the last frames its best path
/// so far has a marked pdf. As in Kaldi, a frame in which the best path leaves the one of the time
/// before keeps what was said of it then. It is the memory of the search alone: reuse it, and give
/// it the same decoder from the beginning to the end of an utterance.
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
/// assert_eq!(search.trace_back(&decoder), 0b110); // the last frame is the lowest bit
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct MarkedSearch {
    buffers: Buffers,
    marks: Marks,
    at: Position,
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
        Ok(())
    }

    /// Whether the best path so far has a marked pdf in each of the last 128 frames, the last one
    /// in the lowest bit. Before the first frame no bit is set.
    pub fn trace_back(&mut self, decoder: &Decoder<'_>) -> u128 {
        let costs = &self.buffers.tokens().costs;
        let lowest = lowest_of(costs);
        if let Some(best) = costs.iter().position(|cost| *cost == lowest) {
            self.marks.trace_back(&decoder.graph.view(), best);
        }
        self.marks.of_frames
    }
}

/// How a token was reached: the arc that consumed the frame before it, and the token that the arc
/// left, in that frame.
#[derive(Clone, Copy)]
struct Trace {
    from: u32,
    arc: u32,
}

/// What is remembered of the last frames.
#[derive(Clone)]
struct Marks {
    /// By pdf.
    marked: Vec<bool>,
    /// Frames consumed.
    frames: usize,
    /// How the tokens after so many frames were reached, by that number modulo [`FRAMES`].
    traces: Vec<Vec<Trace>>,
    /// Of the frame being written.
    writing: Vec<Trace>,
    /// The token that the path traced last leaves in each frame, by its number modulo [`FRAMES`].
    path: Vec<u32>,
    /// Whether the path has a marked pdf there, the last frame in the lowest bit.
    of_frames: u128,
}

impl Default for Marks {
    fn default() -> Self {
        Marks {
            marked: Vec::new(),
            frames: 0,
            traces: vec![Vec::new(); FRAMES],
            writing: Vec::new(),
            path: vec![NONE; FRAMES],
            of_frames: 0,
        }
    }
}

impl Marks {
    /// Traces the path to a token back to where it is as it was.
    fn trace_back(&mut self, graph: &GraphView<'_>, mut token: usize) {
        for back in 0..self.frames.min(FRAMES) {
            let after = self.frames - back;
            let Trace { from, arc } = self.traces[after % FRAMES][token];
            let noted = &mut self.path[(after - 1) % FRAMES];
            if *noted == from {
                return;
            }
            *noted = from;
            let pdf = graph.arc(arc).pdf().0 as usize;
            let is_marked = self.marked.get(pdf).copied().unwrap_or(false);
            self.of_frames &= !(1 << back);
            self.of_frames |= u128::from(is_marked) << back;
            token = from as usize;
        }
    }

    /// How the tokens of the frame being read were reached.
    fn reading(&mut self) -> &mut Vec<Trace> {
        &mut self.traces[self.frames % FRAMES]
    }
}

impl Recorder for Marks {
    fn begin(&mut self, _: bool) {
        (self.frames, self.of_frames) = (0, 0);
        self.reading().clear();
        self.reading().push(Trace { from: NONE, arc: NONE });
    }

    fn open_frame(&mut self, _: &GraphView<'_>, _: &TokenSet, _: f32, _: u32) {
        self.writing.clear();
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
        arrival.note(&mut self.writing, Trace { from: step.source, arc: step.arc });
    }

    fn close_frame(&mut self) {
        self.path[self.frames % FRAMES] = NONE;
        self.frames += 1;
        self.of_frames <<= 1;
        let at = self.frames % FRAMES;
        std::mem::swap(&mut self.traces[at], &mut self.writing);
    }

    fn epsilon(&mut self, step: Step, arrival: Arrival, _: f32, _: f32) {
        let trace = self.reading()[step.source as usize];
        arrival.note(self.reading(), trace);
    }
}
