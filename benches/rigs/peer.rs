//! Our side of `scripts/bench_peers`: one stage of the pipeline at a time, asked file by file, so
//! that another program can take its turn in between.
//!
//! ```text
//! peer openfst  --graph hclg.graph --out hclg.fst   # the same graph for OpenFst and Kaldi
//! peer wav                                          # questions: AUDIO  OUT.wav (16 bits, 16 kHz)
//! peer features --model models/en                   # questions: WAV  OUT.npy
//! peer network  --model models/en --precision int8  # questions: FEATURES.npy  CHUNK  OUT.npy
//! peer search   --graph hclg.graph                  # questions: SCORES.npy  BEAM  MAX-ACTIVE
//!                                                   #            LATTICE-BEAM or -
//! peer pipeline --model models/en                   # questions: WAV  VERSION
//! ```
//!
//! All but the first print the seconds that loading took, then answer each line of standard input
//! (fields between tabs) with a line: seconds of the stage's own work, then what it found. Reading
//! and writing of files is outside these seconds, which are of processor time.

#[path = "peer/npy.rs"]
mod npy;
#[path = "peer/stage.rs"]
mod stage;

use std::io::{BufRead, Write};
use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};
use paretone::acoustic::Precision;
use paretone::graph::Graph;

use stage::{FeatureStage, NetworkStage, PipelineStage, SearchStage, Stage, WavStage, cpu_seconds};

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
    Wav,
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
        Command::Wav => serve(|| Ok(WavStage)),
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
