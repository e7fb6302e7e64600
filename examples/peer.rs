//! Our side of `scripts/bench_peers`: one stage of the pipeline at a time, asked file by file, so
//! that another program can take its turn in between.
//!
//! ```text
//! peer openfst  --graph hclg.graph --out hclg.fst   # the same graph for OpenFst and Kaldi
//! peer wav      --out wav/ a.opus b.flac …          # recordings as 16-bit WAV at 16 kHz
//! peer features --model models/en                   # questions: WAV  OUT.npy
//! peer network  --model models/en --precision int8  # questions: FEATURES.npy  CHUNK  OUT.npy
//! peer search   --graph hclg.graph                  # questions: SCORES.npy  BEAM  MAX-ACTIVE  LATTICE-BEAM or -
//! peer pipeline --model models/en                   # questions: WAV  VERSION
//! ```
//!
//! The last four first print the seconds that loading took, then answer each line of standard input
//! (fields between tabs) with a line: seconds of the stage's own work, then what it found. Reading
//! and writing of files is outside these seconds, which are of processor time.

#[path = "peer/npy.rs"]
mod npy;
#[path = "peer/stage.rs"]
mod stage;

use std::fs;
use std::io::{BufRead, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use paretone::acoustic::Precision;
use paretone::audio::Waveform;
use paretone::graph::Graph;
use paretone::units::Hertz;

use stage::{FeatureStage, NetworkStage, PipelineStage, SearchStage, Stage, cpu_seconds};

#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes a graph as an OpenFst vector file
    Openfst {
        #[arg(long)]
        graph: PathBuf,
        #[arg(long)]
        out: PathBuf,
    },
    /// Writes recordings as 16-bit WAV at 16 kHz
    Wav {
        #[arg(long)]
        out: PathBuf,
        files: Vec<PathBuf>,
    },
    /// Answers with features, no mean subtracted
    Features {
        #[arg(long)]
        model: PathBuf,
    },
    /// Answers with scores of features whose mean is subtracted; chunk 0: all frames at once
    Network {
        #[arg(long)]
        model: PathBuf,
        #[arg(long)]
        precision: Precision,
    },
    /// Answers with cost and word ids of score matrices
    Search {
        #[arg(long)]
        graph: PathBuf,
    },
    /// Answers with texts of recordings
    Pipeline {
        #[arg(long)]
        model: PathBuf,
    },
}

fn main() -> Result<()> {
    match Args::parse().command {
        Command::Openfst { graph, out } => Ok(Graph::open(&graph)?.save_openfst(&out)?),
        Command::Wav { out, files } => write_wavs(&out, &files),
        Command::Features { model } => serve(|| FeatureStage::open(&model)),
        Command::Network { model, precision } => serve(|| NetworkStage::open(&model, precision)),
        Command::Search { graph } => serve(|| SearchStage::open(&graph)),
        Command::Pipeline { model } => serve(|| PipelineStage::open(&model)),
    }
}

/// Opens a stage and answers until standard input ends.
fn serve<S: Stage>(open: impl FnOnce() -> Result<S>) -> Result<()> {
    let begin = cpu_seconds();
    let mut stage = open()?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:.6}", cpu_seconds() - begin)?;
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let fields: Vec<&str> = line.split('\t').collect();
        let (seconds, found) = stage.answer(&fields)?;
        writeln!(out, "{seconds:.7}\t{found}")?;
        out.flush()?;
    }
    Ok(())
}

fn write_wavs(out: &std::path::Path, files: &[PathBuf]) -> Result<()> {
    fs::create_dir_all(out)?;
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    for file in files {
        let waveform = Waveform::open(file)?.at_rate(Hertz(spec.sample_rate))?;
        let name = file.file_stem().context("a file name")?;
        let mut wav = hound::WavWriter::create(out.join(name).with_extension("wav"), spec)?;
        for sample in &waveform.samples {
            wav.write_sample((sample * 32768.0).round().clamp(-32768.0, 32767.0) as i16)?;
        }
        wav.finalize()?;
    }
    Ok(())
}
