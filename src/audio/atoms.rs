//! The atoms of an MP4, which symphonia reads, where more of them is asked than symphonia tells.
//!
//! Reference: ISO/IEC 14496-12, 4.2 (object structure).

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

/// Atoms that are looked at.
const MOST_STEPS: usize = 10_000;

/// The atoms of a file, of which not too many are looked at.
pub(super) struct Atoms<'f, F> {
    file: &'f mut F,
    steps: usize,
}

impl<'f, F: Read + Seek> Atoms<'f, F> {
    /// Those of a file.
    pub fn of(file: &'f mut F) -> Self {
        Atoms { file, steps: 0 }
    }

    /// What is in the atom that describes the file.
    pub fn movie(&mut self) -> io::Result<Option<Range<u64>>> {
        let end = self.file.seek(SeekFrom::End(0))?;
        self.find(0..end, b"moov")
    }

    /// What is in the first atom of a name.
    pub fn find(&mut self, within: Range<u64>, name: &[u8; 4]) -> io::Result<Option<Range<u64>>> {
        let mut at = within.start;
        while at.saturating_add(8) <= within.end {
            self.steps += 1;
            if self.steps > MOST_STEPS {
                return Ok(None);
            }
            let (size, found) = (u64::from(self.word(at)?), self.word(at + 4)?);
            let (head, size) = match size {
                0 => (8, within.end - at),
                1 => (16, self.long(at + 8)?),
                size => (8, size),
            };
            let Some(end) = at.checked_add(size).filter(|end| size >= head && *end <= within.end)
            else {
                return Ok(None);
            };
            if found.to_be_bytes() == *name {
                return Ok(Some(at + head..end));
            }
            at = end;
        }
        Ok(None)
    }

    /// The 32-bit number at a place.
    pub fn word(&mut self, at: u64) -> io::Result<u32> {
        self.file.seek(SeekFrom::Start(at))?;
        let mut bytes = [0; 4];
        self.file.read_exact(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    /// The 64-bit number at a place.
    pub fn long(&mut self, at: u64) -> io::Result<u64> {
        Ok(u64::from(self.word(at)?) << 32 | u64::from(self.word(at + 4)?))
    }
}
