//! Files joined end to end, in formats whose readers need to seek: the reader of one file is shown
//! that file alone, and the next file begins where it ends.
//!
//! The structure of a file says where it ends (MP4's atoms, AIFF's and CAF's sizes), or else the
//! first bytes of the next file do (FLAC, Matroska), which occur in none of them by chance.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use symphonia::core::io::MediaSource;

use super::AudioError;

/// Atoms or chunks that are walked over in search of the next file.
const MOST_STEPS: usize = 100_000;
/// Bytes that are looked at to know the beginning of a file.
const MAGIC: usize = 8;

/// A source of bytes and the file of it that is being read.
#[derive(Clone)]
pub(super) struct Parts(Arc<Mutex<Inner>>);

struct Inner {
    source: Box<dyn MediaSource>,
    length: u64,
    /// Where the file under way begins and, where that is known, ends.
    start: u64,
    end: Option<u64>,
    /// Where its structure says that it ends, which is behind the last byte where it is cut short.
    claimed: u64,
    position: u64,
    format: &'static str,
}

impl Parts {
    /// The first of the files in a source.
    pub(super) fn new(
        mut source: Box<dyn MediaSource>,
        format: &'static str,
    ) -> Result<Self, AudioError> {
        let length = source.seek(SeekFrom::End(0)).map_err(AudioError::Read)?;
        let mut inner =
            Inner { source, length, start: 0, end: None, claimed: 0, position: 0, format };
        inner.enter(0).map_err(AudioError::Read)?;
        Ok(Parts(Arc::new(Mutex::new(inner))))
    }

    /// The file under way, as if there were no other.
    pub(super) fn source(&self) -> Box<dyn MediaSource> {
        Box::new(Part(self.clone()))
    }

