//! `paretone transcribe FILE…`: what was said, file by file, in the order the files were given.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use anyhow::{Context, anyhow};
use indicatif::{ProgressBar, ProgressStyle};

use super::output::Format;
use super::setting::SettingArgs;
use super::tolerance::{Tier, TierArgs, TierReport};
use super::{SOME_FAILED, UsageError, model_folder};
use paretone::acoustic::Precision;
use paretone::audio::Waveform;
use paretone::recognizer::{Options, Recognizer, RecognizerScratch, Setting, Transcript};

/// Transcribe audio files (WAV, FLAC, MP3, Ogg Vorbis): one line of text per file, in input order
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Audio files; `-` reads one from standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The shape of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Say how sure each answer is where text and srt leave it out: text as the first column of a
    /// line, srt in per cent at a subtitle's end. json, ctm and vtt always do
    #[arg(long)]
    pub confidence: bool,
    /// The model's folder [default: models/en, here or near the program]
    #[arg(long, value_name = "DIR", env = "PARETONE_MODEL")]
    pub model: Option<PathBuf>,
    /// Numbers the network multiplies in: auto (the fastest), f32 or int8
    #[arg(long, value_name = "NUMBERS", default_value_t)]
    pub precision: Precision,
    /// Give so many different answers with their costs, best first (JSON only)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub n_best: Option<u16>,
    /// How to search.
    #[command(flatten)]
    pub setting: SettingArgs,
    /// Or which tier.
    #[command(flatten)]
    pub tier: TierArgs,
    /// Files worked on at once [default: one per processor]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
}

/// How answers are printed.
#[derive(Clone, Copy)]
enum Printing {
    /// As the format has it.
    Plain(Format),
    /// With confidences where the format leaves them out.
    WithConfidence(Format),
}

impl Args {
    fn printing(&self) -> Printing {
        if self.confidence && self.format.may_hide_confidence() {
            Printing::WithConfidence(self.format)
        } else {
            Printing::Plain(self.format)
        }
    }
}

/// Transcribes every file; one that fails does not stop the others.
///
/// # Errors
/// When the arguments or the model cannot be used, or standard output cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.format.one_recording_only() && args.files.len() > 1 {
        return Err(UsageError(anyhow!(
            "subtitles hold one recording: give one file, or choose --format json or ctm"
        ))
        .into());
    }
    if args.files.iter().filter(|file| is_stdin(file)).count() > 1 {
        return Err(UsageError(anyhow!("standard input can be read once: give `-` once")).into());
    }
    if args.n_best.is_some() && args.format != Format::Json {
        return Err(UsageError(anyhow!("--n-best needs --format json")).into());
    }
    let options = Options::default()
        .large_model(!args.setting.no_rescore)
        .precision(args.precision);
    let printing = args.printing();
    let folder = model_folder(args.model)?;
    let recognizer = Recognizer::open_with(&folder, options)
        .with_context(|| format!("the model in {} cannot be used", folder.display()))
        .map_err(UsageError)?;
    let recognizer = Arc::new(recognizer);
    let setting = args.setting.of(&recognizer)?;
    let how = How {
        recognizer: &recognizer,
        setting,
        n_best: usize::from(args.n_best.unwrap_or(0)),
        tier: args.tier.of(&recognizer)?,
    };
    let failed = transcribe_all(
        &how,
        &args.files,
        printing,
        jobs(args.jobs, args.files.len()),
    )?;
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(SOME_FAILED)
    })
}

/// How many threads: what was asked for, else one per processor, and never more than files.
fn jobs(asked: Option<u16>, files: usize) -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    asked.map_or_else(processors, usize::from).min(files)
}

