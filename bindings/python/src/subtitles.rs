//! Words as subtitles, and with numbers in digits.

use paretone::TranscriptWord;
use paretone::confidence::Confidence;
use paretone::recognizer::Transcript;
use paretone::recognizer::subtitle::{write_srt, write_vtt};
use paretone::units::Seconds;
use pyo3::prelude::*;

/// A word, its start, its end and its confidence.
type Word = (String, f64, f64, Option<f64>);

/// Words as `srt` or `vtt`; `right` is the probability that all of them are right.
///
/// # Errors
/// None: text is written to memory.
#[pyfunction]
pub fn subtitles(words: Vec<Word>, right: Option<f64>, vtt: bool) -> PyResult<String> {
    let mut transcript = transcript(words);
    let improvable = 0.0;
    transcript.confidence = right.map(|right| Confidence { right, improvable });
    let mut text = Vec::new();
    match vtt {
        true => write_vtt(&mut text, &transcript)?,
        false => write_srt(&mut text, &transcript)?,
    }
    Ok(String::from_utf8(text)?)
}

/// The same words with numbers, money, dates, times and units as people write them.
#[pyfunction]
pub fn digits(words: Vec<Word>) -> Vec<Word> {
    let written = transcript(words).in_digits().words.into_iter();
    let word = |word: TranscriptWord| (word.word, word.start.0, word.end.0, word.confidence);
    written.map(word).collect()
}

fn transcript(words: Vec<Word>) -> Transcript {
    let word = |(word, start, end, confidence)| TranscriptWord {
        word,
        start: Seconds(start),
        end: Seconds(end),
        confidence,
    };
    let words = words.into_iter().map(word).collect();
    Transcript { words, ..Transcript::default() }
}
