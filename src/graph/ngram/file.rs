//! The packed n-gram on disk, in the container that `graph::container` describes.
//!
//! Header, 1024 bytes:
//!
//! | offset | field |
//! |---|---|
//! | 0 | magic `PTNGRAM\0` |
//! | 8 | format version, `u32` |
//! | 12 | order, `u32` |
//! | 16 | XXH3-64 of the word table, `u64` |
//! | 24 | thirty sections: offset, length in bytes, XXH3-64 of the bytes, each `u64`; unused ones zero |
//! | 744 | zero |
//! | 1016 | XXH3-64 of bytes 0 to 1016, `u64` |
//!
//! Sections in order: unigram costs `f32[words]`, their back-off costs `f32[words]`, offsets of
//! their bigrams `u32[words + 1]`; then nine for each of the orders 2 to 4: last words `u16`, cost
//! codes `u8`, their codebook `f32[256]`, the bits that say where a history's list begins `u64` and
//! their directory `u32` (order 3 and up), the bits that say which n-grams are histories and their
//! directory (below the highest order), back-off codes `u8` of these, their codebook `f32[256]`.

use std::io::Write;
use std::path::Path;

use super::{CODES, Level, MAX_ORDER, MAX_WORDS, Ngram, NgramError};
use crate::graph::container::{Fault, Format, Mapped, Place, Section, save_atomically, u32_at};

/// Version of the format; raised with every change of layout or meaning.
pub const NGRAM_FORMAT: u32 = 1;

const FORMAT: Format = Format {
    magic: b"PTNGRAM\0",
    version: NGRAM_FORMAT,
    header: 1024,
    table: 24,
    sections: SECTIONS,
};
/// Where the header holds the order and the checksum of the word table.
const ORDER: usize = 12;
const WORDS_SUM: usize = 16;
const UNIGRAM_SECTIONS: usize = 3;
const LEVEL_SECTIONS: usize = 9;
const SECTIONS: usize = UNIGRAM_SECTIONS + LEVEL_SECTIONS * (MAX_ORDER - 1);
/// Bytes of one element of each section of a level.
const LEVEL_WIDTHS: [usize; LEVEL_SECTIONS] = [2, 1, 4, 8, 4, 8, 4, 1, 4];

impl Ngram {
    /// Writes the model, atomically: into a temporary file in the same folder, which then takes the
    /// name.
    ///
    /// # Errors
    /// [`NgramError::Io`] if the folder cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), NgramError> {
        save_atomically(path, |out| self.write(out))
            .map_err(|error| NgramError::of(Fault::Io(error), path))
    }

    /// Writes the model's bytes.
    ///
    /// # Errors
    /// Whatever the writer reports.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let fields: [(usize, &[u8]); 2] = [
            (ORDER, &(self.order() as u32).to_le_bytes()),
            (WORDS_SUM, &self.words_sum.to_le_bytes()),
        ];
        FORMAT.write(&fields, &self.section_bytes(), out)
    }

    /// Maps a packed model. Takes the same time whatever its size.
    ///
    /// # Errors
    /// [`NgramError`] if the file cannot be read, is no packed n-gram, is of another version or its
    /// header is damaged.
    pub fn open(path: &Path) -> Result<Ngram, NgramError> {
        let (order, mapped) =
            map(path, Place::File).map_err(|fault| NgramError::of(fault, path))?;
        Ok(Ngram::from_mapped(order, &mapped))
    }

    /// Maps a packed model and compares all of it with its checksums. A model that was sound when
    /// it was written is sound if this succeeds.
    ///
    /// # Errors
    /// As [`Ngram::open`], and [`NgramError::Corrupt`] where a checksum disagrees.
    pub fn open_checked(path: &Path) -> Result<Ngram, NgramError> {
        Ngram::checked(path, Place::File)
    }

    /// The same with a copy in memory, so that later changes to the file do no harm. The system
    /// kills a process that reads a mapped file which has become shorter.
    ///
    /// # Errors
    /// As [`Ngram::open_checked`].
    pub fn load(path: &Path) -> Result<Ngram, NgramError> {
        Ngram::checked(path, Place::Memory)
    }

    fn checked(path: &Path, place: Place) -> Result<Ngram, NgramError> {
        let (order, mapped) = map(path, place).map_err(|fault| NgramError::of(fault, path))?;
        let checked = mapped.verify();
        checked.map_err(|what| NgramError::of(Fault::Corrupt(what), path))?;
        Ok(Ngram::from_mapped(order, &mapped))
    }

    /// Reads all of a packed model and checks every checksum, offset, count and cost.
    ///
    /// # Errors
    /// [`NgramError`] with the first thing that is wrong.
    pub fn verify(path: &Path) -> Result<Ngram, NgramError> {
        let (order, mapped) =
            map(path, Place::File).map_err(|fault| NgramError::of(fault, path))?;
        let ngram = Ngram::from_mapped(order, &mapped);
        let checked = mapped.verify().and_then(|()| check(&ngram));
        checked.map_err(|what| NgramError::of(Fault::Corrupt(what), path))?;
        Ok(ngram)
    }

    fn from_mapped(order: usize, mapped: &Mapped) -> Ngram {
        let level = |first: usize| Level {
            words: mapped.section(first),
            codes: mapped.section(first + 1),
            codebook: mapped.section(first + 2),
            first: (mapped.section(first + 3), mapped.section(first + 4)),
            inner: (mapped.section(first + 5), mapped.section(first + 6)),
            backoff_codes: mapped.section(first + 7),
            backoff_codebook: mapped.section(first + 8),
        };
        Ngram {
            unigrams: mapped.section(0),
            backoffs: mapped.section(1),
            begin: mapped.section(2),
            levels: (0..order - 1)
                .map(|below| level(UNIGRAM_SECTIONS + LEVEL_SECTIONS * below))
                .collect(),
            words_sum: mapped.u64_at(WORDS_SUM),
        }
    }

    /// The bytes of all sections in the file's order.
    fn section_bytes(&self) -> Vec<&[u8]> {
        let mut all = vec![self.unigrams.bytes(), self.backoffs.bytes(), self.begin.bytes()];
        for level in &self.levels {
            all.extend([
                level.words.bytes(),
                level.codes.bytes(),
                level.codebook.bytes(),
                level.first.0.bytes(),
                level.first.1.bytes(),
                level.inner.0.bytes(),
                level.inner.1.bytes(),
                level.backoff_codes.bytes(),
                level.backoff_codebook.bytes(),
            ]);
        }
        all
    }
}

