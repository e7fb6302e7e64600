//! `paretone confidence …`: calibrate the versions' confidence on recorded outcomes and words, and
//! measure how good that of words is.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Subcommand;

use super::versions::destination;
use super::{UsageError, model_folder, progress};
use paretone::MadeFor;
use paretone::confidence::{CONFIDENCE_FILE, Calibration, Example, Heads, WordExample};
use paretone::eval::confidence_measures::{
    auc, brier, calibration, expected_calibration_error, normalised_cross_entropy,
};
use paretone::eval::table::{Cells, Table};
use paretone::recognizer;
use paretone::sweep::words::{self, HeardWord};
use paretone::sweep::{MissingCounter, evidence};
use paretone::tiers::{self, Counter, Outcomes};

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
    Fit(Fit),
    /// Measure the confidence of words on speech that it was not fitted to
    Words(Words),
    /// Measure the confidence and the expected errors of whole answers
    Answers(Answers),
}

/// What to measure.
#[derive(clap::Args, Debug)]
pub struct Words {
    /// Words of every version, as `bench --versions all --words` writes them
    #[arg(value_name = "FILE")]
    pub words: PathBuf,
    /// Measure each set by itself
    #[arg(long)]
    pub by_set: bool,
    /// Judge by this model's calibration in place of the confidences recorded
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
}

/// What to measure of whole answers.
#[derive(clap::Args, Debug)]
pub struct Answers {
    /// Outcomes of every version, as `bench --versions all --outcomes` writes them
    #[arg(value_name = "FILE")]
    pub outcomes: PathBuf,
    /// Judge by this model's calibration in place of the confidences recorded
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
}

