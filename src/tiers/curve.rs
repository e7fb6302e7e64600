//! All thresholds of a pair at once.
//!
//! For a pair of versions, the threshold decides only which requests terminate early. In falling
//! order of thresholds, a request that terminates early at one step does so at all later steps. So
//! a sum over requests at every threshold is a running sum: one pass gives all of them, in place of
//! one pass for each threshold. The errors are the same whether the pair runs sequentially or
//! concurrently.

use super::costing::{Costing, Run};
use super::policy::{Choice, NEVER_EARLY, Pair, Policy};
use super::table::Table;

/// The versions of a curve, and the choice at full operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A single version; the threshold has no effect.
    Single(usize),
    /// Two versions.
    Pair {
        /// The version whose answer may be enough.
        first: usize,
        /// The version that answers otherwise.
        second: usize,
        /// Which answer full operation gives.
        choice: Choice,
    },
}

/// Order in which a pair runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// One after the other.
    Seq,
    /// Both at once.
    Conc,
}

/// A shape and its thresholds over the requests of one table.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// The versions.
    pub shape: Shape,
    /// Thresholds in strictly falling order: step 0 ends the fewest requests early.
    pub thresholds: Vec<f64>,
    /// For each request, the first step at which it terminates early; the number of steps if it
    /// never does.
    pub steps: Vec<u32>,
}

/// What is summed over requests; the places of a [`Sums`].
pub mod sum {
    /// Errors.
    pub const ERRORS: usize = 0;
    /// Requests in full operation.
    pub const ESCALATED: usize = 1;
    /// Seconds waited, one after the other.
    pub const SEQ_RESPONSE: usize = 2;
    /// Server-seconds, one after the other.
    pub const SEQ_COST: usize = 3;
    /// Seconds waited, both at once.
    pub const CONC_RESPONSE: usize = 4;
    /// Server-seconds, both at once.
    pub const CONC_COST: usize = 5;
}

/// Sums over requests, by [`sum`].
pub type Sums = [f64; 6];

/// What each request of a curve contributes.
#[derive(Clone, Debug, PartialEq)]
pub struct Effects {
    /// In full operation.
    pub full: Vec<Sums>,
    /// Early termination less full operation.
    pub change: Vec<Sums>,
}

/// Every shape: each version alone, and all pairs whose second version is the slower, with each
/// choice. A pair that asks the slower version first would never pay, and every candidate makes the
/// bounds of all others wider.
pub fn shapes(versions: usize) -> Vec<Shape> {
    let alone = (0..versions).map(Shape::Single);
    let pairs = (0..versions).flat_map(|second| (0..second).map(move |first| (first, second)));
    let pairs = pairs.flat_map(|(first, second)| {
        [Choice::Confident, Choice::Second].map(|choice| Shape::Pair { first, second, choice })
    });
    alone.chain(pairs).collect()
}

/// The curve of every shape over a table.
///
/// At most `grid` thresholds a curve, evenly spread over the requests; larger: slower, finer.
pub fn family(table: &Table, grid: usize) -> Vec<Curve> {
    let versions = table.versions.iter();
    let versions: Vec<Vec<f64>> = versions.map(|v| thresholds(&v.sure, grid)).collect();
    let curve = |shape| {
        let thresholds = match shape {
            Shape::Single(_) => vec![NEVER_EARLY],
            Shape::Pair { first, choice: Choice::Second, .. } => versions[first].clone(),
            Shape::Pair { first, .. } => [&[NEVER_EARLY], &versions[first][..]].concat(),
        };
        Curve::new(table, shape, thresholds)
    };
    let curves = shapes(table.versions.len()).into_iter().map(curve);
    curves.filter(|curve| !curve.thresholds.is_empty()).collect()
}

/// Confidences at which the share of requests that end early grows by about `1/grid`; the lowest
/// confidence is left out, since all requests would end early.
fn thresholds(confidence: &[f64], grid: usize) -> Vec<f64> {
    let mut sorted = confidence.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let last = sorted.last().copied();
    let grid = grid.clamp(1, sorted.len().max(1));
    let mut picked: Vec<f64> =
        (1..grid).map(|i| sorted[(i * sorted.len()).div_ceil(grid) - 1]).collect();
    picked.dedup();
    picked.retain(|&value| Some(value) != last);
    picked
}

impl Curve {
    /// A shape with given thresholds, in strictly falling order, over a table.
    pub fn new(table: &Table, shape: Shape, thresholds: Vec<f64>) -> Curve {
        let steps = match shape {
            Shape::Single(_) => vec![thresholds.len() as u32; table.requests.len()],
            Shape::Pair { first, .. } => {
                let step =
                    |sure: &f64| thresholds.partition_point(|threshold| threshold > sure) as u32;
                table.versions[first].sure.iter().map(step).collect()
            }
        };
        Curve { shape, thresholds, steps }
    }

