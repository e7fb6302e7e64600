//! The word table: which word has which id. Line n of `words.txt` is the word of id n.
//!
//! Both n-grams, the lexicon and the graph of a model number their words by this one table. It
//! opens with `<eps>` (no word), and holds `<s>`, `</s>` and `<unk>`.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::Path;

use crate::units::WordId;

use super::WORD_MASK;
use super::textfile::{Lines, TextError};

/// The largest number of a word that is believed: ten times the largest vocabularies.
const MOST_NUMBERS: u32 = 1 << 24;

/// What every table begins with: no word, the utterance's begin and end, and an unknown word.
pub(crate) const SPECIALS: [&str; 4] = ["<eps>", "<s>", "</s>", "<unk>"];

/// Words by id, and ids by word.
///
/// ```
/// use paretone::graph::WordTable;
/// use paretone::units::WordId;
///
/// let words = WordTable::from_reader("<eps>\n<s>\n</s>\n<unk>\nhello\n".as_bytes(), "words")?;
/// assert_eq!(words.name(WordId(4)), Some("hello"));
/// # Ok::<(), paretone::graph::TextError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct WordTable {
    names: Vec<Box<str>>,
    ids: HashMap<Box<str>, u32>,
}

impl WordTable {
    /// Reads `words.txt`.
    ///
    /// # Errors
    /// [`TextError`] with the file and the line: unreadable, not UTF-8, an empty line, or a word
    /// that stands twice.
    pub fn open(path: &Path) -> Result<WordTable, TextError> {
        WordTable::read(Lines::open(path)?)
    }

    /// Reads a table from anything that yields lines; `name` is what errors call it.
    ///
    /// # Errors
    /// As [`WordTable::open`].
    pub fn from_reader(reader: impl BufRead, name: &str) -> Result<WordTable, TextError> {
        WordTable::read(Lines::new(reader, name)?)
    }

    /// Reads a table of lines `word number`, as OpenFst and Kaldi write them, in any order; numbers
    /// that no line has are words without a name.
    ///
    /// # Errors
    /// As [`WordTable::open`], and a line without a number, or a number larger than the table can
    /// be that has so many lines.
    pub fn from_numbered(reader: impl BufRead, name: &str) -> Result<WordTable, TextError> {
        let mut lines = Lines::new(reader, name)?;
        let mut table = WordTable::default();
        let mut numbered = Vec::new();
        while let Some(line) = lines.next_line()? {
            let mut parts = line.split_ascii_whitespace();
            let (word, number) = (parts.next(), parts.next());
            let number = number.and_then(|number| number.parse::<u32>().ok());
            let word = word.map(Box::<str>::from);
            let (Some(word), Some(number), None) = (word, number, parts.next()) else {
                let what = format!("\"{}\" is not a word and its number", line.trim());
                return Err(lines.error(what));
            };
            if number > WORD_MASK.min(MOST_NUMBERS) {
                return Err(lines.error(format!("{number} is too large a number")));
            }
            if let Some(first) = table.ids.insert(word.clone(), number) {
                let what = format!("\"{word}\" is the word of number {first} already");
                return Err(lines.error(what));
            }
            numbered.push((number, word));
        }
        let count = numbered.iter().map(|(number, _)| *number as usize + 1);
        table.names = vec![Box::default(); count.max().unwrap_or(0)];
        for (number, word) in numbered {
            table.names[number as usize] = word;
        }
        Ok(table)
    }

    /// A table of words with their numbers, in any order; numbers that none has are words without
    /// a name. `name` is what errors call it.
    ///
    /// # Errors
    /// A word stands twice, or has a number larger than the table can be.
    #[cfg(feature = "speech")]
    pub(crate) fn of_numbers(
        numbered: Vec<(u32, String)>,
        name: &str,
    ) -> Result<WordTable, TextError> {
        let error = |what| TextError::Words { name: name.to_owned(), what };
        let mut table = WordTable::default();
        let largest = numbered.iter().map(|(number, _)| *number);
        let largest = largest.max().unwrap_or(0);
        if largest > WORD_MASK.min(MOST_NUMBERS) {
            return Err(error(format!("{largest} is too large a number")));
        }
        table.names = vec![Box::default(); largest as usize + 1];
        table.ids.reserve(numbered.len());
        for (number, word) in numbered {
            let word: Box<str> = word.into();
            table.names[number as usize] = word.clone();
            if let Some(first) = table.ids.insert(word, number) {
                let word = &table.names[number as usize];
                let what = format!("\"{word}\" is the word of number {first} already");
                return Err(error(what));
            }
        }
        Ok(table)
    }

