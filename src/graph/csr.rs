//! The decoding graph as the search reads it: compressed sparse rows of eight-byte arcs.
//!
//! What the layout does for the search's cache behaviour:
//! - emitting and epsilon arcs are in separate arrays, since the search walks them in separate
//!   passes;
//! - an arc is one `u64`: from the top, 24 bits of cost (signed fixed point, step 2⁻¹⁵), 14 of pdf,
//!   one that says whether the arc has a label, 25 of target; so one cache line holds eight arcs,
//!   and the order of the integers is the order of the costs;
//! - the arcs of a state are sorted by cost, so that expansion stops at the first one beyond the
//!   beam;
//! - labels are in a parallel array that is read only when an arc that has one is taken;
//! - states with epsilon arcs are numbered first, so that "has it any?" is one comparison and no
//!   memory access.
//!
//! The fixed-point step of 3·10⁻⁵ leaves a path of a hundred arcs within about 10⁻⁴ of its cost in
//! `f32`; an `f16` of the same purpose would err by 10⁻³ an arc.

use std::ops::Range;
use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use memmap2::Mmap;

use crate::units::{Cost, PdfId, StateId, WordId};

use super::WORD_MASK;

/// Bits of the target state in a packed arc.
const NEXT_BITS: u32 = 25;
/// Position of the bit that is set where the arc has a label other than 0.
const LABEL_BIT: u32 = NEXT_BITS;
/// Position of the pdf in a packed arc.
const PDF_SHIFT: u32 = NEXT_BITS + 1;
/// Bits of the pdf in a packed arc.
const PDF_BITS: u32 = 14;
/// Number of states a graph can hold.
pub(super) const STATE_LIMIT: usize = 1 << NEXT_BITS;
/// Number of pdfs a graph can refer to.
pub(super) const PDF_LIMIT: usize = 1 << PDF_BITS;
/// Fixed-point steps in one unit of cost.
const COST_STEPS: f32 = 32768.0;
/// The largest cost a packed arc holds, in steps: 2²³ − 1, just under 256.
const COST_MAX_STEPS: f32 = 8_388_607.0;

/// One arc without its label: cost, pdf and target in eight bytes (little-endian on disk).
///
/// The derived order is by cost, then pdf, then arcs without a label, then target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable)]
#[repr(transparent)]
pub struct PackedArc(i64);

impl PackedArc {
    /// Packs an arc; `pdf` is 0 for an epsilon arc. `pdf` and `next` must be below the format's
    /// limits, and `cost` above −256; a cost of 256 or more (a probability of e⁻²⁵⁶) is held as
    /// just under 256.
    pub(super) fn new(pdf: u32, labelled: bool, cost: f32, next: u32) -> Self {
        debug_assert!((pdf as usize) < PDF_LIMIT && (next as usize) < STATE_LIMIT && cost > -256.0);
        let steps = (cost * COST_STEPS).round().min(COST_MAX_STEPS) as i64;
        let low = i64::from(labelled) << LABEL_BIT | i64::from(next);
        PackedArc(steps << (PDF_SHIFT + PDF_BITS) | i64::from(pdf) << PDF_SHIFT | low)
    }

    /// The state the arc leads to. In a damaged file it may not exist.
    #[inline(always)]
    pub fn next(self) -> StateId {
        StateId(self.0 as u32 & (STATE_LIMIT as u32 - 1))
    }

    /// The pdf the arc consumes a frame with, always below 2¹⁴; meaningless for an epsilon arc.
    #[inline(always)]
    pub fn pdf(self) -> PdfId {
        PdfId((self.0 >> PDF_SHIFT) as u32 & (PDF_LIMIT as u32 - 1))
    }

    /// Whether the arc's label is other than 0.
    #[inline(always)]
    pub fn has_label(self) -> bool {
        self.0 >> LABEL_BIT & 1 != 0
    }

    /// The arc's graph cost, exactly representable in `f32`.
    #[inline(always)]
    pub fn cost(self) -> Cost {
        Cost((self.0 >> (PDF_SHIFT + PDF_BITS)) as i32 as f32 * (1.0 / COST_STEPS))
    }

    /// The same arc to another state.
    pub(super) fn with_next(self, next: u32) -> Self {
        PackedArc(self.0 & !(STATE_LIMIT as i64 - 1) | i64::from(next))
    }
}

/// One array of a graph: its own memory, or a range of a mapped file.
#[derive(Debug)]
pub(super) enum Section<T> {
    /// Built in memory.
    Owned(Vec<T>),
    /// Bytes of a mapped file; length and alignment were checked when it was opened.
    Mapped(Arc<Mmap>, Range<usize>),
}

impl<T: Pod> Section<T> {
    pub(super) fn as_slice(&self) -> &[T] {
        match self {
            Section::Owned(values) => values,
            Section::Mapped(map, range) => bytemuck::cast_slice(&map[range.clone()]),
        }
    }
}

/// A decoding graph: built by [`GraphBuilder`](super::GraphBuilder), or mapped by [`Graph::open`].
///
/// Immutable and shareable between threads. Nothing in a mapped graph is trusted: every access is
/// checked.
#[derive(Debug)]
pub struct Graph {
    pub(super) start: u32,
    pub(super) num_pdfs: u32,
    /// `states + 1` offsets into `emitting`.
    pub(super) emitting_begin: Section<u32>,
    pub(super) emitting: Section<PackedArc>,
    pub(super) emitting_labels: Section<u32>,
    /// `epsilon states + 1` offsets into `epsilon`; states beyond have no epsilon arcs.
    pub(super) epsilon_begin: Section<u32>,
    pub(super) epsilon: Section<PackedArc>,
    pub(super) epsilon_labels: Section<u32>,
    /// Final states in ascending order, and their costs.
    pub(super) final_states: Section<u32>,
    pub(super) final_costs: Section<f32>,
}

