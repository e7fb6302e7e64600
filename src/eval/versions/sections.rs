//! The report as sections of a page: what is claimed, each picture with its numbers, and how they
//! were made.

use super::breakdown::Part as Corpus;
use super::category::{Category, CategoryErrors};
use super::dominance::Difference;
use super::figures::Figure;
use super::tradeoff::VersionRow;
use super::{Measured, VersionReport};
use crate::eval::page::{Part, Section};
use crate::eval::table::{Cells, Table};

/// Longer tables of speakers are cut on the page; `report.json` has all of them.
const MOST_SPEAKERS: usize = 300;

/// The sections of the page.
pub fn sections(report: &VersionReport, figures: &[Figure]) -> Vec<Section> {
    let mut all = vec![
        claims_section(report),
        tradeoff_section(report, figures),
        categories_section(report, figures),
        errors_section(report, figures),
    ];
    all.extend(causes_section(report, figures));
    all.push(confidence_section(report, figures));
    all.extend(corpus_section(report));
    all
}

fn picture(section: &mut Section, figures: &[Figure], name: &str, caption: &str) {
    if let Some(figure) = figures.iter().find(|figure| figure.name == name) {
        section.picture(&figure.svg, caption);
    }
}

fn claims_section(report: &VersionReport) -> Section {
    let mut section = Section::new("Findings");
    section.text(
        "What the paper (Halpern et al., ISPASS 2019, sections II and III) found on its speech \
         service, and what was found here. Intervals hold the middle 95 % of corpora made by \
         drawing speakers anew.",
    );
    section.table(claims_table(report));
    section
}

/// The paper's findings, and whether they hold.
pub fn claims_table(report: &VersionReport) -> Table {
    let mut table = Table::new("", ["finding", "the paper", "here", "holds"]);
    table.cells = Cells::Words;
    for claim in &report.claims {
        let holds = if claim.holds { "✓" } else { "✗" };
        let cells = [
            claim.paper.to_owned(),
            claim.measured.clone(),
            holds.to_owned(),
        ];
        table.push(claim.claim, cells);
    }
    table
}

fn tradeoff_section(report: &VersionReport, figures: &[Figure]) -> Section {
    let mut section = Section::new("Error and response time (figure 1a)");
    let tradeoff = &report.tradeoff;
    let network = 1000.0 * tradeoff.round_trip.0;
    let caption = format!(
        "Above, the error of each version; below, its mean response time. The network's part is \
         not measured: it is a round trip of {network:.0} ms added to every request."
    );
    picture(&mut section, figures, "tradeoff", &caption);
    section.table(versions_table(report));
    section.text(format!(
        "From {} to {} the error gap relative to the better is {} by all errors over all words, {} \
         by the mean over utterances; the response spread is {} with the network, {} on the \
         server alone.",
        report.versions[0],
        report.versions[report.versions.len() - 1],
        percent(tradeoff.gap),
        percent(tradeoff.macro_gap),
        times(tradeoff.spread),
        times(tradeoff.server_spread),
    ));
    section
        .parts
        .extend(counters_table(&tradeoff.rows).map(Part::Table));
    section.table(differences_table(
        "What each version loses in accuracy and gains in time against the next; differences are \
         paired by speaker",
        &report.steps,
    ));
    if report.dominated.is_empty() {
        section.text("No version is both slower and less accurate than another.");
    } else {
        let caption = "Versions that another beats in both; beyond noise where the whole interval \
                       of the error is above 0";
        section.table(differences_table(caption, &report.dominated));
    }
    section
}

/// Error and time of each version.
pub fn versions_table(report: &VersionReport) -> Table {
    let rows = &report.tradeoff.rows;
    let mut columns = vec!["version", "micro % (95 %)", "macro %", "wrong %"];
    let kinds = rows.iter().all(|row| row.kinds.is_some());
    if kinds {
        columns.extend(["S", "D", "I"]);
    }
    columns.extend([
        "server ms",
        "response ms",
        "p50",
        "p95",
        "server %",
        "cost ms",
    ]);
    let factor = rows.iter().all(|row| row.real_time_factor.is_some());
    if factor {
        columns.push("real-time factor");
    }
    let mut table = Table::new("Means over utterances, unless said otherwise", columns);
    for row in rows {
        let wrong = 100.0 * row.wrong as f64 / report.utterances as f64;
        let macro_mean = row
            .macro_mean
            .map_or("–".into(), |m| format!("{:.2}", 100.0 * m.value));
        let mut cells = vec![percent(row.micro), macro_mean, format!("{wrong:.1}")];
        cells.extend(
            row.kinds
                .iter()
                .filter(|_| kinds)
                .flatten()
                .map(u64::to_string),
        );
        let response = [row.response.mean, row.response.p50, row.response.p95];
        cells.push(milliseconds(row.server.mean));
        cells.extend(response.map(milliseconds));
        cells.push(format!("{:.0}", 100.0 * row.server_share));
        cells.push(milliseconds(row.cost));
        cells.extend(
            row.real_time_factor
                .filter(|_| factor)
                .map(|x| format!("{x:.4}")),
        );
        table.push(&row.version, cells);
    }
    table
}

