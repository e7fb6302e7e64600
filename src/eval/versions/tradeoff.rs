//! Error and response time by version (figure 1a).
//!
//! Outcomes hold time on the server. What the network adds is the same for every request: a round
//! trip that the caller of this module chooses, kept apart in every number.

use std::collections::BTreeMap;

use serde::Serialize;

use super::resampled::{Measured, Resampled};
use crate::eval::quantile;
use crate::tiers::{Counter, Table};
use crate::units::Seconds;

/// A distribution of times, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Times {
    /// Mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
}

impl Times {
    fn of(mut seconds: Vec<f64>) -> Times {
        seconds.sort_by(f64::total_cmp);
        let at = |share| quantile(&seconds, share).unwrap_or(0.0);
        Times {
            mean: seconds.iter().sum::<f64>() / seconds.len().max(1) as f64,
            p50: at(0.5),
            p95: at(0.95),
        }
    }

    /// The times with a constant added to each.
    pub fn delayed(self, by: Seconds) -> Times {
        Times { mean: self.mean + by.0, p50: self.p50 + by.0, p95: self.p95 + by.0 }
    }
}

/// Error rate and time of one version.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VersionRow {
    /// The version.
    pub version: String,
    /// Errors over reference words.
    pub micro: Option<Measured>,
    /// Mean of the utterances' own rates: what the paper plots.
    #[serde(rename = "macro")]
    pub macro_mean: Option<Measured>,
    /// Utterances with at least one error.
    pub wrong: usize,
    /// Substitutions, deletions and insertions, where they were recorded.
    pub kinds: Option<[u64; 3]>,
    /// Errors of the best path through the lattice over reference words, where recorded.
    pub oracle: Option<f64>,
    /// Time on the server.
    pub server: Times,
    /// What the caller waits for: server and network.
    pub response: Times,
    /// The server's share of the mean response.
    pub server_share: f64,
    /// Mean server time used, all workers added up, in seconds.
    pub cost: f64,
    /// Server time over the length of the audio, where that was recorded.
    pub real_time_factor: Option<f64>,
    /// Means of the counters.
    pub counters: BTreeMap<String, f64>,
}

/// The trade-off between error and time over all versions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tradeoff {
    /// Network time added to each request.
    pub round_trip: Seconds,
    /// The versions, the fastest first.
    pub rows: Vec<VersionRow>,
    /// (error of the fastest − error of the most accurate) / error of the most accurate, by micro
    /// averages.
    pub gap: Option<Measured>,
    /// The same by macro averages, as in the paper.
    pub macro_gap: Option<Measured>,
    /// Mean response of the slowest over that of the fastest, network included.
    pub spread: Option<Measured>,
    /// The same of the time on the server.
    pub server_spread: Option<Measured>,
}

impl Tradeoff {
    /// Adds up a table.
    pub fn new(table: &Table, resampled: &Resampled, round_trip: Seconds) -> Tradeoff {
        let (last, best) = (table.versions.len() - 1, table.most_accurate());
        let row = |version| version_row(table, resampled, round_trip, version);
        let gap = |first: f64, best: f64| (first - best) / best;
        let spread = |network: f64| {
            resampled.measure(|sums| (sums.response(last) + network) / (sums.response(0) + network))
        };
        Tradeoff {
            round_trip,
            rows: (0..=last).map(row).collect(),
            gap: resampled.measure(|sums| gap(sums.micro(0), sums.micro(best))),
            macro_gap: resampled.measure(|sums| gap(sums.macro_mean(0), sums.macro_mean(best))),
            spread: spread(round_trip.0),
            server_spread: spread(0.0),
        }
    }

    /// Whether no version errs more than the one before it.
    pub fn error_falls(&self) -> bool {
        let rate = |row: &VersionRow| row.micro.map_or(f64::NAN, |micro| micro.value);
        self.rows.windows(2).all(|pair| rate(&pair[1]) <= rate(&pair[0]))
    }

