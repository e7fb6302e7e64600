//! The table of heard words: what was known of each, how sure the recogniser was of it, and whether
//! it was right.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::outcomes::{MissingCounter, evidence, micros};
use crate::confidence::{Evidence, WordEvidence};
use crate::decode::WordFit;
use crate::eval::{Judged, Judging, Scored};
use crate::recognizer::Transcript;
use crate::tiers::Table;

/// What no amount of a word reaches; larger ones could not be averaged.
const MOST: f64 = 1e9;

/// One word that a version heard: a row of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeardWord {
    /// The utterance.
    pub id: String,
    /// The set of the utterance.
    #[serde(default)]
    pub set: String,
    /// The version's name.
    pub version: String,
    /// 1 if the word was said there, 0 if not.
    pub right: u8,
    /// How sure the recogniser was.
    pub confidence: f64,
    /// By the lattice alone.
    pub posterior: f64,
    listed: f64,
    before: f64,
    after: f64,
    seconds: f64,
    letters: u32,
    frames: u32,
    acoustic_gap: f64,
    graph_cost: f64,
    rivals: f64,
}

impl HeardWord {
    fn new(
        version: &str,
        Scored { id, set, .. }: &Scored,
        evidence: &WordEvidence,
        confidence: f64,
        right: bool,
    ) -> HeardWord {
        HeardWord {
            id: id.clone(),
            set: set.clone(),
            version: version.to_owned(),
            right: u8::from(right),
            confidence: micros(confidence),
            posterior: micros(evidence.posterior),
            listed: micros(evidence.listed),
            before: micros(evidence.before),
            after: micros(evidence.after),
            seconds: micros(evidence.seconds),
            letters: evidence.letters,
            frames: evidence.fit.frames,
            acoustic_gap: micros(evidence.fit.acoustic_gap),
            graph_cost: micros(evidence.fit.graph_cost),
            rivals: micros(evidence.fit.rivals),
        }
    }

    /// What was known of the word, given what was known of its answer.
    fn evidence(&self, answer: Evidence) -> WordEvidence {
        WordEvidence {
            posterior: self.posterior,
            listed: self.listed,
            before: self.before,
            after: self.after,
            seconds: self.seconds,
            letters: self.letters,
            fit: WordFit {
                frames: self.frames,
                acoustic_gap: self.acoustic_gap,
                graph_cost: self.graph_cost,
                rivals: self.rivals,
            },
            answer,
        }
    }

    /// Whether every number is what it should be.
    fn is_sound(&self) -> bool {
        let shares = [self.confidence, self.posterior, self.listed, self.before, self.after];
        self.right <= 1
            && shares.iter().all(|share| (0.0..=1.0).contains(share))
            && [self.seconds, self.acoustic_gap, self.graph_cost.abs(), self.rivals]
                .iter()
                .all(|amount| (0.0..MOST).contains(amount))
    }
}

/// The rows of one answer; none where normalising changed its letters beyond recognition.
pub fn heard_words(
    version: &str,
    transcript: &Transcript,
    judged: &Judged,
    judging: &Judging,
) -> Vec<HeardWord> {
    let spelt = |word: &str| judging.words(word).concat();
    let heard: Vec<String> = transcript.words.iter().map(|w| spelt(&w.word)).collect();
    let Some(verdicts) = judged.right_words(&heard) else {
        return Vec::new();
    };
    let known = transcript.word_evidence.iter().zip(&transcript.words);
    let rows = known.zip(verdicts).filter_map(|((known, word), right)| {
        let confidence = word.confidence.unwrap_or(known.posterior);
        Some(HeardWord::new(version, &judged.scored, known, confidence, right?))
    });
    rows.collect()
}

/// What was known of the answers that words were heard in: by version and utterance.
pub struct Answers<'t> {
    table: &'t Table,
    places: HashMap<&'t str, usize>,
}

/// Why nothing is known of a word's answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The outcomes are of other speech or of other versions than the words.
    #[error(
        "the outcomes have no answer of {version} to {id}, of which there are words; take the outcomes and the words of one `paretone bench`"
    )]
    Unknown {
        /// The version.
        version: String,
        /// The utterance.
        id: String,
    },
    /// The outcomes do not say what was known of an answer.
    #[error(transparent)]
    Counter(#[from] MissingCounter),
}

