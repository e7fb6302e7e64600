//! Where the bytes come from: a file, memory, or a stream that can be read once.

use std::fs::File;
use std::io::{Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use symphonia::core::io::MediaSource;

use super::{AudioError, MOST_COMPRESSED_BYTES};

/// Bytes of which the first were looked at.
pub(super) struct Source<'a> {
    head: Vec<u8>,
    /// Where in the bytes the head begins: behind a tag.
    base: u64,
    bytes: Bytes<'a>,
}

enum Bytes<'a> {
    File(File),
    Memory(Cursor<Vec<u8>>),
    Stream(Box<dyn Read + 'a>),
}

/// Bytes that decide the format: what a tag's header, an Ogg page with one segment and the packets
/// of a transport stream take, rounded up.
const HEAD_BYTES: u64 = 1024;

impl<'a> Source<'a> {
    /// The file at `path`, or the pipe or device that it names.
    pub(super) fn open(path: &Path) -> Result<Self, AudioError> {
        let fail = |source| AudioError::Open { path: path.to_owned(), source };
        let file = File::open(path).map_err(fail)?;
        let metadata = file.metadata().map_err(fail)?;
        // A directory opens on Unix and fails only at the first read; say so with the path.
        if metadata.is_dir() {
            return Err(fail(ErrorKind::IsADirectory.into()));
        }
        match metadata.is_file() {
            true => Self::new(Bytes::File(file)),
            false => Self::new(Bytes::Stream(Box::new(file))),
        }
    }

    /// A stream that can be read once.
    pub(super) fn stream(reader: impl Read + 'a) -> Result<Self, AudioError> {
        Self::new(Bytes::Stream(Box::new(reader)))
    }

    /// Bytes in memory.
    pub(super) fn memory(bytes: Vec<u8>) -> Result<Self, AudioError> {
        Self::new(Bytes::Memory(Cursor::new(bytes)))
    }

    fn new(bytes: Bytes<'a>) -> Result<Self, AudioError> {
        let mut source = Source { head: Vec::with_capacity(HEAD_BYTES as usize), base: 0, bytes };
        source.fill_head()?;
        Ok(source)
    }

    /// The first bytes, at most 1024.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Passes over `count` bytes.
    pub(super) fn skip(&mut self, count: u64) -> Result<(), AudioError> {
        self.base += count;
        let known = count.min(self.head.len() as u64);
        self.head.drain(..known as usize);
        let rest = &mut self.bytes.reader().take(count - known);
        std::io::copy(rest, &mut std::io::sink()).map_err(AudioError::Read)?;
        self.fill_head()
    }

    fn fill_head(&mut self) -> Result<(), AudioError> {
        let missing = HEAD_BYTES - self.head.len() as u64;
        let mut rest = self.bytes.reader().take(missing);
        let read = rest.read_to_end(&mut self.head);
        read.map_err(AudioError::Read)?;
        Ok(())
    }

    /// All bytes, from the first, as they come.
    pub(super) fn lookahead(self) -> Lookahead<'a> {
        let rest: Box<dyn Read + 'a> = match self.bytes {
            Bytes::File(file) => Box::new(file),
            Bytes::Memory(memory) => Box::new(memory),
            Bytes::Stream(stream) => stream,
        };
        Lookahead { reader: rest, buffer: self.head, start: 0, ended: false }
    }

    /// All bytes, to be read in any order. A stream is copied to a temporary file.
    pub(super) fn seekable(self) -> Result<Box<dyn MediaSource>, AudioError> {
        match self.bytes {
            Bytes::File(file) => Ok(Box::new(Tail::new(file, self.base)?)),
            Bytes::Memory(memory) => Ok(Box::new(Tail::new(memory, self.base)?)),
            Bytes::Stream(stream) => {
                let file = spooled(self.head.chain(stream))?;
                Ok(Box::new(Tail::new(file, 0)?))
            }
        }
    }
}

impl Bytes<'_> {
    fn reader(&mut self) -> &mut dyn Read {
        match self {
            Bytes::File(file) => file,
            Bytes::Memory(memory) => memory,
            Bytes::Stream(stream) => stream,
        }
    }
}

