//! `paretone confidence words`: how good the confidence of words is, beside what the lattice alone
//! says.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::{calibration_of, outcomes_of};
use crate::UsageError;
use paretone::eval::confidence_measures::{
    auc, brier, calibration, expected_calibration_error, normalised_cross_entropy,
};
use paretone::eval::table::{Cells, Table};
use paretone::sweep::words::{self, Answers, HeardWord};

/// What to measure.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Words of every version, as `bench --versions all --words` writes them
    #[arg(value_name = "FILE")]
    pub words: PathBuf,
    /// Measure each set by itself
    #[arg(long)]
    pub by_set: bool,
    /// Judge by this model's calibration in place of the confidences recorded
    #[arg(long, value_name = "DIR", requires = "outcomes")]
    pub model: Option<PathBuf>,
    /// Read the outcomes of the same `paretone bench` here, which a calibration needs
    #[arg(long, value_name = "FILE", requires = "model")]
    pub outcomes: Option<PathBuf>,
}

/// Reads the words, judges them again where a model is named, and prints the measures.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut words = words::read(&args.words).map_err(|e| UsageError(e.into()))?;
    if let Some(outcomes) = args.outcomes {
        let calibration = calibration_of(args.model)?;
        let (_, table) = outcomes_of(&outcomes)?;
        let answers = Answers::of(&table);
        for word in &mut words {
            if let Some(heads) = calibration.versions.get(&word.version) {
                let known = answers.evidence(word).map_err(|e| UsageError(e.into()))?;
                word.confidence = heads.word(&known);
            }
        }
    }
    write_measures(&mut io::stdout().lock(), &words, args.by_set)?;
    Ok(ExitCode::SUCCESS)
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
