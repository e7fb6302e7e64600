//! The decoding graph as the search reads it: rows of eight-byte arcs, and a state is where its row
//! is.
//!
//! What the layout does for the search's cache behaviour:
//! - an arc is one `u64`: from the top, 23 bits of cost (signed fixed point, step 2⁻¹⁵), 13 of pdf,
//!   one that says whether the arc has a label, one that says whether it is the last of its row, 26
//!   of target; so one cache line holds eight arcs;
//! - a state's id is the index of its first emitting arc, the others follow; its epsilon arcs
//!   precede it, the first of them nearest: no table says where a row begins, an arc leads straight
//!   to the next arcs, and what closes a frame over epsilon arcs fetches what the next frame begins
//!   with;
//! - the arcs of a state are sorted by cost, so that expansion stops at the first one beyond the
//!   beam;
//! - labels are in a parallel array that is read only when an arc that has one is taken;
//! - states with epsilon arcs come first, so that "has it any?" is one comparison and no memory
//!   access.
//!
//! A state without emitting arcs has one that no scores can follow ([`PackedArc::DEAD`]).
//!
//! The fixed-point step of 3·10⁻⁵ leaves a path of a hundred arcs within about 10⁻⁴ of its cost in
//! `f32`; an `f16` of the same purpose would err by 10⁻³ an arc.

use bytemuck::{Pod, Zeroable};

use crate::units::{Cost, PdfId, StateId, WordId};

use crate::prefetch::prefetch;

use super::WORD_MASK;
use super::container::Section;

/// Bits of the target state in a packed arc.
const NEXT_BITS: u32 = 26;
/// Position of the bit that is set in the last arc of a row.
const LAST_BIT: u32 = NEXT_BITS;
/// Position of the bit that is set where the arc has a label other than 0.
const LABEL_BIT: u32 = NEXT_BITS + 1;
/// Position of the pdf in a packed arc.
const PDF_SHIFT: u32 = NEXT_BITS + 2;
/// Bits of the pdf in a packed arc.
const PDF_BITS: u32 = 13;
/// Number of arcs a graph can hold, those that stand for no arc included.
pub(super) const ARC_LIMIT: usize = 1 << NEXT_BITS;
/// The pdf of epsilon arcs, which consume none.
const NO_PDF: u32 = (1 << PDF_BITS) - 1;
/// The pdf of an arc that cannot be followed: no scores have it.
const DEAD_PDF: u32 = NO_PDF - 1;
/// Number of pdfs a graph can refer to.
pub(super) const PDF_LIMIT: usize = DEAD_PDF as usize;
/// Fixed-point steps in one unit of cost.
const COST_STEPS: f32 = 32768.0;
/// The largest cost a packed arc holds, in steps: 2²² − 1, just under 128.
const COST_MAX_STEPS: f32 = 4_194_303.0;
/// Costs must be above this.
pub(super) const COST_MIN: f32 = -128.0;

/// One arc without its label: cost, pdf and target in eight bytes (little-endian on disk).
///
/// The derived order is by cost, then pdf, then arcs without a label, then target, for arcs that
/// are not the last of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable)]
#[repr(transparent)]
pub struct PackedArc(i64);

impl PackedArc {
    /// Stands in for the arcs of a state without emitting arcs: as dear as can be, the last of its
    /// row, and of a pdf that no scores have.
    pub(super) const DEAD: PackedArc = PackedArc(
        (COST_MAX_STEPS as i64) << (PDF_SHIFT + PDF_BITS)
            | (DEAD_PDF as i64) << PDF_SHIFT
            | 1 << LAST_BIT,
    );

    /// Packs an arc; `pdf` is `None` for an epsilon arc. `pdf` and `next` must be below the
    /// format's limits, and `cost` above −128; a cost of 128 or more (a probability of e⁻¹²⁸) is
    /// held as just under 128.
    pub(super) fn new(pdf: Option<u32>, labelled: bool, cost: f32, next: u32) -> Self {
        let pdf = pdf.unwrap_or(NO_PDF);
        debug_assert!(pdf <= NO_PDF && (next as usize) < ARC_LIMIT && cost > COST_MIN);
        let steps = (cost * COST_STEPS).round().min(COST_MAX_STEPS) as i64;
        let low = i64::from(labelled) << LABEL_BIT | i64::from(next);
        PackedArc(steps << (PDF_SHIFT + PDF_BITS) | i64::from(pdf) << PDF_SHIFT | low)
    }

    /// The state the arc leads to. In a damaged file it may not exist.
    #[inline(always)]
    pub fn next(self) -> StateId {
        StateId(self.0 as u32 & (ARC_LIMIT as u32 - 1))
    }

    /// The pdf the arc consumes a frame with, always below 2¹³; meaningless for an epsilon arc.
    #[inline(always)]
    pub fn pdf(self) -> PdfId {
        PdfId((self.0 >> PDF_SHIFT) as u32 & NO_PDF)
    }

