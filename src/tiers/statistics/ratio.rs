//! A ratio of two sums over groups, and how far up it may truly lie.
//!
//! A policy's degradation is a ratio: errors added over errors of the reference version. Requests
//! of one group (speaker) are not independent, so the group is the unit: its two sums are one
//! observation. The upper limit is Fieller's (1954, "Some problems in interval estimation"): the
//! largest ratio `r` at which the mean of `added − r·reference` is still within `quantile` standard
//! errors of zero.
//!
//! Where few groups make all the difference, the variance is itself badly known. The *effective*
//! number of groups `(Σψ²)² / Σψ⁴`, less one, serves as Student's degrees of freedom (Satterthwaite's
//! idea for clusters: Carter, Schnepel and Steigerwald 2017, "Asymptotic behavior of a t-test robust
//! to cluster heterogeneity").

/// Sums over groups that a ratio and its limit are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ratio {
    /// The ratio itself: added over reference.
    pub value: f64,
    /// `Σψ²` with `ψ = added − value·reference` of a group.
    pub square: f64,
    /// Effective number of groups: from 1 (one group makes all the difference) to all of them; 0
    /// where there is no difference at all.
    pub effective: f64,
    /// Mean over groups of what is added, and of the reference.
    means: [f64; 2],
    /// Variances of those two means, and their covariance.
    variances: [f64; 3],
}

impl Ratio {
    /// From each group's sums; both slices have one entry a group.
    pub fn of(added: &[f64], reference: &[f64]) -> Ratio {
        let groups = added.len() as f64;
        let means = [added, reference].map(|sums| sums.iter().sum::<f64>() / groups);
        let value = if means[0] == 0.0 {
            0.0
        } else {
            means[0] / means[1]
        };
        let (mut square, mut fourth, mut variances) = (0.0, 0.0, [0.0; 3]);
        for (&a, &b) in added.iter().zip(reference) {
            let psi = (a - value * b).powi(2);
            square += psi;
            fourth += psi * psi;
            let (a, b) = (a - means[0], b - means[1]);
            variances[0] += a * a;
            variances[1] += b * b;
            variances[2] += a * b;
        }
        let scale = 1.0 / (groups * (groups - 1.0));
        Ratio {
            value,
            square,
            effective: if fourth > 0.0 {
                square * square / fourth
            } else {
                0.0
            },
            means,
            variances: variances.map(|sum| sum * scale),
        }
    }

    /// Fieller's upper limit; `inflation` multiplies the variances (1 for the population, `1 + n/m`
    /// for the mean of the next `m` requests after `n`). Infinite where the reference itself cannot
    /// be told from zero.
    pub fn upper(&self, quantile: f64, inflation: f64) -> f64 {
        let [added, reference] = self.means;
        let [aa, bb, ab] = self
            .variances
            .map(|variance| variance * quantile * quantile * inflation);
        let leading = reference * reference - bb;
        if leading.is_nan() || leading <= 0.0 {
            return f64::INFINITY;
        }
        let half = added * reference - ab;
        let last = added * added - aa;
        (half + (half * half - leading * last).max(0.0).sqrt()) / leading
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At the limit the mean of `added − r·reference` is exactly `quantile` standard errors off.
    #[test]
    fn the_limit_solves_its_equation() {
        let added = [1.0, 0.0, 2.0, -1.0, 3.0, 0.0, 1.0, 1.0];
        let reference = [20.0, 14.0, 31.0, 9.0, 25.0, 12.0, 18.0, 21.0];
        let ratio = Ratio::of(&added, &reference);
        let limit = ratio.upper(2.5, 1.0);
        assert!(limit > ratio.value);
        let left: Vec<f64> = added
            .iter()
            .zip(reference)
            .map(|(a, b)| a - limit * b)
            .collect();
        let mean = left.iter().sum::<f64>() / 8.0;
        let variance = left.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 7.0;
        assert!((mean / (variance / 8.0).sqrt() + 2.5).abs() < 1e-9);
        assert!(ratio.upper(2.5, 4.0) > limit);
        assert_eq!(ratio.upper(50.0, 1.0), f64::INFINITY);
    }

    #[test]
    fn effective_groups_are_those_that_differ() {
        let reference = [1e6; 10];
        let one = Ratio::of(
            &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            &reference,
        );
        assert!((one.effective - 1.25).abs() < 0.1, "{one:?}");
        let all = Ratio::of(
            &[1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0],
            &reference,
        );
        assert!((all.effective - 10.0).abs() < 1e-9);
        assert_eq!(Ratio::of(&[0.0; 10], &reference).effective, 0.0);
    }
}
