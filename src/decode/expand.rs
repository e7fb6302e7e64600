//! Expansion of tokens: their rows of arcs are fetched in blocks, and the expansions that pruning
//! allows are gathered and then applied.
//!
//! A processor cannot predict which expansions are within the bound, and each wrong prediction
//! costs about fifteen cycles. So the expansions of a frame are first gathered without a branch,
//! and the tokens of the next frame are updated from what was gathered.

use crate::graph::{GraphView, PackedArc};
use crate::units::PdfId;

use super::extremes::lower;
use super::knob::{Knob, KnobFrames, Pruning};
use super::link::Step;
use super::prune::Expansion;
use super::recorder::Recorder;
use super::tokens::TokenSet;

/// Tokens whose rows are fetched together.
pub(super) const BLOCK: usize = 32;

/// The row of a token, fetched.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub token: u32,
    /// Index of the first emitting arc.
    pub state: u32,
    /// Cost of the first arc, which is the cheapest; infinite if there is none.
    pub cheapest: f32,
}

impl Row {
    pub(super) const EMPTY: Self = Row { token: 0, state: 0, cheapest: f32::INFINITY };
}

/// Fetches the rows of a block of tokens, all together, so that the misses of different tokens
/// overlap. `first` finds the first arc of a state.
#[inline(always)]
pub(super) fn fetch<'f>(
    tokens: &TokenSet,
    block: &[u32],
    fetched: &'f mut [Row; BLOCK],
    first: impl Fn(u32) -> Option<PackedArc>,
) -> &'f [Row] {
    let fetched = &mut fetched[..block.len()];
    for (row, &token) in fetched.iter_mut().zip(block) {
        let state = tokens.states()[token as usize];
        *row =
            Row { token, state, cheapest: first(state).map_or(f32::INFINITY, |arc| arc.cost().0) };
    }
    fetched
}

/// The scores of a frame.
pub(super) struct Acoustic<'s> {
    /// Of the graph's pdfs.
    pub scores: &'s [f32],
    /// The highest of all; finite.
    pub highest: f32,
}

impl Acoustic<'_> {
    /// The cost of consuming the frame, the best at 0; infinite for a pdf the scores do not have.
    /// Narrow searches ask for few, so scores are turned into costs as they are asked for.
    #[inline(always)]
    fn cost(&self, pdf: PdfId) -> f32 {
        let score = self.scores.get(pdf.index());
        self.highest - score.copied().unwrap_or(f32::NEG_INFINITY)
    }
}

/// An expansion that was within the bound when its row was read, of the arc of this index.
#[derive(Clone, Copy, Default)]
pub(super) struct Candidate {
    cost: f32,
    source: u32,
    index: u32,
    arc: PackedArc,
}

/// Candidates that are gathered before they are stepped along.
const GATHERED: usize = 1024;
/// Arcs of a row that are looked at before asking whether there is room for more.
const PIECE: usize = 128;

/// Expansions gathered from several rows.
#[derive(Clone)]
pub(super) struct Gathered {
    candidates: Box<[Candidate]>,
    count: usize,
}

impl Default for Gathered {
    fn default() -> Self {
        Gathered { candidates: vec![Candidate::default(); GATHERED].into(), count: 0 }
    }
}

/// Where expansions go.
pub(super) struct Out<'s, R> {
    pub graph: GraphView<'s>,
    pub next: &'s mut TokenSet,
    pub recorder: &'s mut R,
    pub acoustic: &'s Acoustic<'s>,
    pub gathered: &'s mut Gathered,
    pub beam: f32,
    /// No token of the next frame above this can survive.
    pub bound: f32,
    /// Arcs looked at.
    pub arcs: usize,
    /// Which knobs dropped an expansion.
    pub dropped: KnobFrames,
}

