//! How a word is said, by its spelling: grapheme-to-phoneme conversion learnt from a lexicon.
//!
//! A word and its pronunciation are a sequence of *graphones*, pairs of one or two letters and none
//! to two phones, as `ph:F o:OW n:N e:`. The lexicon's words are aligned by expectation
//! maximisation (`align`), and an n-gram over their graphones is estimated (`estimate`); a beam
//! search over the graphones that spell a new word finds its likeliest pronunciations.
//!
//! Reference: Bisani and Ney, "Joint-sequence models for grapheme-to-phoneme conversion", 2008; the
//! alignment is that of Jiampojamarn et al., "Applying many-to-many alignments", 2007.
//!
//! Whatever a lexicon's language and phones are, its model is learnt from it in about two seconds.
//! Kept in a file it is mapped and used in place.

mod align;
mod estimate;
mod file;
mod search;

use bytemuck::{Pod, Zeroable};
use xxhash_rust::xxh3::xxh3_64;

use crate::units::{Cost, PhoneId};

use super::container::Section;
use super::lexicon::Lexicon;
use super::words::WordTable;
pub use file::SPELLING_FORMAT;
use search::Partial;

/// Graphones whose history the model knows, the next one included.
const ORDER: usize = 6;
/// Hypotheses kept at each letter; more do not change the likeliest pronunciations.
const BEAM: usize = 10;
/// Pronunciations that those are enough for; each more takes two more hypotheses.
const FEW: usize = 8;
/// The graphone before the first.
const BEGIN: u16 = 1;
/// The graphone after the last.
const END: u16 = 2;
/// The number of the first graphone proper.
const FIRST: u16 = 3;
/// Longest word that is pronounced, in letters.
const LONGEST: usize = 64;
/// No letter, or no phone.
const NONE: u8 = u8::MAX;

/// Letters and the phones they stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(C)]
struct Graphone {
    /// One or two letters, by their place among the model's.
    letters: [u8; 2],
    /// None, one or two phones.
    phones: [u8; 2],
}

/// What the model knows of a history, a sequence of graphones.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
struct Known {
    /// The sequence's hash; 0 for a free slot.
    key: u64,
    /// What it costs to look at a shorter history than this one.
    backoff: f32,
    /// Where what may follow it begins.
    first: u32,
    /// How many may follow it.
    count: u32,
    reserved: u32,
}

/// A graphone after a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Follower {
    cost: f32,
    number: u16,
    reserved: u16,
}

/// A model of how words are said.
///
/// ```
/// use paretone::graph::{WordTable, lexicon::Lexicon, spelling::Spelling};
///
/// let table = "<eps>\n<s>\n</s>\n<unk>\nnap\npan\nnan\n";
/// let words = WordTable::from_reader(table.as_bytes(), "words")?;
/// let phones = ["SIL", "N", "AE", "P"].map(String::from);
/// let text = "nap\tN AE P\npan\tP AE N\nnan\tN AE N\n";
/// let lexicon = Lexicon::from_reader(text.as_bytes(), "lexicon", &words, &phones)?;
/// let spelling = Spelling::learn(&words, &lexicon);
/// let (said, _) = &spelling.pronunciations("pap", 1)[0];
/// assert_eq!(said.iter().map(|phone| phone.0).collect::<Vec<_>>(), [3, 2, 3]);
/// # Ok::<(), paretone::graph::TextError>(())
/// ```
#[derive(Debug)]
pub struct Spelling {
    /// The letters, in the order of their codes.
    letters: Section<u32>,
    /// By number, less [`FIRST`]; sorted, so that those of the same letters stand together.
    graphones: Section<Graphone>,
    /// Histories that something follows: open addressing with linear probing; a power of two of
    /// slots, at most half of them taken.
    histories: Section<Known>,
    /// What follows each history, by number.
    followers: Section<Follower>,
}

impl Spelling {
    /// Learns from all words of a lexicon; special words, as `<unk>`, are left out.
    pub fn learn(words: &WordTable, lexicon: &Lexicon) -> Spelling {
        let examples = align::Examples::of(words, lexicon);
        let aligned = align::aligned(&examples);
        let mut graphones: Vec<Graphone> = aligned.iter().flatten().copied().collect();
        graphones.sort_unstable();
        graphones.dedup();
        graphones.truncate(usize::from(u16::MAX - FIRST));
        let number = |graphone: &Graphone| {
            let at = graphones.binary_search(graphone);
            at.map_or(0, |at| at as u16 + FIRST)
        };
        let sequences = aligned.iter().map(|word| word.iter().map(number).collect());
        let (histories, followers) = estimate::histories(sequences);
        Spelling {
            letters: Section::Owned(examples.letters),
            graphones: Section::Owned(graphones),
            histories: Section::Owned(histories),
            followers: Section::Owned(followers),
        }
    }

    /// The `count` likeliest pronunciations of a word, the likeliest first, with `−ln` of their
    /// probability among those found. Letters count whatever their case; points, hyphens and
    /// underscores are passed over. None where the word has a letter that the lexicon's words lack.
    pub fn pronunciations(&self, word: &str, count: usize) -> Vec<(Vec<PhoneId>, Cost)> {
        let Some(letters) = self.letters_of(word) else {
            return Vec::new();
        };
        let found = self.search(&letters, count);
        let weight = |partial: &Partial| f64::from(-partial.cost).exp();
        let all: f64 = found.iter().map(weight).sum::<f64>().max(f64::MIN_POSITIVE);
        let share = |partial: Partial| {
            let share = (weight(&partial) / all).max(1e-9);
            (partial.phones, Cost(-share.ln() as f32))
        };
        found.into_iter().map(share).collect()
    }

