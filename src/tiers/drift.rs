//! Has traffic changed? An alarm that needs no reference transcripts and can be read at any time.
//!
//! A share of requests is *shadowed*: the most accurate version answers them too, unseen by the
//! caller. The word edit distance is a metric, so for a tier's answer `a`, the shadow's answer `b`
//! and the words `r` that nobody wrote down, `|d(a, r) − d(b, r)| ≤ d(a, b)`: a tier cannot have
//! made more errors than its shadow by more than the two disagree. The same holds for classes,
//! where the distance is 0 or 1. While disagreement per word keeps a bound, so does what the tier
//! adds to the error rate.
//!
//! The hypothesis is that it keeps the bound: the mean of `x = distance − bound·words` is zero or
//! less, whatever came before. A gambler who bets a fixed `λ` on large `x` multiplies a stake by
//! `1 + λx`, which is never negative while `λ·bound·words ≤ 1`; nothing is asked of the upper end
//! of `x`. Under the hypothesis no such stake can be expected to grow (Waudby-Smith and Ramdas
//! 2024, "Estimating means of bounded random variables by betting"). The capital is shared among a
//! grid of bets, and of starting times so that a long calm does not use it up (Vovk et al. 2021,
//! "Retrain or not retrain"). It is an e-process: by Ville's inequality (1939) it *ever* reaches
//! `1/α` with probability `α` at most, and what it has reached may be read as betting odds against
//! the hypothesis (Shafer 2021, "Testing by betting").
//!
//! "Whatever came before" is where requests of one speaker do harm: once a hard speaker is on the
//! line, the next request is expected to disagree more. So a *unit* of evidence should be the sum
//! over one speaker (group), each counted once, with speakers in no particular order. Fed request
//! by request the alarm also goes off for a run of hard speakers; `benches/rigs/drift.rs` measures
//! how often.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::rules::{Rule, Rules};

/// Words of the longest unit of a service's evidence: those of a long utterance.
const LONGEST: u32 = 50;
/// Probability that a service ever gives the alarm although the bound is kept.
const ALPHA: f64 = 0.001;
/// Decides which of a service's requests are shadowed; any number does.
const SEED: u64 = 1;
/// Stakes on the grid: `λ = 2^(−k) / (bound·longest)`, `k` from 1.
const BETS: usize = 12;
/// Capital stops growing here: far beyond every alarm, and finite wherever it is written.
const RICH: f64 = 1e300;

/// The distance between a tier's answers and the shadow's answers in one unit of evidence. Units
/// can be added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disagreement {
    /// Words that must be substituted, deleted or inserted to make one answer the other; or 1 where
    /// classes differ.
    pub distance: u32,
    /// Words of the shadow's answer, or 1.
    pub words: u32,
}

impl std::ops::AddAssign for Disagreement {
    fn add_assign(&mut self, other: Disagreement) {
        self.distance = self.distance.saturating_add(other.distance);
        self.words = self.words.saturating_add(other.words);
    }
}

/// The limits of a [`Watch`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// The most disagreement per word that is no cause for alarm; above 0.
    pub bound: f64,
    /// Words of the longest unit; a longer one counts as this many, with its own rate. Larger:
    /// slower to find a change. At least 1.
    pub longest: u32,
    /// Probability that there is ever an alarm although the bound is kept; between 0 and 1.
    pub alpha: f64,
}

/// Why disagreement cannot be watched.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DriftError {
    /// The bound is no rate to bet against.
    #[error("the bound on disagreement is {0}, expected a number above 0")]
    Bound(f64),
    /// Units without words say nothing.
    #[error("the longest unit needs at least one word")]
    Longest,
    /// Alpha is no probability.
    #[error("alpha is {0}, expected a number between 0 and 1")]
    Alpha(f64),
    /// A saved state holds what no sequence of units leads to.
    #[error("the saved state of the alarm is damaged")]
    State,
}

impl Limits {
    /// What a service that follows these rules watches for, each request a unit. The bound is what
    /// the reference version itself errs: where answers disagree more than that per word, traffic
    /// is not what the rules were learnt from.
    pub fn of(rules: &Rules) -> Limits {
        Limits { bound: rules.certificate.reference_error_rate, longest: LONGEST, alpha: ALPHA }
    }

    fn check(self) -> Result<Limits, DriftError> {
        if !(self.bound.is_finite() && self.bound >= f64::MIN_POSITIVE) {
            return Err(DriftError::Bound(self.bound));
        }
        if self.longest == 0 {
            return Err(DriftError::Longest);
        }
        if !(self.alpha > 0.0 && self.alpha < 1.0) {
            return Err(DriftError::Alpha(self.alpha));
        }
        Ok(self)
    }

    /// The evidence of one unit, scaled so that the smallest possible value is −1.
    fn excess(&self, unit: Disagreement) -> f64 {
        let words = f64::from(unit.words);
        let longest = f64::from(self.longest);
        let weight = (longest / words).min(1.0);
        // Rounding may not take a factor below what was promised.
        let excess = weight * (f64::from(unit.distance) / (self.bound * longest) - words / longest);
        excess.max(-1.0)
    }
}

