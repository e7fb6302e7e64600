//! Which candidates tiers may choose: those that certainly save, and are not beaten.
//!
//! Picked as the cheapest of thousands, a pair of versions may look a little cheaper than one
//! version alone by chance, and be dearer in the long run. So a pair counts only if it certainly
//! saves against every version alone that looks dearer and is certified wherever the pair is, that
//! is, whose bound is no higher. For a pair `c` and a version `s`, let `X_g = Σ (t_c − t_s)` be
//! what the pair adds to the objective over the requests of group (speaker) `g`. The pair certainly
//! saves if its mean over requests `X̄` is so far below 0 that
//!
//! ```text
//! P(T_ν > −X̄ / σ̂(X̄)) ≤ 0.05 / N
//! ```
//!
//! with the variance `σ̂²` that leaves out one group at a time and Student's degrees of freedom `ν`
//! ([`Ratio`] has both), and `N` the number of comparisons: every pair, in both orders and with
//! each choice, with every version (Bonferroni). Neighbouring thresholds of a pair differ in so few
//! requests that they count as one comparison; `paretone tiers simulate` says how often a tier is
//! truly dearer. Thus, with probability 95 %, no tier of an objective is truly dearer, at the
//! smallest tolerance at which its policy is chosen, than the best single version certified there:
//! that version, if it is not chosen itself, is either dearer on record, hence compared, or
//! cheaper, hence chosen. At larger tolerances the policy stays until something looks cheaper,
//! although versions may be certified by then against which its saving is not certain; they all
//! look dearer. The level is the customary one and not the certificate's `δ`, because a caller is
//! promised errors and not times.
//!
//! Whether a candidate counts does not depend on the tolerance, so more of them qualify as it
//! grows, and what a tier costs never rises.

use rayon::prelude::*;

use super::tier::Objective;
use super::{Candidate, Candidates};
use crate::tiers::costing::{Costing, Run};
use crate::tiers::policy::Policy;
use crate::tiers::replay::serve;
use crate::tiers::statistics::quantile::student_tail;
use crate::tiers::statistics::ratio::Ratio;
use crate::tiers::table::Table;

/// Probability that some saving is none, over all comparisons together.
const LEVEL: f64 = 0.05;
/// Fewest degrees of freedom at which anything is certain.
const LEAST_FREEDOM: f64 = 4.0;

/// Compares what candidates take on one table.
pub(super) struct Savings<'a> {
    table: &'a Table,
    costing: Costing,
    /// Requests of each group of the table; 0 where it has none.
    requests: Vec<f64>,
    /// Largest probability of one comparison to be wrong; none where any saving will do.
    level: Option<f64>,
}

/// A version alone: its bound, what it is expected to take, and what it took in each group.
struct Alone {
    bound: f64,
    expected: f64,
    sums: Vec<f64>,
}

impl<'a> Savings<'a> {
    /// For the policies of so many curves; none to compare nothing.
    pub(super) fn new(table: &'a Table, costing: Costing, curves: Option<usize>) -> Self {
        let mut requests = vec![0.0; table.groups.len()];
        for request in &table.requests {
            requests[request.group] += 1.0;
        }
        // Each curve has two orders.
        let comparisons = |curves: usize| (2 * curves * table.versions.len()) as f64;
        Savings {
            table,
            costing,
            requests,
            level: curves.map(|curves| LEVEL / comparisons(curves)),
        }
    }

    /// The candidates that count for an objective, by rising expectation: each has a lower bound
    /// than all before it, since others would never be chosen.
    pub(super) fn front(&self, list: &[Candidate], objective: Objective) -> Vec<usize> {
        let mut order: Vec<usize> =
            (0..list.len()).filter(|&at| list[at].bound.is_finite()).collect();
        let expected = |at: usize| objective.of(list[at].expected);
        order.sort_unstable_by(|&a, &b| {
            let bounds = || list[a].bound.total_cmp(&list[b].bound);
            expected(a).total_cmp(&expected(b)).then_with(bounds)
        });
        let alone = self.alone(list, objective);
        let (mut front, mut lowest) = (Vec::new(), f64::INFINITY);
        for at in order {
            if list[at].bound < lowest && self.counts(&list[at], objective, &alone) {
                lowest = list[at].bound;
                front.push(at);
            }
        }
        front
    }

    /// The single versions that have a bound.
    fn alone(&self, list: &[Candidate], objective: Objective) -> Vec<Alone> {
        if self.level.is_none() {
            return Vec::new();
        }
        let single = |candidate: &Candidate| match candidate.policy {
            Policy::Single { version } if candidate.bound.is_finite() => Some(Alone {
                bound: candidate.bound,
                expected: objective.of(candidate.expected),
                sums: self.sums(|place| {
                    let run = Run::of(&self.table.versions[version], place);
                    objective.of(self.costing.alone(run))
                }),
            }),
            _ => None,
        };
        list.iter().filter_map(single).collect()
    }

    /// Whether a candidate is a version alone, or certainly saves against each that looks dearer
    /// and is certified wherever the candidate is.
    fn counts(&self, candidate: &Candidate, objective: Objective, alone: &[Alone]) -> bool {
        let (Some(level), Some(_)) = (self.level, candidate.policy.pair()) else {
            return true;
        };
        let expected = objective.of(candidate.expected);
        let own = self.sums(|place| {
            let served = serve(self.table, &candidate.policy, self.costing, place);
            objective.of(served.spent)
        });
        let rivals = alone.iter().filter(|alone| alone.bound <= candidate.bound);
        let mut dearer = rivals.filter(|alone| alone.expected > expected);
        dearer.all(|alone| self.is_certain(&own, &alone.sums, level))
    }

    /// A quantity's sums over each group's requests.
    fn sums(&self, of: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.requests.len()];
        for (place, request) in self.table.requests.iter().enumerate() {
            sums[request.group] += of(place);
        }
        sums
    }

    fn is_certain(&self, own: &[f64], other: &[f64], level: f64) -> bool {
        let present = |sums: &[f64]| {
            let groups = sums.iter().zip(&self.requests);
            let present = groups.filter(|(_, requests)| **requests > 0.0);
            present.map(|(sum, _)| *sum).collect::<Vec<f64>>()
        };
        let added: Vec<f64> = own.iter().zip(other).map(|(own, other)| own - other).collect();
        let ratio = Ratio::of(&present(&added), &present(other), &present(&self.requests));
        ratio.freedom >= LEAST_FREEDOM && student_tail(ratio.freedom, ratio.below_zero()) <= level
    }
}

impl Candidates {
    /// The candidates that count for each objective.
    pub(super) fn fronts(list: &[Candidate], savings: &Savings<'_>) -> [Vec<usize>; 2] {
        let fronts = Objective::ALL.par_iter();
        let fronts: Vec<_> = fronts.map(|&objective| savings.front(list, objective)).collect();
        fronts.try_into().expect("there are two objectives")
    }
}
