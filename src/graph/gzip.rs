//! Text that may be compressed by gzip (RFC 1952), as ARPA files and lexicons are handed out.
//!
//! The bytes are untrusted: a few of them can stand for any number, so that reading stops where the
//! text is a hundred times what it was read from; text of words shrinks to a tenth at best.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

const MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Most bytes of text for each compressed byte.
const MOST_EXPANSION: u64 = 100;
/// Bytes of text that are read whatever they were expanded from.
const ALLOWANCE: u64 = 1 << 20;

/// The text behind a reader: expanded if it begins as gzip does, else as it is.
///
/// # Errors
/// The first bytes cannot be read; what comes later fails as it is read.
pub(super) fn expanded<'r>(mut reader: impl BufRead + 'r) -> io::Result<Box<dyn BufRead + 'r>> {
    let mut head = Vec::with_capacity(MAGIC.len());
    (&mut reader).take(MAGIC.len() as u64).read_to_end(&mut head)?;
    let compressed = head == MAGIC;
    let whole = Cursor::new(head).chain(reader);
    if !compressed {
        return Ok(Box::new(whole));
    }
    let read = Rc::new(Cell::new(0));
    let counted = Counted { inner: whole, read: Rc::clone(&read) };
    let text = Bounded { inner: MultiGzDecoder::new(counted), read, given: 0 };
    Ok(Box::new(BufReader::with_capacity(1 << 16, text)))
}

/// Counts what is taken from a reader.
struct Counted<R> {
    inner: R,
    read: Rc<Cell<u64>>,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(bytes)?;
        self.read.set(self.read.get() + count as u64);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.inner.consume(count);
        self.read.set(self.read.get() + count as u64);
    }
}

/// Refuses to give much more than was read.
struct Bounded<R> {
    inner: R,
    read: Rc<Cell<u64>>,
    given: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(bytes)?;
        self.given += count as u64;
        if self.given > ALLOWANCE + MOST_EXPANSION * self.read.get() {
            let what = "expands to a hundred times its size, as no text does";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn compressed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn text(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        expanded(bytes)?.read_to_end(&mut text).map(|_| text)
    }

    #[test]
    fn text_is_the_same_compressed_or_not() {
        let lines = b"either IY DH ER\n".repeat(100);
        assert_eq!(text(&lines).unwrap(), lines);
        assert_eq!(text(&compressed(&lines)).unwrap(), lines);
        let parts = [compressed(b"one\n"), compressed(b"two\n")].concat();
        assert_eq!(text(&parts).unwrap(), b"one\ntwo\n");
        for short in [&b""[..], b"a", b"\x1f"] {
            assert_eq!(text(short).unwrap(), short);
        }
    }

    #[test]
    fn what_is_cut_short_or_expands_without_end_is_refused() {
        let whole = compressed(&b"either IY DH ER\n".repeat(100));
        assert!(text(&whole[..whole.len() / 2]).is_err());
        assert!(text(&compressed(&vec![b' '; 50 << 20])).is_err());
    }
}
