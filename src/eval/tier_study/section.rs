//! A study as tables, for the terminal and for a page.

use std::fmt::Write;

use super::Accounting;
use super::certified::ASKED;
use super::study::{CALLED_OUT, Study};
use crate::tiers::folds::Split;
use crate::tiers::{Method, Objective};

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

impl Section {
    fn new(title: &str, note: &str, header: &str) -> Section {
        Section {
            title: title.to_owned(),
            note: note.to_owned(),
            header: header
                .split('|')
                .map(|name| name.trim().to_owned())
                .collect(),
            rows: Vec::new(),
        }
    }

    fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// The table as aligned text.
    pub fn to_text(&self) -> String {
        let lines = || std::iter::once(&self.header).chain(&self.rows);
        let width = |column: usize| {
            lines()
                .filter_map(|line| line.get(column))
                .map(|cell| cell.chars().count())
                .max()
        };
        let widths: Vec<usize> = (0..self.header.len())
            .map(|column| width(column).unwrap_or(0))
            .collect();
        let mut text = format!("{}\n", self.title);
        for line in lines() {
            let mut cells = String::new();
            for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                match column {
                    0 => write!(cells, "  {cell:width$}"),
                    _ => write!(cells, "  {cell:>width$}"),
                }
                .expect("a string takes everything");
            }
            text.push_str(cells.trim_end());
            text.push('\n');
        }
        if !self.note.is_empty() {
            text.push_str(&format!("  ({})\n", self.note));
        }
        text
    }
}

/// All tables of a study.
pub fn sections(study: &Study) -> Vec<Section> {
    let mut sections = vec![versions(study), violations(study)];
    sections.extend([Split::Random, Split::Disjoint].map(|split| savings(study, split)));
    sections.extend([
        certified(study),
        accountings(study),
        timelines(study),
        alike(study),
    ]);
    sections.extend((!study.third_version.is_empty()).then(|| third(study)));
    sections.extend((!study.shift.is_empty()).then(|| shift(study)));
    sections
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn tolerance(tolerance: f64) -> String {
    format!("{} %", 100.0 * tolerance)
}

fn versions(study: &Study) -> Section {
    let title = format!(
        "Versions alone, {} requests of {} groups (speakers)",
        study.requests, study.groups
    );
    let mut section = Section::new(
        &title,
        "",
        "version | error rate | response s | cost s | of it shared s",
    );
    for single in &study.versions {
        let seconds =
            [single.response, single.cost, single.shared].map(|value| format!("{value:.4}"));
        let [response, cost, shared] = seconds;
        section.row([
            single.name.clone(),
            format!("{:.2} %", 100.0 * single.error_rate),
            response,
            cost,
            shared,
        ]);
    }
    section
}

fn violations(study: &Study) -> Section {
    let allowed = 100.0 * (1.0 - (1.0 - study.delta).powi(10));
    let note = format!(
        "fold broken: some tolerance of 0–10 % was exceeded on its test part. δ = {} allows a next-batch rule one \
         broken fold of ten with a chance of {allowed:.2} %. population and finite-sample promise the long run, not \
         a test part of a tenth; point promises nothing",
        study.delta
    );
    let mut section = Section::new(
        "Fig 8: promises broken on test parts",
        &note,
        "contender | method | folds | points broken | folds broken | exact 95 % of folds | furthest above",
    );
    for row in &study.violations {
        let [low, high] = row.folds.exact.map(|share| 100.0 * share);
        section.row([
            row.contender.to_owned(),
            row.method.to_owned(),
            split_name(row.split).to_owned(),
            format!("{} of {}", row.points.count, row.points.trials),
            format!("{} of {}", row.folds.count, row.folds.trials),
            format!("{low:.1} – {high:.1} %"),
            format!("{:+.2} points", 100.0 * row.worst),
        ]);
    }
    section
}

fn split_name(split: Split) -> &'static str {
    match split {
        Split::Random => "random",
        Split::Disjoint => "disjoint",
    }
}

