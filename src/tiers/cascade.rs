//! Does a third version help? Three versions one after the other, for comparison with two.
//!
//! The paper (Section IV-B) finds that more than two versions hardly pay. To see whether that
//! holds, the best cascade of three is sought as the best of two is, on point estimates, since the
//! question is what there is to gain and not what can be promised.

use super::costing::{Costing, Run};
use super::policy::Choice;
use super::replay::degradation;
use super::table::Table;
use super::tolerance::Tolerance;

/// Run `versions[0]`; unless its confidence reaches `thresholds[0]`, run `versions[1]`; unless that
/// reaches `thresholds[1]`, run `versions[2]` and choose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cascade {
    /// Places of the versions, in the order they run.
    pub versions: [usize; 3],
    /// Least confidence at which the first and the second version's answer is given.
    pub thresholds: [f64; 2],
    /// Whose answer is given once all have run: the surest one's or the last one's.
    pub choice: Choice,
}

/// Errors and cost of a policy over requests.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Total {
    /// Errors of all answers.
    pub errors: f64,
    /// Server-seconds of all requests.
    pub cost: f64,
}

impl Total {
    fn add(&mut self, other: Total) {
        self.errors += other.errors;
        self.cost += other.cost;
    }
}

impl Cascade {
    /// Errors and cost over a table.
    pub fn replay(&self, table: &Table, costing: Costing) -> Total {
        let mut total = Total::default();
        for place in 0..table.requests.len() {
            let sure = |at: usize| table.versions[self.versions[at]].sure[place];
            let stage = match (sure(0) >= self.thresholds[0], sure(1) >= self.thresholds[1]) {
                (true, _) => 0,
                (false, true) => 1,
                (false, false) => 2,
            };
            total.add(self.stages(table, costing, place)[stage]);
        }
        total
    }

    /// Errors and cost of a request that ends at each of the three stages.
    fn stages(&self, table: &Table, costing: Costing, place: usize) -> [Total; 3] {
        let version = |at: usize| &table.versions[self.versions[at]];
        let run = |at: usize| Run::of(version(at), place);
        let sure = |at: usize| version(at).sure[place];
        let errors = |at: usize| f64::from(version(at).errors[place]);
        let surer = |a: usize, b: usize| {
            if self.choice.takes_first(sure(a), sure(b)) { a } else { b }
        };
        let (one, two) = (costing.alone(run(0)).cost, costing.seq_full(run(0), run(1)).cost);
        let three = two + costing.seq_full(run(0), run(2)).cost - one;
        [
            Total { errors: errors(0), cost: one },
            Total { errors: errors(1), cost: two },
            Total { errors: errors(surer(surer(0, 1), 2)), cost: three },
        ]
    }
}

/// The cheapest cascade of three versions, each slower than the one before, whose degradation on
/// the table is within the tolerance; over a grid of `grid × grid` thresholds. None where none is.
pub fn cheapest_cascade(
    table: &Table,
    reference: usize,
    costing: Costing,
    tolerances: &[Tolerance],
    grid: usize,
) -> Vec<Option<Cascade>> {
    let errors = table.versions[reference].errors.iter().map(|&errors| f64::from(errors)).sum();
    let mut best: Vec<Option<(f64, Cascade)>> = vec![None; tolerances.len()];
    for versions in triples(table.versions.len()) {
        for choice in [Choice::Confident, Choice::Second] {
            let cascade = Cascade { versions, thresholds: [0.0; 2], choice };
            for (thresholds, total) in surface(table, costing, cascade, grid) {
                let worse = degradation(total.errors, errors);
                for (best, &tolerance) in best.iter_mut().zip(tolerances) {
                    if worse <= tolerance.as_share()
                        && best.is_none_or(|(cost, _)| total.cost < cost)
                    {
                        *best = Some((total.cost, Cascade { thresholds, ..cascade }));
                    }
                }
            }
        }
    }
    best.into_iter().map(|best| best.map(|(_, cascade)| cascade)).collect()
}

