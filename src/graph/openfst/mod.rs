//! Reads and writes OpenFst's binary files, so that graphs built by Kaldi can be decoded, and ours
//! by others.
//!
//! Read: `vector` and `const` types of tropical (`standard`) arcs, aligned or not, symbol tables
//! skipped. Written: `vector`. An input label is a pdf plus one, 0 for epsilon; an output label is
//! a word id. Word flags have no place in an OpenFst file, so a graph that was written and read
//! back gives words the times of their labels.
//!
//! Layout as in OpenFst 1.7 (`fst/fst.cc`, `fst/vector-fst.h`, `fst/const-fst.h`): little-endian;
//! strings are an `int32` length and bytes. Memory follows the bytes that are really there, never a
//! count that a header claims.

mod automaton;
mod constant;
mod header;
mod input;
mod language;
mod lookahead;
mod ngram;

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use crate::units::{Cost, PdfId, StateId};

use super::WORD_MASK;
use super::builder::GraphBuilder;
use super::error::GraphError;
use super::rows::{ArcRef, Graph};
pub(crate) use automaton::Automaton;
pub(crate) use automaton::FstArc;
use header::{Header, UNKNOWN_STATES, write_vector_header};
use input::{Fault, Input, format_fault};
pub(crate) use lookahead::LookAhead;
pub(super) use lookahead::Reach;

impl Graph {
    /// Reads an OpenFst file (`HCLG.fst`).
    ///
    /// # Errors
    /// [`GraphError`] if the file cannot be read, is damaged, or is of a kind that is not
    /// supported.
    pub fn read_openfst(path: &Path) -> Result<Graph, GraphError> {
        let file = File::open(path).map_err(|source| io_error(path, source))?;
        Graph::from_openfst(BufReader::with_capacity(1 << 20, file))
    }

    /// As [`Graph::read_openfst`], of a file whose input labels are not pdfs plus one: `meaning`
    /// says what a label other than 0 stands for, a pdf and the flags to put beside the word, or
    /// `None` where it stands for nothing.
    ///
    /// # Errors
    /// As [`Graph::read_openfst`], and a label stands for nothing.
    pub fn read_openfst_with(
        path: &Path,
        meaning: impl Fn(u32) -> Option<(PdfId, u32)>,
    ) -> Result<Graph, GraphError> {
        let file = File::open(path).map_err(|source| io_error(path, source))?;
        Graph::from_openfst_with(BufReader::with_capacity(1 << 20, file), meaning)
    }

    /// Reads an OpenFst file's bytes.
    ///
    /// # Errors
    /// As [`Graph::read_openfst`].
    pub fn from_openfst(input: impl Read) -> Result<Graph, GraphError> {
        Graph::from_openfst_with(input, |label| Some((PdfId(label - 1), 0)))
    }

    /// As [`Graph::read_openfst_with`], from a file's bytes.
    ///
    /// # Errors
    /// As [`Graph::read_openfst_with`].
    pub fn from_openfst_with(
        input: impl Read,
        meaning: impl Fn(u32) -> Option<(PdfId, u32)>,
    ) -> Result<Graph, GraphError> {
        let mut input = Input::new(input);
        let graph = read(&mut input, &meaning);
        input.located(graph)
    }

    /// Writes an OpenFst vector file, atomically.
    ///
    /// # Errors
    /// [`GraphError::Io`] if the folder cannot be written.
    pub fn save_openfst(&self, path: &Path) -> Result<(), GraphError> {
        let saved = super::container::save_atomically(path, |out| self.write_openfst(out));
        saved.map_err(|error| GraphError::of(super::container::Fault::Io(error), path))
    }

    /// Writes an OpenFst vector file's bytes.
    ///
    /// # Errors
    /// Whatever the writer reports.
    pub fn write_openfst(&self, out: &mut impl Write) -> io::Result<()> {
        let mut out = BufWriter::with_capacity(1 << 20, out);
        let (emitting, epsilon) = self.num_arcs();
        let mut number = vec![0u32; self.state_limit()];
        for (count, state) in (0..).zip(self.states()) {
            number[state.index()] = count;
        }
        let number = |state: StateId| number.get(state.index()).copied().unwrap_or(0);
        let start = number(self.start()) as usize;
        write_vector_header(&mut out, [start, self.num_states(), emitting + epsilon])?;
        for state in self.states() {
            let arcs: Vec<ArcRef> =
                self.epsilon_arcs(state).chain(self.emitting_arcs(state)).collect();
            out.write_all(&self.final_cost(state).0.to_le_bytes())?;
            out.write_all(&(arcs.len() as i64).to_le_bytes())?;
            for arc in arcs {
                out.write_all(&arc.pdf.map_or(0, |pdf| pdf.0 + 1).to_le_bytes())?;
                out.write_all(&(arc.label & WORD_MASK).to_le_bytes())?;
                out.write_all(&arc.cost.0.to_le_bytes())?;
                out.write_all(&number(arc.next).to_le_bytes())?;
            }
        }
        out.flush()
    }
}

