//! The statistics of `tiers` against scipy and statsmodels; `scripts/golden_statistics.py` writes
//! the golden file.
#![expect(clippy::unwrap_used, reason = "a golden file of another form is a failed test")]

use paretone::tiers::statistics::betting::log_wealth;
use paretone::tiers::statistics::binomial::Share;
use paretone::tiers::statistics::correlation::intra_class;
use paretone::tiers::statistics::quantile::{normal_tail, normal_upper, student_upper};
use paretone::tiers::statistics::ratio::Ratio;
use paretone::tiers::statistics::sup_t::{Draws, Statistic, critical_value};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    quantiles: Quantiles,
    shares: Vec<Share95>,
    correlations: Vec<Correlation>,
    ratios: Vec<GoldenRatio>,
    sup_t: Vec<SupT>,
    wealth: Vec<Wealth>,
}

#[derive(Deserialize)]
struct Quantiles {
    normal: Vec<[f64; 2]>,
    student: Vec<[f64; 3]>,
}

#[derive(Deserialize)]
struct Share95 {
    count: u64,
    trials: u64,
    wilson: [f64; 2],
    exact: [f64; 2],
}

#[derive(Deserialize)]
struct Correlation {
    values: Vec<f64>,
    groups: Vec<usize>,
    correlation: f64,
}

#[derive(Deserialize)]
struct GoldenRatio {
    added: Vec<f64>,
    reference: Vec<f64>,
    requests: Vec<f64>,
    quantile: f64,
    inflation: f64,
    value: f64,
    upper: f64,
    freedom: f64,
}

#[derive(Deserialize)]
struct SupT {
    count: usize,
    shared: f64,
    delta: f64,
    critical: f64,
    density: f64,
}

#[derive(Deserialize)]
struct Wealth {
    values: Vec<f64>,
    highest: f64,
    log_wealth: f64,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/statistics.json")).unwrap()
}

#[track_caller]
fn close(found: f64, expected: f64, relative: f64) {
    let off = (found - expected).abs();
    assert!(off <= relative * expected.abs().max(1e-6), "{found} is not {expected}");
}

#[test]
fn quantiles_are_scipys() {
    for [tail, value] in golden().quantiles.normal {
        close(normal_upper(tail), value, 1e-9);
        close(normal_tail(value), tail, 1e-6);
    }
    for [freedom, tail, value] in golden().quantiles.student {
        close(student_upper(freedom, tail), value, 1e-6);
    }
}

#[test]
fn intervals_of_shares_are_statsmodels() {
    for row in golden().shares {
        let share = Share::new(row.count, row.trials);
        for end in [0, 1] {
            close(share.wilson[end], row.wilson[end], 1e-9);
            close(share.exact[end], row.exact[end], 1e-7);
        }
    }
}

#[test]
fn the_correlation_is_that_of_an_analysis_of_variance() {
    for row in golden().correlations {
        close(intra_class(&row.values, &row.groups).unwrap(), row.correlation, 1e-9);
    }
}

#[test]
fn ratios_and_their_limits_are_those_of_the_definition() {
    for row in golden().ratios {
        let ratio = Ratio::of(&row.added, &row.reference, &row.requests);
        close(ratio.value, row.value, 1e-12);
        close(ratio.upper(row.quantile, row.inflation), row.upper, 1e-9);
        close(ratio.freedom, row.freedom, 1e-9);
    }
}

/// Within four standard errors of the simulated quantile.
#[test]
fn critical_values_are_those_of_the_largest_of_many_normals() {
    for row in golden().sup_t {
        let (own, shared) = ((1.0 - row.shared).sqrt() as f32, row.shared.sqrt() as f32);
        let series: Vec<Vec<Statistic>> = (0..row.count as u32)
            .map(|group| {
                let changes = vec![(group + 1, own), (0, shared)];
                vec![Statistic { changes, ratio: 0.0, precision: 1.0 }]
            })
            .collect();
        let draws = Draws { delta: row.delta, count: 40_000, seed: 7 };
        let found = critical_value(&series, &vec![1.0; row.count + 1], draws);
        let error = (row.delta * (1.0 - row.delta) / 40_000.0).sqrt() / row.density;
        assert!((found - row.critical).abs() < 4.0 * error, "{found} is not {}", row.critical);
    }
}

#[test]
fn the_wealth_of_a_diversified_gambler_adds_up() {
    for row in golden().wealth {
        close(log_wealth(row.values.into_iter(), row.highest), row.log_wealth, 1e-9);
    }
}
