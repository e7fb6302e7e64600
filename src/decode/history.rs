//! Word histories of a search for the best path alone: an arena of labelled arcs with
//! back-pointers.
//!
//! A token remembers the arc that reached it and the history of the token before. An entry is made
//! only if the token survives pruning and its arc has a label, so most arcs cost nothing. Whenever
//! the arena has doubled, entries that no token refers to are removed; so memory grows with the
//! number of words spoken, not with the work of the search.

use crate::graph::GraphView;

use super::branch::{BranchView, Branches, WORDLESS};
use super::hypothesis::Event;
use super::link::Step;
use super::recorder::Recorder;
use super::tokens::{Arrival, TokenSet};

/// No entry, or no labelled arc.
const NONE: u32 = u32::MAX;
/// Set in the index of an epsilon arc.
const EPSILON: u32 = 1 << 31;
/// Entries before the first collection.
const FIRST_COLLECTION: usize = 1 << 16;

/// How a token was reached: the history of its source, and the arc if it has a label.
#[derive(Clone, Copy)]
struct Trace {
    back: u32,
    arc: u32,
}

/// One labelled arc of some path.
#[derive(Clone, Copy)]
struct Entry {
    back: u32,
    event: Event,
    /// The branch it leads to, where branches are followed.
    branch: u32,
}

/// Histories of the tokens being read and of those being written.
#[derive(Clone, Default)]
pub(super) struct History {
    reading: Vec<Trace>,
    writing: Vec<Trace>,
    entries: Vec<Entry>,
    collect_at: usize,
    remap: Vec<u32>,
    branches: Branches,
}

impl Recorder for History {
    fn begin(&mut self, compete: bool) {
        self.reading.clear();
        self.reading.push(Trace { back: NONE, arc: NONE });
        self.writing.clear();
        self.entries.clear();
        self.collect_at = FIRST_COLLECTION;
        self.branches.begin(compete);
    }

    fn open_frame(&mut self, graph: &GraphView<'_>, tokens: &TokenSet, cutoff: f32, frame: u32) {
        self.writing.clear();
        if self.entries.len() >= self.collect_at {
            self.collect();
        }
        if self.branches.compete {
            self.follow(graph, tokens, cutoff, frame);
        }
    }

    fn branches(&self) -> BranchView<'_> {
        self.branches.view()
    }

    #[inline(always)]
    fn source(&mut self, graph: &GraphView<'_>, token: u32, frame: u32) -> u32 {
        let trace = self.reading[token as usize];
        if trace.arc == NONE {
            return trace.back;
        }
        self.enter(graph, token, trace, frame)
    }

    #[inline(always)]
    fn emitting(&mut self, step: Step, arrival: Arrival, _: f32, _: f32) {
        put(&mut self.writing, step, arrival, if step.labelled { step.arc } else { NONE });
    }

    fn close_frame(&mut self) {
        std::mem::swap(&mut self.reading, &mut self.writing);
    }

    fn epsilon(&mut self, step: Step, arrival: Arrival, _: f32, _: f32) {
        let arc = if step.labelled { step.arc | EPSILON } else { NONE };
        put(&mut self.reading, step, arrival, arc);
    }
}

#[inline(always)]
fn put(traces: &mut Vec<Trace>, step: Step, arrival: Arrival, arc: u32) {
    arrival.note(traces, Trace { back: step.source, arc });
}

impl History {
    /// Makes an entry of the labelled arc a token came by; `frame` is the number of frames
    /// consumed.
    fn enter(&mut self, graph: &GraphView<'_>, token: u32, trace: Trace, frame: u32) -> u32 {
        let event = if trace.arc & EPSILON != 0 {
            Event { label: graph.label(trace.arc & !EPSILON), frame }
        } else {
            Event { label: graph.label(trace.arc), frame: frame.saturating_sub(1) }
        };
        let back = self.entries.len() as u32;
        let mut branch = self.branch(trace.back);
        if self.branches.compete {
            branch = self.branches.after(branch, event.label);
        }
        self.entries.push(Entry { back: trace.back, event, branch });
        self.reading[token as usize] = Trace { back, arc: NONE };
        back
    }

    /// The branch that a history leads to.
    fn branch(&self, history: u32) -> u32 {
        self.entries.get(history as usize).map_or(WORDLESS, |entry| entry.branch)
    }

    /// Finds the branch of every token up to the cutoff.
    fn follow(&mut self, graph: &GraphView<'_>, tokens: &TokenSet, cutoff: f32, frame: u32) {
        self.branches.open(tokens.len(), WORDLESS);
        for (token, &cost) in tokens.costs.iter().enumerate() {
            if cost <= cutoff {
                let history = self.source(graph, token as u32, frame);
                self.branches.of_token[token] = self.branch(history);
            }
        }
    }

    /// The labelled arcs on the path to a token, in order.
    pub(super) fn events(&mut self, graph: &GraphView<'_>, token: u32, frame: u32) -> Vec<Event> {
        let mut at = self.source(graph, token, frame);
        let mut events = Vec::new();
        while let Some(entry) = self.entries.get(at as usize) {
            events.push(entry.event);
            at = entry.back;
        }
        events.reverse();
        events
    }

    /// As [`History::events`], and how many of them, from the first, are on the path of every one
    /// of these tokens, which `token` is one of.
    pub(super) fn agreed(
        &mut self,
        graph: &GraphView<'_>,
        token: u32,
        frame: u32,
        tokens: impl Iterator<Item = u32>,
    ) -> (Vec<Event>, usize) {
        let events = self.events(graph, token, frame);
        let mut last: Vec<u32> = Vec::new();
        last.extend(tokens.map(|token| self.source(graph, token, frame)));
        // By entry, the tokens whose path it is on. Back-pointers point down.
        self.remap.clear();
        self.remap.resize(self.entries.len(), 0);
        for &entry in &last {
            if let Some(on) = self.remap.get_mut(entry as usize) {
                *on += 1;
            }
        }
        for at in (0..self.entries.len()).rev() {
            let back = self.entries[at].back as usize;
            if back < at {
                self.remap[back] += self.remap[at];
            }
        }
        let mut at = self.source(graph, token, frame);
        let mut apart = 0;
        while let Some(&on) = self.remap.get(at as usize).filter(|&&on| on < last.len() as u32) {
            debug_assert!(on > 0, "the token is one of the tokens");
            apart += 1;
            at = self.entries[at as usize].back;
        }
        let agreed = events.len() - apart;
        (events, agreed)
    }

    /// Drops the entries no token leads to. Back-pointers point down, so one pass down marks and
    /// one pass up moves.
    fn collect(&mut self) {
        self.remap.clear();
        self.remap.resize(self.entries.len(), NONE);
        for trace in &self.reading {
            if let Some(mark) = self.remap.get_mut(trace.back as usize) {
                *mark = 0;
            }
        }
        for at in (0..self.entries.len()).rev() {
            let back = self.entries[at].back as usize;
            if self.remap[at] == 0 && back < at {
                self.remap[back] = 0;
            }
        }
        let mut kept = 0;
        for at in 0..self.entries.len() {
            if self.remap[at] == NONE {
                continue;
            }
            let entry = self.entries[at];
            let back = self.remap.get(entry.back as usize).copied().unwrap_or(NONE);
            self.entries[kept] = Entry { back, ..entry };
            self.remap[at] = kept as u32;
            kept += 1;
        }
        self.entries.truncate(kept);
        for trace in &mut self.reading {
            trace.back = self.remap.get(trace.back as usize).copied().unwrap_or(NONE);
        }
        self.collect_at = (2 * kept).max(FIRST_COLLECTION);
    }
}