/// What the paper saves: its abstract's figures, which mix services, by objective.
fn published(objective: Objective, tolerance: f64) -> &'static str {
    match (objective, (100.0 * tolerance).round() as u32) {
        (Objective::ResponseTime, 1) => "19 %",
        (Objective::ResponseTime, 5) => "45 %",
        (Objective::ResponseTime, 10) => "60 %",
        (Objective::Cost, 1) => "21 %",
        (Objective::Cost, 5) => "60 %",
        (Objective::Cost, 10) => "70 %",
        _ => "",
    }
}

fn savings(study: &Study, split: Split) -> Section {
    let title = format!(
        "Figs 9 and 10: savings against TT-OSFA on {} folds, scores shared",
        split_name(split)
    );
    let (dearer, all) = study.dearer_than_osfa;
    let note = format!(
        "means over test parts; in brackets the share of requests in full operation. The paper's figures are its \
         abstract's, which mix services; its text gives about 20 % of response time for speech. Means in which an \
         optimised tier needs more of its own objective than TT-OSFA: {dearer} of {all}"
    );
    let mut header = "objective | method".to_owned();
    CALLED_OUT
        .iter()
        .for_each(|&at| header.push_str(&format!(" | {}", tolerance(at))));
    let mut section = Section::new(&title, &note, &header);
    for objective in Objective::ALL {
        for method in &study.methods {
            let mine = study.savings.iter().filter(|row| {
                row.split == split
                    && row.accounting == Accounting::Shared
                    && (row.objective, row.method) == (objective, method.name())
            });
            let cells = mine
                .map(|row| format!("{} ({:.0} %)", percent(row.to_osfa), 100.0 * row.escalated));
            let names = [objective.name().to_owned(), method.name().to_owned()];
            section.rows.push(names.into_iter().chain(cells).collect());
        }
        let paper = CALLED_OUT
            .iter()
            .map(|&at| published(objective, at).to_owned());
        let names = [objective.name().to_owned(), "the paper says".to_owned()];
        section.rows.push(names.into_iter().chain(paper).collect());
    }
    section
}

fn certified(study: &Study) -> Section {
    let title = format!(
        "Certificates on all {} requests of {} groups (δ = {})",
        study.requests, study.groups, study.delta
    );
    let note = format!(
        "saving against {} alone, scores shared. Last column: from which tolerance on a saving of {} is certified. \
         In brackets: how many groups (speakers) like these would certify it at that tolerance",
        study.reference,
        percent(ASKED)
    );
    let mut header = "objective | method".to_owned();
    CALLED_OUT
        .iter()
        .for_each(|&at| header.push_str(&format!(" | {}", tolerance(at))));
    header.push_str(&format!(" | {} certified from", percent(ASKED)));
    let mut section = Section::new(&title, &note, &header);
    for objective in Objective::ALL {
        for row in &study.certified {
            let mine = row.tiers.iter().filter(|tier| tier.objective == objective);
            let cells = mine.map(|tier| match tier.groups_needed {
                Some(groups) if tier.saving < ASKED => {
                    format!("{} ({groups})", percent(tier.saving))
                }
                _ => percent(tier.saving),
            });
            let from = match objective {
                Objective::ResponseTime => row.response_tolerance,
                Objective::Cost => row.cost_tolerance,
            };
            let names = [objective.name().to_owned(), row.method.name().to_owned()];
            let from = from.map_or("nowhere".to_owned(), |at| format!("{:.2} %", 100.0 * at));
            section
                .rows
                .push(names.into_iter().chain(cells).chain([from]).collect());
        }
    }
    section
}

