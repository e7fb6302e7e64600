//! Puts roots, trees, back-offs, silences and ends together into a graph.

use std::ops::Range;

use crate::graph::{Gateway, Graph, GraphBuilder, GraphError, WORD_END};
use crate::units::{PdfId, StateId};

use super::histories::{BackoffModel, Histories, History};
use super::layout::breadth_first;
use super::nodes::NodeArc;
use super::roots::{RootKey, Roots};
use super::steps::Steps;
use super::topology::Topology;
use super::tree::{Grower, Stem};

/// The choice between two words: pause or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pauses {
    /// `−ln` of the probability of a silence, `None` if there are none.
    pub(super) silence: Option<Steps>,
    /// `−ln` of the probability of going on at once.
    pub(super) none: Steps,
}

/// Counts of what the compiler built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) histories: usize,
    pub(super) roots: usize,
    pub(super) nodes: usize,
    /// Whether any word can be said.
    pub(super) speaks: bool,
}

/// All that leaves a root.
#[derive(Debug)]
struct Row {
    again: Option<PdfId>,
    /// Into phones and silence: a range of [`Assembly::arcs`].
    arcs: Range<usize>,
    backoff: Option<(u32, Steps)>,
    end: Option<Steps>,
}

/// A graph in the making.
pub(super) struct Assembly<'a, M> {
    histories: &'a Histories<'a, M>,
    topology: &'a Topology,
    roots: &'a Roots,
    pauses: Pauses,
    grower: Grower<'a>,
    /// By state.
    rows: Vec<Row>,
    arcs: Vec<NodeArc>,
}

impl<'a, M: BackoffModel> Assembly<'a, M> {
    /// An assembly without arcs.
    pub(super) fn new(
        histories: &'a Histories<'a, M>,
        topology: &'a Topology,
        roots: &'a Roots,
        pauses: Pauses,
    ) -> Self {
        let grower = Grower::new(histories.dictionary, topology, roots);
        let (rows, arcs) = (Vec::with_capacity(roots.len() + 1), Vec::new());
        Assembly { histories, topology, roots, pauses, grower, rows, arcs }
    }

    /// Builds everything.
    pub(super) fn graph(mut self) -> Result<(Graph, Sizes), GraphError> {
        let mut sizes = Sizes { roots: self.roots.len(), ..Sizes::default() };
        let (mut leaves, mut initial) = (Vec::new(), None);
        for history in (0..self.histories.len() as u32).map(History) {
            let starts = history == self.histories.start();
            if starts || self.roots.of(history).next().is_some() {
                sizes.histories += 1;
                self.histories.leaves(history, &mut leaves);
                sizes.speaks |= !leaves.is_empty();
                let stems = self.grower.stems(&leaves);
                if starts {
                    initial = Some(self.initial(history, &stems));
                }
                self.rows_of(history, &stems);
            }
        }
        self.rows.extend(initial);
        sizes.nodes = self.grower.nodes.len();
        Ok((self.lay_out()?, sizes))
    }

    /// Adds the rows of one history's roots.
    fn rows_of(&mut self, history: History, stems: &[Stem]) {
        let end = self.histories.end(history);
        let backoff = self.histories.backoff(history);
        let (mut left, mut arcs) = (None, Vec::new());
        for (state, key) in self.roots.of(history) {
            let extra = self.going_on(key);
            if left != Some(key.left) {
                left = Some(key.left);
                arcs = self.grower.root_arcs(stems, key.left, extra);
            }
            // Plain roots have no silence: whoever backs off to one could have paused before, at
            // the same cost.
            let pauses = key.again.is_some() && key.left != self.topology.silence;
            let silence = if pauses { self.silence(key, WORD_END) } else { None };
            let row = Row {
                again: key.again,
                arcs: self.keep(&arcs, silence),
                backoff: backoff.map(|(next, cost)| (self.roots.backed_off(next, key), cost)),
                end: end.map(|end| end + extra),
            };
            debug_assert_eq!(state as usize, self.rows.len(), "roots come in order of state");
            self.rows.push(row);
        }
    }

    /// The row of the initial state: as a root's, but the choice of pausing is still open.
    fn initial(&mut self, history: History, stems: &[Stem]) -> Row {
        let key = RootKey { history, left: self.topology.silence, again: None };
        let extra = self.pauses.none;
        let arcs = self.grower.root_arcs(stems, key.left, extra);
        let silence = self.silence(key, 0);
        let backoff = self.histories.backoff(history);
        Row {
            again: None,
            arcs: self.keep(&arcs, silence),
            backoff: backoff.map(|(next, cost)| (self.roots.backed_off(next, key), cost + extra)),
            end: self.histories.end(history).map(|end| end + extra),
        }
    }

