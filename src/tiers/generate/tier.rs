//! Tiers: the cheapest candidate for each tolerance and objective, and what keeps a tier dear.

use serde::{Deserialize, Serialize};

use super::{Candidate, Candidates};
use crate::tiers::costing::Spent;
use crate::tiers::policy::Policy;

/// What a tier minimises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// What the caller waits.
    ResponseTime,
    /// Server time.
    Cost,
}

impl Objective {
    /// Both objectives.
    pub const ALL: [Objective; 2] = [Objective::ResponseTime, Objective::Cost];

    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Objective::ResponseTime => "response-time",
            Objective::Cost => "cost",
        }
    }

    /// The objective's part of what a request takes, in seconds.
    pub fn of(self, spent: Spent) -> f64 {
        match self {
            Objective::ResponseTime => spent.response,
            Objective::Cost => spent.cost,
        }
    }
}

/// The tolerances that tiers are made for: 0 to `highest` in steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tolerances {
    /// Width of a step. Default: 0.001.
    pub step: f64,
    /// Number of steps above 0. Default: 100.
    pub steps: u32,
}

impl Default for Tolerances {
    fn default() -> Self {
        Tolerances {
            step: 0.001,
            steps: 100,
        }
    }
}

impl Tolerances {
    /// The tolerances, from 0 up, rounded to what people write.
    pub fn iter(self) -> impl Iterator<Item = f64> {
        (0..=self.steps).map(move |at| (f64::from(at) * self.step * 1e6).round() / 1e6)
    }
}

/// The policy that answers requests of one tolerance and objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Tier {
    /// How much worse than the reference version, relative to it, answers may be.
    pub tolerance: f64,
    /// What is minimised.
    pub objective: Objective,
    /// What was chosen.
    pub candidate: Candidate,
    /// Whether nothing but the reference version could be certified, or nothing cheaper.
    pub fallback: bool,
}

/// Every tier, by objective and rising tolerance.
pub fn tiers(candidates: &Candidates, tolerances: Tolerances) -> Vec<Tier> {
    let objectives = Objective::ALL.into_iter();
    let all = objectives.flat_map(|objective| {
        tolerances
            .iter()
            .map(move |tolerance| (tolerance, objective))
    });
    let tier = |(tolerance, objective)| {
        let candidate = cheapest(candidates, tolerance, objective, |_| true).clone();
        let fallback = candidate.policy
            == (Policy::Osfa {
                version: candidates.reference,
            });
        Tier {
            tolerance,
            objective,
            candidate,
            fallback,
        }
    };
    all.map(tier).collect()
}

/// The candidate with the lowest expectation of the objective among those whose bound is within the
/// tolerance and that `allowed` lets through; of equals, the one with the lowest bound. Where there
/// is none, the reference version alone.
pub fn cheapest(
    candidates: &Candidates,
    tolerance: f64,
    objective: Objective,
    allowed: impl Fn(&Policy) -> bool,
) -> &Candidate {
    let reference = Policy::Osfa {
        version: candidates.reference,
    };
    let order = |a: &&Candidate, b: &&Candidate| {
        let expected = |candidate: &Candidate| objective.of(candidate.expected);
        expected(a)
            .total_cmp(&expected(b))
            .then(a.bound.total_cmp(&b.bound))
    };
    let within = candidates
        .list
        .iter()
        .filter(|candidate| candidate.bound <= tolerance);
    let found = within
        .filter(|candidate| allowed(&candidate.policy))
        .min_by(order);
    found.unwrap_or_else(|| {
        let itself = |candidate: &&Candidate| candidate.policy == reference;
        candidates
            .list
            .iter()
            .find(itself)
            .expect("the reference version is a candidate")
    })
}

/// Candidates that save at least `saving` of the reference version's time by the objective.
fn saving(
    candidates: &Candidates,
    objective: Objective,
    saving: f64,
) -> impl Iterator<Item = &Candidate> {
    let reference = cheapest(candidates, 0.0, objective, |policy| {
        *policy
            == Policy::Osfa {
                version: candidates.reference,
            }
    });
    let most = (1.0 - saving) * objective.of(reference.expected);
    candidates
        .list
        .iter()
        .filter(move |candidate| objective.of(candidate.expected) <= most)
}

