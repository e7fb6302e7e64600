//! The packed n-gram on disk: a header, then arrays that are used where they are mapped.
//!
//! Everything is little-endian; sections start at multiples of 64 bytes. Header, 1024 bytes:
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
//!
//! Opening checks the header alone, whatever the size of the model; [`Ngram::verify`] reads and
//! checks all of it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytemuck::Pod;
use memmap2::Mmap;
use xxhash_rust::xxh3::xxh3_64;

use super::{CODES, Level, MAX_ORDER, MAX_WORDS, Ngram, NgramError};
use crate::graph::rows::Section;

/// Version of the format; raised with every change of layout or meaning.
pub const NGRAM_FORMAT: u32 = 1;

const MAGIC: &[u8; 8] = b"PTNGRAM\0";
const HEADER: usize = 1024;
const HEADER_SUM: usize = HEADER - 8;
const ALIGN: usize = 64;
const SECTION_TABLE: usize = 24;
const UNIGRAM_SECTIONS: usize = 3;
const LEVEL_SECTIONS: usize = 9;
const SECTIONS: usize = UNIGRAM_SECTIONS + LEVEL_SECTIONS * (MAX_ORDER - 1);
/// Bytes of one element of each section of a level.
const LEVEL_WIDTHS: [usize; LEVEL_SECTIONS] = [2, 1, 4, 8, 4, 8, 4, 1, 4];

/// Where a section lies and what its checksum should be.
#[derive(Clone, Default)]
struct SectionEntry {
    range: Range<usize>,
    sum: u64,
}

impl Ngram {
    /// Writes the model, atomically: into a temporary file in the same folder, which then takes the
    /// name.
    ///
    /// # Errors
    /// [`NgramError::Io`] if the folder cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), NgramError> {
        let io = |source| NgramError::Io {
            path: path.to_owned(),
            source,
        };
        let folder = path
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let file = tempfile::NamedTempFile::new_in(folder).map_err(io)?;
        let mut out = BufWriter::new(file);
        self.write(&mut out).map_err(io)?;
        let file = out.into_inner().map_err(|error| io(error.into_error()))?;
        file.as_file().sync_all().map_err(io)?;
        file.persist(path).map_err(|error| io(error.error))?;
        Ok(())
    }

    /// Writes the model's bytes.
    ///
    /// # Errors
    /// Whatever the writer reports.
    pub fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        let sections = self.section_bytes();
        let mut header = [0u8; HEADER];
        header[..8].copy_from_slice(MAGIC);
        header[8..12].copy_from_slice(&NGRAM_FORMAT.to_le_bytes());
        header[12..16].copy_from_slice(&(self.order() as u32).to_le_bytes());
        header[16..24].copy_from_slice(&self.words_sum.to_le_bytes());
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

    /// Maps a packed model. Takes the same time whatever its size.
    ///
    /// # Errors
    /// [`NgramError`] if the file cannot be read, is no packed n-gram, is of another version or its
    /// header is damaged.
    pub fn open(path: &Path) -> Result<Ngram, NgramError> {
        Ngram::map(path).map(|(ngram, ..)| ngram)
    }

    /// Reads all of a packed model and checks every checksum, offset, count and cost.
    ///
    /// # Errors
    /// [`NgramError`] with the first thing that is wrong.
    pub fn verify(path: &Path) -> Result<Ngram, NgramError> {
        let (ngram, map, entries) = Ngram::map(path)?;
        let corrupt = |what| NgramError::Corrupt {
            path: path.to_owned(),
            what,
        };
        for (index, entry) in entries.iter().enumerate() {
            if xxh3_64(&map[entry.range.clone()]) != entry.sum {
                return Err(corrupt(format!("checksum of section {index}")));
            }
        }
        let end = entries
            .iter()
            .map(|entry| entry.range.end)
            .max()
            .unwrap_or(HEADER);
        if map.len() != end.next_multiple_of(ALIGN) {
            return Err(corrupt("bytes after the last section".to_owned()));
        }
        check(&ngram).map_err(corrupt)?;
        Ok(ngram)
    }

    fn map(path: &Path) -> Result<(Ngram, Arc<Mmap>, Vec<SectionEntry>), NgramError> {
        let io = |source| NgramError::Io {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.len() < HEADER as u64 {
            return Err(NgramError::NotAnNgram {
                path: path.to_owned(),
            });
        }
        // SAFETY: the map is read-only. A program that shrinks or rewrites the file in place while
        // it is mapped breaks it; ours replace files by renaming, and every value read from the map
        // is checked before it is used.
        #[allow(unsafe_code)]
        let map = Arc::new(unsafe { Mmap::map(&file) }.map_err(io)?);
        let (order, entries) = read_header(&map, path)?;
        Ok((from_sections(&map, order, &entries), map, entries))
    }

    /// The bytes of all sections in the file's order.
    fn section_bytes(&self) -> Vec<&[u8]> {
        const {
            assert!(
                cfg!(target_endian = "little"),
                "n-grams are mapped little-endian"
            );
            assert!(SECTION_TABLE + 24 * SECTIONS <= HEADER_SUM);
        };
        let mut all = vec![
            bytes(&self.unigrams),
            bytes(&self.backoffs),
            bytes(&self.begin),
        ];
        for level in &self.levels {
            all.extend([
                bytes(&level.words),
                bytes(&level.codes),
                bytes(&level.codebook),
                bytes(&level.first.0),
                bytes(&level.first.1),
                bytes(&level.inner.0),
                bytes(&level.inner.1),
                bytes(&level.backoff_codes),
                bytes(&level.backoff_codebook),
            ]);
        }
        all
    }
}

