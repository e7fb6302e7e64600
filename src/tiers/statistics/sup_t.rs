//! How many standard errors hold for all statistics at once: the multiplier bootstrap.
//!
//! Each group's contribution to every statistic is multiplied by one standard normal number, and
//! the largest studentised sum over all statistics is noted; its upper `δ` quantile over many draws
//! is the critical value (Chernozhukov, Chetverikov and Kato 2013, "Gaussian approximations and
//! multiplier bootstrap for maxima of sums of high-dimensional random vectors"). Statistics that
//! move together, such as neighbouring thresholds, cost next to nothing, unlike in Bonferroni's.
//!
//! The statistics come in series: each is the one before it with a few groups changed, so a series
//! costs one pass over its changes, however many thresholds it has.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Draws worked on at once, so that the inner loop fills the processor's vectors.
const LANES: usize = 16;
type Lanes = [f32; LANES];

/// One statistic: `Σ_g ξ_g (added_g − ratio·reference_g) / deviation`.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistic {
    /// Groups whose `added` differs from the statistic before it, and by how much.
    pub changes: Vec<(u32, f32)>,
    /// The ratio.
    pub ratio: f32,
    /// One over the root of the sum of squared contributions; 0 leaves the statistic out.
    pub precision: f32,
}

/// How the bootstrap draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Draws {
    /// Share of draws above the critical value, between 0 and 1.
    pub delta: f64,
    /// How many; at least `1/δ`, else the critical value is infinite. Larger: slower, steadier.
    pub count: usize,
    /// Seed: equal seeds give equal values.
    pub seed: u64,
}

/// The critical value: the largest statistic stays below it in all but `δ` of the draws. The order
/// statistic `⌈(1 − δ)(count + 1)⌉` keeps that exact for any number of draws (Davison and Hinkley
/// 1997, Section 4.2).
pub fn critical_value(series: &[Vec<Statistic>], reference: &[f32], draws: Draws) -> f64 {
    let rank = ((1.0 - draws.delta) * (draws.count + 1) as f64 - 1e-9).ceil() as usize;
    if rank > draws.count {
        return f64::INFINITY;
    }
    let batches = draws.count.div_ceil(LANES);
    let mut largest: Vec<f32> = (0..batches)
        .into_par_iter()
        .flat_map_iter(|batch| maxima(series, reference, stream(draws.seed, batch)))
        .collect();
    largest.truncate(draws.count);
    largest.sort_unstable_by(f32::total_cmp);
    f64::from(largest[rank.max(1) - 1])
}

/// The largest statistic in each of one batch of draws.
fn maxima(series: &[Vec<Statistic>], reference: &[f32], mut random: ChaCha8Rng) -> Lanes {
    let multipliers: Vec<Lanes> = reference.iter().map(|_| normals(&mut random)).collect();
    let mut base = [0.0; LANES];
    for (multiplier, &sum) in multipliers.iter().zip(reference) {
        add(&mut base, sum, multiplier);
    }
    let mut largest = [f32::NEG_INFINITY; LANES];
    for statistics in series {
        let mut added = [0.0; LANES];
        for statistic in statistics {
            for &(group, change) in &statistic.changes {
                add(&mut added, change, &multipliers[group as usize]);
            }
            for lane in 0..LANES {
                let value = (added[lane] - statistic.ratio * base[lane]) * statistic.precision;
                largest[lane] = largest[lane].max(value);
            }
        }
    }
    largest
}

fn add(sum: &mut Lanes, weight: f32, terms: &Lanes) {
    for (sum, term) in sum.iter_mut().zip(terms) {
        *sum += weight * term;
    }
}

/// Random numbers of one batch, the same whichever thread works on it.
fn stream(seed: u64, batch: usize) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(batch as u64);
    random
}

/// Standard normal numbers (Box and Muller 1958).
fn normals(random: &mut ChaCha8Rng) -> Lanes {
    let mut lanes = [0.0; LANES];
    for pair in lanes.chunks_exact_mut(2) {
        let radius = (-2.0 * (1.0 - random.random::<f32>()).ln()).sqrt();
        let (sine, cosine) = (std::f32::consts::TAU * random.random::<f32>()).sin_cos();
        pair.copy_from_slice(&[radius * sine, radius * cosine]);
    }
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: Draws = Draws { delta: 0.01, count: 50_000, seed: 1 };

    /// A statistic that belongs to group `group` alone is one standard normal number.
    fn own(group: u32) -> Vec<Statistic> {
        vec![Statistic { changes: vec![(group, 1.0)], ratio: 0.0, precision: 1.0 }]
    }

    #[test]
    fn independent_statistics_pay_and_copies_do_not() {
        let reference = [1.0; 20];
        let one = critical_value(&[own(0)], &reference, DRAWS);
        assert!((one - 2.326).abs() < 0.05, "{one}");
        let copies = critical_value(&[own(0), own(0), own(0)], &reference, DRAWS);
        assert_eq!(copies, one);
        let twenty: Vec<_> = (0..20).map(own).collect();
        let twenty = critical_value(&twenty, &reference, DRAWS);
        assert!((twenty - 3.289).abs() < 0.06, "{twenty}");
    }

    #[test]
    fn too_few_draws_promise_nothing() {
        let draws = Draws { count: 50, ..DRAWS };
        assert_eq!(critical_value(&[own(0)], &[1.0], draws), f64::INFINITY);
    }

    /// A series is its statistics one by one.
    #[test]
    fn a_series_adds_up() {
        let reference = [1.0, 2.0, 0.5];
        let step = |changes: &[(u32, f32)]| Statistic {
            changes: changes.to_vec(),
            ratio: 0.3,
            precision: 0.7,
        };
        let series = vec![step(&[(0, 1.0)]), step(&[(1, -2.0), (2, 1.0)])];
        let alone = vec![vec![step(&[(0, 1.0)])], vec![step(&[(0, 1.0), (1, -2.0), (2, 1.0)])]];
        let (series, alone) = (
            critical_value(&[series], &reference, DRAWS),
            critical_value(&alone, &reference, DRAWS),
        );
        assert!((series - alone).abs() < 1e-5);
    }
}
