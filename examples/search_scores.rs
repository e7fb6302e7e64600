//! The search alone, for comparison with other decoders: scores as NumPy files in, words, costs and
//! times out.
//!
//! ```text
//! search_scores scores  --model models/en --out scores/ a.wav b.wav …   # one .npy a recording, frames × pdfs
//! search_scores openfst --graph hclg.graph --out hclg.fst               # the same graph for OpenFst and Kaldi
//! search_scores decode  --graph hclg.graph --beam 13 scores/*.npy       # name, frames, cost, final, seconds, tokens, arcs, words
//! ```
//!
//! `scripts/bench_peers.py` drives it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use ndarray::Array2;
use paretone::acoustic::{ModelDescription, Network, NetworkScratch};
use paretone::audio::Waveform;
use paretone::decode::{Decoder, Hypothesis, Pruning, Scratch};
use paretone::feature::{Mfcc, subtract_mean};
use paretone::graph::Graph;
use paretone::units::Cost;

#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Scores recordings with the acoustic model
    Scores {
        #[arg(long)]
        model: PathBuf,
        #[arg(long)]
        out: PathBuf,
        files: Vec<PathBuf>,
    },
    /// Writes a graph as an OpenFst vector file
    Openfst {
        #[arg(long)]
        graph: PathBuf,
        #[arg(long)]
        out: PathBuf,
    },
    /// Decodes score matrices
    Decode(DecodeArgs),
}

#[derive(clap::Args)]
struct DecodeArgs {
    /// A graph of ours, or an OpenFst file if it ends in `.fst`
    #[arg(long)]
    graph: PathBuf,
    #[arg(long, default_value_t = f32::INFINITY)]
    beam: f32,
    #[arg(long, default_value_t = usize::MAX)]
    max_active: usize,
    /// Makes lattices within this beam instead of the best path alone
    #[arg(long)]
    lattice_beam: Option<f32>,
    /// Decodes everything so often; each utterance's least CPU time counts
    #[arg(long, default_value_t = 1)]
    repeat: usize,
    files: Vec<PathBuf>,
}

fn main() -> Result<()> {
    match Args::parse().command {
        Command::Scores { model, out, files } => scores(&model, &out, &files),
        Command::Openfst { graph, out } => Ok(open(&graph)?.save_openfst(&out)?),
        Command::Decode(args) => decode(&args),
    }
}

/// CPU time of this thread so far, where Linux tells it; elsewhere the time on the clock.
fn cpu_seconds() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let schedule = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = schedule.and_then(|line| line.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(
        || START.elapsed().as_secs_f64(),
        |nanoseconds| nanoseconds * 1e-9,
    )
}

fn open(path: &Path) -> Result<Graph> {
    let openfst = path.extension().is_some_and(|extension| extension == "fst");
    Ok(if openfst {
        Graph::read_openfst(path)?
    } else {
        Graph::open(path)?
    })
}

fn scores(model: &Path, out: &Path, files: &[PathBuf]) -> Result<()> {
    let description = ModelDescription::open(model)?;
    let config = serde_json::from_value(serde_json::to_value(&description.feature)?)?;
    let mfcc = Mfcc::new(config)?;
    let network = Network::open(model)?;
    let mut scratch = NetworkScratch::default();
    fs::create_dir_all(out)?;
    for file in files {
        let waveform = Waveform::open(file)?.at_rate(mfcc.config().sample_rate)?;
        let mut features = mfcc.compute(&waveform)?;
        subtract_mean(&mut features);
        let scores = network.scores(&features, &mut scratch)?;
        let name = file.file_stem().context("a file name")?;
        let shape = (scores.num_frames(), scores.num_pdfs());
        write_npy(
            &out.join(name).with_extension("npy"),
            shape,
            scores.as_slice(),
        )?;
    }
    Ok(())
}

fn decode(args: &DecodeArgs) -> Result<()> {
    let graph = open(&args.graph)?;
    let pruning = Pruning {
        network_beam: Cost(args.beam),
        network_top_n: args.max_active,
        lattice_beam: Cost(args.lattice_beam.unwrap_or(0.0)),
        ..Pruning::OFF
    };
    let decoder = Decoder::new(&graph, pruning)?;
    let mut scratch = Scratch::new();
    let matrices = args
        .files
        .iter()
        .map(|f| read_npy(f))
        .collect::<Result<Vec<_>>>()?;
    let mut results: Vec<(f64, Hypothesis)> = Vec::new();
    for round in 0..args.repeat {
        for (index, scores) in matrices.iter().enumerate() {
            let begin = cpu_seconds();
            let found = match args.lattice_beam {
                Some(_) => decoder.lattice(scores, &mut scratch)?.best_path(),
                None => decoder.decode(scores, &mut scratch)?,
            };
            let seconds = cpu_seconds() - begin;
            if round == 0 {
                results.push((seconds, found));
            } else {
                results[index].0 = results[index].0.min(seconds);
            }
        }
    }
    for (file, (seconds, found)) in args.files.iter().zip(&results) {
        let words: Vec<_> = found
            .words
            .iter()
            .map(|word| word.id.0.to_string())
            .collect();
        println!(
            "{}\t{}\t{:.5}\t{}\t{seconds:.6}\t{}\t{}\t{}",
            file.file_stem().context("a file name")?.to_string_lossy(),
            found.frames,
            found.cost.0,
            u8::from(found.reached_final),
            found.effort.tokens,
            found.effort.arcs,
            words.join(" ")
        );
    }
    Ok(())
}

/// Writes a little-endian `float32` matrix in NumPy's format 1.0.
fn write_npy(path: &Path, (rows, columns): (usize, usize), values: &[f32]) -> Result<()> {
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    while !(10 + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut out = std::io::BufWriter::new(fs::File::create(path)?);
    out.write_all(b"\x93NUMPY\x01\x00")?;
    out.write_all(&(header.len() as u16).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    out.write_all(bytemuck::cast_slice(values))?;
    Ok(out.flush()?)
}

/// Reads a little-endian `float32` matrix in NumPy's format 1.0.
fn read_npy(path: &Path) -> Result<Array2<f32>> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    ensure!(
        bytes.len() > 10 && bytes.starts_with(b"\x93NUMPY\x01"),
        "not NumPy format 1.0"
    );
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(bytes.get(10..10 + length).context("cut short")?)?;
    ensure!(
        header.contains("'<f4'") && header.contains("'fortran_order': False"),
        "{header}"
    );
    let shape = header
        .split('(')
        .nth(1)
        .and_then(|rest| rest.split(')').next())
        .context("shape")?;
    let shape: Vec<usize> = shape
        .split(',')
        .filter_map(|n| n.trim().parse().ok())
        .collect();
    ensure!(shape.len() == 2, "not a matrix: {header}");
    let values = bytes[10 + length..].chunks_exact(4);
    let values = values
        .map(|v| f32::from_le_bytes([v[0], v[1], v[2], v[3]]))
        .collect();
    Ok(Array2::from_shape_vec((shape[0], shape[1]), values)?)
}
