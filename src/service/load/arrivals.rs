//! When requests arrive.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Plan;

/// The times of a plan's arrivals after its start: a Poisson process, by its exponential gaps.
pub fn arrivals(plan: &Plan) -> Vec<Duration> {
    let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
    let end = plan.time.as_secs_f64();
    let gaps = std::iter::repeat_with(move || -(1.0 - rng.random::<f64>()).ln() / plan.rate);
    let times = gaps.scan(0.0, |now, gap| {
        *now += gap;
        Some(*now)
    });
    let times = times.take_while(|now| *now < end);
    times.map(Duration::from_secs_f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_are_in_order_at_the_rate_and_the_same_for_a_seed() {
        let plan = Plan { rate: 50.0, time: Duration::from_secs(200), seed: 7 };
        let times = arrivals(&plan);
        assert!(times.is_sorted());
        // Five standard deviations of a Poisson count of 10,000.
        assert!(times.len().abs_diff(10_000) < 500, "{}", times.len());
        assert_eq!(times, arrivals(&plan));
    }
}