/// Prints the answer of every file in order, each as soon as those before it are printed. Returns
/// how many failed.
fn transcribe_all(
    how: &How<'_>,
    files: &[PathBuf],
    printing: Printing,
    jobs: usize,
) -> anyhow::Result<usize> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build()?;
    let next = AtomicUsize::new(0);
    let (sender, results) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let sender = sender;
            pool.broadcast(|_| {
                let mut scratch = how.recognizer.scratch();
                // Files are taken one by one, not dealt out, so that answers come nearly in order
                // and print early.
                while let Some((index, file)) = take(&next, files) {
                    let result = how.transcribe(file, &mut scratch);
                    if sender.send((index, result)).is_err() {
                        break; // Nobody prints any more: standard output was closed.
                    }
                }
            });
        });
        print_in_order(results, files, printing)
    })
}

fn take<'f>(next: &AtomicUsize, files: &'f [PathBuf]) -> Option<(usize, &'f Path)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    files.get(index).map(|file| (index, file.as_path()))
}

/// What to do with a file.
struct How<'a> {
    recognizer: &'a Recognizer,
    setting: Setting,
    /// Answers to give; 0: the best alone.
    n_best: usize,
    /// Who serves the tier, where one was asked for.
    tier: Option<Tier>,
}

/// What was heard, and how its tier came by it.
type Heard = (Transcript, Option<TierReport>);

impl How<'_> {
    fn transcribe(&self, file: &Path, scratch: &mut RecognizerScratch) -> anyhow::Result<Heard> {
        let waveform = if is_stdin(file) {
            Waveform::read(io::stdin().lock(), None)?
        } else {
            Waveform::open(file)?
        };
        if let Some(tier) = &self.tier {
            let (transcript, report) = tier.transcribe(&waveform)?;
            return Ok((transcript, Some(report)));
        }
        Ok((self.at_setting(&waveform, scratch)?, None))
    }

    fn at_setting(
        &self,
        waveform: &Waveform,
        scratch: &mut RecognizerScratch,
    ) -> anyhow::Result<Transcript> {
        let (recognizer, setting) = (self.recognizer, &self.setting);
        if self.n_best == 0 {
            return Ok(recognizer.transcribe_at(setting, waveform, scratch)?);
        }
        let scored = recognizer.score(waveform, scratch)?;
        let mut transcript = recognizer.search(setting, &scored, scratch)?;
        let answers = recognizer.n_best(setting, &scored, self.n_best, scratch)?;
        transcript.set_alternatives(answers);
        Ok(transcript)
    }
}

fn print_in_order(
    results: mpsc::Receiver<(usize, anyhow::Result<Heard>)>,
    files: &[PathBuf],
    printing: Printing,
) -> anyhow::Result<usize> {
    let mut out = BufWriter::new(io::stdout().lock());
    let bar = progress_bar(files.len());
    let mut waiting = BTreeMap::new();
    let (mut printed, mut failed) = (0, 0);
    for (index, result) in results {
        waiting.insert(index, result);
        bar.inc(1);
        while let Some(result) = waiting.remove(&printed) {
            let file = &files[printed];
            printed += 1;
            match result {
                Ok((transcript, tier)) => {
                    let (transcript, tier) = (&transcript, tier.as_ref());
                    match printing {
                        Printing::Plain(format) => format.write(&mut out, file, transcript, tier),
                        Printing::WithConfidence(format) => {
                            format.write_with_confidence(&mut out, file, transcript, tier)
                        }
                    }?;
                }
                Err(error) => {
                    failed += 1;
                    let error = format!("{error:#}");
                    bar.suspend(|| eprintln!("paretone: {}: {error}", file.display()));
                    let (Printing::Plain(format) | Printing::WithConfidence(format)) = printing;
                    format.write_error(&mut out, file, &error)?;
                }
            }
            out.flush()?;
        }
    }
    bar.finish_and_clear();
    Ok(failed)
}

/// A bar on standard error where someone watches and there is more than one file to wait for.
fn progress_bar(files: usize) -> ProgressBar {
    if files < 2 {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files, {eta} left");
    ProgressBar::new(files as u64).with_style(style.expect("the template is well formed"))
}

fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}
