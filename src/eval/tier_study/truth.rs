//! Whether promises hold, on a made-up service whose true error rates are known.

use rayon::prelude::*;
use serde::Serialize;

use crate::tiers::curve::{Curve, Shape, Sums, add, shapes, sum};
use crate::tiers::generate::{Bounds, tiers};
use crate::tiers::replay::replay;
use crate::tiers::simulate::{World, draw};
use crate::tiers::statistics::binomial::Share;
use crate::tiers::{
    Candidates, Costing, Method, Objective, Options, Policy, Table, Tier, Tolerance, Tolerances,
};

/// The true degradation, response and cost of every policy of a service, from very many requests.
pub struct Truth {
    /// Errors of the reference version.
    errors: f64,
    /// For each shape, its errors, response and cost at every threshold.
    curves: Vec<(Shape, Vec<Step>)>,
}

/// Errors, response and cost of a shape when requests terminate early from a confidence upwards.
struct Step {
    confidence: f64,
    errors: f64,
    /// Response and cost one after the other, then both at once; single precision will do.
    spent: [f32; 4],
}

impl Truth {
    /// Takes the averages of a table as the truth; the table must be very large.
    pub fn new(table: &Table, reference: usize) -> Truth {
        let curves = shapes(table.versions.len()).into_par_iter();
        let curves = curves.map(|shape| (shape, running(table, shape))).collect();
        let errors = table.versions[reference].errors.iter().map(|&errors| f64::from(errors)).sum();
        Truth { errors, curves }
    }

    /// The degradation of a shape at a threshold.
    pub fn degradation(&self, shape: Shape, threshold: f64) -> f64 {
        self.step(shape, threshold).errors / self.errors - 1.0
    }

    /// The degradation of a policy.
    pub fn of(&self, policy: &Policy) -> f64 {
        let (shape, threshold) = shape(policy);
        self.degradation(shape, threshold)
    }

    /// Response or cost of a policy, of all requests together.
    pub fn spent(&self, policy: &Policy, objective: Objective) -> f32 {
        let (shape, threshold) = shape(policy);
        let order = match policy {
            Policy::Conc(_) => 2,
            Policy::Single { .. } | Policy::Seq(_) => 0,
        };
        self.step(shape, threshold).spent[order + objective as usize]
    }

    fn step(&self, shape: Shape, threshold: f64) -> &Step {
        let mut curves = self.curves.iter();
        let (_, steps) = curves.find(|(known, _)| *known == shape).expect("every shape is known");
        let early = steps.partition_point(|step| step.confidence >= threshold);
        &steps[early.max(1) - 1]
    }
}

/// A policy's shape and threshold.
fn shape(policy: &Policy) -> (Shape, f64) {
    match policy {
        Policy::Single { version } => (Shape::Single(*version), f64::INFINITY),
        Policy::Seq(pair) | Policy::Conc(pair) => {
            let shape = Shape::Pair { first: pair.first, second: pair.second, choice: pair.choice };
            (shape, pair.threshold)
        }
    }
}

/// The sums at every threshold, from the highest confidence down.
fn running(table: &Table, shape: Shape) -> Vec<Step> {
    let curve = Curve::new(table, shape, Vec::new());
    let effects = curve.effects(table, Costing::default());
    let mut total = Sums::default();
    effects.full.iter().for_each(|full| add(&mut total, full));
    let mut steps = vec![step(f64::INFINITY, &total)];
    let Shape::Pair { first, .. } = shape else {
        return steps;
    };
    let confidence = &table.versions[first].sure;
    let mut order: Vec<usize> = (0..confidence.len()).collect();
    order.sort_unstable_by(|&a, &b| confidence[b].total_cmp(&confidence[a]));
    for place in order {
        add(&mut total, &effects.change[place]);
        steps.push(step(confidence[place], &total));
    }
    steps
}

fn step(confidence: f64, total: &Sums) -> Step {
    let spent = [sum::SEQ_RESPONSE, sum::SEQ_COST, sum::CONC_RESPONSE, sum::CONC_COST];
    Step { confidence, errors: total[sum::ERRORS], spent: spent.map(|at| total[at] as f32) }
}

