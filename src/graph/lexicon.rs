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
//! `either<TAB>0.4<TAB>AY DH ER`. What other tools write is read too, compressed by gzip or not:
//!
//! - Kaldi's `lexicon.txt` and `lexiconp.txt`, with blanks between all fields, and
//!   `lexiconp_silprob.txt`, whose probabilities of silence are left aside;
//! - CMUdict, with comments (`;;;` lines, ` # …` at a line's end), alternatives as `either(2)`,
//!   capitals, and stress as in `IY1`;
//! - phones with Kaldi's word positions, as in `IY_B`.
//!
//! Words that the word table lacks are left out, with one warning. Where leaving out stress makes
//! two pronunciations equal, the more probable one stays.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::Path;

use crate::units::{Cost, PhoneId, WordId};

use super::strangers::Strangers;
use super::textfile::{Lines, TextError};
use super::words::WordTable;

/// Most phones of one pronunciation.
pub const LONGEST_PRONUNCIATION: usize = 256;

/// Most pronunciations of one word.
const MOST_PRONUNCIATIONS: usize = 1 << 10;

/// Numbers between word and phones in Kaldi's `lexiconp_silprob.txt`: the pronunciation's
/// probability, and three of silence.
const WITH_SILENCE: usize = 4;

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
    left_out: usize,
}

impl Lexicon {
    /// Reads a lexicon of words in `words`, whose phones must be in `phones` (id = index).
    ///
    /// # Errors
    /// [`TextError`] with the file and the line: unreadable, an unknown phone, no phones, a
    /// probability that is none; or no line whose word is in the table.
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
        Lexicon::read(Lines::new(reader, name)?, words, phones)
    }

    fn read(
        mut lines: Lines<'_>,
        words: &WordTable,
        phones: &[String],
    ) -> Result<Lexicon, TextError> {
        let reader = Reader::new(words, phones);
        let mut by_word = vec![Vec::new(); words.len()];
        let mut strangers = Strangers::default();
        while let Some(line) = lines.next_line()? {
            let found = match reader.parse(line) {
                Ok(Line::Nothing) => continue,
                Ok(Line::Unknown(word)) => {
                    strangers.add(word);
                    continue;
                }
                Ok(Line::Said(word, pronunciation)) => {
                    keep(&mut by_word[word.index()], pronunciation)
                }
                Err(what) => Err(what),
            };
            if let Err(what) = found {
                return Err(lines.error(what));
            }
        }
        if by_word.iter().all(Vec::is_empty) {
            let what = "no word before here is in the word table: it is the lexicon of another one";
            return Err(lines.error(what.to_owned()));
        }
        strangers.tell(lines.name(), "pronunciations");
        let left_out = strangers.entries();
        Ok(Lexicon { by_word, left_out })
    }

    /// The pronunciations of a word, in the file's order; none for a word that cannot be said, such
    /// as `</s>`.
    pub fn pronunciations(&self, word: WordId) -> &[Pronunciation] {
        self.by_word.get(word.index()).map_or(&[], |all| all.as_slice())
    }

    /// All words that have a pronunciation, by id, with their pronunciations.
    pub fn iter(&self) -> impl Iterator<Item = (WordId, &[Pronunciation])> {
        let words = (0..).map(WordId);
        words.zip(self.by_word.iter().map(Vec::as_slice)).filter(|(_, all)| !all.is_empty())
    }

    /// How many pronunciations were left out, because the word table lacks their words.
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

/// Adds a pronunciation of a word; of two equal ones the cheaper stays.
fn keep(all: &mut Vec<Pronunciation>, new: Pronunciation) -> Result<(), String> {
    if let Some(known) = all.iter_mut().find(|known| known.phones == new.phones) {
        if new.cost < known.cost {
            known.cost = new.cost;
        }
    } else if all.len() < MOST_PRONUNCIATIONS {
        all.push(new);
    } else {
        return Err(format!("more than {MOST_PRONUNCIATIONS} pronunciations of one word"));
    }
    Ok(())
}

