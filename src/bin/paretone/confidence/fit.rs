//! `paretone confidence fit`: calibrate the confidence of every version on recorded outcomes and
//! words.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};

use super::outcomes_of;
use crate::versions::destination;
use crate::{UsageError, model_folder, progress};
use paretone::MadeFor;
use paretone::confidence::CONFIDENCE_FILE;
use paretone::recognizer;
use paretone::sweep::fitting::{Amount, Examples};
use paretone::sweep::words;
use paretone::tiers::Outcomes;

/// What to fit to.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Outcomes of every version, as `bench --versions all --outcomes` writes them
    #[arg(long, value_name = "FILE")]
    pub outcomes: PathBuf,
    /// Calibrate the confidence of words too, by these of the same speech, as `bench --versions all
    /// --words` writes them; without them a word's confidence is what the lattice says
    #[arg(long, value_name = "FILE")]
    pub words: Option<PathBuf>,
    /// Learn from these outcomes too, of speech that is less like what will be heard: degraded
    /// copies, speakers that the model was trained on. Four of them count as one of --outcomes
    #[arg(long, value_name = "FILE")]
    pub beside: Option<PathBuf>,
    /// The words of --beside, in full
    #[arg(long, value_name = "FILE", requires = "beside")]
    pub beside_words: Option<PathBuf>,
    /// Use this model: its folder, or its name (see `paretone model list`) [default: en]
    #[arg(long, value_name = "DIR", env = "PARETONE_MODEL")]
    pub model: Option<PathBuf>,
    /// Write to this file [default: confidence.json of the model that --model names]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write into the folder of the model used by default
    #[arg(long, conflicts_with = "out")]
    pub in_place: bool,
}

/// Fits and writes.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let told = args.model.is_some() || args.in_place;
    let folder = model_folder(args.model)?;
    let path = destination(args.out, folder.join(CONFIDENCE_FILE), told)?;
    let mut examples = examples_of(&folder, &args.outcomes, args.words.as_deref())?;
    if let Some(beside) = &args.beside {
        let further = examples_of(&folder, beside, args.beside_words.as_deref())?;
        examples = examples.beside(further).map_err(|error| UsageError(error.into()))?;
    }
    let calibration = examples.fit().map_err(|error| UsageError(error.into()))?;
    let text = serde_json::to_string(&calibration)? + "\n";
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    for Amount { version, all, right, improvable, words } in examples.amounts() {
        println!(
            "{version}: {all} utterances, {right} without error, {improvable} better by the most accurate version; {words} words"
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// What outcomes of the model in a folder, and words of the same speech, give to learn from.
fn examples_of(folder: &Path, outcomes: &Path, words: Option<&Path>) -> anyhow::Result<Examples> {
    let (outcomes, table) = outcomes_of(outcomes)?;
    check_model(&outcomes, folder)?;
    let words = words.map_or(Ok(Vec::new()), words::read);
    let words = words.map_err(|error| UsageError(error.into()))?;
    Ok(Examples::new(&table, &words).map_err(|error| UsageError(error.into()))?)
}

/// Refuses outcomes that were recorded with another model than that of the folder.
fn check_model(outcomes: &Outcomes, folder: &Path) -> anyhow::Result<()> {
    // What they were recorded under before, a new calibration replaces.
    let recorded = MadeFor { calibration: None, ..outcomes.made_for.clone() };
    if recorded.is_unknown() {
        progress::tell(
            "the outcomes do not say which model they are of, so nobody can tell when the confidences no longer hold",
        );
        return Ok(());
    }
    let now = recognizer::made_for_uncalibrated(folder, true);
    let now = now.map_err(|error| UsageError(error.into()))?;
    let changed = recorded.changed(&now);
    if changed.is_empty() {
        return Ok(());
    }
    let error = anyhow!(
        "the outcomes were recorded before the {} of the model in {} changed; record them again with `paretone bench \
         --versions all --outcomes`",
        changed.join(" and "),
        folder.display()
    );
    Err(UsageError(error).into())
}