/// A simulation: rules are learnt from one draw of a service after another.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The service; its last version is the reference.
    pub world: World,
    /// The statistics to try; `batch_requests` of [`Method::NextBatch`] is a ninth of the requests,
    /// as in ten folds.
    pub methods: Vec<Method>,
    /// `δ`, thresholds, draws and seed; its method is not used.
    pub rules: Options,
    /// Number of draws.
    pub replicates: usize,
    /// Number of groups from which the truth is computed.
    pub truth_groups: usize,
}

/// The results of one method.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Validity {
    /// The method.
    pub method: &'static str,
    /// The allowed probability of breaking a promise.
    pub delta: f64,
    /// Draws in which some tier's true degradation is above its tolerance.
    pub tiers_broken: Share,
    /// Draws in which some candidate's true degradation is above its bound.
    pub bounds_broken: Share,
    /// Draws in which some tier broke its tolerance on the next batch, a ninth as large.
    pub batches_broken: Share,
    /// Draws in which some tier truly takes more of its objective than a version alone that is
    /// certified for it.
    pub dearer: Share,
    /// Mean share of requests that the cost tiers of 1 % and 5 % send to the reference version.
    pub escalated: [f64; 2],
}

/// The tiers whose escalation is told.
const TOLD: [Tolerance; 2] = [Tolerance::of_percent(1), Tolerance::of_percent(5)];

/// What one draw showed.
struct Seen {
    tiers_broken: bool,
    bounds_broken: bool,
    batch_broken: bool,
    dearer: bool,
    escalated: [f64; 2],
}

/// Runs the simulation; equal seeds give equal results.
pub fn validity(trial: &Trial) -> Vec<Validity> {
    let reference = trial.world.versions - 1;
    let many = World { groups: trial.truth_groups, ..trial.world.clone() };
    let truth = Truth::new(&draw(&many, trial.rules.seed ^ 0x7275_7468), reference);
    let draws: Vec<Vec<Seen>> = (0..trial.replicates as u64)
        .into_par_iter()
        .map(|number| one_draw(trial, &truth, number))
        .collect();
    let method = |(at, method): (usize, &Method)| {
        let share = |broken: fn(&Seen) -> bool| {
            let count = draws.iter().filter(|seen| broken(&seen[at])).count();
            Share::new(count as u64, draws.len() as u64)
        };
        let escalated =
            |tier: usize| draws.iter().map(|seen| seen[at].escalated[tier]).sum::<f64>();
        Validity {
            method: method.name(),
            delta: trial.rules.delta,
            tiers_broken: share(|seen| seen.tiers_broken),
            bounds_broken: share(|seen| seen.bounds_broken),
            batches_broken: share(|seen| seen.batch_broken),
            dearer: share(|seen| seen.dearer),
            escalated: [0, 1].map(|tier| escalated(tier) / draws.len() as f64),
        }
    };
    trial.methods.iter().enumerate().map(method).collect()
}

fn one_draw(trial: &Trial, truth: &Truth, number: u64) -> Vec<Seen> {
    let seed = trial.rules.seed.wrapping_add(2 * number + 2);
    let (table, reference) = (draw(&trial.world, seed), trial.world.versions - 1);
    let next = World { groups: (trial.world.groups / 9).max(1), ..trial.world.clone() };
    let batch = draw(&next, seed + 1);
    let one = |&method: &Method| {
        let method = match method {
            Method::NextBatch { .. } => {
                Method::NextBatch { batch_requests: table.requests.len() / 9 }
            }
            other => other,
        };
        let costing = Costing::default();
        let rules = Options { method, seed, ..trial.rules };
        let bounds = Bounds::new(&table, reference, costing, rules);
        let candidates = bounds.candidates(&table, costing);
        let tiers = tiers(&candidates, Tolerances::default());
        let (tiers_broken, batch_broken) = broken(&tiers, truth, &batch, reference);
        Seen {
            tiers_broken,
            bounds_broken: some_bound_broken(&bounds, truth),
            batch_broken,
            dearer: some_dearer(&candidates, &tiers, truth),
            escalated: TOLD.map(|at| escalation(&tiers, at)),
        }
    };
    trial.methods.iter().map(one).collect()
}