impl<'t> Answers<'t> {
    /// Those in a table of outcomes.
    pub fn of(table: &'t Table) -> Self {
        let places = table.requests.iter().enumerate();
        Answers { table, places: places.map(|(at, request)| (request.id.as_str(), at)).collect() }
    }

    /// What was known of a word.
    ///
    /// # Errors
    /// The outcomes have no such answer, or lack a counter.
    pub fn evidence(&self, word: &HeardWord) -> Result<WordEvidence, AnswerError> {
        let mut versions = self.table.versions.iter();
        let version = versions.find(|version| version.name == word.version);
        let (Some(version), Some(&place)) = (version, self.places.get(word.id.as_str())) else {
            let (version, id) = (word.version.clone(), word.id.clone());
            return Err(AnswerError::Unknown { version, id });
        };
        Ok(word.evidence(evidence(self.table, version, place)?))
    }
}

/// Why a table of heard words cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WordsError {
    /// The file cannot be read or written, or is no such table.
    #[error("the table of words {} cannot be used; write it with `paretone bench --words`", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// What went wrong, with the line.
        source: csv::Error,
    },
    /// A number is not what its column asks for.
    #[error("{}: row {row} has a number out of range", path.display())]
    Range {
        /// The file.
        path: PathBuf,
        /// Number of the row, from 1, the header left out.
        row: usize,
    },
}

impl WordsError {
    fn csv(path: &Path) -> impl Fn(csv::Error) -> WordsError {
        |source| WordsError::Csv { path: path.into(), source }
    }
}

/// Writes the table.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, words: &[HeardWord]) -> Result<(), WordsError> {
    let error = WordsError::csv(path);
    let mut writer = csv::Writer::from_path(path).map_err(&error)?;
    for word in words {
        writer.serialize(word).map_err(&error)?;
    }
    writer.flush().map_err(|io| error(io.into()))
}

/// Reads the table.
///
/// # Errors
/// The file cannot be read, or a row is not what [`write()`] makes.
pub fn read(path: &Path) -> Result<Vec<HeardWord>, WordsError> {
    let file = File::open(path).map_err(|io| WordsError::csv(path)(io.into()))?;
    parse(file, path)
}

/// Reads the table from bytes found at `path`.
///
/// # Errors
/// As [`read()`].
pub fn parse(bytes: impl Read, path: &Path) -> Result<Vec<HeardWord>, WordsError> {
    let error = WordsError::csv(path);
    let mut reader = csv::Reader::from_reader(bytes);
    let mut words = Vec::new();
    for (at, row) in reader.deserialize().enumerate() {
        let word: HeardWord = row.map_err(&error)?;
        if !word.is_sound() {
            let (path, row) = (path.into(), at + 1);
            return Err(WordsError::Range { path, row });
        }
        words.push(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::ErrorCounts;

    fn word(posterior: f64) -> HeardWord {
        let evidence = WordEvidence {
            posterior,
            listed: 0.875,
            before: 1.0,
            after: 0.25,
            seconds: 0.31,
            letters: 5,
            fit: WordFit { frames: 10, acoustic_gap: 2.5, graph_cost: -0.5, rivals: 31.25 },
            answer: Evidence::default(),
        };
        let scored = Scored {
            id: "a".into(),
            speaker: String::new(),
            accent: String::new(),
            set: "dev".into(),
            counts: ErrorCounts::default(),
        };
        HeardWord::new("v1", &scored, &evidence, 0.625, true)
    }

    #[test]
    fn words_are_written_and_read_back() {
        let path = std::env::temp_dir().join(format!("paretone-words-{}.csv", std::process::id()));
        let words = [word(0.5), word(1.0)];
        write(&path, &words).unwrap();
        assert_eq!(read(&path).unwrap(), words);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("0.5", "NaN")).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("row 1"));
        std::fs::remove_file(&path).unwrap();
    }
}