impl Graph {
    /// The state in which every utterance starts.
    pub fn start(&self) -> StateId {
        StateId(self.start)
    }

    /// Number of states.
    pub fn num_states(&self) -> usize {
        self.emitting_begin.as_slice().len().saturating_sub(1)
    }

    /// One more than the largest pdf any arc consumes: the number of score columns the graph needs.
    pub fn num_pdfs(&self) -> usize {
        self.num_pdfs as usize
    }

    /// Number of emitting and of epsilon arcs.
    pub fn num_arcs(&self) -> (usize, usize) {
        (
            self.emitting.as_slice().len(),
            self.epsilon.as_slice().len(),
        )
    }

    /// Number of final states.
    pub fn num_final(&self) -> usize {
        self.final_states.as_slice().len()
    }

    /// The cost of ending in a state: [`Cost::IMPOSSIBLE`] unless it is final.
    pub fn final_cost(&self, state: StateId) -> Cost {
        self.view().final_cost(state)
    }

    /// The emitting arcs of a state, cheapest first; none if the state does not exist.
    pub fn emitting_arcs(&self, state: StateId) -> impl Iterator<Item = ArcRef> {
        self.view().emitting.of(state.0).iter(true)
    }

    /// The epsilon arcs of a state, cheapest first; none if the state does not exist.
    pub fn epsilon_arcs(&self, state: StateId) -> impl Iterator<Item = ArcRef> {
        self.view().epsilon.of(state.0).iter(false)
    }

    /// The arrays as plain slices, for loops that should not look up where they lie at each step.
    pub fn view(&self) -> GraphView<'_> {
        GraphView {
            emitting: Rows {
                begin: self.emitting_begin.as_slice(),
                arcs: self.emitting.as_slice(),
                labels: self.emitting_labels.as_slice(),
            },
            epsilon: Rows {
                begin: self.epsilon_begin.as_slice(),
                arcs: self.epsilon.as_slice(),
                labels: self.epsilon_labels.as_slice(),
            },
            final_states: self.final_states.as_slice(),
            final_costs: self.final_costs.as_slice(),
        }
    }
}

/// An unpacked arc, for code that is not hot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArcRef {
    /// The pdf a frame is consumed with; `None` for an epsilon arc.
    pub pdf: Option<PdfId>,
    /// Flags ([`WORD_START`](super::WORD_START), [`WORD_END`](super::WORD_END)) and word.
    pub label: u32,
    /// Graph cost.
    pub cost: Cost,
    /// Target.
    pub next: StateId,
}

impl ArcRef {
    /// The word the arc puts out, [`WordId::EPSILON`] if none.
    pub fn word(&self) -> WordId {
        WordId(self.label & WORD_MASK)
    }
}

/// Borrowed arrays of a [`Graph`].
#[derive(Clone, Copy, Debug)]
pub struct GraphView<'g> {
    /// Arcs that consume a frame.
    pub(crate) emitting: Rows<'g>,
    /// Arcs that consume nothing.
    pub(crate) epsilon: Rows<'g>,
    final_states: &'g [u32],
    final_costs: &'g [f32],
}

impl<'g> GraphView<'g> {
    /// The cost of ending in a state: [`Cost::IMPOSSIBLE`] unless it is final.
    pub fn final_cost(&self, state: StateId) -> Cost {
        self.final_states
            .binary_search(&state.0)
            .ok()
            .and_then(|i| self.final_costs.get(i))
            .map_or(Cost::IMPOSSIBLE, |&cost| Cost(cost))
    }
}

/// Arcs grouped by the state they leave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'g> {
    pub(crate) begin: &'g [u32],
    pub(crate) arcs: &'g [PackedArc],
    pub(crate) labels: &'g [u32],
}

impl<'g> Rows<'g> {
    /// The arcs of a state; empty if the state or its row is out of range.
    #[inline(always)]
    pub(crate) fn of(&self, state: u32) -> Arcs<'g> {
        let (first, arcs) = self.row(state);
        Arcs {
            first,
            arcs,
            labels: self.labels,
        }
    }

    /// The index of the first arc of a state, and its arcs; empty if the state or its row is out of
    /// range.
    #[inline(always)]
    pub(crate) fn row(&self, state: u32) -> (u32, &'g [PackedArc]) {
        let state = state as usize;
        let Some(&[begin, end]) = self.begin.get(state..state + 2) else {
            return (0, &[]);
        };
        (
            begin,
            self.arcs.get(begin as usize..end as usize).unwrap_or(&[]),
        )
    }

    /// Number of states that have a row.
    pub(crate) fn len(&self) -> usize {
        self.begin.len().saturating_sub(1)
    }

    /// The label of an arc by its index; 0 if out of range.
    #[inline(always)]
    pub(crate) fn label(&self, arc: u32) -> u32 {
        self.labels.get(arc as usize).copied().unwrap_or(0)
    }
}

/// The arcs of one state.
#[derive(Clone, Copy, Debug)]
pub struct Arcs<'g> {
    first: u32,
    arcs: &'g [PackedArc],
    labels: &'g [u32],
}

impl<'g> Arcs<'g> {
    /// The arcs, unpacked, cheapest first.
    fn iter(self, emitting: bool) -> impl Iterator<Item = ArcRef> + use<'g> {
        let labels = self.labels.get(self.first as usize..).unwrap_or(&[]);
        self.arcs
            .iter()
            .zip(labels)
            .map(move |(arc, &label)| ArcRef {
                pdf: emitting.then(|| arc.pdf()),
                label,
                cost: arc.cost(),
                next: arc.next(),
            })
    }
}
