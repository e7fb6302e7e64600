//! What several channels of one recording say, in one order: turns, each of one channel.

use super::transcript::expected_right;
use crate::recognizer::{Transcript, TranscriptWord};

/// A longer pause ends a turn where another channel speaks, in seconds.
const PAUSE: f64 = 0.6;

/// What one channel says until another does.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn<'t> {
    /// The channel, the first being 1.
    pub channel: usize,
    /// Its words.
    pub words: Vec<&'t TranscriptWord>,
}

impl Turn<'_> {
    /// The words with one space between them.
    pub fn text(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(|word| word.word.as_str()).collect();
        words.join(" ")
    }

    /// The share of its words that is expected to be right; none where nothing is known.
    pub fn expected_right(&self) -> Option<f64> {
        expected_right(self.words.iter().copied())
    }
}

/// The turns of channels' transcripts, the first channel's first, by when they begin. Who speaks on
/// while another does keeps the turn until a pause.
pub fn turns(channels: &[Transcript]) -> Vec<Turn<'_>> {
    let mut phrases: Vec<(f64, Turn<'_>)> = Vec::new();
    for (index, transcript) in channels.iter().enumerate() {
        let pause = |a: &TranscriptWord, b: &TranscriptWord| b.start.0 - a.end.0 < PAUSE;
        for phrase in transcript.words.chunk_by(pause) {
            let turn = Turn { channel: index + 1, words: phrase.iter().collect() };
            phrases.push((phrase[0].start.0, turn));
        }
    }
    phrases.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for (_, phrase) in phrases {
        match turns.last_mut() {
            Some(last) if last.channel == phrase.channel => last.words.extend(phrase.words),
            _ => turns.push(phrase),
        }
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Seconds;

    fn transcript(words: &[(&str, f64, f64)]) -> Transcript {
        let word = |&(word, start, end): &(&str, f64, f64)| TranscriptWord {
            word: word.into(),
            start: Seconds(start),
            end: Seconds(end),
            confidence: Some(1.0),
        };
        Transcript { words: words.iter().map(word).collect(), ..Transcript::default() }
    }

    #[test]
    fn words_of_channels_are_merged_by_phrases() {
        let first = transcript(&[
            ("hello", 0.0, 0.5),
            ("there", 0.5, 1.0),
            ("and", 3.0, 3.2),
            ("well", 8.0, 8.5),
        ]);
        let second = transcript(&[("hi", 0.7, 1.1), ("yes", 4.0, 4.3)]);
        let channels = [first, second, Transcript::default()];
        let all: Vec<_> = turns(&channels)
            .iter()
            .map(|turn| format!("{}: {}", turn.channel, turn.text()))
            .collect();
        assert_eq!(all, ["1: hello there", "2: hi", "1: and", "2: yes", "1: well"]);
        assert!(turns(&[]).is_empty());
    }
}
