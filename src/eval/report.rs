//! Word error rates as tables: the whole, and each set, accent and speaker.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::bootstrap::{BootstrapOptions, Interval, bootstrap};
use super::table::Table;
use super::wer::{Scored, Tally};

/// By what utterances are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grouping {
    /// The part of the corpus.
    Set,
    /// The speakers' accent or first language.
    Accent,
    /// Who speaks, within a set.
    Speaker,
}

/// One row of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Name of the group.
    pub name: String,
    /// Its sums.
    #[serde(flatten)]
    pub tally: Tally,
    /// Errors over reference words.
    pub micro: Option<f64>,
    /// Mean of the utterances' own rates.
    #[serde(rename = "macro")]
    pub macro_mean: Option<f64>,
    /// Confidence interval of `micro` under resampling of speakers.
    pub interval: Option<Interval>,
}

/// All tables of a corpus.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// All utterances.
    pub total: Row,
    /// A table per grouping that was asked for and has more than one group.
    pub groups: Vec<(Grouping, Vec<Row>)>,
}

impl Report {
    /// Adds up scored utterances.
    pub fn new(utterances: &[Scored], groupings: &[Grouping], options: BootstrapOptions) -> Report {
        let tables = groupings.iter().map(|&by| (by, table(utterances, by, options)));
        let all: Vec<&Scored> = utterances.iter().collect();
        Report {
            total: row("all".to_string(), &all, options),
            groups: tables.filter(|(_, rows)| rows.len() > 1).collect(),
        }
    }

    /// Prints the tables as aligned text, rates in per cent.
    ///
    /// # Errors
    /// The writer fails.
    pub fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        text_table("", std::slice::from_ref(&self.total)).write_text(out)?;
        for (by, rows) in &self.groups {
            writeln!(out)?;
            let group = match by {
                Grouping::Set => "set",
                Grouping::Accent => "accent",
                Grouping::Speaker => "speaker",
            };
            text_table(group, rows).write_text(out)?;
        }
        Ok(())
    }
}

/// Rows as a table whose first column is headed by what tells the groups apart.
fn text_table(group: &str, rows: &[Row]) -> Table {
    let columns = ["utts", "words", "WER %", "95 % interval", "macro %", "S", "D", "I"];
    let mut table = Table::new("", [group].into_iter().chain(columns));
    let percent =
        |rate: Option<f64>| rate.map_or("-".into(), |rate| format!("{:.2}", 100.0 * rate));
    let ends = |i: Interval| format!("{:.2} – {:.2}", 100.0 * i.low, 100.0 * i.high);
    for row in rows {
        let counts = row.tally.counts;
        let cells = [
            row.tally.utterances.to_string(),
            counts.reference.to_string(),
            percent(row.micro),
            row.interval.map_or("-".into(), ends),
            percent(row.macro_mean),
            counts.substitutions.to_string(),
            counts.deletions.to_string(),
            counts.insertions.to_string(),
        ];
        table.push(&row.name, cells);
    }
    table
}

fn table(utterances: &[Scored], by: Grouping, options: BootstrapOptions) -> Vec<Row> {
    let mut groups: BTreeMap<String, Vec<&Scored>> = BTreeMap::new();
    for utterance in utterances {
        let name = match by {
            Grouping::Set => utterance.set.clone(),
            Grouping::Accent => utterance.accent.clone(),
            Grouping::Speaker if utterance.set.is_empty() => utterance.speaker.clone(),
            Grouping::Speaker => format!("{} {}", utterance.set, utterance.speaker),
        };
        let name = if name.trim().is_empty() { "(none)".to_string() } else { name };
        groups.entry(name).or_default().push(utterance);
    }
    groups.into_iter().map(|(name, members)| row(name, &members, options)).collect()
}

fn row(name: String, members: &[&Scored], options: BootstrapOptions) -> Row {
    let tally: Tally = members.iter().copied().collect();
    let interval = bootstrap(members.iter().copied(), options);
    Row { name, micro: tally.micro(), macro_mean: tally.macro_mean(), tally, interval }
}
