//! Any statistic of the versions, with the interval another draw of speakers could have given.
//!
//! One set of draws serves all statistics, so differences between versions are *paired*: both sides
//! see the same speakers, and what makes a speaker hard for both cancels out (Bisani and Ney 2004,
//! the "probability of improvement").

use std::collections::BTreeMap;

use serde::Serialize;

use crate::eval::bootstrap::{BootstrapOptions, Interval, resample};
use crate::tiers::Table;

/// A statistic and its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// The statistic of all requests.
    pub value: f64,
    /// Bootstrap interval over speakers; `None` with fewer than two speakers.
    pub interval: Option<Interval>,
}

impl Measured {
    /// Whether the whole interval lies above `bound`.
    pub fn surely_above(&self, bound: f64) -> bool {
        self.interval.is_some_and(|interval| interval.low > bound)
    }
}

/// Sums over requests, from which the statistics are made.
#[derive(Clone, Debug, PartialEq)]
pub struct Sums {
    /// Requests, reference words, requests that have reference words; then for each version
    /// [`PER_VERSION`] sums.
    sums: Vec<f64>,
}

/// Sums that do not depend on the version.
const SHARED: usize = 3;
/// Sums of each version: errors, requests' own error rates, response time.
const PER_VERSION: usize = 3;

impl Sums {
    fn zero(versions: usize) -> Sums {
        Sums { sums: vec![0.0; SHARED + PER_VERSION * versions] }
    }

    fn add_request(&mut self, table: &Table, place: usize) {
        let request = &table.requests[place];
        let words = f64::from(request.words);
        let rated = f64::from(u8::from(request.words > 0));
        let shared = [1.0, words, rated];
        let each = table.versions.iter().flat_map(|version| {
            let errors = f64::from(version.errors[place]);
            let rate = if request.words > 0 { errors / words } else { 0.0 };
            [errors, rate, version.response[place]]
        });
        for (sum, value) in self.sums.iter_mut().zip(shared.into_iter().chain(each)) {
            *sum += value;
        }
    }

    fn add(&mut self, other: &Sums) {
        for (sum, value) in self.sums.iter_mut().zip(&other.sums) {
            *sum += value;
        }
    }

    fn of(&self, version: usize, which: usize) -> f64 {
        self.sums[SHARED + PER_VERSION * version + which]
    }

    /// Errors of a version over all reference words.
    pub fn micro(&self, version: usize) -> f64 {
        self.of(version, 0) / self.sums[1]
    }

    /// Mean of the requests' own error rates.
    pub fn macro_mean(&self, version: usize) -> f64 {
        self.of(version, 1) / self.sums[2]
    }

    /// Mean response time of a version on the server, in seconds.
    pub fn response(&self, version: usize) -> f64 {
        self.of(version, 2) / self.sums[0]
    }
}

/// The sums of all requests, and of every resampled corpus.
#[derive(Clone, Debug)]
pub struct Resampled {
    total: Sums,
    draws: Vec<Sums>,
    level: f64,
}

impl Resampled {
    /// Resamples speakers. A speaker is a (set, group) pair; requests without a group count as a
    /// speaker each.
    pub fn new(table: &Table, options: BootstrapOptions) -> Resampled {
        let zero = || Sums::zero(table.versions.len());
        let mut total = zero();
        let mut speakers: BTreeMap<(&str, &str, &str), Sums> = BTreeMap::new();
        for row in table.rows() {
            let alone = match row.group().is_empty() {
                true => row.request().id.as_str(),
                false => "",
            };
            let speaker = (row.set(), row.group(), alone);
            let sums = speakers.entry(speaker).or_insert_with(zero);
            sums.add_request(table, row.place());
            total.add_request(table, row.place());
        }
        let speakers: Vec<Sums> = speakers.into_values().collect();
        let mut draws = Vec::new();
        if speakers.len() > 1 {
            resample(speakers.len(), options, |chosen| {
                let mut drawn = zero();
                for &speaker in chosen {
                    drawn.add(&speakers[speaker]);
                }
                draws.push(drawn);
            });
        }
        Resampled { total, draws, level: options.level }
    }