    /// A table of these words after the four special ones. A word that is repeated, or is a special
    /// one, is listed once.
    ///
    /// # Errors
    /// As [`WordTable::open`]: a word that is none.
    pub fn of_words<'w>(
        words: impl IntoIterator<Item = &'w str>,
        name: &str,
    ) -> Result<WordTable, TextError> {
        let mut text = String::new();
        let mut known = std::collections::HashSet::new();
        for word in SPECIALS.into_iter().chain(words) {
            if known.insert(word) {
                text += word;
                text.push('\n');
            }
        }
        WordTable::from_reader(text.as_bytes(), name)
    }

    fn read(mut lines: Lines<'_>) -> Result<WordTable, TextError> {
        let mut table = WordTable::default();
        while let Some(line) = lines.next_line()? {
            let word: Box<str> = line.trim_ascii().into();
            if word.is_empty() || word.contains(char::is_whitespace) {
                return Err(lines.error(format!("\"{word}\" is not one word")));
            }
            if let Some(first) = table.ids.insert(word.clone(), table.names.len() as u32) {
                let what = format!("\"{word}\" is the word of line {} already", first + 1);
                return Err(lines.error(what));
            }
            table.names.push(word);
        }
        Ok(table)
    }

    /// The text that [`WordTable::from_reader`] reads as this table: a word a line.
    pub fn to_text(&self) -> String {
        self.names.iter().flat_map(|name| [name, "\n"]).collect()
    }

    /// Number of words, specials included.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// True if there is no word.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The spelling of a word; `None` if there is no such id.
    pub fn name(&self, id: WordId) -> Option<&str> {
        self.names.get(id.index()).map(AsRef::as_ref)
    }

    /// The id of a word; `None` if it is not in the table.
    pub fn id(&self, word: &str) -> Option<WordId> {
        self.ids.get(word).copied().map(WordId)
    }

    /// The id of a word as other tools may write it: with capitals where the table has none.
    pub(super) fn id_in_any_case(&self, word: &str) -> Option<WordId> {
        self.id(word).or_else(|| self.id(&word.to_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_number_is_id() {
        let table = WordTable::from_reader("<eps>\n<s>\na\n".as_bytes(), "t").unwrap();
        assert_eq!(table.len(), 3);
        assert_eq!(table.id("a"), Some(WordId(2)));
        assert_eq!(table.name(WordId(1)), Some("<s>"));
        assert_eq!((table.id("b"), table.name(WordId(3))), (None, None));
    }

    #[test]
    fn a_list_of_words_stands_behind_the_specials() {
        let table = WordTable::of_words(["b", "<unk>", "a", "b"], "t").unwrap();
        assert_eq!((table.len(), table.id("a")), (6, Some(WordId(5))));
        assert!(WordTable::of_words(["two words"], "t").is_err());
    }

    #[test]
    fn numbered_lines_come_in_any_order() {
        let table = WordTable::from_numbered("<eps> 0\nb 3\na 1\n".as_bytes(), "t").unwrap();
        assert_eq!((table.len(), table.id("b")), (4, Some(WordId(3))));
        assert_eq!(table.name(WordId(2)), Some(""));
        for text in ["a\n", "a b\n", "a 1\na 2\n", "a 4294967295\n"] {
            assert!(WordTable::from_numbered(text.as_bytes(), "t").is_err(), "{text}");
        }
    }

    #[test]
    fn bad_tables_name_the_line() {
        for (text, line) in [("a\n\nb\n", 2), ("a\nb\na\n", 3), ("a b\n", 1)] {
            let error = WordTable::from_reader(text.as_bytes(), "t").unwrap_err();
            assert!(matches!(error, TextError::Line { line: l, .. } if l == line), "{error}");
        }
    }
}