fn io_error(path: &Path, source: io::Error) -> GraphError {
    GraphError::Io { path: path.to_owned(), source }
}

/// What an input label stands for.
trait Meaning: Fn(u32) -> Option<(PdfId, u32)> {}

impl<F: Fn(u32) -> Option<(PdfId, u32)>> Meaning for F {}

fn read(input: &mut Input<impl Read>, meaning: &impl Meaning) -> Result<Graph, Fault> {
    let header = Header::read(input, &["vector", "const"])?;
    header.skip_symbols(input)?;
    let mut builder = GraphBuilder::new();
    match header.kind.as_str() {
        "vector" => read_vector(input, &header, meaning, &mut builder)?,
        _ => read_const(input, &header, meaning, &mut builder)?,
    }
    if let Some(start) = header.start {
        builder.set_start(StateId(start));
    }
    builder.build().map_err(Fault::Graph)
}

fn state_id(state: i64) -> Result<StateId, Fault> {
    match u32::try_from(state) {
        Ok(state) => Ok(StateId(state)),
        Err(_) => format_fault(format!("state {state}")),
    }
}

fn read_vector(
    input: &mut Input<impl Read>,
    header: &Header,
    meaning: &impl Meaning,
    builder: &mut GraphBuilder,
) -> Result<(), Fault> {
    input.enter("the states");
    let is_open = header.states == UNKNOWN_STATES;
    let mut read = 0;
    while is_open || read < header.states {
        read += 1;
        let last = match input.f32() {
            // A file of unknown length ends with its bytes.
            Err(error) if is_open && error.kind() == io::ErrorKind::UnexpectedEof => {
                break;
            }
            last => last?,
        };
        let state = builder.add_state();
        builder.set_final(state, Cost(last));
        for _ in 0..input.count()? {
            read_arc(input, state, meaning, builder)?;
        }
    }
    Ok(())
}

fn read_const(
    input: &mut Input<impl Read>,
    header: &Header,
    meaning: &impl Meaning,
    builder: &mut GraphBuilder,
) -> Result<(), Fault> {
    input.enter("the states");
    header.align(input)?;
    let mut counts = Vec::new();
    let mut total = 0u64;
    for _ in 0..header.states {
        let last = input.f32()?;
        let (position, count) = (input.i32()? as u32, input.i32()? as u32);
        input.bytes::<8>()?;
        if u64::from(position) != total {
            return format_fault("arcs of a const file are out of order");
        }
        total += u64::from(count);
        let state = builder.add_state();
        builder.set_final(state, Cost(last));
        counts.push(count);
    }
    input.enter("the arcs");
    header.align(input)?;
    for (state, &count) in (0u32..).zip(&counts) {
        for _ in 0..count {
            read_arc(input, StateId(state), meaning, builder)?;
        }
    }
    Ok(())
}

