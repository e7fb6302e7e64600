//! All links of a search, for a lattice: what passed the bound, pruned backward as it grows.
//!
//! Tokens are not kept: a link names its ends by their index within a frame, and holds how much
//! worse than the best way to its target it is (its *slack*), which is all that backward pruning
//! needs. Every [`PRUNE_EVERY`] frames, what no path within the lattice beam uses is dropped, as
//! Kaldi's `PruneActiveTokens`: the newest tokens all count as ends of best paths, so nothing that
//! could still matter goes.

use crate::graph::GraphView;

use super::branch::{BranchView, Branches, WORDLESS};
use super::cancel::Cancel;
use super::search::{Recorder, Step};
use super::tokens::{Arrival, TokenSet};

/// Frames between two backward prunings.
const PRUNE_EVERY: usize = 25;

/// One step of the search.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// Token the link leaves, by its index in its frame.
    pub from: u32,
    /// Token it leads to: in the next frame for an emitting link, in the same for an epsilon link.
    pub to: u32,
    /// Index of the arc among the emitting or the epsilon arcs, and [`LABELLED`].
    arc: u32,
    /// How much worse it is than the best way to its target; ≥ 0. Until the frame is final: the
    /// cost it arrives at.
    slack: f32,
}

/// Set in an emitting link's arc index if the arc has a label.
const LABELLED: u32 = 1 << 31;

impl Link {
    /// Index of the arc among the emitting or the epsilon arcs.
    pub(super) fn arc(&self) -> u32 {
        self.arc & !LABELLED
    }

    pub(super) fn is_labelled(&self) -> bool {
        self.arc & LABELLED != 0
    }

    /// Whether the link is the best way to its target.
    pub(super) fn is_best(&self) -> bool {
        self.slack == 0.0
    }
}

/// Which links belong to the tokens of one frame: `links[epsilon..emitting]` stay in it,
/// `links[emitting..next]` lead on.
#[derive(Clone, Copy)]
struct FrameLinks {
    epsilon: usize,
    emitting: usize,
    tokens: u32,
}

/// No best way to the token is known yet.
const UNKNOWN: u32 = u32::MAX;

/// The links of a search.
#[derive(Clone)]
pub(super) struct Links {
    /// The lattice beam; finite.
    beam: f32,
    links: Vec<Link>,
    frames: Vec<FrameLinks>,
    /// Scratch of backward pruning: how much worse than the best the best path through each token
    /// is.
    extra: Vec<f32>,
    extra_next: Vec<f32>,
    /// Scratch: tokens that epsilon arcs may leave.
    open: Vec<u32>,
    branches: Branches,
    /// What stops a backward pruning on its way: one takes as long as several frames.
    cancel: Option<Cancel>,
}

impl Default for Links {
    fn default() -> Self {
        Links {
            beam: f32::MAX,
            links: Vec::new(),
            frames: Vec::new(),
            extra: Vec::new(),
            extra_next: Vec::new(),
            open: Vec::new(),
            branches: Branches::default(),
            cancel: None,
        }
    }
}

impl Recorder for Links {
    fn begin(&mut self, compete: bool) {
        self.links.clear();
        self.frames.clear();
        self.branches.begin(compete);
    }

    fn open_frame(&mut self, graph: &GraphView<'_>, tokens: &TokenSet, cutoff: f32, _: u32) {
        self.settle(tokens, cutoff);
        let epsilon = self.links.len();
        self.add_epsilon(graph, tokens, cutoff);
        let emitting = self.links.len();
        self.frames.push(FrameLinks {
            epsilon,
            emitting,
            tokens: tokens.len() as u32,
        });
        if self.branches.compete {
            self.follow(graph, tokens.len());
        }
        if self.frames.len().is_multiple_of(PRUNE_EVERY) {
            self.extra.clear();
            self.extra.resize(tokens.len(), 0.0);
            self.prune_back(2 * PRUNE_EVERY);
        }
    }