/// What a line says.
enum Line<'l> {
    /// Nothing: it is empty, or a comment.
    Nothing,
    /// How to say a word that the table lacks.
    Unknown(&'l str),
    /// How to say a word.
    Said(WordId, Pronunciation),
}

/// What the fields of a line may be.
struct Reader<'a> {
    words: &'a WordTable,
    phones: HashMap<&'a str, PhoneId>,
}

impl<'a> Reader<'a> {
    fn new(words: &'a WordTable, phones: &'a [String]) -> Self {
        let ids = (0..).map(PhoneId);
        let phones = phones.iter().map(String::as_str).zip(ids).collect();
        Reader { words, phones }
    }

    fn parse<'l>(&self, line: &'l str) -> Result<Line<'l>, String> {
        let mut fields = line.split_ascii_whitespace().peekable();
        let Some(word) = fields.next().filter(|word| !word.starts_with(";;;")) else {
            return Ok(Line::Nothing);
        };
        let Some(id) = self.word(word) else {
            return Ok(match word.starts_with('#') {
                true => Line::Nothing,
                false => Line::Unknown(word),
            });
        };
        let mut numbers = Vec::new();
        while let Some(field) = fields.next_if(|field| self.is_number(field)) {
            numbers.push(field);
        }
        let probability = match numbers.as_slice() {
            [] => 1.0,
            [one] => parse_probability(one)?,
            all if all.len() == WITH_SILENCE => parse_probability(all[0])?,
            _ => return Err("expected a word, perhaps its probability, and phones".to_owned()),
        };
        let said =
            fields.take_while(|field| !field.starts_with('#') || self.phone(field).is_some());
        let phones: Result<Vec<_>, _> = said.map(|name| self.phone(name).ok_or(name)).collect();
        match phones {
            // How to say what is no word, by a phone for noise that the model may lack.
            Err(_) if word.starts_with('<') => Ok(Line::Unknown(word)),
            Err(name) => Err(format!("phone \"{name}\" is not one of the model's")),
            Ok(phones) if phones.is_empty() => Err(format!("\"{word}\" has no phones")),
            Ok(phones) if phones.len() > LONGEST_PRONUNCIATION => {
                Err(format!("{} phones, more than {LONGEST_PRONUNCIATION}", phones.len()))
            }
            Ok(phones) => {
                let cost = Cost(-probability.ln());
                Ok(Line::Said(id, Pronunciation { phones, cost }))
            }
        }
    }

    /// The word of a first field: itself, or without capitals, or without an alternative's number.
    fn word(&self, field: &str) -> Option<WordId> {
        let plain = || {
            let (word, number) = field.strip_suffix(')')?.rsplit_once('(')?;
            let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            is_number.then(|| self.words.id_in_any_case(word))?
        };
        self.words.id_in_any_case(field).or_else(plain)
    }

    /// The phone of a field: itself, or without its place in the word, or without its stress.
    fn phone(&self, field: &str) -> Option<PhoneId> {
        let placed = ["_B", "_I", "_E", "_S"];
        let unplaced = placed.iter().find_map(|place| field.strip_suffix(place));
        let unplaced = unplaced.unwrap_or(field);
        let unstressed = unplaced.strip_suffix(['0', '1', '2']).unwrap_or(unplaced);
        let known = |name: &str| self.phones.get(name).copied();
        known(field).or_else(|| known(unplaced)).or_else(|| known(unstressed))
    }

    fn is_number(&self, field: &str) -> bool {
        self.phone(field).is_none() && field.parse::<f32>().is_ok()
    }
}

