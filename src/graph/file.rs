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
//! | 20 | zero |
//! | 24 | eight sections: offset, length in bytes, XXH3-64 of the bytes, each `u64` |
//! | 216 | zero |
//! | 248 | XXH3-64 of bytes 0 to 248, `u64` |
//!
//! Sections in order: emitting row offsets `u32[states + 1]`, emitting arcs `u64`, their labels
//! `u32`, epsilon row offsets `u32[epsilon states + 1]`, epsilon arcs, their labels, final states
//! `u32`, final costs `f32`.
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

use super::csr::{Graph, PackedArc, Rows, Section};
use super::error::GraphError;

/// Version of the format; raised with every change of layout or meaning.
pub const GRAPH_FORMAT: u32 = 1;

const MAGIC: &[u8; 8] = b"PTGRAPH\0";
const HEADER: usize = 256;
const ALIGN: usize = 64;
const SECTIONS: usize = 8;
const SECTION_TABLE: usize = 24;
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
        header[12..16].copy_from_slice(&self.start.to_le_bytes());
        header[16..20].copy_from_slice(&self.num_pdfs.to_le_bytes());
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
        let [eb, ea, el, nb, na, nl, fs, fc] = read_header(&map, path)?.map(|entry| entry.range);
        Ok(Graph {
            start: u32_at(&map, 12),
            num_pdfs: u32_at(&map, 16),
            emitting_begin: Section::Mapped(map.clone(), eb),
            emitting: Section::Mapped(map.clone(), ea),
            emitting_labels: Section::Mapped(map.clone(), el),
            epsilon_begin: Section::Mapped(map.clone(), nb),
            epsilon: Section::Mapped(map.clone(), na),
            epsilon_labels: Section::Mapped(map.clone(), nl),
            final_states: Section::Mapped(map.clone(), fs),
            final_costs: Section::Mapped(map.clone(), fc),
        })
    }

    /// Reads all of a graph file and checks every checksum, offset, target, pdf and cost.
    ///
    /// # Errors
    /// [`GraphError`] with the first thing that is wrong.
    pub fn verify(path: &Path) -> Result<Graph, GraphError> {
        let graph = Graph::open(path)?;
        let Section::Mapped(map, _) = &graph.emitting_begin else {
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

    /// Checks every offset, target, pdf and cost; the message says what is wrong.
    fn check(&self) -> Result<(), String> {
        let view = self.view();
        let states = self.num_states() as u32;
        if self.start >= states {
            return Err(format!("start state {} of {states}", self.start));
        }
        check_rows(&view.emitting, states, self.num_pdfs).map_err(|e| format!("emitting {e}"))?;
        check_rows(&view.epsilon, states, 1).map_err(|e| format!("epsilon {e}"))?;
        if view.epsilon.len() > states as usize {
            return Err("more epsilon rows than states".into());
        }
        let finals = self.final_states.as_slice();
        if !finals.is_sorted_by(|a, b| a < b) || finals.last().is_some_and(|&last| last >= states) {
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
            bytes(&self.emitting_begin),
            bytes(&self.emitting),
            bytes(&self.emitting_labels),
            bytes(&self.epsilon_begin),
            bytes(&self.epsilon),
            bytes(&self.epsilon_labels),
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

fn check_rows(rows: &Rows<'_>, states: u32, pdfs: u32) -> Result<(), String> {
    if rows.begin.first() != Some(&0)
        || rows.begin.last().map(|&end| end as usize) != Some(rows.arcs.len())
        || !rows.begin.is_sorted()
    {
        return Err("row offsets out of order".into());
    }
    for state in 0..rows.len() as u32 {
        let (first, arcs) = rows.row(state);
        if !arcs.is_sorted_by_key(|arc: &PackedArc| arc.cost().0) {
            return Err(format!("arcs of state {state} not sorted"));
        }
        let bad = |arc: &PackedArc| arc.next().0 >= states || arc.pdf().0 >= pdfs;
        if let Some(index) = arcs.iter().position(bad) {
            return Err(format!("arc {} leads out of range", first as usize + index));
        }
        let mut labels = (first..).map(|arc| rows.label(arc));
        if !arcs.iter().all(|arc| {
            labels
                .next()
                .is_some_and(|label| arc.has_label() == (label != 0))
        }) {
            return Err(format!("labels of state {state} disagree with its arcs"));
        }
    }
    Ok(())
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
    let width = [4, 8, 4, 4, 8, 4, 4, 4];
    let lengths: [usize; SECTIONS] = std::array::from_fn(|i| sections[i].range.len());
    let count: [usize; SECTIONS] = std::array::from_fn(|i| lengths[i] / width[i]);
    let whole = (0..SECTIONS).all(|i| lengths[i].is_multiple_of(width[i]));
    let paired = count[1] == count[2] && count[4] == count[5] && count[6] == count[7];
    if !whole || !paired || count[0] == 0 || count[3] == 0 {
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
        (0..graph.num_states() as u32)
            .map(crate::units::StateId)
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
