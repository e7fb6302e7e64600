//! Tree nodes, each kept once: hash-consing, which is minimisation when a tree is built from its
//! leaves.
//!
//! Two nodes that consume the same pdf in their self-loop and have the same arcs are one state
//! (Revuz 1992 for acyclic automata; here the leaves are roots, which are told apart by their
//! keys).

use bytemuck::{Pod, Zeroable};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::units::PdfId;

use super::steps::Steps;

/// An emitting arc of a node or root. Ordered by cost first, as the search reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable)]
#[repr(C)]
pub(super) struct NodeArc {
    /// Difference of the best completion.
    pub(super) cost: Steps,
    /// The pdf a frame is consumed with.
    pub(super) pdf: u32,
    /// Word and flags.
    pub(super) label: u32,
    /// The state it leads to.
    pub(super) next: u32,
}

/// Free slot of the hash table.
const FREE: u32 = u32::MAX;

/// All nodes so far. Their states are numbered from `first` on, in the order they came up.
pub(super) struct Nodes {
    first: u32,
    /// The pdf of each node's self-loop.
    again: Vec<u32>,
    /// `nodes + 1` offsets into `arcs`.
    begin: Vec<u32>,
    arcs: Vec<NodeArc>,
    /// Open addressing with linear probing; a power of two of slots, at most half of them taken.
    slots: Vec<u32>,
}

impl Nodes {
    /// No nodes; the first will be state `first`.
    pub(super) fn new(first: u32) -> Self {
        let slots = vec![FREE; 1 << 10];
        Nodes { first, again: Vec::new(), begin: vec![0], arcs: Vec::new(), slots }
    }

    /// The state with this self-loop and these arcs, which are put into order.
    pub(super) fn intern(&mut self, again: PdfId, arcs: &mut [NodeArc]) -> u32 {
        arcs.sort_unstable();
        let arcs = &*arcs;
        if self.again.len() * 2 >= self.slots.len() {
            self.widen();
        }
        let mut slot = self.slot(again.0, arcs);
        loop {
            match self.slots[slot] {
                FREE => break,
                node if self.again[node as usize] == again.0 && self.arcs(node) == arcs => {
                    return self.first + node;
                }
                _ => slot = (slot + 1) & (self.slots.len() - 1),
            }
        }
        let node = self.again.len() as u32;
        self.slots[slot] = node;
        self.again.push(again.0);
        self.arcs.extend_from_slice(arcs);
        self.begin
            .push(u32::try_from(self.arcs.len()).expect("fewer than 2^32 arcs fit in memory"));
        self.first + node
    }

    /// Number of nodes.
    pub(super) fn len(&self) -> usize {
        self.again.len()
    }

    /// The pdf of a state's self-loop, and its arcs.
    pub(super) fn get(&self, state: u32) -> (PdfId, &[NodeArc]) {
        let node = state - self.first;
        (PdfId(self.again[node as usize]), self.arcs(node))
    }

    fn arcs(&self, node: u32) -> &[NodeArc] {
        let (begin, end) = (self.begin[node as usize], self.begin[node as usize + 1]);
        &self.arcs[begin as usize..end as usize]
    }

    fn slot(&self, again: u32, arcs: &[NodeArc]) -> usize {
        let hash = xxh3_64_with_seed(bytemuck::cast_slice(arcs), u64::from(again));
        hash as usize & (self.slots.len() - 1)
    }

    fn widen(&mut self) {
        self.slots = vec![FREE; self.slots.len() * 2];
        for node in 0..self.len() as u32 {
            let mut slot = self.slot(self.again[node as usize], self.arcs(node));
            while self.slots[slot] != FREE {
                slot = (slot + 1) & (self.slots.len() - 1);
            }
            self.slots[slot] = node;
        }
    }
}
