//! Language models in whatever type they come: `vector`, `const` or `ngram`.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use super::automaton::{Automaton, arc, check_arcs, constant, finish};
use super::header::{Header, Symbols, UNKNOWN_STATES};
use super::input::{Fault, Input, format_fault};
use super::ngram;
use crate::graph::error::GraphError;

/// The types that are read.
const KINDS: [&str; 3] = ["vector", "const", "ngram"];

impl Automaton {
    /// Reads a `vector`, `const` or `ngram` file, and the names of its labels where it has them.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or of another type.
    pub fn open(path: &Path) -> Result<(Automaton, Option<Symbols>), GraphError> {
        let file = File::open(path);
        let file = file.map_err(|source| GraphError::Io { path: path.to_owned(), source })?;
        Automaton::read(BufReader::with_capacity(1 << 20, file))
    }

    /// As [`Automaton::open`], of a file's bytes.
    ///
    /// # Errors
    /// As [`Automaton::open`].
    pub fn read(input: impl Read) -> Result<(Automaton, Option<Symbols>), GraphError> {
        let mut input = Input::new(input);
        let read = read(&mut input);
        input.located(read)
    }

    /// The names of the labels alone, which lie at the beginning of the file.
    ///
    /// # Errors
    /// As [`Automaton::open`].
    pub fn symbols(path: &Path) -> Result<Option<Symbols>, GraphError> {
        let file = File::open(path);
        let file = file.map_err(|source| GraphError::Io { path: path.to_owned(), source })?;
        let mut input = Input::new(BufReader::with_capacity(1 << 20, file));
        let read = Header::read(&mut input, &KINDS).and_then(|header| header.symbols(&mut input));
        input.located(read)
    }
}

fn read(input: &mut Input<impl Read>) -> Result<(Automaton, Option<Symbols>), Fault> {
    let header = Header::read(input, &KINDS)?;
    let symbols = header.symbols(input)?;
    let automaton = match header.kind.as_str() {
        "vector" => vector(input, &header)?,
        "const" => constant(input, &header)?,
        _ => ngram::read(input, header.version)?,
    };
    input.enter("the end");
    input.expect_end()?;
    Ok((automaton, symbols))
}

fn vector(input: &mut Input<impl Read>, header: &Header) -> Result<Automaton, Fault> {
    input.enter("the states");
    if header.states == UNKNOWN_STATES {
        return format_fault(
            "the number of states is left open; write the file with fstconvert --fst_type=const",
        );
    }
    let (mut rows, mut arcs, mut finals) = (vec![0], Vec::new(), Vec::new());
    for _ in 0..header.states {
        finals.push(input.f32()?);
        let count = input.count()?;
        check_arcs((arcs.len() as u64).saturating_add(count))?;
        arcs.append(&mut input.array(count, arc)?);
        rows.push(arcs.len() as u32);
    }
    finish(header, rows, arcs, finals)
}
