//! The lexicon: how each word may be said.
//!
//! `lexicon.txt` holds one pronunciation a line, alternatives on lines of their own:
//!
//! ```text
//! either<TAB>IY DH ER
//! either<TAB>AY DH ER
//! ```
//!
//! A line may give the pronunciation's probability among those of its word in between:
//! `either<TAB>0.4<TAB>AY DH ER`.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::Path;

use crate::units::{Cost, PhoneId, WordId};

use super::textfile::{Lines, TextError};
use super::words::WordTable;

/// Most phones of one pronunciation.
pub const LONGEST_PRONUNCIATION: usize = 256;

/// One way to say a word.
#[derive(Clone, Debug, PartialEq)]
pub struct Pronunciation {
    /// The phones in order; at least one.
    pub phones: Vec<PhoneId>,
    /// `−ln` of its probability among the word's pronunciations; [`Cost::FREE`] where the lexicon
    /// gives none.
    pub cost: Cost,
}

/// The pronunciations of every word of a [`WordTable`].
///
/// ```
/// use paretone::graph::{WordTable, lexicon::Lexicon};
/// use paretone::units::WordId;
///
/// let words = WordTable::from_reader("<eps>\n<s>\n</s>\n<unk>\neither\n".as_bytes(), "words")?;
/// let phones = ["IY", "AY", "DH", "ER"].map(String::from);
/// let text = "either\tIY DH ER\neither\tAY DH ER\n";
/// let lexicon = Lexicon::from_reader(text.as_bytes(), "lexicon", &words, &phones)?;
/// assert_eq!(lexicon.pronunciations(WordId(4)).len(), 2);
/// # Ok::<(), paretone::graph::TextError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Lexicon {
    by_word: Vec<Vec<Pronunciation>>,
}

impl Lexicon {
    /// Reads `lexicon.txt`, whose words must be in `words` and whose phones must be in `phones` (id
    /// = index).
    ///
    /// # Errors
    /// [`TextError`] with the file and the line: unreadable, an unknown word or phone, no phones, a
    /// probability that is none, or a pronunciation that stands twice.
    pub fn open(path: &Path, words: &WordTable, phones: &[String]) -> Result<Lexicon, TextError> {
        Lexicon::read(Lines::open(path)?, words, phones)
    }

    /// Reads a lexicon from anything that yields lines; `name` is what errors call it.
    ///
    /// # Errors
    /// As [`Lexicon::open`].
    pub fn from_reader(
        reader: impl BufRead,
        name: &str,
        words: &WordTable,
        phones: &[String],
    ) -> Result<Lexicon, TextError> {
        Lexicon::read(Lines::new(reader, name), words, phones)
    }

    fn read(
        mut lines: Lines<impl BufRead>,
        words: &WordTable,
        phones: &[String],
    ) -> Result<Lexicon, TextError> {
        let ids: HashMap<&str, PhoneId> = phones
            .iter()
            .enumerate()
            .map(|(id, name)| (name.as_str(), PhoneId(id as u32)))
            .collect();
        let mut by_word = vec![Vec::new(); words.len()];
        while let Some(line) = lines.next_line()? {
            let (word, pronunciation) = match parse(line, words, &ids) {
                Ok(parsed) => parsed,
                Err(what) => return Err(lines.error(what)),
            };
            let all: &mut Vec<Pronunciation> = &mut by_word[word.index()];
            if all.iter().any(|p| p.phones == pronunciation.phones) {
                return Err(lines.error("this pronunciation stands above already".to_owned()));
            }
            all.push(pronunciation);
        }
        Ok(Lexicon { by_word })
    }

    /// The pronunciations of a word, in the file's order; none for a word that cannot be said, such
    /// as `</s>`.
    pub fn pronunciations(&self, word: WordId) -> &[Pronunciation] {
        self.by_word
            .get(word.index())
            .map_or(&[], |all| all.as_slice())
    }