    /// Whether the arc's label is other than 0.
    #[inline(always)]
    pub fn has_label(self) -> bool {
        self.0 >> LABEL_BIT & 1 != 0
    }

    /// Whether the arc is the last of its row.
    #[inline(always)]
    pub fn is_last(self) -> bool {
        self.0 >> LAST_BIT & 1 != 0
    }

    /// The arc's graph cost, exactly representable in `f32`.
    #[inline(always)]
    pub fn cost(self) -> Cost {
        Cost((self.0 >> (PDF_SHIFT + PDF_BITS)) as i32 as f32 * (1.0 / COST_STEPS))
    }

    pub(super) fn is_epsilon(self) -> bool {
        self.pdf().0 == NO_PDF
    }

    pub(super) fn is_dead(self) -> bool {
        self.pdf().0 == DEAD_PDF
    }

    /// The same arc to another state.
    pub(super) fn with_next(self, next: u32) -> Self {
        PackedArc(self.0 & !(ARC_LIMIT as i64 - 1) | i64::from(next))
    }

    /// The same arc, not the last of its row.
    pub(super) fn opened(self) -> Self {
        PackedArc(self.0 & !(1 << LAST_BIT))
    }

    /// The same arc, the last of its row.
    pub(super) fn made_last(self) -> Self {
        PackedArc(self.0 | 1 << LAST_BIT)
    }
}

/// A state between two words that remembers nothing of the words before: where words can be added
/// to a graph that is compiled already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Gateway {
    /// The state.
    pub(super) state: u32,
    /// The phone before, by id.
    pub(super) left: u32,
    /// The pdf of the state's self-loop, [`Gateway::NO_LOOP`] if it has none.
    pub(super) again: u32,
    /// 1 for the start of utterances, where a silence may still come, else 0.
    pub(super) initial: u32,
}

impl Gateway {
    /// Stands for no self-loop.
    pub(super) const NO_LOOP: u32 = u32::MAX;
}

/// A decoding graph: built by [`GraphBuilder`](super::GraphBuilder), or mapped by [`Graph::open`].
///
/// Immutable and shareable between threads. Nothing in a mapped graph is trusted: every access is
/// checked. States are numbered in ascending order, but with gaps: [`Graph::states`] lists them.
///
/// ```
/// use paretone::graph::{Graph, GraphBuilder};
/// use paretone::units::{Cost, PdfId};
///
/// let mut builder = GraphBuilder::new();
/// let state = builder.add_state();
/// builder.set_start(state);
/// builder.set_final(state, Cost::FREE);
/// builder.add_arc(state, Some(PdfId(0)), 0, Cost(0.5), state);
///
/// let folder = tempfile::tempdir().expect("a folder");
/// let path = folder.path().join("loop.graph");
/// builder.build()?.save(&path)?;
/// let graph = Graph::open(&path)?; // takes the same time whatever the size
/// assert_eq!(graph.emitting_arcs(graph.start()).count(), 1);
/// assert!(Graph::verify(&path).is_ok()); // reads and checks everything
/// # Ok::<(), paretone::graph::GraphError>(())
/// ```
#[derive(Debug)]
pub struct Graph {
    pub(super) start: u32,
    pub(super) num_pdfs: u32,
    pub(super) num_states: u32,
    /// Number of emitting and of epsilon arcs.
    pub(super) num_arcs: (u32, u32),
    /// States below this have epsilon arcs.
    pub(super) epsilon_end: u32,
    /// No row has more arcs, so that a row of a damaged file, which may have lost its end, has one.
    pub(super) longest_row: u32,
    pub(super) arcs: Section<PackedArc>,
    pub(super) labels: Section<u32>,
    /// Final states in ascending order, and their costs.
    pub(super) final_states: Section<u32>,
    pub(super) final_costs: Section<f32>,
    /// Where words can be added; empty where the graph was not compiled here.
    pub(super) gateways: Section<Gateway>,
}

impl Graph {
    /// The state in which every utterance starts.
    pub fn start(&self) -> StateId {
        StateId(self.start)
    }

    /// Number of states.
    pub fn num_states(&self) -> usize {
        self.num_states as usize
    }

    /// Every state's id is below this.
    pub fn state_limit(&self) -> usize {
        self.arcs.as_slice().len()
    }

    /// All states, ascending.
    pub fn states(&self) -> impl Iterator<Item = StateId> {
        let arcs = self.arcs.as_slice();
        let mut inside = false;
        // The first emitting arc of a row.
        (0u32..).zip(arcs).filter_map(move |(at, arc)| {
            let first = !inside && !arc.is_epsilon();
            if !arc.is_epsilon() {
                inside = !arc.is_last();
            }
            first.then_some(StateId(at))
        })
    }

    /// One more than the largest pdf any arc consumes: the number of score columns the graph needs.
    pub fn num_pdfs(&self) -> usize {
        self.num_pdfs as usize
    }

    /// Number of emitting and of epsilon arcs.
    pub fn num_arcs(&self) -> (usize, usize) {
        (self.num_arcs.0 as usize, self.num_arcs.1 as usize)
    }

