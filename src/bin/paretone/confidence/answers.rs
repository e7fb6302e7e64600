//! `paretone confidence answers`: how well the confidence and the expected errors of whole answers
//! agree with what was recorded.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::{calibration_of, outcomes_of};
use crate::UsageError;
use paretone::confidence::Calibration;
use paretone::eval::confidence_measures::{auc, calibration, expected_calibration_error};
use paretone::eval::table::{Cells, Table};
use paretone::sweep::{MissingCounter, evidence};
use paretone::tiers::{self, Counter};

/// What to measure of whole answers.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Outcomes of every version, as `bench --versions all --outcomes` writes them
    #[arg(value_name = "FILE")]
    pub outcomes: PathBuf,
    /// Judge by this model's calibration in place of the confidences recorded
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
}

/// Reads the outcomes, judges them again where a model is named, and prints the measures.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (_, table) = outcomes_of(&args.outcomes)?;
    let answers = Answered::all(&table, &calibration_of(args.model)?)?;
    write_answers(&mut io::stdout().lock(), &table, &answers)?;
    Ok(ExitCode::SUCCESS)
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
