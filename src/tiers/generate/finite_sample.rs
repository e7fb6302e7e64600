//! Bounds on the long-run degradation that hold at any sample size: betting on sums over groups.
//!
//! The hypothesis "the degradation is above `r`" says that the mean over groups of `added −
//! r·reference` is above zero; [`log_wealth`] is the evidence against it. Only an upper end of a
//! group's sum must be known: the most errors that any version could make there. Curves share `δ`
//! equally (Bonferroni); along a curve thresholds are tested from the safest on and the first
//! failure ends the sequence, which costs nothing (fixed-sequence testing; Angelopoulos et al.
//! 2021, "Learn then test").

use rayon::prelude::*;

use super::population::Differences;
use crate::tiers::curve::Curve;
use crate::tiers::statistics::betting::log_wealth;
use crate::tiers::table::Table;

/// Bounds are sought on a grid of this width, of so many points; above, a candidate is given up.
const WIDTH: f64 = 0.001;
const POINTS: usize = 256;

/// Upper bounds, one entry a curve.
pub fn bounds(
    table: &Table,
    differences: &Differences,
    family: &[Curve],
    delta: f64,
) -> Vec<Vec<f64>> {
    let enough = (family.len() as f64 / delta).ln();
    let highest = most_errors(table, differences);
    let one = |curve: &Curve| {
        let (mut bounds, mut safe) = (Vec::new(), 0.0f64);
        differences.walk(table, curve, |_, added| {
            if safe.is_finite() {
                safe = safe.max(differences.smallest_refuted(added, highest, enough));
            }
            bounds.push(safe);
        });
        bounds
    };
    family.par_iter().map(one).collect()
}

impl Differences {
    /// The smallest ratio on the grid that the evidence refutes; it refutes every larger one too.
    fn smallest_refuted(&self, added: &[f64], highest: f64, enough: f64) -> f64 {
        let refuted = |point: usize| {
            let ratio = point as f64 * WIDTH;
            let left = added.iter().zip(self.reference_errors()).map(|(a, b)| a - ratio * b);
            log_wealth(left, highest) >= enough
        };
        let (mut low, mut high) = (0, POINTS);
        while low < high {
            let middle = (low + high) / 2;
            match refuted(middle) {
                true => high = middle,
                false => low = middle + 1,
            }
        }
        if low == POINTS { f64::INFINITY } else { low as f64 * WIDTH }
    }
}

/// The most errors a group can hold: the words of its requests, or what a version made where that
/// is more.
fn most_errors(table: &Table, differences: &Differences) -> f64 {
    let mut most = vec![0.0; differences.reference_errors().len()];
    for (place, request) in table.requests.iter().enumerate() {
        let made = table.versions.iter().map(|version| version.errors[place]);
        let errors = made.chain([request.words]).max().unwrap_or(0);
        most[differences.group(place)] += f64::from(errors);
    }
    most.into_iter().fold(1.0, f64::max)
}
