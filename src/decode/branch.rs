//! On which branch each token is, for global pruning: the last word put out on its way.
//!
//! A recorder around another one. As in [`History`](super::history::History), a token remembers the
//! arc it came by, and the arc's label is looked up only for tokens that matter. Searches without
//! global pruning do not use it and pay nothing.

use crate::graph::{GraphView, WORD_MASK};

use super::search::{Recorder, Step};
use super::tokens::{Arrival, TokenSet};

/// The arc has no label, or it was looked up.
const NONE: u32 = u32::MAX;
/// Set in an arc index that counts epsilon arcs.
const EPSILON: u32 = 1 << 31;

/// How a token was reached: the word before the arc, and the arc if it has a label.
#[derive(Clone, Copy)]
struct Trace {
    word: u32,
    arc: u32,
}

/// The branches of the tokens being read and of those being written.
#[derive(Clone, Default)]
pub(super) struct Branches {
    /// By token being read: its word, once its arc was looked up.
    words: Vec<u32>,
    reading: Vec<Trace>,
    writing: Vec<Trace>,
    /// The word of the token whose steps follow.
    current: u32,
}

impl Branches {
    fn begin(&mut self) {
        self.reading.clear();
        self.reading.push(Trace { word: 0, arc: NONE });
        self.writing.clear();
    }

    /// The word of a token, its last arc's label included.
    #[inline(always)]
    fn word(&mut self, graph: &GraphView<'_>, token: usize) -> u32 {
        let Trace { word, arc } = self.reading[token];
        if arc == NONE {
            return word;
        }
        let label = match arc & EPSILON {
            0 => graph.emitting.label(arc),
            _ => graph.epsilon.label(arc & !EPSILON),
        };
        let word = match label & WORD_MASK {
            0 => word,
            said => said,
        };
        self.reading[token] = Trace { word, arc: NONE };
        word
    }
}

/// Notes a step in an array by token.
#[inline(always)]
fn put(traces: &mut Vec<Trace>, arrival: Arrival, trace: Trace) {
    match arrival {
        Arrival::New(_) => traces.push(trace),
        Arrival::Better(token) => traces[token as usize] = trace,
        Arrival::Worse(_) => {}
    }
}

/// A recorder that also knows every token's branch.
pub(super) struct Branched<'a, R> {
    inner: &'a mut R,
    branches: &'a mut Branches,
}

impl<'a, R> Branched<'a, R> {
    pub(super) fn new(inner: &'a mut R, branches: &'a mut Branches) -> Self {
        Branched { inner, branches }
    }
}

impl<R: Recorder> Recorder for Branched<'_, R> {
    fn begin(&mut self) {
        self.branches.begin();
        self.inner.begin();
    }

    fn open_frame(&mut self, graph: &GraphView<'_>, tokens: &TokenSet, cutoff: f32) {
        self.branches.words.resize(tokens.len(), 0);
        for (token, &cost) in tokens.costs.iter().enumerate() {
            if cost <= cutoff {
                self.branches.words[token] = self.branches.word(graph, token);
            }
        }
        self.branches.writing.clear();
        self.inner.open_frame(graph, tokens, cutoff);
    }

    fn words(&self) -> &[u32] {
        &self.branches.words
    }

    #[inline(always)]
    fn source(&mut self, graph: &GraphView<'_>, token: u32, frame: u32) -> u32 {
        self.branches.current = self.branches.word(graph, token as usize);
        self.inner.source(graph, token, frame)
    }

    #[inline(always)]
    fn emitting(&mut self, step: Step, arrival: Arrival, cost: f32, held: f32) {
        let arc = if step.labelled { step.arc } else { NONE };
        let word = self.branches.current;
        put(&mut self.branches.writing, arrival, Trace { word, arc });
        self.inner.emitting(step, arrival, cost, held);
    }

    fn close_frame(&mut self) {
        std::mem::swap(&mut self.branches.reading, &mut self.branches.writing);
        self.inner.close_frame();
    }

    fn epsilon(&mut self, step: Step, arrival: Arrival) {
        let arc = if step.labelled {
            step.arc | EPSILON
        } else {
            NONE
        };
        let word = self.branches.current;
        put(&mut self.branches.reading, arrival, Trace { word, arc });
        self.inner.epsilon(step, arrival);
    }
}
