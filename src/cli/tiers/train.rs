//! `paretone tiers train`: routing rules with a certificate.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::ValueEnum;

use super::input::{Generator, Input, MethodName};
use super::show::{write_certificate, write_table};
use crate::cli::UsageError;
use crate::eval::tier_study::{ASKED, CALLED_OUT};
use crate::tiers::generate::{Bounds, groups_needed, smallest_tolerance, tiers};
use crate::tiers::{
    Candidates, Certificate, Costing, Method, Objective, Rule, Rules, Sharing, Tier, Tolerances,
};

/// Learn routing rules: for each tolerance the cheapest policy that is certified to keep it
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Which outcomes.
    #[command(flatten)]
    pub input: Input,
    /// The rules file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// What is promised
    #[arg(long, value_enum, default_value_t = MethodName::Population)]
    pub method: MethodName,
    /// Requests that a next-batch promise is about [default: as many as recorded]
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

/// Writes the rules and prints them.
///
/// # Errors
/// When the outcomes cannot be used or a file cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let loaded = args.input.load()?;
    if args.batch == Some(0) {
        return Err(UsageError(anyhow!("--batch needs at least one request")).into());
    }
    let table = &loaded.table;
    let options = args.generator.options(
        args.method
            .method(args.batch.unwrap_or(table.requests.len())),
    );
    let sharing = if args.separate {
        Sharing::Separate
    } else {
        Sharing::Shared
    };
    let costing = Costing {
        sharing,
        network: args.input.network(),
    };
    let candidates =
        Bounds::new(table, loaded.reference, costing, options).candidates(table, costing);
    let tolerances = Tolerances::default();
    let mut tiers = tiers(&candidates, tolerances);
    tiers.retain(|tier| {
        args.objective
            .is_none_or(|asked| objective(asked) == tier.objective)
    });
    let certificate = Certificate {
        date: today(),
        outcomes_sha256: loaded.sha256,
        ..Certificate::new(table, &candidates, options, costing)
    };
    let rules = Rules::new(table, &tiers, tolerances, certificate);
    std::fs::write(&args.out, rules.to_text())
        .with_context(|| format!("cannot write {}", args.out.display()))?;
    let mut out = BufWriter::new(io::stdout().lock());
    write_certificate(&mut out, &rules.certificate)?;
    for objective in Objective::ALL {
        let some = CALLED_OUT
            .iter()
            .filter_map(|&at| Some((rules.rule(at, objective)?, at)));
        let some = some.map(|(rule, at)| {
            (
                Rule {
                    tolerance: at,
                    ..rule.clone()
                },
                at,
            )
        });
        let some: Vec<(Rule, f64)> = some.collect();
        write_table(
            &mut out,
            objective,
            some.iter().map(|(rule, at)| (rule, *at)),
        )?;
    }
    write_limits(&mut out, &candidates, &tiers, options.method)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The objective of this name.
pub fn objective(name: ObjectiveName) -> Objective {
    match name {
        ObjectiveName::ResponseTime => Objective::ResponseTime,
        ObjectiveName::Cost => Objective::Cost,
    }
}

fn today() -> String {
    jiff::Timestamp::now()
        .to_string()
        .chars()
        .take("yyyy-mm-dd".len())
        .collect()
}

/// What so few groups cannot certify, and how many would.
fn write_limits(
    out: &mut impl Write,
    candidates: &Candidates,
    tiers: &[Tier],
    method: Method,
) -> io::Result<()> {
    writeln!(out)?;
    for objective in Objective::ALL {
        let name = objective.name();
        let mut mine = tiers
            .iter()
            .filter(|tier| tier.objective == objective)
            .peekable();
        if mine.peek().is_none() {
            continue;
        }
        let fallbacks = mine.filter(|tier| tier.fallback).count();
        if fallbacks > 0 {
            writeln!(
                out,
                "{name}: {fallbacks} tiers fall back to the reference version, since nothing cheaper is certified"
            )?;
        }
        match smallest_tolerance(candidates, objective, ASKED) {
            Some(at) => writeln!(
                out,
                "{name}: a saving of 20 % is certified from a tolerance of {:.2} % on",
                100.0 * at
            )?,
            None => writeln!(
                out,
                "{name}: no saving of 20 % is certified at any tolerance"
            )?,
        }
        if method != Method::Population {
            continue;
        }
        for tolerance in [0.01, 0.05] {
            let asked = format!(
                "{name}: to save 20 % at a tolerance of {} %",
                100.0 * tolerance
            );
            match groups_needed(candidates, tolerance, objective, ASKED) {
                Some(needed) if needed <= candidates.groups => {}
                Some(needed) => writeln!(
                    out,
                    "{asked} would take about {needed} groups (speakers) like these {}",
                    candidates.groups
                )?,
                None => writeln!(
                    out,
                    "{asked} is out of reach with these versions, however many groups are recorded"
                )?,
            }
        }
    }
    Ok(())
}
