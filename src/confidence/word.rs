//! What tells whether one word is right: the lattice, at the word and around it.

use serde::Serialize;

use super::evidence::{Evidence, log_odds};

/// Number of inputs of a word's calibration.
pub const WORD_FEATURES: usize = 7;

/// What is known of one word of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WordEvidence {
    /// The probability that the word is right, by the lattice alone; in [0, 1].
    pub posterior: f64,
    /// The same of the word before it; 1 where it is the first.
    pub before: f64,
    /// The same of the word after it; 1 where it is the last.
    pub after: f64,
    /// How long the word lasts, in seconds.
    pub seconds: f64,
    /// Characters of its spelling.
    pub letters: u32,
}

impl WordEvidence {
    /// The inputs of a calibration, all finite; `answer` is what is known of all words together.
    pub fn features(&self, answer: &Evidence) -> [f64; WORD_FEATURES] {
        [
            log_odds(self.posterior),
            log_odds(self.before),
            log_odds(self.after),
            (self.seconds.max(0.0) + 0.03).ln(),
            f64::from(self.letters + 1).ln(),
            answer.expected_errors / f64::from(answer.words.max(1)),
            (answer.acoustic_gap / f64::from(answer.frames.max(1)) + 1e-3).ln(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_finite_whatever_is_known() {
        for posterior in [0.0, 0.5, 1.0] {
            let word = WordEvidence {
                posterior,
                before: 0.0,
                after: 1.0,
                seconds: 0.0,
                letters: 0,
            };
            let features = word.features(&Evidence::default());
            assert!(features.iter().all(|x| x.is_finite()), "{features:?}");
        }
    }
}
