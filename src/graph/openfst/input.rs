//! Reads the little-endian numbers and strings of OpenFst's binary files from a stream of bytes.
//!
//! Memory follows the bytes that are really there, never a count that a header claims; an error
//! says behind which part of the file the reader stood.

use std::io::{self, Read};

use crate::graph::error::GraphError;

/// The longest string of a header or symbol table that is believed.
const STRING_LIMIT: i32 = 1 << 16;
/// Elements that are read at once, so that a count is believed no further than this.
const BLOCK: usize = 1 << 14;

/// Why reading stopped.
pub(super) enum Fault {
    Io(io::Error),
    Format(String),
    Graph(GraphError),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Fault::Io(error)
    }
}

impl From<GraphError> for Fault {
    fn from(error: GraphError) -> Self {
        Fault::Graph(error)
    }
}

/// Something that no file has.
pub(super) fn format_fault<T>(what: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Format(what.into()))
}

/// A reader of little-endian numbers that knows how far it is, and in which part of the file.
pub(super) struct Input<R> {
    input: R,
    position: u64,
    at: &'static str,
}

impl<R: Read> Input<R> {
    pub fn new(input: R) -> Self {
        Input { input, position: 0, at: "the header" }
    }

    /// Says which part of the file follows.
    pub fn enter(&mut self, part: &'static str) {
        self.at = part;
    }

    /// What became of reading, with the part of the file where it stopped.
    pub fn located<T>(&self, read: Result<T, Fault>) -> Result<T, GraphError> {
        let at = self.at.to_owned();
        read.map_err(|fault| match fault {
            Fault::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                GraphError::OpenFst { at, what: "the file was cut short".into() }
            }
            Fault::Io(error) => GraphError::OpenFst { at, what: error.to_string() },
            Fault::Format(what) => GraphError::OpenFst { at, what },
            Fault::Graph(error) => error,
        })
    }

    pub fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        self.position += N as u64;
        Ok(bytes)
    }

    pub fn i32(&mut self) -> io::Result<i32> {
        Ok(i32::from_le_bytes(self.bytes()?))
    }

    pub fn i64(&mut self) -> io::Result<i64> {
        Ok(i64::from_le_bytes(self.bytes()?))
    }

    pub fn f32(&mut self) -> io::Result<f32> {
        Ok(f32::from_le_bytes(self.bytes()?))
    }

    /// How many entries follow.
    pub fn count(&mut self) -> Result<u64, Fault> {
        let count = self.i64()?;
        u64::try_from(count).or_else(|_| format_fault(format!("{count} entries")))
    }

    /// A truth value, a byte of 0 or 1.
    pub fn boolean(&mut self) -> Result<bool, Fault> {
        match self.bytes()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [other] => format_fault(format!("{other} where 0 or 1 was expected")),
        }
    }

    pub fn string(&mut self) -> Result<String, Fault> {
        let mut bytes = Vec::new();
        self.string_into(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The bytes of a string, in the place of those that were there.
    pub fn string_into(&mut self, bytes: &mut Vec<u8>) -> Result<(), Fault> {
        let length = self.i32()?;
        if !(0..=STRING_LIMIT).contains(&length) {
            return format_fault(format!("a string of {length} bytes"));
        }
        bytes.resize(length as usize, 0);
        self.input.read_exact(bytes)?;
        self.position += length as u64;
        Ok(())
    }

    /// So many elements of `N` bytes each, converted.
    pub fn array<const N: usize, T>(
        &mut self,
        count: u64,
        convert: impl Fn([u8; N]) -> T,
    ) -> io::Result<Vec<T>> {
        let mut elements = Vec::new();
        let mut block = vec![0; BLOCK.min(count as usize) * N];
        let mut left = count;
        while left > 0 {
            let bytes = &mut block[..left.min(BLOCK as u64) as usize * N];
            self.input.read_exact(bytes)?;
            self.position += bytes.len() as u64;
            left -= (bytes.len() / N) as u64;
            let read = bytes.chunks_exact(N);
            elements.extend(read.map(|chunk| convert(chunk.try_into().expect("N bytes"))));
        }
        Ok(elements)
    }

    /// Goes on to a multiple of so many bytes from the file's beginning.
    pub fn align(&mut self, bytes: u64) -> io::Result<()> {
        while !self.position.is_multiple_of(bytes) {
            self.bytes::<1>()?;
        }
        Ok(())
    }

    /// Fails unless the file ends here.
    pub fn expect_end(&mut self) -> Result<(), Fault> {
        match self.input.read(&mut [0])? {
            0 => Ok(()),
            _ => format_fault("the file goes on behind its end"),
        }
    }
}
