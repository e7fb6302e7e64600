//! The scheduler under twice the load it can bear, for as many requests as asked; or, given a model
//! and recordings, how soon its searches stop.
//!
//! ```text
//! soak                            # 10,000 made-up requests in six tiers, answers held against the replay
//! soak 100000                     # as many as wanted
//! soak --model models/en a.wav …  # conc(first, last version) on recordings; the first's answer cancels
//! ```
//!
//! `scripts/soak.sh` runs it. Exits with 1 if a request was lost, answered twice or wrongly, or if a
//! cancelled run began more than one frame.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, ensure};
use paretone::audio::Waveform;
use paretone::decode::Cancel;
use paretone::recognizer::Recognizer;
use paretone::scheduler::{Options, Recognition, Scheduler, Service, Statistics};
use paretone::tiers::{Choice, Pair, Policy};

#[path = "../tests/soak_load/mod.rs"]
mod soak_load;

/// Arithmetic in a made-up frame: some tens of microseconds.
const WORK: u64 = 20_000;
/// What a cancelled run may take to stop, in frames' work of its version, in 99 of 100 cases.
const FRAMES_TO_STOP: f64 = 2.0;
/// Runs of each recording.
const REPEATS: usize = 20;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => made_up(10_000),
        [requests] => made_up(requests.parse()?),
        [flag, model, files @ ..] => {
            ensure!(
                flag == "--model",
                "give --model, its folder, and recordings"
            );
            recorded(Path::new(model), files)
        }
    }
}

fn made_up(requests: usize) -> Result<ExitCode> {
    let options = Options {
        workers: 4,
        limits: vec![4, 4, 3],
        capacity: 16,
    };
    // Panics are part of the load; their messages would hide the report.
    std::panic::set_hook(Box::new(|_| {}));
    let report = soak_load::soak(requests, &options, WORK, 5);
    let lost = report.admitted() - report.answered();
    let twice = report.statistics.answered.abs_diff(report.admitted());
    println!("submitted\t{}", report.submitted);
    println!("refused\t{}\ttold so, with a time to retry", report.refused);
    println!("served by tier\t{:?}", report.served);
    println!("escalated\t{}", report.escalated);
    println!("late\t{}", report.late);
    println!("cancelled by caller\t{}", report.cancelled);
    println!("panicked\t{}", report.panicked);
    println!("lost\t{lost}");
    println!("answered more or less than once\t{twice}");
    println!("not as replayed\t{}", report.wrong);
    let stopped = print_stops(&report.statistics);
    let passed = lost + twice + report.wrong == 0 && stopped;
    Ok(ExitCode::from(u8::from(!passed)))
}

fn recorded(model: &Path, files: &[String]) -> Result<ExitCode> {
    let service = Recognition::new(Arc::new(Recognizer::open(model, Default::default())?));
    let versions = Recognizer::open(model, Default::default())?
        .versions()
        .clone();
    let names: Vec<&str> = versions.names().collect();
    ensure!(names.len() > 1, "the model has no two versions");
    let policy = service.policy(&Policy::Conc(Pair {
        first: names[0].to_owned(),
        second: names[names.len() - 1].to_owned(),
        threshold: 0.0,
        choice: Choice::Confident,
    }))?;
    let options = Options {
        workers: 2,
        ..Options::default()
    };
    // The last version is what is cancelled; left alone, it says what a frame of its work takes.
    let (first, last) = (0, names.len() - 1);
    let frame = frame_seconds(&service, last, files)?;
    println!(
        "microseconds of a frame\t{} {:.1}\t{} {:.1}, which is what is cancelled",
        names[first],
        1e6 * frame_seconds(&service, first, files)?,
        names[last],
        1e6 * frame
    );
    let scheduler = Scheduler::new(service, vec![policy], &options);
    for file in files.iter().cycle().take(files.len() * REPEATS) {
        let waveform = Waveform::open(file.as_ref())?;
        scheduler.submit(waveform, 0, None)?.wait()?;
    }
    let statistics = scheduler.finish();
    let stopped = print_stops(&statistics);
    let late = stop_seconds(&statistics, 0.99) / frame;
    println!("cancel to stop, p99\t{late:.2} frames' work (at most {FRAMES_TO_STOP} are good)");
    Ok(ExitCode::from(u8::from(!stopped)))
}

/// Seconds that a version's search takes for a frame, on average over recordings: the faster of two
/// runs of each, since the first warms up.
fn frame_seconds(service: &Recognition, version: usize, files: &[String]) -> Result<f64> {
    let (mut scratch, cancel) = (service.scratch(), Cancel::new());
    let (mut seconds, mut frames) = (0.0, 0.0);
    for file in files {
        let scored = service.prepare(&Waveform::open(file.as_ref())?, &cancel, &mut scratch)?;
        let mut fastest = f64::INFINITY;
        for _ in 0..2 {
            let heard = service.run(&scored, version, &cancel, &mut scratch)?.answer;
            fastest = fastest.min(heard.timings.search.0);
            frames += f64::from(heard.effort.frames) / 2.0;
        }
        seconds += fastest;
    }
    Ok(seconds / f64::max(frames, 1.0))
}

/// The time from cancelling to stopping that such a share of the stops stays below; 0 without any.
fn stop_seconds(statistics: &Statistics, share: f64) -> f64 {
    let stops = statistics.stops.iter().map(|stop| stop.seconds.0);
    let mut seconds: Vec<f64> = stops.collect();
    seconds.sort_unstable_by(f64::total_cmp);
    let rank = (seconds.len().saturating_sub(1) as f64 * share).round() as usize;
    seconds.get(rank).copied().unwrap_or(0.0)
}

/// Median, 99th percentile and largest of the stops; whether none began more than one frame.
fn print_stops(statistics: &Statistics) -> bool {
    let mut frames: Vec<u64> = statistics.stops.iter().map(|stop| stop.frames).collect();
    frames.sort_unstable();
    println!("runs stopped by an answer\t{}", frames.len());
    if frames.is_empty() {
        return true;
    }
    let rank = |share: f64| ((frames.len() - 1) as f64 * share).round() as usize;
    for (name, share) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
        let frames = frames[rank(share)];
        let micros = 1e6 * stop_seconds(statistics, share);
        println!("cancel to stop, {name}\t{frames} frames begun\t{micros:.1} µs");
    }
    frames.last().is_some_and(|&most| most <= 1)
}