    /// Number of final states.
    pub fn num_final(&self) -> usize {
        self.final_states.as_slice().len()
    }

    /// The cost of ending in a state: [`Cost::IMPOSSIBLE`] unless it is final.
    pub fn final_cost(&self, state: StateId) -> Cost {
        self.view().final_cost(state)
    }

    /// The emitting arcs of a state, cheapest first; of no use if the state does not exist.
    pub fn emitting_arcs(&self, state: StateId) -> impl Iterator<Item = ArcRef> {
        let view = self.view();
        let arcs = view.emitting_row(state.0).filter(|(_, arc)| !arc.is_dead());
        arcs.map(move |(index, arc)| view.unpacked(index, arc, Some(arc.pdf())))
    }

    /// The largest id of a word that an arc puts out; reads all labels.
    pub fn largest_word(&self) -> WordId {
        let words = self.labels.as_slice().iter().map(|label| label & WORD_MASK);
        WordId(words.max().unwrap_or(0))
    }

    /// The epsilon arcs of a state, cheapest first; of no use if the state does not exist.
    pub fn epsilon_arcs(&self, state: StateId) -> impl Iterator<Item = ArcRef> {
        let view = self.view();
        let arcs = view.epsilon_row(state.0);
        arcs.map(move |(index, arc)| view.unpacked(index, arc, None))
    }

    /// The arrays as plain slices, for loops that should not look up where they lie at each step.
    pub fn view(&self) -> GraphView<'_> {
        GraphView {
            num_pdfs: self.num_pdfs(),
            epsilon_end: self.epsilon_end,
            longest_row: self.longest_row as usize,
            arcs: self.arcs.as_slice(),
            labels: self.labels.as_slice(),
            final_states: self.final_states.as_slice(),
            final_costs: self.final_costs.as_slice(),
        }
    }
}

/// Arcs, with their indices, up to the last of a row.
#[inline(always)]
fn row<'g>(
    indices: impl Iterator<Item = u32>,
    arcs: impl Iterator<Item = &'g PackedArc>,
) -> impl Iterator<Item = (u32, PackedArc)> {
    let mut ended = false;
    indices
        .zip(arcs.copied())
        .take_while(move |(_, arc)| !std::mem::replace(&mut ended, arc.is_last()))
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
    /// One more than the largest pdf.
    pub(crate) num_pdfs: usize,
    /// States below this have epsilon arcs.
    pub(crate) epsilon_end: u32,
    longest_row: usize,
    arcs: &'g [PackedArc],
    labels: &'g [u32],
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

    /// The emitting arcs of a state, up to one that is marked last, and what lies behind, as far as
    /// a row can reach; the index of the first is the state.
    #[inline(always)]
    pub(crate) fn emitting(&self, state: u32) -> &'g [PackedArc] {
        let from = self.arcs.get(state as usize..).unwrap_or(&[]);
        &from[..self.longest_row.min(from.len())]
    }

    /// The emitting arcs of a state with their indices, cheapest first.
    #[inline(always)]
    pub(crate) fn emitting_row(
        &self,
        state: u32,
    ) -> impl Iterator<Item = (u32, PackedArc)> + use<'g> {
        row(state.., self.emitting(state).iter())
    }

    /// The arcs before a state, which end with its epsilon arcs, the cheapest last. Empty if the
    /// state has no epsilon arcs.
    #[inline(always)]
    fn before(&self, state: u32) -> &'g [PackedArc] {
        match state < self.epsilon_end {
            true => {
                let to = self.arcs.get(..state as usize).unwrap_or(&[]);
                &to[to.len().saturating_sub(self.longest_row)..]
            }
            false => &[],
        }
    }

    /// The cheapest epsilon arc of a state.
    #[inline(always)]
    pub(crate) fn first_epsilon(&self, state: u32) -> Option<PackedArc> {
        self.before(state).last().copied()
    }

    /// The epsilon arcs of a state with their indices, cheapest first.
    #[inline(always)]
    pub(crate) fn epsilon_row(
        &self,
        state: u32,
    ) -> impl Iterator<Item = (u32, PackedArc)> + use<'g> {
        row((0..state).rev(), self.before(state).iter().rev())
    }

    /// An arc of this index, unpacked, with the pdf it consumes a frame with.
    fn unpacked(&self, index: u32, arc: PackedArc, pdf: Option<PdfId>) -> ArcRef {
        ArcRef { pdf, label: self.label(index), cost: arc.cost(), next: arc.next() }
    }

    /// Asks for the row of a state.
    #[inline(always)]
    pub(crate) fn prefetch(&self, state: u32) {
        prefetch(self.arcs, state as usize);
    }

    /// An arc by its index, which came from a row.
    pub(crate) fn arc(&self, index: u32) -> PackedArc {
        self.arcs[index as usize]
    }

    /// The label of an arc by its index; 0 if out of range.
    #[inline(always)]
    pub(crate) fn label(&self, index: u32) -> u32 {
        self.labels.get(index as usize).copied().unwrap_or(0)
    }
}
