//! The header of an OpenFst file, and the symbol tables behind it.
//!
//! Layout as in OpenFst 1.7 (`fst/fst.cc`, `fst/symbol-table.cc`): little-endian; strings are an
//! `int32` length and bytes.

use std::io::{self, Read, Write};

use super::input::{Fault, Input, format_fault};
use crate::graph::error::GraphError;
use crate::graph::rows::ARC_LIMIT;

pub(super) const FST_MAGIC: i32 = 2_125_659_606;
const SYMBOLS_MAGIC: i32 = 2_125_658_996;
const HAS_INPUT_SYMBOLS: i32 = 1;
const HAS_OUTPUT_SYMBOLS: i32 = 2;
const IS_ALIGNED: i32 = 4;
/// Arrays of an aligned file begin at multiples of this.
const ALIGNMENT: u64 = 16;
/// Const files of version 1 are aligned even without the flag.
const CONST_ALIGNED_VERSION: i32 = 1;
/// The number of states of a vector file whose writer did not know it.
pub(super) const UNKNOWN_STATES: i64 = -1;
/// The start of a graph without one.
const NO_START: i64 = -1;
/// OpenFst's properties "expanded" and "mutable", which every vector file has; the others are left
/// unknown.
pub(super) const VECTOR_PROPERTIES: u64 = 3;
/// The largest number of a word that is believed, as of a list of words.
const MOST_SYMBOLS: i64 = 1 << 24;

/// What the header says.
pub(super) struct Header {
    pub kind: String,
    pub version: i32,
    /// None of a graph without one.
    pub start: Option<u32>,
    /// [`UNKNOWN_STATES`], for a vector file alone, or 0 and more.
    pub states: i64,
    flags: i32,
    aligned: bool,
}

/// The names of labels, in the file's order.
pub(super) type Symbols = Vec<(u32, String)>;

impl Header {
    /// Reads a header of one of these types, up to its symbol tables.
    pub fn read(input: &mut Input<impl Read>, kinds: &[&str]) -> Result<Header, Fault> {
        input.enter("the header");
        if input.i32()? != FST_MAGIC {
            return format_fault("not an OpenFst binary file");
        }
        let (kind, arcs) = (input.string()?, input.string()?);
        if !kinds.contains(&kind.as_str()) || arcs != "standard" {
            return format_fault(format!(
                "type {kind} with {arcs} arcs is not read here: convert it with fstconvert to {}, standard arcs",
                kinds.join(" or ")
            ));
        }
        let (version, flags) = (input.i32()?, input.i32()?);
        input.i64()?;
        let (start, states, arcs) = (input.i64()?, input.i64()?, input.i64()?);
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
        let start = match (start, u32::try_from(start)) {
            (NO_START, _) => None,
            (_, Ok(start)) => Some(start),
            _ => return format_fault(format!("state {start}")),
        };
        let aligned =
            flags & IS_ALIGNED != 0 || kind == "const" && version == CONST_ALIGNED_VERSION;
        Ok(Header { kind, version, aligned, start, states, flags })
    }

    /// Goes on to where an array of this file begins.
    pub fn align(&self, input: &mut Input<impl Read>) -> io::Result<()> {
        if self.aligned { input.align(ALIGNMENT) } else { Ok(()) }
    }

    /// Passes over the symbol tables.
    pub fn skip_symbols(&self, input: &mut Input<impl Read>) -> Result<(), Fault> {
        for symbols in [HAS_INPUT_SYMBOLS, HAS_OUTPUT_SYMBOLS] {
            if self.flags & symbols != 0 {
                table(input, |_, _| Ok(()))?;
            }
        }
        Ok(())
    }

    /// Reads the names of the output labels: of the input labels where only these have names.
    /// `None` where none have.
    pub fn symbols(&self, input: &mut Input<impl Read>) -> Result<Option<Symbols>, Fault> {
        let both = HAS_INPUT_SYMBOLS | HAS_OUTPUT_SYMBOLS;
        if self.flags & both == 0 {
            return Ok(None);
        }
        if self.flags & both == both {
            table(input, |_, _| Ok(()))?;
        }
        let mut symbols = Symbols::new();
        table(input, |name, number| {
            let name = String::from_utf8_lossy(name);
            match (0..=MOST_SYMBOLS).contains(&number) {
                true => {
                    symbols.push((number as u32, name.into_owned()));
                    Ok(())
                }
                false => format_fault(format!("number {number} of \"{name}\"")),
            }
        })?;
        Ok(Some(symbols))
    }
}

/// Writes the header of a vector file without symbols: where it begins, and how many states and
/// arcs it has.
pub(super) fn write_vector_header(out: &mut impl Write, numbers: [usize; 3]) -> io::Result<()> {
    out.write_all(&FST_MAGIC.to_le_bytes())?;
    for text in ["vector", "standard"] {
        out.write_all(&(text.len() as i32).to_le_bytes())?;
        out.write_all(text.as_bytes())?;
    }
    out.write_all(&2i32.to_le_bytes())?;
    out.write_all(&0i32.to_le_bytes())?;
    out.write_all(&VECTOR_PROPERTIES.to_le_bytes())?;
    numbers.iter().try_for_each(|number| out.write_all(&(*number as i64).to_le_bytes()))
}

/// Reads a symbol table.
fn table(
    input: &mut Input<impl Read>,
    mut put: impl FnMut(&[u8], i64) -> Result<(), Fault>,
) -> Result<(), Fault> {
    input.enter("the symbol table");
    if input.i32()? != SYMBOLS_MAGIC {
        return format_fault("no symbol table, though the header says that there is one");
    }
    input.string()?;
    input.i64()?;
    let mut name = Vec::new();
    for _ in 0..input.count()? {
        input.string_into(&mut name)?;
        put(&name, input.i64()?)?;
    }
    Ok(())
}