fn bytes<T: Pod>(section: &Section<T>) -> &[u8] {
    bytemuck::cast_slice(section.as_slice())
}

fn from_sections(map: &Arc<Mmap>, order: usize, entries: &[SectionEntry]) -> Ngram {
    fn section<T>(map: &Arc<Mmap>, entry: &SectionEntry) -> Section<T> {
        Section::Mapped(map.clone(), entry.range.clone())
    }
    let level = |e: &[SectionEntry]| Level {
        words: section(map, &e[0]),
        codes: section(map, &e[1]),
        codebook: section(map, &e[2]),
        first: (section(map, &e[3]), section(map, &e[4])),
        inner: (section(map, &e[5]), section(map, &e[6])),
        backoff_codes: section(map, &e[7]),
        backoff_codebook: section(map, &e[8]),
    };
    let levels = entries[UNIGRAM_SECTIONS..].chunks_exact(LEVEL_SECTIONS);
    Ngram {
        unigrams: section(map, &entries[0]),
        backoffs: section(map, &entries[1]),
        begin: section(map, &entries[2]),
        levels: levels.take(order - 1).map(level).collect(),
        words_sum: u64_at(map, 16),
    }
}

/// Reads and checks the header: identity, version, checksum, and that sections lie in the file and
/// agree in length.
fn read_header(map: &[u8], path: &Path) -> Result<(usize, Vec<SectionEntry>), NgramError> {
    let path = || path.to_owned();
    let corrupt = |what: &str| NgramError::Corrupt {
        path: path(),
        what: what.to_owned(),
    };
    if map.len() < HEADER || &map[..8] != MAGIC {
        return Err(NgramError::NotAnNgram { path: path() });
    }
    let (found, supported) = (u32_at(map, 8), NGRAM_FORMAT);
    if found != supported {
        return Err(NgramError::Version {
            path: path(),
            found,
            supported,
        });
    }
    if xxh3_64(&map[..HEADER_SUM]) != u64_at(map, HEADER_SUM) {
        return Err(corrupt("checksum of the header"));
    }
    let order = u32_at(map, 12) as usize;
    if !(1..=MAX_ORDER).contains(&order) {
        return Err(corrupt("order"));
    }
    let sections = UNIGRAM_SECTIONS + LEVEL_SECTIONS * (order - 1);
    let entries = (0..sections).map(|index| read_section(map, index));
    let entries = entries.collect::<Result<Vec<_>, _>>().map_err(corrupt)?;
    if !lengths_agree(order, &entries) {
        return Err(corrupt("section lengths disagree"));
    }
    Ok((order, entries))
}

