//! The model on disk, in the container of graphs and n-grams.
//!
//! Header, 256 bytes: magic `PTSPELL\0`, format version `u32`, four sections from byte 16 on
//! (offset, length in bytes, XXH3-64, each `u64`), the header's XXH3-64 in its last eight bytes.
//! Sections in order: letters `u32`; graphones, four bytes each; hash table of histories, key
//! `u64`, back-off `f32`, first follower and number of followers `u32`, four bytes reserved;
//! followers, cost `f32`, number `u16`, two bytes reserved.

use std::io::Write;
use std::path::Path;

use super::Spelling;
use crate::graph::container::{Fault, Format, Mapped, Place};
use crate::graph::error::GraphError;

/// Version of the format; raised with every change of layout or meaning.
pub const SPELLING_FORMAT: u32 = 2;

const FORMAT: Format = Format {
    magic: b"PTSPELL\0",
    version: SPELLING_FORMAT,
    header: 256,
    table: 16,
    sections: WIDTHS.len(),
};
/// Bytes of one element of each section.
const WIDTHS: [usize; 4] = [4, 4, 24, 8];

impl Spelling {
    /// Writes the model's bytes.
    ///
    /// # Errors
    /// Whatever the writer reports.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let sections = [
            self.letters.bytes(),
            self.graphones.bytes(),
            self.histories.bytes(),
            self.followers.bytes(),
        ];
        FORMAT.write(&[], &sections, out)
    }

    /// Maps a model's file. Takes the same time whatever its size.
    ///
    /// # Errors
    /// [`GraphError`] if the file cannot be read, is no such model or of another version, or its
    /// header is damaged.
    pub fn open(path: &Path) -> Result<Spelling, GraphError> {
        let mapped = map(path, Place::File).map_err(|fault| GraphError::of(fault, path))?;
        Ok(Spelling::from_mapped(&mapped))
    }

    /// Maps a model's file and compares all of it with its checksums.
    ///
    /// # Errors
    /// As [`Spelling::open`], and the file is damaged.
    pub fn open_checked(path: &Path) -> Result<Spelling, GraphError> {
        Spelling::checked(path, Place::File)
    }

    /// Reads a model's file into memory and compares all of it with its checksums.
    ///
    /// # Errors
    /// As [`Spelling::open_checked`].
    pub fn load(path: &Path) -> Result<Spelling, GraphError> {
        Spelling::checked(path, Place::Memory)
    }

    fn checked(path: &Path, place: Place) -> Result<Spelling, GraphError> {
        let mapped = map(path, place).map_err(|fault| GraphError::of(fault, path))?;
        let checked = mapped.verify();
        checked.map_err(|what| GraphError::of(Fault::Corrupt(what), path))?;
        Ok(Spelling::from_mapped(&mapped))
    }

    fn from_mapped(mapped: &Mapped) -> Spelling {
        Spelling {
            letters: mapped.section(0),
            graphones: mapped.section(1),
            histories: mapped.section(2),
            followers: mapped.section(3),
        }
    }
}

/// Maps a file whose header is sound and whose table has a power of two of slots.
fn map(path: &Path, place: Place) -> Result<Mapped, Fault> {
    let mapped = FORMAT.open(path, place, |_| Ok(WIDTHS.len()))?;
    match mapped.counts(WIDTHS).as_deref() {
        Some(&[_, _, slots, _]) if slots.is_power_of_two() => Ok(mapped),
        _ => Err(Fault::corrupt("section lengths")),
    }
}
