//! `paretone transcribe FILE…`: what was said, recording by recording, in the order they were
//! given.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use anyhow::{Context, anyhow};
use indicatif::ProgressBar;

use super::destination::{Destination, DestinationArgs};
use super::grammar::GrammarArg;
use super::inputs::{Input, Inputs};
use super::output::{Answer, Format, Numbers, Shape};
use super::recording::{Again, Hearing, RecordingArgs};
use super::setting::SettingArgs;
use super::tolerance::{Tier, TierArgs};
use super::vad::Vad;
use super::{SOME_FAILED, UsageError, model_folder, progress};
use paretone::WithCauses;
use paretone::acoustic::Precision;
use paretone::audio::{Bounds, ChannelChoice, Reader, Signal, Waveform};
use paretone::graph::WordList;
use paretone::recognizer::{Recognizer, RecognizerScratch, Setting, Transcript};
use paretone::units::Seconds;
use xxhash_rust::xxh3::xxh3_64;

/// Transcribe recordings: one line of text each, in the order given
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Audio files, folders with audio files in them or below, or patterns; `-` reads standard
    /// input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write answers in this form; several, with commas between them, where each has a file of its
    /// own [default: that of --output's extension, else text]
    #[arg(long, value_enum, value_delimiter = ',', help_heading = "What to write")]
    pub format: Vec<Format>,
    /// Where the answers go.
    #[command(flatten)]
    pub destination: DestinationArgs,
    /// Say how sure each answer is where text and srt leave it out: text as the first column of a
    /// line, srt in per cent at a subtitle's end. json, ctm and vtt always do
    #[arg(long, help_heading = "What to write")]
    pub confidence: bool,
    /// Expect these words and phrases, one a line, each perhaps with a boost (usually 3) and
    /// phones: `Paretone 3.0 P EH R AH T OW N`
    #[arg(long, value_name = "FILE", help_heading = "What to expect")]
    pub words: Option<PathBuf>,
    /// Hear the sentences of this grammar and nothing else: a list of sentences, one a line, JSGF,
    /// or phrases as libvosk takes them, `["turn on", "[unk]"]`, in the file or in its place;
    /// nothing is rescored, and no confidence is known
    #[arg(long, value_name = "FILE", conflicts_with_all = ["words", "graph"], help_heading = "What to expect")]
    pub grammar: Option<GrammarArg>,
    /// Hear everything else too: the grammar's sentences are phrases that are likelier than usual
    #[arg(long, requires = "grammar", help_heading = "What to expect")]
    pub mixed: bool,
    /// Search this graph of `graph compile` in place of the model's own; it alone says how words
    /// follow each other, nothing is rescored, and no confidence is known
    #[arg(long, value_name = "FILE", help_heading = "What to expect")]
    pub graph: Option<PathBuf>,
    /// Write numbers in this way
    #[arg(long, value_enum, default_value_t, help_heading = "What to write")]
    pub numbers: Numbers,
    /// Use this model: its folder, or its name (see `paretone model list`) [default: en]
    #[arg(long, value_name = "DIR", env = "PARETONE_MODEL", help_heading = "How to search")]
    pub model: Option<PathBuf>,
    /// Multiply in these numbers: auto (the fastest), f32 or int8
    #[arg(long, value_name = "NUMBERS", default_value_t, help_heading = "How to search")]
    pub precision: Precision,
    /// Leave out what is no speech (voice activity detection), or hear all
    #[arg(long, value_enum, default_value_t, help_heading = "How to read recordings")]
    pub vad: Vad,
    /// Give so many different answers with their costs, best first (JSON only)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000), help_heading = "What to write")]
    pub n_best: Option<u16>,
    /// How recordings are read.
    #[command(flatten)]
    pub recording: RecordingArgs,
    /// How to search.
    #[command(flatten)]
    pub setting: SettingArgs,
    /// Or which tier.
    #[command(flatten)]
    pub tier: TierArgs,
    /// Work on this many files at once [default: one per processor]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "How to search")]
    pub jobs: Option<u16>,
}

