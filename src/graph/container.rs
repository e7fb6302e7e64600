//! The container that graphs and n-grams share on disk: a header, then arrays that are used where
//! they are mapped.
//!
//! Everything is little-endian; sections start at multiples of 64 bytes. The header opens with
//! eight bytes that name the format and its version (`u32`), then the format's own fields; a table
//! holds offset, length in bytes and XXH3-64 of each section (each `u64`), unused entries zero; the
//! last eight bytes are the XXH3-64 of those before them.
//!
//! Opening checks the header alone, whatever the size of the file; [`Mapped::verify`] reads all of
//! it. A mapped file must not be truncated while it is in use, which is why [`save_atomically`]
//! writes beside it and renames; whoever cannot rely on that of others uses a copy in memory
//! ([`Place::Memory`]).

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytemuck::Pod;
#[cfg(target_os = "linux")]
use memmap2::Advice;
use memmap2::{Mmap, MmapOptions};
use tempfile::NamedTempFile;
use xxhash_rust::xxh3::xxh3_64;

/// Sections start at multiples of this many bytes.
pub(super) const ALIGN: usize = 64;
/// Bytes of one entry of the section table.
const ENTRY: usize = 24;

/// What one format's files look like.
pub(super) struct Format {
    /// The first eight bytes of every file.
    pub magic: &'static [u8; 8],
    /// Raised with every change of layout or meaning.
    pub version: u32,
    /// Bytes of the header.
    pub header: usize,
    /// Where in the header the section table begins.
    pub table: usize,
    /// Most sections that a file may have.
    pub sections: usize,
}

/// Where the bytes of a file are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Where it is mapped, at once and shared by all processes.
    File,
    /// In a copy that nobody else can change.
    Memory,
}

/// Why a file is not one of the format's.
#[derive(Debug)]
pub(super) enum Fault {
    /// The file could not be opened, read or written.
    Io(io::Error),
    /// It is something else.
    Foreign,
    /// It is of another version.
    Version {
        /// The version it states.
        found: u32,
        /// The version that is read.
        supported: u32,
    },
    /// It is damaged: what disagrees.
    Corrupt(String),
}

/// One array: its own memory, or a range of a mapped file.
#[derive(Debug)]
pub(super) enum Section<T> {
    /// Built in memory.
    Owned(Vec<T>),
    /// Bytes of a mapped file; length and alignment were checked when it was opened.
    Mapped(Arc<Mmap>, Range<usize>),
}

/// A mapped file whose header is sound.
pub(super) struct Mapped {
    map: Arc<Mmap>,
    entries: Vec<Entry>,
}

/// Where a section lies, and its checksum.
struct Entry {
    range: Range<usize>,
    sum: u64,
}

