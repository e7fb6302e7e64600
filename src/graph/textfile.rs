//! Lines of the model's text files (word table, lexicon, ARPA), with the place for the error
//! message.
//!
//! The bytes are untrusted: a line may not be longer than [`LONGEST_LINE`], so that a file without
//! line ends cannot claim unbounded memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Most bytes in a line; a five-gram of long words has a few hundred.
pub const LONGEST_LINE: usize = 1 << 16;

/// Why a text file of a model could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The file could not be opened or read.
    #[error("{name}: {source}")]
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
}

/// A reader of lines that knows where it is.
pub(super) struct Lines<R> {
    reader: R,
    name: String,
    line: usize,
    bytes: Vec<u8>,
}

impl Lines<BufReader<File>> {
    pub(super) fn open(path: &Path) -> Result<Self, TextError> {
        let name = path.display().to_string();
        match File::open(path) {
            Ok(file) => Ok(Lines::new(BufReader::with_capacity(1 << 16, file), &name)),
            Err(source) => Err(TextError::Io { name, source }),
        }
    }
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R, name: &str) -> Self {
        Lines {
            reader,
            name: name.to_owned(),
            line: 0,
            bytes: Vec::new(),
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
        match std::str::from_utf8(&self.bytes) {
            Ok(_) => Ok(Some(
                std::str::from_utf8(&self.bytes).expect("checked a line above"),
            )),
            Err(_) => Err(self.error("not UTF-8".to_owned())),
        }
    }

    /// An error about the line read last.
    pub(super) fn error(&self, what: String) -> TextError {
        TextError::Line {
            name: self.name.clone(),
            line: self.line,
            what,
        }
    }
}
