//! Token-passing beam search, one frame at a time.
//!
//! ```text
//! for each frame of scores:
//!     cutoff = the most that a token may cost             (prune)
//!     bound  = infinity
//!     for each token within the cutoff, the best first:   (1)
//!         for each emitting arc:                          (expand)
//!             cost  = token + arc - score                 (2)
//!             if cost <= bound: arrive at the arc's target
//!             bound = min(bound, cost + beam)             (3)
//!     for each token within the bound:                    (close)
//!         for each epsilon arc: arrive at its target if that is within the bound, and repeat from
//!         there
//! ```
//!
//! 1. Expanding the best token first makes the bound tight from the start; the others follow in
//!    order of creation, or by cost under an arc budget.
//! 2. Costs are relative to the best token of the frame before, so single precision suffices for
//!    any length of utterance.
//! 3. The bound drops tokens that the next frame's cutoff would drop anyway.
//!
//! Kaldi's `LatticeFasterDecoder` does the same on linked
//! objects (Povey et al., "Generating exact lattices in the WFST framework", ICASSP 2012); here
//! tokens are parallel arrays.
//!
//! Results are the same bit for bit on every run: every loop runs in order of index, and if two
//! paths arrive at a state with the same cost, the first one stays.

use crate::graph::GraphView;
use crate::prefetch::prefetch_all;
use crate::units::StateId;

use super::Scorer;
use super::cancel::Cancel;
use super::error::DecodeError;
use super::expand::{Acoustic, BLOCK, Gathered, Out, Row, fetch};
use super::extremes::highest_of;
use super::hypothesis::Effort;
use super::knob::{Knob, KnobFrames, Pruning};
use super::link::Step;
use super::prune::{Cutoff, Expansion, FrameTokens, Pruner};
use super::recorder::Recorder;
use super::tokens::{Arrival, TokenSet};

/// Epsilon relaxations of one frame beyond which the graph must have a negative loop: an exact
/// search of a graph of millions of states needs fewer, and single precision would hide the loop
/// soon after.
const RELAXATIONS: usize = 1 << 24;

/// The buffers of a search, kept from utterance to utterance so that a warm search does not
/// allocate.
#[derive(Clone, Default)]
pub(super) struct Buffers {
    tokens: TokenSet,
    next: TokenSet,
    pruner: Pruner,
    expansions: Vec<Expansion>,
    gathered: Gathered,
    agenda: Vec<u32>,
    wave: Vec<u32>,
    /// What was known of each frame.
    searched: Vec<SearchedFrame>,
}

/// What the search knew of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SearchedFrame {
    /// The most that a token could cost in all; infinite where nothing was dropped.
    pub cutoff: f64,
    /// The best score.
    pub best: f32,
}

/// A search under way.
pub(super) struct Search<'a, R> {
    graph: GraphView<'a>,
    pruning: Pruning,
    buffers: &'a mut Buffers,
    recorder: &'a mut R,
    at: Position,
}

/// How far a search has come: with the buffers and the recorder, all that it is.
#[derive(Clone, Copy, Default)]
pub(super) struct Position {
    /// The part of the total cost that tokens leave out: the total is `offset + cost`.
    offset: f64,
    /// Frames consumed.
    pub frame: u32,
    effort: Effort,
}

/// Where a search ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// Index of the best token.
    pub token: u32,
    /// Total cost of the best path, final cost included.
    pub cost: f64,
    /// The same, relative to what the tokens' costs are relative to.
    pub relative: f32,
    /// Whether the token's state is final.
    pub reached_final: bool,
    /// The work done.
    pub effort: Effort,
}

impl<'a, R: Recorder> Search<'a, R> {
    /// Puts a token at the start state and follows epsilon arcs.
    pub(super) fn start(
        graph: GraphView<'a>,
        start: u32,
        pruning: Pruning,
        buffers: &'a mut Buffers,
        recorder: &'a mut R,
    ) -> Result<Self, DecodeError> {
        buffers.tokens.clear(0);
        buffers.searched.clear();
        buffers.tokens.arrive(start, 0.0);
        recorder.begin(pruning.has_global());
        let at = Position::default();
        let mut search = Search::resume(graph, pruning, at, buffers, recorder);
        search.close(search.pruning.network_beam.0.min(f32::MAX))?;
        Ok(search)
    }

    /// Goes on with a search whose buffers and recorder were left as they are at this position.
    pub(super) fn resume(
        graph: GraphView<'a>,
        pruning: Pruning,
        at: Position,
        buffers: &'a mut Buffers,
        recorder: &'a mut R,
    ) -> Self {
        Search { graph, pruning, buffers, recorder, at }
    }

