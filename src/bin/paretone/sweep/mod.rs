//! `paretone sweep`: measure many settings of the search on a corpus and find the Pareto front.
//!
//! Everything lives in one folder: `plan.txt` (which settings, in the order they were asked for),
//! `measurements.csv` (one line for each utterance and setting, appended at once), and what is made
//! from them: `points.csv`, `points.json`, `front.txt`, `sweep.svg`. A sweep that was interrupted
//! goes on when the same command is given again; another search in the same folder adds to it.

pub(super) mod found;
mod ladder;
mod plan;
mod run;

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::ValueEnum;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::score::JudgingArgs;
use super::setting::SettingArgs;
use super::{UsageError, model_folder};
use paretone::acoustic::Precision;
use paretone::decode::Knob;
use paretone::eval::corpus;
use paretone::recognizer::Recognizer;
use paretone::sweep::identity::{IdentityError, claim, identity};
use paretone::sweep::point;

use plan::plan;
use run::Sweep;

/// Measure many settings of the search on a corpus: all points, the Pareto front, a picture
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Recognise this corpus: a manifest (.tsv), VoxForge submissions, LibriSpeech or Common Voice
    /// folders
    #[arg(long, value_name = "PATH")]
    pub manifest: PathBuf,
    /// Keep the sweep in this folder; one that holds measurements is continued
    #[arg(long = "dir", value_name = "DIR")]
    pub folder: PathBuf,
    /// Measure at most this many utterances, evenly spread over the corpus
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Choose settings in this way
    #[arg(long, value_enum, default_value_t = Search::Random)]
    pub search: Search,
    /// Try this many settings in a random, halving or near search
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub settings: usize,
    /// Try these levels of a knob, for a grid or knob by knob, loosest first, as in
    /// network_beam=14,12,10 or local_top_n=inf,20,5
    #[arg(long, value_name = "KNOB=LEVELS", value_parser = levels)]
    pub levels: Vec<(Knob, Levels)>,
    /// Measure the settings of this file, one a line, as front.txt has them
    #[arg(long, value_name = "FILE", required_if_eq("search", "list"))]
    pub list: Option<PathBuf>,
    /// Measure those points of another sweep (its points.json) that are close to its front
    #[arg(long, value_name = "FILE", required_if_eq("search", "close"))]
    pub points: Option<PathBuf>,
    /// Leave out those of them with so many more errors than the best, relatively
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    pub gap: f64,
    /// Draw settings, and the order in which utterances are measured, from this seed
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Search each utterance this many times at each setting; the fastest counts
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub repeats: u16,
    /// Work on this many recordings at once [default: one per processor]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Use this model: its folder, or its name (see `paretone model list`) [default: en]
    #[arg(long, value_name = "DIR", env = "PARETONE_MODEL")]
    pub model: Option<PathBuf>,
    /// Multiply in these numbers: auto (the fastest), f32 or int8
    #[arg(long, value_name = "NUMBERS", default_value_t)]
    pub precision: Precision,
    /// Where searches start from: knobs without levels stay so.
    #[command(flatten)]
    pub base: SettingArgs,
    /// Which utterances, and how words are compared.
    #[command(flatten)]
    pub judging: JudgingArgs,
}

/// How settings are chosen.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// Every combination of the levels
    Grid,
    /// One knob at a time through its levels, the others as given
    Knobs,
    /// Random draws of all knobs
    Random,
    /// Random draws, of which ever fewer are measured on ever more utterances
    Halving,
    /// Variations of the front found so far
    Near,
    /// The settings of a file
    List,
    /// The settings of another sweep that are on its front or close to it
    Close,
}

/// Values of a knob, loosest first; infinity is off.
#[derive(Clone, Debug)]
pub struct Levels(Vec<f64>);

fn levels(text: &str) -> Result<(Knob, Levels), String> {
    let (knob, values) = text.split_once('=').ok_or("write KNOB=LEVEL,LEVEL,…")?;
    let knob: Knob = knob.parse().map_err(|error| format!("{error}"))?;
    let number = |text: &str| match text.parse::<f64>() {
        Ok(value) if value > 0.0 => Ok(value),
        _ => Err(format!("`{text}` is no level: write a number above 0, or inf")),
    };
    let values: Result<Vec<f64>, String> = values.split(',').map(number).collect();
    Ok((knob, Levels(values?)))
}

/// Measures what is not measured yet, and writes and prints what was found.
///
/// # Errors
/// When the corpus, the model, the folder or the arguments cannot be used.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let utterances = corpus::open(&args.manifest).map_err(|error| UsageError(error.into()))?;
    let mut utterances = args.judging.select(utterances)?;
    if let Some(limit) = args.limit {
        utterances = corpus::spread(utterances, limit);
    }
    utterances.shuffle(&mut ChaCha8Rng::seed_from_u64(args.seed));
    let folder = model_folder(args.model.clone())?;
    let options = args.base.options(args.precision);
    let recognizer = Recognizer::open_with(&folder, options)
        .with_context(|| format!("the model in {} cannot be used", folder.display()))
        .map_err(UsageError)?;
    fs::create_dir_all(&args.folder)
        .with_context(|| format!("cannot make {}", args.folder.display()))?;
    let (judging, repeats) = (args.judging.judging(), usize::from(args.repeats));
    let numbers = args.precision.here().to_string();
    let now = identity(recognizer.made_for(), &numbers, &utterances, judging, repeats);
    claim(&args.folder, &now).map_err(|error| match error {
        IdentityError::Another { .. } => anyhow::Error::from(UsageError(error.into())),
        error => error.into(),
    })?;
    let settings = plan(&args, &recognizer)?;
    let sweep = Sweep { args: &args, recognizer: &recognizer, utterances: &utterances };
    if args.search == Search::Halving {
        sweep.halve(settings)?;
    } else {
        sweep.measure(&settings, utterances.len())?;
    }
    let points = point::points(&sweep.log()?.found);
    let out = &mut io::stdout().lock();
    found::write(&args.folder, &points, recognizer.versions())
        .context("cannot write what was found")?;
    found::print_front(&points, out)?;
    if args.search == Search::Knobs {
        let base = args.base.of(&recognizer)?;
        ladder::write(&args.folder, &ladder::ladders(&base, &args.levels, &points), out)?;
    }
    Ok(ExitCode::SUCCESS)
}