    /// A statistic and its interval; none where it is not finite, as a rate without words.
    pub fn measure(&self, statistic: impl Fn(&Sums) -> f64) -> Option<Measured> {
        let value = statistic(&self.total);
        let drawn = self.draws.iter().map(&statistic).filter(|value| value.is_finite());
        value
            .is_finite()
            .then(|| Measured { value, interval: Interval::of(drawn.collect(), self.level) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::bootstrap;
    use crate::eval::wer::{ErrorCounts, Scored};
    use crate::tiers::{Outcome, Outcomes};

    fn grid(rows: &[(&str, &str, u32, [u32; 2])]) -> Table {
        let rows = rows.iter().flat_map(|&(id, group, words, errors)| {
            [("v1", errors[0]), ("v2", errors[1])].map(|(version, errors)| Outcome {
                id: id.into(),
                group: group.into(),
                version: version.into(),
                words,
                errors,
                ..Outcome::default()
            })
        });
        let rows = rows.collect();
        Table::new(&Outcomes { rows, ..Outcomes::default() }).unwrap()
    }

    /// The same draws as `paretone score` makes, hence the same interval.
    #[test]
    fn the_interval_is_that_of_the_word_error_rate() {
        let names: Vec<String> = (0..12).map(|k| format!("u{k:02}")).collect();
        let speakers = ["ann", "bob", "cid", ""];
        let row = |k: usize| (names[k].as_str(), speakers[k % 4], 10, [k as u32, 1]);
        let rows: Vec<_> = (0..12).map(row).collect();
        let scored: Vec<Scored> = rows
            .iter()
            .map(|&(id, speaker, words, errors)| Scored {
                id: id.into(),
                speaker: speaker.into(),
                accent: String::new(),
                set: String::new(),
                counts: ErrorCounts {
                    reference: words.into(),
                    insertions: errors[0].into(),
                    ..ErrorCounts::default()
                },
            })
            .collect();
        let options = BootstrapOptions::default();
        let ours = Resampled::new(&grid(&rows), options).measure(|sums| sums.micro(0));
        let ours = ours.unwrap();
        assert_eq!(ours.interval, bootstrap(&scored, options));
        assert_eq!(ours.value, 66.0 / 120.0);
    }

    #[test]
    fn an_equal_difference_for_all_speakers_is_certain() {
        let rows = [("a", "ann", 10, [9, 8]), ("b", "bob", 10, [2, 1]), ("c", "", 10, [1, 0])];
        let resampled = Resampled::new(&grid(&rows), BootstrapOptions::default());
        let difference = resampled.measure(|sums| sums.micro(0) - sums.micro(1)).unwrap();
        let interval = difference.interval.unwrap();
        assert!((interval.high - 0.1).abs() < 1e-9 && (interval.low - 0.1).abs() < 1e-9);
        assert!(difference.surely_above(0.0));
    }

    #[test]
    fn averages_differ_and_empty_references_have_no_rate_of_their_own() {
        let rows = [("a", "ann", 4, [2, 1]), ("b", "ann", 1, [0, 0]), ("c", "ann", 0, [2, 0])];
        let resampled = Resampled::new(&grid(&rows), BootstrapOptions::default());
        let micro = resampled.measure(|sums| sums.micro(0)).unwrap();
        let mean = resampled.measure(|sums| sums.macro_mean(0)).unwrap();
        assert_eq!((micro.value, mean.value), (4.0 / 5.0, 0.25));
        assert_eq!(micro.interval, None);
        let silent = Resampled::new(&grid(&[("a", "ann", 0, [0, 0])]), BootstrapOptions::default());
        assert_eq!(silent.measure(|sums| sums.micro(0)), None);
    }
}
