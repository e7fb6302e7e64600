//! How well a text can be broken between two words: after a pause, and not between an article and
//! its noun.

use crate::recognizer::TranscriptWord;

/// Words that belong to what follows them.
const LEANING: &[&str] = &[
    "a", "an", "the", "of", "to", "in", "on", "at", "by", "for", "from", "with", "into", "as",
    "and", "or", "but", "nor", "if", "that", "than", "my", "your", "his", "her", "its", "our",
    "their", "this", "these", "those", "no", "not", "very", "i", "he", "she", "we", "they", "is",
    "are", "was", "were", "be", "been", "has", "have", "had", "will", "would", "can", "could",
    "should", "must", "may", "might", "do", "does", "did", "mr", "mrs", "dr",
];

/// Words that begin phrases.
const OPENING: &[&str] = &[
    "and", "or", "but", "because", "so", "if", "when", "while", "where", "which", "who", "that",
    "than", "then", "though", "although", "until", "before", "after", "since", "as", "of", "to",
    "in", "on", "at", "by", "for", "from", "with", "into",
];

/// Seconds of a pause that counts for one.
const PAUSE: f64 = 0.3;
/// Most that a pause counts.
const MOST_FOR_PAUSE: f64 = 5.0;

/// What it costs to break between two words; less is better, below zero is a good place.
pub(super) fn break_cost(before: &TranscriptWord, after: &TranscriptWord) -> f64 {
    let pause = (after.start.0 - before.end.0).max(0.0) / PAUSE;
    let leans = f64::from(u8::from(LEANING.contains(&before.word.as_str())));
    let opens = f64::from(u8::from(OPENING.contains(&after.word.as_str())));
    let ends = f64::from(u8::from(before.word.ends_with(['.', '?', '!', ','])));
    1.5 * leans - 0.75 * opens - 2.0 * ends - pause.min(MOST_FOR_PAUSE)
}
