//! What the points of a study add up to: broken promises, savings, and curves for pictures.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Accounting, Contender, Point};
use crate::tiers::folds::Split;
use crate::tiers::statistics::binomial::Share;
use crate::tiers::{Method, Objective, Tolerance};

/// How often a contender broke its promise on test parts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Violations {
    /// How folds were made.
    pub split: Split,
    /// The method.
    pub method: &'static str,
    /// Who picked, by the paper's name.
    pub contender: &'static str,
    /// Points above the diagonal, of all folds and tolerances. Points of a fold depend on each
    /// other, so its intervals are too short.
    pub points: Share,
    /// Folds with a point above the diagonal: what `δ` is about.
    pub folds: Share,
    /// The furthest that a degradation was above its tolerance; negative where all were below.
    pub worst: f64,
}

/// Violations under the shared accounting, by split, method and contender.
pub fn violations(points: &[Point]) -> Vec<Violations> {
    let mut rows = Vec::new();
    for (split, method, contender) in keys(points) {
        let mine = |point: &&Point| {
            point.accounting == Accounting::Shared
                && (point.split, point.method.name(), point.contender)
                    == (split, method.name(), contender)
        };
        let mine: Vec<&Point> = points.iter().filter(mine).collect();
        let broken: Vec<&&Point> = mine.iter().filter(|point| point.violated()).collect();
        let folds =
            |points: &mut dyn Iterator<Item = usize>| points.collect::<BTreeSet<_>>().len() as u64;
        let all_folds = folds(&mut mine.iter().map(|point| point.fold));
        let broken_folds = folds(&mut broken.iter().map(|point| point.fold));
        rows.push(Violations {
            split,
            method: method.name(),
            contender: contender.name(method),
            points: Share::new(broken.len() as u64, mine.len() as u64),
            folds: Share::new(broken_folds, all_folds),
            worst: mine
                .iter()
                .map(|p| p.degradation - p.tolerance)
                .fold(f64::NEG_INFINITY, f64::max),
        });
    }
    rows
}

/// The splits, methods and contenders of the points, in the order they first occur.
fn keys(points: &[Point]) -> Vec<(Split, Method, Contender)> {
    let mut keys: Vec<(Split, Method, Contender)> = Vec::new();
    for point in points {
        let same = |(split, method, contender): &(Split, Method, Contender)| {
            (*split, method.name(), *contender)
                == (point.split, point.method.name(), point.contender)
        };
        if !keys.iter().any(same) {
            keys.push((point.split, point.method, point.contender));
        }
    }
    keys
}

/// What tiers save at one tolerance, on average over the test parts of all folds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Saving {
    /// How folds were made.
    pub split: Split,
    /// The method.
    pub method: &'static str,
    /// How requests were costed.
    pub accounting: Accounting,
    /// The tolerance.
    pub tolerance: f64,
    /// The objective, of which TT-Opt-Resp-Time or TT-Opt-Cost saves this share of TT-OSFA's.
    pub objective: Objective,
    /// Share saved of TT-OSFA's.
    pub to_osfa: f64,
    /// Share saved of the reference version's.
    pub to_reference: f64,
    /// Share of requests in full operation.
    pub escalated: f64,
    /// Share of requests that the reference version is asked.
    pub asked: f64,
    /// Mean degradation on the test parts.
    pub degradation: f64,
}

/// Savings at some tolerances.
pub fn savings(curves: &[Curves], tolerances: &[Tolerance]) -> Vec<Saving> {
    let mut rows = Vec::new();
    for curve in curves {
        let (objective, contender) = match curve.contender {
            Contender::SingleVersion => continue,
            own => (own.objective(), own),
        };
        let osfa = curves.iter().find(|other| {
            other.contender == Contender::SingleVersion && other.key() == curve.key()
        });
        let Some(osfa) = osfa else { continue };
        for &tolerance in tolerances {
            let (Some(own), Some(osfa)) = (curve.at(tolerance), osfa.at(tolerance)) else {
                continue;
            };
            let at = usize::from(contender == Contender::Cost);
            rows.push(Saving {
                split: curve.split,
                method: curve.method,
                accounting: curve.accounting,
                tolerance: tolerance.as_share(),
                objective,
                to_osfa: 1.0 - own.spent[at] / osfa.spent[at],
                to_reference: 1.0 - own.spent[at] / own.reference[at],
                escalated: own.escalated,
                asked: own.asked,
                degradation: own.degradation,
            });
        }
    }
    rows
}

