//! Recorded outcomes as a complete grid: what every version made of every request.
//!
//! Versions are compared on the same requests, so a hole in the grid is an error that is named, not
//! a request left out. Versions stand in the order of their names, numbers in them read as numbers
//! (v2 before v10): the first is the fastest, the last the most accurate.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use crate::tiers::{Outcome, Outcomes};

/// One request and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The request.
    pub id: String,
    /// Who made it.
    pub group: String,
    /// The part of the corpus; may be empty.
    pub set: String,
    /// What its errors are counted against.
    pub words: u32,
    /// Its outcomes, in the order of [`Grid::versions`].
    pub runs: Vec<Outcome>,
}

impl Request {
    /// The errors version by version.
    pub fn errors(&self) -> Vec<u32> {
        self.runs.iter().map(|run| run.errors).collect()
    }
}

/// What every version made of every request.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// Names of the versions, at least two, in natural order.
    pub versions: Vec<String>,
    /// The requests, at least one, in the order of their first rows.
    pub requests: Vec<Request>,
    counters: Vec<String>,
}

/// Why outcomes form no grid.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum GridError {
    /// There is no row.
    #[error("the outcomes have no row")]
    Empty,
    /// There is nothing to compare with.
    #[error("all outcomes are of one version, `{0}`; a comparison needs two or more")]
    OneVersion(String),
    /// A request lacks a version.
    #[error(
        "`{id}` has no outcome of version `{version}` ({holes} such holes in all); every version must have answered every request"
    )]
    Missing {
        /// The first request with a hole.
        id: String,
        /// The version it lacks.
        version: String,
        /// Number of missing rows.
        holes: usize,
    },
    /// A request has two outcomes of one version.
    #[error("`{id}` has two outcomes of version `{version}`")]
    Duplicate {
        /// The request.
        id: String,
        /// The version.
        version: String,
    },
    /// The rows of a request contradict each other.
    #[error("the rows of `{id}` differ in `{column}`, which belongs to the request")]
    Differs {
        /// The request.
        id: String,
        /// The column.
        column: &'static str,
    },
}

impl Grid {
    /// Arranges the rows of one or more tables. Counters that are not in all tables are left out.
    ///
    /// # Errors
    /// There are less than two versions, or the rows form no complete grid.
    pub fn new(tables: &[Outcomes]) -> Result<Grid, GridError> {
        let rows = || tables.iter().flat_map(|table| &table.rows);
        let versions: BTreeSet<Natural> = rows().map(|row| Natural(&row.version)).collect();
        let versions: Vec<&str> = versions.into_iter().map(|name| name.0).collect();
        match versions[..] {
            [] => return Err(GridError::Empty),
            [only] => return Err(GridError::OneVersion(only.to_owned())),
            _ => {}
        }
        let counters = common_counters(tables);
        let mut draft = Draft::new(&versions);
        for table in tables {
            let places: Vec<_> = counters.iter().map(|name| place(table, name)).collect();
            for row in &table.rows {
                let counters = places.iter().flatten().map(|&at| row.counters[at]);
                let counters = counters.collect();
                draft.insert(Outcome {
                    counters,
                    ..row.clone()
                })?;
            }
        }
        Ok(Grid {
            requests: draft.finish()?,
            versions: versions.into_iter().map(str::to_owned).collect(),
            counters,
        })
    }

    /// A grid of some of the requests.
    pub(super) fn only(&self, requests: &[&Request]) -> Grid {
        Grid {
            versions: self.versions.clone(),
            requests: requests.iter().map(|request| (*request).clone()).collect(),
            counters: self.counters.clone(),
        }
    }

    /// Names of the counters.
    pub fn counters(&self) -> &[String] {
        &self.counters
    }

    /// The place of a counter in each outcome's counters.
    pub fn counter(&self, name: &str) -> Option<usize> {
        self.counters.iter().position(|counter| counter == name)
    }

    /// Words of all requests' references.
    pub fn words(&self) -> u64 {
        let words = self.requests.iter().map(|request| u64::from(request.words));
        words.sum()
    }

    /// Place of the most accurate version.
    pub fn last(&self) -> usize {
        self.versions.len() - 1
    }

    /// The outcomes of one version, in the order of the requests.
    pub fn runs(&self, version: usize) -> impl Iterator<Item = &Outcome> {
        self.requests
            .iter()
            .map(move |request| &request.runs[version])
    }
}

/// Names in the order of the first table.
fn common_counters(tables: &[Outcomes]) -> Vec<String> {
    let first = tables.first().map_or(&[][..], |table| &table.counters);
    let everywhere = |name: &&String| tables.iter().all(|table| place(table, name).is_some());
    first.iter().filter(everywhere).cloned().collect()
}

fn place(table: &Outcomes, counter: &str) -> Option<usize> {
    table.counters.iter().position(|name| name == counter)
}

/// A grid that may have holes.
struct Draft<'a> {
    versions: &'a [&'a str],
    places: HashMap<String, usize>,
    rows: Vec<Vec<Option<Outcome>>>,
}

