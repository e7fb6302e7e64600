//! A ratio of two sums over groups, and how far up it may truly lie.
//!
//! A policy's degradation is a ratio: errors added over errors of the reference version. Requests
//! of one group (speaker) are not independent, so the group is the unit: its sums are one
//! observation. The upper limit is Fieller's (1954, "Some problems in interval estimation"): the
//! largest ratio `r` at which the mean of `added − r·reference` is still within `quantile` standard
//! errors of zero. Means are those of a request; their variances are the jackknife's that leaves
//! out one group at a time, which is right for groups of unequal size and errs on the safe side
//! (Bell and McCaffrey 2002, "Bias reduction in standard errors for linear regression with
//! multi-stage samples"; Cameron and Miller 2015, "A practitioner's guide to cluster-robust
//! inference").
//!
//! Where few groups make all the difference, the variance is itself badly known, and Student's
//! distribution takes the normal's place. A variance estimate from `n` groups whose contributions
//! have kurtosis `κ` is as uncertain as one with `2n/(κ − 1)` degrees of freedom (Satterthwaite
//! 1946, "An approximate distribution of estimates of variance components"): for normal
//! contributions `n`, and `2k` where `k` groups of many make all the difference. Half of that is
//! used, because the kurtosis of a sample knows nothing of the rare losses that the sample has not
//! seen; with all of it simultaneous bounds were broken up to twice as often as allowed, with half
//! of it they hold (`paretone tiers simulate`).

/// Sums over groups that a ratio and its limit are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ratio {
    /// The ratio itself: added over reference.
    pub value: f64,
    /// `Σψ²` with `ψ = added − value·reference` of a group.
    pub square: f64,
    /// Student's degrees of freedom, at most one less than there are groups; 0 where there is no
    /// difference at all.
    pub freedom: f64,
    /// Mean over requests of what is added, and of the reference.
    means: [f64; 2],
    /// Variances of those two means, and their covariance.
    variances: [f64; 3],
}

impl Ratio {
    /// From each group's sums and number of requests; the slices have one entry a group.
    pub fn of(added: &[f64], reference: &[f64], requests: &[f64]) -> Ratio {
        let (groups, all) = (added.len() as f64, requests.iter().sum::<f64>());
        let means = [added, reference].map(|sums| sums.iter().sum::<f64>() / all);
        let value = if means[0] == 0.0 { 0.0 } else { means[0] / means[1] };
        let (mut square, mut fourth, mut variances) = (0.0, 0.0, [0.0; 3]);
        for ((&a, &b), &n) in added.iter().zip(reference).zip(requests) {
            let psi = (a - value * b).powi(2);
            square += psi;
            fourth += psi * psi;
            // How far the mean moves when the group is left out, up to a factor.
            let rest = 1.0 - n / all;
            let (a, b) = ((a - n * means[0]) / rest, (b - n * means[1]) / rest);
            variances[0] += a * a;
            variances[1] += b * b;
            variances[2] += a * b;
        }
        let scale = (groups - 1.0) / groups / (all * all);
        Ratio {
            value,
            square,
            freedom: freedom(groups, square, fourth),
            means,
            variances: variances.map(|sum| sum * scale),
        }
    }

    /// How many standard errors the mean of what is added lies below zero; negative above it.
    /// Infinite, or not a number where the mean is 0 too, if it does not vary.
    pub fn below_zero(&self) -> f64 {
        -self.means[0] / self.variances[0].sqrt()
    }

    /// Fieller's upper limit; `inflation` multiplies the variances (1 for the population, `1 + n/m`
    /// for the mean of the next `m` requests after `n`). Infinite where the reference itself cannot
    /// be told from zero.
    pub fn upper(&self, quantile: f64, inflation: f64) -> f64 {
        let [added, reference] = self.means;
        let [aa, bb, ab] =
            self.variances.map(|variance| variance * quantile * quantile * inflation);
        let leading = reference * reference - bb;
        if leading.is_nan() || leading <= 0.0 {
            return f64::INFINITY;
        }
        let half = added * reference - ab;
        let last = added * added - aa;
        (half + (half * half - leading * last).max(0.0).sqrt()) / leading
    }
}

/// From the number of groups and sums of second and fourth powers.
fn freedom(groups: f64, square: f64, fourth: f64) -> f64 {
    if fourth <= 0.0 {
        return 0.0;
    }
    let kurtosis = groups * fourth / (square * square);
    // One is lost to the mean.
    (groups / (kurtosis - 1.0).max(f64::MIN_POSITIVE) - 1.0).clamp(0.0, groups - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At the limit the mean of `added − r·reference` is exactly `quantile` standard errors off.
    #[test]
    fn the_limit_solves_its_equation() {
        let added = [1.0, 0.0, 2.0, -1.0, 3.0, 0.0, 1.0, 1.0];
        let reference = [20.0, 14.0, 31.0, 9.0, 25.0, 12.0, 18.0, 21.0];
        let requests = [5.0, 4.0, 8.0, 3.0, 6.0, 4.0, 5.0, 5.0];
        let ratio = Ratio::of(&added, &reference, &requests);
        let limit = ratio.upper(2.5, 1.0);
        assert!(limit > ratio.value);
        let left: Vec<f64> = added.iter().zip(reference).map(|(a, b)| a - limit * b).collect();
        let mean = left.iter().sum::<f64>() / 40.0;
        let without = |at: usize| (mean * 40.0 - left[at]) / (40.0 - requests[at]);
        let off = (0..8).map(|at| (without(at) - mean).powi(2));
        let deviation = (off.sum::<f64>() * 7.0 / 8.0).sqrt();
        assert!((mean / deviation + 2.5).abs() < 1e-9);
        assert!(ratio.upper(2.5, 4.0) > limit);
        assert_eq!(ratio.upper(500.0, 1.0), f64::INFINITY);
    }

    #[test]
    fn freedom_counts_the_groups_that_differ() {
        let reference = [1e6; 100];
        let freedom = |added: &dyn Fn(usize) -> f64| {
            let added: Vec<f64> = (0..100).map(added).collect();
            Ratio::of(&added, &reference, &[1.0; 100]).freedom
        };
        let differ = |few: usize| move |at: usize| if at < few { [1.0, -1.0][at % 2] } else { 0.0 };
        assert!((freedom(&differ(2)) - 1.04).abs() < 0.01);
        assert!((freedom(&differ(10)) - 10.11).abs() < 0.01);
        assert_eq!(freedom(&differ(100)), 99.0);
        assert_eq!(freedom(&|_| 0.0), 0.0);
    }
}
