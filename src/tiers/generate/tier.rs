//! Tiers: the cheapest candidate for each tolerance and objective, and what keeps a tier dear.

use serde::{Deserialize, Serialize};

use super::{Candidate, Candidates};
use crate::tiers::costing::Spent;
use crate::tiers::policy::Policy;
use crate::tiers::tolerance::Tolerance;

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
        Tolerances { step: 0.001, steps: 100 }
    }
}

impl Tolerances {
    /// The tolerances, from 0 up, rounded to what people write; none if `step` is no number.
    pub fn iter(self) -> impl Iterator<Item = Tolerance> {
        let share = move |at| (f64::from(at) * self.step * 1e6).round() / 1e6;
        (0..=self.steps).filter_map(move |at| Tolerance::share(share(at)).ok())
    }
}

/// The policy that answers requests of one tolerance and objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Tier {
    /// How much worse than the reference version, relative to it, answers may be.
    pub tolerance: Tolerance,
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
    let all = objectives
        .flat_map(|objective| tolerances.iter().map(move |tolerance| (tolerance, objective)));
    let tier = |(tolerance, objective)| {
        let candidate = candidates.cheapest(tolerance, objective).clone();
        let fallback = candidate.policy == candidates.reference_alone().policy;
        Tier { tolerance, objective, candidate, fallback }
    };
    all.map(tier).collect()
}

impl Candidates {
    /// The cheapest candidate that counts for the objective and whose bound is within the
    /// tolerance, at least 0; of equals, the one with the lowest bound.
    pub fn cheapest(&self, tolerance: Tolerance, objective: Objective) -> &Candidate {
        let front = self.fronts[objective as usize].iter();
        let within = front.map(|&at| &self.list[at]);
        let found = { within }.find(|candidate| candidate.bound <= tolerance.as_share());
        found.unwrap_or_else(|| self.reference_alone())
    }

    /// The cheapest version alone whose bound is within the tolerance.
    pub fn cheapest_version(&self, tolerance: Tolerance, objective: Objective) -> &Candidate {
        let alone = self.list.iter().filter(|candidate| candidate.policy.pair().is_none());
        let within = alone.filter(|candidate| candidate.bound <= tolerance.as_share());
        let expected = |candidate: &&Candidate| objective.of(candidate.expected);
        let found = within.min_by(|a, b| expected(a).total_cmp(&expected(b)));
        found.unwrap_or_else(|| self.reference_alone())
    }

    /// The reference version alone.
    pub fn reference_alone(&self) -> &Candidate {
        let reference = Policy::Single { version: self.reference };
        let mut list = self.list.iter();
        let found = list.find(|candidate| candidate.policy == reference);
        found.expect("the reference version is a candidate")
    }

    /// The most that may be expected of a candidate that saves such a share of the reference
    /// version's time by the objective.
    fn most(&self, objective: Objective, saving: f64) -> f64 {
        (1.0 - saving) * objective.of(self.reference_alone().expected)
    }
}

/// The smallest tolerance at which such a saving is certified.
pub fn smallest_tolerance(
    candidates: &Candidates,
    objective: Objective,
    least: f64,
) -> Option<f64> {
    let most = candidates.most(objective, least);
    let front = candidates.fronts[objective as usize].iter();
    let saving = front.map(|&at| &candidates.list[at]);
    let mut saving = saving.filter(|candidate| objective.of(candidate.expected) <= most);
    // The dearest of them has the lowest bound.
    saving.next_back().map(|candidate| candidate.bound.max(0.0))
}

