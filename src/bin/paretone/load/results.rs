//! Figures of load as a table, a CSV file and a picture.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;

use paretone::eval::plot::palette::shade;
use paretone::eval::plot::{Axis, Content, Line, Lines, PlotError, Scale, Titled, draw};
use paretone::eval::table::Table;
use paretone::service::load::Summary;

const COLUMNS: [&str; 14] = [
    "tolerance",
    "stretch",
    "offered/s",
    "answered/s",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "max ms",
    "429 p99 ms",
    "sent",
    "answered",
    "429",
    "other",
    "failed",
];

/// A stretch of load and what became of it.
pub(super) struct Row {
    /// The tolerance asked for.
    pub tolerance: String,
    /// Which stretch of an overload; else empty.
    pub stretch: &'static str,
    /// Offered requests a second.
    pub offered: f64,
    /// What became of them.
    pub summary: Summary,
}

impl Row {
    fn cells(&self) -> Vec<String> {
        let s = &self.summary;
        let times = s.latency.iter().chain([&s.refusal]);
        let counts = [s.sent, s.answered, s.refused, s.other, s.failed];
        let mut cells = vec![self.stretch.to_owned(), format!("{:.1}", self.offered)];
        cells.push(format!("{:.1}", s.achieved));
        cells.extend(times.map(
            |time| {
                if time.is_nan() { "–".into() } else { format!("{time:.1}") }
            },
        ));
        cells.extend(counts.map(|count| count.to_string()));
        cells
    }
}

/// Prints the table, that nothing was lost, and why requests were not answered.
pub(super) fn print(rows: &[Row]) -> io::Result<()> {
    let mut table = Table::new("", COLUMNS);
    for row in rows {
        table.push(&row.tolerance, row.cells());
    }
    let mut out = io::stdout().lock();
    table.write_text(&mut out)?;
    let all =
        |count: fn(&Summary) -> usize| rows.iter().map(|row| count(&row.summary)).sum::<usize>();
    writeln!(
        out,
        "{} sent = {} answered + {} refused + {} other + {} failed",
        all(|s| s.sent),
        all(|s| s.answered),
        all(|s| s.refused),
        all(|s| s.other),
        all(|s| s.failed)
    )?;
    let mut reasons = BTreeMap::<&str, usize>::new();
    for (reason, count) in rows.iter().flat_map(|row| &row.summary.reasons) {
        *reasons.entry(reason).or_default() += count;
    }
    for (reason, count) in reasons {
        writeln!(out, "not answered, {count} times: {reason}")?;
    }
    Ok(())
}

/// Writes the table's cells as CSV.
pub(super) fn write_csv(path: &Path, rows: &[Row]) -> anyhow::Result<()> {
    let mut file = csv::Writer::from_path(path).with_context(|| path.display().to_string())?;
    file.write_record(COLUMNS)?;
    for row in rows {
        file.write_record([row.tolerance.clone()].into_iter().chain(row.cells()))?;
    }
    file.flush()?;
    Ok(())
}

/// Median and 99th percentile of the latency, and answers, by offered rate; a line a tolerance.
pub(super) fn picture(rows: &[Row]) -> Result<String, PlotError> {
    let p50 = |s: &Summary| s.latency[0];
    let p99 = |s: &Summary| s.latency[2];
    let charts = [
        chart(rows, "Median latency by tolerance", "ms", p50),
        chart(rows, "99th percentile of latency by tolerance", "ms", p99),
        chart(rows, "Answers by tolerance", "answers/s", |s| s.achieved),
    ];
    draw(&charts, 3, (460, 340))
}

fn chart(rows: &[Row], title: &str, unit: &str, value: impl Fn(&Summary) -> f64) -> Titled {
    let mut tolerances: Vec<&str> = rows.iter().map(|row| row.tolerance.as_str()).collect();
    tolerances.dedup();
    let line = |(place, tolerance): (usize, &&str)| {
        let of_line = rows.iter().filter(|row| row.tolerance == *tolerance);
        let points = of_line.map(|row| (row.offered, value(&row.summary)));
        Line {
            name: (*tolerance).to_owned(),
            color: shade(place, tolerances.len()),
            points: points.filter(|at| at.1 > 0.0).collect(),
            ..Line::default()
        }
    };
    let lines: Vec<Line> = tolerances.iter().enumerate().map(line).collect();
    let points = || lines.iter().flat_map(|line| &line.points);
    Titled {
        title: title.to_owned(),
        content: Content::Lines(Lines {
            x: Axis::from_zero("offered requests/s", points().map(|at| at.0)),
            y: Axis::around(unit, Scale::Logarithmic, points().map(|at| at.1)),
            lines,
        }),
    }
}
