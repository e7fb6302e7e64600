//! Endpointing: rules that decide from the search so far when a speaker has finished.
//!
//! These are Kaldi's rules (`online2/online-endpoint.h`): an utterance ends as soon as one of them
//! holds. A short silence is enough if the language model finds the end of a sentence likely;
//! otherwise a longer one is needed.

use crate::decode::SoFar;
use crate::units::{Cost, Seconds};

/// What must have been heard before a rule may end an utterance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// At least one word.
    Words,
    /// Words or nothing at all.
    Anything,
}

/// One way for an utterance to end: all of this holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EndRule {
    /// What must have been heard.
    pub after: After,
    /// The best path must end in at least this much silence. Larger: slower to answer, cuts fewer
    /// sentences.
    pub silence: Seconds,
    /// The cheapest path that can end here may cost at most this much more than the best path.
    /// Smaller: the rule holds only where the sentence is likely to be complete. Infinite: it holds
    /// anywhere.
    pub end_margin: Cost,
    /// The utterance must be at least this long.
    pub length: Seconds,
}

/// When utterances end, other than with the stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpointing {
    /// The first that holds ends the utterance; without rules, none ends before
    /// [`LONGEST`](super::LONGEST).
    pub rules: Vec<EndRule>,
}

impl Endpointing {
    /// No utterance ends but with the stream, or where a recording of its length would be cut.
    pub const OFF: Endpointing = Endpointing { rules: Vec::new() };
}

impl Default for Endpointing {
    /// Kaldi's five: 5 s of silence before any word; 0.5 s after words where the sentence may well
    /// end (a margin of 2), 1 s where it may (8), 2 s anywhere; and 20 s of speech.
    fn default() -> Self {
        use After::{Anything, Words};
        let rule = |after, silence, end_margin, length| EndRule {
            after,
            silence: Seconds(silence),
            end_margin: Cost(end_margin),
            length: Seconds(length),
        };
        let any = f32::INFINITY;
        Endpointing {
            rules: vec![
                rule(Anything, 5.0, any, 0.0),
                rule(Words, 0.5, 2.0, 0.0),
                rule(Words, 1.0, 8.0, 0.0),
                rule(Words, 2.0, any, 0.0),
                rule(Anything, 0.0, any, 20.0),
            ],
        }
    }
}

impl Endpointing {
    /// Whether an utterance of this length ends, given what was heard in score frames of `shift`.
    pub(super) fn ends(&self, heard: &SoFar, shift: Seconds, length: Seconds) -> bool {
        let silence = Seconds(f64::from(heard.silence) * shift.0);
        let holds = |rule: &EndRule| {
            (rule.after == After::Anything || !heard.words.is_empty())
                && silence >= rule.silence
                && heard.end_margin <= rule.end_margin
                && length >= rule.length
        };
        self.rules.iter().any(holds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Word;
    use crate::units::WordId;

    fn ends(words: usize, silence: u32, end_margin: f32, length: f64) -> bool {
        let word = Word { id: WordId(7), start: 0, end: 5 };
        let heard = SoFar {
            words: vec![word; words],
            agreed: 0,
            silence,
            end_margin: Cost(end_margin),
            frames: 10,
        };
        Endpointing::default().ends(&heard, Seconds(0.03), Seconds(length))
    }

    #[test]
    fn kaldis_rules() {
        let none = f32::INFINITY;
        assert!(!ends(0, 166, 0.0, 4.9) && ends(0, 167, none, 5.1));
        assert!(!ends(2, 16, 1.9, 3.0) && ends(2, 17, 1.9, 3.0));
        assert!(!ends(2, 33, 7.9, 3.0) && ends(2, 34, 7.9, 3.0));
        assert!(!ends(2, 66, none, 3.0) && ends(2, 67, none, 3.0));
        assert!(!ends(2, 0, none, 19.9) && ends(2, 0, none, 20.0));
    }
}
