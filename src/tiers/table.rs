//! Recorded outcomes as a dense matrix: every request by every version.
//!
//! Whatever compares versions reads outcomes through this matrix: the report, the training of
//! rules, their evaluation, and the fit of confidences. Its rules are the same for all of them:
//!
//! - A request is known by its set and id, a group by its set and name; a request without a group
//!   is a group of its own.
//! - Every version has answered every request once. A hole is an error that is named.
//! - The rows of a request agree on its group and on its number of words.
//! - Versions stand in the order of their mean response, fastest first; those that are equally fast
//!   in the order of their names, numbers in them read as numbers (v2 before v10).
//! - The most accurate version is the one with the fewest errors; of several, the fastest.

use std::collections::{BTreeMap, HashMap};

use super::counter::Counter;
use super::natural::Natural;
use super::outcome::{Outcome, Outcomes};
use crate::provenance::MadeFor;
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
    /// What policies compare, from 0 to 1; larger is surer that no wider search does better: 1 −
    /// [`Counter::Improvable`] where that was recorded, otherwise the
    /// confidence.
    pub sure: Vec<f64>,
    /// Seconds of `response`, and of `cost`, that went into what all versions share
    /// ([`Counter::ScoresSeconds`]); 0 where that was not recorded.
    pub scores: Vec<f64>,
    /// The counters, in the order of [`Table::counters`], each request by request.
    pub counters: Vec<Vec<f64>>,
}

/// Every request by every version.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The requests, in the order of their first row.
    pub requests: Vec<Request>,
    /// Names of the groups; a request without one is a group of its own, whose name is empty.
    pub groups: Vec<String>,
    /// Names of the parts of the corpus.
    pub sets: Vec<String>,
    /// The versions, at least two, fastest mean response first.
    pub versions: Vec<Version>,
    /// Names of the counters.
    pub counters: Vec<String>,
    /// What the outcomes were recorded with.
    pub made_for: MadeFor,
}

/// Why outcomes are no table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// There are no rows.
    #[error("the outcomes have no row")]
    Empty,
    /// There is nothing to compare with.
    #[error("all outcomes are of one version, `{0}`; a comparison needs two or more")]
    OneVersion(String),
    /// A version did not answer a request.
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
    /// A version answered a request twice.
    #[error("`{id}` has two outcomes of version `{version}`")]
    Twice {
        /// The request.
        id: String,
        /// The version.
        version: String,
    },
    /// Two rows of a request disagree on what does not depend on the version.
    #[error("the rows of `{id}` differ in `{column}`, which belongs to the request")]
    Differs {
        /// The request.
        id: String,
        /// The column.
        column: &'static str,
    },
    /// There are no errors to be relative to.
    #[error("version `{version}` makes no errors to be relative to: record more speech, or harder")]
    NoErrors {
        /// The version.
        version: String,
    },
    /// Two tables were recorded with different parts.
    #[error(
        "the outcomes were recorded with different parts ({parts}), so they are not of the same versions; \
         record them again with one model"
    )]
    Mixed {
        /// What differs.
        parts: String,
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
    /// Arranges rows as a matrix.
    ///
    /// # Errors
    /// As [`Table::of`].
    pub fn new(outcomes: &Outcomes) -> Result<Table, TableError> {
        Table::of(std::slice::from_ref(outcomes))
    }

    /// Arranges the rows of one or more tables as one matrix. Counters that are not in all tables
    /// are left out.
    ///
    /// # Errors
    /// There are less than two versions, a cell is missing or filled twice, or the rows of a
    /// request disagree.
    pub fn of(tables: &[Outcomes]) -> Result<Table, TableError> {
        let made_for = one_origin(tables)?;
        let mut builder = Builder::default();
        for (table, outcomes) in tables.iter().enumerate() {
            for row in &outcomes.rows {
                builder.add(Cell { row, table })?;
            }
        }
        Ok(Table { made_for, ..builder.finish(tables)? })
    }

    /// The requests at `places`, in that order; groups and sets keep their numbers.
    pub fn subset(&self, places: &[usize]) -> Table {
        Table {
            requests: places.iter().map(|&place| self.requests[place].clone()).collect(),
            groups: self.groups.clone(),
            sets: self.sets.clone(),
            versions: self.versions.iter().map(|version| version.subset(places)).collect(),
            counters: self.counters.clone(),
            made_for: self.made_for.clone(),
        }
    }

    /// The requests, each with what all versions made of it.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.requests.len()).map(|place| Row { table: self, place })
    }

    /// Words of all requests' references.
    pub fn words(&self) -> u64 {
        let words = self.requests.iter().map(|request| u64::from(request.words));
        words.sum()
    }

    /// Names of the versions.
    pub fn version_names(&self) -> impl Iterator<Item = &str> {
        self.versions.iter().map(|version| version.name.as_str())
    }

    /// The sum of a version's counter; none where it was not recorded.
    pub fn total(&self, version: usize, counter: Counter) -> Option<f64> {
        let at = self.counter(counter)?;
        Some(self.versions[version].counters[at].iter().sum())
    }

    /// The place of a counter in [`Table::counters`].
    pub fn counter(&self, counter: Counter) -> Option<usize> {
        self.counters.iter().position(|name| name == counter.column())
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
        let found = self.versions.iter().position(|version| version.name == name);
        found.ok_or_else(|| TableError::UnknownVersion {
            name: name.to_owned(),
            known: self.version_names().collect::<Vec<_>>().join(", "),
        })
    }

    /// The version with the fewest errors; of several, the fastest.
    pub fn most_accurate(&self) -> usize {
        let errors =
            |&place: &usize| self.versions[place].errors.iter().map(|&e| u64::from(e)).sum::<u64>();
        (0..self.versions.len()).min_by_key(errors).expect("a table has a version")
    }

    /// How many groups have a request here.
    pub fn groups_present(&self) -> usize {
        let mut groups: Vec<usize> = self.requests.iter().map(|request| request.group).collect();
        groups.sort_unstable();
        groups.dedup();
        groups.len()
    }
}

