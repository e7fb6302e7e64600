//! A search's lattice as columns, for NumPy.

use numpy::PyArray1;
use paretone::confidence::posteriors::posteriors;
use paretone::decode::Lattice;
use paretone::graph::WORD_MASK;
use paretone::units::Seconds;
use pyo3::prelude::*;

/// The columns of a lattice: of its nodes, of its arcs and of its ends.
#[derive(Default)]
pub struct Columns {
    seconds: Vec<f64>,
    from: Vec<u32>,
    to: Vec<u32>,
    words: Vec<u32>,
    acoustic: Vec<f32>,
    graph: Vec<f32>,
    posterior: Vec<f64>,
    ends: Vec<u32>,
    end_costs: Vec<f32>,
}

impl Columns {
    /// Those of a lattice whose frames are so far apart.
    pub fn of(lattice: &Lattice, shift: Seconds) -> Columns {
        let nodes = 0..lattice.num_nodes() as u32;
        let seconds = nodes.clone().map(|node| f64::from(lattice.frame(node)) * shift.0).collect();
        let mut columns = Columns { seconds, ..Columns::default() };
        for from in nodes {
            for arc in lattice.arcs(from) {
                columns.from.push(from);
                columns.to.push(arc.next);
                columns.words.push(arc.label & WORD_MASK);
                columns.acoustic.push(arc.acoustic.0);
                columns.graph.push(arc.graph.0);
            }
        }
        for &(node, cost) in lattice.finals() {
            columns.ends.push(node);
            columns.end_costs.push(cost.0);
        }
        columns.posterior = columns.used(lattice);
        columns
    }

    /// For each arc, the probability that the right path uses it.
    fn used(&self, lattice: &Lattice) -> Vec<f64> {
        let known = posteriors(&lattice.paths(), 1.0);
        let mut through = vec![0.0; self.seconds.len()];
        for (&node, ending) in self.ends.iter().zip(known.ending) {
            through[node as usize] += ending;
        }
        let mut used = known.arrival;
        // Arcs lead to later nodes: what goes through a node is known once those that leave it are.
        for (arc, used) in used.iter_mut().enumerate().rev() {
            *used *= through[self.to[arc] as usize];
            through[self.from[arc] as usize] += *used;
        }
        used
    }

    /// `paretone.Lattice` of the columns.
    pub fn lattice<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let fields = (
            PyArray1::from_vec(py, self.seconds),
            PyArray1::from_vec(py, self.from),
            PyArray1::from_vec(py, self.to),
            PyArray1::from_vec(py, self.words),
            PyArray1::from_vec(py, self.acoustic),
            PyArray1::from_vec(py, self.graph),
            PyArray1::from_vec(py, self.posterior),
            PyArray1::from_vec(py, self.ends),
            PyArray1::from_vec(py, self.end_costs),
        );
        py.import("paretone._result")?.getattr("Lattice")?.call1(fields)
    }
}