/// The alarm. Its state has a fixed size, whatever the number of requests.
///
/// ```
/// use paretone::tiers::drift::is_shadowed;
///
/// // Which requests the reference version answers too is drawn from their keys, not their answers.
/// let shadowed = (0..1000).filter(|id| is_shadowed(&id.to_string(), 0.1, 1)).count();
/// assert!((60..140).contains(&shadowed));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "State")]
pub struct Watch {
    limits: Limits,
    units: u64,
    capital: [f64; BETS],
    highest: f64,
    alarm: Option<u64>,
}

/// A [`Watch`] as it is saved, not yet trusted.
#[derive(Deserialize)]
struct State {
    limits: Limits,
    units: u64,
    capital: [f64; BETS],
    highest: f64,
    alarm: Option<u64>,
}

impl TryFrom<State> for Watch {
    type Error = DriftError;

    fn try_from(state: State) -> Result<Watch, DriftError> {
        let fine = |value: &f64| (0.0..=RICH).contains(value);
        if !state.capital.iter().chain([&state.highest]).all(fine) {
            return Err(DriftError::State);
        }
        Ok(Watch {
            limits: state.limits.check()?,
            units: state.units,
            capital: state.capital,
            highest: state.highest,
            alarm: state.alarm,
        })
    }
}

impl Watch {
    /// A watch that has seen nothing.
    ///
    /// # Errors
    /// A limit is out of its range.
    pub fn new(limits: Limits) -> Result<Watch, DriftError> {
        Ok(Watch {
            limits: limits.check()?,
            units: 0,
            capital: [0.0; BETS],
            highest: 1.0,
            alarm: None,
        })
    }

    /// Takes one unit of evidence, and says whether the alarm is on; it stays on once it is. Which
    /// requests are shadowed may depend on anything but their answers.
    pub fn update(&mut self, unit: Disagreement) -> bool {
        let started = uninvested(self.units) - uninvested(self.units + 1);
        let excess = self.limits.excess(unit);
        let mut bet = 1.0;
        for capital in &mut self.capital {
            bet *= 0.5;
            *capital = ((*capital + started) * (1.0 + bet * excess)).min(RICH);
        }
        self.units += 1;
        self.highest = self.highest.max(self.evidence());
        if self.alarm.is_none() && self.highest >= 1.0 / self.limits.alpha {
            self.alarm = Some(self.units);
        }
        self.alarm.is_some()
    }

    /// Evidence against the hypothesis now, as odds: 1 is none, 1/α sets off the alarm.
    pub fn evidence(&self) -> f64 {
        let invested = self.capital.iter().map(|capital| capital / BETS as f64);
        (invested.sum::<f64>() + uninvested(self.units)).min(RICH)
    }

    /// The most [`Watch::evidence`] there has been: 1/α or more if and only if the alarm is on.
    pub fn highest(&self) -> f64 {
        self.highest
    }

    /// After how many units the alarm went off.
    pub fn alarm(&self) -> Option<u64> {
        self.alarm
    }

    /// Units taken so far.
    pub fn units(&self) -> u64 {
        self.units
    }

    /// The limits of a [`Watch`].
    pub fn limits(&self) -> Limits {
        self.limits
    }
}

/// The share of the capital that is not bet in the first `units`. It falls so slowly that a change
/// after a million units still finds some: to notice it takes longer by a term in the logarithm
/// only.
fn uninvested(units: u64) -> f64 {
    1.0 / (1.0 + (1.0 + units as f64).ln())
}

/// Whether to shadow what `key` names (a speaker, or a request): a share `share` of all keys,
/// always the same ones for a seed, and blind to what was answered.
pub fn is_shadowed(key: &str, share: f64, seed: u64) -> bool {
    // The upper 53 bits make an even number in [0, 1).
    let even = (xxh3_64_with_seed(key.as_bytes(), seed) >> 11) as f64 / (1u64 << 53) as f64;
    even < share
}

