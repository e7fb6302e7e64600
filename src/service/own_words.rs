//! Words that a caller brings along: the fields `words` and `prompt` of a form, a stream's
//! `phrase_list`.
//!
//! A list becomes a recogniser of its own, whose graph has the words in it
//! ([`Recognizer::with_words`]). It is made once for each list, by its content, and kept for the
//! requests to come. Each takes the memory of a graph, so that there are few: one that nobody uses
//! gives way to a new one, and where all are in use a request is told to come again. One is made at
//! a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use xxhash_rust::xxh3::xxh3_128;

use super::error::Rejection;
use crate::WithCauses;
use crate::recognizer::{ANY_OTHER, Recognizer, RecognizerError, WordList};

/// Most words and phrases of a request.
pub const MOST_WORDS: usize = 1000;
/// Largest list, in bytes; of a longer prompt the rest is passed over.
pub const LARGEST_LIST: usize = 64 << 10;
/// Words of a piece of a prompt that is taken for one phrase; a longer one is a sentence.
const PHRASE: usize = 4;
/// When a request that finds all graphs in use should come again.
const RETRY: Duration = Duration::from_secs(2);
/// How often one that waits looks whether a graph is free.
const LOOK: Duration = Duration::from_millis(20);

/// What a caller says of the words to expect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnWords {
    /// A list as `transcribe --words` reads it, whose every line must be usable.
    pub list: String,
    /// Words, phrases and sentences, in which what cannot be used is passed over.
    pub prompt: String,
    /// Phrases, of which those that cannot be used are passed over.
    pub phrases: Vec<String>,
}

/// The recognisers that were made for lists, the latest used last.
pub struct WordGraphs {
    most: usize,
    kept: Mutex<Vec<(u128, Arc<Recognizer>)>>,
    /// Held by who makes one.
    making: tokio::sync::Mutex<()>,
}

impl OwnWords {
    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        !self.is_order() && self.prompt.trim().is_empty() && self.phrases.is_empty()
    }

    /// Whether some words are ordered, not only wished for.
    fn is_order(&self) -> bool {
        !self.list.trim().is_empty()
    }

    /// By which the same words are known again.
    fn key(&self) -> u128 {
        xxh3_128(format!("{self:?}").as_bytes())
    }

    /// The words, as far as the recogniser can use them.
    ///
    /// # Errors
    /// The list is damaged or too long.
    fn entries(&self, recognizer: &Recognizer) -> Result<WordList, Rejection> {
        let list = WordList::from_reader(self.list.as_bytes(), "words");
        let mut list =
            list.map_err(|error| Rejection::BadRequest(WithCauses(&error).to_string()))?;
        let prompt = phrases(&self.prompt, |word| recognizer.knows(word));
        let phrases = self.phrases.iter().filter(|phrase| *phrase != ANY_OTHER).cloned();
        let wished = phrases.chain(prompt);
        for phrase in wished.take(MOST_WORDS) {
            let one = WordList::from_reader(format!("{phrase}\t\n").as_bytes(), "prompt");
            if let Some(one) = one.ok().filter(|_| is_usable(recognizer, &phrase)) {
                list.append(one);
            }
        }
        match list.entries().len() > MOST_WORDS {
            false => Ok(list),
            true => Err(Rejection::BadRequest(format!(
                "a request has at most {MOST_WORDS} words and phrases; make a model of more with `paretone adapt`"
            ))),
        }
    }
}

/// Whether it is known how each word of a phrase is said.
fn is_usable(recognizer: &Recognizer, phrase: &str) -> bool {
    let is_said = |word| {
        let said = recognizer.pronunciations(word);
        said.is_ok_and(|said| !said.is_empty())
    };
    phrase.split(' ').all(is_said)
}

/// What a prompt names: short pieces between commas, ends of lines and of sentences as they are,
/// and of longer ones, which are sentences, the words that the model does not know.
fn phrases(prompt: &str, knows: impl Fn(&str) -> bool) -> Vec<String> {
    let mut phrases: Vec<String> = Vec::new();
    let mut put = |phrase: String| {
        let is_room = phrases.len() < MOST_WORDS;
        if is_room && !phrase.is_empty() && !phrases.contains(&phrase) {
            phrases.push(phrase);
        }
    };
    let is_end = |letter: char| ",;:\n\r!?|".contains(letter);
    let pieces = prompt.split(is_end).flat_map(|piece| piece.split(". "));
    for piece in pieces {
        let is_mark = |letter: char| !letter.is_alphanumeric();
        let words = piece.split_whitespace().map(|word| word.trim_matches(is_mark));
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        match words.len() <= PHRASE {
            true => put(words.join(" ")),
            false => {
                let new = words.into_iter().filter(|word| !knows(word));
                new.for_each(|word| put(word.to_owned()));
            }
        }
    }
    phrases
}

