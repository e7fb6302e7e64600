//! Error and response time by part of the corpus and by speaker.

use std::collections::BTreeMap;

use serde::Serialize;

use super::resampled::{Measured, Resampled};
use crate::eval::bootstrap::BootstrapOptions;
use crate::tiers::{Row, Table};

/// One part of the corpus.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// The set, or set and speaker.
    pub name: String,
    /// Utterances.
    pub utterances: usize,
    /// Reference words.
    pub words: u64,
    /// Errors over reference words by version; none without words.
    pub micro: Vec<Option<Measured>>,
    /// (error of the fastest version − error of the most accurate of the whole table) / error of
    /// the most accurate; none without errors.
    pub gap: Option<Measured>,
    /// Mean time on the server by version, in seconds.
    pub response: Vec<f64>,
}

/// The sets, with intervals; empty where there is one set only.
pub fn by_set(table: &Table, options: BootstrapOptions) -> Vec<Part> {
    parts(table, options, |row| row.set().to_owned())
}

/// The speakers, without intervals as there is nobody to draw; empty where there is one only.
pub fn by_group(table: &Table) -> Vec<Part> {
    let none = BootstrapOptions { draws: 0, ..BootstrapOptions::default() };
    parts(table, none, |row| format!("{} {}", row.set(), row.group()).trim().to_owned())
}

fn parts(table: &Table, options: BootstrapOptions, name: impl Fn(Row) -> String) -> Vec<Part> {
    let mut members: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for row in table.rows() {
        members.entry(name(row)).or_default().push(row.place());
    }
    if members.len() < 2 {
        return Vec::new();
    }
    // The most accurate version of all: that of a part alone would flatter it by chance.
    let best = table.most_accurate();
    let parts = members.into_iter();
    parts.map(|(name, members)| part(name, &table.subset(&members), best, options)).collect()
}

fn part(name: String, table: &Table, best: usize, options: BootstrapOptions) -> Part {
    let resampled = Resampled::new(table, options);
    let versions = || 0..table.versions.len();
    let response = |version| resampled.measure(|sums| sums.response(version));
    let name = if name.is_empty() { "(none)".to_owned() } else { name };
    Part {
        name,
        utterances: table.requests.len(),
        words: table.words(),
        micro: versions().map(|version| resampled.measure(|sums| sums.micro(version))).collect(),
        gap: resampled.measure(|sums| (sums.micro(0) - sums.micro(best)) / sums.micro(best)),
        response: versions()
            .map(|version| response(version).map_or(0.0, |mean| mean.value))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::grouped;
    use super::*;

    #[test]
    fn parts_add_up_to_the_whole() {
        let grid = grouped(&[
            ("a", "clean", "ann", 10, &[2, 1]),
            ("b", "clean", "", 10, &[2, 1]),
            ("c", "other", "", 5, &[0, 0]),
        ]);
        let sets = by_set(&grid, BootstrapOptions::default());
        assert_eq!((sets[0].name.as_str(), sets[0].words), ("clean", 20));
        assert_eq!(sets[0].gap.unwrap().value, 1.0);
        assert!(sets[0].micro[0].unwrap().interval.is_some());
        assert_eq!((sets[1].utterances, sets[1].gap), (1, None));
        let groups = by_group(&grid);
        let names: Vec<&str> = groups.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["clean", "clean ann", "other"]);
        assert_eq!(groups[0].micro[1].unwrap().interval, None);
    }
}
