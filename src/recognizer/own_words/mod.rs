//! Words of a user's: put into the graph, said as the lexicon, their list or their spelling tells,
//! and as likely as the list says.
//!
//! Each entry is a word of its own, also where the model knows it: it is written as the user does,
//! and costs less. A word that the model knows keeps what the language models know of it: a model
//! takes it for the known one, and the graph's arc into it is cheaper by the boost. What no model
//! knows has one probability in the graph, after any word, and is followed there as if nothing had
//! been said before; the larger n-gram takes it for a name (`likely`). A phrase is one such entry,
//! which is taken apart again where words are written down.

mod guesses;
mod likely;

use std::collections::HashMap;
use std::path::Path;

use super::RecognizerError;
use super::cache::{Cache, CacheKey, Mappable};
use super::compound::compound;
use super::files::{LEXICON, WORDS, compile_options, read};
use super::known::{in_english_letters, known};
use crate::acoustic::{Hmm, ModelDescription, Tensors};
use crate::graph::compile::{OwnWord, with_own_words};
use crate::graph::lexicon::{Lexicon, Pronunciation};
use crate::graph::ngram::{LmState, Ngram};
use crate::graph::spelling::{SPELLING_FORMAT, Spelling};
use crate::graph::{Graph, GraphError, ListedWord, WordList, WordTable};
use crate::units::{Cost, PhoneId, WordId};
use guesses::{Guesses, guesses};
pub(super) use likely::Extended;

/// What a word that no language model knows costs before its boost: about one word in 10,000. This
/// and the other numbers were chosen on made-up names (`scripts/eval/own_words.py`, seeds 1, 2 and
/// 11).
const UNKNOWN: f32 = 9.2;
/// What it costs more for each phone less than [`LONG`]: short words are heard where none are said.
const SHORTNESS: f32 = 0.7;
/// Phones of a word that is not taken for others.
const LONG: usize = 8;
/// How much likelier than that, or than usual, a listed word is.
const USUAL_BOOST: f32 = 3.0;
/// The least that a boost makes of a cost: one word in two.
const LEAST: f32 = 0.7;
/// Pronunciations of a spelling that are taken, the likeliest: so many of each word of a short
/// list. More of them hear more names, and take more time.
const SPELLINGS: usize = 36;
/// So many of each word of a long list.
const FEWEST_SPELLINGS: usize = 8;
/// So many of a whole list, where it is not so long that each word has the fewest.
const SPELLINGS_IN_ALL: usize = 7200;
/// The share that counts of what a guessed pronunciation costs more than the likeliest: nobody
/// knows how a name is said. Less of it hears more names than a larger boost does, at as many false
/// ones.
const DOUBTED: f32 = 0.4;
/// Of a phrase, combinations of its words' pronunciations.
const COMBINATIONS: usize = 4;

/// One way to say a word, and what it costs beside the others.
type Said = (Vec<PhoneId>, Cost);

/// What own words are made from, read once.
pub(super) struct Source {
    hmm: Hmm,
    lexicon: Lexicon,
    spelling: Spelling,
    /// Of what the spelling is learnt from.
    key: CacheKey,
}

/// The words of a list, by ids above the model's own.
#[derive(Debug)]
pub(super) struct OwnVocabulary {
    /// The first id.
    first: u32,
    names: Vec<String>,
    /// The model's word that an own one is.
    like: Vec<Option<WordId>>,
    costs: Vec<Cost>,
    /// What the language models call a word that they do not know.
    unknown: WordId,
    /// Names that the language models know.
    known_names: Vec<WordId>,
}

impl Source {
    /// Reads a model's pronunciations and how its words are spelt, the latter learnt once and kept.
    pub fn open(
        folder: &Path,
        description: &ModelDescription,
        words: &WordTable,
        cache: &Cache,
    ) -> Result<Source, RecognizerError> {
        let tensors = Tensors::open(&folder.join(&description.network.weights))?;
        let hmm = Hmm::from_tensors(&description.hmm, &tensors)?;
        let lexicon = Lexicon::open(&folder.join(LEXICON), words, &hmm.phones)?;
        let mut key = CacheKey::new(&format!("spelling-{SPELLING_FORMAT}"));
        for name in [WORDS, LEXICON] {
            key = key.with(&read(&folder.join(name))?);
        }
        let spelling = cache.open_or_make(
            &key,
            "spelling",
            || Ok::<_, RecognizerError>(Spelling::learn(words, &lexicon)),
            |spelling, out| spelling.write(out),
        )?;
        Ok(Source { hmm, lexicon, spelling, key })
    }

    /// The acoustic model's phones.
    pub fn hmm(&self) -> &Hmm {
        &self.hmm
    }

