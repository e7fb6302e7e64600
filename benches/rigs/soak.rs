//! The scheduler under twice the load it can bear, for as many requests as asked; or, given a model
//! and recordings, how soon its searches stop.
//!
//! ```text
//! soak                            # 10,000 made-up requests in six tiers, compared with the replay
//! soak 100000                     # as many as wanted
//! soak --model models/en a.wav …  # conc(first, last version); the first's answer cancels the last
//! ```
//!
//! `scripts/soak.sh` runs it. Exits with 1 if a request was lost, answered twice or wrongly, or if
//! a cancelled run began more than one frame.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Result, ensure};
use paretone::audio::Waveform;
use paretone::decode::Cancel;
use paretone::recognizer::Recognizer;
use paretone::scheduler::{Options, Recognition, Scheduler, Service, Statistics};
use paretone::tiers::{Choice, Pair, Policy};

#[path = "../../tests/soak_load/mod.rs"]
mod soak_load;

/// Arithmetic in a made-up frame: some tens of microseconds.
const WORK: u64 = 20_000;
/// Runs of each recording.
const REPEATS: usize = 20;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => made_up(10_000),
        [requests] => made_up(requests.parse()?),
        [flag, model, files @ ..] => {
            ensure!(flag == "--model", "give --model, its folder, and recordings");
            recorded(Path::new(model), files)
        }
    }
}

fn made_up(requests: usize) -> Result<ExitCode> {
    let options = Options::default().workers(4).limits(vec![4, 4, 3]).capacity(16);
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
    let service = Recognition::new(Arc::new(Recognizer::open(model)?));
    let versions = Recognizer::open(model)?.versions().clone();
    let names: Vec<&str> = versions.names().collect();
    ensure!(names.len() > 1, "the model has no two versions");
    let policy = service.policy(&Policy::Conc(Pair {
        first: names[0].to_owned(),
        second: names[names.len() - 1].to_owned(),
        threshold: 0.0,
        choice: Choice::Confident,
    }))?;
    let options = Options::default().workers(2);
    // The last version is what is cancelled; left alone, it says what a frame of its work takes.
    let last = names.len() - 1;
    let frames = frame_seconds(&service, last, files)?;
    let mean = frames.iter().sum::<f64>() / frames.len().max(1) as f64;
    let [half, most] = [0.5, 0.99].map(|share| at_rank(&frames, share));
    println!(
        "microseconds of a frame of {}, which is cancelled\tmean {:.1}\tp50 {:.1}\tp99 {:.1}",
        names[last],
        1e6 * mean,
        1e6 * half,
        1e6 * most
    );
    let scheduler = Scheduler::new(service, vec![policy], &options);
    for file in files.iter().cycle().take(files.len() * REPEATS) {
        let waveform = Waveform::open(file)?;
        scheduler.submit(waveform, 0, None)?.wait()?;
    }
    let statistics = scheduler.finish();
    let stopped = print_stops(&statistics);
    let late = stop_seconds(&statistics, 0.99);
    println!(
        "cancel to stop, p99\t{:.2} frames' work on average\t{:.2} of the p99 frame's",
        late / mean,
        late / most
    );
    Ok(ExitCode::from(u8::from(!stopped)))
}

/// Seconds that a version's search takes for each frame of the recordings, in rising order: another
/// thread watches the count of frames begun. Of two runs of each the second counts, since the first
/// warms up.
fn frame_seconds(service: &Recognition, version: usize, files: &[String]) -> Result<Vec<f64>> {
    let mut scratch = service.scratch();
    let mut seconds = Vec::new();
    for file in files {
        let waveform = Waveform::open(file)?;
        let scored = service.prepare(&waveform.into(), &Cancel::new(), &mut scratch)?;
        service.run(&scored, (version, 0), &Cancel::new(), &mut scratch)?;
        let (cancel, done) = (Cancel::new(), AtomicBool::new(false));
        let watched = std::thread::scope(|scope| {
            let watcher = scope.spawn(|| watch(&cancel, &done));
            let heard = service.run(&scored, (version, 0), &cancel, &mut scratch);
            done.store(true, Ordering::Release);
            let times = watcher.join().expect("watching does not panic");
            heard.map(|_| times)
        });
        seconds.extend(watched?);
    }
    seconds.sort_unstable_by(f64::total_cmp);
    Ok(seconds)
}

/// Returns how long each frame but the last takes, until `done`. Frames that begin between two
/// looks share the time between them equally.
fn watch(cancel: &Cancel, done: &AtomicBool) -> Vec<f64> {
    let (mut seconds, mut seen, mut since) = (Vec::new(), 0, Instant::now());
    while !done.load(Ordering::Acquire) {
        let frames = cancel.frames();
        if frames > seen {
            let (now, begun) = (Instant::now(), frames - seen);
            if seen > 0 {
                let each = (now - since).as_secs_f64() / begun as f64;
                seconds.extend((0..begun).map(|_| each));
            }
            (seen, since) = (frames, now);
        }
        std::hint::spin_loop();
    }
    seconds
}

/// The time from cancelling to stopping that such a share of the stops stays below; 0 without any.
fn stop_seconds(statistics: &Statistics, share: f64) -> f64 {
    let stops = statistics.stops.iter().map(|stop| stop.seconds.0);
    let mut seconds: Vec<f64> = stops.collect();
    seconds.sort_unstable_by(f64::total_cmp);
    at_rank(&seconds, share)
}

/// What such a share of the values, in rising order, stays below; 0 without any.
fn at_rank(rising: &[f64], share: f64) -> f64 {
    let rank = (rising.len().saturating_sub(1) as f64 * share).round() as usize;
    rising.get(rank).copied().unwrap_or(0.0)
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
