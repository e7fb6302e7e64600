//! `paretone confidence …`: calibrate the versions' confidence on recorded outcomes and words, and
//! measure how good it is.

mod answers;
mod fit;
mod words;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;

use super::{UsageError, model_folder};
use paretone::confidence::Calibration;
use paretone::tiers::{Outcomes, Table};

/// Calibrate the confidence of each version, or measure that of words
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with confidence.
#[derive(Subcommand, Debug)]
pub enum Action {
    /// Fit confidence.json to outcomes of development speech
    Fit(fit::Args),
    /// Measure the confidence of words on speech that it was not fitted to
    Words(words::Args),
    /// Measure the confidence and the expected errors of whole answers
    Answers(answers::Args),
}

/// Does what was asked for.
///
/// # Errors
/// When the tables or the model's folder cannot be used.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.action {
        Action::Fit(args) => fit::run(args),
        Action::Words(args) => words::run(args),
        Action::Answers(args) => answers::run(args),
    }
}

/// The calibration of a model; empty without one.
fn calibration_of(model: Option<PathBuf>) -> anyhow::Result<Calibration> {
    match model {
        None => Ok(Calibration::default()),
        Some(model) => Ok(Calibration::of_model(&model_folder(Some(model))?)
            .map_err(|error| UsageError(error.into()))?),
    }
}

/// The outcomes in a file, and the matrix that they make.
fn outcomes_of(path: &Path) -> anyhow::Result<(Outcomes, Table)> {
    let outcomes = Outcomes::open(path).map_err(|error| UsageError(error.into()))?;
    let table = Table::new(&outcomes).with_context(|| path.display().to_string());
    Ok((outcomes, table.map_err(UsageError)?))
}
