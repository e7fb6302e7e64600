//! Significance tests of the difference between two systems on the same utterances.
//!
//! Two tests, because papers report either. *Matched pairs* (Gillick and Cox 1989, "Some
//! statistical issues in the comparison of speech recognition algorithms", with whole utterances as
//! segments) assumes that utterances are independent. The *paired speaker bootstrap* (Bisani and
//! Ney 2004) draws whole speakers. Prefer it if a corpus has several utterances of each speaker,
//! since their errors are correlated.

use std::collections::BTreeMap;

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal};

use super::bootstrap::{BootstrapOptions, Interval, resample};
use super::wer::Scored;

/// The comparison of two systems; differences are the first minus the second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Utterances that both systems scored.
    pub utterances: u64,
    /// Utterances on which the first has fewer errors, and more errors.
    pub better: u64,
    /// See `better`.
    pub worse: u64,
    /// Difference of the word error rates, as a fraction.
    pub difference: f64,
    /// Two-sided p value of the matched-pairs test; `None` if no utterance differs.
    pub matched_pairs: Option<f64>,
    /// Confidence interval of the difference under resampling of speakers; `None` with fewer than
    /// two speakers.
    pub interval: Option<Interval>,
    /// Share of the resampled corpora on which the first has fewer errors.
    pub probability_of_improvement: Option<f64>,
}

/// Compares two systems on the utterances that both scored.
pub fn compare(first: &[Scored], second: &[Scored], options: BootstrapOptions) -> Comparison {
    let by_id: BTreeMap<&str, &Scored> = second.iter().map(|s| (s.id.as_str(), s)).collect();
    let pairs: Vec<(&Scored, f64)> = first
        .iter()
        .filter_map(|scored| {
            let other = by_id.get(scored.id.as_str())?;
            let errors = |scored: &Scored| scored.counts.errors() as f64;
            Some((scored, errors(scored) - errors(other)))
        })
        .collect();
    let words = |scored: &Scored| scored.counts.reference as f64;
    let all_words: f64 = pairs.iter().map(|(scored, _)| words(scored)).sum();
    let difference: f64 = pairs.iter().map(|(_, d)| d).sum();
    let count = |of: fn(f64) -> bool| pairs.iter().filter(|(_, d)| of(*d)).count() as u64;
    let differences = resampled(&pairs, options);
    let fewer = differences.iter().filter(|&&d| d < 0.0).count();
    let share = fewer as f64 / differences.len() as f64;
    Comparison {
        utterances: pairs.len() as u64,
        better: count(|d| d < 0.0),
        worse: count(|d| d > 0.0),
        difference: if all_words > 0.0 { difference / all_words } else { 0.0 },
        matched_pairs: matched_pairs(pairs.iter().map(|(_, d)| *d)),
        probability_of_improvement: (!differences.is_empty()).then_some(share),
        interval: Interval::of(differences, options.level),
    }
}

/// Two-sided p of the mean of the differences being 0, by the normal distribution.
fn matched_pairs(differences: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let count = differences.clone().count() as f64;
    let mean = differences.clone().sum::<f64>() / count;
    let squares: f64 = differences.map(|d| (d - mean).powi(2)).sum();
    let error = (squares / (count - 1.0) / count).sqrt();
    let normal = Normal::standard();
    (error > 0.0).then(|| 2.0 * normal.cdf(-(mean / error).abs()))
}

/// Differences of the word error rates on corpora of speakers drawn anew.
fn resampled(pairs: &[(&Scored, f64)], options: BootstrapOptions) -> Vec<f64> {
    let mut speakers: BTreeMap<(&str, &str, &str), (f64, f64)> = BTreeMap::new();
    for (scored, difference) in pairs {
        let alone = if scored.speaker.is_empty() { scored.id.as_str() } else { "" };
        let speaker = (scored.set.as_str(), scored.speaker.as_str(), alone);
        let sums = speakers.entry(speaker).or_default();
        sums.0 += difference;
        sums.1 += scored.counts.reference as f64;
    }
    let speakers: Vec<(f64, f64)> = speakers.into_values().collect();
    let mut differences = Vec::new();
    if speakers.len() >= 2 {
        resample(speakers.len(), options, |chosen| {
            let drawn = chosen.iter().map(|&at| speakers[at]);
            let (errors, words) = drawn.fold((0.0, 0.0), |sum, s| (sum.0 + s.0, sum.1 + s.1));
            differences.extend((words > 0.0).then(|| errors / words));
        });
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::super::wer::ErrorCounts;
    use super::*;

    fn scored(index: usize, errors: u64) -> Scored {
        Scored {
            id: index.to_string(),
            speaker: (index / 10).to_string(),
            accent: String::new(),
            set: String::new(),
            counts: ErrorCounts { reference: 10, substitutions: errors, ..ErrorCounts::default() },
        }
    }

    /// `scipy.stats.norm.sf` of the same z gives the same p.
    #[test]
    fn a_clear_difference_and_none() {
        let first: Vec<Scored> = (0..200).map(|i| scored(i, 1 + (i % 3) as u64)).collect();
        let second: Vec<Scored> = (0..200).map(|i| scored(i, 1 + (i % 4) as u64)).collect();
        let found = compare(&first, &second, BootstrapOptions::default());
        let d: Vec<f64> = (0..200).map(|i| (i % 3) as f64 - (i % 4) as f64).collect();
        let mean = d.iter().sum::<f64>() / 200.0;
        assert!((found.difference - mean / 10.0).abs() < 1e-12);
        assert_eq!(found.utterances, 200);
        // z = −4.7 or so.
        assert!(found.matched_pairs.unwrap() < 1e-4);
        assert!(found.interval.unwrap().high < 0.0);
        assert_eq!(found.probability_of_improvement, Some(1.0));
        let same = compare(&first, &first, BootstrapOptions::default());
        assert_eq!((same.difference, same.matched_pairs), (0.0, None));
        assert_eq!(same.better + same.worse, 0);
    }

    #[test]
    fn one_speaker_cannot_be_resampled() {
        let pair = [scored(0, 1), scored(1, 2)];
        let found = compare(&pair, &[scored(0, 0), scored(1, 0)], BootstrapOptions::default());
        assert_eq!((found.interval, found.worse), (None, 2));
        // d = 1, 2: mean 1.5, standard error 0.5, z = 3.
        assert!((found.matched_pairs.unwrap() - 0.002_699_796).abs() < 1e-8);
        assert_eq!(compare(&[], &[], BootstrapOptions::default()).matched_pairs, None);
    }
}