/// Bytes from some place on, as if there were none before.
struct Tail<S> {
    inner: S,
    base: u64,
    length: u64,
}

impl<S: Seek> Tail<S> {
    fn new(mut inner: S, base: u64) -> Result<Self, AudioError> {
        let end = inner.seek(SeekFrom::End(0)).map_err(AudioError::Read)?;
        let base = base.min(end);
        inner.seek(SeekFrom::Start(base)).map_err(AudioError::Read)?;
        let length = end - base;
        Ok(Tail { inner, base, length })
    }
}

impl<S: Read> Read for Tail<S> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl<S: Seek> Seek for Tail<S> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => SeekFrom::Start(at.saturating_add(self.base)),
            other => other,
        };
        let at = self.inner.seek(to)?;
        at.checked_sub(self.base).ok_or_else(|| ErrorKind::InvalidInput.into())
    }
}

impl<S: Read + Seek + Send + Sync> MediaSource for Tail<S> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length)
    }
}

/// A stream's bytes in a temporary file, rewound.
fn spooled(reader: impl Read) -> Result<File, AudioError> {
    let mut file = tempfile::tempfile().map_err(AudioError::Read)?;
    let copied = std::io::copy(&mut reader.take(MOST_COMPRESSED_BYTES), &mut file);
    if copied.map_err(AudioError::Read)? >= MOST_COMPRESSED_BYTES {
        return Err(AudioError::TooManyBytes { most: MOST_COMPRESSED_BYTES });
    }
    file.seek(SeekFrom::Start(0)).map_err(AudioError::Read)?;
    Ok(file)
}

/// Bytes of which the next can be looked at before they are taken.
pub(super) trait Peek {
    /// The next `count` bytes or more, without taking them; fewer only where the bytes end.
    fn peek(&mut self, count: usize) -> Result<&[u8], AudioError>;

    /// Takes `count` of the bytes that were looked at.
    fn consume(&mut self, count: usize);
}

/// Bytes as they come.
pub(super) struct Lookahead<'a> {
    reader: Box<dyn Read + 'a>,
    buffer: Vec<u8>,
    /// Where in the buffer the next byte is.
    start: usize,
    ended: bool,
}

impl<'a> Lookahead<'a> {
    const CHUNK: usize = 1 << 16;

    /// Bytes that a reader makes of others.
    pub(super) fn of(reader: impl Read + 'a) -> Self {
        Lookahead { reader: Box::new(reader), buffer: Vec::new(), start: 0, ended: false }
    }

    fn read_more(&mut self) -> Result<(), AudioError> {
        let (before, chunk) = (self.buffer.len(), Self::CHUNK);
        self.buffer.resize(before + chunk, 0);
        let got = loop {
            match self.reader.read(&mut self.buffer[before..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.buffer.truncate(before + *got.as_ref().unwrap_or(&0));
        self.ended = got.map_err(AudioError::Read)? == 0;
        Ok(())
    }

    /// Passes over `count` bytes; false where the bytes end before.
    pub(super) fn skip(&mut self, count: u64) -> Result<bool, AudioError> {
        let mut left = count;
        while left > 0 {
            let here = self.peek(1)?.len();
            if here == 0 {
                return Ok(false);
            }
            let now = here.min(usize::try_from(left).unwrap_or(usize::MAX));
            self.consume(now);
            left -= now as u64;
        }
        Ok(true)
    }

    /// Takes the next `N` bytes; `None`, and nothing is taken, where fewer are left.
    pub(super) fn take<const N: usize>(&mut self) -> Result<Option<[u8; N]>, AudioError> {
        let bytes = self.peek(N)?.first_chunk().copied();
        if bytes.is_some() {
            self.consume(N);
        }
        Ok(bytes)
    }
}

impl Peek for Lookahead<'_> {
    fn peek(&mut self, count: usize) -> Result<&[u8], AudioError> {
        if self.buffer.len() - self.start < count && !self.ended {
            self.buffer.drain(..self.start);
            self.start = 0;
            while self.buffer.len() < count && !self.ended {
                self.read_more()?;
            }
        }
        Ok(&self.buffer[self.start..])
    }

    fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.buffer.len());
    }
}
