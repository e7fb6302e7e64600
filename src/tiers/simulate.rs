//! A made-up service whose true error rates can be known, to see whether certificates hold.
//!
//! Groups (speakers) differ in size, in how hard they are, and in how much a fast version loses on
//! them, so that requests of one group are alike. A version's errors are the most accurate
//! version's, plus what its shortcuts add, less what they happen to mend. Its confidence knows
//! about the errors roughly, as a calibrated posterior does.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::table::{Request, Table, Version};

/// What the service is like.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// Groups to draw. Default: 78.
    pub groups: usize,
    /// Mean number of requests of a group. Default: 36.
    pub requests: f64,
    /// Versions, at least one. Default: 3.
    pub versions: usize,
    /// How much more errors the fastest version makes than the most accurate, relative to those.
    /// Default: 0.12.
    pub gap: f64,
    /// Spread of the groups' difficulty, in logits. Default: 0.6.
    pub spread: f64,
    /// Noise on the confidence, in logits; larger: routing is harder. Default: 1.2.
    pub noise: f64,
    /// Share of the groups on which fast versions differ from the most accurate at all, above 0;
    /// those lose the more, so that the gap stays. Default: 1.
    pub touched: f64,
    /// Spread of what fast versions lose on a group, in logarithms; larger: heavier tails at the
    /// same gap. Default: 0.6.
    pub tail: f64,
}

impl Default for World {
    fn default() -> Self {
        World {
            groups: 78,
            requests: 36.0,
            versions: 3,
            gap: 0.12,
            spread: 0.6,
            noise: 1.2,
            touched: 1.0,
            tail: TAIL,
        }
    }
}

/// Mean error rate of the most accurate version's words, in logits: about 15 %.
const HARDNESS: f64 = -2.1;
/// Of the errors that a fast version's shortcuts change, the share that gets worse.
const WORSE: f64 = 0.75;
/// Spread of what a group loses at which the gap is met on average.
const TAIL: f64 = 0.6;
/// Share of the fastest version's time that all versions share.
const SHARED: f64 = 0.6;

/// Draws the service's groups and their requests; equal seeds give equal tables.
pub fn draw(world: &World, seed: u64) -> Table {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let names = (1..=world.versions).map(|number| Version {
        name: format!("v{number}"),
        errors: Vec::new(),
        response: Vec::new(),
        cost: Vec::new(),
        confidence: Vec::new(),
        sure: Vec::new(),
        scores: Vec::new(),
        counters: Vec::new(),
    });
    let (mut requests, mut versions): (Vec<Request>, Vec<Version>) = (Vec::new(), names.collect());
    for group in 0..world.groups {
        let size = 1 + (-(world.requests - 1.0) * random.random::<f64>().ln()) as usize;
        let hard = HARDNESS + world.spread * normal(&mut random);
        // The mean of the exponential grows with its spread, which would widen the gap.
        let excess = (world.tail * world.tail - TAIL * TAIL) / 2.0;
        let loses = (world.tail * normal(&mut random) - excess).exp();
        let is_touched = world.touched >= 1.0 || random.random::<f64>() < world.touched;
        let loses = if is_touched { loses / world.touched } else { 0.0 };
        for _ in 0..size {
            let words = random.random_range(3..=17);
            let id = requests.len().to_string();
            requests.push(Request { id, group, set: 0, words });
            let hard = hard + 0.8 * normal(&mut random);
            answer(world, &mut versions, words, [hard, loses], &mut random);
        }
    }
    let mut order: Vec<usize> = (0..requests.len()).collect();
    order.shuffle(&mut random);
    let groups = (0..world.groups).map(|group| format!("g{group}")).collect();
    Table {
        made_for: crate::provenance::MadeFor::default(),
        requests,
        groups,
        sets: vec![String::new()],
        versions,
        counters: Vec::new(),
    }
    .subset(&order)
}

/// What each version makes of a request with `words` words.
fn answer(
    world: &World,
    versions: &mut [Version],
    words: u32,
    group: [f64; 2],
    random: &mut ChaCha8Rng,
) {
    let [hard, loses] = group;
    let rate = logistic(hard);
    let best = binomial(words, rate, random);
    let last = (versions.len() - 1).max(1) as f64;
    let doubt = normal(random);
    for (number, version) in versions.iter_mut().enumerate() {
        let behind = 1.0 - number as f64 / last;
        // Net of what gets better, so many words change that the gap is met on average.
        let changed = (world.gap * rate * loses * behind / (2.0 * WORSE - 1.0)).min(0.5);
        let (worse, better) = (
            binomial(words, changed * WORSE, random),
            binomial(words, changed * (1.0 - WORSE), random),
        );
        let errors = (best + worse).saturating_sub(better);
        let seen = f64::from(errors) / f64::from(words) + 1.5 * f64::from(worse) / f64::from(words);
        let logit = 1.5 - 5.0 * seen - 0.8 * (hard - HARDNESS)
            + world.noise * (0.7 * doubt + 0.7 * normal(random));
        let seconds =
            f64::from(words) / 10.0 * (0.5 + 1.6 * (1.0 - behind)) * (0.2 * normal(random)).exp();
        let scores = f64::from(words) / 10.0 * 0.5 * SHARED;
        version.errors.push(errors);
        version.response.push(seconds.max(scores));
        version.cost.push(seconds.max(scores));
        version.scores.push(scores);
        version.confidence.push(logistic(logit));
        version.sure.push(logistic(logit));
    }
}

fn logistic(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

fn binomial(trials: u32, share: f64, random: &mut ChaCha8Rng) -> u32 {
    (0..trials).map(|_| u32::from(random.random::<f64>() < share)).sum()
}

/// A standard normal number (Box and Muller 1958).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiers::Outcomes;

    /// Few groups make all the difference where the world says so, and the gap stays about what it
    /// is.
    #[test]
    fn rare_and_heavy_losses_keep_the_gap() {
        let rare = World { groups: 4000, touched: 0.2, ..World::default() };
        let heavy = World { groups: 4000, tail: 1.0, ..World::default() };
        for (world, most) in [(rare, 0.25), (heavy, 1.0)] {
            let table = draw(&world, 1);
            let [fast, best] = [0, 2].map(|version: usize| &table.versions[version].errors);
            let gap = fast.iter().sum::<u32>() as f64 / best.iter().sum::<u32>() as f64 - 1.0;
            assert!((0.07..0.15).contains(&gap), "{gap}");
            let mut differ = vec![false; world.groups];
            for ((request, fast), best) in table.requests.iter().zip(fast).zip(best) {
                differ[request.group] |= fast != best;
            }
            let share = differ.iter().filter(|&&differs| differs).count() as f64 / 4000.0;
            assert!(share <= most, "{share}");
        }
    }

    #[test]
    fn the_made_up_service_is_what_it_says() {
        let world = World { groups: 2000, ..World::default() };
        let table = draw(&world, 1);
        assert_eq!(table, draw(&world, 1));
        let errors = |version: usize| table.versions[version].errors.iter().sum::<u32>() as f64;
        let words: u32 = table.requests.iter().map(|request| request.words).sum();
        let (gap, rate) = (errors(0) / errors(2) - 1.0, errors(2) / f64::from(words));
        assert!((gap - world.gap).abs() < 0.03, "{gap}");
        assert!((0.1..0.25).contains(&rate), "{rate}");
        assert_eq!(table.most_accurate(), 2);
        assert_eq!(Outcomes::from(&table).rows.len(), 3 * table.requests.len());
    }
}
