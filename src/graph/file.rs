//! The graph on disk, in the container that `container` describes.
//!
//! Header, 256 bytes:
//!
//! | offset | field |
//! |---|---|
//! | 0 | magic `PTGRAPH\0` |
//! | 8 | format version, `u32` |
//! | 12 | start state, `u32` |
//! | 16 | one more than the largest pdf, `u32` |
//! | 20 | number of states, of emitting and of epsilon arcs, each `u32` |
//! | 32 | the ids of states with epsilon arcs are below this, `u32` |
//! | 36 | arcs in the longest row of a state, `u32` |
//! | 40 | five sections: offset, length in bytes, XXH3-64 of the bytes, each `u64` |
//! | 160 | zero |
//! | 248 | XXH3-64 of bytes 0 to 248, `u64` |
//!
//! Sections in order: arcs `u64` (laid out as `rows` tells), their labels `u32`, final states
//! `u32`, final costs `f32`, gateways four `u32` each: state, phone before, pdf of the self-loop or
//! 2³² − 1, whether it is the start.

use std::io::Write;
use std::path::Path;

use super::container::{Fault, Format, Mapped, Place, save_atomically};
use super::error::GraphError;
use super::rows::{Graph, PackedArc};
use crate::units::StateId;

/// Version of the format; raised with every change of layout or meaning.
pub const GRAPH_FORMAT: u32 = 4;

const FORMAT: Format = Format {
    magic: b"PTGRAPH\0",
    version: GRAPH_FORMAT,
    header: 256,
    table: 40,
    sections: WIDTHS.len(),
};
/// Where the numbers of the header begin, in the order of the table above.
const NUMBERS: usize = 12;
/// Bytes of one element of each section.
const WIDTHS: [usize; 5] = [8, 4, 4, 4, 16];

