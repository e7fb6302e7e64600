//! A model made for a domain: its language models mixed with one of the domain's text, its
//! vocabulary with the words of that text.
//!
//! The acoustic model stays. If the vocabulary is full, or a neural language model numbers its
//! words, new words take the numbers of the rarest words that the text does not have, and that
//! network treats each of them as the rare word it replaced. Pronunciations of new words are
//! derived from their spelling unless a list gives them. The text gets the weight under which lines
//! of it that no model has seen are most probable.

mod folder;
mod vocabulary;

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::files::{GRAPH_NGRAM, RESCORING_NGRAM, WORDS};
use super::own_words::Source;
use super::{Cache, RecognizerError};
use crate::acoustic::ModelDescription;
use crate::graph::ngram::Ngram;
use crate::graph::ngram::estimate::{EstimateOptions, TextCounts, estimate};
pub use crate::graph::ngram::interpolate::HeldOut;
use crate::graph::ngram::interpolate::Mixture;
use crate::graph::ngram::pack::pack;
use crate::graph::{WordList, WordTable};
use crate::units::WordId;
use vocabulary::Vocabulary;

/// One line in so many is held out.
const HELD_OUT: usize = 10;
/// Fewest different lines of a text that says how much it counts.
const LEAST_LINES: usize = 20;
/// How much a shorter text counts.
const USUAL_WEIGHT: f64 = 0.5;

/// What a model is made of.
#[derive(Clone, Copy)]
pub struct Domain<'t> {
    /// The domain's text: lines of words as the model writes them, without punctuation.
    pub text: &'t [String],
    /// Words and phrases that belong to it, each counted as one more line.
    pub words: &'t WordList,
}

impl<'t> Domain<'t> {
    /// The lines of the text and those that the list adds, as the model writes words.
    fn lines(self) -> impl Iterator<Item = Cow<'t, str>> {
        let listed = self.words.entries().iter().map(|entry| entry.text.to_lowercase().into());
        self.text.iter().map(|line| line.as_str().into()).chain(listed)
    }
}

/// What adapting came to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Adapted {
    /// New words of the vocabulary.
    pub new_words: usize,
    /// New words that are left out: nobody can tell how they are said, or there was no room.
    pub left_out: Vec<String>,
    /// The domain's share in the model, and perplexities of the held-out lines by the small n-gram.
    pub held_out: HeldOut,
}

/// Makes a model's folder for a domain. `tell` hears what is being done.
///
/// # Errors
/// The model cannot be used, the text has none of its words, or the folder cannot be written; it
/// must not be there, or be empty.
pub fn adapt(
    model: &Path,
    domain: Domain<'_>,
    out: &Path,
    cache: &Cache,
    mut tell: impl FnMut(&str),
) -> Result<Adapted, RecognizerError> {
    folder::check(model, out)?;
    let made = make(model, domain, out, cache, &mut tell);
    // It was not there, or empty.
    made.inspect_err(|_| drop(std::fs::remove_dir_all(out)))
}

fn make(
    model: &Path,
    domain: Domain<'_>,
    out: &Path,
    cache: &Cache,
    tell: &mut dyn FnMut(&str),
) -> Result<Adapted, RecognizerError> {
    tell("reading the model");
    let description = ModelDescription::open(model)?;
    let old = WordTable::open(&model.join(WORDS))?;
    let source = Source::open(model, &description, &old, cache)?;
    let small = Ngram::open(&model.join(GRAPH_NGRAM))?;
    tell("finding new words");
    let vocabulary = Vocabulary::new(model, (&old, &small), &source, domain)?;
    let text = Text::new(domain, &vocabulary.words);
    let mut held_out = None;
    folder::make(model, out)?;
    folder::write(out, WORDS, vocabulary.words.to_text().as_bytes())?;
    vocabulary.write_lexicon(model, out)?;
    for (name, general) in [(GRAPH_NGRAM, Some(small)), (RESCORING_NGRAM, None)] {
        let path = model.join(name);
        if !path.is_file() {
            continue;
        }
        tell("mixing the language models");
        let general = match general {
            Some(general) => general,
            None => Ngram::open(&path)?,
        };
        let found = text.mix(
            &general,
            &vocabulary,
            &out.join(name),
            held_out.map(|found: HeldOut| found.weight),
        )?;
        held_out.get_or_insert(found);
    }
    let held_out = held_out.unwrap_or(HeldOut { weight: USUAL_WEIGHT, general: 1.0, mixed: 1.0 });
    Ok(Adapted { new_words: vocabulary.added.len(), left_out: vocabulary.left_out, held_out })
}

/// The domain's text over the new vocabulary.
struct Text<'t> {
    all: TextCounts,
    /// Without the lines held out.
    seen: TextCounts,
    held_out: Vec<Vec<WordId>>,
    words: &'t WordTable,
}

impl<'t> Text<'t> {
    fn new(domain: Domain<'_>, words: &'t WordTable) -> Text<'t> {
        // Of lines that stand there more than once, all or none are held out.
        let mut known = HashSet::new();
        let different = domain.text.iter().filter(|line| known.insert(line.as_str()));
        let apart: HashSet<&str> = different.step_by(HELD_OUT).map(String::as_str).collect();
        let enough = known.len() >= LEAST_LINES;
        let mut text = Text {
            all: TextCounts::default(),
            seen: TextCounts::default(),
            held_out: Vec::new(),
            words,
        };
        for line in domain.lines() {
            text.all.add(&line, words);
            match enough && apart.contains(&*line) {
                true => text.held_out.push(ids(&line, words)),
                false => text.seen.add(&line, words),
            }
        }
        text
    }

    /// Writes the mixture with a general model; its weight is given, or found and returned.
    fn mix(
        &self,
        general: &Ngram,
        vocabulary: &Vocabulary,
        out: &Path,
        weight: Option<f64>,
    ) -> Result<HeldOut, RecognizerError> {
        let sum = xxh3_64(vocabulary.words.to_text().as_bytes());
        let options = EstimateOptions::default().order(general.order());
        let estimated = |text: &TextCounts| -> Result<Ngram, RecognizerError> {
            let arpa = estimate(text, self.words, &options)?;
            Ok(pack(arpa, self.words, sum)?)
        };
        let strange = &vocabulary.strange;
        let mut found =
            HeldOut { weight: weight.unwrap_or(USUAL_WEIGHT), general: 1.0, mixed: 1.0 };
        if weight.is_none() && !self.held_out.is_empty() && self.seen.known_words() > 0 {
            let seen = estimated(&self.seen)?;
            let mixture = Mixture { general, domain: &seen, strange };
            found = mixture.weigh(self.held_out.iter().map(Vec::as_slice));
        }
        let domain = estimated(&self.all)?;
        let mixture = Mixture { general, domain: &domain, strange };
        let mixed = mixture.model(found.weight);
        pack(mixed, self.words, sum)?.save(out)?;
        Ok(found)
    }
}

fn ids(line: &str, words: &WordTable) -> Vec<WordId> {
    let unknown = words.id("<unk>").unwrap_or(WordId::EPSILON);
    let id = |word| words.id(word).unwrap_or(unknown);
    line.split_whitespace().map(id).collect()
}