/// A file whose header is sound and whose sections agree in length, and its order.
fn map(path: &Path, place: Place) -> Result<(usize, Mapped), Fault> {
    let mapped = FORMAT.open(path, place, |header| match u32_at(header, ORDER) as usize {
        order @ 1..=MAX_ORDER => Ok(UNIGRAM_SECTIONS + LEVEL_SECTIONS * (order - 1)),
        _ => Err("order"),
    })?;
    let order = mapped.u32_at(ORDER) as usize;
    let widths = [4; UNIGRAM_SECTIONS].into_iter().chain(LEVEL_WIDTHS.into_iter().cycle());
    match mapped.counts(widths) {
        Some(counts) if lengths_agree(order, &counts) => Ok((order, mapped)),
        _ => Err(Fault::corrupt("section lengths disagree")),
    }
}

/// Whether the numbers of elements of the sections are those of one model.
fn lengths_agree(order: usize, count: &[usize]) -> bool {
    let words = count[0];
    let directory = |bits: usize, directory: usize| bits.div_ceil(8) == directory;
    let level = |(below, n): (usize, &[usize])| {
        let rows = n[0];
        let first = if below == 0 { 0 } else { rows.div_ceil(64) };
        let inner = if below + 2 == order { 0 } else { rows.div_ceil(64) };
        let books = n[2] == CODES && n[8] == CODES;
        let bits = n[3] == first && directory(n[3], n[4]) && n[5] == inner && directory(n[5], n[6]);
        n[1] == rows && books && bits && n[7] <= rows
    };
    words <= MAX_WORDS
        && count[1] == words
        && count[2] == words + 1
        && count[UNIGRAM_SECTIONS..].chunks_exact(LEVEL_SECTIONS).enumerate().all(level)
}

/// Checks what checksums do not: that the trie is one.
fn check(ngram: &Ngram) -> Result<(), String> {
    let words = ngram.num_words();
    let number = |section: &Section<f32>| section.as_slice().iter().all(|cost| !cost.is_nan());
    if !number(&ngram.unigrams) || !number(&ngram.backoffs) {
        return Err("a cost of order 1 is not a number".to_owned());
    }
    let begin = ngram.begin.as_slice();
    let bigrams = ngram.levels.first().map_or(0, |level| level.words.as_slice().len());
    if begin[0] != 0 || !begin.is_sorted() || begin[words] as usize != bigrams {
        return Err("offsets of order 2 out of order".to_owned());
    }
    for (order, level) in (2..).zip(&ngram.levels) {
        let rows = level.words.as_slice().len();
        if !number(&level.codebook) || !number(&level.backoff_codebook) {
            return Err(format!("a cost of order {order} is not a number"));
        }
        if level.words.as_slice().iter().any(|&word| usize::from(word) >= words) {
            return Err(format!("a word of order {order} does not exist"));
        }
        if level.inner().rank(rows) != level.histories() && order < ngram.order() {
            return Err(format!("number of histories of order {order}"));
        }
        let lists = order.checked_sub(3).map(|below| ngram.levels[below].histories());
        if lists.is_some_and(|lists| level.first().rank(rows) != lists) {
            return Err(format!("number of lists of order {order}"));
        }
    }
    (0..ngram.num_states() as u32).try_for_each(|state| check_state(ngram, state))
}

/// Checks that a history's list is in order, and that backing off shortens it by one word.
fn check_state(ngram: &Ngram, state: u32) -> Result<(), String> {
    let history = ngram.history(super::LmState(state));
    let list = ngram.list(history);
    if history.length > 0 {
        let words = ngram.levels.get(history.length - 1).map_or(&[][..], |l| l.words.as_slice());
        let sorted = words.get(list.clone()).is_some_and(|words| words.is_sorted_by(|a, b| a < b));
        if !sorted && !list.is_empty() {
            return Err(format!("the list of state {state} is out of order"));
        }
    }
    if history.length > 1 && ngram.shorter(history).length + 1 != history.length {
        return Err(format!("state {state} has no suffix"));
    }
    Ok(())
}
