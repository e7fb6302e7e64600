//! The measurements that predict whether one word is right: the lattice at the word and around it.

use serde::{Deserialize, Serialize};

use super::evidence::log_odds;

/// Number of inputs of a word's calibration.
pub const WORD_FEATURES: usize = 7;

/// Measurements of one word of an answer: the inputs of its calibration.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WordEvidence {
    /// The probability that the word is right, by the lattice alone; in [0, 1].
    pub posterior: f64,
    /// The same for the word before; 1 for the first word.
    pub before: f64,
    /// The same for the word after; 1 for the last word.
    pub after: f64,
    /// How long the word lasts, in seconds.
    pub seconds: f64,
    /// Characters of its spelling.
    pub letters: u32,
    /// Expected errors of the whole answer, for each of its words.
    pub answer_errors: f64,
    /// The answer's mean gap per frame between the best score and the score on its path.
    pub answer_gap: f64,
}

impl WordEvidence {
    /// The inputs of a calibration, all finite.
    pub fn features(&self) -> [f64; WORD_FEATURES] {
        [
            log_odds(self.posterior),
            log_odds(self.before),
            log_odds(self.after),
            (self.seconds.max(0.0) + 0.03).ln(),
            f64::from(self.letters + 1).ln(),
            self.answer_errors,
            (self.answer_gap.max(0.0) + 1e-3).ln(),
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
                answer_errors: 0.0,
                answer_gap: 0.0,
            };
            let features = word.features();
            assert!(features.iter().all(|x| x.is_finite()), "{features:?}");
        }
    }
}
