//! Dominance: a version is dominated if another answers sooner and makes fewer errors.

use serde::Serialize;

use super::resampled::{Measured, Resampled};
use crate::tiers::Table;

/// Difference in error and time between two versions, paired by speaker.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The version that is judged.
    pub version: String,
    /// The one it is compared with.
    pub against: String,
    /// Micro-averaged error of `version` less that of `against`.
    pub error: Option<Measured>,
    /// Mean server time of `version` less that of `against`, in seconds.
    pub response: Option<Measured>,
}

impl Difference {
    fn of(table: &Table, resampled: &Resampled, version: usize, against: usize) -> Difference {
        Difference {
            version: table.versions[version].name.clone(),
            against: table.versions[against].name.clone(),
            error: resampled.measure(|sums| sums.micro(version) - sums.micro(against)),
            response: resampled.measure(|sums| sums.response(version) - sums.response(against)),
        }
    }

    /// Whether `against` is as fast and as accurate, and better in one of the two.
    pub fn is_dominated(&self) -> bool {
        let worse = [self.error, self.response].map(|d| d.map_or(0.0, |d| d.value));
        worse.iter().all(|d| *d >= 0.0) && worse.iter().any(|d| *d > 0.0)
    }

    /// Whether it is dominated, with more errors in at least 95 % of the bootstrap draws.
    pub fn is_dominated_beyond_noise(&self) -> bool {
        self.is_dominated() && self.error.is_some_and(|error| error.surely_above(0.0))
    }
}

/// Compares each version with the next slower one.
pub fn steps(table: &Table, resampled: &Resampled) -> Vec<Difference> {
    let pairs = 0..table.versions.len() - 1;
    pairs.map(|version| Difference::of(table, resampled, version, version + 1)).collect()
}

/// All pairs in which the first version is dominated by the second.
pub fn dominated(table: &Table, resampled: &Resampled) -> Vec<Difference> {
    let versions = || 0..table.versions.len();
    let pairs = versions().flat_map(|version| versions().map(move |against| (version, against)));
    let pairs = pairs.filter(|(version, against)| version != against);
    pairs
        .map(|(version, against)| Difference::of(table, resampled, version, against))
        .filter(Difference::is_dominated)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::grid;
    use super::*;
    use crate::eval::bootstrap::BootstrapOptions;

    #[test]
    fn a_slower_version_that_errs_more_is_dominated() {
        let mut grid = grid(&[
            ("a", "", 10, &[3, 2, 4, 2]),
            ("b", "", 10, &[5, 2, 3, 2]),
            ("c", "", 10, &[4, 2, 3, 2]),
        ]);
        for (version, seconds) in grid.versions.iter_mut().zip([0.1, 0.2, 0.3, 0.2]) {
            version.response.fill(seconds);
        }
        let resampled = Resampled::new(&grid, BootstrapOptions::default());
        let found = dominated(&grid, &resampled);
        let pairs: Vec<_> = found
            .iter()
            .map(|d| (d.version.as_str(), d.against.as_str(), d.is_dominated_beyond_noise()))
            .collect();
        assert_eq!(pairs, [("v3", "v2", true), ("v3", "v4", true)]);
        let steps = steps(&grid, &resampled);
        assert_eq!(steps.len(), 3);
        assert!((steps[0].error.unwrap().value - 0.2).abs() < 1e-12);
        assert!((steps[0].response.unwrap().value + 0.1).abs() < 1e-12);
    }
}