    fn branches(&self) -> BranchView<'_> {
        self.branches.view()
    }

    #[inline(always)]
    fn source(&mut self, _: &GraphView<'_>, token: u32, _: u32) -> u32 {
        token
    }

    #[inline(always)]
    fn emitting(&mut self, step: Step, arrival: Arrival, cost: f32, held: f32) {
        // What a target costs only falls, so a link too bad now stays too bad.
        if cost <= held + self.beam {
            let (Arrival::New(to) | Arrival::Better(to) | Arrival::Worse(to)) = arrival;
            self.links.push(Link {
                from: step.source,
                to,
                arc: step.arc | if step.labelled { LABELLED } else { 0 },
                slack: cost,
            });
        }
    }

    fn close_frame(&mut self) {}

    fn epsilon(&mut self, _: Step, _: Arrival) {}
}

impl Links {
    /// Turns the costs of the newest emitting links into slacks, now that their targets' costs are
    /// final.
    fn settle(&mut self, tokens: &TokenSet, cutoff: f32) {
        let Some(frame) = self.frames.last() else {
            return;
        };
        let mut kept = frame.emitting;
        for at in frame.emitting..self.links.len() {
            let mut link = self.links[at];
            let held = tokens.costs[link.to as usize];
            link.slack = (link.slack - held).max(0.0);
            self.links[kept] = link;
            kept += usize::from(held <= cutoff && link.slack <= self.beam);
        }
        self.links.truncate(kept);
    }

    /// Adds the epsilon links among the tokens of a frame.
    fn add_epsilon(&mut self, graph: &GraphView<'_>, tokens: &TokenSet, cutoff: f32) {
        let with_epsilon = graph.epsilon.len() as u32;
        tokens.select(with_epsilon, cutoff, &mut self.open);
        for &from in &self.open {
            let cost = tokens.costs[from as usize];
            let (first, arcs) = graph.epsilon.row(tokens.states()[from as usize]);
            for (arc, packed) in (first..).zip(arcs) {
                let total = cost + packed.cost().0;
                if total > cutoff {
                    break;
                }
                let Some(to) = tokens.find(packed.next().0) else {
                    continue;
                };
                // A link that would be better than the best way to its target lies beyond the bound
                // that the search relaxed epsilon arcs within: it is no part of the search.
                let slack = total - tokens.costs[to as usize];
                if (0.0..=self.beam).contains(&slack) {
                    self.links.push(Link {
                        from,
                        to,
                        arc,
                        slack,
                    });
                }
            }
        }
    }

    /// Finds the branches of the newest tokens: those their best links lead to.
    fn follow(&mut self, graph: &GraphView<'_>, tokens: usize) {
        let branches = &mut self.branches;
        branches.open(tokens, UNKNOWN);
        let (emitting, epsilon) = match self.frames[..] {
            [.., last, newest] => (last.emitting..newest.epsilon, newest.epsilon),
            _ => {
                branches.of_token[0] = WORDLESS;
                (0..0, 0)
            }
        };
        branches.follow(&self.links[emitting], &graph.emitting);
        let mut changed = true;
        while changed {
            changed = false;
            for link in self.links[epsilon..].iter().filter(|link| link.is_best()) {
                let [from, to] =
                    [link.from, link.to].map(|token| branches.of_token[token as usize]);
                if to == UNKNOWN && from != UNKNOWN {
                    let label = graph.epsilon.label(link.arc());
                    branches.of_token[link.to as usize] = branches.after(from, label);
                    changed = true;
                }
            }
        }
        // Beyond the cutoff, and in loops that cost nothing.
        for branch in &mut branches.of_token {
            *branch = if *branch == UNKNOWN {
                WORDLESS
            } else {
                *branch
            };
        }
    }

