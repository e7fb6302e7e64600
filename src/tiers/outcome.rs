//! Outcomes: the measured result of one version on one request, and tables of them as CSV.
//!
//! The columns `id,group,version,errors,words,response_seconds,cost_seconds,confidence` must be
//! there; `set` and `made_for` may. Every other column is a counter: a number for each row, kept by
//! name.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::counter::Counter;
use crate::provenance::MadeFor;
use crate::units::Seconds;

/// The measured result of one version of a service on one request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The request: the same in the rows of all versions.
    pub id: String,
    /// Who made the request (the speaker): requests of one group are not independent.
    pub group: String,
    /// The part of the corpus; empty where the table has no such column.
    pub set: String,
    /// The version's name.
    pub version: String,
    /// Errors made: substituted, deleted and inserted words, or 1 for a wrong class.
    pub errors: u32,
    /// What errors are counted against: words of the reference, or 1.
    pub words: u32,
    /// What the caller waited for, network excluded; ≥ 0.
    pub response: Seconds,
    /// Server time used, all workers added up; ≥ 0.
    pub cost: Seconds,
    /// How sure the version is, from 0 to 1.
    pub confidence: f64,
    /// The counters, in the order of [`Outcomes::counters`].
    pub counters: Vec<f64>,
}

/// A table of outcomes.
///
/// ```
/// use std::path::Path;
/// use paretone::tiers::Outcomes;
///
/// let text = "id,group,version,errors,words,response_seconds,cost_seconds,confidence\n\
///             a,ann,v1,1,7,0.01,0.01,0.8\n";
/// let outcomes = Outcomes::read(text.as_bytes(), Path::new("outcomes.csv"))?;
/// assert_eq!((outcomes.rows[0].version.as_str(), outcomes.rows[0].errors), ("v1", 1));
/// # Ok::<(), paretone::tiers::OutcomeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcomes {
    /// Names of the counters.
    pub counters: Vec<String>,
    /// What they were recorded with: the same in every row, in the column `made_for`.
    pub made_for: MadeFor,
    /// The rows, in the order of the file.
    pub rows: Vec<Outcome>,
}

/// Why a table of outcomes cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutcomeError {
    /// The file could not be read or written, or is no CSV.
    #[error("{path} cannot be read or written as a table of outcomes")]
    Csv {
        /// The file.
        path: PathBuf,
        /// What went wrong, with the line.
        source: csv::Error,
    },
    /// The header lacks a column.
    #[error("{path}: no column `{column}`; the first line must name the columns")]
    Column {
        /// The file.
        path: PathBuf,
        /// The missing column.
        column: &'static str,
    },
    /// A field is not what its column asks for.
    #[error("{path}, line {line}: `{column}` is `{found}`, expected {expected}")]
    Field {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: u64,
        /// The column.
        column: String,
        /// What stands there.
        found: String,
        /// What should.
        expected: &'static str,
    },
}

/// The columns of every table, in the order they are written.
const COLUMNS: [&str; 8] =
    ["id", "group", "version", "errors", "words", "response_seconds", "cost_seconds", "confidence"];
/// The part of the corpus: a column that may be missing.
const SET: &str = "set";
/// What the outcomes were recorded with: a column that may be missing.
const MADE_FOR: &str = "made_for";

impl Outcomes {
    /// An empty table with these counters.
    pub fn with_counters(counters: &[Counter]) -> Outcomes {
        Outcomes {
            counters: counters.iter().map(|counter| counter.column().to_owned()).collect(),
            ..Outcomes::default()
        }
    }

    /// Reads a table.
    ///
    /// # Errors
    /// The file cannot be read, a column is missing, a field is no number or out of range.
    pub fn open(path: &Path) -> Result<Outcomes, OutcomeError> {
        let file = File::open(path)
            .map_err(|error| OutcomeError::Csv { path: path.into(), source: error.into() })?;
        Outcomes::read(file, path)
    }

