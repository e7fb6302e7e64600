//! The graph on disk: a header, then arrays that are used where they are mapped.
//!
//! Everything is little-endian; sections start at multiples of 64 bytes. Header, 256 bytes:
//!
//! | offset | field |
//! |---|---|
//! | 0 | magic `PTGRAPH\0` |
//! | 8 | format version, `u32` |
//! | 12 | start state, `u32` |
//! | 16 | one more than the largest pdf, `u32` |
//! | 20 | number of states, of emitting and of epsilon arcs, each `u32` |
//! | 32 | what the ids of states with epsilon arcs are below, `u32` |
//! | 36 | zero |
//! | 40 | four sections: offset, length in bytes, XXH3-64 of the bytes, each `u64` |
//! | 136 | zero |
//! | 248 | XXH3-64 of bytes 0 to 248, `u64` |
//!
//! Sections in order: arcs `u64` (laid out as `rows` tells), their labels
//! `u32`, final states `u32`, final costs `f32`.
//!
//! Opening checks the header alone, whatever the size of the graph; [`Graph::verify`] reads and
//! checks all of it. A mapped file must not be truncated while it is in use, which is why
//! [`Graph::save`] writes beside and renames.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytemuck::Pod;
use memmap2::Mmap;
use xxhash_rust::xxh3::xxh3_64;

use super::error::GraphError;
use super::rows::{Graph, PackedArc, Section};
use crate::units::StateId;

/// Version of the format; raised with every change of layout or meaning.
pub const GRAPH_FORMAT: u32 = 2;

const MAGIC: &[u8; 8] = b"PTGRAPH\0";
const HEADER: usize = 256;
const NUMBERS: usize = 12;
const ALIGN: usize = 64;
const SECTIONS: usize = 4;
const SECTION_TABLE: usize = 40;
const HEADER_SUM: usize = 248;

/// Where a section lies and what its checksum should be.
#[derive(Clone, Default)]
struct SectionEntry {
    range: Range<usize>,
    sum: u64,
}