    /// All words that have a pronunciation, by id, with their pronunciations.
    pub fn iter(&self) -> impl Iterator<Item = (WordId, &[Pronunciation])> {
        let words = (0..).map(WordId);
        words
            .zip(self.by_word.iter().map(Vec::as_slice))
            .filter(|(_, all)| !all.is_empty())
    }
}

/// One line as word and pronunciation, or what is wrong with it.
fn parse(
    line: &str,
    words: &WordTable,
    phones: &HashMap<&str, PhoneId>,
) -> Result<(WordId, Pronunciation), String> {
    let mut fields = line.split('\t');
    let word = fields.next().unwrap_or("");
    let id = words
        .id(word)
        .ok_or_else(|| format!("\"{word}\" is not in the word table"))?;
    let (probability, said) = match (fields.next(), fields.next(), fields.next()) {
        (Some(said), None, _) => (1.0, said),
        (Some(probability), Some(said), None) => (parse_probability(probability)?, said),
        _ => return Err("expected word<TAB>phones or word<TAB>probability<TAB>phones".to_owned()),
    };
    let known = said.split_ascii_whitespace().map(|name| {
        let id = phones.get(name).copied();
        id.ok_or_else(|| format!("phone \"{name}\" is not one of the model's"))
    });
    let phones = known.collect::<Result<Vec<_>, _>>()?;
    match phones.len() {
        0 => Err(format!("\"{word}\" has no phones")),
        1..=LONGEST_PRONUNCIATION => {
            let cost = Cost(-probability.ln());
            Ok((id, Pronunciation { phones, cost }))
        }
        n => Err(format!("{n} phones, more than {LONGEST_PRONUNCIATION}")),
    }
}

fn parse_probability(text: &str) -> Result<f32, String> {
    let value = text.trim().parse::<f32>().ok();
    value
        .filter(|&p| p > 0.0 && p <= 1.0)
        .ok_or_else(|| format!("\"{text}\" is not a probability above 0 and up to 1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Lexicon, TextError> {
        let words = WordTable::from_reader("<eps>\n<s>\n</s>\n<unk>\na\nthe\n".as_bytes(), "w");
        let phones = ["SIL", "AH", "EY", "DH", "IY"].map(str::to_owned);
        Lexicon::from_reader(text.as_bytes(), "lexicon", &words.unwrap(), &phones)
    }

    #[test]
    fn alternatives_and_probabilities() {
        let lexicon = read("a\tAH\na\tEY\nthe\t0.5\tDH AH\nthe\t0.25\tDH IY\n").unwrap();
        let a = lexicon.pronunciations(WordId(4));
        assert_eq!(a.len(), 2);
        assert_eq!(
            (a[1].phones.as_slice(), a[1].cost.0),
            (&[PhoneId(2)][..], 0.0)
        );
        let the = lexicon.pronunciations(WordId(5));
        assert_eq!(the[0].phones, [PhoneId(3), PhoneId(1)]);
        assert!((the[1].cost.0 - 4f32.ln()).abs() < 1e-6);
        assert!(lexicon.pronunciations(WordId(2)).is_empty());
        assert!(lexicon.pronunciations(WordId(99)).is_empty());
        assert_eq!(lexicon.iter().count(), 2);
    }

    #[test]
    fn bad_lines_are_named() {
        let bad = [
            "b\tAH",
            "a\tXX",
            "a\t",
            "a",
            "a AH",
            "a\t1.5\tAH",
            "a\tnan\tAH",
            "a\t0\tAH",
            "a\t1\tAH\tAH",
            "the\tDH IY\nthe\tDH IY",
            "",
        ];
        for text in bad {
            let error = read(&format!("a\tEY\n{text}\n")).unwrap_err();
            let expected = 1 + text.split('\n').count();
            assert!(
                matches!(error, TextError::Line { line, .. } if line == expected),
                "{text}: {error}"
            );
        }
        let long = format!("a\t{}", "AH ".repeat(300));
        assert!(read(&long).is_err());
        assert!(read(&"x".repeat(1 << 20)).is_err());
    }
}