impl<'a> Draft<'a> {
    fn new(versions: &'a [&'a str]) -> Draft<'a> {
        Draft {
            versions,
            places: HashMap::new(),
            rows: Vec::new(),
        }
    }

    fn insert(&mut self, row: Outcome) -> Result<(), GridError> {
        let next = self.rows.len();
        let place = *self.places.entry(row.id.clone()).or_insert(next);
        if place == next {
            self.rows.push(vec![None; self.versions.len()]);
        }
        let runs = &mut self.rows[place];
        if let Some(other) = runs.iter().flatten().next() {
            let column = match () {
                () if other.words != row.words => Some("words"),
                () if other.group != row.group => Some("group"),
                () if other.set != row.set => Some("set"),
                () => None,
            };
            if let Some(column) = column {
                return Err(GridError::Differs { id: row.id, column });
            }
        }
        let version = self.versions.iter().position(|name| *name == row.version);
        let run = &mut runs[version.expect("the versions are those of the rows")];
        if run.is_some() {
            return Err(GridError::Duplicate {
                id: row.id,
                version: row.version,
            });
        }
        *run = Some(row);
        Ok(())
    }

    fn finish(self) -> Result<Vec<Request>, GridError> {
        let holes = self.rows.iter().flatten().filter(|run| run.is_none());
        let holes = holes.count();
        let mut requests = Vec::with_capacity(self.rows.len());
        for runs in self.rows {
            let first = runs.iter().flatten().next();
            let first = first.expect("a request comes with a row").clone();
            if let Some(version) = runs.iter().position(Option::is_none) {
                return Err(GridError::Missing {
                    id: first.id,
                    version: self.versions[version].to_owned(),
                    holes,
                });
            }
            requests.push(Request {
                id: first.id,
                group: first.group,
                set: first.set,
                words: first.words,
                runs: runs.into_iter().flatten().collect(),
            });
        }
        Ok(requests)
    }
}

/// A name whose runs of digits compare as numbers.
#[derive(PartialEq, Eq)]
struct Natural<'a>(&'a str);

impl Ord for Natural<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut a, mut b) = (self.0, other.0);
        while !a.is_empty() && !b.is_empty() {
            let (text_a, number_a, rest_a) = split_number(a);
            let (text_b, number_b, rest_b) = split_number(b);
            let order = text_a.cmp(text_b).then(number_a.cmp(&number_b));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (rest_a, rest_b);
        }
        a.cmp(b).then_with(|| self.0.cmp(other.0))
    }
}

impl PartialOrd for Natural<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Text before the first number, the number (its digits without leading zeros: more are larger),
/// and what follows.
fn split_number(name: &str) -> (&str, (usize, &str), &str) {
    let start = name.find(|c: char| c.is_ascii_digit());
    let (text, rest) = name.split_at(start.unwrap_or(name.len()));
    let end = rest.find(|c: char| !c.is_ascii_digit());
    let (digits, rest) = rest.split_at(end.unwrap_or(rest.len()));
    let digits = digits.trim_start_matches('0');
    (text, (digits.len(), digits), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, version: &str, errors: u32) -> Outcome {
        Outcome {
            id: id.into(),
            version: version.into(),
            errors,
            words: 5,
            counters: vec![1.0, 2.0],
            ..Outcome::default()
        }
    }

    fn table(counters: [&str; 2], rows: Vec<Outcome>) -> Outcomes {
        Outcomes {
            counters: counters.map(str::to_owned).into(),
            rows,
        }
    }

    #[test]
    fn versions_stand_in_natural_order() {
        let mut names = ["v10", "v2", "v1", "w", "v02", "v2b", "v"];
        names.sort_by(|a, b| Natural(a).cmp(&Natural(b)));
        assert_eq!(names, ["v", "v1", "v02", "v2", "v2b", "v10", "w"]);
    }

    #[test]
    fn tables_are_joined_and_counters_kept_that_all_have() {
        let first = table(
            ["arcs", "frames"],
            vec![row("a", "v2", 1), row("a", "v10", 0)],
        );
        let second = table(
            ["frames", "oov"],
            vec![row("b", "v10", 2), row("b", "v2", 3)],
        );
        let grid = Grid::new(&[first, second]).unwrap();
        assert_eq!(grid.versions, ["v2", "v10"]);
        assert_eq!(grid.requests[1].errors(), [3, 2]);
        assert_eq!(grid.counters(), ["frames"]);
        assert_eq!(grid.requests[0].runs[0].counters, [2.0]);
        assert_eq!(grid.requests[1].runs[0].counters, [1.0]);
    }

    #[test]
    fn what_is_no_grid_is_named() {
        let error = |rows| {
            Grid::new(&[table(["x", "y"], rows)])
                .unwrap_err()
                .to_string()
        };
        assert_eq!(error(vec![]), GridError::Empty.to_string());
        assert!(error(vec![row("a", "v1", 0)]).contains("one version, `v1`"));
        let hole = error(vec![
            row("a", "v1", 0),
            row("a", "v2", 0),
            row("b", "v1", 0),
        ]);
        assert!(
            hole.contains("`b` has no outcome of version `v2`"),
            "{hole}"
        );
        let twice = error(vec![
            row("a", "v1", 0),
            row("a", "v1", 0),
            row("a", "v2", 0),
        ]);
        assert!(twice.contains("two outcomes"), "{twice}");
        let mut other = row("a", "v2", 0);
        other.words = 6;
        assert!(error(vec![row("a", "v1", 0), other]).contains("differ in `words`"));
    }
}