/// Whether some tier is broken in truth, and on the batch.
fn broken(tiers: &[Tier], truth: &Truth, batch: &Table, reference: usize) -> (bool, bool) {
    let (mut in_truth, mut in_batch) = (false, false);
    // A policy that serves several tolerances is tried on the least.
    let mut tried: Option<&Policy> = None;
    for tier in tiers {
        let policy = &tier.candidate.policy;
        if tried.replace(policy) == Some(policy) {
            continue;
        }
        in_truth |= truth.of(policy) > tier.tolerance.as_share() + 1e-12;
        let kept = replay(batch, policy, reference, Costing::default());
        in_batch |= kept.degradation() > tier.tolerance.as_share() + 1e-12;
    }
    (in_truth, in_batch)
}

fn some_bound_broken(bounds: &Bounds, truth: &Truth) -> bool {
    bounds.curves().any(|(curve, bounds)| {
        let steps = curve.thresholds.iter().zip(bounds);
        steps.into_iter().any(|(&at, &bound)| truth.degradation(curve.shape, at) > bound + 1e-12)
    })
}

/// Whether some tier takes more than the best single version certified for it, in truth.
fn some_dearer(candidates: &Candidates, tiers: &[Tier], truth: &Truth) -> bool {
    tiers.iter().any(|tier| {
        let alone = candidates.cheapest_version(tier.tolerance, tier.objective);
        let spent = |policy: &Policy| truth.spent(policy, tier.objective);
        // What single precision may round is no difference.
        spent(&tier.candidate.policy) > spent(&alone.policy) * (1.0 + 1e-6)
    })
}

/// Share of requests that a cost tier sends to the reference version.
fn escalation(tiers: &[Tier], tolerance: Tolerance) -> f64 {
    let wanted = |tier: &&Tier| tier.objective == Objective::Cost && tier.tolerance == tolerance;
    let tier = tiers.iter().find(wanted).expect("the grid has whole per cents");
    if tier.fallback { 1.0 } else { tier.candidate.escalated }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_truth_is_a_replay() {
        let table = draw(&World { groups: 30, ..World::default() }, 9);
        let truth = Truth::new(&table, 2);
        for curve in crate::tiers::curve::family(&table, 6) {
            for step in 0..curve.thresholds.len() {
                for (_, policy) in curve.policies(step) {
                    let exact = replay(&table, &policy, 2, Costing::default());
                    assert!((truth.of(&policy) - exact.degradation()).abs() < 1e-12, "{policy}");
                    for objective in Objective::ALL {
                        let mean = truth.spent(&policy, objective) / table.requests.len() as f32;
                        let ratio = f64::from(mean) / objective.of(exact.mean);
                        assert!((ratio - 1.0).abs() < 1e-6, "{policy}");
                    }
                }
            }
        }
    }

    /// A small form of `paretone tiers simulate`: at δ = 0.2 few draws tell.
    #[test]
    fn promises_hold_about_as_often_as_they_say() {
        let trial = Trial {
            world: World { groups: 60, requests: 20.0, versions: 2, ..World::default() },
            methods: vec![Method::Population, Method::Point],
            rules: Options { delta: 0.2, thresholds: 20, ..Options::default() },
            replicates: 100,
            truth_groups: 5000,
        };
        let [population, point] = <[Validity; 2]>::try_from(validity(&trial)).unwrap();
        assert!(population.bounds_broken.exact[0] < 0.2, "{population:?}");
        assert!(population.tiers_broken.count <= population.bounds_broken.count);
        assert!(point.tiers_broken.count > 2 * population.tiers_broken.count, "{point:?}");
        assert!(point.escalated[1] < population.escalated[1]);
        assert!(population.dearer.exact[0] < 0.05 && point.dearer.count >= population.dearer.count);
    }
}
