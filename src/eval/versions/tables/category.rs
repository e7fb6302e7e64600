//! Categories, their exemplars and errors, and what causes them.

use super::super::VersionReport;
use super::super::category::{Category, CategoryErrors};
use super::super::cause::Causes;
use super::milliseconds;
use crate::eval::table::{Cells, Table};

/// How many utterances are of each category.
pub(in super::super) fn shares_table(report: &VersionReport) -> Table {
    let heads = Category::ALL.map(|category| format!("{} %", category.name()));
    let heads = ["set".to_owned(), "utterances".to_owned()].into_iter().chain(heads);
    let mut table = Table::new("", heads.chain(["unchanged, faultless %".to_owned()]));
    for row in &report.shares {
        let share = |part: usize| format!("{:.1}", 100.0 * part as f64 / row.utterances as f64);
        let counts = row.counts.into_iter().chain([row.unchanged_right]);
        let cells = [row.utterances.to_string()].into_iter().chain(counts.map(share));
        table.push(&row.set, cells.collect::<Vec<_>>());
    }
    table
}

/// The clearest utterances of each category.
pub(in super::super) fn exemplars_table(report: &VersionReport) -> Table {
    let heads = ["category", "utterance", "words", "errors by version", "server ms by version"];
    let mut table = Table::new("The clearest utterances", heads);
    table.cells = Cells::Words;
    for exemplar in &report.exemplars {
        let errors: Vec<String> = exemplar.errors.iter().map(u32::to_string).collect();
        let times = exemplar.response.iter().map(|time| milliseconds(time.0));
        let cells = [
            exemplar.id.clone(),
            exemplar.words.to_string(),
            errors.join(" "),
            times.collect::<Vec<_>>().join(" "),
        ];
        table.push(exemplar.category.name(), cells);
    }
    table
}

/// For each exemplar what its versions heard, where that is known.
pub(in super::super) fn texts_tables(report: &VersionReport) -> Vec<Table> {
    let known = report.exemplars.iter().filter(|e| e.texts.iter().any(Option::is_some));
    let tables = known.map(|exemplar| {
        let caption = format!("{}: what was heard in {}", exemplar.category.name(), exemplar.id);
        let mut table = Table::new(&caption, ["version", "errors", "text"]);
        table.cells = Cells::Words;
        if let Some(reference) = &exemplar.reference {
            table.push("reference", [String::new(), reference.clone()]);
        }
        for (at, version) in report.versions.iter().enumerate() {
            let text = exemplar.texts[at].clone().unwrap_or_default();
            table.push(version, [exemplar.errors[at].to_string(), text]);
        }
        table
    });
    tables.collect()
}

/// Errors by category and version.
pub(in super::super) fn categories_table(report: &VersionReport) -> Table {
    let heads = ["category", "utterances", "words"].map(str::to_owned).into_iter();
    let heads = heads.chain(report.versions.iter().map(|version| format!("{version} %")));
    let heads = heads.chain(["best".to_owned()]);
    let mut table = Table::new("Errors over reference words", heads);
    for row in &report.by_category {
        table.push(row.name(), errors_cells(report, row));
    }
    table
}

fn errors_cells(report: &VersionReport, row: &CategoryErrors) -> Vec<String> {
    let counts = [row.utterances.to_string(), row.words.to_string()];
    let rates = row.micro.iter().map(|rate| match rate.is_finite() {
        true => format!("{:.2}", 100.0 * rate),
        false => "–".to_owned(),
    });
    let best = match row.best() {
        best if best.len() == report.versions.len() => "all alike".to_owned(),
        best => {
            let names = best.into_iter().map(|at| report.versions[at].as_str());
            names.collect::<Vec<_>>().join(" ")
        }
    };
    counts.into_iter().chain(rates).chain([best]).collect()
}

/// Causes of wrong utterances.
pub(in super::super) fn causes_table(caption: &str, rows: &[&Causes]) -> Table {
    let heads = [
        "category",
        "version",
        "utterances",
        "wrong",
        "search error, % of wrong",
        "model error, % of wrong",
        "vocabulary, % of wrong",
    ];
    let mut table = Table::new(caption, heads);
    for row in rows.iter().filter(|row| row.wrong > 0) {
        let share = |part: usize| format!("{:.1}", 100.0 * part as f64 / row.wrong as f64);
        let cells = [
            row.version.clone(),
            row.utterances.to_string(),
            row.wrong.to_string(),
            share(row.search),
            share(row.model),
            share(row.unalignable),
        ];
        table.push(row.category.map_or("all", Category::name), cells);
    }
    table
}