/// One request and what all versions made of it.
#[derive(Clone, Copy)]
pub struct Row<'t> {
    table: &'t Table,
    place: usize,
}

impl<'t> Row<'t> {
    /// Its place in [`Table::requests`].
    pub fn place(self) -> usize {
        self.place
    }

    /// What is the same for all versions.
    pub fn request(self) -> &'t Request {
        &self.table.requests[self.place]
    }

    /// The name of its group; empty where it is a group of its own.
    pub fn group(self) -> &'t str {
        &self.table.groups[self.request().group]
    }

    /// Its part of the corpus.
    pub fn set(self) -> &'t str {
        &self.table.sets[self.request().set]
    }

    /// The errors version by version.
    pub fn errors(self) -> Vec<u32> {
        let versions = self.table.versions.iter();
        versions.map(|version| version.errors[self.place]).collect()
    }
}

/// What all of the tables that say so were recorded with.
fn one_origin(tables: &[Outcomes]) -> Result<MadeFor, TableError> {
    let mut known = MadeFor::default();
    for table in tables {
        let changed = known.changed(&table.made_for);
        if !changed.is_empty() {
            let parts = changed.join(", ");
            return Err(TableError::Mixed { parts });
        }
        if !table.made_for.is_unknown() {
            known = table.made_for.clone();
        }
    }
    Ok(known)
}

/// A row and the place of the table that it stands in.
#[derive(Clone, Copy)]
struct Cell<'a> {
    row: &'a Outcome,
    table: usize,
}

/// A matrix in the making, which may have holes.
#[derive(Default)]
struct Builder<'a> {
    sets: Names,
    groups: Names,
    requests: Vec<Request>,
    places: HashMap<(usize, &'a str), usize>,
    /// For each version the rows of the requests, as far as they have come.
    cells: BTreeMap<Natural<'a>, Vec<Option<Cell<'a>>>>,
}

impl<'a> Builder<'a> {
    fn add(&mut self, cell: Cell<'a>) -> Result<(), TableError> {
        let row = cell.row;
        let (set, alone) = (self.sets.place(&row.set), row.group.is_empty());
        let alone = if alone { row.id.as_str() } else { "" };
        let group = [row.set.as_str(), row.group.as_str(), alone].join("\t");
        let next = self.requests.len();
        let place = *self.places.entry((set, row.id.as_str())).or_insert(next);
        let request =
            Request { id: row.id.clone(), group: self.groups.place(&group), set, words: row.words };
        match self.requests.get(place) {
            None => self.requests.push(request),
            Some(known) => {
                if let Some(column) = known.differs_in(&request) {
                    let id = row.id.clone();
                    return Err(TableError::Differs { id, column });
                }
            }
        }
        let cells = self.cells.entry(Natural(&row.version)).or_default();
        if cells.len() <= place {
            cells.resize(place + 1, None);
        }
        match cells[place].replace(cell) {
            Some(_) => Err(TableError::Twice { id: row.id.clone(), version: row.version.clone() }),
            None => Ok(()),
        }
    }

