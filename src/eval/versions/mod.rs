//! Compares the versions of a service: sections II and III of the paper, made from recorded
//! outcomes alone, without audio.
//!
//! A [`Table`] arranges the outcomes; [`Tradeoff`] is figure 1a, [`dominance`] asks whether every
//! version is worth having, [`category`] and [`exemplar`] are figures 2 and 3, [`cause`] parts the
//! search's errors from the model's, [`confidence_quality`] is figure 5, [`breakdown`] looks at
//! sets and speakers, [`claims`] holds all of it against the paper. [`VersionReport`] is all of
//! them.

pub mod breakdown;
pub mod category;
pub mod cause;
pub mod claims;
pub mod confidence_quality;
pub mod dominance;
pub mod exemplar;
pub mod figures;
pub mod hypotheses;
pub mod resampled;
pub mod sections;
pub mod tables;
pub mod tradeoff;

pub use category::Category;
pub use hypotheses::Hypotheses;
pub use resampled::Measured;
pub use tradeoff::Tradeoff;

use serde::Serialize;

use super::bootstrap::BootstrapOptions;
use crate::tiers::Table;
use crate::units::Seconds;
use resampled::Resampled;

/// So many exemplars of each category are shown.
const EXEMPLARS: usize = 3;

/// Options of the report.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ReportOptions {
    /// Network time of each request, added to the server's. Default: none. A round trip within a
    /// continent takes some 50 ms.
    pub round_trip: Seconds,
    /// How speakers are resampled.
    pub bootstrap: BootstrapOptions,
}

impl ReportOptions {
    /// The network time added to each request; see [`ReportOptions::round_trip`].
    pub fn round_trip(self, round_trip: Seconds) -> Self {
        ReportOptions { round_trip, ..self }
    }

    /// Sets how speakers are resampled; see [`ReportOptions::bootstrap`].
    pub fn bootstrap(self, bootstrap: BootstrapOptions) -> Self {
        ReportOptions { bootstrap, ..self }
    }
}

impl Default for ReportOptions {
    fn default() -> Self {
        ReportOptions { round_trip: Seconds(0.0), bootstrap: BootstrapOptions::default() }
    }
}

/// Everything that recorded outcomes say about the versions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VersionReport {
    /// The versions, the fastest first.
    pub versions: Vec<String>,
    /// Utterances.
    pub utterances: usize,
    /// Reference words.
    pub words: u64,
    /// Seed of the random numbers.
    pub seed: u64,
    /// Resampled corpora behind each interval.
    pub draws: usize,
    /// The paper's findings, and whether they hold here.
    pub claims: Vec<claims::Claim>,
    /// Figure 1a.
    pub tradeoff: Tradeoff,
    /// Each version compared with the next slower one.
    pub steps: Vec<dominance::Difference>,
    /// Versions that another beats in both time and error.
    pub dominated: Vec<dominance::Difference>,
    /// Figure 2e: of all utterances, then by set.
    pub shares: Vec<category::Shares>,
    /// Figures 2a to 2d.
    pub exemplars: Vec<exemplar::Exemplar>,
    /// Figure 3.
    pub by_category: Vec<category::CategoryErrors>,
    /// Model errors and search errors; none where they were not recorded.
    pub causes: Option<Vec<cause::Causes>>,
    /// Figure 5.
    pub confidence: Vec<confidence_quality::Distribution>,
    /// How well confidence predicts errors, by version.
    pub confidence_quality: Vec<confidence_quality::ConfidenceQuality>,
    /// Parts of the corpus; empty where there is one only.
    pub sets: Vec<breakdown::Part>,
    /// Speakers; empty where there is one only.
    pub groups: Vec<breakdown::Part>,
}

impl VersionReport {
    /// Makes the report.
    pub fn new(table: &Table, hypotheses: &Hypotheses, options: ReportOptions) -> VersionReport {
        let resampled = Resampled::new(table, options.bootstrap);
        let mut report = VersionReport {
            versions: table.version_names().map(str::to_owned).collect(),
            utterances: table.requests.len(),
            words: table.words(),
            seed: options.bootstrap.seed,
            draws: options.bootstrap.draws,
            claims: Vec::new(),
            tradeoff: Tradeoff::new(table, &resampled, options.round_trip),
            steps: dominance::steps(table, &resampled),
            dominated: dominance::dominated(table, &resampled),
            shares: category::shares(table),
            exemplars: exemplar::exemplars(table, hypotheses, EXEMPLARS),
            by_category: category::errors_by_category(table),
            causes: cause::causes(table),
            confidence: confidence_quality::distributions(table),
            confidence_quality: confidence_quality::measure(table),
            sets: breakdown::by_set(table, options.bootstrap),
            groups: breakdown::by_group(table),
        };
        report.claims = claims::claims(&report);
        report
    }

    /// The unit of the errors: words, or classes if every reference is one word.
    pub fn error_name(&self) -> &'static str {
        if self.words == self.utterances as u64 { "error rate" } else { "word error rate" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiers::{Counter, Outcome, Outcomes};

    /// A table of requests given by id, set, words and errors by version; each its own speaker.
    pub(super) fn grid(requests: &[(&str, &str, u32, &[u32])]) -> Table {
        let alone = requests.iter();
        let alone = alone.map(|&(id, set, words, errors)| (id, set, "", words, errors));
        grouped(&alone.collect::<Vec<_>>())
    }

    /// The same with the speaker after the set.
    pub(super) fn grouped(requests: &[(&str, &str, &str, u32, &[u32])]) -> Table {
        let mut rows = Vec::new();
        for &(id, set, group, words, errors) in requests {
            rows.extend(errors.iter().enumerate().map(|(k, &errors)| Outcome {
                id: id.into(),
                set: set.into(),
                group: group.into(),
                version: format!("v{}", k + 1),
                words,
                errors,
                ..Outcome::default()
            }));
        }
        let counters = Vec::new();
        Table::new(&Outcomes { counters, rows, ..Outcomes::default() }).unwrap()
    }

    /// Four requests of ten words and two versions; errors and counters by place of the request and
    /// of the version.
    pub(super) fn grid_with(
        counters: &[Counter],
        run: impl Fn(usize, usize) -> (u32, Vec<f64>),
    ) -> Table {
        let mut rows = Vec::new();
        for (request, version) in (0..8).map(|k| (k / 2, k % 2)) {
            let (errors, counters) = run(request, version);
            rows.push(Outcome {
                id: request.to_string(),
                version: format!("v{}", version + 1),
                words: 10,
                errors,
                counters,
                ..Outcome::default()
            });
        }
        let counters = Outcomes::with_counters(counters).counters;
        Table::new(&Outcomes { counters, rows, ..Outcomes::default() }).unwrap()
    }
}
