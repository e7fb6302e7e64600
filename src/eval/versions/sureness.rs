//! Confidence by category and version (figure 5), and what it can tell.

use serde::Serialize;

use super::category::Category;
use super::grid::{Grid, Request};
use crate::eval::confidence_measures::{
    CalibrationBin, RiskPoint, auc, brier, calibration, expected_calibration_error,
    normalised_cross_entropy, risk_coverage,
};
use crate::eval::quantile;

/// Bars of a histogram of confidences, of equal width from 0 to 1.
pub const HISTOGRAM_BINS: usize = 10;
/// Points of a curve of risk against coverage.
const RISK_POINTS: usize = 20;
/// The shares of utterances that lie below [`Distribution::quantiles`].
pub const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// The confidences of one version for the utterances of one category.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Distribution {
    /// The category.
    pub category: Category,
    /// The version.
    pub version: String,
    /// Utterances; at least one.
    pub utterances: usize,
    /// Mean confidence.
    pub mean: f64,
    /// The confidences below which [`QUANTILES`] of the utterances lie.
    pub quantiles: [f64; 5],
    /// Utterances by confidence, in bars of equal width.
    pub histogram: [usize; HISTOGRAM_BINS],
}

/// The distributions, category by category, within each version by version; categories without
/// utterances are left out.
pub fn distributions(grid: &Grid) -> Vec<Distribution> {
    let mut rows = Vec::new();
    for category in Category::ALL {
        let is_of = |request: &&Request| Category::of(&request.errors()) == category;
        let members: Vec<&Request> = grid.requests.iter().filter(is_of).collect();
        for (place, version) in grid.versions.iter().enumerate() {
            let confidences = members.iter().map(|request| request.runs[place].confidence);
            rows.extend(distribution(category, version, confidences.collect()));
        }
    }
    rows
}

fn distribution(category: Category, version: &str, mut sure: Vec<f64>) -> Option<Distribution> {
    sure.sort_by(f64::total_cmp);
    let mut quantiles = [0.0; 5];
    for (value, share) in quantiles.iter_mut().zip(QUANTILES) {
        *value = quantile(&sure, share)?;
    }
    let mut histogram = [0; HISTOGRAM_BINS];
    for confidence in &sure {
        let place = (confidence * HISTOGRAM_BINS as f64) as usize;
        histogram[place.min(HISTOGRAM_BINS - 1)] += 1;
    }
    Some(Distribution {
        category,
        version: version.to_owned(),
        utterances: sure.len(),
        mean: sure.iter().sum::<f64>() / sure.len() as f64,
        quantiles,
        histogram,
    })
}

/// What the confidence of a version tells. A measure is none where all utterances are alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sureness {
    /// The version.
    pub version: String,
    /// AUC of high confidence for the category *unchanged* against the rest.
    pub auc_unchanged: Option<f64>,
    /// AUC of low confidence for the last version making fewer errors than this one; none for the
    /// last.
    pub auc_last_is_better: Option<f64>,
    /// AUC of low confidence for having an error.
    pub auc_wrong: Option<f64>,
    /// Normalised cross entropy of the confidence as the probability of having no error.
    pub nce: Option<f64>,
    /// Expected calibration error of the same.
    pub ece: Option<f64>,
    /// The bins behind it.
    pub calibration: Vec<CalibrationBin>,
    /// Brier score of the same.
    pub brier: Option<f64>,
    /// Share of utterances with an error among the surest, by how many those are.
    pub risk: Vec<RiskPoint>,
}

/// The measures version by version.
pub fn sureness(grid: &Grid) -> Vec<Sureness> {
    let versions = grid.versions.iter().enumerate();
    versions
        .map(|(place, name)| sureness_of(grid, place, name))
        .collect()
}

fn sureness_of(grid: &Grid, version: usize, name: &str) -> Sureness {
    let last = grid.last();
    let is = |holds: &dyn Fn(&Request) -> bool| grid.requests.iter().map(holds).collect();
    let sure: Vec<f64> = grid.runs(version).map(|run| run.confidence).collect();
    let unsure: Vec<f64> = sure.iter().map(|confidence| 1.0 - confidence).collect();
    let unchanged: Vec<bool> = is(&|r| Category::of(&r.errors()) == Category::Unchanged);
    let last_is_better: Vec<bool> = is(&|r| r.runs[last].errors < r.runs[version].errors);
    let wrong: Vec<bool> = is(&|r| r.runs[version].errors > 0);
    let right: Vec<bool> = wrong.iter().map(|wrong| !wrong).collect();
    let bins = calibration(&sure, &right);
    Sureness {
        version: name.to_owned(),
        auc_unchanged: auc(&sure, &unchanged),
        auc_last_is_better: auc(&unsure, &last_is_better),
        auc_wrong: auc(&unsure, &wrong),
        nce: normalised_cross_entropy(&sure, &right),
        ece: expected_calibration_error(&bins),
        calibration: bins,
        brier: brier(&sure, &right),
        risk: risk_coverage(&sure, &right, RISK_POINTS),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::grid;
    use super::*;

    #[test]
    fn distributions_and_measures_of_a_small_grid() {
        let mut grid = grid(&[
            ("a", "", 4, &[0, 0]),
            ("b", "", 4, &[0, 0]),
            ("c", "", 4, &[2, 0]),
            ("d", "", 4, &[1, 1]),
        ]);
        for (request, sure) in grid.requests.iter_mut().zip([0.9, 1.0, 0.2, 0.6]) {
            request.runs[0].confidence = sure;
        }
        let rows = distributions(&grid);
        assert_eq!(rows.len(), 4);
        assert_eq!((rows[0].utterances, rows[0].quantiles[2]), (3, 0.9));
        assert_eq!((rows[0].histogram[9], rows[0].histogram[6]), (2, 1));
        assert_eq!((rows[2].category, rows[2].mean), (Category::Improves, 0.2));
        let measures = sureness(&grid);
        assert_eq!(measures[0].auc_unchanged, Some(1.0));
        assert_eq!(measures[0].auc_last_is_better, Some(1.0));
        assert_eq!(measures[0].auc_wrong, Some(1.0));
        assert!(measures[0].nce.unwrap() > 0.3);
        assert_eq!(measures[1].auc_last_is_better, None);
        // All confidences of the second version are 0: no order, and wrong for three of four.
        assert_eq!(
            (measures[1].auc_wrong, measures[1].ece),
            (Some(0.5), Some(0.75))
        );
    }
}