impl Format {
    /// Writes a file: a header with the given fields (offset and bytes), then the sections.
    pub fn write(
        &self,
        fields: &[(usize, &[u8])],
        sections: &[&[u8]],
        out: &mut impl Write,
    ) -> io::Result<()> {
        let mut header = vec![0; self.header];
        header[..8].copy_from_slice(self.magic);
        header[8..12].copy_from_slice(&self.version.to_le_bytes());
        for (at, bytes) in fields {
            header[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        let mut offset = self.header;
        let table = header[self.table..].chunks_exact_mut(ENTRY);
        for (bytes, entry) in sections.iter().zip(table) {
            entry[..8].copy_from_slice(&(offset as u64).to_le_bytes());
            entry[8..16].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
            entry[16..].copy_from_slice(&xxh3_64(bytes).to_le_bytes());
            offset = (offset + bytes.len()).next_multiple_of(ALIGN);
        }
        let sum = xxh3_64(&header[..self.header - 8]);
        header[self.header - 8..].copy_from_slice(&sum.to_le_bytes());
        out.write_all(&header)?;
        for bytes in sections {
            out.write_all(bytes)?;
            let padding = bytes.len().next_multiple_of(ALIGN) - bytes.len();
            out.write_all(&[0; ALIGN][..padding])?;
        }
        out.flush()
    }

    /// Opens a file and checks its header: identity, version, checksum, and that the sections, as
    /// many as `count` reads out of the header, lie in the file.
    pub fn open(
        &self,
        path: &Path,
        place: Place,
        count: impl FnOnce(&[u8]) -> Result<usize, &'static str>,
    ) -> Result<Mapped, Fault> {
        let file = File::open(path).map_err(Fault::Io)?;
        let length = file.metadata().map_err(Fault::Io)?.len();
        if length < self.header as u64 {
            return Err(Fault::Foreign);
        }
        let map = Arc::new(place.bytes(file, length).map_err(Fault::Io)?);
        let entries = self.read_header(&map, count)?;
        Ok(Mapped { map, entries })
    }

    fn read_header(
        &self,
        map: &[u8],
        count: impl FnOnce(&[u8]) -> Result<usize, &'static str>,
    ) -> Result<Vec<Entry>, Fault> {
        if map.len() < self.header || &map[..8] != self.magic {
            return Err(Fault::Foreign);
        }
        let version = u32_at(map, 8);
        if version != self.version {
            return Err(Fault::Version { found: version, supported: self.version });
        }
        let sum_at = self.header - 8;
        if xxh3_64(&map[..sum_at]) != u64_at(map, sum_at) {
            return Err(Fault::Corrupt("checksum of the header".to_owned()));
        }
        let count = count(&map[..self.header]).map_err(Fault::corrupt)?;
        assert!(count <= self.sections, "the format has no such section");
        let entries = (0..count).map(|index| read_entry(map, self.table + ENTRY * index));
        entries.collect::<Result<_, _>>().map_err(Fault::corrupt)
    }
}

impl Place {
    /// The bytes of a file of so many.
    pub fn bytes(self, file: File, length: u64) -> io::Result<Mmap> {
        match self {
            // SAFETY: the map is read-only. A program that shrinks or rewrites the file in place
            // while it is mapped breaks it; ours replace files by renaming, and every value read
            // from the map is checked before it is used.
            #[allow(unsafe_code)]
            Place::File => unsafe { Mmap::map(&file) },
            Place::Memory => copied(file, length),
        }
    }
}

impl Fault {
    /// A damaged file.
    pub fn corrupt(what: &str) -> Fault {
        Fault::Corrupt(what.to_owned())
    }
}

impl Mapped {
    /// The `u32` at an offset of the header.
    pub fn u32_at(&self, at: usize) -> u32 {
        u32_at(&self.map, at)
    }

    /// The `u64` at an offset of the header.
    pub fn u64_at(&self, at: usize) -> u64 {
        u64_at(&self.map, at)
    }

    /// How many elements of the given widths in bytes the sections hold, in order; none where one
    /// does not hold a whole number of them.
    pub fn counts(&self, widths: impl IntoIterator<Item = usize>) -> Option<Vec<usize>> {
        let entries = self.entries.iter().zip(widths);
        let count = |(entry, width): (&Entry, usize)| {
            let length = entry.range.len();
            length.is_multiple_of(width).then_some(length / width)
        };
        entries.map(count).collect()
    }

    /// A section, used where it is mapped.
    pub fn section<T>(&self, index: usize) -> Section<T> {
        Section::Mapped(self.map.clone(), self.entries[index].range.clone())
    }

    /// Reads every section and compares its checksum; nothing may follow the last one.
    pub fn verify(&self) -> Result<(), String> {
        for (index, entry) in self.entries.iter().enumerate() {
            if xxh3_64(&self.map[entry.range.clone()]) != entry.sum {
                return Err(format!("checksum of section {index}"));
            }
        }
        let end = self.entries.iter().map(|entry| entry.range.end).max();
        if end.is_some_and(|end| self.map.len() != end.next_multiple_of(ALIGN)) {
            return Err("bytes after the last section".to_owned());
        }
        Ok(())
    }
}

impl<T: Pod> Section<T> {
    /// The elements.
    pub fn as_slice(&self) -> &[T] {
        match self {
            Section::Owned(values) => values,
            Section::Mapped(map, range) => bytemuck::cast_slice(&map[range.clone()]),
        }
    }

    /// The elements as a file holds them.
    pub fn bytes(&self) -> &[u8] {
        const { assert!(cfg!(target_endian = "little"), "arrays are mapped little-endian") };
        bytemuck::cast_slice(self.as_slice())
    }
}

/// A copy of a file's bytes, as aligned as a map of it, in huge pages where the system has them.
fn copied(mut file: File, length: u64) -> io::Result<Mmap> {
    let length = usize::try_from(length).map_err(io::Error::other)?;
    let mut copy = MmapOptions::new().len(length).map_anon()?;
    // A search reads its graph all over the place, and with ordinary pages much of its time goes
    // into looking up where they are. A system without huge pages declines, which does no harm.
    #[cfg(target_os = "linux")]
    let _ = copy.advise(Advice::HugePage);
    file.read_exact(&mut copy)?;
    copy.make_read_only()
}

/// Writes a file into a temporary one in the same folder, which then takes its name.
pub(super) fn save_atomically(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<NamedTempFile>) -> io::Result<()>,
) -> io::Result<()> {
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // A file like any other, not for the eyes of its writer alone, as temporary ones are.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut out = BufWriter::with_capacity(1 << 20, builder.tempfile_in(folder)?);
    write(&mut out)?;
    let file = out.into_inner().map_err(|error| error.into_error())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// One entry of the section table, or what is wrong with it.
fn read_entry(map: &[u8], at: usize) -> Result<Entry, &'static str> {
    let (offset, length) = (u64_at(map, at), u64_at(map, at + 8));
    let end = offset.checked_add(length).filter(|&end| end <= map.len() as u64);
    let end = end.ok_or("the file was cut short")? as usize;
    if !offset.is_multiple_of(ALIGN as u64) {
        return Err("a section is not aligned");
    }
    Ok(Entry { range: offset as usize..end, sum: u64_at(map, at + 16) })
}

/// The `u32` at an offset.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