fn triples(versions: usize) -> impl Iterator<Item = [usize; 3]> {
    (0..versions).flat_map(move |a| {
        (a + 1..versions).flat_map(move |b| (b + 1..versions).map(move |c| [a, b, c]))
    })
}

/// Totals at every pair of thresholds, by running sums in both directions.
fn surface(
    table: &Table,
    costing: Costing,
    cascade: Cascade,
    grid: usize,
) -> Vec<([f64; 2], Total)> {
    let sure = |at: usize| &table.versions[cascade.versions[at]].sure;
    let thresholds = [0, 1].map(|at| falling(sure(at), grid));
    let width = thresholds[1].len() + 1;
    let mut cells = vec![Total::default(); (thresholds[0].len() + 1) * width];
    for place in 0..table.requests.len() {
        let [one, two, three] = cascade.stages(table, costing, place);
        let step =
            |at: usize| thresholds[at].partition_point(|&threshold| threshold > sure(at)[place]);
        let (i, j) = (step(0), step(1));
        let less =
            |a: Total, b: Total| Total { errors: a.errors - b.errors, cost: a.cost - b.cost };
        // Full operation everywhere; from the second's step on its answer; from the first's on its.
        cells[0].add(three);
        cells[j].add(less(two, three));
        cells[i * width].add(less(one, three));
        cells[i * width + j].add(less(three, two));
    }
    sum_up(&mut cells, width);
    let steps =
        (0..thresholds[0].len()).flat_map(|i| (0..thresholds[1].len()).map(move |j| (i, j)));
    let at = |(i, j): (usize, usize)| ([thresholds[0][i], thresholds[1][j]], cells[i * width + j]);
    steps.map(at).collect()
}

/// Replaces each cell by the sum of those above it, those left of both, and itself.
fn sum_up(cells: &mut [Total], width: usize) {
    for start in (0..cells.len()).step_by(width) {
        let mut row = Total::default();
        for at in start..start + width {
            row.add(cells[at]);
            let above = if start > 0 { cells[at - width] } else { Total::default() };
            cells[at] = row;
            cells[at].add(above);
        }
    }
}

/// Thresholds that each let about `1/grid` more of the requests through, in falling order.
fn falling(confidence: &[f64], grid: usize) -> Vec<f64> {
    let mut sorted = confidence.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let grid = grid.clamp(1, sorted.len());
    let mut picked: Vec<f64> =
        (1..=grid).map(|at| sorted[(at * sorted.len()).div_ceil(grid) - 1]).collect();
    picked.dedup();
    picked
}

#[cfg(test)]
mod tests {
    use super::super::simulate::{World, draw};
    use super::*;

    #[test]
    fn running_sums_are_replays() {
        let table = draw(&World { groups: 10, versions: 4, ..World::default() }, 2);
        let costing = Costing::default();
        for choice in [Choice::Confident, Choice::Second] {
            let cascade = Cascade { versions: [0, 2, 3], thresholds: [0.0; 2], choice };
            for (thresholds, total) in surface(&table, costing, cascade, 5) {
                let exact = Cascade { thresholds, ..cascade }.replay(&table, costing);
                assert_eq!(total.errors, exact.errors);
                assert!((total.cost - exact.cost).abs() < 1e-6 * exact.cost);
            }
        }
    }

    #[test]
    fn a_larger_tolerance_is_never_dearer() {
        let table = draw(&World { groups: 30, versions: 4, ..World::default() }, 2);
        let tolerances = [0, 5, 20].map(Tolerance::of_percent);
        let cascades = cheapest_cascade(&table, 3, Costing::default(), &tolerances, 8);
        let cost = |at: usize| {
            cascades[at].map_or(f64::MAX, |c| c.replay(&table, Costing::default()).cost)
        };
        assert!(cost(0) >= cost(1) && cost(1) >= cost(2));
    }
}
