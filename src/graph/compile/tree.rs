//! The lexical prefix tree of one LM state, grown from its sorted leaves and shared from its ends.
//!
//! Costs are pushed towards the root in the tropical semiring (Mohri and Riley 2001): an arc
//! carries by how much the best word below it is worse than the best below its source, so the
//! search sees the language model at a word's first phone. The word is put out at the first arc
//! below which there is no other, so that what follows that arc depends on the word and its target
//! alone, and is one chain of states wherever the word is used with that target.

use std::ops::Range;

use crate::graph::WORD_START;
use crate::units::PhoneId;

use super::dictionary::Dictionary;
use super::histories::{History, Leaf};
use super::nodes::{NodeArc, Nodes};
use super::roots::Roots;
use super::steps::Steps;
use super::topology::Topology;

/// A first phone of words that follow an LM state, before the left context is known.
#[derive(Clone, Debug)]
pub(super) struct Stem {
    /// The phone.
    pub(super) phone: PhoneId,
    /// The word if there is only one, with [`WORD_START`].
    pub(super) label: u32,
    /// Cost of the best word below.
    pub(super) cost: Steps,
    /// The continuation after the phone.
    pub(super) after: After,
}

/// The continuation of a word after its first phone.
#[derive(Clone, Debug)]
pub(super) enum After {
    /// The word has no other phone: a root of this history.
    Root(History),
    /// More phones: this range of the grower's arcs.
    Phones(Range<usize>),
}

/// Grows the trees.
pub(super) struct Grower<'a> {
    pub(super) dictionary: &'a Dictionary,
    pub(super) topology: &'a Topology,
    pub(super) roots: &'a Roots,
    pub(super) nodes: Nodes,
    /// Arcs of the nodes on the path being grown; between trees, those of the last tree's stems.
    arcs: Vec<NodeArc>,
}

/// Leaves below a node, and what is known of them there.
#[derive(Clone, Copy)]
struct Below<'l> {
    leaves: &'l [Leaf],
    /// Number of phones before.
    depth: usize,
    /// The word was put out above.
    labelled: bool,
    /// Cost of the best leaf, which the arcs above carry.
    paid: Steps,
}

impl<'a> Grower<'a> {
    /// Nothing grown yet; nodes will be numbered after the roots and the initial state.
    pub(super) fn new(
        dictionary: &'a Dictionary,
        topology: &'a Topology,
        roots: &'a Roots,
    ) -> Self {
        let nodes = Nodes::new(roots.initial() + 1);
        Grower { dictionary, topology, roots, nodes, arcs: Vec::new() }
    }

    /// Grows the tree of one LM state from its leaves, sorted by rank, down to the states after the
    /// first phones.
    pub(super) fn stems(&mut self, leaves: &[Leaf]) -> Vec<Stem> {
        self.arcs.clear();
        let mut stems = Vec::new();
        let dictionary = self.dictionary;
        let same_phone =
            |a: &Leaf, b: &Leaf| dictionary.phone(a.rank, 0) == dictionary.phone(b.rank, 0);
        for group in leaves.chunk_by(same_phone) {
            let phone = dictionary.phone(group[0].rank, 0);
            let ended = group.partition_point(|leaf| dictionary.length(leaf.rank) == 1);
            stems.extend(group[..ended].iter().map(|leaf| Stem {
                phone,
                label: WORD_START | self.dictionary.word(leaf.rank),
                cost: leaf.cost,
                after: After::Root(leaf.target),
            }));
            if let Some((below, word)) = self.below(&group[ended..], 1, false) {
                let begin = self.arcs.len();
                self.grow(below);
                let after = After::Phones(begin..self.arcs.len());
                stems.push(Stem { phone, label: WORD_START | word, cost: below.paid, after });
            }
        }
        stems
    }

    /// The arcs of a root with this left phone, given the stems of its tree; `extra` is added to
    /// each cost.
    pub(super) fn root_arcs(
        &mut self,
        stems: &[Stem],
        left: PhoneId,
        extra: Steps,
    ) -> Vec<NodeArc> {
        let arc = |stem: &Stem| {
            let pdfs = self.topology.pdfs(left, stem.phone);
            let next = match &stem.after {
                After::Root(history) => self.roots.entered(*history, stem.phone, pdfs.again),
                After::Phones(arcs) => self.nodes.intern(pdfs.again, &mut self.arcs[arcs.clone()]),
            };
            NodeArc { pdf: pdfs.entry.0, label: stem.label, next, cost: stem.cost + extra }
        };
        stems.iter().map(arc).collect()
    }

    /// Pushes the arcs of the node below which these leaves are; its descendants become nodes.
    fn grow(&mut self, below: Below) {
        let Below { leaves, depth, labelled, paid } = below;
        let dictionary = self.dictionary;
        let phone = |leaf: &Leaf, depth| dictionary.phone(leaf.rank, depth);
        let same_phone = |a: &Leaf, b: &Leaf| phone(a, depth) == phone(b, depth);
        for group in leaves.chunk_by(same_phone) {
            let (before, phone) = (phone(&group[0], depth - 1), phone(&group[0], depth));
            let pdfs = self.topology.pdfs(before, phone);
            let ended = group.partition_point(|leaf| dictionary.length(leaf.rank) == depth + 1);
            for leaf in &group[..ended] {
                let label = if labelled { 0 } else { self.dictionary.word(leaf.rank) };
                let next = self.roots.entered(leaf.target, phone, pdfs.again);
                self.arcs.push(NodeArc { pdf: pdfs.entry.0, label, next, cost: leaf.cost - paid });
            }
            if let Some((below, label)) = self.below(&group[ended..], depth + 1, labelled) {
                let begin = self.arcs.len();
                self.grow(below);
                let next = self.nodes.intern(pdfs.again, &mut self.arcs[begin..]);
                self.arcs.truncate(begin);
                self.arcs.push(NodeArc { pdf: pdfs.entry.0, label, next, cost: below.paid - paid });
            }
        }
    }

    /// The leaves below an arc and the label of that arc; `None` if there are no leaves.
    fn below<'l>(
        &self,
        leaves: &'l [Leaf],
        depth: usize,
        labelled: bool,
    ) -> Option<(Below<'l>, u32)> {
        let paid = leaves.iter().map(|leaf| leaf.cost).min()?;
        let word = self.dictionary.word(leaves[0].rank);
        let unique = leaves.iter().all(|leaf| self.dictionary.word(leaf.rank) == word);
        let label = if unique && !labelled { word } else { 0 };
        Some((Below { leaves, depth, labelled: labelled || unique, paid }, label))
    }
}
