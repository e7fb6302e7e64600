//! `paretone confidence fit`: calibrate the versions' confidence on recorded outcomes.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Subcommand;

use super::outcomes::evidence;
use super::{UsageError, model_folder};
use crate::confidence::{CONFIDENCE_FILE, Calibration, Example, Heads};
use crate::tiers::Outcomes;

/// Calibrate how sure each version says it is
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with confidence.
#[derive(Subcommand, Debug)]
pub enum Action {
    /// Fit confidence.json in the model's folder to outcomes of development speech
    Fit(Fit),
}

/// What to fit to.
#[derive(clap::Args, Debug)]
pub struct Fit {
    /// Outcomes of every version, as `bench --versions all --outcomes` writes them
    #[arg(long, value_name = "FILE")]
    pub outcomes: PathBuf,
    /// The model's folder [default: models/en, here or near the program]
    #[arg(long, value_name = "DIR", env = "PARETONE_MODEL")]
    pub model: Option<PathBuf>,
}

/// Fits and writes.
///
/// # Errors
/// When the outcomes or the model's folder cannot be used.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Action::Fit(fit) = args.action;
    let folder = model_folder(fit.model)?;
    let outcomes = Outcomes::open(&fit.outcomes).map_err(|error| UsageError(error.into()))?;
    let examples = examples(&outcomes)?;
    let heads = |(name, examples): (&String, &Vec<Example>)| (name.clone(), Heads::fit(examples));
    let calibration = Calibration {
        versions: examples.iter().map(heads).collect(),
    };
    let path = folder.join(CONFIDENCE_FILE);
    let text = serde_json::to_string_pretty(&calibration)? + "\n";
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    for (name, examples) in &examples {
        let right = examples.iter().filter(|example| example.right).count();
        let improvable = examples.iter().filter(|example| example.improvable).count();
        println!(
            "{name}: {} utterances, {right} without error, {improvable} better by the most accurate version",
            examples.len()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Examples by version; the most accurate version is the one with the fewest errors.
fn examples(outcomes: &Outcomes) -> anyhow::Result<BTreeMap<String, Vec<Example>>> {
    let mut errors: BTreeMap<&str, u64> = BTreeMap::new();
    for row in &outcomes.rows {
        *errors.entry(&row.version).or_default() += u64::from(row.errors);
    }
    let best = errors.iter().min_by_key(|(_, errors)| **errors);
    let Some((&best, _)) = best else {
        return Err(UsageError(anyhow!("the outcomes have no rows")).into());
    };
    let of_best: HashMap<&str, u32> = (outcomes.rows.iter())
        .filter(|row| row.version == best)
        .map(|row| (row.id.as_str(), row.errors))
        .collect();
    let mut examples: BTreeMap<String, Vec<Example>> = BTreeMap::new();
    for row in &outcomes.rows {
        let fewest = of_best.get(row.id.as_str()).copied();
        examples
            .entry(row.version.clone())
            .or_default()
            .push(Example {
                evidence: evidence(outcomes, row).map_err(UsageError)?,
                right: row.errors == 0,
                improvable: fewest.is_some_and(|fewest| fewest < row.errors),
            });
    }
    Ok(examples)
}
