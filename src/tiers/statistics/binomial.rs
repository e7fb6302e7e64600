//! Intervals of a share: how often something happens, from how often it did.

use serde::Serialize;
use statrs::distribution::{Beta, ContinuousCDF};

use super::quantile::normal_upper;

/// Something that happened `count` times out of `trials`, with two 95 % intervals of its share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// How often it happened.
    pub count: u64,
    /// Out of how many.
    pub trials: u64,
    /// Clopper and Pearson's interval: never too short.
    pub exact: [f64; 2],
    /// Wilson's interval: right on average.
    pub wilson: [f64; 2],
}

impl Share {
    /// Both intervals at 95 %.
    pub fn new(count: u64, trials: u64) -> Share {
        let (exact, wilson) = (clopper_pearson(count, trials, 0.95), wilson(count, trials, 0.95));
        Share { count, trials, exact, wilson }
    }
}

/// `5 of 10 (95 % interval 18.7 – 81.3 %)`, exact.
impl std::fmt::Display for Share {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [low, high] = self.exact.map(|share| 100.0 * share);
        write!(out, "{} of {} (95 % interval {low:.2} – {high:.2} %)", self.count, self.trials)
    }
}

/// Wilson (1927), "Probable inference, the law of succession, and statistical inference".
pub fn wilson(count: u64, trials: u64, level: f64) -> [f64; 2] {
    if trials == 0 {
        return [0.0, 1.0];
    }
    let (n, p) = (trials as f64, count as f64 / trials as f64);
    let z = normal_upper((1.0 - level) / 2.0);
    let centre = p + z * z / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    [((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0)]
}

/// Clopper and Pearson (1934), "The use of confidence or fiducial limits".
///
/// ```
/// use paretone::tiers::statistics::binomial::clopper_pearson;
///
/// let [low, high] = clopper_pearson(0, 10, 0.95);
/// assert!(low == 0.0 && (high - 0.3085).abs() < 1e-4);
/// ```
pub fn clopper_pearson(count: u64, trials: u64, level: f64) -> [f64; 2] {
    let tail = (1.0 - level) / 2.0;
    let (hits, misses) = (count as f64, (trials - count) as f64);
    let quantile =
        |a: f64, b: f64, share: f64| Beta::new(a, b).expect("both above 0").inverse_cdf(share);
    let low = if count == 0 { 0.0 } else { quantile(hits, misses + 1.0, tail) };
    let high = if count == trials { 1.0 } else { quantile(hits + 1.0, misses, 1.0 - tail) };
    [low, high]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_of_n_is_bounded_by_the_rule_of_three() {
        let share = Share::new(0, 1000);
        assert_eq!((share.exact[0], share.wilson[0]), (0.0, 0.0));
        assert!((share.exact[1] - 0.00368).abs() < 1e-4);
        assert_eq!(clopper_pearson(7, 7, 0.95)[1], 1.0);
        assert_eq!(wilson(0, 0, 0.95), [0.0, 1.0]);
    }
}