fn parse_probability(text: &str) -> Result<f32, String> {
    let value = text.parse::<f32>().ok();
    value
        .filter(|&p| p > 0.0 && p <= 1.0)
        .ok_or_else(|| format!("\"{text}\" is not a probability above 0 and up to 1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Lexicon, TextError> {
        read_with("", text)
    }

    fn read_with(more_words: &str, text: &str) -> Result<Lexicon, TextError> {
        let words = format!("<eps>\n<s>\n</s>\n<unk>\na\nthe\n{more_words}");
        let words = WordTable::from_reader(words.as_bytes(), "w");
        let phones = ["SIL", "AH", "EY", "DH", "IY"].map(str::to_owned);
        Lexicon::from_reader(text.as_bytes(), "lexicon", &words.unwrap(), &phones)
    }

    #[test]
    fn alternatives_and_probabilities() {
        let lexicon = read("a\tAH\na\tEY\nthe\t0.5\tDH AH\nthe\t0.25\tDH IY\n").unwrap();
        let a = lexicon.pronunciations(WordId(4));
        assert_eq!(a.len(), 2);
        assert_eq!((a[1].phones.as_slice(), a[1].cost.0), (&[PhoneId(2)][..], 0.0));
        let the = lexicon.pronunciations(WordId(5));
        assert_eq!(the[0].phones, [PhoneId(3), PhoneId(1)]);
        assert!((the[1].cost.0 - 4f32.ln()).abs() < 1e-6);
        assert!(lexicon.pronunciations(WordId(2)).is_empty());
        assert!(lexicon.pronunciations(WordId(99)).is_empty());
        assert_eq!(lexicon.iter().count(), 2);
    }

    /// One lexicon in the forms that tools write it in.
    #[test]
    fn the_forms_of_other_tools_say_the_same() {
        let plain = "a\tAH\na\tEY\nthe\tDH AH\nthe\tDH IY\n";
        let halves = "a 0.5 AH\na 0.5 EY\nthe 0.5 DH AH\nthe 0.5 DH IY\n";
        let forms = [
            (plain, "a AH\na EY\nthe DH AH\nthe  DH  IY\n"),
            (plain, "\u{feff}A  AH0\r\nA(2)  EY1\r\nTHE  DH AH0\r\nTHE(1)  DH IY0\r\n"),
            (plain, ";;; # CMUdict\n\na AH0\na EY1 # letter\nthe DH AH0\nthe(2) DH IY0 #weak\n"),
            (plain, "a AH_S\na EY1_S\nthe DH_B AH0_E\nthe DH_B IY0_E\n"),
            (plain, "# comment\n#comment\na AH\na AH1\na EY\nthe DH AH\nthe DH IY\nthe DH IY2\n"),
        ];
        let same = |one: &Lexicon, other: &Lexicon| one.by_word == other.by_word;
        for (plain, form) in &forms {
            assert!(same(&read(plain).unwrap(), &read(form).unwrap()), "{form}");
        }
        let silence = "a 0.5 0.2 1.1 0.4 AH\na 0.5 1 1 1 EY\nthe\t0.5\t0.2\t1.1\t0.4\tDH AH\nthe 0.5 0 1 2 DH IY\n";
        assert!(same(&read(halves).unwrap(), &read(silence).unwrap()));
        let weighted = read("a 0.25 AH0\na 0.5 AH1\n").unwrap();
        let a = weighted.pronunciations(WordId(4));
        assert!(a.len() == 1 && (a[0].cost.0 - 2f32.ln()).abs() < 1e-6);
        assert_eq!(read_with("#\n", "# AH\n").unwrap().pronunciations(WordId(6)).len(), 1);
    }

    #[test]
    fn words_of_other_tables_are_left_out_and_counted() {
        let lexicon = read("a AH\nb XX YY\n!SIL SIL\n<UNK> SPN\nb(2) AH\nthe DH AH\n").unwrap();
        assert_eq!((lexicon.iter().count(), lexicon.left_out()), (2, 4));
        let error = read("b AH\nc AH\n").unwrap_err().to_string();
        assert!(error.contains("word table"), "{error}");
        assert!(read("").is_err());
    }

    #[test]
    fn bad_lines_are_named() {
        let bad = [
            "a\tXX",
            "a\t",
            "a",
            "a # AH",
            "a AH3",
            "a\t1.5\tAH",
            "a\tnan\tAH",
            "a\t0\tAH",
            "a\t1\tAH\t1",
            "a 1 1 AH",
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
