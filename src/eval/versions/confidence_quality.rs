//! Confidence by category and version (figure 5), and what it can tell.

use serde::Serialize;

use super::category::Category;
use crate::eval::confidence_measures::{
    CalibrationBin, RiskPoint, auc, brier, calibration, expected_calibration_error,
    normalised_cross_entropy, risk_coverage,
};
use crate::eval::quantile;
use crate::tiers::{Row, Table, Version};

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
pub fn distributions(table: &Table) -> Vec<Distribution> {
    let mut rows = Vec::new();
    for category in Category::ALL {
        let is_of = |row: &Row| Category::of(&row.errors()) == category;
        let members: Vec<usize> = table.rows().filter(is_of).map(Row::place).collect();
        for version in &table.versions {
            let confidences = members.iter().map(|&place| version.confidence[place]);
            rows.extend(distribution(category, &version.name, confidences.collect()));
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

/// How well the confidence of a version predicts errors. A measure is `None` if all utterances
/// fall in one class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConfidenceQuality {
    /// The version.
    pub version: String,
    /// AUC of high confidence for the category *unchanged* against the rest.
    pub auc_unchanged: Option<f64>,
    /// AUC of low confidence for the most accurate version making fewer errors than this one; none
    /// for that one.
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
pub fn measure(table: &Table) -> Vec<ConfidenceQuality> {
    let versions = table.versions.iter();
    versions.map(|version| measure_version(table, version)).collect()
}

fn measure_version(table: &Table, version: &Version) -> ConfidenceQuality {
    let best = &table.versions[table.most_accurate()];
    let sure = version.confidence.clone();
    let unsure: Vec<f64> = sure.iter().map(|confidence| 1.0 - confidence).collect();
    let is_unchanged = |row: Row| Category::of(&row.errors()) == Category::Unchanged;
    let unchanged: Vec<bool> = table.rows().map(is_unchanged).collect();
    let pairs = best.errors.iter().zip(&version.errors);
    let best_is_better: Vec<bool> = pairs.map(|(best, this)| best < this).collect();
    let wrong: Vec<bool> = version.errors.iter().map(|&errors| errors > 0).collect();
    let right: Vec<bool> = wrong.iter().map(|wrong| !wrong).collect();
    let bins = calibration(&sure, &right);
    ConfidenceQuality {
        version: version.name.clone(),
        auc_unchanged: auc(&sure, &unchanged),
        auc_last_is_better: auc(&unsure, &best_is_better),
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
        grid.versions[0].confidence = vec![0.9, 1.0, 0.2, 0.6];
        let rows = distributions(&grid);
        assert_eq!(rows.len(), 4);
        assert_eq!((rows[0].utterances, rows[0].quantiles[2]), (3, 0.9));
        assert_eq!((rows[0].histogram[9], rows[0].histogram[6]), (2, 1));
        assert_eq!((rows[2].category, rows[2].mean), (Category::Improves, 0.2));
        let measures = measure(&grid);
        assert_eq!(measures[0].auc_unchanged, Some(1.0));
        assert_eq!(measures[0].auc_last_is_better, Some(1.0));
        assert_eq!(measures[0].auc_wrong, Some(1.0));
        assert!(measures[0].nce.unwrap() > 0.3);
        assert_eq!(measures[1].auc_last_is_better, None);
        // All confidences of the second version are 0: no order, and wrong for three of four.
        assert_eq!((measures[1].auc_wrong, measures[1].ece), (Some(0.5), Some(0.75)));
    }
}