    /// The codes of a word's letters.
    fn letters_of(&self, word: &str) -> Option<Vec<u8>> {
        let known = self.letters.as_slice();
        let spoken = |letter: &char| !"-._".contains(*letter);
        let code = |letter: char| {
            let at = known.binary_search(&u32::from(letter)).ok()?;
            u8::try_from(at).ok()
        };
        let letters = word.chars().flat_map(char::to_lowercase).filter(spoken);
        let codes: Option<Vec<u8>> = letters.map(code).collect();
        codes.filter(|codes| (1..=LONGEST).contains(&codes.len()))
    }

    /// The graphones of these letters, and the number of the first.
    fn spelling(&self, letters: [u8; 2]) -> (u16, &[Graphone]) {
        let all = self.graphones.as_slice();
        let begin = all.partition_point(|graphone| graphone.letters < letters);
        let end = begin + all[begin..].partition_point(|graphone| graphone.letters == letters);
        (begin as u16 + FIRST, &all[begin..end])
    }

    /// What is known of a history.
    fn known(&self, history: &[u16]) -> Option<&Known> {
        let histories = self.histories.as_slice();
        let key = key(history);
        let mask = histories.len().checked_sub(1)?;
        let mut slot = key as usize & mask;
        // A damaged file may have no free slot.
        for _ in 0..histories.len() {
            let known = &histories[slot];
            match known.key {
                0 => return None,
                found if found == key => return Some(known),
                _ => slot = (slot + 1) & mask,
            }
        }
        None
    }

    /// What follows a history.
    fn followers(&self, known: &Known) -> &[Follower] {
        let rest = self.followers.as_slice().get(known.first as usize..).unwrap_or_default();
        rest.get(..known.count as usize).unwrap_or_default()
    }
}

/// The cost of a graphone that was never seen.
const UNSEEN: f32 = 16.0;

/// The hash of a sequence, never 0.
fn key(sequence: &[u16]) -> u64 {
    xxh3_64(bytemuck::cast_slice(sequence)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHONES: [&str; 6] = ["SIL", "F", "OW", "N", "T", "K"];

    fn learnt(lexicon: &str) -> Spelling {
        let mut words = String::from("<eps>\n<s>\n</s>\n<unk>\n");
        lexicon.lines().for_each(|line| {
            let word = line.split('\t').next().unwrap();
            if !words.lines().any(|known| known == word) {
                words += &format!("{word}\n");
            }
        });
        let words = WordTable::from_reader(words.as_bytes(), "words").unwrap();
        let lexicon =
            Lexicon::from_reader(lexicon.as_bytes(), "lexicon", &words, &PHONES.map(String::from));
        Spelling::learn(&words, &lexicon.unwrap())
    }

    fn said(spelling: &Spelling, word: &str) -> String {
        let found = spelling.pronunciations(word, 1);
        let names = found.first().map(|(phones, _)| {
            phones.iter().map(|phone| PHONES[phone.index()]).collect::<Vec<_>>()
        });
        names.unwrap_or_default().join(" ")
    }

    const LEXICON: &str = "phone\tF OW N\ntone\tT OW N\nnote\tN OW T\nphoto\tF OW T OW\ntoken\tT OW K N\nto\tT OW\nno\tN OW\n\
        foe\tF OW\ntoe\tT OW\nton\tT OW N\nknot\tN OW T\n<unk>\tSIL\n";

    #[test]
    fn new_words_are_said_as_the_lexicons_are() {
        let spelling = learnt(LEXICON);
        assert_eq!(said(&spelling, "photon"), "F OW T OW N");
        assert_eq!(said(&spelling, "Toto"), "T OW T OW");
        assert_eq!(said(&spelling, "tone-phone"), "T OW N F OW N");
        assert_eq!(said(&spelling, "zoo"), "");
        assert_eq!(said(&spelling, ""), "");
        assert_eq!(said(&spelling, &"no".repeat(40)), "");
    }

    #[test]
    fn alternatives_share_their_probability() {
        let spelling = learnt(&format!("{LEXICON}ton\tT N\nnot\tN T\n"));
        let found = spelling.pronunciations("non", 3);
        assert!(found.len() > 1, "{found:?}");
        let sum: f32 = found.iter().map(|(_, cost)| (-cost.0).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-4 && found.is_sorted_by_key(|(_, cost)| cost.0));
    }

    #[test]
    fn it_is_kept_in_a_file() {
        let spelling = learnt(LEXICON);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.spelling");
        std::fs::File::create(&path).map(|mut file| spelling.write(&mut file)).unwrap().unwrap();
        let opened = Spelling::open_checked(&path).unwrap();
        for word in ["photon", "token", "oto"] {
            assert_eq!(opened.pronunciations(word, 4), spelling.pronunciations(word, 4));
        }
        let mut bytes = std::fs::read(&path).unwrap();
        let last = bytes.len() - 70;
        bytes[last] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert!(Spelling::open_checked(&path).is_err());
    }

    #[test]
    fn a_lexicon_without_spelt_words_teaches_nothing() {
        let spelling = learnt("<unk>\tSIL\n");
        assert!(spelling.pronunciations("no", 1).is_empty());
    }
}
