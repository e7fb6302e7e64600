//! Builds a [`Graph`] in memory from states and arcs in any order.
//!
//! Sixteen bytes an arc while building, and sorts in place at the end: two million states and
//! six million arcs take about 200 MB at the peak.

use crate::units::{Cost, PdfId, StateId};

use super::container::Section;
use super::error::GraphError;
use super::rows::{ARC_LIMIT, COST_MIN, Gateway, Graph, PDF_LIMIT, PackedArc};

/// An arc that is not yet in its row.
#[derive(Clone, Copy)]
struct LooseArc {
    from: u32,
    label: u32,
    arc: PackedArc,
}

/// Collects states and arcs; [`GraphBuilder::build`] lays them out.
///
/// Mistakes (an unknown state, a NaN cost) are remembered and reported by `build`, so that the
/// calls of a compiler stay plain.
///
/// ```
/// use paretone::graph::GraphBuilder;
/// use paretone::units::{Cost, PdfId};
///
/// let mut builder = GraphBuilder::new();
/// let (start, end) = (builder.add_state(), builder.add_state());
/// builder.set_start(start);
/// builder.set_final(end, Cost::FREE);
/// builder.add_arc(start, Some(PdfId(0)), 1, Cost(0.5), end); // consumes a frame, says word 1
/// builder.add_arc(end, Some(PdfId(0)), 0, Cost(0.1), end); // stays for further frames
/// let graph = builder.build()?;
/// assert_eq!((graph.num_states(), graph.num_arcs()), (2, (2, 0)));
/// # Ok::<(), paretone::graph::GraphError>(())
/// ```
#[derive(Default)]
pub struct GraphBuilder {
    states: u32,
    start: Option<StateId>,
    emitting: Vec<LooseArc>,
    epsilon: Vec<LooseArc>,
    finals: Vec<(u32, f32)>,
    gateways: Vec<Gateway>,
    num_pdfs: u32,
    error: Option<GraphError>,
}

impl GraphBuilder {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty graph with room for so many arcs; the room is not a limit.
    pub fn with_capacity(emitting_arcs: usize, epsilon_arcs: usize) -> Self {
        GraphBuilder {
            emitting: Vec::with_capacity(emitting_arcs),
            epsilon: Vec::with_capacity(epsilon_arcs),
            ..Self::default()
        }
    }

    /// Adds a state. Ids count up from 0; `build` renumbers them.
    pub fn add_state(&mut self) -> StateId {
        self.add_states(1)
    }

    /// Adds `count` states and returns the first; the others follow it.
    pub fn add_states(&mut self, count: usize) -> StateId {
        let first = StateId(self.states);
        let total = self.states as usize + count;
        if total > ARC_LIMIT {
            self.fail(GraphError::TooLarge {
                what: "states",
                found: total as u64,
                limit: ARC_LIMIT as u64,
            });
        } else {
            self.states = total as u32;
        }
        first
    }

    /// Number of states so far.
    pub fn num_states(&self) -> usize {
        self.states as usize
    }

    /// Adds an arc. `pdf` is `None` for an epsilon arc; `label` is a word id with the flags
    /// [`WORD_START`](super::WORD_START) and [`WORD_END`](super::WORD_END), 0 for nothing. An arc
    /// of infinite cost is left out; the target may be added later.
    pub fn add_arc(
        &mut self,
        from: StateId,
        pdf: Option<PdfId>,
        label: u32,
        cost: Cost,
        to: StateId,
    ) {
        if cost == Cost::IMPOSSIBLE {
            return;
        }
        if cost.0.is_nan() || cost.0 <= COST_MIN {
            return self.fail(GraphError::BadCost { state: from.0, cost: cost.0 });
        }
        if let Some(pdf) = pdf.filter(|pdf| pdf.index() >= PDF_LIMIT) {
            let found = u64::from(pdf.0) + 1;
            return self.fail(GraphError::TooLarge {
                what: "pdfs",
                found,
                limit: PDF_LIMIT as u64,
            });
        }
        if to.index() >= ARC_LIMIT {
            return self.fail(GraphError::NoSuchState { state: to.0, states: self.states });
        }
        let arc = PackedArc::new(pdf.map(|pdf| pdf.0), label != 0, cost.0, to.0);
        let arcs = if pdf.is_some() { &mut self.emitting } else { &mut self.epsilon };
        arcs.push(LooseArc { from: from.0, label, arc });
        self.num_pdfs = self.num_pdfs.max(pdf.map_or(0, |pdf| pdf.0 + 1));
    }

    /// Makes a state final at a cost; an infinite cost takes it back. The last call for a state
    /// counts.
    pub fn set_final(&mut self, state: StateId, cost: Cost) {
        if cost.0.is_nan() || cost.0 == f32::NEG_INFINITY {
            return self.fail(GraphError::BadCost { state: state.0, cost: cost.0 });
        }
        self.finals.push((state.0, cost.0));
    }

    /// Sets the state in which every utterance starts.
    pub fn set_start(&mut self, state: StateId) {
        self.start = Some(state);
    }

    /// Says where words can be added.
    pub(super) fn set_gateways(&mut self, gateways: Vec<Gateway>) {
        self.gateways = gateways;
    }

