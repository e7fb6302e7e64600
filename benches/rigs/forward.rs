//! The network alone: forward passes in floats and in 8-bit integers, in turn, over the same
//! recordings.
//!
//! ```text
//! forward --model models/en a.wav b.flac …
//! ```
//!
//! Prints, as a line of JSON, frames, seconds of the fastest round in floats and in 8-bit integers,
//! the median over rounds of how many times faster integers are, and the power of the difference of
//! the scores relative to that of the scores themselves.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::Parser;
use ndarray::Array2;
use paretone::acoustic::{
    ModelDescription, Network, NetworkScratch, Normalisation, Precision, Scores, Tensors,
};
use paretone::audio::Waveform;
use paretone::feature::{Mfcc, subtract_mean};

#[derive(Parser)]
struct Args {
    #[arg(long)]
    model: PathBuf,
    /// Passes over all recordings
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Frames that arrive at once; 0: whole recordings
    #[arg(long, default_value_t = 0)]
    chunk: usize,
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let description = ModelDescription::open(&args.model)?;
    let tensors = Tensors::open(&args.model.join(&description.network.weights))?;
    let network =
        |precision: Precision| Network::from_tensors(&description, &tensors, precision.kernels());
    let networks = [network(Precision::F32)?, network(Precision::Int8)?];
    let features: Result<Vec<_>> =
        args.files.iter().map(|file| features(&description, file)).collect();
    let features = features?;
    let frames: usize = features.iter().map(|features| features.nrows()).sum();
    ensure!(args.rounds > 0 && frames > 0, "nothing to measure");
    let mut runs = networks.map(|network| Run {
        scores: vec![Scores::default(); features.len()],
        scratch: NetworkScratch::default(),
        network,
    });
    let (mut best, mut ratios) = ([f64::INFINITY; 2], Vec::new());
    for _ in 0..args.rounds {
        let mut seconds = [0.0; 2];
        for (at, run) in runs.iter_mut().enumerate() {
            seconds[at] = run.pass(&features, args.chunk)?;
            best[at] = best[at].min(seconds[at]);
        }
        ratios.push(seconds[0] / seconds[1]);
    }
    ratios.sort_by(f64::total_cmp);
    let report = serde_json::json!({
        "frames": frames,
        "f32_seconds": best[0],
        "int8_seconds": best[1],
        "times_faster": ratios[ratios.len() / 2],
        "noise": noise(&runs.map(|run| run.scores)),
    });
    println!("{report}");
    Ok(())
}

fn features(description: &ModelDescription, file: &Path) -> Result<Array2<f32>> {
    let waveform = Waveform::open(file)?.at_rate(description.feature.sample_rate)?;
    let mut features = Mfcc::new(description.feature.clone())?.compute(&waveform)?;
    if description.normalisation != Normalisation::None {
        subtract_mean(&mut features);
    }
    Ok(features.frames)
}

/// A network with its working memory and its scores, reused from round to round.
struct Run {
    network: Network,
    scratch: NetworkScratch,
    scores: Vec<Scores>,
}

impl Run {
    /// Scores everything and returns the seconds it took.
    fn pass(&mut self, features: &[Array2<f32>], chunk: usize) -> Result<f64> {
        let started = Instant::now();
        for (features, scores) in features.iter().zip(&mut self.scores) {
            scores.clear();
            let mut stream = self.network.stream(&mut self.scratch);
            let chunk = if chunk == 0 { features.nrows().max(1) } else { chunk };
            for part in features.axis_chunks_iter(ndarray::Axis(0), chunk) {
                stream.push(part, scores)?;
            }
            stream.finish(scores)?;
        }
        Ok(started.elapsed().as_secs_f64())
    }
}

/// The power of the difference, relative to the scores'.
fn noise([floats, integers]: &[Vec<Scores>; 2]) -> f64 {
    let (mut difference, mut power) = (0.0, 0.0);
    for (floats, integers) in floats.iter().zip(integers) {
        for (a, b) in floats.as_slice().iter().zip(integers.as_slice()) {
            difference += f64::from(a - b).powi(2);
            power += f64::from(*a).powi(2);
        }
    }
    difference / power
}
