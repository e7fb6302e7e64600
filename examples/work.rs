//! A fixed piece of one stage's work, done N times after once to warm up, for counting instructions.
//!
//! ```text
//! work features|scores|VERSION N      # VERSION: a search with the scores of the sample, rescoring and confidence included
//! ```
//!
//! `scripts/bench_instructions.py` counts.

use std::path::Path;

use anyhow::{Context, Result};
use paretone::audio::Waveform;
use paretone::feature::Mfcc;
use paretone::recognizer::{Options, Recognizer};

const SAMPLE: &str = "corpora/samples/river.wav";

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let stage = args
        .next()
        .context("a stage: features, scores or a version")?;
    let times: usize = args.next().context("how often")?.parse()?;
    let waveform = Waveform::open(Path::new(SAMPLE))?;
    if stage == "features" {
        let mfcc = Mfcc::new(Default::default())?;
        for _ in 0..=times {
            std::hint::black_box(mfcc.compute(&waveform)?);
        }
        return Ok(());
    }
    let recognizer = Recognizer::open(Path::new("models/en"), Options::default())?;
    let mut scratch = recognizer.scratch();
    if stage == "scores" {
        for _ in 0..=times {
            std::hint::black_box(recognizer.score(&waveform, &mut scratch)?);
        }
        return Ok(());
    }
    let version = recognizer
        .versions()
        .get(&stage)
        .context("no such version")?;
    let scored = recognizer.score(&waveform, &mut scratch)?;
    for _ in 0..=times {
        std::hint::black_box(recognizer.search(&version.setting, &scored, &mut scratch)?);
    }
    Ok(())
}
