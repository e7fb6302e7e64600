//! Findings, errors and times by version.

use super::super::dominance::Difference;
use super::super::tradeoff::VersionRow;
use super::super::{Measured, VersionReport};
use super::{interval, milliseconds};
use crate::eval::table::{Cells, Table};

/// The paper's findings, and whether they hold.
pub fn claims_table(report: &VersionReport) -> Table {
    let mut table = Table::new("", ["finding", "the paper", "here", "holds"]);
    table.cells = Cells::Words;
    for claim in &report.claims {
        let holds = if claim.holds { "✓" } else { "✗" };
        let cells = [claim.paper.to_owned(), claim.measured.clone(), holds.to_owned()];
        table.push(claim.claim, cells);
    }
    table
}

/// How each version errs.
pub fn errors_table(report: &VersionReport) -> Table {
    let rows = &report.tradeoff.rows;
    let kinds = rows.iter().all(|row| row.kinds.is_some());
    let heads = ["version", "micro %", "95 % interval", "macro %", "wrong utterances %"];
    let kinds_heads = ["S", "D", "I"].into_iter().filter(|_| kinds);
    let caption = "Errors: micro is all errors over all words, macro the mean of the utterances' \
                   own rates; substituted, deleted and inserted words where they were recorded";
    let mut table = Table::new(caption, heads.into_iter().chain(kinds_heads));
    for row in rows {
        let mean = |measured: Option<Measured>| {
            measured.map_or("–".to_owned(), |measured| format!("{:.2}", 100.0 * measured.value))
        };
        let ends = row.micro.and_then(|micro| micro.interval);
        let ends = ends.map(|i| format!("{:.2} to {:.2}", 100.0 * i.low, 100.0 * i.high));
        let wrong = 100.0 * row.wrong as f64 / report.utterances as f64;
        let mut cells = vec![mean(row.micro), ends.unwrap_or("–".to_owned())];
        cells.extend([mean(row.macro_mean), format!("{wrong:.1}")]);
        cells.extend(row.kinds.iter().filter(|_| kinds).flatten().map(u64::to_string));
        table.push(&row.version, cells);
    }
    table
}

/// How long each version takes.
pub fn times_table(report: &VersionReport) -> Table {
    let rows = &report.tradeoff.rows;
    let factor = rows.iter().all(|row| row.real_time_factor.is_some());
    let heads = [
        "version",
        "response ms",
        "median",
        "95 of 100 below",
        "server ms",
        "server's share %",
        "cost ms",
    ];
    let heads = heads.into_iter().chain(factor.then_some("real-time factor"));
    let caption = "Times: means of the response (server and network), of the server's part, and of \
                   the server time used by all workers";
    let mut table = Table::new(caption, heads);
    for row in rows {
        let response = [row.response.mean, row.response.p50, row.response.p95];
        let mut cells: Vec<String> = response.map(milliseconds).into();
        cells.push(milliseconds(row.server.mean));
        cells.push(format!("{:.0}", 100.0 * row.server_share));
        cells.push(milliseconds(row.cost));
        cells.extend(row.real_time_factor.filter(|_| factor).map(|x| format!("{x:.4}")));
        table.push(&row.version, cells);
    }
    table
}

/// What the search did, as far as it was recorded.
pub(in super::super) fn counters_table(rows: &[VersionRow]) -> Option<Table> {
    let known = [
        ("scores_seconds", "features + acoustic ms", 1000.0),
        ("search_seconds", "search ms", 1000.0),
        ("rescore_seconds", "rescoring ms", 1000.0),
        ("frames", "frames", 1.0),
        ("tokens", "tokens", 1.0),
        ("arcs", "arcs", 1.0),
        ("epsilon_arcs", "non-emitting arcs", 1.0),
    ];
    let first = rows.first()?;
    let shown = known.into_iter().filter(|(name, ..)| first.counters.contains_key(*name));
    let shown: Vec<_> = shown.collect();
    let oracle = first.oracle.is_some();
    if shown.is_empty() && !oracle {
        return None;
    }
    let heads = shown.iter().map(|(_, head, _)| *head);
    let heads = ["version"].into_iter().chain(heads).chain(oracle.then_some("lattice oracle %"));
    let mut table = Table::new("What the work was, per utterance", heads);
    for row in rows {
        let means = shown.iter().map(|(name, _, factor)| {
            let mean = factor * row.counters.get(*name).copied().unwrap_or(f64::NAN);
            format!("{mean:.0$}", if *factor > 1.0 { 1 } else { 0 })
        });
        let oracle = row.oracle.map(|rate| format!("{:.2}", 100.0 * rate));
        table.push(&row.version, means.chain(oracle).collect::<Vec<_>>());
    }
    Some(table)
}

/// Differences between versions, with bootstrap intervals.
pub(in super::super) fn differences_table(caption: &str, rows: &[Difference]) -> Table {
    let heads =
        ["version", "against", "error, points (95 %)", "response, ms (95 %)", "beyond noise"];
    let mut table = Table::new(caption, heads);
    for row in rows {
        let sure = row.error.is_some_and(|error| error.surely_above(0.0));
        let cells = [
            row.against.clone(),
            interval(row.error, 100.0, 2),
            interval(row.response, 1000.0, 1),
            if sure { "yes" } else { "no" }.to_owned(),
        ];
        table.push(&row.version, cells);
    }
    table
}