    /// Whether no version's server share is below that of the one before it.
    pub fn server_share_rises(&self) -> bool {
        let rises = |pair: &[VersionRow]| pair[0].server_share <= pair[1].server_share;
        self.rows.windows(2).all(rises)
    }
}

fn version_row(
    table: &Table,
    resampled: &Resampled,
    round_trip: Seconds,
    version: usize,
) -> VersionRow {
    let run = &table.versions[version];
    let total = |counter| table.total(version, counter);
    let requests = table.requests.len() as f64;
    let words = table.words() as f64;
    let mean = |column: &Vec<f64>| column.iter().sum::<f64>() / requests;
    let counters = table.counters.iter().cloned();
    let counters = counters.zip(run.counters.iter().map(mean));
    let server = Times::of(run.response.clone());
    let response = server.delayed(round_trip);
    let share_of = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
    VersionRow {
        version: run.name.clone(),
        micro: resampled.measure(|sums| sums.micro(version)),
        macro_mean: resampled.measure(|sums| sums.macro_mean(version)),
        wrong: run.errors.iter().filter(|&&errors| errors > 0).count(),
        kinds: kinds(table, version),
        oracle: total(Counter::LatticeErrors).and_then(|errors| share_of(errors, words)),
        server,
        response,
        server_share: share_of(server.mean, response.mean).unwrap_or(1.0),
        cost: mean(&run.cost),
        real_time_factor: total(Counter::AudioSeconds)
            .and_then(|audio| share_of(server.mean * requests, audio)),
        counters: counters.collect(),
    }
}

/// Substitutions, deletions and insertions of a version.
fn kinds(table: &Table, version: usize) -> Option<[u64; 3]> {
    let mut counts = [0; 3];
    let kinds = [Counter::Substitutions, Counter::Deletions, Counter::Insertions];
    for (count, kind) in counts.iter_mut().zip(kinds) {
        *count = table.total(version, kind)? as u64;
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::super::tests::grid_with;
    use super::*;
    use crate::eval::bootstrap::BootstrapOptions;

    /// Two versions, four requests of ten words, 1 s of audio: errors 2 and 1, response 0.1 s and
    /// 0.1 s to 0.4 s.
    fn tradeoff() -> Tradeoff {
        let names = [
            Counter::Substitutions,
            Counter::Deletions,
            Counter::Insertions,
            Counter::AudioSeconds,
            Counter::Arcs,
        ];
        let mut grid = grid_with(&names, |_, version| match version {
            0 => (2, vec![1.0, 1.0, 0.0, 1.0, 30.0]),
            _ => (1, vec![1.0, 0.0, 0.0, 1.0, 50.0]),
        });
        grid.versions[0].response.fill(0.1);
        for (k, response) in grid.versions[1].response.iter_mut().enumerate() {
            *response = 0.1 * (k + 1) as f64;
        }
        let resampled = Resampled::new(&grid, BootstrapOptions::default());
        Tradeoff::new(&grid, &resampled, Seconds(0.05))
    }

    #[test]
    fn error_and_time_are_counted() {
        let tradeoff = tradeoff();
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        near(tradeoff.gap.unwrap().value, 1.0);
        near(tradeoff.spread.unwrap().value, 0.3 / 0.15);
        near(tradeoff.server_spread.unwrap().value, 2.5);
        assert!(tradeoff.error_falls() && tradeoff.server_share_rises());
        let [first, last] = &tradeoff.rows[..] else { panic!("two versions") };
        assert_eq!(first.kinds, Some([4, 4, 0]));
        assert_eq!((first.wrong, first.counters["arcs"]), (4, 30.0));
        near(first.micro.unwrap().value, 0.2);
        near(first.real_time_factor.unwrap(), 0.1);
        near(first.server_share, 0.1 / 0.15);
        near(last.server.mean, 0.25);
        near(last.response.p50, 0.3);
        near(last.response.p95, 0.385 + 0.05);
        assert_eq!(last.oracle, None);
    }
}
