//! From a graph over tokens to one over tokens and the blank.
//!
//! In the graph over tokens, each state has just read a token, which its self-loop repeats. Here it
//! becomes two states. In the *saying* state the token goes on: any other token may follow at once,
//! and a blank leads to the *free* state. In the free state the blank goes on, and any token may
//! follow. A free state does not depend on the last token, so states with the same arcs share one:
//! after an n-gram history there is one, whatever token the last word ended in.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::graph::{ArcRef, Graph, GraphBuilder, GraphError, WORD_END, WORD_START};
use crate::units::{Cost, PdfId, StateId};

/// The graph with the blank.
///
/// # Errors
/// It is beyond what the format numbers.
pub(super) fn expand(tokens: &Graph, blank: PdfId) -> Result<Graph, GraphError> {
    let mut expansion = Expansion {
        tokens,
        blank,
        builder: GraphBuilder::new(),
        saying: HashMap::new(),
        free: HashMap::new(),
        free_of: HashMap::new(),
    };
    let start = tokens.start();
    for state in tokens.states() {
        let id = expansion.builder.add_state();
        expansion.saying.insert(state, id);
    }
    let heard = expansion.heard();
    for state in tokens.states() {
        expansion.say(state, heard.get(&state).copied());
    }
    expansion.builder.set_start(expansion.saying[&start]);
    expansion.builder.build()
}

/// A free state by what it does: arcs, where its back-off leads, and its end.
#[derive(PartialEq, Eq, Hash)]
struct Doing {
    arcs: Vec<(u32, u32, u32, u32)>,
    backoffs: Vec<(u32, u32)>,
    end: u32,
}

struct Expansion<'g> {
    tokens: &'g Graph,
    blank: PdfId,
    builder: GraphBuilder,
    /// By state of the token graph.
    saying: HashMap<StateId, StateId>,
    free: HashMap<Doing, StateId>,
    free_of: HashMap<StateId, StateId>,
}

impl Expansion<'_> {
    /// The token that each state has read last: that of its self-loop, or else that of the state
    /// that backs off to it. The start state has read none.
    fn heard(&self) -> HashMap<StateId, PdfId> {
        let mut heard = HashMap::new();
        let mut waiting = Vec::new();
        for state in self.tokens.states() {
            let mut arcs = self.tokens.emitting_arcs(state);
            let again = arcs.find(|arc| is_loop(state, arc));
            if let Some(pdf) = again.and_then(|arc| arc.pdf) {
                heard.insert(state, pdf);
                waiting.push(state);
            }
        }
        while let Some(state) = waiting.pop() {
            let last = heard[&state];
            for arc in self.tokens.epsilon_arcs(state) {
                if let Entry::Vacant(unknown) = heard.entry(arc.next) {
                    unknown.insert(last);
                    waiting.push(arc.next);
                }
            }
        }
        heard
    }

    /// Adds the arcs of a saying state.
    fn say(&mut self, state: StateId, heard: Option<PdfId>) {
        let from = self.saying[&state];
        let mut word_starts = false;
        for arc in self.tokens.emitting_arcs(state) {
            word_starts |= arc.label & WORD_START != 0;
            if is_loop(state, &arc) || arc.pdf != heard {
                let to = self.saying[&arc.next];
                self.builder.add_arc(from, arc.pdf, arc.label, arc.cost, to);
            }
        }
        for arc in self.tokens.epsilon_arcs(state) {
            let to = self.saying[&arc.next];
            self.builder.add_arc(from, None, arc.label, arc.cost, to);
        }
        self.builder.set_final(from, self.tokens.final_cost(state));
        let is_start = state == self.tokens.start();
        // What only backs off to here has its own way to the blank.
        if is_start || self.loops(state) {
            let between_words = word_starts || self.tokens.epsilon_arcs(state).next().is_some();
            let ends = between_words && !is_start;
            let label = if ends { WORD_END } else { 0 };
            let to = self.free(state);
            self.builder.add_arc(from, Some(self.blank), label, Cost::FREE, to);
        }
    }

    fn loops(&self, state: StateId) -> bool {
        let mut arcs = self.tokens.emitting_arcs(state);
        arcs.any(|arc| is_loop(state, &arc))
    }

    /// The state in which the blank goes on after `state`, made if there is none that does the
    /// same.
    fn free(&mut self, state: StateId) -> StateId {
        if let Some(&free) = self.free_of.get(&state) {
            return free;
        }
        let arcs: Vec<ArcRef> = self.tokens.emitting_arcs(state).collect();
        let arcs: Vec<ArcRef> = { arcs.into_iter() }.filter(|arc| !is_loop(state, arc)).collect();
        let backoffs: Vec<ArcRef> = self.tokens.epsilon_arcs(state).collect();
        let backoffs: Vec<(StateId, Cost)> =
            { backoffs.into_iter() }.map(|arc| (self.free(arc.next), arc.cost)).collect();
        let end = self.tokens.final_cost(state);
        let pdf = |arc: &ArcRef| arc.pdf.map_or(u32::MAX, |pdf| pdf.0);
        let mut doing = Doing {
            arcs: { arcs.iter() }
                .map(|arc| (pdf(arc), arc.label, arc.cost.0.to_bits(), arc.next.0))
                .collect(),
            backoffs: { backoffs.iter() }.map(|(to, cost)| (to.0, cost.0.to_bits())).collect(),
            end: end.0.to_bits(),
        };
        doing.arcs.sort_unstable();
        doing.backoffs.sort_unstable();
        let free = match self.free.get(&doing) {
            Some(&free) => free,
            None => {
                let free = self.add_free(&arcs, &backoffs, end);
                self.free.insert(doing, free);
                free
            }
        };
        self.free_of.insert(state, free);
        free
    }

    fn add_free(&mut self, arcs: &[ArcRef], backoffs: &[(StateId, Cost)], end: Cost) -> StateId {
        let free = self.builder.add_state();
        self.builder.add_arc(free, Some(self.blank), 0, Cost::FREE, free);
        for arc in arcs {
            let to = self.saying[&arc.next];
            self.builder.add_arc(free, arc.pdf, arc.label, arc.cost, to);
        }
        for &(to, cost) in backoffs {
            self.builder.add_arc(free, None, 0, cost, to);
        }
        self.builder.set_final(free, end);
        free
    }
}

/// Whether an arc repeats the token of its state. A word of a single token may follow itself too,
/// but that arc has a label.
fn is_loop(state: StateId, arc: &ArcRef) -> bool {
    arc.next == state && arc.label == 0
}