    fn finish(self, tables: &[Outcomes]) -> Result<Table, TableError> {
        let mut names = self.cells.keys();
        match (names.next(), names.next()) {
            (None, _) => return Err(TableError::Empty),
            (Some(only), None) => return Err(TableError::OneVersion(only.0.to_owned())),
            _ => {}
        }
        self.check_holes()?;
        let columns = Columns::of(tables);
        let version = |(name, cells): (&Natural, &Vec<Option<Cell>>)| {
            let cells: Vec<Cell> = cells.iter().copied().flatten().collect();
            columns.version(name.0, &cells)
        };
        let mut versions: Vec<Version> = self.cells.iter().map(version).collect();
        columns.compare_improvable(&mut versions);
        let total = |version: &Version| version.response.iter().sum::<f64>();
        versions.sort_by(|a, b| total(a).total_cmp(&total(b)));
        Ok(Table {
            groups: self.groups.list.iter().map(|key| readable(key)).collect(),
            sets: self.sets.list,
            requests: self.requests,
            versions,
            counters: columns.names,
            made_for: MadeFor::default(),
        })
    }

    /// Every version has a row for every request.
    fn check_holes(&self) -> Result<(), TableError> {
        let hole =
            |place: usize, cells: &Vec<Option<Cell>>| cells.get(place).is_none_or(Option::is_none);
        let holes = |place: usize| self.cells.iter().filter(move |(_, cells)| hole(place, cells));
        let places = || 0..self.requests.len();
        let Some(place) = places().find(|&place| holes(place).next().is_some()) else {
            return Ok(());
        };
        let (version, _) = holes(place).next().expect("there is one here");
        Err(TableError::Missing {
            id: self.requests[place].id.clone(),
            version: version.0.to_owned(),
            holes: places().map(|place| holes(place).count()).sum(),
        })
    }
}

impl Request {
    /// The column in which two rows of the same request disagree.
    fn differs_in(&self, other: &Request) -> Option<&'static str> {
        match () {
            () if self.words != other.words => Some("words"),
            () if self.group != other.group => Some("group"),
            () => None,
        }
    }
}

/// The counters that all tables have, and where each table has them.
struct Columns {
    names: Vec<String>,
    /// By table: the places of `names`.
    places: Vec<Vec<usize>>,
    /// By table: the place of the shared seconds; a table without them has nothing to share.
    shared: Vec<Option<usize>>,
}

impl Columns {
    fn of(tables: &[Outcomes]) -> Columns {
        let place = |table: &Outcomes, name: &String| {
            let mut counters = table.counters.iter();
            counters.position(|counter| counter == name)
        };
        let first = tables.first().map_or(&[][..], |table| &table.counters);
        let everywhere = |name: &&String| tables.iter().all(|table| place(table, name).is_some());
        let names: Vec<String> = first.iter().filter(everywhere).cloned().collect();
        let places = |table| names.iter().filter_map(|name| place(table, name)).collect();
        let shared = |table: &Outcomes| table.counter(Counter::ScoresSeconds);
        Columns {
            places: tables.iter().map(places).collect(),
            shared: tables.iter().map(shared).collect(),
            names,
        }
    }

    /// Lets policies compare 1 − `improvable`, if the outcomes tell it: a column of zeros was
    /// recorded before there was a calibration.
    fn compare_improvable(&self, versions: &mut [Version]) {
        let column = Counter::Improvable.column();
        let Some(at) = self.names.iter().position(|name| name == column) else {
            return;
        };
        let told = |version: &Version| version.counters[at].iter().any(|&value| value > 0.0);
        if versions.iter().any(told) {
            for version in versions {
                let improvable = version.counters[at].iter();
                version.sure = improvable.map(|value| (1.0 - value).clamp(0.0, 1.0)).collect();
            }
        }
    }

    /// A version from its rows, in the order of the requests.
    fn version(&self, name: &str, cells: &[Cell]) -> Version {
        let rows = || cells.iter().map(|cell| cell.row);
        let counter = |at: usize| {
            let value = |cell: &Cell| cell.row.counters[self.places[cell.table][at]];
            cells.iter().map(value).collect()
        };
        let scores = |cell: &Cell| {
            let at = self.shared[cell.table];
            at.map_or(0.0, |at| cell.row.counters[at].max(0.0))
        };
        Version {
            name: name.to_owned(),
            errors: rows().map(|row| row.errors).collect(),
            response: rows().map(|row| row.response.0).collect(),
            cost: rows().map(|row| row.cost.0).collect(),
            confidence: rows().map(|row| row.confidence).collect(),
            sure: rows().map(|row| row.confidence).collect(),
            scores: cells.iter().map(scores).collect(),
            counters: (0..self.names.len()).map(counter).collect(),
        }
    }
}