    /// Cost of no silence here; zero after a silence, which has already paid for the choice.
    fn going_on(&self, key: RootKey) -> Steps {
        if key.left == self.topology.silence { Steps::FREE } else { self.pauses.none }
    }

    /// The arc into the silence after a root.
    fn silence(&self, key: RootKey, label: u32) -> Option<NodeArc> {
        let cost = self.pauses.silence?;
        let silence = self.topology.silence;
        let pdfs = self.topology.pdfs(key.left, silence);
        let next = self.roots.entered(key.history, silence, pdfs.again);
        Some(NodeArc { pdf: pdfs.entry.0, label, next, cost })
    }

    /// Stores a row's arcs, cheapest first.
    fn keep(&mut self, arcs: &[NodeArc], silence: Option<NodeArc>) -> Range<usize> {
        let begin = self.arcs.len();
        self.arcs.extend(arcs.iter().copied().chain(silence));
        self.arcs[begin..].sort_unstable();
        begin..self.arcs.len()
    }

    /// All states in breadth-first order, as a graph.
    fn lay_out(&self) -> Result<Graph, GraphError> {
        let (roots, start) = (self.rows.len(), self.roots.initial());
        let states = roots + self.grower.nodes.len();
        let order =
            breadth_first(start, states, |state, next| match self.rows.get(state as usize) {
                Some(row) => {
                    next.extend(self.arcs[row.arcs.clone()].iter().map(|arc| arc.next));
                    next.extend(row.backoff.map(|(root, _)| root));
                }
                None => next.extend(self.grower.nodes.get(state).1.iter().map(|arc| arc.next)),
            });
        let mut number = vec![u32::MAX; states];
        for (id, &state) in order.iter().enumerate() {
            number[state as usize] = id as u32;
        }
        let mut out = Numbered { builder: GraphBuilder::new(), number };
        out.builder.add_states(order.len());
        out.builder.set_start(out.id(start));
        for &state in &order {
            match self.rows.get(state as usize) {
                Some(row) => out.root(state, row, &self.arcs[row.arcs.clone()]),
                None => {
                    let (again, arcs) = self.grower.nodes.get(state);
                    out.emitting(state, Some(again), arcs);
                }
            }
        }
        let mut gateways = self.gateways();
        for gateway in &mut gateways {
            gateway.state = out.number[gateway.state as usize];
        }
        gateways.retain(|gateway| gateway.state != u32::MAX);
        out.builder.set_gateways(gateways);
        out.builder.build()
    }

    /// The roots of the shortest history, and the initial state where it has that history.
    fn gateways(&self) -> Vec<Gateway> {
        let shorter = |&history: &History| self.histories.backoff(history).map(|(next, _)| next);
        let start = self.histories.start();
        let shortest = std::iter::successors(Some(start), shorter).last();
        let shortest = shortest.expect("the start is one");
        let gateway = |(state, key): (u32, RootKey)| Gateway {
            state,
            left: key.left.0,
            again: key.again.map_or(Gateway::NO_LOOP, |pdf| pdf.0),
            initial: 0,
        };
        let initial = (shortest == start).then_some(Gateway {
            state: self.roots.initial(),
            left: self.topology.silence.0,
            again: Gateway::NO_LOOP,
            initial: 1,
        });
        let roots = self.roots.of(shortest).map(gateway);
        roots.chain(initial).collect()
    }
}

/// A graph builder under new numbers.
struct Numbered {
    builder: GraphBuilder,
    number: Vec<u32>,
}

impl Numbered {
    fn id(&self, state: u32) -> StateId {
        StateId(self.number[state as usize])
    }

    fn root(&mut self, state: u32, row: &Row, arcs: &[NodeArc]) {
        self.emitting(state, row.again, arcs);
        if let Some((next, cost)) = row.backoff {
            self.builder.add_arc(self.id(state), None, 0, cost.cost(), self.id(next));
        }
        if let Some(end) = row.end {
            self.builder.set_final(self.id(state), end.cost());
        }
    }

    /// Adds a state's self-loop and its other emitting arcs.
    fn emitting(&mut self, state: u32, again: Option<PdfId>, arcs: &[NodeArc]) {
        let from = self.id(state);
        if again.is_some() {
            self.builder.add_arc(from, again, 0, Steps::FREE.cost(), from);
        }
        for arc in arcs {
            let (pdf, next) = (Some(PdfId(arc.pdf)), self.id(arc.next));
            self.builder.add_arc(from, pdf, arc.label, arc.cost.cost(), next);
        }
    }
}
