//! Confidence, sets and speakers.

use super::super::VersionReport;
use super::super::breakdown::Part;
use super::{milliseconds, percent_short};
use crate::eval::confidence_measures::RiskPoint;
use crate::eval::table::Table;

/// How well the confidence of each version predicts errors.
pub(in super::super) fn confidence_quality_table(report: &VersionReport) -> Table {
    let last = &report.versions[report.versions.len() - 1];
    let better = format!("AUC: {last} is better");
    let heads = [
        "version",
        "AUC: unchanged",
        &better,
        "AUC: has an error",
        "NCE",
        "ECE",
        "Brier",
        "wrong of the surest half",
    ];
    let caption = "What the confidence of a version tells. AUC: 1 parts perfectly, 0.5 not at all. \
                   NCE (normalised cross entropy, 1 is perfect), ECE (expected calibration error, \
                   0 is perfect, 15 bins) and Brier score (0 is perfect) take it as the \
                   probability that an utterance has no error.";
    let mut table = Table::new(caption, heads);
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.3}"));
    for row in &report.confidence_quality {
        let aucs = [row.auc_unchanged, row.auc_last_is_better, row.auc_wrong];
        table.push(
            &row.version,
            aucs.into_iter().chain([row.nce, row.ece, row.brier, half(&row.risk)]).map(number),
        );
    }
    table
}

/// The risk at half of the coverage, or just above.
fn half(curve: &[RiskPoint]) -> Option<f64> {
    let point = curve.iter().find(|point| point.coverage >= 0.5);
    point.map(|point| point.risk)
}

/// The boxes of figure 5 as numbers.
pub(in super::super) fn distributions_table(report: &VersionReport) -> Table {
    let heads =
        ["category", "version", "utterances", "mean", "5 %", "25 %", "50 %", "75 %", "95 %"];
    let mut table = Table::new("Confidence by category and version, as numbers", heads);
    for row in &report.confidence {
        let numbers = [row.mean].into_iter().chain(row.quantiles);
        let numbers = numbers.map(|value| format!("{value:.3}"));
        let cells = [row.version.clone(), row.utterances.to_string()];
        table.push(row.category.name(), cells.into_iter().chain(numbers));
    }
    table
}

/// Errors of parts of the corpus.
pub(in super::super) fn corpus_table<'a>(
    caption: &str,
    report: &VersionReport,
    parts: impl Iterator<Item = &'a Part>,
) -> Table {
    let heads = ["", "utterances", "words"].into_iter();
    let heads = heads.chain(report.versions.iter().map(String::as_str)).chain(["gap, %"]);
    let mut table = Table::new(caption, heads);
    for part in parts {
        let counts = [part.utterances.to_string(), part.words.to_string()];
        let rates = part.micro.iter().copied().chain([part.gap]).map(percent_short);
        table.push(&part.name, counts.into_iter().chain(rates));
    }
    table
}

/// Times of the sets.
pub(in super::super) fn set_times_table(report: &VersionReport) -> Table {
    let heads = ["set"].into_iter().chain(report.versions.iter().map(String::as_str));
    let mut table = Table::new("Mean time on the server by set, ms", heads);
    for part in &report.sets {
        table.push(&part.name, part.response.iter().map(|mean| milliseconds(*mean)));
    }
    table
}
