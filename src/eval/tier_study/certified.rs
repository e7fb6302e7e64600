//! What a certificate on all recorded outcomes allows, and how many groups would allow more.

use serde::Serialize;

use super::StudyOptions;
use crate::tiers::generate::{groups_needed, smallest_tolerance};
use crate::tiers::statistics::correlation::intra_class;
use crate::tiers::{Candidates, Method, Objective, Table, Tolerance};

/// The savings that are asked for by name: at least this share of the reference version's time.
pub const ASKED: f64 = 0.20;

/// One tier of a certificate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Saved {
    /// The tolerance.
    pub tolerance: f64,
    /// The objective.
    pub objective: Objective,
    /// The policy.
    pub policy: String,
    /// Share saved of the reference version's response or cost.
    pub saving: f64,
    /// Groups (speakers) like those recorded that would certify a saving of [`ASKED`] here.
    pub groups_needed: Option<usize>,
}

/// A certificate on all recorded outcomes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Certified {
    /// The method.
    #[serde(flatten)]
    pub method: Method,
    /// Groups (speakers) that it rests on.
    pub groups: usize,
    /// Smallest tolerance at which a saving of [`ASKED`] of response time is certified.
    pub response_tolerance: Option<f64>,
    /// The same of cost.
    pub cost_tolerance: Option<f64>,
    /// Tiers at some tolerances.
    pub tiers: Vec<Saved>,
}

/// Certificates of every method, under the shared accounting.
pub fn certified(
    table: &Table,
    options: &StudyOptions,
    tolerances: &[Tolerance],
) -> Vec<Certified> {
    let one = |&method: &Method| {
        let candidates = options.certify(table, method);
        let tiers = Objective::ALL.into_iter().flat_map(|objective| {
            let candidates = &candidates;
            tolerances.iter().map(move |&at| saved(table, candidates, method, (at, objective)))
        });
        Certified {
            method,
            groups: candidates.groups,
            response_tolerance: smallest_tolerance(&candidates, Objective::ResponseTime, ASKED),
            cost_tolerance: smallest_tolerance(&candidates, Objective::Cost, ASKED),
            tiers: tiers.collect(),
        }
    };
    options.methods.iter().map(one).collect()
}

fn saved(
    table: &Table,
    candidates: &Candidates,
    method: Method,
    tier: (Tolerance, Objective),
) -> Saved {
    let (tolerance, objective) = tier;
    let chosen = candidates.cheapest(tolerance, objective);
    let reference = candidates.reference_alone();
    let needed = || groups_needed(candidates, tolerance, objective, ASKED);
    Saved {
        tolerance: tolerance.as_share(),
        objective,
        policy: chosen.policy.rename(|&version| table.versions[version].name.clone()).to_string(),
        saving: 1.0 - objective.of(chosen.expected) / objective.of(reference.expected),
        groups_needed: if method == Method::Population { needed() } else { None },
    }
}

/// How much alike the requests of a group are in what decides a tier.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alike {
    /// The version, alone.
    pub version: String,
    /// Its degradation.
    pub degradation: f64,
    /// Intra-class correlation of `D = e(version) − (1 + τ)·e(reference)` for τ = 0 and 5 %.
    pub correlation: [Option<f64>; 2],
}

/// Each version but the reference.
pub fn alike(table: &Table, reference: usize) -> Vec<Alike> {
    let groups: Vec<usize> = table.requests.iter().map(|request| request.group).collect();
    let best = &table.versions[reference].errors;
    let others = table.versions.iter().enumerate().filter(|(place, _)| *place != reference);
    let one = |(_, version): (usize, &crate::tiers::Version)| {
        let correlation = |tolerance: f64| {
            let pairs = version.errors.iter().zip(best);
            let values =
                pairs.map(|(&own, &best)| f64::from(own) - (1.0 + tolerance) * f64::from(best));
            intra_class(&values.collect::<Vec<_>>(), &groups)
        };
        let sum = |errors: &[u32]| errors.iter().map(|&errors| f64::from(errors)).sum::<f64>();
        Alike {
            version: version.name.clone(),
            degradation: crate::tiers::replay::degradation(sum(&version.errors), sum(best)),
            correlation: [0.0, 0.05].map(correlation),
        }
    };
    others.map(one).collect()
}
