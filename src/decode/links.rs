//! The links of a lattice under construction: every step within the bound, pruned backward as the
//! search goes on.
//!
//! Tokens are not kept, only their costs. A link names its two tokens by their index within a
//! frame, and holds its *slack*: its extra cost over the best link to the same token, which is all
//! that backward pruning needs. From time to time the links that are on no path within the lattice
//! beam are removed, as in Kaldi's `PruneActiveTokens`. There every token of the newest frame
//! counts as the end of a best path, so no link that can still matter is removed.
//!
//! Backward pruning removes most links, so until then a link is only written down.

use std::ops::Range;

use crate::graph::GraphView;

use super::branch::{BranchView, Branches, WORDLESS};
use super::cancel::Cancel;
use super::link::{Link, Step};
use super::recorder::Recorder;
use super::tokens::{Arrival, TokenSet};

/// So many frames and so many links at least are added between two backward prunings; the links are
/// a megabyte, as much as a second-level cache holds.
const PRUNE_FRAMES: usize = 25;
const PRUNE_LINKS: usize = 1 << 16;

/// How many links and tokens a frame has. Links lie in this order: a frame's epsilon links, those
/// from it onward, the next frame's.
#[derive(Clone, Copy)]
struct Frame {
    epsilon: usize,
    onward: usize,
    tokens: usize,
}

/// No best way to the token is known yet.
const UNKNOWN: u32 = u32::MAX;

/// The links of a search.
#[derive(Clone)]
pub(super) struct Links {
    /// The lattice beam; finite.
    beam: f32,
    links: Vec<Link>,
    frames: Vec<Frame>,
    /// Links that some frame counts among its own; the others are still coming.
    counted: usize,
    /// How many frames, and how many links, the last backward pruning left.
    pruned: (usize, usize),
    /// What the tokens of the frames since then cost, one frame after the other.
    costs: Vec<f32>,
    /// Scratch of backward pruning: how much worse than the best the best path through each token
    /// is.
    extra: Vec<f32>,
    extra_next: Vec<f32>,
    /// Scratch: whether a token's last relaxation was met.
    met: Vec<bool>,
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
            counted: 0,
            pruned: (0, 0),
            costs: Vec::new(),
            extra: Vec::new(),
            extra_next: Vec::new(),
            met: Vec::new(),
            branches: Branches::default(),
            cancel: None,
        }
    }
}

impl Recorder for Links {
    fn begin(&mut self, compete: bool) {
        self.links.clear();
        self.frames.clear();
        self.costs.clear();
        (self.counted, self.pruned) = (0, (0, 0));
        self.branches.begin(compete);
    }

    fn open_frame(&mut self, graph: &GraphView<'_>, tokens: &TokenSet, cutoff: f32, _: u32) {
        self.keep_last_relaxations(tokens.len(), cutoff);
        self.frames.push(Frame {
            epsilon: self.links.len() - self.counted,
            onward: 0,
            tokens: tokens.len(),
        });
        self.counted = self.links.len();
        self.costs.extend_from_slice(&tokens.costs);
        if self.branches.compete {
            self.follow(graph, &tokens.costs);
        }
        let (frames, links) = self.pruned;
        if self.frames.len() >= frames + PRUNE_FRAMES && self.links.len() >= links + PRUNE_LINKS {
            let extra = |&cost: &f32| if cost <= cutoff { 0.0 } else { f32::INFINITY };
            self.extra.clear();
            self.extra.extend(tokens.costs.iter().map(extra));
            self.prune_back(frames);
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
        // The cost of a token only falls, so a link that is too expensive now stays so.
        if cost <= held + self.beam {
            self.links.push(Link::new(step, arrival.token(), cost));
        }
    }

    fn close_frame(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.onward = self.links.len() - self.counted;
        }
        self.counted = self.links.len();
    }

    #[inline(always)]
    fn epsilon(&mut self, step: Step, arrival: Arrival, cost: f32, held: f32) {
        self.emitting(step, arrival, cost, held);
    }
}