/// One entry of the section table, or what is wrong with it.
fn read_section(map: &[u8], index: usize) -> Result<SectionEntry, &'static str> {
    let at = SECTION_TABLE + 24 * index;
    let (offset, length) = (u64_at(map, at), u64_at(map, at + 8));
    let end = offset
        .checked_add(length)
        .filter(|&end| end <= map.len() as u64);
    let end = end.ok_or("the file was cut short")? as usize;
    if !offset.is_multiple_of(ALIGN as u64) {
        return Err("a section is not aligned");
    }
    Ok(SectionEntry {
        range: offset as usize..end,
        sum: u64_at(map, at + 16),
    })
}

fn lengths_agree(order: usize, entries: &[SectionEntry]) -> bool {
    let widths = [4; UNIGRAM_SECTIONS]
        .into_iter()
        .chain(LEVEL_WIDTHS.into_iter().cycle());
    let whole = entries
        .iter()
        .zip(widths.clone())
        .all(|(e, width)| e.range.len() % width == 0);
    let count: Vec<_> = entries
        .iter()
        .zip(widths)
        .map(|(e, width)| e.range.len() / width)
        .collect();
    let words = count[0];
    let directory = |bits: usize, directory: usize| bits.div_ceil(8) == directory;
    let level = |(below, n): (usize, &[usize])| {
        let rows = n[0];
        let first = if below == 0 { 0 } else { rows.div_ceil(64) };
        let inner = if below + 2 == order {
            0
        } else {
            rows.div_ceil(64)
        };
        let books = n[2] == CODES && n[8] == CODES;
        let bits = n[3] == first && directory(n[3], n[4]) && n[5] == inner && directory(n[5], n[6]);
        n[1] == rows && books && bits && n[7] <= rows
    };
    whole
        && words <= MAX_WORDS
        && count[1] == words
        && count[2] == words + 1
        && count[UNIGRAM_SECTIONS..]
            .chunks_exact(LEVEL_SECTIONS)
            .enumerate()
            .all(level)
}

/// Checks what checksums do not: that the trie is one.
fn check(ngram: &Ngram) -> Result<(), String> {
    let words = ngram.num_words();
    let number = |section: &Section<f32>| section.as_slice().iter().all(|cost| !cost.is_nan());
    if !number(&ngram.unigrams) || !number(&ngram.backoffs) {
        return Err("a cost of order 1 is not a number".to_owned());
    }
    let begin = ngram.begin.as_slice();
    let bigrams = ngram
        .levels
        .first()
        .map_or(0, |level| level.words.as_slice().len());
    if begin[0] != 0 || !begin.is_sorted() || begin[words] as usize != bigrams {
        return Err("offsets of order 2 out of order".to_owned());
    }
    for (order, level) in (2..).zip(&ngram.levels) {
        let rows = level.words.as_slice().len();
        if !number(&level.codebook) || !number(&level.backoff_codebook) {
            return Err(format!("a cost of order {order} is not a number"));
        }
        if level
            .words
            .as_slice()
            .iter()
            .any(|&word| usize::from(word) >= words)
        {
            return Err(format!("a word of order {order} does not exist"));
        }
        if level.inner().rank(rows) != level.histories() && order < ngram.order() {
            return Err(format!("number of histories of order {order}"));
        }
        let lists = order
            .checked_sub(3)
            .map(|below| ngram.levels[below].histories());
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
        let words = ngram
            .levels
            .get(history.length - 1)
            .map_or(&[][..], |l| l.words.as_slice());
        let sorted = words
            .get(list.clone())
            .is_some_and(|words| words.is_sorted_by(|a, b| a < b));
        if !sorted && !list.is_empty() {
            return Err(format!("the list of state {state} is out of order"));
        }
    }
    if history.length > 1 && ngram.shorter(history).length + 1 != history.length {
        return Err(format!("state {state} has no suffix"));
    }
    Ok(())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
