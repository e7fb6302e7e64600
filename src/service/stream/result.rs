//! What a stream answers: vosk-server's results, with an account beside them.
//!
//! A partial result says how many of its words are `agreed` on, and a result carries its account.
//! With `max_alternatives` a result is a list: first the tier's answer, then what else the version
//! that gave it may have heard, by probability.

use serde::Serialize;

use crate::recognizer::{Alternative, Guess, Transcript, TranscriptWord};
use crate::service::answer::Account;

/// What a stream answers while an utterance goes on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Partial {
    /// The words so far.
    partial: String,
    /// How many of them, from the first, all paths of the search agree on.
    agreed: usize,
}

impl From<Guess> for Partial {
    fn from(guess: Guess) -> Self {
        Partial { partial: guess.text(), agreed: guess.agreed }
    }
}

/// What a stream answers when utterances have ended.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Final {
    /// The words with their times from the beginning of the stream; left out where there are none,
    /// as vosk-server does, or none were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub result: Vec<FinalWord>,
    /// The words with one space between them.
    pub text: String,
    /// How probably every word is right, by the least sure of the utterances; left out where it is
    /// not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// By utterance, how the tier came by its words; empty where a version was named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<Account>,
    /// What else may have been said in all utterances.
    #[serde(skip)]
    others: Option<Vec<Alternative>>,
}

/// What a stream answers when utterances have ended, where alternatives were asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Alternatives {
    alternatives: Vec<Listed>,
}

/// One of several answers.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum Listed {
    /// The tier's.
    Best(Final),
    /// Another one.
    Other {
        /// Its words.
        text: String,
        /// The calibrated probability that these are the words; left out where the version is not
        /// calibrated.
        #[serde(skip_serializing_if = "Option::is_none")]
        confidence: Option<f64>,
        /// The words with their times; left out where there are none, or none were asked for.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        result: Vec<OtherWord>,
    },
}

impl Alternatives {
    /// The answer and what else may have been said, at most so many in all.
    pub fn new(mut best: Final, most: usize, words: bool) -> Self {
        let others = best.others.take().unwrap_or_default();
        let others = others.into_iter().map(|other| Listed::Other {
            text: other.words.join(" "),
            confidence: other.confidence,
            result: match words {
                true => OtherWord::of(&other),
                false => Vec::new(),
            },
        });
        let is_other = |listed: &Listed| match listed {
            Listed::Other { text, .. } => *text != best.text,
            Listed::Best(_) => true,
        };
        let others: Vec<Listed> = others.filter(is_other).collect();
        let mut alternatives = vec![Listed::Best(best)];
        alternatives.extend(others);
        alternatives.truncate(most.max(1));
        Alternatives { alternatives }
    }
}

/// A word of another answer, as vosk-server has it there: without a probability of its own.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OtherWord {
    end: f64,
    start: f64,
    word: String,
}

impl OtherWord {
    fn of(other: &Alternative) -> Vec<OtherWord> {
        let words = other.words.iter().zip(&other.times);
        let words = words.map(|(word, time)| OtherWord {
            end: time.end.0,
            start: time.start.0,
            word: word.clone(),
        });
        words.collect()
    }
}

/// A word as vosk-server has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FinalWord {
    /// The calibrated probability that it is right; left out where the version is not calibrated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conf: Option<f64>,
    /// In seconds from the beginning of the stream.
    pub end: f64,
    /// In seconds from the beginning of the stream.
    pub start: f64,
    /// The word.
    pub word: String,
}

impl Final {
    /// Appends an utterance: more than one may end in the audio of one message, and the message has
    /// one answer.
    pub fn append(&mut self, heard: &Transcript, words: bool) {
        let text = heard.text();
        if !self.text.is_empty() && !text.is_empty() {
            self.text.push(' ');
        }
        self.text += &text;
        if words {
            self.result.extend(heard.words.iter().map(FinalWord::from));
        }
        let sure = heard.confidence.map(|confidence| confidence.right);
        self.confidence = match (self.confidence, sure) {
            (Some(before), Some(now)) => Some(before.min(now)),
            (before, now) => before.or(now),
        };
    }

    /// Takes the best answers to an utterance, at most so many; those of all utterances are
    /// combined.
    pub fn append_alternatives(&mut self, these: Vec<Alternative>, most: usize) {
        self.others = Some(match self.others.take() {
            None => these,
            Some(before) => Alternative::combined(&before, &these, most),
        });
    }
}

impl From<&TranscriptWord> for FinalWord {
    fn from(word: &TranscriptWord) -> Self {
        FinalWord {
            conf: word.confidence,
            end: word.end.0,
            start: word.start.0,
            word: word.word.clone(),
        }
    }
}
