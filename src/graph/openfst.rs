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

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use crate::units::{Cost, PdfId, StateId};

use super::WORD_MASK;
use super::builder::GraphBuilder;
use super::error::GraphError;
use super::rows::{ARC_LIMIT, ArcRef, Graph};

const FST_MAGIC: i32 = 2_125_659_606;
const SYMBOLS_MAGIC: i32 = 2_125_658_996;
const HAS_INPUT_SYMBOLS: i32 = 1;
const HAS_OUTPUT_SYMBOLS: i32 = 2;
const IS_ALIGNED: i32 = 4;
/// Const files of version 1 are aligned even without the flag.
const CONST_ALIGNED_VERSION: i32 = 1;
const ALIGNMENT: u64 = 16;
/// The longest string of a header or symbol table that is believed.
const STRING_LIMIT: i32 = 1 << 16;
/// OpenFst's properties "expanded" and "mutable", which every vector file has; the others are left
/// unknown.
const VECTOR_PROPERTIES: u64 = 3;
/// The number of states of a vector file whose writer did not know it.
const UNKNOWN_STATES: i64 = -1;
/// The start of a graph without one.
const NO_START: i64 = -1;

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
        let mut input = Input { input, position: 0 };
        read(&mut input, &meaning).map_err(|error| match error {
            Fault::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                GraphError::OpenFst("the file was cut short".into())
            }
            Fault::Io(error) => GraphError::OpenFst(error.to_string()),
            Fault::Format(what) => GraphError::OpenFst(what),
            Fault::Graph(error) => error,
        })
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
        out.write_all(&FST_MAGIC.to_le_bytes())?;
        for text in ["vector", "standard"] {
            out.write_all(&(text.len() as i32).to_le_bytes())?;
            out.write_all(text.as_bytes())?;
        }
        out.write_all(&2i32.to_le_bytes())?;
        out.write_all(&0i32.to_le_bytes())?;
        out.write_all(&VECTOR_PROPERTIES.to_le_bytes())?;
        let mut number = vec![0u32; self.state_limit()];
        for (count, state) in (0..).zip(self.states()) {
            number[state.index()] = count;
        }
        let number = |state: StateId| number.get(state.index()).copied().unwrap_or(0);
        out.write_all(&i64::from(number(self.start())).to_le_bytes())?;
        out.write_all(&(self.num_states() as i64).to_le_bytes())?;
        out.write_all(&((emitting + epsilon) as i64).to_le_bytes())?;
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

/// Why reading stopped.
enum Fault {
    Io(io::Error),
    Format(String),
    Graph(GraphError),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Fault::Io(error)
    }
}

/// What an input label stands for.
trait Meaning: Fn(u32) -> Option<(PdfId, u32)> {}

impl<F: Fn(u32) -> Option<(PdfId, u32)>> Meaning for F {}

fn format_fault<T>(what: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Format(what.into()))
}

/// A reader of little-endian numbers that knows how far it is.
struct Input<R> {
    input: R,
    position: u64,
}

impl<R: Read> Input<R> {
    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        self.position += N as u64;
        Ok(bytes)
    }

    fn i32(&mut self) -> io::Result<i32> {
        Ok(i32::from_le_bytes(self.bytes()?))
    }

    fn i64(&mut self) -> io::Result<i64> {
        Ok(i64::from_le_bytes(self.bytes()?))
    }

    /// How many entries follow.
    fn count(&mut self) -> Result<u64, Fault> {
        let count = self.i64()?;
        u64::try_from(count).or_else(|_| format_fault(format!("{count} entries")))
    }

    fn f32(&mut self) -> io::Result<f32> {
        Ok(f32::from_le_bytes(self.bytes()?))
    }

    fn string(&mut self) -> Result<String, Fault> {
        let length = self.i32()?;
        if !(0..=STRING_LIMIT).contains(&length) {
            return format_fault(format!("a string of {length} bytes"));
        }
        let mut bytes = vec![0; length as usize];
        self.input.read_exact(&mut bytes)?;
        self.position += length as u64;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn align(&mut self) -> io::Result<()> {
        while !self.position.is_multiple_of(ALIGNMENT) {
            self.bytes::<1>()?;
        }
        Ok(())
    }
}

/// What the header says.
struct Header {
    kind: String,
    aligned: bool,
    start: i64,
    /// [`UNKNOWN_STATES`], for a vector file alone, or 0 and more.
    states: i64,
}

fn read(input: &mut Input<impl Read>, meaning: &impl Meaning) -> Result<Graph, Fault> {
    let header = read_header(input)?;
    let mut builder = GraphBuilder::new();
    match header.kind.as_str() {
        "vector" => read_vector(input, &header, meaning, &mut builder)?,
        _ => read_const(input, &header, meaning, &mut builder)?,
    }
    if header.start != NO_START {
        builder.set_start(state_id(header.start)?);
    }
    builder.build().map_err(Fault::Graph)
}

fn read_header(input: &mut Input<impl Read>) -> Result<Header, Fault> {
    if input.i32()? != FST_MAGIC {
        return format_fault("not an OpenFst binary file");
    }
    let kind = input.string()?;
    let arcs = input.string()?;
    if !["vector", "const"].contains(&kind.as_str()) || arcs != "standard" {
        return format_fault(format!(
            "type {kind} with {arcs} arcs is not read: convert it with fstconvert to vector or const, standard arcs"
        ));
    }
    let version = input.i32()?;
    let flags = input.i32()?;
    input.i64()?;
    let start = input.i64()?;
    let states = input.i64()?;
    let arcs = input.i64()?;
    // Here, before gigabytes are read. A header that does not know says 0 or -1.
    for (what, count) in [("states", states), ("arcs", arcs)] {
        let (found, limit) = (u64::try_from(count).unwrap_or(0), ARC_LIMIT as u64);
        if found > limit {
            return Err(Fault::Graph(GraphError::TooLarge { what, found, limit }));
        }
    }
    // A vector file may leave the number open as -1; nothing else below 0 means anything.
    let is_open = states == UNKNOWN_STATES && kind == "vector";
    if states < 0 && !is_open {
        return format_fault(format!("{states} states"));
    }
    for symbols in [HAS_INPUT_SYMBOLS, HAS_OUTPUT_SYMBOLS] {
        if flags & symbols != 0 {
            skip_symbols(input)?;
        }
    }
    let aligned = flags & IS_ALIGNED != 0 || kind == "const" && version == CONST_ALIGNED_VERSION;
    Ok(Header { kind, aligned, start, states })
}

fn skip_symbols(input: &mut Input<impl Read>) -> Result<(), Fault> {
    if input.i32()? != SYMBOLS_MAGIC {
        return format_fault("damaged symbol table");
    }
    input.string()?;
    input.i64()?;
    for _ in 0..input.count()? {
        input.string()?;
        input.i64()?;
    }
    Ok(())
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
    if header.aligned {
        input.align()?;
    }
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
    if header.aligned {
        input.align()?;
    }
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
    use super::*;

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