/// A contender's means over folds, tolerance by tolerance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curves {
    /// How folds were made.
    pub split: Split,
    /// The method.
    pub method: &'static str,
    /// How requests were costed.
    pub accounting: Accounting,
    /// Who picked.
    pub contender: Contender,
    /// By rising tolerance.
    pub means: Vec<Mean>,
}

/// Means over the test parts of all folds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Mean {
    /// The tolerance.
    pub tolerance: f64,
    /// Degradation.
    pub degradation: f64,
    /// Response and cost in seconds.
    pub spent: [f64; 2],
    /// The same of the reference version.
    pub reference: [f64; 2],
    /// Share of requests in full operation.
    pub escalated: f64,
    /// Share of requests that the reference version is asked.
    pub asked: f64,
}

impl Curves {
    fn key(&self) -> (Split, &'static str, Accounting) {
        (self.split, self.method, self.accounting)
    }

    /// The means at a tolerance of the grid.
    pub fn at(&self, tolerance: Tolerance) -> Option<&Mean> {
        let tolerance = tolerance.as_share();
        self.means.iter().find(|mean| (mean.tolerance - tolerance).abs() < 1e-9)
    }
}

/// The curves of Figs 9 and 10, by split, method, accounting and contender.
pub fn curves(points: &[Point]) -> Vec<Curves> {
    let mut curves = Vec::new();
    for (split, method, contender) in keys(points) {
        for accounting in Accounting::ALL {
            let mine = points.iter().filter(|point| {
                (point.split, point.method.name(), point.contender)
                    == (split, method.name(), contender)
                    && point.accounting == accounting
            });
            let means = means(mine);
            if !means.is_empty() {
                curves.push(Curves { split, method: method.name(), accounting, contender, means });
            }
        }
    }
    curves
}

fn means<'a>(points: impl Iterator<Item = &'a Point>) -> Vec<Mean> {
    let mut sums: BTreeMap<u64, (f64, Mean)> = BTreeMap::new();
    for point in points {
        // Tolerances are not negative, so their bits sort as they do.
        let (count, sum) = sums.entry(point.tolerance.to_bits()).or_default();
        *count += 1.0;
        sum.tolerance = point.tolerance;
        sum.degradation += point.degradation;
        sum.escalated += point.escalated;
        sum.asked += point.asked;
        for (sum, value) in sum.spent.iter_mut().zip([point.response, point.cost]) {
            *sum += value;
        }
        for (sum, value) in sum.reference.iter_mut().zip(point.reference_spent) {
            *sum += value;
        }
    }
    let mean = |(count, sum): (f64, Mean)| Mean {
        tolerance: sum.tolerance,
        degradation: sum.degradation / count,
        spent: sum.spent.map(|value| value / count),
        reference: sum.reference.map(|value| value / count),
        escalated: sum.escalated / count,
        asked: sum.asked / count,
    };
    sums.into_values().map(mean).collect()
}

/// Tolerances at which TT-Opt-Resp-Time or TT-Opt-Cost needs more of its own objective than
/// TT-OSFA, on average over folds: how many of how many.
pub fn dearer_than_osfa(curves: &[Curves]) -> (usize, usize) {
    let (mut dearer, mut all) = (0, 0);
    for own in curves
        .iter()
        .filter(|curve| curve.contender != Contender::SingleVersion && curve.method != "point")
    {
        let osfa =
            curves.iter().find(|c| c.contender == Contender::SingleVersion && c.key() == own.key());
        let at = usize::from(own.contender == Contender::Cost);
        for (own, osfa) in own.means.iter().zip(osfa.iter().flat_map(|osfa| &osfa.means)) {
            all += 1;
            dearer += usize::from(own.spent[at] > osfa.spent[at] * (1.0 + 1e-9));
        }
    }
    (dearer, all)
}
