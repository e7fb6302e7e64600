//! Recorded outcomes as a dense matrix: every request by every version.
//!
//! A policy can be replayed only where each version it may ask has answered, so a table with a hole
//! is refused. Versions stand in the order of their mean response, fastest first.

use std::collections::{BTreeMap, HashMap};

use super::counter::Counter;
use super::outcome::{Outcome, Outcomes};
use crate::units::Seconds;

/// One request: what is the same for all versions.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Its id.
    pub id: String,
    /// Place of its group (the speaker) in [`Table::groups`].
    pub group: usize,
    /// Place of its part of the corpus in [`Table::sets`].
    pub set: usize,
    /// What errors are counted against.
    pub words: u32,
}

/// What one version made of each request, in the order of [`Table::requests`].
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// Its name.
    pub name: String,
    /// Errors made.
    pub errors: Vec<u32>,
    /// Seconds that the caller waited, network excluded.
    pub response: Vec<f64>,
    /// Server-seconds used.
    pub cost: Vec<f64>,
    /// How sure it was, from 0 to 1.
    pub confidence: Vec<f64>,
    /// Seconds of `response`, and of `cost`, that went into what all versions share.
    pub scores: Vec<f64>,
}

/// Every request by every version.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The requests, in the order of their first row.
    pub requests: Vec<Request>,
    /// Names of the groups; a request without one is a group of its own.
    pub groups: Vec<String>,
    /// Names of the parts of the corpus.
    pub sets: Vec<String>,
    /// The versions, fastest mean response first.
    pub versions: Vec<Version>,
}

/// Why outcomes are no table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// There are no rows.
    #[error("the table of outcomes has no rows")]
    Empty,
    /// A version did not answer a request.
    #[error(
        "request `{id}` has no row for version `{version}`; every version must answer every request"
    )]
    Missing {
        /// The request.
        id: String,
        /// The version.
        version: String,
    },
    /// A version answered a request twice.
    #[error("request `{id}` has two rows for version `{version}`")]
    Twice {
        /// The request.
        id: String,
        /// The version.
        version: String,
    },
    /// Two rows of a request disagree on what does not depend on the version.
    #[error("request `{id}`: version `{version}` has another group or another number of words")]
    Disagrees {
        /// The request.
        id: String,
        /// The version whose row differs from the request's first.
        version: String,
    },
    /// A version is asked for that the table does not have.
    #[error("no version `{name}`; the table has {known}")]
    UnknownVersion {
        /// The version asked for.
        name: String,
        /// The versions there are.
        known: String,
    },
}

impl Table {
    /// Arranges rows as a matrix. A request is known by its set and id, a group by set and name.
    ///
    /// # Errors
    /// There are no rows, a cell is missing or filled twice, or the rows of a request disagree.
    pub fn new(outcomes: &Outcomes) -> Result<Table, TableError> {
        let mut builder = Builder::default();
        for row in &outcomes.rows {
            builder.add(row)?;
        }
        builder.finish(outcomes.counter(Counter::ScoresSeconds))
    }

    /// The requests at `places`, in that order; groups and sets keep their numbers.
    pub fn subset(&self, places: &[usize]) -> Table {
        Table {
            requests: places
                .iter()
                .map(|&place| self.requests[place].clone())
                .collect(),
            groups: self.groups.clone(),
            sets: self.sets.clone(),
            versions: self
                .versions
                .iter()
                .map(|version| version.subset(places))
                .collect(),
        }
    }

    /// Every group `times` times over, each time as a group of its own.
    pub fn with_groups_repeated(&self, times: usize) -> Table {
        let places: Vec<usize> = (0..times).flat_map(|_| 0..self.requests.len()).collect();
        let mut repeated = self.subset(&places);
        for (place, request) in repeated.requests.iter_mut().enumerate() {
            request.group += place / self.requests.len() * self.groups.len();
        }
        let names = std::iter::repeat_n(&self.groups, times);
        repeated.groups = names.flatten().cloned().collect();
        repeated
    }

