//! The vocabulary of an adapted model: the old one with the domain's new words in it.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use super::Domain;
use super::folder;
use crate::graph::ngram::{LmState, MAX_WORDS, Ngram};
use crate::graph::{SPECIALS, WordTable};
use crate::recognizer::RecognizerError;
use crate::recognizer::files::{LEXICON, NEURAL};
use crate::recognizer::own_words::Source;
use crate::units::{PhoneId, WordId};

/// Pronunciations of a new word.
const MOST_SAID: usize = 3;

/// A vocabulary in which words have been added.
pub(super) struct Vocabulary {
    /// Its words.
    pub words: WordTable,
    /// By id: whether it is another word than it was.
    pub strange: Vec<bool>,
    /// The new words with the lines of the lexicon that say them.
    pub added: Vec<(String, String)>,
    /// New words that found no place or no pronunciation.
    pub left_out: Vec<String>,
    /// Words that gave up their places.
    replaced: HashSet<String>,
}

impl Vocabulary {
    /// The old vocabulary with the words of a domain in it.
    pub fn new(
        model: &Path,
        (old, small): (&WordTable, &Ngram),
        source: &Source,
        domain: Domain<'_>,
    ) -> Result<Vocabulary, RecognizerError> {
        let said = phones_of_list(domain);
        let counts = counts(domain);
        let mut places = Places::new(model, (old, small), &counts);
        let names = (0..old.len()).map(|id| old.name(WordId(id as u32)).unwrap_or_default());
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        let mut strange = vec![false; names.len()];
        let (mut added, mut left_out) = (Vec::new(), Vec::new());
        let mut replaced = HashSet::new();
        for word in new_words(&counts, old) {
            let lines = lexicon_lines(word, said.get(word), (old, source));
            let Some(place) = lines.is_some().then(|| places.next(names.len())).flatten() else {
                left_out.push(word.clone());
                continue;
            };
            match names.get_mut(place) {
                Some(name) => {
                    let before = std::mem::replace(name, word.clone());
                    replaced.insert(before);
                    strange[place] = true;
                }
                None => {
                    names.push(word.clone());
                    strange.push(true);
                }
            }
            added.push((word.clone(), lines.unwrap_or_default()));
        }
        let table: String = names.iter().flat_map(|name| [name, "\n"]).collect();
        Ok(Vocabulary {
            words: WordTable::from_reader(table.as_bytes(), "words.txt")?,
            strange,
            added,
            left_out,
            replaced,
        })
    }

    /// Writes the lexicon: the old one without the words that are gone, and the new words.
    pub fn write_lexicon(&self, model: &Path, out: &Path) -> Result<(), RecognizerError> {
        let path = model.join(LEXICON);
        let old =
            fs::read_to_string(&path).map_err(|source| RecognizerError::Io { path, source })?;
        let is_there = |line: &&str| {
            let word = line.split_whitespace().next().unwrap_or_default();
            !self.replaced.contains(word)
        };
        let mut lexicon = String::with_capacity(old.len());
        for line in old.lines().filter(is_there) {
            lexicon += line;
            lexicon.push('\n');
        }
        self.added.iter().for_each(|(_, lines)| lexicon += lines);
        folder::write(out, LEXICON, lexicon.as_bytes())
    }
}

/// The words that the old vocabulary lacks, those that occur most often first.
fn new_words<'c>(counts: &'c HashMap<String, usize>, old: &WordTable) -> Vec<&'c String> {
    let new = counts.iter().filter(|(word, _)| old.id(word).is_none());
    let mut new: Vec<(&String, usize)> = new.map(|(word, count)| (word, *count)).collect();
    new.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    new.into_iter().map(|(word, _)| word).collect()
}

/// How often each word stands in a text and a list.
fn counts(domain: Domain<'_>) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for line in domain.lines() {
        for word in line.split_whitespace().filter(|word| !word.starts_with('<')) {
            *counts.entry(word.to_owned()).or_insert(0) += 1;
        }
    }
    counts
}

/// The phones that a list gives to single words.
fn phones_of_list(domain: Domain<'_>) -> HashMap<String, Vec<String>> {
    let single = domain.words.entries().iter();
    let single = single.filter(|entry| !entry.phones.is_empty() && !entry.text.contains(' '));
    single.map(|entry| (entry.text.to_lowercase(), entry.phones.clone())).collect()
}

/// The lexicon's lines of a new word; none where nobody can tell how it is said.
fn lexicon_lines(
    word: &str,
    listed: Option<&Vec<String>>,
    (old, source): (&WordTable, &Source),
) -> Option<String> {
    if let Some(phones) = listed {
        return Some(format!("{word}\t{}\n", phones.join(" ")));
    }
    let said = source.pronunciations(old, word);
    let best = said.first()?.1;
    let line = |(phones, cost): &(Vec<PhoneId>, crate::units::Cost)| {
        let share = (best.0 - cost.0).exp().clamp(1e-3, 1.0);
        format!("{word}\t{share:.3}\t{}\n", source.phone_names(phones).join(" "))
    };
    Some(said.iter().take(MOST_SAID).map(line).collect())
}

/// Places for new words: behind the others while there is room, then those of rare words.
struct Places {
    /// Whether places behind the others may be taken.
    may_grow: bool,
    /// Places of words that the text does not have, the likeliest first.
    rare: Vec<usize>,
}

impl Places {
    fn new(
        model: &Path,
        (old, small): (&WordTable, &Ngram),
        counts: &HashMap<String, usize>,
    ) -> Places {
        let is_absent = |id: &usize| {
            let name = old.name(WordId(*id as u32)).unwrap_or_default();
            !counts.contains_key(name)
        };
        let cost = |id: usize| small.step(LmState::EMPTY, WordId(id as u32)).1.0;
        let mut rare: Vec<usize> = (SPECIALS.len()..old.len()).filter(is_absent).collect();
        rare.sort_by(|&a, &b| cost(a).total_cmp(&cost(b)).then(a.cmp(&b)));
        Places {
            // A neural language model knows words by their places.
            may_grow: !model.join(NEURAL).is_file(),
            rare,
        }
    }

    fn next(&mut self, len: usize) -> Option<usize> {
        match self.may_grow && len < MAX_WORDS {
            true => Some(len),
            false => self.rare.pop(),
        }
    }
}
