//! Builds a [`Graph`] in memory from states and arcs in any order.
//!
//! Sixteen bytes an arc while building, and one sort in place at the end: two million states and
//! six million arcs take about 200 MB at the peak.

use crate::units::{Cost, PdfId, StateId};

use super::csr::{Graph, PDF_LIMIT, PackedArc, STATE_LIMIT, Section};
use super::error::GraphError;

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
#[derive(Default)]
pub struct GraphBuilder {
    states: u32,
    start: Option<StateId>,
    emitting: Vec<LooseArc>,
    epsilon: Vec<LooseArc>,
    finals: Vec<(u32, f32)>,
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
        if total > STATE_LIMIT {
            self.fail(GraphError::TooLarge {
                what: "states",
                found: total as u64,
                limit: STATE_LIMIT as u64,
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
        if cost.0.is_nan() || cost.0 <= -256.0 {
            return self.fail(GraphError::BadCost {
                state: from.0,
                cost: cost.0,
            });
        }
        if let Some(pdf) = pdf.filter(|pdf| pdf.index() >= PDF_LIMIT) {
            let found = u64::from(pdf.0) + 1;
            return self.fail(GraphError::TooLarge {
                what: "pdfs",
                found,
                limit: PDF_LIMIT as u64,
            });
        }
        if to.index() >= STATE_LIMIT {
            return self.fail(GraphError::NoSuchState {
                state: to.0,
                states: self.states,
            });
        }
        let arc = PackedArc::new(pdf.map_or(0, |pdf| pdf.0), label != 0, cost.0, to.0);
        let arcs = if pdf.is_some() {
            &mut self.emitting
        } else {
            &mut self.epsilon
        };
        arcs.push(LooseArc {
            from: from.0,
            label,
            arc,
        });
        self.num_pdfs = self.num_pdfs.max(pdf.map_or(0, |pdf| pdf.0 + 1));
    }

    /// Makes a state final at a cost; an infinite cost takes it back. The last call for a state
    /// counts.
    pub fn set_final(&mut self, state: StateId, cost: Cost) {
        if cost.0.is_nan() || cost.0 == f32::NEG_INFINITY {
            return self.fail(GraphError::BadCost {
                state: state.0,
                cost: cost.0,
            });
        }
        self.finals.push((state.0, cost.0));
    }

    /// Sets the state in which every utterance starts.
    pub fn set_start(&mut self, state: StateId) {
        self.start = Some(state);
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
        let (new_id, epsilon_states) = self.epsilon_states_first();
        let states = self.states as usize;
        let (emitting_begin, emitting, emitting_labels) = rows(self.emitting, states, &new_id)?;
        let (epsilon_begin, epsilon, epsilon_labels) = rows(self.epsilon, epsilon_states, &new_id)?;
        let (final_states, final_costs) = final_rows(self.finals, &new_id);
        Ok(Graph {
            start: new_id[start.index()],
            num_pdfs: self.num_pdfs,
            emitting_begin: Section::Owned(emitting_begin),
            emitting: Section::Owned(emitting),
            emitting_labels: Section::Owned(emitting_labels),
            epsilon_begin: Section::Owned(epsilon_begin),
            epsilon: Section::Owned(epsilon),
            epsilon_labels: Section::Owned(epsilon_labels),
            final_states: Section::Owned(final_states),
            final_costs: Section::Owned(final_costs),
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
            Some(state) => Err(GraphError::NoSuchState {
                state,
                states: self.states,
            }),
            None => Ok(()),
        }
    }

    /// Numbers the states anew, those with epsilon arcs first, otherwise in the order they were
    /// added, which a compiler chose for locality. Returns the new id of each state and the number
    /// of states with epsilon arcs.
    fn epsilon_states_first(&self) -> (Vec<u32>, usize) {
        let mut new_id = vec![u32::MAX; self.states as usize];
        for arc in &self.epsilon {
            new_id[arc.from as usize] = 0;
        }
        let epsilon_states = new_id.iter().filter(|&&id| id == 0).count();
        let (mut with, mut without) = (0, epsilon_states as u32);
        for id in &mut new_id {
            let next = if *id == 0 { &mut with } else { &mut without };
            *id = *next;
            *next += 1;
        }
        (new_id, epsilon_states)
    }
}

type RowArrays = (Vec<u32>, Vec<PackedArc>, Vec<u32>);

/// Groups arcs by source, renumbered, each group in ascending order of cost, pdf, target and label.
fn rows(mut loose: Vec<LooseArc>, states: usize, new_id: &[u32]) -> Result<RowArrays, GraphError> {
    if loose.len() > u32::MAX as usize {
        let found = loose.len() as u64;
        return Err(GraphError::TooLarge {
            what: "arcs",
            found,
            limit: u64::from(u32::MAX),
        });
    }
    for entry in &mut loose {
        entry.from = new_id[entry.from as usize];
        entry.arc = entry.arc.with_next(new_id[entry.arc.next().index()]);
    }
    loose.sort_unstable_by_key(|entry| (entry.from, entry.arc, entry.label));
    let mut begin = vec![0u32; states + 1];
    for entry in &loose {
        begin[entry.from as usize + 1] += 1;
    }
    for state in 0..states {
        begin[state + 1] += begin[state];
    }
    let arcs = loose.iter().map(|entry| entry.arc).collect();
    let labels = loose.iter().map(|entry| entry.label).collect();
    Ok((begin, arcs, labels))
}

/// Final states in ascending order with their costs; the last entry of a state counts, infinite
/// ones are dropped.
fn final_rows(finals: Vec<(u32, f32)>, new_id: &[u32]) -> (Vec<u32>, Vec<f32>) {
    let mut finals: Vec<_> = finals
        .iter()
        .map(|&(s, cost)| (new_id[s as usize], cost))
        .collect();
    finals.reverse();
    finals.sort_by_key(|&(state, _)| state);
    finals.dedup_by_key(|&mut (state, _)| state);
    finals
        .into_iter()
        .filter(|&(_, cost)| cost != f32::INFINITY)
        .unzip()
}