/// How many groups like those recorded would certify such a saving within the tolerance, if the
/// point estimates are right: the distance from estimate to bound shrinks with the root of their
/// number. None where the estimates themselves do not allow it. For bounds on the population.
pub fn groups_needed(
    candidates: &Candidates,
    tolerance: Tolerance,
    objective: Objective,
    least: f64,
) -> Option<usize> {
    let needed = |candidate: &Candidate| {
        let margin = candidate.bound - candidate.degradation;
        let room = tolerance.as_share() - candidate.degradation;
        (room > 0.0 && margin.is_finite())
            .then(|| (candidates.groups as f64 * (margin / room).powi(2)).ceil() as usize)
    };
    let most = candidates.most(objective, least);
    let saving = candidates.list.iter();
    let saving = saving.filter(|candidate| objective.of(candidate.expected) <= most);
    saving.filter_map(needed).min()
}

#[cfg(test)]
mod tests {
    use super::super::{Bounds, Method, Options};
    use super::*;
    use crate::tiers::costing::Costing;
    use crate::tiers::simulate::{World, draw};

    fn made(method: Method) -> Candidates {
        let table = draw(&World { groups: 40, ..World::default() }, 11);
        let options = Options { method, delta: 0.05, thresholds: 25, ..Options::default() };
        let costing = Costing::default();
        Bounds::new(&table, 2, costing, options).candidates(&table, costing)
    }

    const METHODS: [Method; 5] = [
        Method::Point,
        Method::Population,
        Method::NextBatch { batch_requests: 100 },
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
                let tiers: Vec<_> =
                    tiers.iter().filter(|tier| tier.objective == objective).collect();
                assert_eq!(tiers.len(), 101);
                assert!(
                    tiers.is_sorted_by(|a, b| expected(&a.candidate) >= expected(&b.candidate)),
                    "{method:?}"
                );
                for tier in tiers {
                    let alone = candidates.cheapest_version(tier.tolerance, objective);
                    assert!(expected(&tier.candidate) <= expected(alone));
                    assert!(tier.candidate.bound <= tier.tolerance.as_share());
                    assert_eq!(
                        tier.fallback,
                        tier.candidate.policy == Policy::Single { version: 2 }
                    );
                }
            }
        }
    }

    /// Without statistics a pair may be chosen that looks cheaper; with them it must certainly be.
    #[test]
    fn tiers_save_certainly_or_take_a_version_alone() {
        let [naive, sure] = [METHODS[0], METHODS[1]].map(made);
        for objective in Objective::ALL {
            let front = |candidates: &Candidates| candidates.fronts[objective as usize].clone();
            let pairs = |candidates: &Candidates| {
                let front = front(candidates).into_iter();
                let pairs = front.filter(|&at| candidates.list[at].policy.pair().is_some());
                pairs.count()
            };
            assert!(pairs(&sure) > 0);
            let at_5 = |candidates: &Candidates| {
                let tolerance = Tolerance::share(0.05).unwrap();
                objective.of(candidates.cheapest(tolerance, objective).expected)
            };
            assert!(at_5(&naive) < at_5(&sure), "{objective:?}");
            let places = front(&sure);
            let (list, expected) = (&sure.list, |at: usize| objective.of(sure.list[at].expected));
            assert!(places.is_sorted_by(|&a, &b| {
                expected(a) <= expected(b) && list[a].bound > list[b].bound
            }));
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

    /// Betting on 40 groups certifies nothing that is worse than the reference version at all.
    #[test]
    fn where_nothing_is_certified_the_reference_version_answers() {
        let candidates = made(Method::FiniteSample);
        for objective in Objective::ALL {
            let chosen = candidates.cheapest(Tolerance::NONE, objective);
            assert_eq!(chosen.policy, Policy::Single { version: 2 });
            assert_eq!(chosen.bound, 0.0);
        }
    }

    #[test]
    fn more_groups_would_certify_more() {
        let candidates = made(Method::Population);
        let needed = |share| {
            let tolerance = Tolerance::share(share).unwrap();
            groups_needed(&candidates, tolerance, Objective::Cost, 0.1)
        };
        assert!(needed(0.05).unwrap() >= needed(0.10).unwrap());
        let certified = smallest_tolerance(&candidates, Objective::Cost, 0.1).unwrap();
        assert!(needed(certified + 1e-9).unwrap() <= candidates.groups);
    }
}
