//! What tiers promise, keep and save, as tables.

use super::Accounting;
use super::cells::{by_tolerance, percent};
use super::certified::{ASKED, Certified};
use super::study::{CALLED_OUT, Study};
use super::summary::Saving;
use crate::eval::table::Table;
use crate::tiers::folds::Split;
use crate::tiers::{Method, Objective, Tolerance};

/// Fig 8 in counts.
pub fn violations(study: &Study) -> Table {
    let header = [
        "contender",
        "method",
        "folds",
        "points broken",
        "folds broken",
        "exact 95 % of folds",
        "furthest above",
    ];
    let mut table = Table::new("Fig 8: promises broken on test parts", header);
    let allowed = 100.0 * (1.0 - (1.0 - study.delta).powi(10));
    table.note = format!(
        "fold broken: some tolerance of 0–10 % was exceeded on its test part. δ = {} allows a \
         next-batch rule one broken fold of ten with a chance of {allowed:.2} %. population and \
         finite-sample promise the long run, not a test part of a tenth; point promises nothing",
        study.delta
    );
    for row in &study.violations {
        let [low, high] = row.folds.exact.map(|share| 100.0 * share);
        let numbers = [
            format!("{} of {}", row.points.count, row.points.trials),
            format!("{} of {}", row.folds.count, row.folds.trials),
            format!("{low:.1} – {high:.1} %"),
            format!("{:+.2} points", 100.0 * row.worst),
        ];
        table.push_named(&[row.contender, row.method, split_name(row.split)], numbers);
    }
    table
}

fn split_name(split: Split) -> &'static str {
    match split {
        Split::Random => "random",
        Split::Disjoint => "disjoint",
    }
}

/// What the paper saves: its abstract's figures, which mix services.
fn published(objective: Objective, tolerance: Tolerance) -> &'static str {
    match (objective, tolerance.as_percent().round() as u32) {
        (Objective::ResponseTime, 1) => "19 %",
        (Objective::ResponseTime, 5) => "45 %",
        (Objective::ResponseTime, 10) => "60 %",
        (Objective::Cost, 1) => "21 %",
        (Objective::Cost, 5) => "60 %",
        (Objective::Cost, 10) => "70 %",
        _ => "",
    }
}

/// Figs 9 and 10 in numbers.
pub fn savings(study: &Study, split: Split) -> Table {
    let folds = split_name(split);
    let title = format!("Figs 9 and 10: savings against TT-OSFA on {folds} folds, scores shared");
    let mut table = by_tolerance(&title, &["objective", "method"]);
    let (dearer, all) = study.dearer_than_osfa;
    table.note = format!(
        "means over test parts; in brackets the share of requests in full operation. The paper's \
         figures are its abstract's, which mix services; its text gives about 20 % of response \
         time for speech. Means in which an optimised tier needs more of its own objective than \
         TT-OSFA: {dearer} of {all}"
    );
    for objective in Objective::ALL {
        for method in study.methods.iter().map(|method| method.name()) {
            let rows = of(study, split, Accounting::Shared, objective);
            let rows = rows.filter(|row| row.method == method);
            let full = |row: &Saving| format!("({:.0} %)", 100.0 * row.escalated);
            let numbers = rows.map(|row| format!("{} {}", percent(row.to_osfa), full(row)));
            table.push_named(&[objective.name(), method], numbers);
        }
        let paper = CALLED_OUT.map(|at| published(objective, at).to_owned());
        table.push_named(&[objective.name(), "the paper says"], paper);
    }
    table
}

/// What each promise costs in requests that the reference version is asked.
pub fn prices(study: &Study) -> Table {
    let reference = &study.reference;
    let title = format!("The price of each promise: requests that {reference} is asked");
    let mut table = by_tolerance(&title, &["objective", "method"]);
    table.note = format!(
        "means over test parts of random folds, scores shared; 100 %: {reference} answers alone"
    );
    for objective in Objective::ALL {
        for method in study.methods.iter().map(|method| method.name()) {
            let rows = of(study, Split::Random, Accounting::Shared, objective);
            let rows = rows.filter(|row| row.method == method);
            let numbers = rows.map(|row| percent(row.asked));
            table.push_named(&[objective.name(), method], numbers);
        }
    }
    table
}

/// Savings of one split, accounting and objective, by method and rising tolerance.
fn of(
    study: &Study,
    split: Split,
    accounting: Accounting,
    objective: Objective,
) -> impl Iterator<Item = &Saving> {
    let wanted = (split, accounting, objective);
    let rows = study.savings.iter();
    rows.filter(move |row| (row.split, row.accounting, row.objective) == wanted)
}

/// What certificates on all rows allow.
pub fn certified(study: &Study) -> Table {
    let Study { requests, groups, delta, reference, .. } = study;
    let title = format!("Certificates on all {requests} requests of {groups} groups (δ = {delta})");
    let mut table = by_tolerance(&title, &["objective", "method"]);
    table.columns.push(format!("{} from", percent(ASKED)));
    table.note = format!(
        "saving against {reference} alone, scores shared. In brackets: how many groups like \
         these would certify a saving of {0} at that tolerance, where these do not. Last \
         column: the tolerance from which {0} is certified",
        percent(ASKED)
    );
    for objective in Objective::ALL {
        for row in &study.certified {
            table.push_named(&[objective.name(), row.method.name()], certificate(row, objective));
        }
    }
    table
}

fn certificate(row: &Certified, objective: Objective) -> Vec<String> {
    let mine = row.tiers.iter().filter(|tier| tier.objective == objective);
    let tiers = mine.map(|tier| match tier.groups_needed {
        Some(groups) if tier.saving < ASKED => format!("{} ({groups})", percent(tier.saving)),
        _ => percent(tier.saving),
    });
    let from = match objective {
        Objective::ResponseTime => row.response_tolerance,
        Objective::Cost => row.cost_tolerance,
    };
    let from = from.map_or("nowhere".to_owned(), |at| format!("{:.2} %", 100.0 * at));
    tiers.chain([from]).collect()
}

/// What more groups like these would allow.
pub fn more_groups(study: &Study) -> Table {
    let title = format!(
        "More groups like these {}: savings against TT-OSFA that population would certify",
        study.groups
    );
    let mut table = by_tolerance(&title, &["objective", "groups"]);
    table.note = "each group counted several times, as several groups; on all requests, scores \
                    shared. With more groups cheaper single versions are certified as well, so a \
                    saving against them can shrink again"
        .to_owned();
    for row in &study.more_groups {
        table.push_named(
            &[row.objective.name(), &row.groups.to_string()],
            row.savings.iter().copied().map(percent),
        );
    }
    table
}

/// Shared scores against separate ones, and the paper's model.
pub fn accountings(study: &Study) -> Table {
    let population = study.methods.iter().find(|method| **method == Method::Population);
    let method = population.or(study.methods.first()).map_or("", |method| method.name());
    let title = format!("Savings against TT-OSFA by accounting ({method}, random folds)");
    let mut table = by_tolerance(&title, &["objective", "costs"]);
    table.note = "reference: the paper's own cost model, v1 0.5, v7 2.1, network 0.5".into();
    for objective in Objective::ALL {
        for accounting in Accounting::ALL {
            let rows = of(study, Split::Random, accounting, objective);
            let rows = rows.filter(|row| row.method == method);
            let numbers = rows.map(|row| percent(row.to_osfa));
            table.push_named(&[objective.name(), accounting.name()], numbers);
        }
    }
    table
}
