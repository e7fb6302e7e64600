//! `paretone confidence fit`: calibrate the confidence of every version on recorded outcomes and
//! words.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};

use super::{Known, outcomes_of};
use crate::versions::destination;
use crate::{UsageError, model_folder, progress};
use paretone::MadeFor;
use paretone::confidence::{CONFIDENCE_FILE, Calibration, Example, Heads, WordExample};
use paretone::recognizer;
use paretone::sweep::words;
use paretone::sweep::{MissingCounter, evidence};
use paretone::tiers::{self, Outcomes};

/// What to fit to.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Outcomes of every version, as `bench --versions all --outcomes` writes them
    #[arg(long, value_name = "FILE")]
    pub outcomes: PathBuf,
    /// Words of the same speech, as `bench --versions all --words` writes them; without them a
    /// word's confidence is what the lattice says
    #[arg(long, value_name = "FILE")]
    pub words: Option<PathBuf>,
    /// The model: its folder, or its name (see `paretone model list`) [default: en]
    #[arg(long, value_name = "DIR", env = "PARETONE_MODEL")]
    pub model: Option<PathBuf>,
    /// Where to write [default: confidence.json of the model that --model names]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write into the folder of the model used by default
    #[arg(long, conflicts_with = "out")]
    pub in_place: bool,
}

/// Utterances below which no calibration is fitted: the probabilities of a version would be off by
/// more than 0.05 on average (one standard error of a share at 0.5 is 0.029 at 300).
const FEWEST: usize = 300;
/// Utterances with an error, and without one, below which there is nothing to tell apart.
const FEWEST_OF_A_KIND: usize = 30;

/// There is too little speech to fit a calibration to.
#[derive(Debug, thiserror::Error)]
#[error(
    "{name} has {all} utterances, {right} of them without error: a calibration needs {FEWEST}, and {FEWEST_OF_A_KIND} with and \
     without errors each; record more speech"
)]
pub struct TooFew {
    name: String,
    all: usize,
    right: usize,
}

/// Fits and writes.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let told = args.model.is_some() || args.in_place;
    let folder = model_folder(args.model)?;
    let path = destination(args.out, folder.join(CONFIDENCE_FILE), told)?;
    let Speech { made_for, answers, words } =
        Speech::read(&args.outcomes, args.words.as_deref(), &folder)?;
    check_enough(&answers)?;
    let heads = |(name, examples): (&String, &Vec<Example>)| {
        let mut heads = Heads::fit(examples);
        heads.fit_words(words.get(name).map_or(&[], Vec::as_slice));
        (name.clone(), heads)
    };
    let calibration = Calibration { made_for, versions: answers.iter().map(heads).collect() };
    let text = serde_json::to_string_pretty(&calibration)? + "\n";
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    for (name, examples) in &answers {
        let right = examples.iter().filter(|example| example.right).count();
        let improvable = examples.iter().filter(|example| example.improvable).count();
        println!(
            "{name}: {} utterances, {right} without error, {improvable} better by the most accurate version; {} words",
            examples.len(),
            words.get(name).map_or(0, Vec::len)
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// What calibrations are fitted to, by version.
struct Speech {
    made_for: MadeFor,
    answers: BTreeMap<String, Vec<Example>>,
    words: BTreeMap<String, Vec<WordExample>>,
}

impl Speech {
    /// Reads the outcomes, which must be of the model in this folder, and the words.
    fn read(outcomes: &Path, words: Option<&Path>, folder: &Path) -> anyhow::Result<Speech> {
        let (outcomes, table) = outcomes_of(outcomes)?;
        let made_for = same_model(&outcomes, folder)?;
        let answers = answers(&table)?;
        let mut examples: BTreeMap<String, Vec<WordExample>> = BTreeMap::new();
        if let Some(path) = words {
            let known = Known::of(&table);
            for word in words::read(path).map_err(|e| UsageError(e.into()))? {
                let evidence = known.evidence(&word)?;
                let example = WordExample { evidence, right: word.right == 1 };
                examples.entry(word.version).or_default().push(example);
            }
        }
        Ok(Speech { made_for, answers, words: examples })
    }
}

/// What the outcomes were recorded with, which the model must still be.
fn same_model(outcomes: &Outcomes, folder: &Path) -> anyhow::Result<MadeFor> {
    // What they were recorded under before, a new calibration replaces.
    let recorded = MadeFor { calibration: None, ..outcomes.made_for.clone() };
    if recorded.is_unknown() {
        progress::tell(
            "the outcomes do not say which model they are of, so nobody can tell when the confidences no longer hold",
        );
        return Ok(recorded);
    }
    let now = recognizer::made_for(folder, true).map_err(|error| UsageError(error.into()))?;
    let changed = recorded.changed(&now);
    if changed.is_empty() {
        return Ok(recorded);
    }
    let error = anyhow!(
        "the outcomes were recorded before the {} of the model in {} changed; record them again with `paretone bench \
         --versions all --outcomes`",
        changed.join(" and "),
        folder.display()
    );
    Err(UsageError(error).into())
}

/// Refuses what a calibration cannot be fitted to.
fn check_enough(examples: &BTreeMap<String, Vec<Example>>) -> anyhow::Result<()> {
    for (name, examples) in examples {
        let right = examples.iter().filter(|example| example.right).count();
        let (all, fewer) = (examples.len(), right.min(examples.len() - right));
        if all < FEWEST || fewer < FEWEST_OF_A_KIND {
            let name = name.clone();
            return Err(UsageError(TooFew { name, all, right }.into()).into());
        }
    }
    Ok(())
}

/// Examples by version, from what each version made of each request.
fn answers(table: &tiers::Table) -> anyhow::Result<BTreeMap<String, Vec<Example>>> {
    let best = &table.versions[table.most_accurate()];
    let mut examples = BTreeMap::new();
    for version in &table.versions {
        let example = |place: usize| {
            Ok(Example {
                evidence: evidence(table, version, place)?,
                right: version.errors[place] == 0,
                improvable: best.errors[place] < version.errors[place],
                errors: version.errors[place],
            })
        };
        let of_version: Result<Vec<Example>, MissingCounter> =
            (0..table.requests.len()).map(example).collect();
        let of_version = of_version.map_err(|error| UsageError(error.into()))?;
        examples.insert(version.name.clone(), of_version);
    }
    Ok(examples)
}
