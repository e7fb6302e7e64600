//! The routing-rule generator: from recorded outcomes to the cheapest policy for each tolerance.
//!
//! Paper, Section IV-D. Every candidate policy gets an upper bound on its degradation by one of the
//! [`Method`]s, and what it costs on average; a tier is the cheapest candidate whose bound is
//! within the tolerance and whose saving over single versions is certain (`front.rs`). Bounds hold
//! for all candidates at once, and a bound serves every tolerance, so the promise covers all tiers
//! together although each was picked as the best of many. Since more candidates qualify as the
//! tolerance grows, what a tier costs never rises with its tolerance.

mod finite_sample;
mod front;
mod population;
mod subsample;
mod tier;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::costing::{Costing, Spent};
use super::curve::{Curve, Order, Shape, Sums, family, sum};
use super::policy::Policy;
use super::replay::degradation;
use super::table::Table;
use front::Savings;
use population::Differences;

pub use tier::{Objective, Tier, Tolerances, groups_needed, smallest_tolerance, tiers};

/// How a candidate's degradation is bounded, and what the bound promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case")]
pub enum Method {
    /// The point estimate itself: no promise (the paper's Naive).
    Point,
    /// The long-run average keeps the tolerance: speaker-cluster multiplier bootstrap, simultaneous
    /// over all candidates.
    Population,
    /// The next requests keep the tolerance on their own: the same with variance `1/n + 1/m`.
    NextBatch {
        /// How many requests the promise is about (`m`).
        batch_requests: usize,
    },
    /// The long-run average keeps the tolerance, at any sample size: betting.
    FiniteSample,
    /// The published algorithm, mended: the worst of many samples of a tenth.
    Paper,
}

/// How rules are learnt.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// How degradation is bounded. Default: [`Method::Population`].
    pub method: Method,
    /// Probability that a tier breaks its promise, between 0 and 1; smaller: dearer tiers. Default:
    /// 0.001.
    pub delta: f64,
    /// Most thresholds tried for a pair; larger: slower, finer. Default: 200.
    pub thresholds: usize,
    /// Draws of the bootstrap for each `1/delta`; larger: slower, steadier. Default: 20.
    pub draws: usize,
    /// Seed of the random numbers: equal seeds give equal rules. Default: 1.
    pub seed: u64,
}

impl Method {
    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Method::Point => "point",
            Method::Population => "population",
            Method::NextBatch { .. } => "next-batch",
            Method::FiniteSample => "finite-sample",
            Method::Paper => "paper",
        }
    }
}

impl Method {
    /// Thresholds beyond which a method gets slow and gains nothing: its bounds are coarser anyhow.
    fn most_thresholds(self) -> usize {
        match self {
            Method::FiniteSample | Method::Paper => 64,
            _ => usize::MAX,
        }
    }
}

impl Options {
    /// How degradation is bounded; see [`Options::method`].
    pub fn method(self, method: Method) -> Self {
        Options { method, ..self }
    }

    /// The probability of a broken promise; see [`Options::delta`].
    pub fn delta(self, delta: f64) -> Self {
        Options { delta, ..self }
    }

    /// How many thresholds are tried; see [`Options::thresholds`].
    pub fn thresholds(self, thresholds: usize) -> Self {
        Options { thresholds, ..self }
    }

    /// How many draws the bootstrap makes; see [`Options::draws`].
    pub fn draws(self, draws: usize) -> Self {
        Options { draws, ..self }
    }

    /// The seed of the draws; see [`Options::seed`].
    pub fn seed(self, seed: u64) -> Self {
        Options { seed, ..self }
    }
}

impl Default for Options {
    fn default() -> Self {
        Options { method: Method::Population, delta: 0.001, thresholds: 200, draws: 20, seed: 1 }
    }
}

/// A policy, what it promises and what it costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The policy.
    pub policy: Policy,
    /// Its degradation on the recorded outcomes.
    pub degradation: f64,
    /// The upper bound on its degradation; infinite where nothing can be promised.
    pub bound: f64,
    /// Mean response and cost on the recorded outcomes.
    pub expected: Spent,
    /// Share of recorded requests in full operation.
    pub escalated: f64,
}