/// Whether a service shadows a request, by its id: not where the reference version answers alone
/// anyway.
pub fn shadows(rule: &Rule, id: &str, share: f64) -> bool {
    share > 0.0 && !rule.fallback && is_shadowed(id, share, SEED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const LIMITS: Limits = Limits { bound: 0.05, longest: 20, alpha: 0.01 };

    fn unit(rate: f64, random: &mut ChaCha8Rng) -> Disagreement {
        let words = random.random_range(1..=20);
        let differs = (0..words).filter(|_| random.random::<f64>() < rate);
        Disagreement { distance: differs.count() as u32, words }
    }

    fn watch(limits: Limits) -> Watch {
        Watch::new(limits).unwrap()
    }

    #[test]
    fn alarms_are_as_rare_as_promised_over_a_whole_stream() {
        let (streams, units) = (2000, 2000);
        let limits = Limits { alpha: 0.05, ..LIMITS };
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let alarms = (0..streams).filter(|_| {
            let mut watch = watch(limits);
            (0..units).any(|_| watch.update(unit(limits.bound, &mut random)))
        });
        let share = alarms.count() as f64 / f64::from(streams);
        assert!(share > 0.0 && share <= limits.alpha, "{share}");
    }

    #[test]
    fn a_bound_that_is_kept_with_room_never_alarms() {
        let mut random = ChaCha8Rng::seed_from_u64(12);
        let mut watch = watch(LIMITS);
        assert!(!(0..200_000).any(|_| watch.update(unit(0.03, &mut random))));
        assert!(watch.highest() < 2.0 && watch.evidence() > 0.0);
    }

    #[test]
    fn a_shift_is_found_soon_even_after_a_long_calm() {
        for calm in [0, 1000, 100_000] {
            let mut random = ChaCha8Rng::seed_from_u64(13);
            let mut watch = watch(LIMITS);
            (0..calm).for_each(|_| assert!(!watch.update(unit(0.04, &mut random))));
            (0..2000).for_each(|_| _ = watch.update(unit(0.10, &mut random)));
            let delay = watch.alarm().unwrap() - calm;
            assert!((1..300).contains(&delay), "{delay} after {calm}");
        }
    }

    #[test]
    fn evidence_is_the_sum_over_bets_and_starting_times() {
        let units = [(3, 4), (0, 7), (2, 2), (1, 20)];
        let units = units.map(|(distance, words)| Disagreement { distance, words });
        let mut watch = watch(LIMITS);
        units.iter().for_each(|&unit| _ = watch.update(unit));
        let mut expected = uninvested(4);
        for bet in (1..=BETS as i32).map(|k| 0.5f64.powi(k)) {
            for start in 0..units.len() {
                let share = uninvested(start as u64) - uninvested(start as u64 + 1);
                let grown = units[start..].iter().map(|&unit| 1.0 + bet * LIMITS.excess(unit));
                expected += share * grown.product::<f64>() / BETS as f64;
            }
        }
        assert!((watch.evidence() - expected).abs() < 1e-12);
    }

    #[test]
    fn a_saved_watch_goes_on_where_it_was() {
        let mut random = ChaCha8Rng::seed_from_u64(14);
        let mut first = watch(LIMITS);
        (0..50).for_each(|_| _ = first.update(unit(0.2, &mut random)));
        let saved = serde_json::to_string(&first).unwrap();
        let mut second: Watch = serde_json::from_str(&saved).unwrap();
        // JSON keeps a number up to its last bit.
        let near = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-12;
        let next = unit(0.2, &mut random);
        assert_eq!(second.update(next), first.update(next));
        assert_eq!((second.units(), second.alarm()), (51, first.alarm()));
        assert!(near(second.evidence(), first.evidence()));
        for (from, to) in [("\"alpha\":0.01", "\"alpha\":1.5"), ("[", "[-1e9,")] {
            assert!(serde_json::from_str::<Watch>(&saved.replacen(from, to, 1)).is_err());
        }
        let negative = saved.replacen("\"highest\":", "\"highest\":-", 1);
        let error = serde_json::from_str::<Watch>(&negative).unwrap_err().to_string();
        assert!(error.contains("damaged"), "{error}");
    }

    #[test]
    fn limits_out_of_range_are_named() {
        for (limits, named) in [
            (Limits { bound: 0.0, ..LIMITS }, "bound"),
            (Limits { bound: f64::NAN, ..LIMITS }, "bound"),
            (Limits { longest: 0, ..LIMITS }, "longest"),
            (Limits { alpha: 1.0, ..LIMITS }, "alpha"),
        ] {
            assert!(Watch::new(limits).unwrap_err().to_string().contains(named));
        }
    }

    #[test]
    fn the_shadowed_share_is_the_one_asked_for() {
        let count = |share, seed| {
            let keys = (0..10_000).map(|number: u32| number.to_string());
            keys.filter(|key| is_shadowed(key, share, seed)).count()
        };
        assert!((450..550).contains(&count(0.05, 1)));
        assert_eq!((count(0.0, 1), count(1.0, 1)), (0, 10_000));
        assert_ne!(
            (0..64).map(|n| is_shadowed(&n.to_string(), 0.5, 1)).collect::<Vec<_>>(),
            (0..64).map(|n| is_shadowed(&n.to_string(), 0.5, 2)).collect::<Vec<_>>()
        );
    }

    proptest! {
        /// Whatever comes, evidence is a number, only disagreement raises it, and the state is
        /// saved.
        #[test]
        fn any_unit_is_taken(
            bound in 1e-6f64..1e3, longest in 1u32..=u32::MAX,
            units in prop::collection::vec((any::<u32>(), any::<u32>()), 1..50),
        ) {
            let mut watch = watch(Limits { bound, longest, alpha: 0.001 });
            for (distance, words) in units {
                let mut calm = watch.clone();
                calm.update(Disagreement { distance: 0, words });
                watch.update(Disagreement { distance, words });
                prop_assert!(calm.evidence() <= watch.evidence());
                prop_assert!((0.0..=RICH).contains(&watch.evidence()));
            }
            let saved = serde_json::to_string(&watch).unwrap();
            prop_assert_eq!(serde_json::from_str::<Watch>(&saved).unwrap().units(), watch.units());
        }
    }
}