/// The smallest tolerance at which such a saving is certified.
pub fn smallest_tolerance(
    candidates: &Candidates,
    objective: Objective,
    least: f64,
) -> Option<f64> {
    let bounds = saving(candidates, objective, least).map(|candidate| candidate.bound);
    bounds
        .filter(|bound| bound.is_finite())
        .min_by(f64::total_cmp)
        .map(|bound| bound.max(0.0))
}

/// How many groups like those recorded would certify such a saving within the tolerance, if the
/// point estimates are right: the distance from estimate to bound shrinks with the root of their
/// number. None where the estimates themselves do not allow it. For bounds on the population.
pub fn groups_needed(
    candidates: &Candidates,
    tolerance: f64,
    objective: Objective,
    least: f64,
) -> Option<usize> {
    let needed = |candidate: &Candidate| {
        let (margin, room) = (
            candidate.bound - candidate.degradation,
            tolerance - candidate.degradation,
        );
        (room > 0.0 && margin.is_finite())
            .then(|| (candidates.groups as f64 * (margin / room).powi(2)).ceil() as usize)
    };
    saving(candidates, objective, least)
        .filter_map(needed)
        .min()
}

#[cfg(test)]
mod tests {
    use super::super::{Bounds, Method, Options};
    use super::*;
    use crate::tiers::costing::Costing;
    use crate::tiers::simulate::{World, draw};

    fn made(method: Method) -> Candidates {
        let table = draw(
            &World {
                groups: 40,
                ..World::default()
            },
            11,
        );
        let options = Options {
            method,
            delta: 0.05,
            thresholds: 25,
            ..Options::default()
        };
        let costing = Costing::default();
        Bounds::new(&table, 2, costing, options).candidates(&table, costing)
    }

    const METHODS: [Method; 5] = [
        Method::Point,
        Method::Population,
        Method::NextBatch {
            batch_requests: 100,
        },
        Method::FiniteSample,
        Method::Paper,
    ];

    #[test]
    fn a_larger_tolerance_is_never_dearer_and_no_version_alone_cheaper() {
        for method in METHODS {
            let candidates = made(method);
            for objective in Objective::ALL {
                let expected = |candidate: &Candidate| objective.of(candidate.expected);
                let tiers = tiers(&candidates, Tolerances::default());
                let tiers: Vec<_> = tiers
                    .iter()
                    .filter(|tier| tier.objective == objective)
                    .collect();
                assert_eq!(tiers.len(), 101);
                assert!(
                    tiers.is_sorted_by(|a, b| expected(&a.candidate) >= expected(&b.candidate)),
                    "{method:?}"
                );
                for tier in tiers {
                    let osfa = |policy: &Policy| matches!(policy, Policy::Osfa { .. });
                    let alone = cheapest(&candidates, tier.tolerance, objective, osfa);
                    assert!(expected(&tier.candidate) <= expected(alone));
                    assert!(tier.candidate.bound <= tier.tolerance);
                    assert_eq!(
                        tier.fallback,
                        tier.candidate.policy == Policy::Osfa { version: 2 }
                    );
                }
            }
        }
    }

    /// The safer the promise the higher the bound, candidate by candidate.
    #[test]
    fn promises_are_ordered() {
        let [point, population, batch] = [METHODS[0], METHODS[1], METHODS[2]].map(made);
        let lists = point.list.iter().zip(&population.list).zip(&batch.list);
        for ((point, population), batch) in lists {
            assert!(point.bound <= population.bound && population.bound <= batch.bound);
        }
    }

    #[test]
    fn more_groups_would_certify_more() {
        let candidates = made(Method::Population);
        let needed = |tolerance| groups_needed(&candidates, tolerance, Objective::Cost, 0.1);
        assert!(needed(0.05).unwrap() >= needed(0.10).unwrap());
        let certified = smallest_tolerance(&candidates, Objective::Cost, 0.1).unwrap();
        assert!(needed(certified + 1e-9).unwrap() <= candidates.groups);
    }
}