    /// Reads a table from bytes found at `path`.
    ///
    /// # Errors
    /// As [`Outcomes::open`].
    pub fn read(bytes: impl Read, path: &Path) -> Result<Outcomes, OutcomeError> {
        let unreadable = |source| OutcomeError::Csv { path: path.into(), source };
        let mut reader = csv::Reader::from_reader(bytes);
        let columns = Columns::find(reader.headers().map_err(unreadable)?, path)?;
        let (mut rows, mut made_for) = (Vec::new(), None);
        for record in reader.records() {
            let record = record.map_err(unreadable)?;
            columns.same_origin(&record, &mut made_for, path)?;
            rows.push(columns.outcome(&record, path)?);
        }
        let counters = columns.counters.into_iter().map(|(name, _)| name).collect();
        Ok(Outcomes { counters, made_for: made_for.unwrap_or_default(), rows })
    }

    /// Writes the table; reading it back gives the same rows.
    ///
    /// # Errors
    /// The writer fails.
    pub fn write(&self, out: impl Write) -> csv::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        let names = self.counters.iter().map(String::as_str);
        let origin = (!self.made_for.is_unknown()).then(|| self.made_for.to_string());
        let made_for = origin.iter().map(|_| MADE_FOR);
        let columns = COLUMNS.into_iter().chain([SET]).chain(made_for);
        writer.write_record(columns.chain(names))?;
        for row in &self.rows {
            let numbers = [row.response.0, row.cost.0, row.confidence];
            let counts = [row.errors, row.words].map(|count| count.to_string());
            let texts = [&row.id, &row.group, &row.version].map(String::clone);
            let fields = texts.into_iter().chain(counts);
            let fields = fields.chain(numbers.map(|number| number.to_string()));
            let counters = row.counters.iter().map(f64::to_string);
            let texts = [row.set.clone()].into_iter().chain(origin.clone());
            writer.write_record(fields.chain(texts).chain(counters))?;
        }
        Ok(writer.flush()?)
    }

    /// The place of a counter in each row's [`Outcome::counters`]; none where the table lacks it.
    pub fn counter(&self, counter: Counter) -> Option<usize> {
        self.counters.iter().position(|name| name == counter.column())
    }
}

/// Where the columns stand.
struct Columns {
    known: [usize; COLUMNS.len()],
    set: Option<usize>,
    made_for: Option<usize>,
    counters: Vec<(String, usize)>,
}

impl Columns {
    fn find(header: &csv::StringRecord, path: &Path) -> Result<Columns, OutcomeError> {
        let find = |name: &str| header.iter().position(|column| column == name);
        let mut known = [0; COLUMNS.len()];
        for (place, column) in known.iter_mut().zip(COLUMNS) {
            *place =
                find(column).ok_or_else(|| OutcomeError::Column { path: path.into(), column })?;
        }
        let is_counter = |name: &&str| !COLUMNS.contains(name) && ![SET, MADE_FOR].contains(name);
        let counters = header
            .iter()
            .enumerate()
            .filter(|(_, name)| is_counter(name))
            .map(|(place, name)| (name.to_owned(), place));
        Ok(Columns {
            known,
            set: find(SET),
            made_for: find(MADE_FOR),
            counters: counters.collect(),
        })
    }

    /// Reads what a row was recorded with, which is the same in all.
    fn same_origin(
        &self,
        record: &csv::StringRecord,
        made_for: &mut Option<MadeFor>,
        path: &Path,
    ) -> Result<(), OutcomeError> {
        let Some(text) = self.made_for.and_then(|at| record.get(at)) else {
            return Ok(());
        };
        if let Ok(found) = text.parse::<MadeFor>()
            && *made_for.get_or_insert_with(|| found.clone()) == found
        {
            return Ok(());
        }
        Err(OutcomeError::Field {
            path: path.into(),
            line: record.position().map_or(0, csv::Position::line),
            column: MADE_FOR.to_owned(),
            found: text.chars().take(80).collect(),
            expected: "the hashes that all rows have; do not mix recordings of different models",
        })
    }