impl<R: Recorder> Out<'_, R> {
    /// Gathers every expansion of a token within the bound; each one tightens the bound.
    #[inline(always)]
    pub(super) fn all(&mut self, row: &Row, base: f32, source: u32) {
        let mut index = row.state;
        for arcs in self.graph.emitting(row.state).chunks(PIECE) {
            if self.gathered.count + PIECE > GATHERED {
                self.flush();
            }
            let (seen, ended) = self.gather(arcs, index, base, source);
            self.arcs += seen;
            if ended {
                break;
            }
            index += seen as u32;
        }
    }

    /// Gathers the expansions within the bound; returns the number of arcs visited, and whether the
    /// row ended with them.
    ///
    /// ```text
    /// for each arc, cheapest first:
    ///     if base + arc > bound: stop                          (1)
    ///     if base + arc + acoustic <= bound: gather it         (2)
    ///     bound = min(bound, base + arc + acoustic + beam)
    /// ```
    ///
    /// 1. Arcs are sorted by cost and no acoustic cost is negative, so all later arcs are beyond
    ///    the bound too.
    /// 2. Every candidate is written, and the count advances by 0 or 1: there is no branch to
    ///    predict. The caller makes room for the whole piece.
    #[inline(always)]
    fn gather(&mut self, arcs: &[PackedArc], first: u32, base: f32, source: u32) -> (usize, bool) {
        let (mut bound, from) = (self.bound, self.gathered.count);
        let free = &mut self.gathered.candidates[from..from + arcs.len()];
        let (mut seen, mut count, mut ended) = (arcs.len(), 0, false);
        for (index, &arc) in arcs.iter().enumerate() {
            let graph_cost = base + arc.cost().0;
            if graph_cost > bound {
                (seen, ended) = (index + 1, true);
                break;
            }
            let cost = graph_cost + self.acoustic.cost(arc.pdf());
            free[count] = Candidate { cost, source, index: first + index as u32, arc };
            count += usize::from(cost <= bound);
            bound = lower(bound, cost + self.beam);
            if arc.is_last() {
                (seen, ended) = (index + 1, true);
                break;
            }
        }
        self.gathered.count += count;
        self.bound = bound;
        (seen, ended)
    }

    /// Applies what was gathered: each expansion arrives at its token of the next frame.
    pub(super) fn flush(&mut self) {
        for at in 0..self.gathered.count {
            let Candidate { cost, source, index, arc } = self.gathered.candidates[at];
            let state = arc.next().0;
            // The next frame begins with it.
            self.graph.prefetch(state);
            let arrival = self.next.arrive(state, cost);
            let step = Step { source, arc: index, labelled: arc.has_label() };
            self.recorder.emitting(step, arrival, cost, self.next.costs[arrival.token() as usize]);
        }
        self.gathered.count = 0;
    }

    /// Keeps an expansion if it is within the bound.
    fn keep(&mut self, candidate: Candidate) {
        // An impossible cost is above every bound, since bounds are finite.
        if candidate.cost > self.bound {
            return;
        }
        self.bound = lower(self.bound, candidate.cost + self.beam);
        if self.gathered.count == GATHERED {
            self.flush();
        }
        self.gathered.candidates[self.gathered.count] = candidate;
        self.gathered.count += 1;
    }

    /// Gathers the expansions of a token within the local beam.
    ///
    /// ```text
    /// best  = min over arcs of base + arc + acoustic
    /// for each arc, cheapest first:
    ///     if base + arc > min(bound, best + beam): stop        (1)
    ///     if base + arc + acoustic <= best + beam: gather it
    /// ```
    ///
    /// 1. Arcs are sorted by cost and no acoustic cost is negative, so all later arcs are beyond
    ///    the limit too; the search for `best` stops early for the same reason.
    #[inline(always)]
    pub(super) fn near_best(&mut self, row: &Row, base: f32, source: u32, beam: f32) {
        let mut best = self.bound;
        for (_, arc) in self.graph.emitting_row(row.state) {
            let graph_cost = base + arc.cost().0;
            if graph_cost > best {
                break;
            }
            best = best.min(graph_cost + self.acoustic.cost(arc.pdf()));
        }
        let limit = best + beam;
        for (index, arc) in self.graph.emitting_row(row.state) {
            self.arcs += 1;
            let graph_cost = base + arc.cost().0;
            if graph_cost > self.bound.min(limit) {
                self.dropped[Knob::LocalBeam] |= u32::from(graph_cost > limit);
                break;
            }
            let cost = graph_cost + self.acoustic.cost(arc.pdf());
            if cost <= limit {
                self.keep(Candidate { cost, source, index, arc });
            } else {
                self.dropped[Knob::LocalBeam] = 1;
            }
        }
    }

    /// Whether a row has more than so many arcs.
    pub(super) fn exceeds(&self, row: &Row, limit: usize) -> bool {
        self.graph.emitting_row(row.state).nth(limit).is_some()
    }

    /// The cheapest expansions of a token that has more than the local top-N.
    pub(super) fn some(
        &mut self,
        row: &Row,
        base: f32,
        source: u32,
        pruning: &Pruning,
        expansions: &mut Vec<Expansion>,
    ) {
        expansions.clear();
        for (index, arc) in self.graph.emitting_row(row.state) {
            self.arcs += 1;
            let graph_cost = base + arc.cost().0;
            // Beyond the bound nothing is kept, so nothing there can be a token's best that counts.
            if graph_cost > self.bound {
                break;
            }
            let cost = graph_cost + self.acoustic.cost(arc.pdf());
            expansions.push(Expansion { cost, arc: index });
        }
        pruning.keep_local(expansions, &mut self.dropped);
        for kept in &*expansions {
            self.keep(Candidate {
                cost: kept.cost,
                source,
                index: kept.arc,
                arc: self.graph.arc(kept.arc),
            });
        }
    }
}