    /// How a word is said: as the lexicon has it, else as it is spelt or put together.
    pub fn pronunciations(&self, words: &WordTable, word: &str) -> Vec<Said> {
        self.likeliest(words, word, FEWEST_SPELLINGS)
    }

    /// The same, with so many guesses at most from the spelling.
    fn likeliest(&self, words: &WordTable, word: &str, spellings: usize) -> Vec<Said> {
        let known = self.listed(words, word);
        if known.is_empty() {
            return self.derived(words, &in_english_letters(word), spellings);
        }
        let said = known.iter();
        said.map(|said| (said.phones.clone(), said.cost)).collect()
    }

    /// How the lexicon says a word; nothing where it lacks it.
    fn listed(&self, words: &WordTable, word: &str) -> &[Pronunciation] {
        let known = known(words, &in_english_letters(word));
        known.map_or(&[], |id| self.lexicon.pronunciations(id))
    }

    /// How a word is said that the lexicon lacks. Either way is as likely as if it were the only
    /// one.
    fn derived(&self, words: &WordTable, word: &str, spellings: usize) -> Vec<Said> {
        let first_said = |first: &str| self.pronunciations(words, first);
        let mut all = compound(word, (words, &self.lexicon), first_said);
        all.extend(self.spelling.pronunciations(word, spellings));
        all.sort_by(|a, b| a.1.0.total_cmp(&b.1.0));
        let mut once: Vec<Said> = Vec::with_capacity(all.len());
        for (phones, cost) in all {
            if !once.iter().any(|(known, _)| *known == phones) {
                once.push((phones, cost));
            }
        }
        once
    }

    /// The names of phones.
    pub fn phone_names(&self, phones: &[PhoneId]) -> Vec<&str> {
        let name = |phone: &PhoneId| self.hmm.phones.get(phone.index()).map_or("?", String::as_str);
        phones.iter().map(name).collect()
    }

    /// The graph with the words of a list, and their vocabulary. What is guessed of a long list is
    /// kept in the cache, if there is one.
    pub fn extend(
        &self,
        graph: &Graph,
        (words, small): (&WordTable, Option<&Ngram>),
        description: &ModelDescription,
        list: &WordList,
        cache: Option<&Cache>,
    ) -> Result<(Graph, OwnVocabulary), RecognizerError> {
        let each = SPELLINGS_IN_ALL / list.entries().len().max(1);
        let each = each.clamp(FEWEST_SPELLINGS, SPELLINGS);
        let mut making = Making {
            source: self,
            guesses: guesses(self, (words, cache), list, each),
            words,
            small,
            vocabulary: OwnVocabulary::new(words),
            by_text: HashMap::new(),
            said: Vec::new(),
        };
        for entry in list.entries() {
            making.add(entry)?;
        }
        let options = compile_options(&description.decode);
        let graph = with_own_words(graph, &self.hmm, &making.said, &options)?;
        Ok((graph, making.vocabulary))
    }
}

/// A vocabulary in the making.
struct Making<'a> {
    source: &'a Source,
    guesses: Guesses,
    words: &'a WordTable,
    small: Option<&'a Ngram>,
    vocabulary: OwnVocabulary,
    by_text: HashMap<String, WordId>,
    said: Vec<OwnWord>,
}

