//! Whether a third version pays: the cheapest cascade of two against the cheapest of three.

use rayon::prelude::*;
use serde::Serialize;

use super::{Accounting, StudyOptions};
use crate::tiers::cascade::cheapest_cascade;
use crate::tiers::folds::{Split, folds};
use crate::tiers::generate::Bounds;
use crate::tiers::replay::{degradation, replay};
use crate::tiers::{Method, Objective, Options, Policy, Table, Tolerance};

/// Thresholds of each stage.
const GRID: usize = 40;

/// Two versions and three at one tolerance, as shares of the reference version's cost and as
/// degradations, on average over the test parts of random folds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Third {
    /// The tolerance; policies are picked on point estimates.
    pub tolerance: f64,
    /// Cost of the best of one or two versions.
    pub two_cost: f64,
    /// Its degradation.
    pub two_degradation: f64,
    /// Cost of the best cascade of three.
    pub three_cost: f64,
    /// Its degradation.
    pub three_degradation: f64,
}

/// Compares at some tolerances, under the shared accounting; empty with fewer than three versions.
pub fn third_version(
    table: &Table,
    options: &StudyOptions,
    tolerances: &[Tolerance],
) -> Vec<Third> {
    if table.versions.len() < 3 {
        return Vec::new();
    }
    let folds = folds(table, Split::Random, options.folds, options.rules.seed);
    let one = |fold: &crate::tiers::folds::Fold| {
        compare(&table.subset(&fold.train), &table.subset(&fold.test), options, tolerances)
    };
    let compared: Vec<Vec<Third>> = folds.par_iter().map(one).collect();
    let mean = |at: usize| {
        let of = |value: fn(&Third) -> f64| {
            compared.iter().map(|fold| value(&fold[at])).sum::<f64>() / compared.len() as f64
        };
        Third {
            tolerance: tolerances[at].as_share(),
            two_cost: of(|third| third.two_cost),
            two_degradation: of(|third| third.two_degradation),
            three_cost: of(|third| third.three_cost),
            three_degradation: of(|third| third.three_degradation),
        }
    };
    (0..tolerances.len()).map(mean).collect()
}

fn compare(
    train: &Table,
    test: &Table,
    options: &StudyOptions,
    tolerances: &[Tolerance],
) -> Vec<Third> {
    let (_, costing) = Accounting::Shared.apply(train, options.network);
    let reference = options.reference;
    let rules = Options { method: Method::Point, thresholds: GRID, ..options.rules };
    let candidates = Bounds::new(train, reference, costing, rules).candidates(train, costing);
    let best = replay(test, &Policy::Single { version: reference }, reference, costing);
    let (requests, errors) = (test.requests.len() as f64, best.reference_errors as f64);
    let cascades = cheapest_cascade(train, reference, costing, tolerances, GRID);
    let one = |(&tolerance, cascade): (&Tolerance, Option<crate::tiers::cascade::Cascade>)| {
        let two = candidates.cheapest(tolerance, Objective::Cost);
        let two = replay(test, &two.policy, reference, costing);
        let (two_cost, two_degradation) = (two.mean.cost / best.mean.cost, two.degradation());
        let three = cascade.map(|cascade| cascade.replay(test, costing));
        Third {
            tolerance: tolerance.as_share(),
            two_cost,
            two_degradation,
            three_cost: three.map_or(two_cost, |total| total.cost / requests / best.mean.cost),
            three_degradation: three
                .map_or(two_degradation, |total| degradation(total.errors, errors)),
        }
    };
    tolerances.iter().zip(cascades).map(one).collect()
}