impl Links {
    /// Drops the newest epsilon links that are beyond the cutoff, and those of relaxations that a
    /// later relaxation of the same token replaced.
    fn keep_last_relaxations(&mut self, tokens: usize, cutoff: f32) {
        self.met.clear();
        self.met.resize(tokens, false);
        let mut kept = self.links.len();
        let (mut after, mut is_last) = ((UNKNOWN, 0), false);
        for at in (self.counted..self.links.len()).rev() {
            let link = self.links[at];
            let (from, arc) = (link.from, link.arc());
            // Within one relaxation epsilon arcs descend, so they ascend here.
            if from != after.0 || arc <= after.1 {
                is_last = !std::mem::replace(&mut self.met[from as usize], true);
            }
            after = (from, arc);
            kept = self.keep(link, kept, is_last && link.slack <= cutoff);
        }
        self.move_down(kept, self.counted);
    }

    /// Writes a link in front of the kept ones, over a link that was read already, and returns
    /// where the kept links begin: one earlier if `keep`. A processor cannot predict which links
    /// are kept, so there is no branch.
    #[inline(always)]
    fn keep(&mut self, link: Link, kept: usize, keep: bool) -> usize {
        self.links[kept - 1] = link;
        kept - usize::from(keep)
    }

    /// Moves the links from `from` on down to `to`.
    fn move_down(&mut self, from: usize, to: usize) {
        self.links.copy_within(from.., to);
        self.links.truncate(self.links.len() - (from - to));
    }

    /// Finds the branches of the newest tokens: those their best links lead to.
    fn follow(&mut self, graph: &GraphView<'_>, costs: &[f32]) {
        let branches = &mut self.branches;
        branches.open(costs.len(), UNKNOWN);
        let (onward, epsilon) = match self.frames[..] {
            [.., last, newest] => {
                let epsilon = self.links.len() - newest.epsilon;
                (epsilon - last.onward..epsilon, epsilon)
            }
            _ => {
                branches.of_token[0] = WORDLESS;
                (0..0, 0)
            }
        };
        branches.follow(&self.links[onward], costs, graph);
        let best = |link: &&Link| link.is_best_of(costs);
        let mut changed = true;
        while changed {
            changed = false;
            for link in self.links[epsilon..].iter().filter(best) {
                let [from, to] =
                    [link.from, link.to].map(|token| branches.of_token[token as usize]);
                if to == UNKNOWN && from != UNKNOWN {
                    let label = graph.label(link.arc());
                    branches.of_token[link.to as usize] = branches.after(from, label);
                    changed = true;
                }
            }
        }
        // Beyond the cutoff, and in loops that cost nothing.
        for branch in &mut branches.of_token {
            *branch = if *branch == UNKNOWN { WORDLESS } else { *branch };
        }
    }

    /// Drops every link that is on no path within the lattice beam. On entry `extra` holds, for
    /// each token of the last frame, its extra cost over the best path.
    ///
    /// ```text
    /// for each frame, the last one first:
    ///     for each epsilon link: extra[from] = min(extra[from], extra[to] + slack), until none
    ///     falls
    ///     for each link into the frame:
    ///         if extra[to] + slack <= beam: keep it, and lower extra[from]   (1)
    ///     stop if no link was dropped                                        (2)
    /// ```
    ///
    /// 1. Links are read from the end and the kept ones are written from the end too, so the array
    ///    is compacted in place; `keep` writes always and advances by 0 or 1, so there is no
    ///    branch.
    /// 2. Frames before `first` were pruned the last time. If a frame loses nothing, neither does
    ///    any frame before it. Frames from `first` on are always visited.
    fn prune_back(&mut self, first: usize) {
        let (mut read, mut kept) = (self.links.len(), self.links.len());
        let mut costs_end = self.costs.len();
        for to in (0..self.frames.len()).rev() {
            if self.cancel.as_ref().is_some_and(Cancel::is_cancelled) {
                // The links that stay unpruned are never read: the search begins no other frame.
                return;
            }
            let costs = match to < self.pruned.0 {
                true => None,
                false => Some(costs_end - self.frames[to].tokens),
            };
            costs_end = costs.unwrap_or(0);
            let (read_before, kept_before) = (read, kept);
            let epsilon = read - self.frames[to].epsilon..read;
            self.relax(epsilon.clone(), costs);
            read = epsilon.start;
            kept = self.keep_epsilon(epsilon, kept);
            self.frames[to].epsilon = kept_before - kept;
            let Some(from) = to.checked_sub(1) else {
                break;
            };
            let onward = read - self.frames[from].onward..read;
            read = onward.start;
            kept = self.keep_onward(onward, costs, self.frames[from].tokens, kept);
            self.frames[from].onward = kept_before - self.frames[to].epsilon - kept;
            let lost_nothing = read_before - read == kept_before - kept;
            if lost_nothing && to <= first {
                break;
            }
        }
        self.move_down(kept, read);
        self.costs.clear();
        self.counted = self.links.len();
        self.pruned = (self.frames.len(), self.links.len());
    }