/// Shared scores against separate ones, and the paper's model.
fn accountings(study: &Study) -> Section {
    let mut header = "objective | costs".to_owned();
    CALLED_OUT
        .iter()
        .for_each(|&at| header.push_str(&format!(" | {}", tolerance(at))));
    let method = study
        .methods
        .iter()
        .find(|method| **method == Method::Population)
        .or(study.methods.first());
    let name = method.map_or("", |method| method.name());
    let title =
        format!("Shared scores: savings against TT-OSFA by accounting ({name}, random folds)");
    let note = "reference: the paper's own cost model, v1 0.5, v7 2.1, network 0.5";
    let mut section = Section::new(&title, note, &header);
    for objective in Objective::ALL {
        for accounting in Accounting::ALL {
            let mine = study.savings.iter().filter(|row| {
                (row.split, row.accounting) == (Split::Random, accounting)
                    && (row.objective, row.method) == (objective, name)
            });
            let names = [objective.name().to_owned(), accounting.name().to_owned()];
            section.rows.push(
                names
                    .into_iter()
                    .chain(mine.map(|row| percent(row.to_osfa)))
                    .collect(),
            );
        }
    }
    section
}

fn timelines(study: &Study) -> Section {
    let note = "the paper: Seq, full +20 % response and +25 % cost; Conc, early −60 % and −50 %";
    let header = "policy | costs | response s | cost s | response to OSFA | cost to OSFA";
    let mut section = Section::new(
        "Fig 6: one request, fastest version and reference",
        note,
        header,
    );
    for (accounting, lines) in &study.timelines {
        for line in lines {
            let [response, cost] = line
                .to_osfa
                .map(|ratio| format!("{:+.0} %", 100.0 * (ratio - 1.0)));
            let (waited, used) = (
                format!("{:.4}", line.mean.response),
                format!("{:.4}", line.mean.cost),
            );
            section.row([
                line.name.to_owned(),
                accounting.name().to_owned(),
                waited,
                used,
                response,
                cost,
            ]);
        }
    }
    section
}

fn alike(study: &Study) -> Section {
    let note =
        "of D = e(version) − (1 + τ)·e(reference): 0 where requests of a speaker are independent";
    let header = "version | degradation | correlation, τ = 0 | correlation, τ = 5 %";
    let mut section = Section::new(
        "How much alike are requests of one group? Intra-class correlation",
        note,
        header,
    );
    for row in &study.alike {
        let [at_0, at_5] = row
            .correlation
            .map(|value| value.map_or("-".to_owned(), |value| format!("{value:.3}")));
        section.row([row.version.clone(), percent(row.degradation), at_0, at_5]);
    }
    section
}

fn third(study: &Study) -> Section {
    let note =
        "picked by point estimate on random folds; cost as a share of the reference version's";
    let header = "tolerance | two: cost | two: degradation | three: cost | three: degradation";
    let mut section = Section::new(
        "Does a third version help? Best one after the other, objective cost",
        note,
        header,
    );
    for row in &study.third_version {
        let values = [
            row.two_cost,
            row.two_degradation,
            row.three_cost,
            row.three_degradation,
        ]
        .map(percent);
        section.rows.push(
            [tolerance(row.tolerance)]
                .into_iter()
                .chain(values)
                .collect(),
        );
    }
    section
}

fn shift(study: &Study) -> Section {
    let [from, to] = study
        .shift
        .first()
        .map_or([[0; 2]; 2], |row| [row.certified, row.applied]);
    let title = format!(
        "Shift: certified on {} requests of {} groups, applied to {} of {}",
        from[0], from[1], to[0], to[1]
    );
    let mut header = "contender | method | tolerances broken".to_owned();
    CALLED_OUT
        .iter()
        .for_each(|&at| header.push_str(&format!(" | at {}", tolerance(at))));
    let mut section = Section::new(&title, "degradation found at each tolerance", &header);
    for row in &study.shift {
        let found = CALLED_OUT.iter().filter_map(|&at| {
            row.kept
                .iter()
                .find(|(tolerance, _)| (tolerance - at).abs() < 1e-9)
        });
        let names = [
            row.contender.to_owned(),
            row.method.name().to_owned(),
            format!("{} of {}", row.broken, row.kept.len()),
        ];
        section.rows.push(
            names
                .into_iter()
                .chain(found.map(|(_, found)| percent(*found)))
                .collect(),
        );
    }
    section
}
