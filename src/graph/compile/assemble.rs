//! Puts roots, trees, back-offs, silences and ends together into a graph.

use crate::graph::{Graph, GraphBuilder, GraphError, WORD_END};
use crate::units::{PdfId, StateId};

use super::histories::{BackoffModel, Histories, History, Leaf};
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

/// What was built, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) histories: usize,
    pub(super) roots: usize,
    pub(super) nodes: usize,
    /// Whether any word can be said.
    pub(super) speaks: bool,
}

/// A graph in the making.
pub(super) struct Assembly<'a, M> {
    pub(super) histories: &'a Histories<'a, M>,
    pub(super) topology: &'a Topology,
    pub(super) roots: &'a Roots,
    pub(super) pauses: Pauses,
    builder: GraphBuilder,
    grower: Grower<'a>,
}

impl<'a, M: BackoffModel> Assembly<'a, M> {
    /// An assembly with all roots as states, without arcs.
    pub(super) fn new(
        histories: &'a Histories<'a, M>,
        topology: &'a Topology,
        roots: &'a Roots,
        pauses: Pauses,
    ) -> Self {
        let grower = Grower::new(histories.dictionary, topology, roots);
        Assembly {
            histories,
            topology,
            roots,
            pauses,
            builder: GraphBuilder::new(),
            grower,
        }
    }

    /// Builds everything.
    pub(super) fn graph(mut self) -> Result<(Graph, Sizes), GraphError> {
        let mut sizes = Sizes {
            roots: self.roots.len(),
            ..Sizes::default()
        };
        self.builder.add_states(self.roots.len() + 1);
        self.builder.set_start(StateId(self.roots.initial()));
        let mut leaves = Vec::new();
        for history in (0..self.histories.len() as u32).map(History) {
            let starts = history == self.histories.start();
            if starts || self.roots.of(history).next().is_some() {
                sizes.histories += 1;
                self.history(history, starts, &mut leaves);
                sizes.speaks |= !leaves.is_empty();
            }
        }
        sizes.nodes = self.grower.nodes.len();
        self.add_nodes();
        Ok((self.builder.build()?, sizes))
    }

    /// Adds all that leaves the roots of one history.
    fn history(&mut self, history: History, starts: bool, leaves: &mut Vec<Leaf>) {
        self.histories.leaves(history, leaves);
        let stems = self.grower.stems(leaves);
        if starts {
            self.initial(history, &stems);
        }
        let end = self.histories.end(history);
        let backoff = self.histories.backoff(history);
        let (mut left, mut arcs) = (None, Vec::new());
        for (state, key) in self.roots.of(history) {
            if left != Some(key.left) {
                left = Some(key.left);
                arcs = self.grower.root_arcs(&stems, key.left, self.going_on(key));
            }
            self.add_node(state, key.again, &arcs);
            if let Some((next, cost)) = backoff {
                self.back_off(state, self.roots.backed_off(next, key), cost);
            }
            if key.again.is_some() && key.left != self.topology.silence {
                self.silence(state, key, WORD_END);
            }
            self.end(state, end, self.going_on(key));
        }
    }

    /// Adds all that leaves the initial state: as from a root, but the choice of pausing is still open.
    fn initial(&mut self, history: History, stems: &[Stem]) {
        let (state, left) = (self.roots.initial(), self.topology.silence);
        let key = RootKey {
            history,
            left,
            again: None,
        };
        let arcs = self.grower.root_arcs(stems, left, self.pauses.none);
        self.add_node(state, None, &arcs);
        if let Some((next, cost)) = self.histories.backoff(history) {
            self.back_off(
                state,
                self.roots.backed_off(next, key),
                cost + self.pauses.none,
            );
        }
        self.silence(state, key, 0);
        self.end(state, self.histories.end(history), self.pauses.none);
    }

    /// What it costs not to pause: nothing after a silence, where that was settled.
    fn going_on(&self, key: RootKey) -> Steps {
        if key.left == self.topology.silence {
            Steps::FREE
        } else {
            self.pauses.none
        }
    }

    fn back_off(&mut self, from: u32, to: u32, cost: Steps) {
        self.builder
            .add_arc(StateId(from), None, 0, cost.cost(), StateId(to));
    }

    /// Adds the arc into the silence after a root. Plain roots have none: whoever backs off to one could have paused
    /// before, at the same cost.
    fn silence(&mut self, from: u32, key: RootKey, label: u32) {
        let Some(cost) = self.pauses.silence else {
            return;
        };
        let silence = self.topology.silence;
        let pdfs = self.topology.pdfs(key.left, silence);
        let to = self.roots.entered(key.history, silence, pdfs.again);
        self.builder.add_arc(
            StateId(from),
            Some(pdfs.entry),
            label,
            cost.cost(),
            StateId(to),
        );
    }

    fn end(&mut self, state: u32, end: Option<Steps>, extra: Steps) {
        if let Some(cost) = end {
            self.builder
                .set_final(StateId(state), (cost + extra).cost());
        }
    }

    fn add_node(&mut self, state: u32, again: Option<PdfId>, arcs: &[NodeArc]) {
        add_node(&mut self.builder, state, again, arcs);
    }

    fn add_nodes(&mut self) {
        let nodes = &self.grower.nodes;
        self.builder.add_states(nodes.len());
        for (state, again, arcs) in nodes.iter() {
            add_node(&mut self.builder, state, Some(again), arcs);
        }
    }
}

/// Adds a state's self-loop and its other arcs.
fn add_node(builder: &mut GraphBuilder, state: u32, again: Option<PdfId>, arcs: &[NodeArc]) {
    let from = StateId(state);
    if again.is_some() {
        builder.add_arc(from, again, 0, Steps::FREE.cost(), from);
    }
    for arc in arcs {
        let pdf = Some(PdfId(arc.pdf));
        builder.add_arc(from, pdf, arc.label, arc.cost.cost(), StateId(arc.next));
    }
}