    /// Computes the slack of a frame's epsilon links, if `costs` says where the costs of the
    /// frame's tokens begin; otherwise it is known. Then relaxes `extra` along the links until
    /// nothing changes.
    fn relax(&mut self, epsilon: Range<usize>, costs: Option<usize>) {
        let links = &mut self.links[epsilon];
        if let Some(begin) = costs {
            let costs = &self.costs[begin..];
            for link in &mut *links {
                link.slack -= costs[link.to as usize];
            }
        }
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
    }

    /// Keeps the epsilon links within the beam; returns where the kept links begin.
    fn keep_epsilon(&mut self, epsilon: Range<usize>, mut kept: usize) -> usize {
        for at in epsilon.rev() {
            let link = self.links[at];
            let through = self.extra[link.to as usize] + link.slack;
            kept = self.keep(link, kept, through <= self.beam);
        }
        kept
    }

    /// Keeps the links within the beam that lead into a frame, and computes `extra` for the
    /// `tokens` tokens of the frame before.
    fn keep_onward(
        &mut self,
        onward: Range<usize>,
        costs: Option<usize>,
        tokens: usize,
        mut kept: usize,
    ) -> usize {
        std::mem::swap(&mut self.extra, &mut self.extra_next);
        self.extra.clear();
        self.extra.resize(tokens, f32::INFINITY);
        for at in onward.rev() {
            let mut link = self.links[at];
            if let Some(begin) = costs {
                link.slack -= self.costs[begin + link.to as usize];
            }
            let through = self.extra_next[link.to as usize] + link.slack;
            let keep = through <= self.beam;
            let extra = &mut self.extra[link.from as usize];
            if keep && through < *extra {
                *extra = through;
            }
            kept = self.keep(link, kept, keep);
        }
        kept
    }

    /// Prunes all links against the end of the utterance. `extra` gives the extra cost over the
    /// best path of ending at each token of the last frame; infinity if a path cannot end there.
    pub(super) fn finish(&mut self, extra: impl Iterator<Item = f32>) {
        self.extra.clear();
        self.extra.extend(extra.map(
            |extra| {
                if extra <= self.beam { extra } else { f32::INFINITY }
            },
        ));
        self.prune_back(0);
    }

    /// Sets the lattice beam of the next utterance, finite, and what may stop its search.
    pub(super) fn prepare(&mut self, beam: f32, cancel: Option<&Cancel>) {
        self.beam = beam;
        self.cancel = cancel.cloned();
    }

    /// Number of links.
    pub(super) fn len(&self) -> usize {
        self.links.len()
    }

    /// By frame, from the one before the first frame of scores on: the number of its tokens, the
    /// epsilon links within it and the links from it onward.
    pub(super) fn frames(&self) -> impl ExactSizeIterator<Item = (usize, &[Link], &[Link])> {
        let mut rest = &self.links[..];
        self.frames.iter().map(move |frame| {
            let (epsilon, after) = rest.split_at(frame.epsilon);
            let (onward, after) = after.split_at(frame.onward);
            rest = after;
            (frame.tokens, epsilon, onward)
        })
    }
}
