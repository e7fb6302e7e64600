//! `paretone tiers simulate`: do certificates hold where the truth is known?

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;

use super::input::{Generator, MethodName};
use paretone::eval::tier_study::{Trial, Validity, validity};
use paretone::tiers::simulate::{World, draw};
use paretone::tiers::{Method, Outcomes};

/// Check certificates on a made-up service with known error rates: how often is a promise broken?
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Record this many groups (speakers) in each draw
    #[arg(
        long,
        value_name = "N",
        default_value_t = 78,
        value_parser = clap::value_parser!(u32).range(2..=1_000_000),
    )]
    pub groups: u32,
    /// Draw this many requests of a group, in the mean
    #[arg(long, value_name = "N", default_value_t = 36.0, value_parser = at_least_one)]
    pub requests: f64,
    /// Make up this many versions of the service
    #[arg(
        long,
        value_name = "N",
        default_value_t = 3,
        value_parser = clap::value_parser!(u8).range(2..=20),
    )]
    pub versions: u8,
    /// Let fast versions differ from the most accurate on this share of the groups only
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, value_parser = share)]
    pub touched: f64,
    /// Spread what fast versions lose on a group so widely, in logarithms; larger: heavier tails
    #[arg(long, value_name = "SPREAD", default_value_t = 0.6, value_parser = spread)]
    pub tail: f64,
    /// Learn rules this often
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1000,
        value_parser = clap::value_parser!(u32).range(1..),
    )]
    pub replicates: u32,
    /// Take the truth from this many groups [default: 100 for each recorded, at least 20,000]
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(100..=10_000_000),
    )]
    pub truth_groups: Option<u32>,
    /// Try these methods
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "point,population,next-batch,finite-sample,paper"
    )]
    pub method: Vec<MethodName>,
    /// Write one draw as a table of outcomes to this file, and do nothing else
    #[arg(long, value_name = "CSV")]
    pub outcomes: Option<PathBuf>,
    /// How rules are learnt.
    #[command(flatten)]
    pub generator: Generator,
}

/// Runs the simulation, or writes one draw.
///
/// # Errors
/// When a file cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let world = World {
        groups: args.groups as usize,
        requests: args.requests,
        versions: usize::from(args.versions),
        touched: args.touched,
        tail: args.tail,
        ..World::default()
    };
    if let Some(path) = &args.outcomes {
        let table = Outcomes::from(&draw(&world, args.generator.seed));
        let file =
            File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        table.write(BufWriter::new(file))?;
        return Ok(ExitCode::SUCCESS);
    }
    let truth_groups = args.truth_groups.unwrap_or((args.groups.saturating_mul(100)).max(20_000));
    let trial = Trial {
        world,
        methods: args.method.iter().map(|name| name.method(1)).collect(),
        rules: args.generator.options(Method::Population),
        replicates: args.replicates as usize,
        truth_groups: truth_groups as usize,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    write_validity(&mut out, &trial, &validity(&trial))?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn write_validity(out: &mut impl Write, trial: &Trial, rows: &[Validity]) -> io::Result<()> {
    writeln!(
        out,
        "{} draws of {} groups with {} requests on average, {} versions; {} of the groups touched, tail {}; δ = {}\n",
        trial.replicates,
        trial.world.groups,
        trial.world.requests,
        trial.world.versions,
        trial.world.touched,
        trial.world.tail,
        trial.rules.delta
    )?;
    for row in rows {
        writeln!(out, "{}", row.method)?;
        writeln!(out, "  some tier broken in the long run       {}", row.tiers_broken)?;
        writeln!(out, "  some candidate's bound below the truth {}", row.bounds_broken)?;
        writeln!(out, "  some tier broken on the next ninth     {}", row.batches_broken)?;
        writeln!(out, "  some tier dearer than a version alone  {}", row.dearer)?;
        let [at_1, at_5] = row.escalated.map(|share| 100.0 * share);
        writeln!(
            out,
            "  sent to the most accurate version      {at_1:.0} % at 1 %, {at_5:.0} % at 5 %"
        )?;
    }
    Ok(())
}

fn at_least_one(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| (1.0..=1e6).contains(value));
    value.ok_or_else(|| "must be 1 or more".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| (0.01..=1.0).contains(value));
    value.ok_or_else(|| "must be between 0.01 and 1".to_owned())
}

fn spread(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| (0.0..=2.0).contains(value));
    value.ok_or_else(|| "must be between 0 and 2".to_owned())
}