    /// Drops every link that is on no path within the beam, given in `extra` how much worse than
    /// the best each token of the last frame is. Goes back at least `reach` frames, and on until a
    /// frame loses nothing.
    fn prune_back(&mut self, reach: usize) {
        let mut first_changed = self.frames.len() - 1;
        self.prune_epsilon(first_changed);
        for frame in (0..self.frames.len() - 1).rev() {
            if self.cancel.as_ref().is_some_and(Cancel::is_cancelled) {
                // What is left unpruned is looked at by nobody: the search begins no other frame.
                return;
            }
            std::mem::swap(&mut self.extra, &mut self.extra_next);
            self.extra.clear();
            self.extra
                .resize(self.frames[frame].tokens as usize, f32::INFINITY);
            let (begin, end) = (self.frames[frame].emitting, self.frames[frame + 1].epsilon);
            let mut dropped = false;
            for link in &mut self.links[begin..end] {
                let through = self.extra_next[link.to as usize] + link.slack;
                if through <= self.beam {
                    let extra = &mut self.extra[link.from as usize];
                    *extra = extra.min(through);
                } else {
                    dropped |= link.slack < f32::INFINITY;
                    link.slack = f32::INFINITY;
                }
            }
            dropped |= self.prune_epsilon(frame);
            first_changed = frame;
            if !dropped && self.frames.len() - frame > reach {
                break;
            }
        }
        self.compact(first_changed);
    }

    /// Relaxes `extra` along the epsilon links of a frame until nothing changes, and marks those
    /// beyond the beam. Returns whether any were.
    fn prune_epsilon(&mut self, frame: usize) -> bool {
        let FrameLinks {
            epsilon, emitting, ..
        } = self.frames[frame];
        let links = &mut self.links[epsilon..emitting];
        let mut changed = true;
        while changed {
            changed = false;
            for link in links.iter().rev() {
                let through = self.extra[link.to as usize] + link.slack;
                let extra = &mut self.extra[link.from as usize];
                if through < *extra {
                    *extra = through;
                    changed = true;
                }
            }
        }
        let mut dropped = false;
        for link in links {
            if self.extra[link.to as usize] + link.slack > self.beam {
                dropped |= link.slack < f32::INFINITY;
                link.slack = f32::INFINITY;
            }
        }
        dropped
    }

    /// Moves the links that are left together, from a frame on.
    fn compact(&mut self, first: usize) {
        let mut kept = self.frames[first].epsilon;
        for frame in first..self.frames.len() {
            let FrameLinks {
                epsilon, emitting, ..
            } = self.frames[frame];
            let end = self
                .frames
                .get(frame + 1)
                .map_or(self.links.len(), |next| next.epsilon);
            self.frames[frame].epsilon = kept;
            kept = self.keep(epsilon..emitting, kept);
            self.frames[frame].emitting = kept;
            kept = self.keep(emitting..end, kept);
        }
        self.links.truncate(kept);
    }

    fn keep(&mut self, range: std::ops::Range<usize>, mut kept: usize) -> usize {
        for at in range {
            let link = self.links[at];
            self.links[kept] = link;
            kept += usize::from(link.slack < f32::INFINITY);
        }
        kept
    }

    /// Prunes everything against the ends of the utterance: `extra` gives how much worse than the
    /// best path each token of the last frame ends, infinity where it may not end.
    pub(super) fn finish(&mut self, extra: impl Iterator<Item = f32>) {
        self.extra.clear();
        self.extra.extend(extra.map(|extra| {
            if extra <= self.beam {
                extra
            } else {
                f32::INFINITY
            }
        }));
        self.prune_back(usize::MAX);
    }

    /// Sets the lattice beam of the next utterance, finite, and what may stop its search.
    pub(super) fn prepare(&mut self, beam: f32, cancel: Option<&Cancel>) {
        self.beam = beam;
        self.cancel = cancel.cloned();
    }

    /// Number of token sets: one more than frames consumed.
    pub(super) fn num_sets(&self) -> usize {
        self.frames.len()
    }

    /// The epsilon links within, and the emitting links out of, the tokens after `frame` frames.
    pub(super) fn of_frame(&self, frame: usize) -> (&[Link], &[Link]) {
        let FrameLinks {
            epsilon, emitting, ..
        } = self.frames[frame];
        let end = self
            .frames
            .get(frame + 1)
            .map_or(self.links.len(), |next| next.epsilon);
        (&self.links[epsilon..emitting], &self.links[emitting..end])
    }
}
