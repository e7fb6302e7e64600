//! `paretone bench`: recognise a corpus and report word error rate and speed.
//!
//! Speed is processor seconds of the recognising threads over seconds of audio: unlike the clock on
//! the wall it does not depend on what else the machine does. The recogniser times its stages on
//! the wall; each recording's stages are scaled so that they add up to its processor time; on a
//! busy machine that split is rough, the total is not.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::score::{Judged, Scoring};
use super::{SOME_FAILED, UsageError, model_folder};
use crate::audio::Waveform;
use crate::eval::corpus::{self, Utterance};
use crate::recognizer::{Options, Recognizer, RecognizerScratch, Timings, Transcript};
use crate::units::{Cost, Seconds};
use anyhow::{Context, anyhow};
use indicatif::{ProgressBar, ProgressStyle};

/// Recognise a corpus and report word error rate, with S/D/I by set, accent and speaker, and speed
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The corpus: a manifest (.tsv), VoxForge submissions, LibriSpeech or Common Voice folders
    #[arg(long, value_name = "PATH")]
    pub manifest: PathBuf,
    /// At most so many utterances, evenly spread over the corpus
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Recordings worked on at once; 1 measures speed best
    #[arg(long, short, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: u16,
    /// The model's folder [default: models/en, here or near the program]
    #[arg(long, value_name = "DIR", env = "PARETONE_MODEL")]
    pub model: Option<PathBuf>,
    /// Score beam of the search, a cost; larger: slower, more accurate [default: the model's]
    #[arg(long, value_name = "COST")]
    pub beam: Option<f32>,
    /// Most hypotheses kept per frame; larger: slower, more accurate [default: the model's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_active: Option<u32>,
    /// Leave out the second look with the large language model: faster, less accurate
    #[arg(long)]
    pub no_rescore: bool,
    /// How to score and what to print.
    #[command(flatten)]
    pub scoring: Scoring,
}

/// What one recording gave.
struct Heard {
    transcript: Transcript,
    /// Processor time of reading and decoding the file, and of recognising it.
    reading: Duration,
    recognising: Duration,
}

/// Recognises every utterance; one that fails counts as silence and does not stop the others.
///
/// # Errors
/// When the corpus or the model cannot be used, or the output cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let utterances = corpus::open(&args.manifest).map_err(|error| UsageError(error.into()))?;
    let mut utterances = args.scoring.select(utterances)?;
    if let Some(limit) = args.limit {
        utterances = corpus::spread(utterances, limit);
    }
    if utterances.is_empty() {
        return Err(UsageError(anyhow!("--limit 0 leaves nothing to recognise")).into());
    }
    let recognizer = open(&args)?;
    let started = Instant::now();
    let heard = recognise(&recognizer, &utterances, usize::from(args.jobs))?;
    let wall = started.elapsed();

    let mut out = BufWriter::new(io::stdout().lock());
    let (mut judged, mut failed): (Vec<Judged>, usize) = (Vec::new(), 0);
    for (utterance, heard) in utterances.iter().zip(&heard) {
        let text = heard
            .as_ref()
            .map_or(String::new(), |heard| heard.transcript.text());
        if let Err(error) = heard {
            eprintln!("paretone: {}: {error:#}", utterance.audio.display());
            failed += 1;
        }
        judged.push(args.scoring.judge(utterance, &text)?);
    }
    args.scoring.report(&mut out, &judged)?;
    let heard: Vec<Option<Heard>> = heard.into_iter().map(Result::ok).collect();
    writeln!(out)?;
    write_speed(&mut out, &heard, wall)?;
    out.flush()?;
    if let Some(folder) = &args.scoring.out {
        write_hypotheses(folder, &utterances, &heard)?;
    }
    Ok(ExitCode::from(if failed > 0 { SOME_FAILED } else { 0 }))
}

fn open(args: &Args) -> anyhow::Result<Recognizer> {
    let options = Options {
        beam: args.beam.map(Cost),
        max_active: args.max_active.map(|count| count as usize),
        rescore: !args.no_rescore,
        ..Options::default()
    };
    let folder = model_folder(args.model.clone())?;
    Ok(Recognizer::open(&folder, options)
        .with_context(|| format!("the model in {} cannot be used", folder.display()))
        .map_err(UsageError)?)
}