impl Args {
    /// The flag that makes the model another than the one in its folder.
    fn varied_by(&self) -> Option<&'static str> {
        match (&self.words, &self.grammar, &self.graph) {
            (Some(_), ..) => Some("--words"),
            (_, Some(_), _) => Some("--grammar"),
            (.., Some(_)) => Some("--graph"),
            _ => None,
        }
    }
}

/// Transcribes every recording; one that fails does not stop the others.
///
/// # Errors
/// When the arguments or the model cannot be used, or the answers cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let inputs = Inputs::of(&args.files)?;
    let formats = args.destination.formats(&args.format);
    args.destination.check(&formats, &inputs.list)?;
    if args.n_best.is_some() && formats != [Format::Json] {
        return Err(UsageError(anyhow!("--n-best needs --format json")).into());
    }
    let hearing = args.recording.hearing()?;
    let made_with = made_with(&args)?;
    let shape = Shape { confidence: args.confidence, numbers: args.numbers };
    let recognizer = Arc::new(open(&args)?);
    let setting = args.setting.of(&recognizer)?;
    let how = How {
        recognizer: &recognizer,
        setting,
        recording: &args.recording,
        hearing,
        n_best: usize::from(args.n_best.unwrap_or(0)),
        tier: args.tier.of(&recognizer, args.varied_by())?,
    };
    let destination = args.destination.open(formats, &inputs.list, &made_with)?;
    let (done, left): (Vec<Input>, Vec<Input>) = inputs
        .list
        .into_iter()
        .partition(|input| args.destination.resume && destination.has(input));
    if !done.is_empty() {
        progress::tell(&format!("{} recordings are done already", done.len()));
    }
    let failed = transcribe_all(&how, &left, destination, shape, jobs(args.jobs, left.len()))?;
    Ok(match failed + inputs.unreadable {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(SOME_FAILED),
    })
}

/// Opens the model, with the caller's graph, grammar or words.
fn open(args: &Args) -> anyhow::Result<Recognizer> {
    let options = args.setting.options(args.precision).speech_gate(args.vad.is_on());
    let options = match &args.graph {
        Some(graph) => options.graph(graph),
        None => options,
    };
    let folder = model_folder(args.model.clone())?;
    let opening = progress::spinner("opening the model; the first time its graph is compiled");
    let recognizer = Recognizer::open_with(&folder, options)
        .with_context(|| format!("the model in {} cannot be used", folder.display()))
        .map_err(UsageError)?;
    opening.finish_and_clear();
    match &args.grammar {
        Some(grammar) => grammar.heard_by(&recognizer, args.mixed),
        None => with_words(recognizer, args.words.as_deref()),
    }
}

/// The recogniser with the words of a list, if one was given.
fn with_words(recognizer: Recognizer, list: Option<&Path>) -> anyhow::Result<Recognizer> {
    let Some(path) = list else {
        return Ok(recognizer);
    };
    let list = WordList::open(path).map_err(|error| UsageError(error.into()))?;
    if list.is_empty() {
        tracing::warn!("{} lists no words: write one a line", path.display());
    }
    let extended = recognizer.with_words(&list).with_context(|| path.display().to_string());
    Ok(extended.map_err(UsageError)?)
}

