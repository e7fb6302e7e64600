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

/// The branches of the tokens being read and of those being written.
#[derive(Default)]
pub(super) struct Branches {
    words: Vec<u32>,
    arcs: Vec<u32>,
    next_words: Vec<u32>,
    next_arcs: Vec<u32>,
    /// The word of the token whose steps follow.
    current: u32,
}

impl Branches {
    fn begin(&mut self) {
        self.words.clear();
        self.words.push(0);
        self.arcs.clear();
        self.arcs.push(NONE);
        self.next_words.clear();
        self.next_arcs.clear();
    }

    /// The word of a token, its last arc's label included.
    #[inline(always)]
    fn resolve(&mut self, graph: &GraphView<'_>, token: usize) -> u32 {
        let arc = std::mem::replace(&mut self.arcs[token], NONE);
        if arc != NONE {
            let label = match arc & EPSILON {
                0 => graph.emitting.label(arc),
                _ => graph.epsilon.label(arc & !EPSILON),
            };
            if label & WORD_MASK != 0 {
                self.words[token] = label & WORD_MASK;
            }
        }
        self.words[token]
    }
}

/// Notes a step in arrays by token.
#[inline(always)]
fn put(words: &mut Vec<u32>, arcs: &mut Vec<u32>, arrival: Arrival, (word, arc): (u32, u32)) {
    match arrival {
        Arrival::New(_) => {
            words.push(word);
            arcs.push(arc);
        }
        Arrival::Better(token) => {
            words[token as usize] = word;
            arcs[token as usize] = arc;
        }
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
        for (token, &cost) in tokens.costs.iter().enumerate() {
            if cost <= cutoff {
                self.branches.resolve(graph, token);
            }
        }
        self.branches.next_words.clear();
        self.branches.next_arcs.clear();
        self.inner.open_frame(graph, tokens, cutoff);
    }

    fn words(&self) -> &[u32] {
        &self.branches.words
    }

    #[inline(always)]
    fn source(&mut self, graph: &GraphView<'_>, token: u32, frame: u32) -> u32 {
        self.branches.current = self.branches.resolve(graph, token as usize);
        self.inner.source(graph, token, frame)
    }

    #[inline(always)]
    fn emitting(&mut self, step: Step, arrival: Arrival, cost: f32, held: f32) {
        let arc = if step.labelled { step.arc } else { NONE };
        let Branches {
            next_words: words,
            next_arcs: arcs,
            current,
            ..
        } = &mut *self.branches;
        put(words, arcs, arrival, (*current, arc));
        self.inner.emitting(step, arrival, cost, held);
    }

    fn close_frame(&mut self) {
        std::mem::swap(&mut self.branches.words, &mut self.branches.next_words);
        std::mem::swap(&mut self.branches.arcs, &mut self.branches.next_arcs);
        self.inner.close_frame();
    }

    fn epsilon(&mut self, step: Step, arrival: Arrival) {
        let arc = if step.labelled {
            step.arc | EPSILON
        } else {
            NONE
        };
        let Branches {
            words,
            arcs,
            current,
            ..
        } = &mut *self.branches;
        put(words, arcs, arrival, (*current, arc));
        self.inner.epsilon(step, arrival);
    }
}
