//! `paretone confidence …`: calibrate the versions' confidence on recorded outcomes and words, and
//! measure how good it is.

mod answers;
mod fit;
mod words;

pub use fit::TooFew;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Subcommand;

use super::{UsageError, model_folder};
use paretone::confidence::{Calibration, WordEvidence};
use paretone::sweep::evidence;
use paretone::sweep::words::HeardWord;
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

/// What was known of each answer: by version, by utterance.
struct Known<'t> {
    table: &'t Table,
    places: HashMap<&'t str, usize>,
}

impl<'t> Known<'t> {
    fn of(table: &'t Table) -> Self {
        let places = table.requests.iter().enumerate();
        Known { table, places: places.map(|(at, request)| (request.id.as_str(), at)).collect() }
    }

    /// What was known of a word.
    fn evidence(&self, word: &HeardWord) -> anyhow::Result<WordEvidence> {
        let mut versions = self.table.versions.iter();
        let version = versions.find(|version| version.name == word.version);
        let (Some(version), Some(&place)) = (version, self.places.get(word.id.as_str())) else {
            let error = anyhow!(
                "the outcomes have no answer of {} to {}, of which there are words; name the tables of one `paretone bench`",
                word.version,
                word.id
            );
            return Err(UsageError(error).into());
        };
        let answer = evidence(self.table, version, place);
        Ok(word.evidence(answer.map_err(|error| UsageError(error.into()))?))
    }
}
