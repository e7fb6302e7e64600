//! Does the drift alarm find a change of traffic, how soon, and how often is it wrong?
//!
//! ```text
//! cargo run --release --example rig-drift -- --outcomes corpora/outcomes/speech.csv \
//!     --calm librispeech-test-clean --shifted ocean-adults
//! ```
//!
//! Speakers of the calm set call one after the other, drawn with replacement; from one moment on a
//! share of the callers is of the other set. Because callers are drawn at random, the truth is
//! known: the bound equals the long-run disagreement of the calm speakers, which is the hardest
//! case for false alarms. Outcomes hold counts of errors and no words, so the rig takes the
//! smallest distance that two answers can have, the difference of their errors. It feeds each
//! stream twice: correctly, with one unit for each speaker, and wrongly, with one for each request.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Parser;
use paretone::tiers::drift::{Disagreement, Limits, Watch};
use paretone::tiers::{Outcomes, Table};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[derive(Parser)]
struct Args {
    /// Recorded outcomes
    #[arg(long)]
    outcomes: PathBuf,
    /// The version that answers
    #[arg(long, default_value = "v1")]
    version: String,
    /// The version that shadows it
    #[arg(long, default_value = "v7")]
    reference: String,
    /// The set of the usual callers
    #[arg(long, default_value = "")]
    calm: String,
    /// The set of the new ones
    #[arg(long, default_value = "")]
    shifted: String,
    /// The share of new callers after the change
    #[arg(long, default_value_t = 0.5)]
    inject: f64,
    /// Callers before the change
    #[arg(long, default_value_t = 500)]
    after: usize,
    /// Callers in all
    #[arg(long, default_value_t = 1500)]
    callers: usize,
    /// What the bound leaves above the calm rate, relative to it
    #[arg(long, default_value_t = 0.0)]
    allowance: f64,
    /// Words of the longest unit
    #[arg(long, default_value_t = 100)]
    longest: u32,
    #[arg(long, default_value_t = 0.01)]
    alpha: f64,
    /// Streams of each kind
    #[arg(long, default_value_t = 500)]
    streams: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What the requests of one caller show, each by itself.
type Caller = Vec<Disagreement>;

/// What is a unit of evidence.
#[derive(Clone, Copy)]
enum Unit {
    Speaker,
    Request,
}

impl Unit {
    fn of(self, caller: &Caller) -> Vec<Disagreement> {
        let mut sum = Disagreement::default();
        caller.iter().for_each(|&request| sum += request);
        match self {
            Unit::Speaker => vec![sum],
            Unit::Request => caller.clone(),
        }
    }
}

fn main() -> Result<()> {
    let args = Args::parse();
    let table = Table::new(&Outcomes::open(&args.outcomes)?)?;
    let calm = callers(&table, &args, &args.calm)?;
    let shifted = callers(&table, &args, &args.shifted)?;
    for (unit, name) in [(Unit::Speaker, "a speaker"), (Unit::Request, "a request")] {
        let calm: Vec<Caller> = calm.iter().map(|caller| unit.of(caller)).collect();
        let shifted: Vec<Caller> = shifted.iter().map(|caller| unit.of(caller)).collect();
        let usual = rate(&calm, args.longest);
        let limits = Limits {
            bound: usual * (1.0 + args.allowance),
            longest: args.longest,
            alpha: args.alpha,
        };
        println!("one unit {name}");
        println!(
            "  disagreement {:.2} % of words before, {:.2} % in the other set; bound {:.2} %",
            100.0 * usual,
            100.0 * rate(&shifted, args.longest),
            100.0 * limits.bound
        );
        report(&args, limits, [&calm, &shifted])?;
    }
    Ok(())
}

/// The callers of a set.
fn callers(table: &Table, args: &Args, set: &str) -> Result<Vec<Caller>> {
    let pair = [&args.version, &args.reference].map(|name| table.version(name));
    let [version, reference] = pair;
    let (version, reference) = (&table.versions[version?], &table.versions[reference?]);
    let mut callers = vec![Caller::new(); table.groups.len()];
    for (place, request) in table.requests.iter().enumerate() {
        if table.sets[request.set] == set {
            callers[request.group].push(Disagreement {
                distance: version.errors[place].abs_diff(reference.errors[place]),
                words: request.words,
            });
        }
    }
    callers.retain(|caller| !caller.is_empty());
    ensure!(!callers.is_empty(), "no request is of set `{set}`");
    Ok(callers)
}

/// Long-run disagreement per word, as the alarm weighs units.
fn rate(callers: &[Caller], longest: u32) -> f64 {
    let (mut distance, mut words) = (0.0, 0.0);
    for unit in callers.iter().flatten() {
        let weight = (f64::from(longest) / f64::from(unit.words)).min(1.0);
        distance += weight * f64::from(unit.distance);
        words += weight * f64::from(unit.words);
    }
    distance / words
}

fn report(args: &Args, limits: Limits, [calm, shifted]: [&[Caller]; 2]) -> Result<()> {
    let mut random = ChaCha8Rng::seed_from_u64(args.seed);
    let (mut wrong, mut early, mut delays) = (0, 0, Vec::new());
    for _ in 0..args.streams {
        wrong += usize::from(alarm(args, limits, [calm, calm], &mut random)?.is_some());
        match alarm(args, limits, [calm, shifted], &mut random)? {
            Some(caller) if caller <= args.after => early += 1,
            Some(caller) => delays.push(caller - args.after),
            None => {}
        }
    }
    delays.sort_unstable();
    println!(
        "  no change: {wrong} false alarms in {} streams of {} callers; alpha allows {:.0}",
        args.streams,
        args.callers,
        args.alpha * args.streams as f64
    );
    println!(
        "  {:.0} % new callers after {}: found in {} of {} streams, {early} alarms before the change",
        100.0 * args.inject,
        args.after,
        delays.len(),
        args.streams
    );
    if let Some(last) = delays.len().checked_sub(1) {
        let at = |share: f64| delays[(share * last as f64) as usize];
        let (half, most) = (at(0.5), at(0.95));
        println!("  callers until found: median {half}, 95 % within {most}");
    }
    Ok(())
}

/// After how many callers the alarm goes off in one stream.
fn alarm(
    args: &Args,
    limits: Limits,
    [before, after]: [&[Caller]; 2],
    random: &mut ChaCha8Rng,
) -> Result<Option<usize>> {
    let mut watch = Watch::new(limits)?;
    for number in 0..args.callers {
        let new = number >= args.after && random.random::<f64>() < args.inject;
        let pool = if new { after } else { before };
        let caller = &pool[random.random_range(0..pool.len())];
        if caller.iter().any(|&unit| watch.update(unit)) {
            return Ok(Some(number + 1));
        }
    }
    Ok(None)
}