    /// Moves to the next file; false where there is none.
    pub(super) fn advance(&self) -> Result<bool, AudioError> {
        let mut inner = self.inner();
        match inner.end {
            Some(end) if end < inner.length => {
                inner.enter(end).map_err(AudioError::Read)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A reader that panicked left positions behind, which are set before they are used.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Begins the file at `start`.
    fn enter(&mut self, start: u64) -> io::Result<()> {
        self.start = start;
        (self.end, self.claimed) = (None, 0);
        self.end = match self.format {
            "mp4" => self.walk(Self::mp4_atom, |name, at| name == b"ftyp" && at > 0)?,
            "caf" => self.walk(Self::caf_chunk, |name, at| name == b"caff" && at > 0)?,
            "aiff" => self.aiff_end()?,
            "mkv" => {
                self.claimed = self.segment_end()?;
                None
            }
            _ => None,
        };
        self.position = 0;
        self.source.seek(SeekFrom::Start(start))?;
        Ok(())
    }

    /// Walks over atoms or chunks to one with which another file begins.
    fn walk(
        &mut self,
        size: fn(&[u8; 16], bool) -> Option<u64>,
        begins: fn(&[u8], u64) -> bool,
    ) -> io::Result<Option<u64>> {
        let mut at = 0;
        for _ in 0..MOST_STEPS {
            let Some(head) = self.head_at(self.start + at)? else {
                return Ok(None);
            };
            let name = if self.format == "mp4" { &head[4..8] } else { &head[..4] };
            if begins(name, at) {
                return Ok(Some(self.start + at));
            }
            match size(&head, at == 0).and_then(|size| at.checked_add(size)) {
                Some(next) if self.start.checked_add(next).is_some_and(|to| to < self.length) => {
                    at = next;
                }
                Some(next) => {
                    self.claimed = next;
                    return Ok(None);
                }
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    fn mp4_atom(head: &[u8; 16], _first: bool) -> Option<u64> {
        let word =
            |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        match word(0) {
            // To the end of the file.
            0 => None,
            1 => Some(u64::from(word(8)) << 32 | u64::from(word(12))).filter(|&size| size >= 16),
            size => Some(u64::from(size)).filter(|&size| size >= 8),
        }
    }

    fn caf_chunk(head: &[u8; 16], first: bool) -> Option<u64> {
        if first {
            return Some(8);
        }
        let size = i64::from_be_bytes(*head[4..].first_chunk()?);
        u64::try_from(size).ok()?.checked_add(12)
    }

    /// Where Matroska's segment says that it ends, from the file's beginning; 0 where it does not.
    fn segment_end(&mut self) -> io::Result<u64> {
        let mut at = 0u64;
        for id in [b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"] {
            let Some(head) = self.head_at(self.start + at)? else {
                return Ok(0);
            };
            let Some((width, size)) = element_size(&head[4..]).filter(|_| head.starts_with(id))
            else {
                return Ok(0);
            };
            at = at.saturating_add(4 + width).saturating_add(size);
        }
        Ok(at)
    }

    fn aiff_end(&mut self) -> io::Result<Option<u64>> {
        let Some(head) = self.head_at(self.start)? else {
            return Ok(None);
        };
        let size = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
        let end = self.start + 8 + u64::from(size) + u64::from(size % 2);
        let next = self.head_at(end)?;
        Ok(next.filter(|next| next.starts_with(b"FORM")).map(|_| end))
    }

    /// The bytes at a place; none where fewer than 8 are left, zeros behind the last.
    fn head_at(&mut self, at: u64) -> io::Result<Option<[u8; 16]>> {
        self.source.seek(SeekFrom::Start(at))?;
        let mut head = [0; 16];
        let mut filled = 0;
        while filled < head.len() {
            match self.source.read(&mut head[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        Ok((filled >= MAGIC).then_some(head))
    }

    /// The length that the format's reader is shown. It is the claimed one even if the file is cut
    /// short: the reader would refuse a shorter file, and so it reads what is there.
    fn shown_length(&self) -> u64 {
        match self.end {
            Some(end) => end - self.start,
            None => self.claimed.max(self.length - self.start),
        }
    }

    /// Reads on in the file under way, and ends it where another passes by.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let at = self.start + self.position;
        let most = self.end.map_or(u64::MAX, |end| end.saturating_sub(at));
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(buffer.len());
        let mut count = self.source.read(&mut buffer[..most])?;
        if self.end.is_none() && matches!(self.format, "flac" | "mkv") {
            let skip = usize::from(self.position == 0);
            if let Some(next) = self.find_magic(&buffer[..count], skip)? {
                self.end = Some(at + next as u64);
                count = next;
            }
        }
        self.position += count as u64;
        Ok(count)
    }

    /// Where in the bytes that were just read another file begins, of which the last bytes may not
    /// have been read yet.
    fn find_magic(&mut self, bytes: &[u8], skip: usize) -> io::Result<Option<usize>> {
        let first: &[u8] = if self.format == "flac" { b"fLaC" } else { b"\x1a\x45\xdf\xa3" };
        for at in skip..bytes.len() {
            let rest = &bytes[at..];
            if rest[0] != first[0] || !rest.iter().zip(first).all(|(a, b)| a == b) {
                continue;
            }
            let place = self.start + self.position + at as u64;
            let here = self.source.stream_position()?;
            let head = self.head_at(place)?;
            self.source.seek(SeekFrom::Start(here))?;
            if head.is_some_and(|head| self.is_magic(&head)) {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn is_magic(&self, head: &[u8; 16]) -> bool {
        match self.format {
            // The mark, and a STREAMINFO block of 34 bytes.
            "flac" => head.starts_with(b"fLaC") && head[4] & 0x7f == 0 && head[5..8] == [0, 0, 34],
            // The mark, a size, and the header's version or type.
            _ => {
                let inside = head[4..].windows(2);
                head.starts_with(b"\x1a\x45\xdf\xa3") && { inside }
                    .any(|id| id == [0x42, 0x86] || id == [0x42, 0x82])
            }
        }
    }
}

/// Bytes of an element's size and the size; none where it is not known.
fn element_size(bytes: &[u8]) -> Option<(u64, u64)> {
    let width = bytes.first()?.leading_zeros() as usize + 1;
    let field = bytes.get(..width).filter(|_| width <= 8)?;
    let all = field.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
    let mask = (1u64 << (7 * width)) - 1;
    let size = all & mask;
    (size != mask).then_some((width as u64, size))
}

/// The file under way.
struct Part(Parts);

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.inner().read(buffer)
    }
}

impl Seek for Part {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let mut inner = self.0.inner();
        let end = inner.shown_length();
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => end.checked_add_signed(by),
            SeekFrom::Current(by) => inner.position.checked_add_signed(by),
        };
        let to = to.ok_or(io::ErrorKind::InvalidInput)?;
        let start = inner.start;
        inner.source.seek(SeekFrom::Start(start.saturating_add(to)))?;
        inner.position = to;
        Ok(to)
    }
}

impl MediaSource for Part {
    fn is_seekable(&self) -> bool {
        // The index at the end of a Matroska file that is cut short is not sought.
        let inner = self.0.inner();
        inner.format != "mkv" || inner.claimed <= inner.length - inner.start
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.0.inner().shown_length())
    }
}
