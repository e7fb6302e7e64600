//! How good are confidences? Measures that compare predicted probabilities with outcomes.
//!
//! - AUC, the area under the receiver operating characteristic: the probability that a random
//!   positive scores higher than a random negative, ties counting half (Hanley and McNeil 1982).
//!   It depends only on the order of the confidences.
//! - NCE, normalised cross entropy: the share of the entropy of right and wrong that the
//!   confidences remove, compared with knowing the mean only (Siu, Gish and Richardson 1997; NIST's
//!   evaluations). 1 is perfect, 0 is no better than the mean, below 0 is worse.
//! - ECE, expected calibration error: the difference between the mean confidence of a bin and the
//!   share of the bin that is right, averaged over all answers (Naeini et al. 2015; 15 bins as in
//!   Guo et al. 2017).
//! - Brier score: the mean squared difference between confidence and outcome (Brier 1950); 0 is
//!   perfect.
//! - Risk and coverage: the share of wrong answers among those above a confidence (El-Yaniv and
//!   Wiener 2010).
//!
//! `scripts/golden_confidence.py` computes the values that the tests expect with scikit-learn and
//! NumPy.

use serde::Serialize;

/// Bins of equal width of the expected calibration error.
pub const CALIBRATION_BINS: usize = 15;
/// Confidences are limited to this: a wrong answer at confidence 1 would have infinite entropy.
const SUREST: f64 = 1.0 - 1e-7;

/// Returns the AUC of scores that separate positives from negatives, or `None` if either is
/// missing.
///
/// ```
/// use paretone::eval::confidence_measures::auc;
///
/// assert_eq!(auc(&[0.9, 0.8, 0.3], &[true, true, false]), Some(1.0));
/// assert_eq!(auc(&[0.9, 0.9], &[true, false]), Some(0.5)); // ties count half
/// ```
pub fn auc(scores: &[f64], positive: &[bool]) -> Option<f64> {
    let mut order: Vec<usize> = (0..scores.len().min(positive.len())).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let positives = positive.iter().filter(|is| **is).count();
    let negatives = order.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    // Mann and Whitney's U: negatives below each positive, and half of those beside it.
    let (mut below, mut wins) = (0, 0.0);
    for ties in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let up = ties.iter().filter(|&&at| positive[at]).count();
        let down = ties.len() - up;
        wins += up as f64 * (below as f64 + down as f64 / 2.0);
        below += down;
    }
    Some(wins / (positives as f64 * negatives as f64))
}

/// Returns the normalised cross entropy, or `None` if all answers or none are right: then there is
/// no uncertainty to remove.
pub fn normalised_cross_entropy(confidences: &[f64], right: &[bool]) -> Option<f64> {
    let count = confidences.len().min(right.len()) as f64;
    let share = right.iter().filter(|is| **is).count() as f64 / count;
    if !(share > 0.0 && share < 1.0) {
        return None;
    }
    let surprise = |confidence: f64, right: bool| {
        let confidence = confidence.clamp(1.0 - SUREST, SUREST);
        -(if right { confidence } else { 1.0 - confidence }).ln()
    };
    let pairs = || confidences.iter().zip(right);
    let uncertainty: f64 = pairs().map(|(_, &right)| surprise(share, right)).sum();
    let left: f64 = pairs().map(|(&sure, &right)| surprise(sure, right)).sum();
    Some((uncertainty - left) / uncertainty)
}

/// Returns the Brier score, or `None` without confidences.
pub fn brier(confidences: &[f64], right: &[bool]) -> Option<f64> {
    let off = |(sure, right): (&f64, &bool)| (sure - f64::from(u8::from(*right))).powi(2);
    let sum: f64 = confidences.iter().zip(right).map(off).sum();
    let count = confidences.len().min(right.len());
    (count > 0).then(|| sum / count as f64)
}

/// Points of a curve of risk against coverage, from the surest answers to all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct RiskPoint {
    /// Share of the answers that are kept: those with the highest confidences.
    pub coverage: f64,
    /// Share of what is kept that is wrong.
    pub risk: f64,
}