    /// Place of a version in [`Table::versions`].
    ///
    /// # Errors
    /// There is none of that name.
    pub fn version(&self, name: &str) -> Result<usize, TableError> {
        let found = self
            .versions
            .iter()
            .position(|version| version.name == name);
        found.ok_or_else(|| TableError::UnknownVersion {
            name: name.to_owned(),
            known: self
                .versions
                .iter()
                .map(|version| version.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        })
    }

    /// The version with the fewest errors; of several, the fastest.
    pub fn most_accurate(&self) -> usize {
        let errors = |&place: &usize| {
            self.versions[place]
                .errors
                .iter()
                .map(|&e| u64::from(e))
                .sum::<u64>()
        };
        (0..self.versions.len())
            .min_by_key(errors)
            .expect("a table has a version")
    }

    /// How many groups have a request here.
    pub fn groups_present(&self) -> usize {
        let mut groups: Vec<usize> = self.requests.iter().map(|request| request.group).collect();
        groups.sort_unstable();
        groups.dedup();
        groups.len()
    }
}

/// A table in the making.
#[derive(Default)]
struct Builder<'a> {
    sets: Names,
    groups: Names,
    requests: Vec<Request>,
    places: HashMap<(usize, &'a str), usize>,
    /// For each version the rows of the requests, as far as they have come.
    cells: BTreeMap<&'a str, Vec<Option<&'a Outcome>>>,
}

impl<'a> Builder<'a> {
    fn add(&mut self, row: &'a Outcome) -> Result<(), TableError> {
        let (set, alone) = (self.sets.place(&row.set), row.group.is_empty());
        let group = [
            row.set.as_str(),
            &row.group,
            if alone { &row.id } else { "" },
        ]
        .join("\t");
        let next = self.requests.len();
        let place = *self.places.entry((set, row.id.as_str())).or_insert(next);
        let request = Request {
            id: row.id.clone(),
            group: self.groups.place(&group),
            set,
            words: row.words,
        };
        match self.requests.get(place) {
            None => self.requests.push(request),
            Some(known) if *known == request => {}
            Some(_) => return Err(disagrees(row)),
        }
        let cells = self.cells.entry(row.version.as_str()).or_default();
        if cells.len() <= place {
            cells.resize(place + 1, None);
        }
        match cells[place].replace(row) {
            Some(_) => Err(twice(row)),
            None => Ok(()),
        }
    }

    /// The table; `shared` is the place of [`Counter::ScoresSeconds`]; a table without it has
    /// nothing to share.
    fn finish(self, shared: Option<usize>) -> Result<Table, TableError> {
        if self.requests.is_empty() {
            return Err(TableError::Empty);
        }
        let version = |(name, cells): (&&str, &Vec<Option<&Outcome>>)| {
            Version::new(name, cells, &self.requests, shared)
        };
        let mut versions = self
            .cells
            .iter()
            .map(version)
            .collect::<Result<Vec<_>, _>>()?;
        let total = |version: &Version| version.response.iter().sum::<f64>();
        versions.sort_by(|a, b| total(a).total_cmp(&total(b)));
        Ok(Table {
            groups: self.groups.list.iter().map(|key| readable(key)).collect(),
            sets: self.sets.list,
            requests: self.requests,
            versions,
        })
    }
}

impl Version {
    fn new(
        name: &str,
        cells: &[Option<&Outcome>],
        requests: &[Request],
        shared: Option<usize>,
    ) -> Result<Version, TableError> {
        let row = |(place, request): (usize, &Request)| {
            let row = cells.get(place).copied().flatten();
            row.ok_or_else(|| TableError::Missing {
                id: request.id.clone(),
                version: name.to_owned(),
            })
        };
        let rows = requests
            .iter()
            .enumerate()
            .map(row)
            .collect::<Result<Vec<&Outcome>, _>>()?;
        let scores = |row: &&Outcome| shared.map_or(0.0, |at| row.counters[at].max(0.0));
        Ok(Version {
            name: name.to_owned(),
            errors: rows.iter().map(|row| row.errors).collect(),
            response: rows.iter().map(|row| row.response.0).collect(),
            cost: rows.iter().map(|row| row.cost.0).collect(),
            confidence: rows.iter().map(|row| row.confidence).collect(),
            scores: rows.iter().map(scores).collect(),
        })
    }

