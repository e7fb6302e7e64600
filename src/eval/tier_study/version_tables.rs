//! What versions are like, alone and together, as tables.

use super::section::{Section, milliseconds, percent, tolerance};
use super::study::{CALLED_OUT, Study};

/// Fig 1a in numbers.
pub fn versions(study: &Study) -> Section {
    let Study {
        requests, groups, ..
    } = study;
    let title =
        format!("Versions alone, {requests} requests of {groups} groups (of speech: speakers)");
    let header = [
        "version",
        "error rate",
        "response ms",
        "cost ms",
        "of it shared ms",
    ];
    let mut section = Section::new(title, &header);
    for row in &study.versions {
        let seconds = [row.response, row.cost, row.shared].map(milliseconds);
        let rate = format!("{:.2} %", 100.0 * row.error_rate);
        section.row(&[row.name.as_str()], [rate].into_iter().chain(seconds));
    }
    section
}

/// Fig 6 in numbers.
pub fn timelines(study: &Study) -> Section {
    let title = "Fig 6: one request, fastest version and reference".into();
    let header = [
        "policy",
        "costs",
        "response ms",
        "cost ms",
        "response to OSFA",
        "cost to OSFA",
    ];
    let mut section = Section::new(title, &header);
    section.note =
        "the paper: Seq, full +20 % response and +25 % cost; Conc, early −60 % and −50 %".into();
    for (accounting, lines) in &study.timelines {
        for line in lines {
            let seconds = [line.mean.response, line.mean.cost].map(milliseconds);
            let ratios = line
                .to_osfa
                .map(|ratio| format!("{:+.0} %", 100.0 * (ratio - 1.0)));
            section.row(
                &[line.name, accounting.name()],
                seconds.into_iter().chain(ratios),
            );
        }
    }
    section
}

/// Intra-class correlations.
pub fn alike(study: &Study) -> Section {
    let title = "How much alike are requests of one group? Intra-class correlation".into();
    let header = [
        "version",
        "degradation",
        "correlation, τ = 0",
        "correlation, τ = 5 %",
    ];
    let mut section = Section::new(title, &header);
    section.note = "of D = e(version) − (1 + τ)·e(reference): 0 where requests of a group are as \
                    different as any"
        .into();
    for row in &study.alike {
        let value =
            |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
        let numbers = [percent(row.degradation)]
            .into_iter()
            .chain(row.correlation.map(value));
        section.row(&[row.version.as_str()], numbers);
    }
    section
}

/// Two versions against three.
pub fn third(study: &Study) -> Section {
    let title = "Does a third version help? Best one after the other, objective cost".into();
    let header = [
        "tolerance",
        "two: cost",
        "two: degradation",
        "three: cost",
        "three: degradation",
    ];
    let mut section = Section::new(title, &header);
    section.note =
        "picked by point estimate on random folds; cost as a share of the reference version's"
            .into();
    for row in &study.third_version {
        let two = [row.two_cost, row.two_degradation];
        let numbers = two
            .into_iter()
            .chain([row.three_cost, row.three_degradation])
            .map(percent);
        section.row(&[&tolerance(row.tolerance)], numbers);
    }
    section
}

/// Certified on some sets, applied to others.
pub fn shift(study: &Study) -> Section {
    let [from, to] = study
        .shift
        .first()
        .map_or([[0; 2]; 2], |row| [row.certified, row.applied]);
    let title = format!(
        "Shift: certified on {} requests of {} groups, applied to {} of {}",
        from[0], from[1], to[0], to[1]
    );
    let header = ["contender", "method", "tolerances broken"];
    let mut section = Section::by_tolerance(title, &header);
    section.note = "degradation found at each tolerance".into();
    for row in &study.shift {
        let found = |at: f64| {
            let kept = row
                .kept
                .iter()
                .find(|(tolerance, _)| (tolerance - at).abs() < 1e-9);
            kept.map_or("-".to_owned(), |(_, found)| percent(*found))
        };
        let broken = format!("{} of {}", row.broken, row.kept.len());
        section.row(
            &[row.contender, row.method.name(), &broken],
            CALLED_OUT.map(found),
        );
    }
    section
}