impl WordGraphs {
    /// At most so many, and none where that is 0.
    pub fn new(most: usize) -> Self {
        WordGraphs { most, kept: Mutex::default(), making: tokio::sync::Mutex::default() }
    }

    /// The recogniser with a caller's words; `None` where there are none, or none that can be used.
    /// It waits for others to be made, up to `due`.
    ///
    /// # Errors
    /// The words cannot be used, the service takes none, or too many lists are in use.
    pub async fn recognizer(
        &self,
        base: &Arc<Recognizer>,
        words: OwnWords,
        due: Instant,
    ) -> Result<Option<Arc<Recognizer>>, Rejection> {
        if words.is_empty() {
            return Ok(None);
        }
        if self.most == 0 {
            // A prompt is a wish, a list is an order.
            return match words.is_order() {
                false => Ok(None),
                true => Err(Rejection::Unprocessable(
                    "this service takes no words (--max-word-lists is 0)".into(),
                )),
            };
        }
        let key = words.key();
        if let Some(known) = self.known(key) {
            return Ok(Some(known));
        }
        let turn = tokio::time::timeout_at(due.into(), self.making.lock()).await;
        let _turn = turn.map_err(|_| Rejection::Late)?;
        if let Some(known) = self.known(key) {
            return Ok(Some(known));
        }
        self.make_room(due).await?;
        let base = Arc::clone(base);
        let make = tokio::task::spawn_blocking(move || made(&base, &words));
        let made = make.await.map_err(|error| Rejection::Internal(error.to_string()))??;
        if let Some(made) = &made {
            self.kept().push((key, Arc::clone(made)));
        }
        Ok(made)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.kept().len()
    }

    fn kept(&self) -> MutexGuard<'_, Vec<(u128, Arc<Recognizer>)>> {
        // No panic leaves the list half written.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, key: u128) -> Option<Arc<Recognizer>> {
        let mut kept = self.kept();
        let at = kept.iter().position(|(known, _)| *known == key)?;
        let latest = kept.remove(at);
        let found = Arc::clone(&latest.1);
        kept.push(latest);
        Some(found)
    }

    /// Makes room for another list; where all are in use it waits a little for one that is not.
    async fn make_room(&self, due: Instant) -> Result<(), Rejection> {
        let patience = due.min(Instant::now() + RETRY);
        while !self.has_room() {
            if Instant::now() >= patience {
                let most = self.most;
                return Err(Rejection::Busy {
                    reason: format!("{most} lists of words are in use, as many as may be"),
                    retry_after: RETRY,
                });
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Forgets the list that was used longest ago and is not in use, where there are as many as may
    /// be.
    fn has_room(&self) -> bool {
        let mut kept = self.kept();
        if kept.len() < self.most {
            return true;
        }
        let free = kept.iter().position(|(_, one)| Arc::strong_count(one) == 1);
        free.map(|free| kept.remove(free)).is_some()
    }
}

/// The recogniser with words; `None` where none can be used.
fn made(base: &Recognizer, words: &OwnWords) -> Result<Option<Arc<Recognizer>>, Rejection> {
    if !words.phrases.is_empty() && base.is_of_vosk() {
        // As in vosk-server, such a list is all that is heard.
        return base.with_phrases(&words.phrases).map(|made| Some(Arc::new(made))).map_err(
            |error| Rejection::Unprocessable(format!("phrase_list: {}", WithCauses(&error))),
        );
    }
    let list = words.entries(base)?;
    if list.is_empty() {
        return Ok(None);
    }
    match base.with_brought_words(&list) {
        Ok(made) => Ok(Some(Arc::new(made))),
        // What is only wished for needs not be, where the model takes no words.
        Err(error) if !words.is_order() => {
            tracing::warn!("words are passed over: {}", WithCauses(&error));
            Ok(None)
        }
        Err(
            error
            @ (RecognizerError::Unpronounceable { .. } | RecognizerError::UnknownPhone { .. }),
        ) => Err(Rejection::BadRequest(error.to_string())),
        Err(error) => {
            let why = WithCauses(&error);
            Err(Rejection::Unprocessable(format!("the model takes no words: {why}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_name_phrases_and_sentences_unknown_words() {
        let knows = |word: &str| {
            let word = word.to_lowercase();
            "we meet doctor lovelace and her friends today ada"
                .split(' ')
                .any(|known| known == word)
        };
        let said = |prompt: &str| phrases(prompt, knows);
        assert_eq!(said("Paretone, Ada Lovelace\n\"Zyx\""), ["Paretone", "Ada Lovelace", "Zyx"]);
        assert_eq!(
            said("Today we meet Doctor Kowalczyk and her friends. Kowalczyk!"),
            ["Kowalczyk"]
        );
        assert!(said(" ,, \n. ").is_empty());
        assert!(said("we meet and her friends today").is_empty());
    }
}