    /// The policies at one step: one for a version alone, else one for each order.
    pub fn policies(&self, step: usize) -> Vec<(Order, Policy)> {
        match self.shape {
            Shape::Single(version) => vec![(Order::Seq, Policy::Single { version })],
            Shape::Pair { first, second, choice } => {
                let pair = Pair { first, second, threshold: self.thresholds[step], choice };
                vec![(Order::Seq, Policy::Seq(pair.clone())), (Order::Conc, Policy::Conc(pair))]
            }
        }
    }

    /// Errors of a request in full operation, and in early termination.
    pub fn errors(&self, table: &Table, place: usize) -> [u32; 2] {
        match self.shape {
            Shape::Single(version) => [table.versions[version].errors[place]; 2],
            Shape::Pair { first, second, choice } => {
                let (first, second) = (&table.versions[first], &table.versions[second]);
                let takes_first = choice.takes_first(first.sure[place], second.sure[place]);
                let full = if takes_first { first } else { second };
                [full.errors[place], first.errors[place]]
            }
        }
    }

    /// What each request contributes.
    pub fn effects(&self, table: &Table, costing: Costing) -> Effects {
        let effect = |place| self.effect(table, costing, place);
        let pairs = (0..table.requests.len()).map(effect);
        let (full, change) = pairs.unzip();
        Effects { full, change }
    }

    fn effect(&self, table: &Table, costing: Costing, place: usize) -> (Sums, Sums) {
        let [full, early] = self.errors(table, place).map(f64::from);
        let run = |version: usize| Run::of(&table.versions[version], place);
        let (seq, conc) = match self.shape {
            Shape::Single(version) => {
                ([costing.alone(run(version)); 2], [costing.alone(run(version)); 2])
            }
            Shape::Pair { first, second, .. } => {
                let (first, second) = (run(first), run(second));
                let seq = [costing.seq_full(first, second), costing.alone(first)];
                (seq, [costing.conc_full(first, second), costing.conc_early(first, second)])
            }
        };
        let escalated = f64::from(u8::from(!matches!(self.shape, Shape::Single(_))));
        let sums = |errors, escalated, at: usize| {
            [errors, escalated, seq[at].response, seq[at].cost, conc[at].response, conc[at].cost]
        };
        let (full, early) = (sums(full, escalated, 0), sums(early, 0.0, 1));
        (full, std::array::from_fn(|i| early[i] - full[i]))
    }

    /// The sums over `places` (which may repeat) at each step.
    pub fn sums(&self, effects: &Effects, places: impl Iterator<Item = usize>) -> Vec<Sums> {
        let mut base = Sums::default();
        let mut steps = vec![Sums::default(); self.thresholds.len() + 1];
        for place in places {
            add(&mut base, &effects.full[place]);
            add(&mut steps[self.steps[place] as usize], &effects.change[place]);
        }
        steps.pop();
        for step in &mut steps {
            add(&mut base, step);
            *step = base;
        }
        steps
    }
}

/// Adds term by term.
pub fn add(sums: &mut Sums, terms: &Sums) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum += term;
    }
}

#[cfg(test)]
mod tests {
    use super::super::replay::replay;
    use super::super::simulate::{World, draw};
    use super::*;

    /// The fast path against its obvious twin: every policy of every curve, replayed.
    #[test]
    fn running_sums_are_replays() {
        let table = draw(&World { groups: 12, ..World::default() }, 3);
        for costing in [
            Costing::default(),
            Costing { sharing: crate::tiers::Sharing::Separate, ..Costing::default() },
        ] {
            for curve in family(&table, 7) {
                let sums = curve.sums(&curve.effects(&table, costing), 0..table.requests.len());
                for (step, sums) in sums.iter().enumerate() {
                    for (order, policy) in curve.policies(step) {
                        let exact = replay(&table, &policy, 0, costing);
                        let at = if order == Order::Seq {
                            sum::SEQ_RESPONSE
                        } else {
                            sum::CONC_RESPONSE
                        };
                        let mean = |sum: f64| sum / table.requests.len() as f64;
                        assert_eq!(sums[sum::ERRORS], exact.errors as f64, "{policy}");
                        assert!((mean(sums[sum::ESCALATED]) - exact.escalated).abs() < 1e-9);
                        assert!((mean(sums[at]) - exact.mean.response).abs() < 1e-9, "{policy}");
                        assert!((mean(sums[at + 1]) - exact.mean.cost).abs() < 1e-9, "{policy}");
                    }
                }
            }
        }
    }

    #[test]
    fn all_pairs_stand_with_both_choices() {
        let table = draw(&World { groups: 20, versions: 7, ..World::default() }, 1);
        let family = family(&table, 50);
        assert_eq!(family.len(), 7 + 2 * 21);
        assert!(family.iter().all(|curve| curve.thresholds.is_sorted_by(|a, b| a > b)));
        assert!(family.iter().all(|curve| curve.thresholds.len() <= 50));
    }
}
