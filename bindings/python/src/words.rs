//! Words of the caller's own, as Python lists them.

use paretone::graph::WordList;
use pyo3::prelude::*;

use crate::errors::{value, value_of};
use crate::graph::path_of;

/// The list of a file, or of lines of one: words and phrases, perhaps with a boost and phones.
///
/// # Errors
/// A `ValueError`: the file cannot be read, or a line is none.
pub fn word_list(words: &Bound<'_, PyAny>) -> PyResult<WordList> {
    if let Some(path) = path_of(words)? {
        return WordList::open(&path).map_err(|error| value_of(&error));
    }
    let lines: Vec<String> = words.extract()?;
    if let Some(line) = lines.iter().find(|line| line.contains('\n')) {
        return Err(value(format!(
            "{line:?} has a line break: list each word or phrase by itself"
        )));
    }
    WordList::from_reader(lines.join("\n").as_bytes(), "the list of words")
        .map_err(|error| value_of(&error))
}
