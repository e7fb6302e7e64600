//! A list of words and phrases that a recording is likely to hold, as a user writes it: one a line,
//! how much likelier than usual, and how it is said.
//!
//! ```text
//! # Products and people
//! Paretone 3.0 P EH R AH T OW N
//! Ada Lovelace
//! Nguyen<TAB>W IH N
//! ```
//!
//! A line is a word or phrase; then a number, its boost, if any; then its phones, if any. Phones
//! without a boost come after a tab. Lines that begin with `#`, and empty ones, are passed over.

use std::io::BufRead;
use std::path::Path;

use super::textfile::{Lines, TextError};

/// Most entries of a list.
pub(super) const MOST: usize = 20_000;
/// Longest word or phrase, in bytes.
pub(super) const LONGEST: usize = 200;
/// Largest boost, up or down.
const LARGEST_BOOST: f32 = 20.0;

/// A word or phrase.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListedWord {
    /// The word, or words with one space between them, as it is to be written.
    pub text: String,
    /// How much likelier it is than usual, as a difference of costs; none for the usual boost.
    pub boost: Option<f32>,
    /// How it is said; empty where that is to be found out.
    pub phones: Vec<String>,
}

/// Words and phrases.
///
/// ```
/// use paretone::graph::WordList;
///
/// let list = WordList::from_reader("Paretone 3.0 P EH R\nAda Lovelace\n".as_bytes(), "names")?;
/// assert_eq!(list.entries()[0].boost, Some(3.0));
/// assert_eq!(list.entries()[1].text, "Ada Lovelace");
/// # Ok::<(), paretone::graph::TextError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WordList {
    entries: Vec<ListedWord>,
}

impl WordList {
    /// Reads a list.
    ///
    /// # Errors
    /// [`TextError`] with the file and the line: unreadable, a phrase too long, a boost out of
    /// range, too many lines.
    pub fn open(path: &Path) -> Result<WordList, TextError> {
        WordList::read(Lines::open(path)?)
    }

    /// Reads a list from anything that yields lines; `name` is what errors call it.
    ///
    /// # Errors
    /// As [`WordList::open`].
    pub fn from_reader(reader: impl BufRead, name: &str) -> Result<WordList, TextError> {
        WordList::read(Lines::new(reader, name)?)
    }

    fn read(mut lines: Lines<'_>) -> Result<WordList, TextError> {
        let mut list = WordList::default();
        while let Some(line) = lines.next_line()? {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let entry = match list.entries.len() < MOST {
                true => parse(line),
                false => Err(format!("more than {MOST} words; make a model of them")),
            };
            match entry {
                Ok(entry) => list.entries.push(entry),
                Err(what) => return Err(lines.error(what)),
            }
        }
        Ok(list)
    }

    /// Words and phrases as they are written, at the usual boost.
    pub(super) fn of(texts: Vec<String>) -> WordList {
        let entry = |text| ListedWord { text, ..ListedWord::default() };
        WordList { entries: texts.into_iter().map(entry).collect() }
    }

    /// The words, in the order of the list.
    pub fn entries(&self) -> &[ListedWord] {
        &self.entries
    }

    /// Adds the words of another list.
    pub fn append(&mut self, other: WordList) {
        self.entries.extend(other.entries);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

fn parse(line: &str) -> Result<ListedWord, String> {
    let (text, rest) = match line.split_once('\t') {
        Some((text, rest)) => (text, rest),
        None => line.split_at(boost_at(line)),
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    if let Some(name) = no_boost(&words).filter(|_| rest.is_empty()) {
        return Err(format!(
            "{name} is no boost; where it is a word, put a boost behind it, usually 3"
        ));
    }
    let text = words.join(" ");
    if text.is_empty() || text.len() > LONGEST || text.contains(char::is_control) {
        return Err(format!("a word or phrase has 1 to {LONGEST} letters"));
    }
    let mut fields = rest.split_whitespace().peekable();
    let number = fields.peek().and_then(|field| field.parse::<f32>().ok());
    if let Some(boost) = number {
        fields.next();
        if boost.is_nan() || boost.abs() > LARGEST_BOOST {
            return Err(format!(
                "{boost} is no boost, which is from -{LARGEST_BOOST} to {LARGEST_BOOST}; numbers that are said are written as words"
            ));
        }
    }
    Ok(ListedWord { text, boost: number, phones: fields.map(str::to_owned).collect() })
}

/// Where the number stands that follows a line's words; the line's end if none does.
fn boost_at(line: &str) -> usize {
    let fields = line.split_whitespace().skip(1);
    let number = fields.into_iter().find(|field| field.parse::<f32>().is_ok() && !is_name(field));
    number.map_or(line.len(), |field| field.as_ptr() as usize - line.as_ptr() as usize)
}

/// `inf` and `nan` are numbers to a computer and words to people.
fn is_name(field: &str) -> bool {
    field.starts_with(|first: char| first.is_alphabetic())
}

/// `nan` or `inf` in the place of a boost: at a line's end, or before phones.
fn no_boost<'w>(words: &[&'w str]) -> Option<&'w str> {
    let is_phone = |word: &str| !word.contains(|letter: char| letter.is_lowercase());
    let phones = words.iter().rev().take_while(|word| is_phone(word)).count();
    let before = words.len().saturating_sub(phones).max(1);
    let candidates = words.get(before - 1..)?.iter().skip(usize::from(before == 1));
    candidates
        .copied()
        .find(|word| ["nan", "inf"].iter().any(|name| word.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<WordList, TextError> {
        WordList::from_reader(text.as_bytes(), "names")
    }

    #[test]
    fn lines_have_words_and_perhaps_boost_and_phones() {
        let text = "# names\n\nParetone 3.0 P EH R\r\nAda  Lovelace\nNguyen\tW IH N\nNan -1\nX Y\t2\tEH K S\n";
        let list = read(text).unwrap();
        let entry = |text: &str, boost, phones: &str| ListedWord {
            text: text.into(),
            boost,
            phones: phones.split_whitespace().map(str::to_owned).collect(),
        };
        let expected = [
            entry("Paretone", Some(3.0), "P EH R"),
            entry("Ada Lovelace", None, ""),
            entry("Nguyen", None, "W IH N"),
            entry("Nan", Some(-1.0), ""),
            entry("X Y", Some(2.0), "EH K S"),
        ];
        assert_eq!(list.entries(), expected);
        let boosted = read("my nan 3\n").unwrap();
        assert_eq!(boosted.entries(), [entry("my nan", Some(3.0), "")]);
        for phrase in ["nan", "garlic nan bread", "nan bread", "to infinity"] {
            assert_eq!(
                read(phrase).unwrap().entries(),
                [entry(phrase.trim(), None, "")],
                "{phrase}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, said) in [
            ("route 66\n", "written as words"),
            ("a\nb 1e9\n", "line 2"),
            (&"long".repeat(80), "200 letters"),
            ("\t3\n", "letters"),
            ("a\nParetone nan\n", "line 2: nan is no boost"),
            ("Paretone NaN\n", "NaN is no boost"),
            ("Paretone inf P EH R\n", "inf is no boost"),
            ("Paretone -inf\n", "no boost"),
            ("Paretone\tnan\n", "no boost"),
            ("Paretone\tinf\tP EH R\n", "no boost"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        assert!(read(&"word\n".repeat(MOST + 1)).is_err());
    }
}
