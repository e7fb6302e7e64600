//! A fixed piece of one stage's work, done once to warm up and once inside of [`counted`], for
//! counting instructions.
//!
//! ```text
//! work features|scores|VERSION  # VERSION: a search of the sample, with rescoring and confidence
//! ```
//!
//! `scripts/bench_instructions.py` counts.

use std::path::Path;

use anyhow::{Context, Result};
use paretone::audio::Waveform;
use paretone::feature::Mfcc;
use paretone::recognizer::Recognizer;

const SAMPLE: &str = "corpora/samples/river.wav";

fn main() -> Result<()> {
    let stage = std::env::args().nth(1).context("a stage: features, scores or a version")?;
    let waveform = Waveform::open(Path::new(SAMPLE))?;
    if stage == "features" {
        let mfcc = Mfcc::new(Default::default())?;
        return twice(|| mfcc.compute(&waveform));
    }
    let recognizer = Recognizer::open("models/en")?;
    let mut scratch = recognizer.scratch();
    if stage == "scores" {
        return twice(|| recognizer.score(&waveform, &mut scratch));
    }
    let version = recognizer.versions().get(&stage).context("no such version")?;
    let scored = recognizer.score(&waveform, &mut scratch)?;
    twice(|| recognizer.search(&version.setting, &scored, &mut scratch))
}

fn twice<T, E>(mut work: impl FnMut() -> Result<T, E>) -> Result<()>
where
    anyhow::Error: From<E>,
{
    work()?;
    counted(work)?;
    Ok(())
}

/// What callgrind counts: it looks for this name.
#[inline(never)]
fn counted<T, E>(mut work: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    std::hint::black_box(work())
}
