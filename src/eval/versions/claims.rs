//! Compares the paper's findings (sections II and III) with what was measured.

use serde::Serialize;

use super::VersionReport;
use super::category::{Category, CategoryErrors, one_version_fits_all};
use super::resampled::Measured;
use super::tradeoff::{Tradeoff, VersionRow};

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Claim {
    /// What is claimed.
    pub claim: &'static str,
    /// What the paper found.
    pub paper: &'static str,
    /// What was measured here.
    pub measured: String,
    /// Whether the claim holds here.
    pub holds: bool,
}

/// The findings that can be checked, in the order of the paper.
pub fn claims(report: &VersionReport) -> Vec<Claim> {
    let mut found: Vec<Claim> = error_claims(&report.tradeoff).into();
    found.extend(time_claims(&report.tradeoff));
    found.push(dominance_claim(report));
    found.extend(share_claims(report));
    found.push(best_version_claim(report));
    found.extend(confidence_claim(report));
    found
}

fn error_claims(tradeoff: &Tradeoff) -> [Claim; 2] {
    let rate = |row: &VersionRow| row.micro.map_or(f64::NAN, |micro| 100.0 * micro.value);
    let (first, last) = ends(tradeoff);
    [
        Claim {
            claim: "The error falls from version to version",
            paper: "16.17 % to 14.8 %, mean over utterances",
            measured: format!("{:.2} % to {:.2} % (micro)", rate(first), rate(last)),
            holds: tradeoff.error_falls(),
        },
        Claim {
            claim: "The fastest version errs at least 5 % more than the most accurate",
            paper: "9.2 % more",
            measured: percent_of(tradeoff.gap),
            holds: tradeoff.gap.is_some_and(|gap| gap.value >= 0.05),
        },
    ]
}

fn time_claims(tradeoff: &Tradeoff) -> [Claim; 3] {
    let (first, last) = ends(tradeoff);
    let [first, last] = [first, last].map(|row| 100.0 * row.server_share);
    [
        Claim {
            claim: "On the server, the most accurate version takes at least 2× as long as the fastest",
            paper: "4.2× (implied by figure 6)",
            measured: ratio(tradeoff.server_spread),
            holds: tradeoff.server_spread.is_some_and(|spread| spread.value >= 2.0),
        },
        Claim {
            claim: "With the network, the most accurate version responds at least 2× as slowly",
            paper: "2.6×",
            measured: ratio(tradeoff.spread),
            holds: tradeoff.spread.is_some_and(|spread| spread.value >= 2.0),
        },
        Claim {
            claim: "The server's share of the response rises",
            paper: "from over 50 % to over 80 %",
            measured: format!("{first:.0} % to {last:.0} %"),
            holds: tradeoff.server_share_rises(),
        },
    ]
}

fn dominance_claim(report: &VersionReport) -> Claim {
    let beaten = report.dominated.iter();
    let beaten = beaten.filter(|pair| pair.is_dominated_beyond_noise());
    let mut beaten: Vec<&str> = beaten.map(|pair| pair.version.as_str()).collect();
    beaten.dedup();
    Claim {
        claim: "No version is dominated by another beyond noise",
        paper: "all lie on the Pareto front",
        measured: match beaten[..] {
            [] => "none is".to_owned(),
            _ => format!("dominated: {}", beaten.join(", ")),
        },
        holds: beaten.is_empty(),
    }
}

/// The fastest and the most accurate version.
fn ends(tradeoff: &Tradeoff) -> (&VersionRow, &VersionRow) {
    (&tradeoff.rows[0], &tradeoff.rows[tradeoff.rows.len() - 1])
}

fn share_claims(report: &VersionReport) -> [Claim; 2] {
    let shares = &report.shares[0];
    let [unchanged, improves, degrades] =
        [Category::Unchanged, Category::Improves, Category::Degrades]
            .map(|category| 100.0 * shares.share(category));
    [
        Claim {
            claim: "Most utterances are unchanged by the version",
            paper: "over 74 %",
            measured: format!("{unchanged:.1} %"),
            holds: unchanged > 50.0,
        },
        Claim {
            claim: "More utterances improve than degrade",
            paper: "over 15 % improve",
            measured: format!("{improves:.1} % improve, {degrades:.1} % degrade"),
            holds: improves > degrades,
        },
    ]
}

fn best_version_claim(report: &VersionReport) -> Claim {
    let best = |row: &CategoryErrors| {
        let best = row.best().into_iter();
        let best = best.map(|place| report.versions[place].as_str());
        format!("{} {}", row.name(), best.collect::<Vec<_>>().join("="))
    };
    let is_shown = |row: &&CategoryErrors| {
        row.utterances > 0 && !matches!(row.category, None | Some(Category::Unchanged))
    };
    let best = report.by_category.iter().filter(is_shown).map(best);
    Claim {
        claim: "No version is best for all categories",
        paper: "none is",
        measured: format!("best: {}", best.collect::<Vec<_>>().join(", ")),
        holds: !one_version_fits_all(&report.by_category),
    }
}

/// Figure 5: the fastest version is surer of what no version would change.
fn confidence_claim(report: &VersionReport) -> Option<Claim> {
    let first = report.confidence_quality.first()?;
    let auc = first.auc_unchanged?;
    Some(Claim {
        claim: "The fastest version is surer of unchanged utterances than of the others",
        paper: "clearly (figure 5)",
        measured: format!("AUC {auc:.3}"),
        holds: auc > 0.5,
    })
}

fn percent_of(measured: Option<Measured>) -> String {
    let Some(Measured { value, interval }) = measured else {
        return "no errors to compare".to_owned();
    };
    let interval = interval
        .map_or(String::new(), |i| format!(" ({:.1} to {:.1})", 100.0 * i.low, 100.0 * i.high));
    format!("{:.1} % more{interval}", 100.0 * value)
}

fn ratio(measured: Option<Measured>) -> String {
    let Some(Measured { value, interval }) = measured else {
        return "no times to compare".to_owned();
    };
    let interval = interval.map_or(String::new(), |i| format!(" ({:.2} to {:.2})", i.low, i.high));
    format!("{value:.2}×{interval}")
}

#[cfg(test)]
mod tests {
    use super::super::tests::grid;
    use super::super::{Hypotheses, ReportOptions};
    use super::*;

    #[test]
    fn claims_hold_where_the_numbers_say_so() {
        let outcome = |errors: [&[u32]; 4]| {
            let rows = errors.map(|errors| ("", errors));
            let ids = ["a", "b", "c", "d"];
            let rows: Vec<_> = rows.iter().zip(ids).map(|(r, id)| (id, "", 10, r.1)).collect();
            let report =
                VersionReport::new(&grid(&rows), &Hypotheses::default(), ReportOptions::default());
            report.claims
        };
        let find = |claims: &[Claim], part: &str| {
            let claim = claims.iter().find(|claim| claim.claim.contains(part));
            claim.unwrap_or_else(|| panic!("no claim {part}")).holds
        };
        let good = outcome([&[0, 0], &[1, 1], &[0, 0], &[3, 1]]);
        assert!(find(&good, "falls") && find(&good, "5 %") && find(&good, "unchanged"));
        // All times are 0, so the network alone makes the response.
        assert!(!find(&good, "2×"));
        assert!(!find(&good, "best for all"));
        let bad = outcome([&[0, 1], &[0, 2], &[0, 1], &[3, 1]]);
        assert!(!find(&bad, "falls") && !find(&bad, "improve") && find(&bad, "best for all"));
    }
}