/// Results in the order of the utterances.
fn recognise(
    recognizer: &Recognizer,
    utterances: &[Utterance],
    jobs: usize,
) -> anyhow::Result<Vec<anyhow::Result<Heard>>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build()?;
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(utterances.len()));
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} utterances, {eta} left");
    let bar = ProgressBar::new(utterances.len() as u64)
        .with_style(style.expect("the template is well formed"));
    pool.broadcast(|_| {
        let mut scratch = recognizer.scratch();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(utterance) = utterances.get(index) else {
                break;
            };
            let heard = hear(recognizer, &utterance.audio, &mut scratch);
            results
                .lock()
                .expect("no thread panics with the lock")
                .push((index, heard));
            bar.inc(1);
        }
    });
    bar.finish_and_clear();
    let mut results = results
        .into_inner()
        .expect("no thread panics with the lock");
    results.sort_by_key(|(index, _)| *index);
    Ok(results.into_iter().map(|(_, heard)| heard).collect())
}

fn hear(
    recognizer: &Recognizer,
    file: &Path,
    scratch: &mut RecognizerScratch,
) -> anyhow::Result<Heard> {
    let start = thread_time();
    let waveform = Waveform::open(file)?;
    let read = thread_time();
    let transcript = recognizer.transcribe(&waveform, scratch)?;
    Ok(Heard {
        transcript,
        reading: read - start,
        recognising: thread_time() - read,
    })
}

/// Time on the wall, where the system does not tell threads apart.
#[cfg(not(unix))]
fn thread_time() -> Duration {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    START.elapsed()
}

/// Processor time this thread has used.
#[cfg(unix)]
fn thread_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn write_speed(out: &mut impl Write, heard: &[Option<Heard>], wall: Duration) -> io::Result<()> {
    let heard: Vec<&Heard> = heard.iter().flatten().collect();
    let sum = |value: &dyn Fn(&Heard) -> f64| heard.iter().map(|heard| value(heard)).sum::<f64>();
    let audio = sum(&|heard| heard.transcript.audio.0);
    let stage = |time: fn(&Timings) -> Seconds| {
        sum(&|heard| {
            let timings = &heard.transcript.timings;
            let share = time(timings).0 / timings.total().0.max(f64::MIN_POSITIVE);
            share * heard.recognising.as_secs_f64()
        }) / audio
    };
    writeln!(
        out,
        "audio {audio:.1} s, recognised in {:.1} s",
        wall.as_secs_f64()
    )?;
    writeln!(
        out,
        "processor seconds per second of audio: total {:.4} \
         (features {:.4}, acoustic {:.4}, search {:.4}, rescore {:.4}); besides, reading {:.4}",
        sum(&|heard| heard.recognising.as_secs_f64()) / audio,
        stage(|timings| timings.features),
        stage(|timings| timings.acoustic),
        stage(|timings| timings.search),
        stage(|timings| timings.rescore),
        sum(&|heard| heard.reading.as_secs_f64()) / audio,
    )
}

/// `hyp.tsv`: what was heard, as the recogniser wrote it, with its cost and times.
fn write_hypotheses(
    folder: &Path,
    utterances: &[Utterance],
    heard: &[Option<Heard>],
) -> anyhow::Result<()> {
    let mut out = BufWriter::new(File::create(folder.join("hyp.tsv"))?);
    writeln!(
        out,
        "id\tseconds\tprocessor_seconds\tcost\treached_final\ttext"
    )?;
    for (utterance, heard) in utterances.iter().zip(heard) {
        let id = &utterance.id;
        match heard {
            Some(Heard {
                transcript,
                recognising,
                ..
            }) => {
                let (audio, used) = (transcript.audio.0, recognising.as_secs_f64());
                let (cost, last) = (transcript.cost.0, transcript.reached_final);
                let text = transcript.text();
                writeln!(
                    out,
                    "{id}\t{audio:.3}\t{used:.4}\t{cost:.3}\t{last}\t{text}"
                )?;
            }
            None => writeln!(out, "{id}\t\t\t\t\t")?,
        }
    }
    Ok(out.flush()?)
}
