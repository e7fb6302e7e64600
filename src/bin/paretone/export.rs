//! `paretone model export --vosk DIR`: a model of ours as a folder that Vosk and Kaldi open.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use super::{UsageError, model_folder};
use paretone::acoustic::ModelDescription;
use paretone::audio::Waveform;
use paretone::feature::{Mfcc, RunningMean};
use paretone::kaldi::{ExportOptions, Exported, export};

/// What is exported, and where to.
#[derive(clap::Args, Debug)]
pub struct ExportArgs {
    /// Write a Vosk folder here (Kaldi's nnet3 network and graph); it is made if it is not there
    #[arg(long, value_name = "DIR")]
    vosk: PathBuf,
    /// Use this model: its folder, or its name (see `paretone model list`) [default: en]
    #[arg(long, value_name = "DIR", env = "PARETONE_MODEL")]
    model: Option<PathBuf>,
    /// Begin Kaldi's running mean with that of these recordings of typical speech; without any,
    /// with that of clean read English
    #[arg(long, value_name = "FILE", num_args = 1..)]
    speech: Vec<PathBuf>,
    /// Write the large n-gram too (rescore/G.carpa), with which Vosk then rescores, and the one in
    /// the graph, which it subtracts (rescore/G.fst)
    #[arg(long)]
    with_rescoring: bool,
}

/// Exports the model and says what was written.
///
/// # Errors
/// When the model or a recording cannot be used, or the folder cannot be written.
pub fn run(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let folder = model_folder(args.model.clone())?;
    let mut options = ExportOptions::default().rescoring(args.with_rescoring);
    if !args.speech.is_empty() {
        options = options.mean(mean_of(&folder, &args.speech)?);
    }
    let exported = export(&folder, &args.vosk, &options).with_context(|| {
        format!("the model in {} cannot be exported to {}", folder.display(), args.vosk.display())
    });
    tell(&args.vosk, &exported.map_err(UsageError)?)?;
    Ok(ExitCode::SUCCESS)
}

/// The mean of the model's features over recordings.
fn mean_of(folder: &Path, recordings: &[PathBuf]) -> anyhow::Result<Vec<f32>> {
    let config = ModelDescription::open(folder)?.feature;
    let (rate, mfcc) = (config.sample_rate, Mfcc::new(config)?);
    let mut mean = RunningMean::default();
    for path in recordings {
        let name = || path.display().to_string();
        let waveform = Waveform::open(path).with_context(name)?;
        let features = mfcc.compute(&waveform.at_rate(rate).with_context(name)?)?;
        for row in features.frames.rows() {
            mean.add(&row.to_vec());
        }
    }
    Ok(mean.mean())
}

fn tell(folder: &Path, exported: &Exported) -> anyhow::Result<()> {
    let Exported { components, transition_ids, states, arcs, .. } = exported;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{}: {components} components, {transition_ids} transition-ids, {states} states, {arcs} arcs",
        folder.display()
    )?;
    Ok(())
}