/// Everything that was tried on a table.
#[derive(Clone, Debug)]
pub struct Candidates {
    /// Place of the reference version: tolerances are relative to its errors.
    pub reference: usize,
    /// Requests and groups that the bounds rest on.
    pub requests: usize,
    /// Distinct groups among the requests.
    pub groups: usize,
    /// The policies; the reference version alone is always there, with bound 0.
    pub list: Vec<Candidate>,
    /// Places of those that tiers choose from, by objective in the order of [`Objective::ALL`].
    fronts: [Vec<usize>; 2],
}

/// Bounds on every candidate's degradation; what candidates cost is a separate question, so that
/// one set of bounds serves several ways of costing.
pub struct Bounds {
    reference: usize,
    method: Method,
    family: Vec<Curve>,
    /// One entry a curve, in it one a step.
    bounds: Vec<Vec<f64>>,
}

impl Bounds {
    /// Bounds every policy on a table. The `reference` version should be the one that is most
    /// accurate in the long run; it is better named than estimated from the same table. Costing
    /// matters to [`Method::Paper`] alone, whose samples go on until costs are sure as well.
    pub fn new(table: &Table, reference: usize, costing: Costing, options: Options) -> Bounds {
        let family = family(table, options.thresholds.min(options.method.most_thresholds()));
        let differences = Differences::new(table, reference);
        let mut bounds = match options.method {
            Method::Point => differences.point(table, &family),
            Method::Population => differences.bounds(table, &family, options, 1.0),
            Method::NextBatch { batch_requests } => {
                let inflation = 1.0 + table.requests.len() as f64 / batch_requests.max(1) as f64;
                differences.bounds(table, &family, options, inflation)
            }
            Method::FiniteSample => {
                finite_sample::bounds(table, &differences, &family, options.delta)
            }
            Method::Paper => subsample::bounds(table, reference, &family, costing, options),
        };
        for (bounds, curve) in bounds.iter_mut().zip(&family) {
            // The reference version cannot be worse than itself.
            if curve.shape == Shape::Single(reference) {
                bounds.fill(0.0);
            }
        }
        Bounds { reference, method: options.method, family, bounds }
    }

    /// The candidates with what they cost on `table`, which has the errors that the bounds are
    /// from.
    pub fn candidates(&self, table: &Table, costing: Costing) -> Candidates {
        let curves = self.family.par_iter().zip(&self.bounds);
        let list =
            curves.flat_map_iter(|(curve, bounds)| self.listed(table, curve, bounds, costing));
        let list: Vec<Candidate> = list.collect();
        // Naive tiers are what they are without any statistics.
        let curves = (self.method != Method::Point).then_some(self.family.len());
        let savings = Savings::new(table, costing, curves);
        Candidates {
            reference: self.reference,
            requests: table.requests.len(),
            groups: table.groups_present(),
            fronts: Candidates::fronts(&list, &savings),
            list,
        }
    }

    /// The curves, and each step's bound.
    pub fn curves(&self) -> impl Iterator<Item = (&Curve, &[f64])> {
        self.family.iter().zip(self.bounds.iter().map(Vec::as_slice))
    }

    /// The candidates of one curve.
    fn listed(
        &self,
        table: &Table,
        curve: &Curve,
        bounds: &[f64],
        costing: Costing,
    ) -> Vec<Candidate> {
        let sums = curve.sums(&curve.effects(table, costing), 0..table.requests.len());
        let errors =
            table.versions[self.reference].errors.iter().map(|&errors| f64::from(errors)).sum();
        let requests = table.requests.len() as f64;
        let step = |(step, sums): (usize, &Sums)| {
            let candidate = |(order, policy)| Candidate {
                policy,
                degradation: degradation(sums[sum::ERRORS], errors),
                bound: bounds[step],
                expected: spent(sums, order, requests),
                escalated: sums[sum::ESCALATED] / requests,
            };
            curve.policies(step).into_iter().map(candidate).collect::<Vec<_>>()
        };
        sums.iter().enumerate().flat_map(step).collect()
    }
}

/// What a request takes in one order, from sums over so many.
fn spent(sums: &Sums, order: Order, requests: f64) -> Spent {
    let (response, cost) = match order {
        Order::Seq => (sums[sum::SEQ_RESPONSE], sums[sum::SEQ_COST]),
        Order::Conc => (sums[sum::CONC_RESPONSE], sums[sum::CONC_COST]),
    };
    Spent { response: response / requests, cost: cost / requests }
}
