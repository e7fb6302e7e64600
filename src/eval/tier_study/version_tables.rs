//! What versions are like, alone and together, as tables.

use super::cells::{by_tolerance, milliseconds, percent, tolerance};
use super::study::{CALLED_OUT, Study};
use crate::eval::table::Table;
use crate::tiers::Tolerance;

/// Fig 1a in numbers.
pub fn versions(study: &Study) -> Table {
    let Study { requests, groups, .. } = study;
    let title =
        format!("Versions alone, {requests} requests of {groups} groups (of speech: speakers)");
    let header = ["version", "error rate", "response ms", "cost ms", "of it shared ms"];
    let mut table = Table::new(&title, header);
    for row in &study.versions {
        let seconds = [row.response, row.cost, row.shared].map(milliseconds);
        let rate = format!("{:.2} %", 100.0 * row.error_rate);
        table.push_named(&[row.name.as_str()], [rate].into_iter().chain(seconds));
    }
    table
}

/// Fig 6 in numbers.
pub fn timelines(study: &Study) -> Table {
    let title = "Fig 6: one request, fastest version and reference";
    let header = ["policy", "costs", "response ms", "cost ms", "response to OSFA", "cost to OSFA"];
    let mut table = Table::new(title, header);
    table.note =
        "the paper: Seq, full +20 % response and +25 % cost; Conc, early −60 % and −50 %".into();
    for (accounting, lines) in &study.timelines {
        for line in lines {
            let seconds = [line.mean.response, line.mean.cost].map(milliseconds);
            let ratios = line.to_osfa.map(|ratio| format!("{:+.0} %", 100.0 * (ratio - 1.0)));
            table.push_named(&[line.name, accounting.name()], seconds.into_iter().chain(ratios));
        }
    }
    table
}

/// Intra-class correlations.
pub fn alike(study: &Study) -> Table {
    let title = "How much alike are requests of one group? Intra-class correlation";
    let header = ["version", "degradation", "correlation, τ = 0", "correlation, τ = 5 %"];
    let mut table = Table::new(title, header);
    table.note = "of D = e(version) − (1 + τ)·e(reference): 0 where requests of a group are as \
                    different as any"
        .into();
    for row in &study.alike {
        let value =
            |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
        let numbers = [percent(row.degradation)].into_iter().chain(row.correlation.map(value));
        table.push_named(&[row.version.as_str()], numbers);
    }
    table
}

/// Two versions against three.
pub fn third(study: &Study) -> Table {
    let title = "Does a third version help? Best one after the other, objective cost";
    let header =
        ["tolerance", "two: cost", "two: degradation", "three: cost", "three: degradation"];
    let mut table = Table::new(title, header);
    table.note =
        "picked by point estimate on random folds; cost as a share of the reference version's"
            .into();
    for row in &study.third_version {
        let two = [row.two_cost, row.two_degradation];
        let numbers = two.into_iter().chain([row.three_cost, row.three_degradation]).map(percent);
        table.push_named(&[&tolerance(row.tolerance)], numbers);
    }
    table
}

/// Certified on some sets, applied to others.
pub fn shift(study: &Study) -> Table {
    let [from, to] = study.shift.first().map_or([[0; 2]; 2], |row| [row.certified, row.applied]);
    let title = format!(
        "Shift: certified on {} requests of {} groups, applied to {} of {}",
        from[0], from[1], to[0], to[1]
    );
    let header = ["contender", "method", "tolerances broken"];
    let mut table = by_tolerance(&title, &header);
    table.note = "degradation found at each tolerance".into();
    for row in &study.shift {
        let found = |at: Tolerance| {
            let at = at.as_share();
            let kept = row.kept.iter().find(|(tolerance, _)| (tolerance - at).abs() < 1e-9);
            kept.map_or("-".to_owned(), |(_, found)| percent(*found))
        };
        let broken = format!("{} of {}", row.broken, row.kept.len());
        table.push_named(&[row.contender, row.method.name(), &broken], CALLED_OUT.map(found));
    }
    table
}