fn read_arc(
    input: &mut Input<impl Read>,
    from: StateId,
    meaning: &impl Meaning,
    builder: &mut GraphBuilder,
) -> Result<(), Fault> {
    let (label, word) = (input.i32()?, input.i32()?);
    let cost = Cost(input.f32()?);
    let next = state_id(i64::from(input.i32()?))?;
    let damaged = || format_fault(format!("labels {label}:{word} of an arc of state {}", from.0));
    if label < 0 || word < 0 || word as u32 > WORD_MASK {
        return damaged();
    }
    let (pdf, flags) = match label {
        0 => (None, 0),
        label => match meaning(label as u32) {
            Some((pdf, flags)) => (Some(pdf), flags),
            None => return damaged(),
        },
    };
    builder.add_arc(from, pdf, word as u32 | flags, cost, next);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::header::{FST_MAGIC, VECTOR_PROPERTIES};
    use super::*;

    /// The flag of an aligned file.
    const IS_ALIGNED: i32 = 4;

    fn small() -> Graph {
        let mut builder = GraphBuilder::new();
        builder.add_states(3);
        builder.set_start(StateId(0));
        builder.set_final(StateId(2), Cost(0.5));
        builder.add_arc(StateId(0), Some(PdfId(4)), 7, Cost(1.25), StateId(1));
        builder.add_arc(StateId(1), Some(PdfId(0)), 0, Cost(0.0), StateId(1));
        builder.add_arc(StateId(1), None, 9, Cost(-2.0), StateId(2));
        builder.build().unwrap()
    }

    fn listing(graph: &Graph) -> Vec<String> {
        (graph.states())
            .map(|state| {
                let arcs: Vec<_> =
                    graph.emitting_arcs(state).chain(graph.epsilon_arcs(state)).collect();
                format!("{:?} {arcs:?}", graph.final_cost(state))
            })
            .collect()
    }

    fn vector() -> Vec<u8> {
        let mut bytes = Vec::new();
        small().write_openfst(&mut bytes).unwrap();
        bytes
    }

    /// The same graph as a const file, as `fstconvert --fst_type=const --fst_align=…` writes it.
    fn constant(aligned: bool) -> Vec<u8> {
        let graph = small();
        let number = |id: StateId| graph.states().position(|state| state == id).unwrap();
        let mut bytes = Vec::new();
        bytes.extend(FST_MAGIC.to_le_bytes());
        for text in ["const", "standard"] {
            bytes.extend((text.len() as i32).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes.extend(if aligned { 1i32 } else { 2 }.to_le_bytes());
        bytes.extend(if aligned { IS_ALIGNED } else { 0 }.to_le_bytes());
        bytes.extend(VECTOR_PROPERTIES.to_le_bytes());
        for number in [number(graph.start()) as i64, 3, 3] {
            bytes.extend(number.to_le_bytes());
        }
        let align = |bytes: &mut Vec<u8>| {
            while aligned && !bytes.len().is_multiple_of(16) {
                bytes.push(0);
            }
        };
        align(&mut bytes);
        let mut arcs = Vec::new();
        for state in graph.states() {
            bytes.extend(graph.final_cost(state).0.to_le_bytes());
            bytes.extend((arcs.len() as u32).to_le_bytes());
            let before = arcs.len();
            arcs.extend(graph.epsilon_arcs(state).chain(graph.emitting_arcs(state)));
            bytes.extend(((arcs.len() - before) as u32).to_le_bytes());
            bytes.extend([0; 8]);
        }
        align(&mut bytes);
        for arc in arcs {
            bytes.extend(arc.pdf.map_or(0, |pdf| pdf.0 + 1).to_le_bytes());
            bytes.extend(arc.label.to_le_bytes());
            bytes.extend(arc.cost.0.to_le_bytes());
            bytes.extend((number(arc.next) as u32).to_le_bytes());
        }
        bytes
    }

    #[test]
    fn vector_and_const_files_hold_the_graph() {
        for bytes in [vector(), constant(false), constant(true)] {
            let graph = Graph::from_openfst(&bytes[..]).unwrap();
            assert_eq!(listing(&graph), listing(&small()));
            assert_eq!(graph.start(), small().start());
        }
    }

    #[test]
    fn counts_below_nothing_are_refused() {
        let header = vector().len() - {
            let arcs: usize =
                listing(&small()).iter().map(|line| line.matches("ArcRef").count()).sum();
            3 * (4 + 8) + arcs * 16
        };
        for (name, bytes, offset) in [
            ("states of a vector file", vector(), header - 16),
            ("states of a const file", constant(false), header - 17),
            ("arcs of a state", vector(), header + 4),
            ("the start", vector(), header - 24),
        ] {
            for number in [i64::MIN, i64::MIN + 1, -2] {
                let mut damaged = bytes.clone();
                damaged[offset..offset + 8].copy_from_slice(&number.to_le_bytes());
                assert!(Graph::from_openfst(&damaged[..]).is_err(), "{number} {name}");
            }
        }
        let mut open = vector();
        open[header - 16..header - 8].copy_from_slice(&UNKNOWN_STATES.to_le_bytes());
        assert_eq!(listing(&Graph::from_openfst(&open[..]).unwrap()), listing(&small()));
    }

    #[test]
    fn damaged_files_are_errors_or_graphs_but_never_panics() {
        for bytes in [vector(), constant(false), constant(true)] {
            for length in 0..bytes.len() {
                assert!(Graph::from_openfst(&bytes[..length]).is_err(), "cut to {length}");
                for value in [0x00, 0x7f, 0xff] {
                    let mut damaged = bytes.clone();
                    damaged[length] = value;
                    let _ = Graph::from_openfst(&damaged[..]);
                }
            }
        }
    }
}