impl Graph {
    /// Writes the graph, atomically: into a temporary file in the same folder, which then takes the
    /// name.
    ///
    /// # Errors
    /// [`GraphError::Io`] if the folder cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), GraphError> {
        save_atomically(path, |out| self.write(out))
            .map_err(|error| GraphError::of(Fault::Io(error), path))
    }

    /// Writes the graph's bytes.
    ///
    /// # Errors
    /// Whatever the writer reports.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let (emitting, epsilon) = self.num_arcs;
        let numbers = [
            self.start,
            self.num_pdfs,
            self.num_states,
            emitting,
            epsilon,
            self.epsilon_end,
            self.longest_row,
        ];
        let numbers = numbers.map(u32::to_le_bytes);
        let sections = [
            self.arcs.bytes(),
            self.labels.bytes(),
            self.final_states.bytes(),
            self.final_costs.bytes(),
            self.gateways.bytes(),
        ];
        FORMAT.write(&[(NUMBERS, numbers.as_flattened())], &sections, out)
    }

    /// Maps a graph file. Takes the same time whatever its size.
    ///
    /// # Errors
    /// [`GraphError`] if the file cannot be read, is not a graph, is of another version or its
    /// header is damaged.
    pub fn open(path: &Path) -> Result<Graph, GraphError> {
        let mapped = map(path, Place::File).map_err(|fault| GraphError::of(fault, path))?;
        Ok(Graph::from_mapped(&mapped))
    }

    /// Maps a graph file and compares all of it with its checksums: 10 ms for 80 MB in memory. A
    /// graph that was sound when it was written is sound if this succeeds.
    ///
    /// # Errors
    /// As [`Graph::open`], and [`GraphError::Corrupt`] where a checksum disagrees.
    pub fn open_checked(path: &Path) -> Result<Graph, GraphError> {
        Graph::checked(path, Place::File)
    }

    /// The same with a copy in memory, so that later changes to the file do no harm. The system
    /// kills a process that reads a mapped file which has become shorter.
    ///
    /// # Errors
    /// As [`Graph::open_checked`].
    pub fn load(path: &Path) -> Result<Graph, GraphError> {
        Graph::checked(path, Place::Memory)
    }

    fn checked(path: &Path, place: Place) -> Result<Graph, GraphError> {
        let mapped = map(path, place).map_err(|fault| GraphError::of(fault, path))?;
        let checked = mapped.verify();
        checked.map_err(|what| GraphError::of(Fault::Corrupt(what), path))?;
        Ok(Graph::from_mapped(&mapped))
    }

    /// Reads all of a graph file and checks every checksum, row, target, pdf and cost.
    ///
    /// # Errors
    /// [`GraphError`] with the first thing that is wrong.
    pub fn verify(path: &Path) -> Result<Graph, GraphError> {
        let mapped = map(path, Place::File).map_err(|fault| GraphError::of(fault, path))?;
        let graph = Graph::from_mapped(&mapped);
        let checked = mapped.verify().and_then(|()| graph.check());
        checked.map_err(|what| GraphError::of(Fault::Corrupt(what), path))?;
        Ok(graph)
    }

    fn from_mapped(mapped: &Mapped) -> Graph {
        let number = |index: usize| mapped.u32_at(NUMBERS + 4 * index);
        Graph {
            start: number(0),
            num_pdfs: number(1),
            num_states: number(2),
            num_arcs: (number(3), number(4)),
            epsilon_end: number(5),
            longest_row: number(6),
            arcs: mapped.section(0),
            labels: mapped.section(1),
            final_states: mapped.section(2),
            final_costs: mapped.section(3),
            gateways: mapped.section(4),
        }
    }

    /// Checks every row, target, pdf and cost; the message says what is wrong.
    fn check(&self) -> Result<(), String> {
        let arcs = self.arcs.as_slice();
        let mut is_state = vec![false; arcs.len()];
        for StateId(state) in self.states() {
            is_state[state as usize] = true;
        }
        let exists = |state: u32| is_state.get(state as usize) == Some(&true);
        if !exists(self.start) {
            return Err(format!("start state {} is none", self.start));
        }
        let mut begin = 0;
        let (mut states, mut emitting, mut epsilon) = (0, 0, 0);
        let mut longest = 0;
        while begin < arcs.len() {
            let row = self.row_from(begin)?;
            let own = row.state - begin;
            if (own > 0) != (row.state < self.epsilon_end as usize) {
                return Err(format!("state {} should come first, or later", row.state));
            }
            states += 1;
            longest = longest.max(own).max(row.end - row.state);
            epsilon += own;
            emitting += row.end - row.state - usize::from(arcs[row.state].is_dead());
            let labels = &self.labels.as_slice()[begin..row.end];
            let labelled = arcs[begin..row.end].iter().zip(labels);
            for (at, (arc, &label)) in (begin..).zip(labelled) {
                let pdf_exists = at < row.state || arc.pdf().0 < self.num_pdfs;
                let leads = pdf_exists && exists(arc.next().0);
                if !(leads || arc.is_dead()) {
                    return Err(format!("arc {at} leads out of range"));
                }
                if arc.has_label() != (label != 0) {
                    return Err(format!("label {at} disagrees with its arc"));
                }
            }
            begin = row.end;
        }
        let found = (states, emitting, epsilon);
        let stated = (self.num_states, self.num_arcs.0, self.num_arcs.1);
        if found != (stated.0 as usize, stated.1 as usize, stated.2 as usize) {
            return Err(format!("states and arcs are {found:?}, not {stated:?}"));
        }
        if longest != self.longest_row as usize {
            return Err(format!("the longest row has {longest} arcs, not {}", self.longest_row));
        }
        self.check_lists(exists)
    }

    /// Checks what is listed beside the rows, by which states there are.
    fn check_lists(&self, exists: impl Fn(u32) -> bool) -> Result<(), String> {
        let gateways = self.gateways.as_slice();
        if !gateways.iter().all(|gateway| exists(gateway.state)) {
            return Err("a gateway out of range".into());
        }
        let finals = self.final_states.as_slice();
        if !finals.is_sorted_by(|a, b| a < b) || !finals.iter().all(|&last| exists(last)) {
            return Err("final states out of order or range".into());
        }
        if self.final_costs.as_slice().iter().any(|cost| !cost.is_finite()) {
            return Err("final cost not finite".into());
        }
        Ok(())
    }

    /// The row that begins at an index.
    fn row_from(&self, begin: usize) -> Result<RowBounds, String> {
        let arcs = self.arcs.as_slice();
        let own = arcs[begin..].iter().take_while(|arc| arc.is_epsilon());
        let state = begin + own.count();
        let last = arcs[state..].iter().position(|arc| arc.is_last());
        let end = state + 1 + last.ok_or(format!("the row of state {state} has no end"))?;
        let (epsilon, emitting) = (&arcs[begin..state], &arcs[state..end]);
        let lasts = epsilon.iter().skip(1).filter(|arc| arc.is_last()).count();
        if lasts > 0 || epsilon.first().is_some_and(|arc| !arc.is_last()) {
            return Err(format!("the epsilon row of state {state} has no end"));
        }
        if emitting.iter().any(|arc| arc.is_epsilon())
            || emitting.len() > 1 && emitting.iter().any(|arc| arc.is_dead())
        {
            return Err(format!("arcs of state {state} of the wrong kind"));
        }
        if !epsilon.iter().rev().is_sorted_by_key(|arc| arc.cost().0)
            || !emitting.is_sorted_by_key(|arc: &PackedArc| arc.cost().0)
        {
            return Err(format!("arcs of state {state} not sorted"));
        }
        Ok(RowBounds { state, end })
    }
}

