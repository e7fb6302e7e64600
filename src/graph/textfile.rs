//! Lines of the model's text files (word table, lexicon, ARPA), compressed or not, with the place
//! for the error message.
//!
//! The bytes are untrusted: a line may not be longer than [`LONGEST_LINE`], so that a file without
//! line ends cannot claim unbounded memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::gzip;

/// What some editors put in front of UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Most bytes in a line; a five-gram of long words has a few hundred.
pub const LONGEST_LINE: usize = 1 << 16;

/// Why a text file of a model could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// The file could not be opened or read.
    #[error("{name} cannot be read")]
    Io {
        /// The file concerned.
        name: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A line is not what it should be.
    #[error("{name}, line {line}: {what}")]
    Line {
        /// The file concerned.
        name: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// A list of words that is no text is not what it should be.
    #[error("{name}: {what}")]
    Words {
        /// The file concerned.
        name: String,
        /// What is wrong.
        what: String,
    },
}

/// A reader of lines that knows where it is.
pub(super) struct Lines<'r> {
    reader: Box<dyn BufRead + 'r>,
    name: String,
    line: usize,
    bytes: Vec<u8>,
}

impl Lines<'static> {
    pub(super) fn open(path: &Path) -> Result<Self, TextError> {
        let name = path.display().to_string();
        match File::open(path) {
            Ok(file) => Lines::new(BufReader::with_capacity(1 << 16, file), &name),
            Err(source) => Err(TextError::Io { name, source }),
        }
    }
}

impl<'r> Lines<'r> {
    /// Lines of a reader, whose bytes may be compressed by gzip; `name` is what errors call it.
    pub(super) fn new(reader: impl BufRead + 'r, name: &str) -> Result<Self, TextError> {
        let name = name.to_owned();
        match gzip::expanded(reader) {
            Ok(reader) => Ok(Lines { reader, name, line: 0, bytes: Vec::new() }),
            Err(source) => Err(TextError::Io { name, source }),
        }
    }

    /// The next line without its end; `None` at the end of the file.
    pub(super) fn next_line(&mut self) -> Result<Option<&str>, TextError> {
        self.bytes.clear();
        let mut limited = (&mut self.reader).take(LONGEST_LINE as u64 + 1);
        let read = limited.read_until(b'\n', &mut self.bytes);
        if let Err(source) = read {
            let name = self.name.clone();
            return Err(TextError::Io { name, source });
        }
        if self.bytes.is_empty() {
            return Ok(None);
        }
        self.line += 1;
        if self.bytes.len() > LONGEST_LINE {
            return Err(self.error(format!("longer than {LONGEST_LINE} bytes")));
        }
        let end = self.bytes.trim_ascii_end().len();
        self.bytes.truncate(end);
        if self.line == 1 && self.bytes.starts_with(BYTE_ORDER_MARK) {
            self.bytes.drain(..BYTE_ORDER_MARK.len());
        }
        match std::str::from_utf8(&self.bytes) {
            Ok(_) => Ok(Some(std::str::from_utf8(&self.bytes).expect("checked a line above"))),
            Err(_) => Err(self.error("not UTF-8; `iconv -t UTF-8` makes it so".to_owned())),
        }
    }

    /// An error about the line read last.
    pub(super) fn error(&self, what: String) -> TextError {
        TextError::Line { name: self.name.clone(), line: self.line, what }
    }

    /// What errors call the file.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_and_line_ends_of_any_system_are_no_text() {
        let mut lines = Lines::new("\u{feff}a b\r\n\r\nc".as_bytes(), "t").unwrap();
        let mut all = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            all.push(line.to_owned());
        }
        assert_eq!(all, ["a b", "", "c"]);
    }

    #[test]
    fn text_in_another_encoding_is_refused_with_the_remedy() {
        for bytes in [&b"caf\xe9 K\n"[..], b"\xff\xfea\0\n\0"] {
            let mut lines = Lines::new(bytes, "t").unwrap();
            let error = lines.next_line().unwrap_err().to_string();
            assert!(error.contains("line 1") && error.contains("iconv"), "{error}");
        }
    }
}