impl Making<'_> {
    /// Adds an entry, and each word of a phrase that the model does not know.
    fn add(&mut self, entry: &ListedWord) -> Result<(), RecognizerError> {
        let boost = entry.boost.unwrap_or(USUAL_BOOST);
        let parts: Vec<&str> = entry.text.split(' ').collect();
        let said = match entry.phones.is_empty() {
            true => self.combined(&parts)?,
            false => vec![(self.phones(entry)?, Cost::FREE)],
        };
        if let ([_, _, ..], true) = (parts.as_slice(), entry.phones.is_empty()) {
            for part in &parts {
                if known(self.words, part).is_none() && !self.by_text.contains_key(*part) {
                    let said = self.combined(&[part])?;
                    self.put(part, &[part], boost, said);
                }
            }
        }
        self.put(&entry.text, &parts, boost, said);
        Ok(())
    }

    fn put(&mut self, text: &str, parts: &[&str], boost: f32, said: Vec<Said>) {
        let usual = |part: &&str| match (known(self.words, part), self.small) {
            (Some(id), Some(small)) => small.step(LmState::EMPTY, id).1.0,
            _ => UNKNOWN,
        };
        let usual: f32 = parts.iter().map(usual).sum();
        let least = LEAST.min(usual);
        let boosted = |usual: f32| (usual - boost * parts.len() as f32).max(least);
        let like = match parts {
            [only] => known(self.words, only),
            _ => None,
        };
        let vocabulary = &mut self.vocabulary;
        let next = WordId(vocabulary.first + vocabulary.names.len() as u32);
        let word = *self.by_text.entry(text.to_owned()).or_insert(next);
        if word == next {
            vocabulary.names.push(text.to_owned());
            vocabulary.like.push(like);
            vocabulary.costs.push(Cost(boosted(usual)));
        }
        self.said.extend(said.into_iter().map(|(phones, dearer)| {
            let missing = match like {
                Some(_) => 0,
                None => LONG.saturating_sub(phones.len()),
            };
            OwnWord {
                word,
                phones,
                cost: Cost(boosted(usual + SHORTNESS * missing as f32) + dearer.0),
            }
        }));
    }

    /// The pronunciations of words one after the other, the likeliest combinations.
    fn combined(&self, parts: &[&str]) -> Result<Vec<Said>, RecognizerError> {
        let mut all = vec![(Vec::new(), Cost::FREE)];
        for part in parts {
            let guessed = self.guesses.get(*part).cloned();
            let said = guessed.unwrap_or_else(|| self.source.pronunciations(self.words, part));
            if said.is_empty() {
                return Err(RecognizerError::Unpronounceable { word: (*part).to_owned() });
            }
            let said = match known(self.words, part) {
                Some(_) => said,
                None => doubted(said),
            };
            let mut longer = Vec::with_capacity(all.len() * said.len());
            for (before, cost) in &all {
                for (phones, dearer) in &said {
                    longer.push(([before.as_slice(), phones].concat(), Cost(cost.0 + dearer.0)));
                }
            }
            longer.sort_by(|a, b| a.1.0.total_cmp(&b.1.0));
            longer.truncate(if parts.len() > 1 { COMBINATIONS } else { usize::MAX });
            all = longer;
        }
        Ok(all)
    }

    /// The phones that an entry names.
    fn phones(&self, entry: &ListedWord) -> Result<Vec<PhoneId>, RecognizerError> {
        let all = &self.source.hmm.phones;
        let id = |name: &String| {
            let bare = name.trim_end_matches(|digit: char| digit.is_ascii_digit());
            let at = all.iter().position(|phone| phone == name || phone == bare);
            let phone = at.map(|at| PhoneId(at as u32));
            phone.filter(|&phone| phone != self.source.hmm.silence())
        };
        let phones = entry.phones.iter().map(|name| {
            id(name).ok_or_else(|| RecognizerError::UnknownPhone {
                word: entry.text.clone(),
                phone: name.clone(),
                phones: all.join(" "),
            })
        });
        phones.collect()
    }
}

/// Guessed pronunciations, the likeliest first: that costs nothing, and the others little.
fn doubted(mut said: Vec<Said>) -> Vec<Said> {
    let least = said.first().map_or(0.0, |(_, cost)| cost.0);
    for (_, cost) in &mut said {
        cost.0 = DOUBTED * (cost.0 - least);
    }
    said
}

impl OwnVocabulary {
    /// None yet, beside those of a table.
    pub fn new(words: &WordTable) -> OwnVocabulary {
        OwnVocabulary {
            first: words.len() as u32,
            names: Vec::new(),
            like: Vec::new(),
            costs: Vec::new(),
            unknown: words.id("<unk>").unwrap_or(WordId::EPSILON),
            known_names: likely::known_names(words),
        }
    }

    /// Adds a word that no language model knows, of its usual cost.
    pub fn add(&mut self, name: &str) -> WordId {
        let id = WordId(self.first + self.names.len() as u32);
        self.names.push(name.to_owned());
        self.like.push(None);
        self.costs.push(Cost(UNKNOWN));
        id
    }

    /// The spelling of an own word.
    pub fn name(&self, id: WordId) -> Option<&str> {
        let at = id.0.checked_sub(self.first)?;
        self.names.get(at as usize).map(String::as_str)
    }

    /// The word by which the language models know a word, and whether they know it at all; if not,
    /// it is the word for unknown ones.
    pub fn stand_in(&self, word: WordId) -> (WordId, bool) {
        let Some(at) = word.0.checked_sub(self.first) else {
            return (word, true);
        };
        match self.like.get(at as usize) {
            Some(&Some(known)) => (known, true),
            _ => (self.unknown, false),
        }
    }
}

impl Mappable for Spelling {
    type Error = GraphError;

    fn map(path: &Path) -> Result<Self, GraphError> {
        Spelling::open(path)
    }

    fn map_checked(path: &Path) -> Result<Self, GraphError> {
        Spelling::open_checked(path)
    }

    fn load(path: &Path) -> Result<Self, GraphError> {
        Spelling::load(path)
    }
}
