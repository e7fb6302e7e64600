//! A study as tables, for the terminal and for a page.

use std::fmt::Write;

use super::study::{CALLED_OUT, Study};
use super::tier_tables::{accountings, certified, more_groups, prices, savings, violations};
use super::version_tables::{alike, shift, third, timelines, versions};
use crate::tiers::folds::Split;

/// Width of notes in text.
const WIDTH: usize = 96;

/// A table with its title and what to know about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// The title.
    pub title: String,
    /// What to know; may be empty.
    pub note: String,
    /// Names of the columns; the first column holds names, the others numbers.
    pub header: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

/// All tables of a study.
pub fn sections(study: &Study) -> Vec<Section> {
    let mut sections = vec![versions(study), violations(study)];
    sections.extend([Split::Random, Split::Disjoint].map(|split| savings(study, split)));
    sections.extend([
        prices(study),
        certified(study),
        more_groups(study),
        accountings(study),
        timelines(study),
        alike(study),
    ]);
    sections.extend([third(study), shift(study)]);
    sections.retain(|section| !section.rows.is_empty());
    sections
}

impl Section {
    /// An empty table.
    pub fn new(title: String, header: &[&str]) -> Section {
        let header = header.iter().map(|&name| name.to_owned()).collect();
        Section {
            title,
            header,
            ..Section::default()
        }
    }

    /// An empty table with a column for each tolerance that tables call out.
    pub fn by_tolerance(title: String, header: &[&str]) -> Section {
        let mut section = Section::new(title, header);
        section.header.extend(CALLED_OUT.map(tolerance));
        section
    }

    /// Adds a row: names, then numbers.
    pub fn row(&mut self, names: &[&str], numbers: impl IntoIterator<Item = String>) {
        let names = names.iter().map(|&name| name.to_owned());
        self.rows.push(names.chain(numbers).collect());
    }

    /// The table as aligned text.
    pub fn to_text(&self) -> String {
        let lines = || std::iter::once(&self.header).chain(&self.rows);
        let lengths =
            |column: usize| lines().filter_map(move |line| Some(line.get(column)?.chars().count()));
        let widths: Vec<usize> = (0..self.header.len())
            .map(|column| lengths(column).max().unwrap_or(0))
            .collect();
        let mut text = format!("{}\n", self.title);
        for line in lines() {
            let mut cells = line.iter().zip(&widths);
            let (first, width) = cells.next().map_or(("", 0), |(cell, width)| (cell, *width));
            let mut aligned = format!("  {first:width$}");
            for (cell, width) in cells {
                write!(aligned, "  {cell:>width$}").expect("a string takes everything");
            }
            text.push_str(aligned.trim_end());
            text.push('\n');
        }
        text + &wrapped(&self.note)
    }
}

/// A note in lines of [`WIDTH`] columns.
fn wrapped(note: &str) -> String {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in note.split_whitespace() {
        if line.chars().count() + word.chars().count() >= WIDTH {
            lines.push(std::mem::take(&mut line));
        }
        line.push_str(if line.is_empty() { "" } else { " " });
        line.push_str(word);
    }
    lines.extend((!line.is_empty()).then_some(line));
    lines.iter().map(|line| format!("  {line}\n")).collect()
}

/// Seconds in milliseconds, with about three digits.
pub fn milliseconds(seconds: f64) -> String {
    let value = 1000.0 * seconds;
    let decimals = match value {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 4,
    };
    format!("{value:.decimals$}")
}

/// A share in per cent.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// A tolerance in per cent.
pub fn tolerance(tolerance: f64) -> String {
    format!("{} %", 100.0 * tolerance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_digits() {
        let said = [0.00028543, 0.0015, 0.0463, 2.6].map(milliseconds);
        assert_eq!(said, ["0.2854", "1.50", "46.3", "2600"]);
    }

    #[test]
    fn tables_are_aligned_and_notes_wrapped() {
        let mut section = Section::new("Title".into(), &["name", "value"]);
        section.row(&["long name"], ["1.0 %".to_owned()]);
        section.note = "word ".repeat(30);
        let lines: Vec<String> = section.to_text().lines().map(str::to_owned).collect();
        assert_eq!(
            lines[..3],
            ["Title", "  name       value", "  long name  1.0 %"]
        );
        assert_eq!(lines.len(), 5);
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH + 2));
    }
}
