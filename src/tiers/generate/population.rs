//! Bounds on the long-run degradation of all candidates at once, and on that of the next batch.
//!
//! A group's requests are one observation ([`Ratio`]); [`sup_t`] says how many standard errors hold
//! for every pair, policy and threshold together. For the next `m` requests the batch's own chance
//! is added: after `n` requests, its mean differs from the estimate with variance `1/n + 1/m` in
//! place of `1/n`, and correlates between candidates as the estimate does, so the same critical
//! value serves.

use rayon::prelude::*;

use super::Options;
use crate::tiers::curve::Curve;
use crate::tiers::statistics::quantile::{normal_tail, student_upper};
use crate::tiers::statistics::ratio::Ratio;
use crate::tiers::statistics::sup_t::{Draws, Statistic, critical_value};
use crate::tiers::table::Table;

/// Fewest degrees of freedom at which anything is promised: below, a variance estimate is no guide.
const LEAST_FREEDOM: f64 = 4.0;

/// The groups of a table, and what is added to the reference version's errors in each.
pub struct Differences {
    reference: usize,
    /// Number of each request's group among those present.
    group: Vec<u32>,
    /// Errors of the reference version in each group.
    errors: Vec<f64>,
    /// Requests of each group.
    requests: Vec<f64>,
}

/// One curve: a statistic and a ratio at each step.
type Analysed = (Vec<Statistic>, Vec<Ratio>);

impl Differences {
    /// Numbers the groups.
    pub fn new(table: &Table, reference: usize) -> Differences {
        let mut numbers = vec![u32::MAX; table.groups.len()];
        let (mut group, mut errors, mut requests) = (Vec::new(), Vec::new(), Vec::new());
        for (request, &made) in table.requests.iter().zip(&table.versions[reference].errors) {
            let number = &mut numbers[request.group];
            if *number == u32::MAX {
                *number = errors.len() as u32;
                errors.push(0.0);
                requests.push(0.0);
            }
            group.push(*number);
            errors[*number as usize] += f64::from(made);
            requests[*number as usize] += 1.0;
        }
        Differences { reference, group, errors, requests }
    }

    /// The point estimates.
    pub fn point(&self, table: &Table, family: &[Curve]) -> Vec<Vec<f64>> {
        let values = |(_, ratios): Analysed| ratios.iter().map(|ratio| ratio.value).collect();
        family.par_iter().map(|curve| values(self.analyse(table, curve))).collect()
    }

    /// The upper bounds; `inflation` as in [`Ratio::upper`].
    pub fn bounds(
        &self,
        table: &Table,
        family: &[Curve],
        options: Options,
        inflation: f64,
    ) -> Vec<Vec<f64>> {
        let analysed = family.par_iter().map(|curve| self.analyse(table, curve));
        let (series, ratios): (Vec<_>, Vec<_>) = analysed.collect::<Vec<_>>().into_iter().unzip();
        let reference: Vec<f32> = self.errors.iter().map(|&errors| errors as f32).collect();
        let count = (options.draws as f64 / options.delta).ceil() as usize;
        let draws = Draws { delta: options.delta, count, seed: options.seed };
        let quantiles =
            Quantiles::new(critical_value(&series, &reference, draws), self.errors.len());
        let bound = |ratio: &Ratio| ratio.upper(quantiles.of(ratio), inflation);
        ratios.iter().map(|ratios| ratios.iter().map(bound).collect()).collect()
    }

    fn analyse(&self, table: &Table, curve: &Curve) -> Analysed {
        let mut analysed = Analysed::default();
        self.walk(table, curve, |changes, added| {
            let ratio = Ratio::of(added, &self.errors, &self.requests);
            let counts = ratio.freedom >= LEAST_FREEDOM;
            let precision = if counts { 1.0 / ratio.square.sqrt() as f32 } else { 0.0 };
            analysed.0.push(Statistic { changes, ratio: ratio.value as f32, precision });
            analysed.1.push(ratio);
        });
        analysed
    }

    /// Visits the steps of a curve: what changes from the step before, group by group, and what is
    /// added to the reference's errors in each group.
    pub fn walk(
        &self,
        table: &Table,
        curve: &Curve,
        mut visit: impl FnMut(Vec<(u32, f32)>, &[f64]),
    ) {
        let mut added = vec![0.0; self.errors.len()];
        for changes in self.changes(table, curve) {
            for &(group, change) in &changes {
                added[group as usize] += f64::from(change);
            }
            visit(changes, &added);
        }
    }

    /// Errors of the reference version in each group.
    pub fn reference_errors(&self) -> &[f64] {
        &self.errors
    }

    /// Number of a request's group.
    pub fn group(&self, place: usize) -> usize {
        self.group[place] as usize
    }

    /// What changes from each step to the next, group by group.
    fn changes(&self, table: &Table, curve: &Curve) -> Vec<Vec<(u32, f32)>> {
        let mut changes = vec![Vec::new(); curve.thresholds.len()];
        let reference = &table.versions[self.reference].errors;
        for (place, &group) in self.group.iter().enumerate() {
            let [full, early] = curve.errors(table, place).map(|errors| errors as f32);
            let base = full - reference[place] as f32;
            if base != 0.0 {
                changes[0].push((group, base));
            }
            if let Some(step) = changes.get_mut(curve.steps[place] as usize)
                && early != full
            {
                step.push((group, early - full));
            }
        }
        changes.into_iter().map(merged).collect()
    }
}

/// One entry a group, in the order of the groups; those that cancel are left out.
fn merged(mut changes: Vec<(u32, f32)>) -> Vec<(u32, f32)> {
    changes.sort_unstable_by_key(|(group, _)| *group);
    changes.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        kept.1 += if same { next.1 } else { 0.0 };
        same
    });
    changes.retain(|(_, change)| *change != 0.0);
    changes
}

/// Standard errors that a candidate's bound keeps off, by its degrees of freedom, rounded down.
struct Quantiles(Vec<f64>);

impl Quantiles {
    /// A normal variable's critical value, as likely exceeded by Student's with any degrees of
    /// freedom.
    fn new(critical: f64, groups: usize) -> Quantiles {
        let tail = normal_tail(critical);
        let quantile = |freedom: usize| match freedom as f64 >= LEAST_FREEDOM && tail > 0.0 {
            true => student_upper(freedom as f64, tail),
            false => f64::INFINITY,
        };
        Quantiles((0..=groups).into_par_iter().map(quantile).collect())
    }

    fn of(&self, ratio: &Ratio) -> f64 {
        self.0[(ratio.freedom as usize).min(self.0.len() - 1)]
    }
}