    fn outcome(&self, record: &csv::StringRecord, path: &Path) -> Result<Outcome, OutcomeError> {
        let line = record.position().map_or(0, csv::Position::line);
        let field = |place: usize| record.get(place).unwrap_or("");
        let wrong = |column: &str, found: &str, expected| OutcomeError::Field {
            path: path.into(),
            line,
            column: column.to_owned(),
            found: found.chars().take(40).collect(),
            expected,
        };
        let number = |column: &str, place: usize, highest: f64, expected| {
            let text = field(place);
            match text.parse::<f64>() {
                Ok(value) if (0.0..=highest).contains(&value) => Ok(value),
                _ => Err(wrong(column, text, expected)),
            }
        };
        let count = |at: usize| {
            let text = field(self.known[at]);
            let count = text.parse::<u32>();
            count.map_err(|_| wrong(COLUMNS[at], text, "a count"))
        };
        let seconds = |at: usize| {
            let expected = "seconds, 0 or more";
            number(COLUMNS[at], self.known[at], f64::MAX, expected).map(Seconds)
        };
        let counters = self.counters.iter().map(|(name, place)| {
            let text = field(*place);
            let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
            value.ok_or_else(|| wrong(name, text, "a number"))
        });
        let text = |at: usize| field(self.known[at]).to_owned();
        Ok(Outcome {
            id: text(0),
            group: text(1),
            set: self.set.map_or(String::new(), |at| field(at).to_owned()),
            version: text(2),
            errors: count(3)?,
            words: count(4)?,
            response: seconds(5)?,
            cost: seconds(6)?,
            confidence: number(COLUMNS[7], self.known[7], 1.0, "a number from 0 to 1")?,
            counters: counters.collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
id,group,version,errors,words,response_seconds,cost_seconds,confidence,arcs,set
\"a,1\",ann,v1,2,9,0.25,0.5,0.75,1200,clean
b,bob,v1,0,0,0,0,1,3,other
";

    fn read(text: &str) -> Result<Outcomes, OutcomeError> {
        Outcomes::read(text.as_bytes(), Path::new("table.csv"))
    }

    #[test]
    fn a_table_is_read_and_written_back() {
        let table = read(TABLE).unwrap();
        let first = &table.rows[0];
        assert_eq!((first.id.as_str(), first.errors, first.words), ("a,1", 2, 9));
        assert_eq!((first.response, first.confidence), (Seconds(0.25), 0.75));
        assert_eq!(table.rows[1].set, "other");
        assert_eq!(table.counter(Counter::Arcs), Some(0));
        assert_eq!(first.counters, [1200.0]);
        let mut out = Vec::new();
        table.write(&mut out).unwrap();
        assert_eq!(read(std::str::from_utf8(&out).unwrap()).unwrap(), table);
    }

    #[test]
    fn what_they_were_recorded_with_is_kept_and_the_same_everywhere() {
        let with = |first: &str, second: &str| {
            let lines = TABLE.lines().zip(["made_for", first, second]);
            let lines: Vec<String> = lines.map(|(line, cell)| format!("{line},{cell}")).collect();
            lines.join("\n")
        };
        let table = read(&with("1a/2b/3c/-", "1a/2b/3c/-")).unwrap();
        assert_eq!(table.made_for.to_string(), "1a/2b/3c/-");
        assert_eq!(table.counters, ["arcs"]);
        let mut out = Vec::new();
        table.write(&mut out).unwrap();
        assert_eq!(read(std::str::from_utf8(&out).unwrap()).unwrap(), table);
        for (first, second) in [("1/2/3/4", "1/2/3/5"), ("one", "one")] {
            assert!(read(&with(first, second)).unwrap_err().to_string().contains("made_for"));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let said = |text: String| crate::WithCauses(&read(&text).unwrap_err()).to_string();
        assert!(said(TABLE.replace("errors", "faults")).contains("no column `errors`"));
        let nan = said(TABLE.replace("0.75,1200", "NaN,1200"));
        assert!(nan.contains("line 2") && nan.contains("confidence"), "{nan}");
        assert!(said(TABLE.replace(",1200", ",inf")).contains("`arcs` is `inf`"));
        assert!(said(TABLE.replace(",2,9", ",-2,9")).contains("expected a count"));
        assert!(said(TABLE.replace("0.25,0.5", "0.25,-1")).contains("cost_seconds"));
        assert!(said(TABLE.replace("b,bob", "bob")).contains("line: 3"));
    }
}