    /// How far the search has come.
    pub(super) fn position(&self) -> Position {
        self.at
    }

    /// Consumes all frames of scores, up to one before which `cancel` says to stop.
    pub(super) fn consume(
        &mut self,
        scorer: &impl Scorer,
        cancel: Option<&Cancel>,
    ) -> Result<(), DecodeError> {
        let frames = scorer.num_frames();
        for frame in 0..frames {
            if let Some(cancel) = cancel {
                cancel.begin_frame(frame)?;
            }
            if frame + 1 < frames {
                prefetch_all(scorer.frame(frame + 1));
            }
            self.advance(scorer.frame(frame))?;
        }
        Ok(())
    }

    /// Consumes one frame of scores (natural logarithms, larger is better).
    fn advance(&mut self, scores: &[f32]) -> Result<(), DecodeError> {
        let dead_end = DecodeError::DeadEnd { frame: self.at.frame as usize };
        let acoustic = self.acoustic(scores)?;
        let Buffers { tokens, next, pruner, searched, .. } = &mut *self.buffers;
        let cut = pruner.cutoff(&tokens.costs, &self.pruning).ok_or(dead_end.clone())?;
        self.recorder.open_frame(&self.graph, tokens, cut.cost, self.at.frame);
        let best = tokens.costs[cut.best];
        let mut cutoff = f64::INFINITY;
        if cut.cost < f32::MAX {
            self.at.effort.cutoff += f64::from(cut.cost - best);
            cutoff = self.at.offset + f64::from(cut.cost);
        }
        searched.push(SearchedFrame { cutoff, best: acoustic.highest });
        next.clear(tokens.len());
        let bound = self.expand(&cut, best, &acoustic);
        self.at.offset += f64::from(best) - f64::from(acoustic.highest);
        self.recorder.close_frame();
        self.at.frame += 1;
        self.at.effort.frames += 1;
        self.at.effort.best_scores += f64::from(acoustic.highest);
        std::mem::swap(&mut self.buffers.tokens, &mut self.buffers.next);
        if self.buffers.tokens.len() == 0 {
            return Err(dead_end);
        }
        self.close(bound)
    }