    fn subset(&self, places: &[usize]) -> Version {
        let pick = |column: &[f64]| places.iter().map(|&place| column[place]).collect();
        Version {
            name: self.name.clone(),
            errors: places.iter().map(|&place| self.errors[place]).collect(),
            response: pick(&self.response),
            cost: pick(&self.cost),
            confidence: pick(&self.confidence),
            scores: pick(&self.scores),
        }
    }
}

/// Names in the order of their first use.
#[derive(Default)]
struct Names {
    list: Vec<String>,
    places: HashMap<String, usize>,
}

impl Names {
    fn place(&mut self, name: &str) -> usize {
        if let Some(&place) = self.places.get(name) {
            return place;
        }
        self.list.push(name.to_owned());
        self.places.insert(name.to_owned(), self.list.len() - 1);
        self.list.len() - 1
    }
}

/// A group's name from its key: set, group, and the request's id where there is no group.
fn readable(key: &str) -> String {
    let mut parts = key.splitn(3, '\t').skip(1).filter(|part| !part.is_empty());
    parts.next().unwrap_or("").to_owned()
}

/// The rows of a table, request by request.
impl From<&Table> for Outcomes {
    fn from(table: &Table) -> Outcomes {
        let row = |(place, request): (usize, &Request), version: &Version| Outcome {
            id: request.id.clone(),
            group: table.groups[request.group].clone(),
            set: table.sets[request.set].clone(),
            version: version.name.clone(),
            errors: version.errors[place],
            words: request.words,
            response: Seconds(version.response[place]),
            cost: Seconds(version.cost[place]),
            confidence: version.confidence[place],
            counters: vec![version.scores[place]],
        };
        let rows = table.requests.iter().enumerate();
        let rows = rows.flat_map(|request| {
            table
                .versions
                .iter()
                .map(move |version| row(request, version))
        });
        Outcomes {
            rows: rows.collect(),
            ..Outcomes::with_counters(&[Counter::ScoresSeconds])
        }
    }
}

fn disagrees(row: &Outcome) -> TableError {
    TableError::Disagrees {
        id: row.id.clone(),
        version: row.version.clone(),
    }
}

fn twice(row: &Outcome) -> TableError {
    TableError::Twice {
        id: row.id.clone(),
        version: row.version.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const ROWS: &str = "\
id,group,version,errors,words,response_seconds,cost_seconds,confidence,scores_seconds
a,ann,slow,1,9,2,2,0.8,0.5
a,ann,fast,2,9,1,1,0.6,0.5
b,,slow,0,4,2,2,0.9,0.25
b,,fast,0,4,1,1,0.7,0.25
";

    fn table(text: &str) -> Result<Table, TableError> {
        Table::new(&Outcomes::read(text.as_bytes(), Path::new("t.csv")).unwrap())
    }

    #[test]
    fn rows_become_a_matrix_with_the_fastest_version_first() {
        let table = table(ROWS).unwrap();
        let names: Vec<&str> = table
            .versions
            .iter()
            .map(|version| version.name.as_str())
            .collect();
        assert_eq!(names, ["fast", "slow"]);
        assert_eq!(table.versions[1].errors, [1, 0]);
        assert_eq!(table.versions[0].scores, [0.5, 0.25]);
        assert_eq!(table.groups, ["ann", "b"]);
        assert_eq!(table.most_accurate(), 1);
        let second = table.subset(&[1]);
        assert_eq!((second.requests.len(), second.groups_present()), (1, 1));
        assert_eq!(second.versions[1].confidence, [0.9]);
    }

    #[test]
    fn groups_repeated_are_other_groups() {
        let thrice = table(ROWS).unwrap().with_groups_repeated(3);
        assert_eq!((thrice.requests.len(), thrice.groups_present()), (6, 6));
        assert_eq!(thrice.groups, ["ann", "b", "ann", "b", "ann", "b"]);
        assert_eq!(thrice.requests[5].group, 5);
        assert_eq!(thrice.versions[1].errors, [1, 0, 1, 0, 1, 0]);
    }

    #[test]
    fn a_table_with_a_hole_is_refused_by_name() {
        let hole = TableError::Missing {
            id: "b".into(),
            version: "fast".into(),
        };
        assert_eq!(
            table(&ROWS.replace("b,,fast,0,4,1,1,0.7,0.25\n", "")),
            Err(hole)
        );
        let twice = format!("{ROWS}b,,fast,0,4,1,1,0.7,0.25\n");
        assert!(matches!(table(&twice), Err(TableError::Twice { .. })));
        let words = ROWS.replace("b,,fast,0,4", "b,,fast,0,5");
        assert!(matches!(table(&words), Err(TableError::Disagrees { .. })));
        let header = ROWS.lines().next().unwrap();
        assert_eq!(table(header), Err(TableError::Empty));
        assert!(
            table(ROWS)
                .unwrap()
                .version("v9")
                .unwrap_err()
                .to_string()
                .contains("fast, slow")
        );
    }
}
