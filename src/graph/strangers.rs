//! Words of a file that the word table does not know: left out, counted, and told once.

use tracing::warn;

/// Words that a warning names.
const NAMED: usize = 5;

/// What was left out of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Strangers {
    entries: usize,
    words: Vec<String>,
}

impl Strangers {
    /// Counts an entry that is left out for a word of it.
    pub fn add(&mut self, word: &str) {
        self.entries += 1;
        let known = self.words.iter().any(|known| known == word);
        if !known && self.words.len() < NAMED {
            self.words.push(word.to_owned());
        }
    }

    /// How many entries were left out.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// Warns of them, if there are any; `entries` is what the file calls them.
    pub fn tell(&self, file: &str, entries: &str) {
        if self.entries > 0 {
            warn!("{file}: {}", self.sentence(entries));
        }
    }

    fn sentence(&self, entries: &str) -> String {
        let count = self.entries;
        let words = self.words.join(", ");
        format!(
            "{count} {entries} have words that the word table lacks ({words}, …) and are left out"
        )
    }
}