/// All that answers depend on besides their recordings: a line each, as the flag that says so.
fn made_with(args: &Args) -> anyhow::Result<String> {
    let folder = model_folder(args.model.clone())?;
    let folder = folder.canonicalize().unwrap_or(folder);
    let mut lines = vec![
        format!("paretone {}", env!("CARGO_PKG_VERSION")),
        format!("--model {}", folder.display()),
        format!("--precision {}", args.precision),
        format!("--vad {}", if args.vad.is_on() { "on" } else { "off" }),
    ];
    let read = |path: &PathBuf| std::fs::read(path).with_context(|| path.display().to_string());
    let contents = [
        ("words", args.words.as_ref().map(read)),
        ("grammar", args.grammar.as_ref().map(GrammarArg::bytes)),
        ("graph", args.graph.as_ref().map(read)),
    ];
    for (flag, bytes) in contents {
        let Some(bytes) = bytes else { continue };
        let hash = xxh3_64(&bytes.map_err(UsageError)?);
        lines.push(format!("--{flag} with the contents {hash:016x}"));
    }
    let flags = [("mixed", args.mixed), ("confidence", args.confidence)];
    lines.extend(flags.iter().filter(|(_, on)| *on).map(|(flag, _)| format!("--{flag}")));
    lines.extend(args.n_best.map(|count| format!("--n-best {count}")));
    if args.numbers == Numbers::Digits {
        lines.push("--numbers digits".to_owned());
    }
    lines.extend(args.recording.spelled());
    lines.extend(args.setting.spelled());
    lines.extend(args.tier.spelled());
    Ok(lines.join("\n") + "\n")
}

/// How many threads: what was asked for, else one per processor, and never more than files.
fn jobs(asked: Option<u16>, files: usize) -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    asked.map_or_else(processors, usize::from).min(files)
}

/// Writes the answer for every recording as soon as it is there, in order where there is one.
/// Returns how many failed.
fn transcribe_all(
    how: &How<'_>,
    inputs: &[Input],
    destination: Destination,
    shape: Shape,
    jobs: usize,
) -> anyhow::Result<usize> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build()?;
    let next = AtomicUsize::new(0);
    let (sender, results) = mpsc::channel();
    let bar = progress_bar(inputs.len());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let sender = sender;
            pool.broadcast(|_| {
                let mut scratch = how.recognizer.scratch();
                // Recordings are taken one by one, not dealt out, so that answers come nearly in
                // order and are written early.
                while let Some((index, input)) = take(&next, inputs) {
                    let result = how.transcribe(input, &mut scratch, &bar);
                    if sender.send((index, result)).is_err() {
                        break; // Nobody writes any more: standard output was closed.
                    }
                }
            });
        });
        let mut writing = Writing { inputs, destination, shape, bar: bar.clone(), failed: 0 };
        writing.all(results)?;
        writing.bar.finish_and_clear();
        writing.destination.finish()?;
        Ok(writing.failed)
    })
}

fn take<'f>(next: &AtomicUsize, inputs: &'f [Input]) -> Option<(usize, &'f Input)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    inputs.get(index).map(|input| (index, input))
}

/// What to do with a file.
struct How<'a> {
    recognizer: &'a Recognizer,
    setting: Setting,
    recording: &'a RecordingArgs,
    hearing: Hearing,
    /// Answers to give; 0: the best alone.
    n_best: usize,
    /// Who serves the tier, where one was asked for.
    tier: Option<Tier>,
}

impl How<'_> {
    fn transcribe(
        &self,
        input: &Input,
        scratch: &mut RecognizerScratch,
        bar: &ProgressBar,
    ) -> anyhow::Result<Answer> {
        let mut listener = Listener { how: self, scratch, bar };
        match self.hearing {
            Hearing::One(choice) => {
                let reader = self.recording.open(&input.file)?;
                listener.hear(reader, choice)
            }
            Hearing::Separate => listener.hear_channels(input),
        }
    }
}

/// A thread that listens to one recording after the other.
struct Listener<'l, 'a> {
    how: &'l How<'a>,
    scratch: &'l mut RecognizerScratch,
    bar: &'l ProgressBar,
}

impl Listener<'_, '_> {
    /// What is said in each channel. A recording is read once for each, so that memory is that of
    /// one.
    fn hear_channels(&mut self, input: &Input) -> anyhow::Result<Answer> {
        let copy = Again::of(&input.file)?;
        let open = || self.how.recording.open(copy.path());
        let mut all = Answer::default();
        let (mut channel, mut count) = (0, 1);
        while channel < count {
            let reader = open()?;
            count = reader.channels();
            let one = self.hear(reader, ChannelChoice::One(channel))?;
            all.partly_read = all.partly_read.or(one.partly_read);
            all.tier = match (all.tier, one.tier) {
                (Some(all), Some(one)) => Some(all.with(one)),
                (all, one) => all.or(one),
            };
            all.channels.push(one.transcript);
            channel += 1;
        }
        Ok(all)
    }

