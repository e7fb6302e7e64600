//! A word as a user writes it, looked up among those that a model knows.

use crate::graph::WordTable;
use crate::units::WordId;

/// The id of a word in the model's table, whatever its case; special words are none.
pub(super) fn known(words: &WordTable, word: &str) -> Option<WordId> {
    let id = words.id(word).or_else(|| words.id(&word.to_lowercase()));
    id.filter(|_| !word.starts_with('<'))
}