/// The curve of risk against coverage at so many shares, evenly spread; answers as sure as the last
/// one kept are kept too. Empty without answers.
pub fn risk_coverage(confidences: &[f64], right: &[bool], points: usize) -> Vec<RiskPoint> {
    let mut order: Vec<usize> = (0..confidences.len().min(right.len())).collect();
    order.sort_by(|&a, &b| confidences[b].total_cmp(&confidences[a]));
    let count = order.len() as f64;
    let (mut kept, mut wrong, mut curve) = (0usize, 0usize, Vec::new());
    for ties in order.chunk_by(|&a, &b| confidences[a] == confidences[b]) {
        kept += ties.len();
        wrong += ties.iter().filter(|&&at| !right[at]).count();
        let coverage = kept as f64 / count;
        if coverage * points as f64 >= (curve.len() + 1) as f64 - 1e-9 {
            let risk = wrong as f64 / kept as f64;
            curve.push(RiskPoint { coverage, risk });
        }
    }
    curve
}

/// One bin of a calibration diagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// What fell into the bin.
    pub count: usize,
    /// Mean confidence; 0 in an empty bin.
    pub confidence: f64,
    /// Share that is right; 0 in an empty bin.
    pub right: f64,
}

/// Confidences in bins of equal width, each holding its upper end.
pub fn calibration(confidences: &[f64], right: &[bool]) -> Vec<CalibrationBin> {
    let mut bins = vec![CalibrationBin::default(); CALIBRATION_BINS];
    for (&confidence, &right) in confidences.iter().zip(right) {
        let place = (confidence * CALIBRATION_BINS as f64).ceil() as usize;
        let bin = &mut bins[place.clamp(1, CALIBRATION_BINS) - 1];
        bin.count += 1;
        bin.confidence += confidence;
        bin.right += f64::from(u8::from(right));
    }
    for bin in bins.iter_mut().filter(|bin| bin.count > 0) {
        bin.confidence /= bin.count as f64;
        bin.right /= bin.count as f64;
    }
    bins
}

/// Returns the expected calibration error, or `None` without confidences.
pub fn expected_calibration_error(bins: &[CalibrationBin]) -> Option<f64> {
    let total: usize = bins.iter().map(|bin| bin.count).sum();
    let far = |bin: &CalibrationBin| bin.count as f64 * (bin.confidence - bin.right).abs();
    (total > 0).then(|| bins.iter().map(far).sum::<f64>() / total as f64)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Golden {
        name: String,
        confidences: Vec<f64>,
        right: Vec<bool>,
        auc: Option<f64>,
        nce: Option<f64>,
        ece: f64,
    }

    #[test]
    fn the_measures_equal_those_of_scikit_learn() {
        let golden = include_str!("../../tests/golden/confidence.json");
        let golden: Vec<Golden> = serde_json::from_str(golden).unwrap();
        let near = |ours: Option<f64>, theirs: Option<f64>, name: &str| match (ours, theirs) {
            (Some(ours), Some(theirs)) => {
                assert!((ours - theirs).abs() < 1e-9, "{name}: {ours} {theirs}");
            }
            (ours, theirs) => assert_eq!(ours, theirs, "{name}"),
        };
        assert!(golden.len() >= 4);
        for case in golden {
            let (sure, right, name) = (&case.confidences, &case.right, &case.name);
            near(auc(sure, right), case.auc, name);
            near(normalised_cross_entropy(sure, right), case.nce, name);
            let bins = calibration(sure, right);
            near(expected_calibration_error(&bins), Some(case.ece), name);
        }
    }

    #[test]
    fn order_alone_makes_the_auc() {
        let right = [true, false, true, false];
        assert_eq!(auc(&[0.9, 0.1, 0.8, 0.2], &right), Some(1.0));
        assert_eq!(auc(&[0.5; 4], &right), Some(0.5));
        assert_eq!(auc(&[0.9, 0.8, 0.7, 0.1], &right), Some(0.75));
        assert_eq!(auc(&[0.9], &[true]), None);
    }

    #[test]
    fn the_surest_answers_are_kept_first() {
        let (sure, right) = ([0.9, 0.2, 0.9, 0.5], [true, false, false, true]);
        let point = |coverage, risk| RiskPoint { coverage, risk };
        let expected = [point(0.5, 0.5), point(0.75, 1.0 / 3.0), point(1.0, 0.5)];
        assert_eq!(risk_coverage(&sure, &right, 4), expected);
        assert!((brier(&sure, &right).unwrap() - 0.2775).abs() < 1e-12);
    }

    #[test]
    fn without_samples_there_is_no_measure() {
        assert_eq!(auc(&[], &[]), None);
        assert_eq!(brier(&[], &[]), None);
        assert_eq!(risk_coverage(&[], &[], 10), []);
        assert_eq!(normalised_cross_entropy(&[], &[]), None);
        assert_eq!(expected_calibration_error(&calibration(&[], &[])), None);
    }
}
