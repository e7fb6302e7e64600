//! Transcripts by version: a tab-separated table with the columns `id`, `version` and `text`.
//!
//! Rows whose version is `reference` hold the reference transcripts.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use crate::eval::EvalError;
use crate::eval::corpus::read_text;

/// Texts by utterance and version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hypotheses {
    texts: HashMap<(String, String), String>,
}

impl Hypotheses {
    /// The version that stands for the reference.
    pub const REFERENCE: &'static str = "reference";

    /// Reads a table.
    ///
    /// # Errors
    /// The file cannot be read, a column is missing, a line is too short, a row occurs twice.
    pub fn open(path: &Path) -> Result<Hypotheses, EvalError> {
        Hypotheses::parse(read_text(path)?.as_bytes(), path)
    }

    /// Parses a table found at `path`.
    ///
    /// # Errors
    /// A column is missing, a line is too short or no UTF-8, a row occurs twice.
    pub fn parse(bytes: impl Read, path: &Path) -> Result<Hypotheses, EvalError> {
        let wrong = |line: u64, problem: String| EvalError::Line {
            path: path.into(),
            line: line as usize,
            problem,
        };
        let mut reader =
            csv::ReaderBuilder::new().delimiter(b'\t').quoting(false).from_reader(bytes);
        let header = reader.headers().map_err(|error| wrong(1, error.to_string()))?;
        let mut places = [0; 3];
        for (place, name) in places.iter_mut().zip(["id", "version", "text"]) {
            let found = header.iter().position(|column| column == name);
            *place = found.ok_or_else(|| wrong(1, format!("no column `{name}`")))?;
        }
        let mut texts = HashMap::new();
        for record in reader.records() {
            let line = |error: &csv::Error| error.position().map_or(0, csv::Position::line);
            let record = record.map_err(|error| wrong(line(&error), error.to_string()))?;
            let field = |at: usize| record.get(places[at]).unwrap_or("").to_owned();
            let key = (field(0), field(1));
            let at = record.position().map_or(0, csv::Position::line);
            if texts.contains_key(&key) {
                let problem = format!("`{}` has two texts of version `{}`", key.0, key.1);
                return Err(wrong(at, problem));
            }
            texts.insert(key, field(2));
        }
        Ok(Hypotheses { texts })
    }

    /// Returns the transcript of a version, or `None` if the table has none.
    pub fn get(&self, id: &str, version: &str) -> Option<&str> {
        let key = (id.to_owned(), version.to_owned());
        self.texts.get(&key).map(String::as_str)
    }

    /// Whether the table has no text.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Hypotheses, EvalError> {
        Hypotheses::parse(text.as_bytes(), Path::new("h.tsv"))
    }

    #[test]
    fn texts_are_found_and_quotes_are_text() {
        let table = parse("version\tid\ttext\nv1\ta\t\"so\nv2\ta\t\n").unwrap();
        assert_eq!(table.get("a", "v1"), Some("\"so"));
        assert_eq!(table.get("a", "v2"), Some(""));
        assert_eq!(table.get("b", "v1"), None);
    }

    #[test]
    fn malformed_tables_are_refused() {
        let said = |text| parse(text).unwrap_err().to_string();
        assert!(said("id\ttext\n").contains("no column `version`"));
        assert!(said("id\tversion\ttext\na\tv1\n").contains("line 2"));
        assert!(said("id\tversion\ttext\na\tv1\tx\na\tv1\ty\n").contains("line 3"));
    }
}