/// Where a row's emitting arcs begin and end.
struct RowBounds {
    state: usize,
    end: usize,
}

/// A file whose header is sound and whose sections agree in length.
fn map(path: &Path, place: Place) -> Result<Mapped, Fault> {
    let mapped = FORMAT.open(path, place, |_| Ok(WIDTHS.len()))?;
    match mapped.counts(WIDTHS).as_deref() {
        Some(&[arcs, labels, states, costs, _]) if arcs == labels && states == costs => Ok(mapped),
        _ => Err(Fault::corrupt("section lengths disagree")),
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::container::ALIGN;
    use crate::graph::{GraphBuilder, WORD_START};
    use crate::units::{Cost, PdfId};

    use super::*;

    fn small() -> Graph {
        let mut builder = GraphBuilder::new();
        let states: Vec<_> = (0..4).map(|_| builder.add_state()).collect();
        builder.set_start(states[0]);
        builder.set_final(states[3], Cost(1.5));
        builder.add_arc(states[0], Some(PdfId(2)), WORD_START | 7, Cost(0.75), states[1]);
        builder.add_arc(states[0], Some(PdfId(1)), 0, Cost(0.25), states[2]);
        builder.add_arc(states[1], Some(PdfId(0)), 0, Cost(0.5), states[1]);
        builder.add_arc(states[2], None, 0, Cost(3.0), states[3]);
        builder.add_arc(states[1], None, 9, Cost(2.0), states[3]);
        builder.build().unwrap()
    }

    fn arcs(graph: &Graph) -> Vec<String> {
        (graph.states())
            .flat_map(|s| graph.emitting_arcs(s).chain(graph.epsilon_arcs(s)).map(move |a| (s, a)))
            .map(|arc| format!("{arc:?}"))
            .collect()
    }

    #[test]
    fn saved_and_mapped_is_the_same() {
        let graph = small();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.graph");
        graph.save(&path).unwrap();
        let mapped = Graph::verify(&path).unwrap();
        assert_eq!(arcs(&graph), arcs(&mapped));
        assert_eq!(graph.start(), mapped.start());
        assert_eq!(mapped.num_pdfs(), 3);
        assert_eq!((mapped.num_states(), mapped.num_arcs(), mapped.num_final()), (4, (3, 2), 1));
        let first: Vec<_> = mapped.emitting_arcs(mapped.start()).collect();
        assert_eq!(first.iter().map(|a| a.cost.0).collect::<Vec<_>>(), [0.25, 0.75]);
        assert_eq!(first[1].label, WORD_START | 7);
    }

    #[test]
    fn every_damaged_byte_is_found_by_verify_and_none_panics() {
        let mut bytes = Vec::new();
        small().write(&mut bytes).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.graph");
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x5a;
            std::fs::write(&path, &damaged).unwrap();
            if let Ok(graph) = Graph::open(&path) {
                arcs(&graph);
            }
            if Graph::verify(&path).is_ok() {
                let padding = bytes[at] == 0 && at > FORMAT.header;
                assert!(padding, "byte {at} is not covered");
            }
        }
        for length in 0..bytes.len() - ALIGN {
            std::fs::write(&path, &bytes[..length]).unwrap();
            assert!(Graph::open(&path).is_err(), "cut to {length}");
        }
    }
}