    /// What is said in one signal.
    fn hear(&mut self, reader: Reader<'_>, choice: ChannelChoice) -> anyhow::Result<Answer> {
        let recognizer = self.how.recognizer;
        let bar = self.bar;
        let signal = Signal::new(reader, recognizer.sample_rate(), choice)?;
        let mut signal = signal.watched(|heard| tell(heard, bar));
        let mut answer = Answer::default();
        if let Some(tier) = &self.how.tier {
            let waveform = Waveform::collect(&mut signal, Bounds::default())?;
            let (transcript, report) = tier.transcribe(&waveform)?;
            (answer.transcript, answer.tier) = (transcript, Some(report));
        } else {
            answer.transcript = self.at_setting(&mut signal)?;
        }
        answer.partly_read = signal.shortfall();
        Ok(answer)
    }

    fn at_setting(&mut self, signal: &mut Signal<'_>) -> anyhow::Result<Transcript> {
        let (recognizer, setting) = (self.how.recognizer, &self.how.setting);
        if self.how.n_best == 0 {
            return Ok(recognizer.transcribe_signal(setting, signal, self.scratch)?);
        }
        let scored = recognizer.score_signal(signal, self.scratch)?;
        let mut transcript = recognizer.search(setting, &scored, self.scratch)?;
        let answers = recognizer.n_best(setting, &scored, self.how.n_best, self.scratch)?;
        transcript.set_alternatives(answers);
        Ok(transcript)
    }
}

/// Says how much of a recording was heard: on a terminal always, and in the log every ten minutes
/// of it.
fn tell(heard: Seconds, bar: &ProgressBar) {
    let seconds = heard.0 as u64;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let clock = format!("{hours}:{minutes:02}:{:02}", seconds % 60);
    if seconds > 0 && seconds.is_multiple_of(600) {
        tracing::info!("{clock} heard");
    }
    bar.set_message(format!("{clock} heard"));
}

/// The writing of answers as they come.
struct Writing<'a> {
    inputs: &'a [Input],
    destination: Destination,
    shape: Shape,
    bar: ProgressBar,
    failed: usize,
}

impl Writing<'_> {
    /// Writes all answers: each when those before it are written, or at once where it has a file of
    /// its own.
    fn all(
        &mut self,
        results: mpsc::Receiver<(usize, anyhow::Result<Answer>)>,
    ) -> anyhow::Result<()> {
        let mut waiting = BTreeMap::new();
        let mut written = 0;
        for (index, result) in results {
            self.bar.inc(1);
            if !self.destination.is_ordered() {
                self.one(index, result)?;
                continue;
            }
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&written) {
                self.one(written, result)?;
                written += 1;
            }
        }
        Ok(())
    }

    fn one(&mut self, index: usize, result: anyhow::Result<Answer>) -> anyhow::Result<()> {
        let input = &self.inputs[index];
        match result {
            Ok(answer) => {
                if let Some(why) = &answer.partly_read {
                    self.failed += 1;
                    let file = input.file.display();
                    let told = || eprintln!("paretone: {file}: only a part was heard: {why}");
                    self.bar.suspend(told);
                }
                self.destination.write(input, &answer, self.shape)
            }
            Err(error) => {
                self.failed += 1;
                let plain = WithCauses(error.as_ref()).to_string();
                let named = error.context(input.file.display().to_string());
                let told = || eprintln!("paretone: {}", WithCauses(named.as_ref()));
                self.bar.suspend(told);
                self.destination.write_error(input, &plain).context("cannot write the answers")
            }
        }
    }
}

/// A bar on standard error where someone watches: of files where there are several, and how much of
/// the recording is heard.
fn progress_bar(files: usize) -> ProgressBar {
    match files {
        0 => ProgressBar::hidden(),
        1 => progress::spinner("listening"),
        many => progress::bar(many as u64, "files"),
    }
}