    /// A frame's scores, checked, as costs relative to the best score.
    fn acoustic<'s>(&self, scores: &'s [f32]) -> Result<Acoustic<'s>, DecodeError> {
        let frame = self.at.frame as usize;
        let highest = highest_of(scores).map_err(|pdf| DecodeError::BadScore {
            frame,
            pdf,
            score: scores[pdf],
        })?;
        match highest == f32::NEG_INFINITY {
            true => Err(DecodeError::DeadEnd { frame }),
            false => Ok(Acoustic {
                scores: scores.get(..self.graph.num_pdfs).unwrap_or(scores),
                highest,
            }),
        }
    }

    /// Expands the tokens that survive pruning into the next frame; returns the bound on the costs
    /// of that frame. Each token takes the cheapest of three ways: `some` if the local top-N drops
    /// arcs, `near_best` if the local beam can, `all` otherwise.
    fn expand(&mut self, cut: &Cutoff, best: f32, acoustic: &Acoustic<'_>) -> f32 {
        let Buffers { tokens, next, pruner, expansions, gathered, .. } = &mut *self.buffers;
        let (top_n, local_beam) = (self.pruning.local_top_n, self.pruning.local_beam.0);
        let (recorder, beam) = (&mut *self.recorder, cut.beam);
        let frame = FrameTokens { costs: &tokens.costs, branches: recorder.branches() };
        let mut dropped = KnobFrames::default();
        let survivors = pruner.survivors(frame, cut, &self.pruning, &mut dropped);
        let mut out = Out {
            graph: self.graph,
            next,
            recorder,
            acoustic,
            gathered,
            beam,
            bound: f32::MAX,
            arcs: 0,
            dropped,
        };
        let mut rows = [Row::EMPTY; BLOCK];
        for block in survivors.chunks(BLOCK) {
            if out.arcs >= self.pruning.arc_budget {
                out.dropped[Knob::ArcBudget] = 1;
                break;
            }
            self.at.effort.tokens += block.len() as u64;
            let first = |state| self.graph.emitting(state).first().copied();
            for row in fetch(tokens, block, &mut rows, first) {
                let base = tokens.costs[row.token as usize] - best;
                if base + row.cheapest > out.bound {
                    continue;
                }
                let source = out.recorder.source(&self.graph, row.token, self.at.frame);
                if top_n < usize::MAX && out.exceeds(row, top_n) {
                    out.some(row, base, source, &self.pruning, expansions);
                } else if base + row.cheapest + local_beam < out.bound {
                    // Elsewhere the local beam ends beyond the bound and can drop nothing.
                    out.near_best(row, base, source, local_beam);
                } else {
                    out.all(row, base, source);
                }
            }
        }
        out.flush();
        self.at.effort.arcs += out.arcs as u64;
        self.at.effort.dropped += out.dropped;
        out.bound
    }

    /// Follows epsilon arcs from every token within the bound until no token gets cheaper. It works
    /// in waves: each wave holds the tokens that the one before created or improved.
    fn close(&mut self, bound: f32) -> Result<(), DecodeError> {
        let Buffers { tokens, agenda, wave, .. } = &mut *self.buffers;
        let with_epsilon = self.graph.epsilon_end;
        tokens.select(with_epsilon, bound, agenda);
        let mut left = RELAXATIONS;
        let mut rows = [Row::EMPTY; BLOCK];
        while !agenda.is_empty() {
            std::mem::swap(agenda, wave);
            agenda.clear();
            for block in wave.chunks(BLOCK) {
                let first = |state| self.graph.first_epsilon(state);
                for row in fetch(tokens, block, &mut rows, first) {
                    let cost = tokens.costs[row.token as usize];
                    left = left.saturating_sub(1);
                    if left == 0 {
                        return Err(DecodeError::NegativeLoop { frame: self.at.frame as usize });
                    }
                    if cost + row.cheapest > bound {
                        continue;
                    }
                    let source = self.recorder.source(&self.graph, row.token, self.at.frame);
                    for (index, arc) in self.graph.epsilon_row(row.state) {
                        self.at.effort.epsilon_arcs += 1;
                        left = left.saturating_sub(1);
                        let total = cost + arc.cost().0;
                        if total > bound {
                            break;
                        }
                        let state = arc.next().0;
                        let arrival = tokens.arrive(state, total);
                        let step = Step { source, arc: index, labelled: arc.has_label() };
                        let held = tokens.costs[arrival.token() as usize];
                        self.recorder.epsilon(step, arrival, total, held);
                        match arrival {
                            Arrival::New(token) | Arrival::Better(token)
                                if state < with_epsilon =>
                            {
                                agenda.push(token);
                            }
                            _ => {}
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Ends the search: finds the best token in a final state or, if none is final, the best token.
    pub(super) fn finish(&mut self) -> Result<End, DecodeError> {
        let tokens = &self.buffers.tokens;
        self.recorder.open_frame(&self.graph, tokens, f32::MAX, self.at.frame);
        let mut ends = [(f32::INFINITY, None); 2];
        for (index, (&state, &cost)) in tokens.states().iter().zip(&tokens.costs).enumerate() {
            let with_final = cost + self.graph.final_cost(StateId(state)).0;
            for (end, cost) in ends.iter_mut().zip([with_final, cost]) {
                if cost < end.0 {
                    *end = (cost, Some(index as u32));
                }
            }
        }
        let [(final_cost, final_token), (cost, token)] = ends;
        let (cost, token, reached_final) = match final_token {
            Some(token) => (final_cost, Some(token), true),
            None => (cost, token, false),
        };
        let token = token.ok_or(DecodeError::DeadEnd { frame: self.at.frame as usize })?;
        Ok(End {
            token,
            cost: self.at.offset + f64::from(cost),
            relative: cost,
            reached_final,
            effort: self.at.effort,
        })
    }
}

impl Buffers {
    /// The tokens of the frame that comes next.
    pub(super) fn tokens(&self) -> &TokenSet {
        &self.tokens
    }

    /// Which of those tokens would be expanded; none if there is none.
    pub(super) fn cutoff(&mut self, pruning: &Pruning) -> Option<Cutoff> {
        self.pruner.cutoff(&self.tokens.costs, pruning)
    }

    /// What the search knew of each frame.
    pub(super) fn searched(&self) -> &[SearchedFrame] {
        &self.searched
    }

    /// For each token of a finished search, its extra cost over the best path, final cost included,
    /// and the final cost alone; both infinite if no path can end there.
    pub(super) fn ends(&self, graph: &GraphView<'_>, end: &End) -> Vec<(f32, f32)> {
        let last = |state: u32| match end.reached_final {
            true => graph.final_cost(StateId(state)).0,
            false => 0.0,
        };
        let tokens = self.tokens.states().iter().zip(&self.tokens.costs);
        tokens.map(|(&state, &cost)| (cost + last(state) - end.relative, last(state))).collect()
    }
}
