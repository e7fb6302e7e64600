//! Confidence intervals of word error rates by the speaker bootstrap.
//!
//! The errors of one speaker's utterances are correlated, so whole speakers are drawn with
//! replacement (Bisani and Ney 2004, "Bootstrap estimates for confidence intervals in ASR
//! performance evaluation", with speakers as the unit); the interval holds the middle 95 % of the
//! rates of the resampled corpora.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::quantile::quantile;
use super::wer::{ErrorCounts, Scored};

/// How the bootstrap draws.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct BootstrapOptions {
    /// Resampled corpora; larger: slower, steadier. Default: 10,000.
    pub draws: usize,
    /// Share of the rates inside the interval, between 0 and 1. Default: 0.95.
    pub level: f64,
    /// Seed of the random numbers: equal seeds give equal intervals. Default: 1.
    pub seed: u64,
}

impl BootstrapOptions {
    /// How many corpora are drawn; see [`BootstrapOptions::draws`].
    pub fn draws(self, draws: usize) -> Self {
        BootstrapOptions { draws, ..self }
    }

    /// The share of rates inside the interval; see [`BootstrapOptions::level`].
    pub fn level(self, level: f64) -> Self {
        BootstrapOptions { level, ..self }
    }

    /// The seed of the draws; see [`BootstrapOptions::seed`].
    pub fn seed(self, seed: u64) -> Self {
        BootstrapOptions { seed, ..self }
    }
}

impl Default for BootstrapOptions {
    fn default() -> Self {
        BootstrapOptions { draws: 10_000, level: 0.95, seed: 1 }
    }
}

/// A confidence interval of a word error rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end, as a fraction.
    pub low: f64,
    /// Upper end, as a fraction.
    pub high: f64,
}

/// Returns the interval of the micro average, or `None` with fewer than two speakers, because there
/// is nothing to draw from.
///
/// A speaker is a (set, speaker) pair; utterances without a speaker count as one of their own each.
///
/// ```
/// use paretone::eval::{BootstrapOptions, ErrorCounts, Scored, bootstrap};
///
/// let spoken = |speaker: u64| Scored {
///     id: speaker.to_string(),
///     speaker: speaker.to_string(),
///     accent: String::new(),
///     set: String::new(),
///     counts: ErrorCounts { reference: 100, substitutions: speaker % 20, ..Default::default() },
/// };
/// let corpus: Vec<Scored> = (0..50).map(spoken).collect();
/// let options = BootstrapOptions::default().draws(500);
/// let interval = bootstrap(&corpus, options).expect("more than one speaker");
/// assert!(interval.low < 0.09 && interval.high > 0.09);
/// ```
pub fn bootstrap<'a>(
    utterances: impl IntoIterator<Item = &'a Scored>,
    options: BootstrapOptions,
) -> Option<Interval> {
    let mut speakers: BTreeMap<(&str, &str, &str), ErrorCounts> = BTreeMap::new();
    for utterance in utterances {
        let alone = if utterance.speaker.is_empty() { utterance.id.as_str() } else { "" };
        let speaker = (utterance.set.as_str(), utterance.speaker.as_str(), alone);
        *speakers.entry(speaker).or_default() += utterance.counts;
    }
    let speakers: Vec<ErrorCounts> = speakers.into_values().collect();
    if speakers.len() < 2 || options.draws == 0 {
        return None;
    }
    let mut rates = Vec::with_capacity(options.draws);
    resample(speakers.len(), options, |chosen| {
        let mut drawn = ErrorCounts::default();
        for &speaker in chosen {
            drawn += speakers[speaker];
        }
        rates.extend(drawn.rate());
    });
    Interval::of(rates, options.level)
}

/// Calls `each` once for each draw, with as many speakers as there are, drawn with replacement.
/// Equal numbers and options give equal draws.
pub(super) fn resample(speakers: usize, options: BootstrapOptions, mut each: impl FnMut(&[usize])) {
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    let mut chosen = vec![0; speakers];
    for _ in 0..options.draws {
        chosen.fill_with(|| random.random_range(0..speakers));
        each(&chosen);
    }
}

impl Interval {
    /// The middle of the values, holding a share `level` of them; none without values.
    pub(super) fn of(mut values: Vec<f64>, level: f64) -> Option<Interval> {
        values.sort_by(f64::total_cmp);
        let tail = (1.0 - level) / 2.0;
        Some(Interval { low: quantile(&values, tail)?, high: quantile(&values, 1.0 - tail)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utterance(speaker: usize, errors: u64) -> Scored {
        Scored {
            id: String::new(),
            speaker: speaker.to_string(),
            accent: String::new(),
            set: String::new(),
            counts: ErrorCounts { reference: 100, substitutions: errors, ..Default::default() },
        }
    }

    /// For equal speaker sizes the interval approaches the normal one of the mean over speakers.
    #[test]
    fn the_interval_is_that_of_a_mean_over_speakers() {
        let corpus: Vec<Scored> = (0..100).map(|i| utterance(i, i as u64 % 20)).collect();
        let interval = bootstrap(&corpus, BootstrapOptions::default()).unwrap();
        let deviation = (0..20).map(|e| (e as f64 - 9.5).powi(2)).sum::<f64>() / 20.0;
        let half = 1.96 * deviation.sqrt() / 10.0 / 100.0;
        assert!((interval.low - (0.095 - half)).abs() < 0.001, "{interval:?}");
        assert!((interval.high - (0.095 + half)).abs() < 0.001, "{interval:?}");
        assert_eq!(bootstrap(&corpus, BootstrapOptions::default()), Some(interval));
    }

    #[test]
    fn one_speaker_has_no_interval() {
        let corpus = [utterance(1, 3), utterance(1, 5)];
        assert_eq!(bootstrap(&corpus, BootstrapOptions::default()), None);
    }
}
