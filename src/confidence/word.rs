//! The measurements that predict whether one word is right: the lattice at the word and around it,
//! how well the word fits its sound and its neighbours, and what is known of the whole answer.

use super::evidence::{Evidence, FEATURES, log_odds};
use crate::decode::WordFit;

/// Measurements of a word by itself.
const OWN: usize = 9;
/// A word's graph cost beyond which more of it says nothing new.
const MOST_GRAPH_COST: f64 = 30.0;
/// Number of inputs of a word's calibration.
pub const WORD_FEATURES: usize = OWN + 2 * FEATURES;

/// Measurements of one word of an answer: the inputs of its calibration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WordEvidence {
    /// The probability that the word is right, by all paths of the lattice; in [0, 1].
    pub posterior: f64,
    /// The same by the best word sequences.
    pub listed: f64,
    /// The probability by all paths of the word before; 1 for the first word.
    pub before: f64,
    /// The same for the word after; 1 for the last word.
    pub after: f64,
    /// How long the word lasts, in seconds.
    pub seconds: f64,
    /// Characters of its spelling.
    pub letters: u32,
    /// How well the word fits; a phrase that was heard as one word fits as a whole.
    pub fit: WordFit,
    /// Measurements of the segment that the word was heard in.
    pub answer: Evidence,
}

impl WordEvidence {
    /// Of a word of a segment. How long the word lasts is rounded to the millisecond, so that it is
    /// the same wherever the word stands.
    #[cfg(feature = "speech")]
    pub(crate) fn new(
        findings: &super::Findings,
        at: usize,
        (text, seconds): (&str, f64),
        answer: Evidence,
    ) -> Self {
        let posteriors = &findings.risk.words;
        WordEvidence {
            posterior: posteriors[at],
            listed: findings.listed.words[at],
            before: at.checked_sub(1).map_or(1.0, |before| posteriors[before]),
            after: posteriors.get(at + 1).copied().unwrap_or(1.0),
            seconds: (seconds * 1000.0).round() / 1000.0,
            letters: text.chars().count() as u32,
            fit: findings.fits[at],
            answer,
        }
    }

    /// The inputs of a calibration, all finite: the word's own, the answer's, and the answer's
    /// times the word's log odds, since the lattice is to be believed less in a noise than in
    /// silence.
    pub fn features(&self) -> [f64; WORD_FEATURES] {
        let odds = log_odds(self.posterior);
        let WordFit { frames, acoustic_gap, graph_cost, rivals } = self.fit;
        let frames = f64::from(frames.max(1));
        let own = [
            odds,
            log_odds(self.listed),
            log_odds(self.before),
            log_odds(self.after),
            (self.seconds.max(0.0) + 0.03).ln(),
            f64::from(self.letters + 1).ln(),
            (acoustic_gap.max(0.0) / frames + 0.05).ln(),
            graph_cost.clamp(-MOST_GRAPH_COST, MOST_GRAPH_COST),
            rivals / frames,
        ];
        let answer = self.answer.features();
        let mut features = [0.0; WORD_FEATURES];
        let all = own.into_iter().chain(answer).chain(answer.map(|value| value * odds));
        features.iter_mut().zip(all).for_each(|(feature, value)| *feature = value);
        features
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
                listed: 1.0 - posterior,
                before: 0.0,
                after: 1.0,
                seconds: 0.0,
                letters: 0,
                fit: WordFit::default(),
                answer: Evidence::default(),
            };
            let features = word.features();
            assert!(features.iter().all(|x| x.is_finite()), "{features:?}");
        }
    }
}