/// What to fit to.
#[derive(clap::Args, Debug)]
pub struct Fit {
    /// Outcomes of every version, as `bench --versions all --outcomes` writes them
    #[arg(long, value_name = "FILE")]
    pub outcomes: PathBuf,
    /// Words of the same speech, as `bench --versions all --words` writes them; without them a word's
    /// confidence is what the lattice says
    #[arg(long, value_name = "FILE")]
    pub words: Option<PathBuf>,
    /// Outcomes of copies of some of that speech in other conditions, one set a condition: each copy
    /// counts so much less that those of one utterance count as often as the utterance itself
    #[arg(long, value_name = "FILE")]
    pub copies: Option<PathBuf>,
    /// Words of these copies
    #[arg(long, value_name = "FILE", requires = "copies", requires = "words")]
    pub copies_words: Option<PathBuf>,
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

/// Does what was asked for.
///
/// # Errors
/// When the tables or the model's folder cannot be used.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.action {
        Action::Fit(fit) => run_fit(fit),
        Action::Words(args) => {
            let mut words = words::read(&args.words).map_err(|e| UsageError(e.into()))?;
            let calibration = calibration_of(args.model)?;
            for word in &mut words {
                if let Some(heads) = calibration.versions.get(&word.version) {
                    word.confidence = heads.word(&word.evidence());
                }
            }
            write_measures(&mut io::stdout().lock(), &words, args.by_set)?;
            Ok(ExitCode::SUCCESS)
        }
        Action::Answers(args) => {
            let outcomes =
                Outcomes::open(&args.outcomes).map_err(|error| UsageError(error.into()))?;
            let table = tiers::Table::new(&outcomes).map_err(|e| UsageError(e.into()))?;
            let answers = Answered::all(&table, &calibration_of(args.model)?)?;
            write_answers(&mut io::stdout().lock(), &table, &answers)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Fits and writes.
fn run_fit(fit: Fit) -> anyhow::Result<ExitCode> {
    let told = fit.model.is_some() || fit.in_place;
    let folder = model_folder(fit.model)?;
    let path = destination(fit.out, folder.join(CONFIDENCE_FILE), told)?;
    let mut speech = Speech::default();
    speech.add(&folder, &fit.outcomes, fit.words.as_deref(), false)?;
    check_enough(&speech.answers)?;
    if let Some(copies) = &fit.copies {
        speech.add(&folder, copies, fit.copies_words.as_deref(), true)?;
    }
    let heads = |(name, examples): (&String, &Vec<Example>)| {
        let mut heads = Heads::fit(examples);
        heads.fit_words(speech.words.get(name).map_or(&[], Vec::as_slice));
        (name.clone(), heads)
    };
    let Speech { made_for, answers: examples, words } = &speech;
    let calibration =
        Calibration { made_for: made_for.clone(), versions: examples.iter().map(heads).collect() };
    let text = serde_json::to_string_pretty(&calibration)? + "\n";
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    for (name, examples) in examples {
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
#[derive(Default)]
struct Speech {
    made_for: MadeFor,
    answers: BTreeMap<String, Vec<Example>>,
    words: BTreeMap<String, Vec<WordExample>>,
}

impl Speech {
    /// Reads outcomes and words; of copies, each condition counts as its share of all.
    fn add(
        &mut self,
        folder: &Path,
        outcomes: &Path,
        words: Option<&Path>,
        copies: bool,
    ) -> anyhow::Result<()> {
        let outcomes = Outcomes::open(outcomes).map_err(|error| UsageError(error.into()))?;
        self.made_for = same_model(&outcomes, folder)?;
        let table = tiers::Table::new(&outcomes).map_err(|error| UsageError(error.into()))?;
        let importance = match copies {
            true => 1.0 / table.sets.len() as f64,
            false => 1.0,
        };
        for (name, examples) in examples(&table, importance)? {
            self.answers.entry(name).or_default().extend(examples);
        }
        let Some(words) = words else { return Ok(()) };
        for word in words::read(words).map_err(|e| UsageError(e.into()))? {
            let example =
                WordExample { evidence: word.evidence(), right: word.right == 1, importance };
            self.words.entry(word.version).or_default().push(example);
        }
        Ok(())
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

fn by_version(words: &[HeardWord]) -> BTreeMap<&str, Vec<&HeardWord>> {
    let mut versions: BTreeMap<&str, Vec<&HeardWord>> = BTreeMap::new();
    for word in words {
        versions.entry(&word.version).or_default().push(word);
    }
    versions
}

/// How sure somebody is of a word.
type Sure = fn(&HeardWord) -> f64;

/// How good the confidence of words is, and how good the lattice alone would be.
fn write_measures(out: &mut impl Write, words: &[HeardWord], by_set: bool) -> io::Result<()> {
    let columns =
        ["version", "set", "confidence", "words", "right %", "AUC", "NCE", "ECE", "Brier"];
    let mut table = Table::new("", columns);
    table.cells = Cells::WordsIn(&[0, 1, 2]);
    for (version, words) in by_version(words) {
        let mut sets: BTreeMap<&str, Vec<&HeardWord>> = BTreeMap::new();
        for word in words {
            let set = if by_set { word.set.as_str() } else { "all" };
            sets.entry(set).or_default().push(word);
        }
        for (set, words) in sets {
            let right: Vec<bool> = words.iter().map(|word| word.right == 1).collect();
            let share = right.iter().filter(|right| **right).count() as f64 / right.len() as f64;
            let confidences: [(&str, Sure); 2] =
                [("calibrated", |word| word.confidence), ("lattice alone", |word| word.posterior)];
            for (name, sure) in confidences {
                let sure: Vec<f64> = words.iter().map(|word| sure(word)).collect();
                let measures = [
                    auc(&sure, &right),
                    normalised_cross_entropy(&sure, &right),
                    expected_calibration_error(&calibration(&sure, &right)),
                    brier(&sure, &right),
                ];
                let measures = measures
                    .map(|value| value.map_or("-".to_owned(), |value| format!("{value:.4}")));
                let counts = [words.len().to_string(), format!("{:.2}", 100.0 * share)];
                table.push_named(&[version, set, name], counts.into_iter().chain(measures));
            }
        }
    }
    table.write_text(out)
}

/// What one answer was and was thought to be.
struct Answered {
    set: usize,
    errors: f64,
    /// Calibrated expectation of the errors, and the lattice's own; none where not recorded.
    expected: Option<f64>,
    lattice: Option<f64>,
    /// Probability that every word is right.
    right: f64,
    /// Probability that the most accurate version does better, and whether it did.
    improvable: f64,
    improved: bool,
}

impl Answered {
    /// By version: what was recorded, or what a calibration makes of it where it has the version.
    fn all(table: &tiers::Table, calibration: &Calibration) -> anyhow::Result<Vec<Vec<Answered>>> {
        let best = &table.versions[table.most_accurate()];
        let places = 0..table.requests.len();
        let of_version = |version: &tiers::Version| {
            let heads = calibration.versions.get(&version.name);
            let recorded = |counter, place| Some(version.counters[table.counter(counter)?][place]);
            let answered = |place: usize| {
                let evidence = heads.map(|_| evidence(table, version, place)).transpose()?;
                let known = heads.zip(evidence.as_ref());
                let confidence = known.map(|(heads, evidence)| heads.confidence(evidence));
                let expected = known.and_then(|(heads, evidence)| heads.expected_errors(evidence));
                Ok(Answered {
                    set: table.requests[place].set,
                    errors: f64::from(version.errors[place]),
                    expected: expected.or_else(|| recorded(Counter::PredictedErrors, place)),
                    lattice: recorded(Counter::ExpectedErrors, place),
                    right: confidence.map_or(version.confidence[place], |c| c.right),
                    improvable: confidence.map_or(1.0 - version.sure[place], |c| c.improvable),
                    improved: best.errors[place] < version.errors[place],
                })
            };
            let answers: Result<Vec<Answered>, MissingCounter> =
                places.clone().map(answered).collect();
            Ok(answers.map_err(|error| UsageError(error.into()))?)
        };
        table.versions.iter().map(of_version).collect()
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

/// By version and set: how many errors were made, the calibrated expectation and the lattice's own
/// as factors of it, how well calibrated "every word is right" is, and how well "the most accurate
/// version does better" ranks.
fn write_answers(
    out: &mut impl Write,
    table: &tiers::Table,
    answers: &[Vec<Answered>],
) -> io::Result<()> {
    let columns = [
        "version",
        "set",
        "answers",
        "errors",
        "expected / made",
        "lattice / made",
        "ECE right",
        "AUC improvable",
    ];
    let mut text = Table::new("", columns);
    text.cells = Cells::WordsIn(&[0, 1]);
    for (version, answers) in table.versions.iter().zip(answers) {
        let of_set = |set: usize| {
            let answers = answers.iter().filter(|answer| answer.set == set);
            (table.sets[set].as_str(), answers.collect::<Vec<_>>())
        };
        let sets = (0..table.sets.len()).map(of_set);
        for (set, answers) in sets.chain([("all", answers.iter().collect())]) {
            text.push_named(&[&version.name, set], measured(&answers));
        }
    }
    text.write_text(out)
}

/// The cells of a row of [`write_answers`].
fn measured(answers: &[&Answered]) -> [String; 6] {
    let errors: f64 = answers.iter().map(|answer| answer.errors).sum();
    let share = |of: fn(&Answered) -> Option<f64>| {
        let sum: Option<f64> = answers.iter().map(|answer| of(answer)).sum();
        sum.filter(|_| errors > 0.0).map(|sum| format!("{:.2}", sum / errors))
    };
    let of = |value: fn(&Answered) -> f64| answers.iter().map(|a| value(a)).collect::<Vec<f64>>();
    let is = |value: fn(&Answered) -> bool| answers.iter().map(|a| value(a)).collect::<Vec<bool>>();
    let right = calibration(&of(|a| a.right), &is(|a| a.errors == 0.0));
    let ranked = auc(&of(|a| a.improvable), &is(|a| a.improved));
    let fourth = |value: f64| format!("{value:.4}");
    let cells = [
        Some(answers.len().to_string()),
        Some(errors.to_string()),
        share(|answer| answer.expected),
        share(|answer| answer.lattice),
        expected_calibration_error(&right).map(fourth),
        ranked.map(fourth),
    ];
    cells.map(|cell| cell.unwrap_or_else(|| "-".to_owned()))
}

/// Examples by version, from what each version made of each request.
fn examples(
    table: &tiers::Table,
    importance: f64,
) -> anyhow::Result<BTreeMap<String, Vec<Example>>> {
    let best = &table.versions[table.most_accurate()];
    let mut examples = BTreeMap::new();
    for version in &table.versions {
        let example = |place: usize| {
            Ok(Example {
                evidence: evidence(table, version, place)?,
                right: version.errors[place] == 0,
                improvable: best.errors[place] < version.errors[place],
                errors: version.errors[place],
                importance,
            })
        };
        let of_version: Result<Vec<Example>, MissingCounter> =
            (0..table.requests.len()).map(example).collect();
        let of_version = of_version.map_err(|error| UsageError(error.into()))?;
        examples.insert(version.name.clone(), of_version);
    }
    Ok(examples)
}