/// What the search did, as far as it was recorded.
fn counters_table(rows: &[VersionRow]) -> Option<Table> {
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
    let shown = known
        .into_iter()
        .filter(|(name, ..)| first.counters.contains_key(*name));
    let shown: Vec<_> = shown.collect();
    let oracle = first.oracle.is_some();
    if shown.is_empty() && !oracle {
        return None;
    }
    let heads = shown.iter().map(|(_, head, _)| *head);
    let heads = ["version"]
        .into_iter()
        .chain(heads)
        .chain(oracle.then_some("lattice oracle %"));
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

fn differences_table(caption: &str, rows: &[Difference]) -> Table {
    let heads = [
        "version",
        "against",
        "error, points (95 %)",
        "response, ms (95 %)",
        "beyond noise",
    ];
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

fn categories_section(report: &VersionReport, figures: &[Figure]) -> Section {
    let mut section = Section::new("Categories (figure 2)");
    section.text(
        "An utterance is unchanged if all versions make as many errors; it improves if no version \
         makes more than the one before and the last makes fewer than the first; it degrades in \
         the opposite case; otherwise it varies.",
    );
    picture(
        &mut section,
        figures,
        "shares",
        "Shares of the categories, of all and by set.",
    );
    let heads = Category::ALL.map(|category| format!("{} %", category.name()));
    let heads = ["set".to_owned(), "utterances".to_owned()]
        .into_iter()
        .chain(heads);
    let mut table = Table::new("", heads.chain(["unchanged, faultless %".to_owned()]));
    for row in &report.shares {
        let share = |part: usize| format!("{:.1}", 100.0 * part as f64 / row.utterances as f64);
        let counts = row.counts.into_iter().chain([row.unchanged_right]);
        let cells = [row.utterances.to_string()]
            .into_iter()
            .chain(counts.map(share));
        table.push(&row.set, cells.collect::<Vec<_>>());
    }
    let paper = ["36000", "over 74", "over 15", "", "", ""].map(str::to_owned);
    table.push(
        "the paper (degrades and varies: together under 11 %)",
        paper,
    );
    section.table(table);
    let caption = "The clearest utterance of each category: its errors against its response time, \
                   network included, version by version.";
    picture(&mut section, figures, "exemplars", caption);
    section.table(exemplars_table(report));
    let texts = texts_tables(report);
    section.parts.extend(texts.into_iter().map(Part::Folded));
    section
}

fn exemplars_table(report: &VersionReport) -> Table {
    let heads = [
        "category",
        "utterance",
        "words",
        "errors by version",
        "server ms by version",
    ];
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
fn texts_tables(report: &VersionReport) -> Vec<Table> {
    let known = report
        .exemplars
        .iter()
        .filter(|e| e.texts.iter().any(Option::is_some));
    let tables = known.map(|exemplar| {
        let caption = format!(
            "{}: what was heard in {}",
            exemplar.category.name(),
            exemplar.id
        );
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

fn errors_section(report: &VersionReport, figures: &[Figure]) -> Section {
    let mut section = Section::new("Error by category (figure 3)");
    let caption = "Errors over words of each category's utterances by version. Unchanged \
                   utterances are not drawn, as no version changes them.";
    picture(&mut section, figures, "categories", caption);
    let heads = ["category", "utterances", "words"]
        .map(str::to_owned)
        .into_iter();
    let heads = heads.chain(report.versions.iter().map(|version| format!("{version} %")));
    let heads = heads.chain(["best".to_owned()]);
    let mut table = Table::new("Errors over reference words", heads);
    for row in &report.by_category {
        table.push(row.name(), errors_cells(report, row));
    }
    section.table(table);
    section
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

fn causes_section(report: &VersionReport, figures: &[Figure]) -> Option<Section> {
    let rows = report.causes.as_ref()?;
    let mut section = Section::new("Search errors and model errors");
    section.text(
        "A wrong utterance is a search error if the model finds the reference likelier than what \
         was heard, so that a wider search would have found it; a model error if it does not; and \
         beyond the vocabulary if the reference has a word that the model cannot write.",
    );
    picture(
        &mut section,
        figures,
        "causes",
        "Wrong utterances by cause and version.",
    );
    let heads = [
        "category",
        "version",
        "utterances",
        "wrong",
        "search error, % of wrong",
        "model error, % of wrong",
        "vocabulary, % of wrong",
    ];
    let mut table = Table::new("", heads);
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
    section.table(table);
    Some(section)
}

fn confidence_section(report: &VersionReport, figures: &[Figure]) -> Section {
    let mut section = Section::new("Confidence (figure 5)");
    let caption = "Confidence by version and category: the middle half of the utterances, the \
                   median, and what 5 % and 95 % stay below.";
    picture(&mut section, figures, "confidence", caption);
    let last = &report.versions[report.versions.len() - 1];
    let better = format!("AUC: {last} is better");
    let heads = [
        "version",
        "AUC: unchanged",
        &better,
        "AUC: has an error",
        "NCE",
        "ECE",
    ];
    let caption = "What the confidence of a version tells. AUC: 1 parts perfectly, 0.5 not at all. \
                   NCE (normalised cross entropy, 1 is perfect) and ECE (expected calibration \
                   error, 0 is perfect, 15 bins) take it as the probability that an utterance has \
                   no error.";
    let mut table = Table::new(caption, heads);
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.3}"));
    for row in &report.sureness {
        let aucs = [row.auc_unchanged, row.auc_last_is_better, row.auc_wrong];
        table.push(
            &row.version,
            aucs.into_iter().chain([row.nce, row.ece]).map(number),
        );
    }
    section.table(table);
    let caption = "How often utterances are without error, by confidence; bins of fewer than 5 \
                   utterances are left out.";
    picture(&mut section, figures, "calibration", caption);
    section
        .parts
        .push(Part::Folded(distributions_table(report)));
    section
}

fn distributions_table(report: &VersionReport) -> Table {
    let heads = [
        "category",
        "version",
        "utterances",
        "mean",
        "5 %",
        "25 %",
        "50 %",
        "75 %",
        "95 %",
    ];
    let mut table = Table::new("Confidence by category and version, as numbers", heads);
    for row in &report.confidence {
        let numbers = [row.mean].into_iter().chain(row.quantiles);
        let numbers = numbers.map(|value| format!("{value:.3}"));
        let cells = [row.version.clone(), row.utterances.to_string()];
        table.push(row.category.name(), cells.into_iter().chain(numbers));
    }
    table
}

fn corpus_section(report: &VersionReport) -> Option<Section> {
    if report.sets.is_empty() && report.groups.is_empty() {
        return None;
    }
    let mut section = Section::new("Sets and speakers");
    if !report.sets.is_empty() {
        section.table(corpus_table(
            "Error by set, % (95 %)",
            report,
            report.sets.iter(),
        ));
        section.table(times_table(report));
    }
    if !report.groups.is_empty() {
        let mut most: Vec<&Corpus> = report.groups.iter().collect();
        most.sort_by_key(|part| std::cmp::Reverse(part.words));
        let shown = most.len().min(MOST_SPEAKERS);
        let caption = format!(
            "Error by speaker, %: {shown} of {} speakers, most words first",
            most.len()
        );
        let table = corpus_table(&caption, report, most.into_iter().take(shown));
        section.parts.push(Part::Folded(table));
    }
    Some(section)
}

fn corpus_table<'a>(
    caption: &str,
    report: &VersionReport,
    parts: impl Iterator<Item = &'a Corpus>,
) -> Table {
    let heads = ["", "utterances", "words"].into_iter();
    let heads = heads
        .chain(report.versions.iter().map(String::as_str))
        .chain(["gap, %"]);
    let mut table = Table::new(caption, heads);
    for part in parts {
        let counts = [part.utterances.to_string(), part.words.to_string()];
        let rates = part
            .micro
            .iter()
            .copied()
            .chain([part.gap])
            .map(percent_short);
        table.push(&part.name, counts.into_iter().chain(rates));
    }
    table
}

fn times_table(report: &VersionReport) -> Table {
    let heads = ["set"]
        .into_iter()
        .chain(report.versions.iter().map(String::as_str));
    let mut table = Table::new("Mean time on the server by set, ms", heads);
    for part in &report.sets {
        table.push(
            &part.name,
            part.response.iter().map(|mean| milliseconds(*mean)),
        );
    }
    table
}

fn milliseconds(seconds: f64) -> String {
    let milliseconds = 1000.0 * seconds;
    let decimals = if milliseconds < 100.0 { 1 } else { 0 };
    format!("{milliseconds:.decimals$}")
}

/// A value and its interval, both times a factor.
fn interval(measured: Option<Measured>, factor: f64, decimals: usize) -> String {
    let number = |value: f64| format!("{:.decimals$}", factor * value);
    let Some(Measured { value, interval }) = measured else {
        return "–".to_owned();
    };
    let ends = interval.map(|i| format!(" ({} to {})", number(i.low), number(i.high)));
    number(value) + &ends.unwrap_or_default()
}

fn percent(measured: Option<Measured>) -> String {
    interval(measured, 100.0, 2)
}

fn percent_short(measured: Option<Measured>) -> String {
    interval(measured, 100.0, 1)
}

fn times(measured: Option<Measured>) -> String {
    interval(measured, 1.0, 2) + "×"
}
