//! `paretone tiers train`: routing rules with a certificate.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::ValueEnum;

use super::input::{Generator, Input, Loaded, MethodName};
use super::show::{write_certificate, write_table};
use crate::UsageError;
use paretone::eval::tier_study::{ASKED, CALLED_OUT};
use paretone::tiers::generate::{groups_needed, smallest_tolerance};
use paretone::tiers::learn::{self, Origin};
use paretone::tiers::{Candidates, Costing, Method, Objective, Rule, Rules, Sharing, Tolerance};

/// Learn routing rules: for each tolerance the cheapest policy that is certified to keep it
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Which outcomes.
    #[command(flatten)]
    pub input: Input,
    /// Write the rules to this file
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Promise this
    #[arg(long, value_enum, default_value_t = MethodName::Population)]
    pub method: MethodName,
    /// Promise it of this many requests to come, for next-batch [default: as many as recorded]
    #[arg(long, value_name = "N")]
    pub batch: Option<usize>,
    /// Learn for this objective only
    #[arg(long, value_enum)]
    pub objective: Option<ObjectiveName>,
    /// Count costs as on a cluster, where every version pays for everything
    #[arg(long)]
    pub separate: bool,
    /// How rules are learnt.
    #[command(flatten)]
    pub generator: Generator,
}

/// What a tier minimises.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectiveName {
    /// What the caller waits
    ResponseTime,
    /// Server time
    Cost,
}

/// Writes the rules and prints what people ask for first.
///
/// # Errors
/// When the outcomes cannot be used or a file cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let loaded = args.input.load()?;
    if args.batch == Some(0) {
        return Err(UsageError(anyhow!("--batch needs at least one request")).into());
    }
    let (candidates, rules) = learn(&args, &loaded);
    std::fs::write(&args.out, rules.to_text())
        .with_context(|| format!("cannot write {}", args.out.display()))?;
    let mut out = BufWriter::new(io::stdout().lock());
    write_certificate(&mut out, &rules.certificate)?;
    for objective in Objective::ALL {
        let at = |tolerance: Tolerance| {
            Some(Rule { tolerance, ..rules.rule(tolerance, objective)?.clone() })
        };
        let some: Vec<Rule> = CALLED_OUT.into_iter().filter_map(at).collect();
        write_table(
            &mut out,
            objective,
            some.iter().map(|rule| (rule, rule.tolerance.as_share())),
        )?;
        if !some.is_empty() {
            write_limits(&mut out, &candidates, &rules, objective)?;
        }
    }
    writeln!(out, "\nall tiers: paretone tiers show {}", args.out.display())?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Everything tried, and the rules.
fn learn(args: &Args, loaded: &Loaded) -> (Candidates, Rules) {
    let table = &loaded.table;
    let batch = args.batch.unwrap_or(table.requests.len());
    let options = args.generator.options(args.method.method(batch));
    let sharing = if args.separate { Sharing::Separate } else { Sharing::Shared };
    let costing = Costing { sharing, network: args.input.network() };
    let asked = args.objective.map(objective);
    let origin = Origin { date: today(), outcomes_sha256: loaded.sha256.clone() };
    learn::learn(table, loaded.reference, (costing, options), asked, origin)
}

/// The objective of this name.
pub fn objective(name: ObjectiveName) -> Objective {
    match name {
        ObjectiveName::ResponseTime => Objective::ResponseTime,
        ObjectiveName::Cost => Objective::Cost,
    }
}

fn today() -> String {
    jiff::Timestamp::now().to_string().chars().take("yyyy-mm-dd".len()).collect()
}

/// Where an objective falls back to the reference version, and from where it saves enough.
fn write_limits(
    out: &mut impl Write,
    candidates: &Candidates,
    rules: &Rules,
    objective: Objective,
) -> io::Result<()> {
    let mut mine = rules.tiers.iter().filter(|rule| rule.objective == objective);
    if mine.clone().any(|rule| rule.fallback) {
        let reference = &rules.certificate.reference;
        let end = mine.find(|rule| !rule.fallback);
        let end = end.map_or("everywhere".to_owned(), |rule| {
            format!("below {:.1} %", 100.0 * rule.tolerance.as_share())
        });
        writeln!(out, "  {reference} answers alone, since nothing cheaper is certified, {end}")?;
    }
    let asked = format!("  a saving of {:.0} %", 100.0 * ASKED);
    match smallest_tolerance(candidates, objective, ASKED) {
        Some(at) => writeln!(out, "{asked} is certified from {:.2} % on", 100.0 * at)?,
        None => writeln!(out, "{asked} is certified at no tolerance")?,
    }
    match rules.certificate.method {
        Method::Population => write_needed(out, candidates, objective),
        _ => Ok(()),
    }
}

/// How many groups would certify a saving that these do not.
fn write_needed(
    out: &mut impl Write,
    candidates: &Candidates,
    objective: Objective,
) -> io::Result<()> {
    let groups = candidates.groups;
    for percent in [1, 5] {
        let tolerance = Tolerance::of_percent(percent);
        let asked = format!("  a saving of {:.0} % at {percent} %", 100.0 * ASKED);
        match groups_needed(candidates, tolerance, objective, ASKED) {
            Some(needed) if needed <= groups => continue,
            Some(needed) => {
                writeln!(out, "{asked} would take about {needed} groups like these {groups}")?;
            }
            None => writeln!(out, "{asked} is out of reach, however many groups are recorded")?,
        }
    }
    Ok(())
}