    /// Lays the graph out.
    ///
    /// # Errors
    /// The first mistake in what was added: a state that does not exist, an unusable cost, too many
    /// states or pdfs, no start.
    pub fn build(mut self) -> Result<Graph, GraphError> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let start = self.start.ok_or(GraphError::NoStart)?;
        self.check_states(start)?;
        let layout = self.lay_out()?;
        let mut arcs = vec![PackedArc::DEAD; layout.arcs];
        let mut labels = vec![0; layout.arcs];
        let num_arcs = (self.emitting.len() as u32, self.epsilon.len() as u32);
        for (loose, step) in [(self.emitting, 1), (self.epsilon, -1)] {
            fill(loose, step, &layout.new_id, (&mut arcs, &mut labels));
        }
        let (final_states, final_costs) = final_rows(self.finals, &layout.new_id);
        for gateway in &mut self.gateways {
            gateway.state = layout.new_id[gateway.state as usize];
        }
        Ok(Graph {
            start: layout.new_id[start.index()],
            num_pdfs: self.num_pdfs,
            num_states: self.states,
            num_arcs,
            epsilon_end: layout.epsilon_end,
            longest_row: layout.longest_row,
            arcs: Section::Owned(arcs),
            labels: Section::Owned(labels),
            final_states: Section::Owned(final_states),
            final_costs: Section::Owned(final_costs),
            gateways: Section::Owned(self.gateways),
        })
    }

    fn fail(&mut self, error: GraphError) {
        self.error.get_or_insert(error);
    }

    fn check_states(&self, start: StateId) -> Result<(), GraphError> {
        let ends = |a: &LooseArc| [a.from, a.arc.next().0];
        let mut used = (self.emitting.iter().flat_map(ends))
            .chain(self.epsilon.iter().flat_map(ends))
            .chain(self.finals.iter().map(|&(state, _)| state))
            .chain([start.0]);
        match used.find(|&state| state >= self.states) {
            Some(state) => Err(GraphError::NoSuchState { state, states: self.states }),
            None => Ok(()),
        }
    }

    /// Gives each state the place of its row: states with epsilon arcs first, otherwise in the
    /// order they were added, which a compiler chose for locality.
    fn lay_out(&self) -> Result<Layout, GraphError> {
        let states = self.states as usize;
        let (mut emitting, mut epsilon) = (vec![0u32; states], vec![0u32; states]);
        for (loose, counts) in [(&self.emitting, &mut emitting), (&self.epsilon, &mut epsilon)] {
            for entry in loose {
                counts[entry.from as usize] += 1;
            }
        }
        let longest = emitting.iter().chain(&epsilon).max();
        let longest_row = longest.map_or(1, |&longest| longest.max(1));
        let mut new_id = vec![0; states];
        let (mut end, mut epsilon_end) = (0u64, 0);
        for with_epsilon in [true, false] {
            for (state, id) in new_id.iter_mut().enumerate() {
                if (epsilon[state] > 0) == with_epsilon {
                    end += u64::from(epsilon[state]);
                    *id = end as u32;
                    end += u64::from(emitting[state].max(1));
                }
            }
            if with_epsilon {
                epsilon_end = end as u32;
            }
        }
        match end > ARC_LIMIT as u64 {
            true => Err(GraphError::TooLarge { what: "arcs", found: end, limit: ARC_LIMIT as u64 }),
            false => Ok(Layout { new_id, epsilon_end, longest_row, arcs: end as usize }),
        }
    }
}

/// Where the rows of a graph go.
struct Layout {
    /// By state as it was added: its id.
    new_id: Vec<u32>,
    epsilon_end: u32,
    /// Arcs in the longest row.
    longest_row: u32,
    /// Number of arcs, those that stand for none included.
    arcs: usize,
}

/// Puts arcs into their rows, each in ascending order of cost, pdf, target and label: emitting arcs
/// from the state's place up (`step` 1), epsilon arcs from before it down (−1).
fn fill(
    mut loose: Vec<LooseArc>,
    step: i64,
    new_id: &[u32],
    (arcs, labels): (&mut [PackedArc], &mut [u32]),
) {
    for entry in &mut loose {
        entry.from = new_id[entry.from as usize];
        entry.arc = entry.arc.with_next(new_id[entry.arc.next().index()]);
    }
    loose.sort_unstable_by_key(|entry| (entry.from, entry.arc, entry.label));
    for row in loose.chunk_by(|a, b| a.from == b.from) {
        let mut at = i64::from(row[0].from) + step.min(0);
        for entry in row {
            (arcs[at as usize], labels[at as usize]) = (entry.arc, entry.label);
            at += step;
        }
        let last = &mut arcs[(at - step) as usize];
        *last = last.made_last();
    }
}

/// Final states in ascending order with their costs; the last entry of a state counts, infinite
/// ones are dropped.
fn final_rows(finals: Vec<(u32, f32)>, new_id: &[u32]) -> (Vec<u32>, Vec<f32>) {
    let mut finals: Vec<_> = finals.iter().map(|&(s, cost)| (new_id[s as usize], cost)).collect();
    finals.reverse();
    finals.sort_by_key(|&(state, _)| state);
    finals.dedup_by_key(|&mut (state, _)| state);
    finals.into_iter().filter(|&(_, cost)| cost != f32::INFINITY).unzip()
}