impl Version {
    fn subset(&self, places: &[usize]) -> Version {
        let pick = |column: &[f64]| places.iter().map(|&place| column[place]).collect();
        Version {
            name: self.name.clone(),
            errors: places.iter().map(|&place| self.errors[place]).collect(),
            response: pick(&self.response),
            cost: pick(&self.cost),
            confidence: pick(&self.confidence),
            sure: pick(&self.sure),
            scores: pick(&self.scores),
            counters: self.counters.iter().map(|column| pick(column)).collect(),
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
    key.split('\t').nth(1).unwrap_or("").to_owned()
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
            counters: version.counters.iter().map(|column| column[place]).collect(),
        };
        let rows = table.requests.iter().enumerate();
        let rows = rows
            .flat_map(|request| table.versions.iter().map(move |version| row(request, version)));
        Outcomes {
            counters: table.counters.clone(),
            made_for: table.made_for.clone(),
            rows: rows.collect(),
        }
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
        let names: Vec<&str> = table.versions.iter().map(|version| version.name.as_str()).collect();
        assert_eq!(names, ["fast", "slow"]);
        assert_eq!(table.versions[1].errors, [1, 0]);
        assert_eq!(table.versions[0].scores, [0.5, 0.25]);
        assert_eq!(table.groups, ["ann", ""]);
        assert_eq!(table.most_accurate(), 1);
        let second = table.subset(&[1]);
        assert_eq!((second.requests.len(), second.groups_present()), (1, 1));
        assert_eq!(second.versions[1].confidence, [0.9]);
    }

    #[test]
    fn groups_repeated_are_other_groups() {
        let thrice = table(ROWS).unwrap().with_groups_repeated(3);
        assert_eq!((thrice.requests.len(), thrice.groups_present()), (6, 6));
        assert_eq!(thrice.groups, ["ann", "", "ann", "", "ann", ""]);
        assert_eq!(thrice.requests[5].group, 5);
        assert_eq!(thrice.versions[1].errors, [1, 0, 1, 0, 1, 0]);
    }

    #[test]
    fn tables_are_joined_and_counters_kept_that_all_have() {
        let read = |text: &str| Outcomes::read(text.as_bytes(), Path::new("t.csv")).unwrap();
        let header = "id,group,version,errors,words,response_seconds,cost_seconds,confidence";
        let first = format!("{header},arcs,frames\na,,v2,1,5,0,0,0,1,2\na,,v10,0,5,0,0,0,1,2\n");
        let second = format!("{header},frames,oov\nb,,v10,2,5,0,0,0,1,2\nb,,v2,3,5,0,0,0,1,2\n");
        let joined = Table::of(&[read(&first), read(&second)]).unwrap();
        let names: Vec<&str> = joined.version_names().collect();
        assert_eq!(names, ["v2", "v10"], "equally fast: by name, as people read it");
        assert_eq!(joined.counters, ["frames"]);
        assert_eq!(joined.versions[0].counters, [[2.0, 1.0]]);
        assert_eq!(joined.total(1, Counter::Frames), Some(3.0));
        assert_eq!(joined.total(1, Counter::Arcs), None);
        let errors: Vec<Vec<u32>> = joined.rows().map(Row::errors).collect();
        assert_eq!(errors, [[1, 0], [3, 2]]);
    }

    #[test]
    fn the_same_id_in_two_sets_is_two_requests() {
        let header = "id,group,version,errors,words,response_seconds,cost_seconds,confidence,set";
        let rows =
            ["x", "y"].map(|set| format!("a,ann,v1,1,9,1,1,0,{set}\na,ann,v2,0,9,2,2,0,{set}\n"));
        let table = table(&format!("{header}\n{}{}", rows[0], rows[1])).unwrap();
        assert_eq!((table.requests.len(), table.groups_present()), (2, 2));
        let sets: Vec<&str> = table.rows().map(Row::set).collect();
        assert_eq!(sets, ["x", "y"]);
    }

    #[test]
    fn what_is_no_table_is_refused_by_name() {
        let said = |text: &str| table(text).unwrap_err().to_string();
        let hole = TableError::Missing { id: "b".into(), version: "fast".into(), holes: 1 };
        assert_eq!(table(&ROWS.replace("b,,fast,0,4,1,1,0.7,0.25\n", "")), Err(hole));
        let twice = format!("{ROWS}b,,fast,0,4,1,1,0.7,0.25\n");
        assert!(said(&twice).contains("two outcomes of version `fast`"));
        let words = ROWS.replace("b,,fast,0,4", "b,,fast,0,5");
        assert!(said(&words).contains("differ in `words`"));
        let group = ROWS.replace("a,ann,fast", "a,bob,fast");
        assert!(said(&group).contains("differ in `group`"));
        let one = ROWS.replace(",fast,", ",slow,");
        assert!(said(&one).contains("two outcomes"));
        let lines = ROWS.lines().filter(|line| !line.contains("fast"));
        let one: Vec<&str> = lines.collect();
        assert!(said(&one.join("\n")).contains("one version, `slow`"));
        let header = ROWS.lines().next().unwrap();
        assert_eq!(table(header), Err(TableError::Empty));
        let unknown = table(ROWS).unwrap().version("v9").unwrap_err();
        assert!(unknown.to_string().contains("fast, slow"));
    }
}