impl Graph {
    /// Writes the graph, atomically: into a temporary file in the same folder, which then takes the
    /// name.
    ///
    /// # Errors
    /// [`GraphError::Io`] if the folder cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), GraphError> {
        save_atomically(path, |out| self.write(out))
    }

    /// Writes the graph's bytes.
    ///
    /// # Errors
    /// Whatever the writer reports.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let sections = self.section_bytes();
        let mut header = [0u8; HEADER];
        header[..8].copy_from_slice(MAGIC);
        header[8..12].copy_from_slice(&GRAPH_FORMAT.to_le_bytes());
        let (emitting, epsilon) = self.num_arcs;
        let numbers = [
            self.start,
            self.num_pdfs,
            self.num_states,
            emitting,
            epsilon,
            self.epsilon_end,
        ];
        for (field, number) in header[NUMBERS..].chunks_exact_mut(4).zip(numbers) {
            field.copy_from_slice(&number.to_le_bytes());
        }
        let mut offset = HEADER;
        for (bytes, entry) in sections
            .iter()
            .zip(header[SECTION_TABLE..].chunks_exact_mut(24))
        {
            entry[..8].copy_from_slice(&(offset as u64).to_le_bytes());
            entry[8..16].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
            entry[16..].copy_from_slice(&xxh3_64(bytes).to_le_bytes());
            offset = (offset + bytes.len()).next_multiple_of(ALIGN);
        }
        let sum = xxh3_64(&header[..HEADER_SUM]);
        header[HEADER_SUM..].copy_from_slice(&sum.to_le_bytes());
        out.write_all(&header)?;
        for bytes in sections {
            out.write_all(bytes)?;
            let padding = bytes.len().next_multiple_of(ALIGN) - bytes.len();
            out.write_all(&[0; ALIGN][..padding])?;
        }
        out.flush()
    }

    /// Maps a graph file. Takes the same time whatever its size.
    ///
    /// # Errors
    /// [`GraphError`] if the file cannot be read, is not a graph, is of another version or its
    /// header is damaged.
    pub fn open(path: &Path) -> Result<Graph, GraphError> {
        let io = |source| GraphError::Io {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.len() < HEADER as u64 {
            return Err(GraphError::NotAGraph {
                path: path.to_owned(),
            });
        }
        // SAFETY: the map is read-only. A program that shrinks or rewrites the file in place while
        // it is mapped breaks it; ours replace files by renaming, and every value read from the map
        // is checked before it is used.
        #[allow(unsafe_code)]
        let map = unsafe { Mmap::map(&file) }.map_err(io)?;
        Graph::from_map(Arc::new(map), path)
    }

    fn from_map(map: Arc<Mmap>, path: &Path) -> Result<Graph, GraphError> {
        let [arcs, labels, states, costs] = read_header(&map, path)?.map(|entry| entry.range);
        let number = |index: usize| u32_at(&map, NUMBERS + 4 * index);
        Ok(Graph {
            start: number(0),
            num_pdfs: number(1),
            num_states: number(2),
            num_arcs: (number(3), number(4)),
            epsilon_end: number(5),
            arcs: Section::Mapped(map.clone(), arcs),
            labels: Section::Mapped(map.clone(), labels),
            final_states: Section::Mapped(map.clone(), states),
            final_costs: Section::Mapped(map.clone(), costs),
        })
    }

    /// Reads all of a graph file and checks every checksum, row, target, pdf and cost.
    ///
    /// # Errors
    /// [`GraphError`] with the first thing that is wrong.
    pub fn verify(path: &Path) -> Result<Graph, GraphError> {
        let graph = Graph::open(path)?;
        let Section::Mapped(map, _) = &graph.arcs else {
            return Ok(graph);
        };
        let corrupt = |what: String| GraphError::Corrupt {
            path: path.to_owned(),
            what,
        };
        for (index, entry) in read_header(map, path)?.iter().enumerate() {
            if xxh3_64(&map[entry.range.clone()]) != entry.sum {
                return Err(corrupt(format!("checksum of section {index}")));
            }
        }
        graph.check().map_err(corrupt)?;
        Ok(graph)
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
        while begin < arcs.len() {
            let row = self.row_from(begin)?;
            let own = row.state - begin;
            if (own > 0) != (row.state < self.epsilon_end as usize) {
                return Err(format!("state {} should come first, or later", row.state));
            }
            states += 1;
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
        let finals = self.final_states.as_slice();
        if !finals.is_sorted_by(|a, b| a < b) || !finals.iter().all(|&last| exists(last)) {
            return Err("final states out of order or range".into());
        }
        if self
            .final_costs
            .as_slice()
            .iter()
            .any(|cost| !cost.is_finite())
        {
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

    fn section_bytes(&self) -> [&[u8]; SECTIONS] {
        fn bytes<T: Pod>(section: &Section<T>) -> &[u8] {
            bytemuck::cast_slice(section.as_slice())
        }
        const {
            assert!(
                cfg!(target_endian = "little"),
                "graphs are mapped little-endian"
            )
        };
        [
            bytes(&self.arcs),
            bytes(&self.labels),
            bytes(&self.final_states),
            bytes(&self.final_costs),
        ]
    }
}

/// Writes a file into a temporary one in the same folder, which then takes its name.
pub(super) fn save_atomically(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<tempfile::NamedTempFile>) -> std::io::Result<()>,
) -> Result<(), GraphError> {
    let io = |source| GraphError::Io {
        path: path.to_owned(),
        source,
    };
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let file = tempfile::NamedTempFile::new_in(folder).map_err(io)?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    write(&mut out).map_err(io)?;
    let file = out.into_inner().map_err(|error| io(error.into_error()))?;
    file.as_file().sync_all().map_err(io)?;
    file.persist(path).map_err(|error| io(error.error))?;
    Ok(())
}

/// Where a row's emitting arcs begin and end.
struct RowBounds {
    state: usize,
    end: usize,
}

/// Reads and checks the header: identity, version, checksum, and that sections lie in the file and
/// agree in length.
fn read_header(map: &[u8], path: &Path) -> Result<[SectionEntry; SECTIONS], GraphError> {
    let corrupt = |what: &str| GraphError::Corrupt {
        path: path.to_owned(),
        what: what.to_owned(),
    };
    if map.len() < HEADER || &map[..8] != MAGIC {
        return Err(GraphError::NotAGraph {
            path: path.to_owned(),
        });
    }
    let found = u32_at(map, 8);
    if found != GRAPH_FORMAT {
        let supported = GRAPH_FORMAT;
        return Err(GraphError::Version {
            path: path.to_owned(),
            found,
            supported,
        });
    }
    if xxh3_64(&map[..HEADER_SUM]) != u64_at(map, HEADER_SUM) {
        return Err(corrupt("checksum of the header"));
    }
    let mut sections: [SectionEntry; SECTIONS] = Default::default();
    for (index, section) in sections.iter_mut().enumerate() {
        let at = SECTION_TABLE + 24 * index;
        let (offset, length) = (u64_at(map, at), u64_at(map, at + 8));
        let end = offset
            .checked_add(length)
            .filter(|&end| end <= map.len() as u64);
        let end = end.ok_or_else(|| corrupt("the file was cut short"))? as usize;
        if !offset.is_multiple_of(ALIGN as u64) {
            return Err(corrupt("a section is not aligned"));
        }
        *section = SectionEntry {
            range: offset as usize..end,
            sum: u64_at(map, at + 16),
        };
    }
    let width = [8, 4, 4, 4];
    let lengths: [usize; SECTIONS] = std::array::from_fn(|i| sections[i].range.len());
    let count: [usize; SECTIONS] = std::array::from_fn(|i| lengths[i] / width[i]);
    let whole = (0..SECTIONS).all(|i| lengths[i].is_multiple_of(width[i]));
    if !whole || count[0] != count[1] || count[2] != count[3] {
        return Err(corrupt("section lengths disagree"));
    }
    Ok(sections)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use crate::graph::{GraphBuilder, WORD_START};
    use crate::units::{Cost, PdfId};

    use super::*;

    fn small() -> Graph {
        let mut builder = GraphBuilder::new();
        let states: Vec<_> = (0..4).map(|_| builder.add_state()).collect();
        builder.set_start(states[0]);
        builder.set_final(states[3], Cost(1.5));
        builder.add_arc(
            states[0],
            Some(PdfId(2)),
            WORD_START | 7,
            Cost(0.75),
            states[1],
        );
        builder.add_arc(states[0], Some(PdfId(1)), 0, Cost(0.25), states[2]);
        builder.add_arc(states[1], Some(PdfId(0)), 0, Cost(0.5), states[1]);
        builder.add_arc(states[2], None, 0, Cost(3.0), states[3]);
        builder.add_arc(states[1], None, 9, Cost(2.0), states[3]);
        builder.build().unwrap()
    }

    fn arcs(graph: &Graph) -> Vec<String> {
        (graph.states())
            .flat_map(|s| {
                graph
                    .emitting_arcs(s)
                    .chain(graph.epsilon_arcs(s))
                    .map(move |a| (s, a))
            })
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
        assert_eq!(
            (mapped.num_states(), mapped.num_arcs(), mapped.num_final()),
            (4, (3, 2), 1)
        );
        let first: Vec<_> = mapped.emitting_arcs(mapped.start()).collect();
        assert_eq!(
            first.iter().map(|a| a.cost.0).collect::<Vec<_>>(),
            [0.25, 0.75]
        );
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
                let padding = bytes[at] == 0 && at > HEADER;
                assert!(padding, "byte {at} is not covered");
            }
        }
        for length in 0..bytes.len() - ALIGN {
            std::fs::write(&path, &bytes[..length]).unwrap();
            assert!(Graph::open(&path).is_err(), "cut to {length}");
        }
    }
}
