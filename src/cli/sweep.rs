//! `paretone sweep`: measure many settings of the search on a corpus and find the Pareto front.
//!
//! Everything lives in one folder: `plan.txt` (which settings, in the order they were asked for),
//! `measurements.csv` (one line for each utterance and setting, appended at once), and what is made
//! from them: `points.csv`, `points.json`, `front.txt`, `sweep.svg`. A sweep that was interrupted
//! goes on when the same command is given again; another search in the same folder adds to it.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use anyhow::{Context, anyhow, bail};
use clap::ValueEnum;
use indicatif::ProgressBar;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use xxhash_rust::xxh3::Xxh3;

use super::measure;
use super::score::Judging;
use super::setting::SettingArgs;
use super::{UsageError, model_folder};
use crate::eval::corpus::{self, Utterance};
use crate::eval::plot::{Scale, Scatter, scatter_with_front};
use crate::recognizer::{Knob, Options, Recognizer, RecognizerScratch, Setting};
use crate::sweep::halving::{better_half, rungs};
use crate::sweep::log::{Measurement, MeasurementLog};
use crate::sweep::point::{self, Point};
use crate::sweep::space;

/// What of a model's folder its measurements depend on.
const MODEL_FILES: [&str; 6] = [
    "model.json",
    "acoustic.safetensors",
    "words.txt",
    "lexicon.txt",
    "graph.ngram",
    "rescore.ngram",
];

/// Measure many settings of the search on a corpus: all points, the Pareto front, a picture
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The corpus: a manifest (.tsv), VoxForge submissions, LibriSpeech or Common Voice folders
    #[arg(long, value_name = "PATH")]
    pub manifest: PathBuf,
    /// Folder of the sweep; one that holds measurements is continued
    #[arg(long = "dir", value_name = "DIR")]
    pub folder: PathBuf,
    /// At most so many utterances, evenly spread over the corpus
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// How settings are chosen
    #[arg(long, value_enum, default_value_t = Search::Random)]
    pub search: Search,
    /// How many settings a random, halving or near search tries
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub settings: usize,
    /// Levels of a knob for a grid or knob by knob, loosest first, as in
    /// network_beam=14,12,10 or local_top_n=inf,20,5
    #[arg(long, value_name = "KNOB=LEVELS", value_parser = levels)]
    pub levels: Vec<(Knob, Levels)>,
    /// Settings to measure, one a line, as front.txt has them
    #[arg(long, value_name = "FILE", required_if_eq("search", "list"))]
    pub list: Option<PathBuf>,
    /// Seed of the draws, and of the order in which utterances are measured
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Searches of each utterance at each setting; the fastest counts
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub repeats: u16,
    /// Recordings worked on at once [default: one per processor]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// The model's folder [default: models/en, here or near the program]
    #[arg(long, value_name = "DIR", env = "PARETONE_MODEL")]
    pub model: Option<PathBuf>,
    /// Where searches start from: knobs without levels stay so.
    #[command(flatten)]
    pub base: SettingArgs,
    /// Which utterances, and how words are compared.
    #[command(flatten)]
    pub judging: Judging,
}

/// How settings are chosen.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// Every combination of the levels
    Grid,
    /// One knob at a time through its levels, the others as given
    Knobs,
    /// Random draws of all knobs
    Random,
    /// Random draws, of which ever fewer are measured on ever more utterances
    Halving,
    /// Variations of the front found so far
    Near,
    /// The settings of a file
    List,
}

/// Values of a knob, loosest first; infinity is off.
#[derive(Clone, Debug)]
pub struct Levels(Vec<f64>);

fn levels(text: &str) -> Result<(Knob, Levels), String> {
    let (knob, values) = text.split_once('=').ok_or("write KNOB=LEVEL,LEVEL,…")?;
    let knob: Knob = knob.parse().map_err(|error| format!("{error}"))?;
    let number = |text: &str| match text.parse::<f64>() {
        Ok(value) if value > 0.0 => Ok(value),
        _ => Err(format!(
            "`{text}` is no level: write a number above 0, or inf"
        )),
    };
    let values: Result<Vec<f64>, String> = values.split(',').map(number).collect();
    Ok((knob, Levels(values?)))
}

/// Measures what is not measured yet, and writes and prints what was found.
///
/// # Errors
/// When the corpus, the model, the folder or the arguments cannot be used.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let utterances = corpus::open(&args.manifest).map_err(|error| UsageError(error.into()))?;
    let mut utterances = args.judging.select(utterances)?;
    if let Some(limit) = args.limit {
        utterances = corpus::spread(utterances, limit);
    }
    utterances.shuffle(&mut ChaCha8Rng::seed_from_u64(args.seed));
    let folder = model_folder(args.model.clone())?;
    let recognizer = Recognizer::open(&folder, Options::default())
        .with_context(|| format!("the model in {} cannot be used", folder.display()))
        .map_err(UsageError)?;
    fs::create_dir_all(&args.folder)
        .with_context(|| format!("cannot make {}", args.folder.display()))?;
    check_identity(&args, &folder)?;
    let settings = plan(&args, &recognizer)?;
    let sweep = Sweep {
        args: &args,
        recognizer: &recognizer,
        utterances: &utterances,
    };
    if args.search == Search::Halving {
        sweep.halve(settings)?;
    } else {
        sweep.measure(&settings, utterances.len())?;
    }
    let points = point::points(&sweep.log()?.found);
    write(&args.folder, &points).context("cannot write what was found")?;
    print_front(&points, &mut io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses to mix measurements of another model or another way of counting with what the folder
/// holds.
fn check_identity(args: &Args, model: &Path) -> anyhow::Result<()> {
    let mut hash = Xxh3::new();
    for name in MODEL_FILES {
        if let Ok(bytes) = fs::read(model.join(name)) {
            hash.update(&(bytes.len() as u64).to_le_bytes());
            hash.update(&bytes);
        }
    }
    let (model, strict) = (hash.digest128(), args.judging.strict);
    let (rule, repeats) = (args.judging.alignment, args.repeats);
    let identity = format!("model {model:032x}, strict {strict}, {rule:?}, repeats {repeats}\n");
    let path = args.folder.join("identity.txt");
    let found = match fs::read_to_string(&path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return fs::write(&path, &identity).context(format!("cannot write {}", path.display()));
        }
        Err(error) => return Err(error).context(format!("cannot read {}", path.display())),
    };
    if found != identity {
        let error = anyhow!(
            "{} holds measurements of another kind ({}; now {}): choose another folder",
            args.folder.display(),
            found.trim_end(),
            identity.trim_end()
        );
        return Err(UsageError(error).into());
    }
    Ok(())
}

/// The settings this command asks for: read from the folder's plan if it was given before, so that
/// it goes on as it began, else chosen and added to the plan.
fn plan(args: &Args, recognizer: &Recognizer) -> anyhow::Result<Vec<Setting>> {
    let path = args.folder.join("plan.txt");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).context(format!("cannot read {}", path.display())),
    };
    let base = args.base.of(recognizer)?;
    let name = format!(
        "# {:?}, {} settings, seed {}, {:?}, {:?}, from {base}",
        args.search, args.settings, args.seed, args.levels, args.list
    );
    let chapters = text
        .split_inclusive('\n')
        .skip_while(|line| line.trim_end() != name);
    let planned: Vec<&str> = chapters
        .skip(1)
        .take_while(|line| !line.starts_with('#'))
        .collect();
    if !planned.is_empty() {
        let parse = |line: &str| Ok(line.trim_end().parse::<Setting>()?);
        return planned.into_iter().map(parse).collect();
    }
    let chosen = choose(args, &base)?;
    let mut chapter = format!("{text}{name}\n");
    for setting in &chosen {
        chapter += &format!("{setting}\n");
    }
    // Written beside and renamed, so that a plan is whole or not there.
    let draft = path.with_extension("part");
    fs::write(&draft, chapter)
        .and_then(|()| fs::rename(&draft, &path))
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(chosen)
}

/// Chooses settings, each once.
fn choose(args: &Args, base: &Setting) -> anyhow::Result<Vec<Setting>> {
    let mut random = ChaCha8Rng::seed_from_u64(args.seed);
    let levels = || -> Vec<(Knob, Vec<f64>)> {
        let pairs = args.levels.iter();
        pairs
            .map(|(knob, values)| (*knob, values.0.clone()))
            .collect()
    };
    let mut chosen = match args.search {
        Search::Grid => space::grid(base, &levels()),
        Search::Knobs => space::one_at_a_time(base, &levels()),
        Search::Random | Search::Halving => space::random(base, args.settings, &mut random),
        Search::Near => space::near(&found_front(args)?, args.settings, &mut random),
        Search::List => listed(args)?,
    };
    let mut seen = HashSet::new();
    chosen.retain(|setting| seen.insert(setting.to_string()));
    Ok(chosen)
}

fn found_front(args: &Args) -> anyhow::Result<Vec<Setting>> {
    let log = MeasurementLog::open(&args.folder.join("measurements.csv"))?;
    let points = point::points(&log.found);
    let front = points.iter().filter(|p| p.on_front || p.on_arcs_front);
    let settings: Result<Vec<Setting>, _> = front.map(|point| point.setting.parse()).collect();
    let settings = settings?;
    if settings.is_empty() {
        let error = anyhow!("a near search starts from a front: sweep a grid or at random first");
        return Err(UsageError(error).into());
    }
    Ok(settings)
}

fn listed(args: &Args) -> anyhow::Result<Vec<Setting>> {
    let Some(path) = &args.list else {
        bail!("--search list needs --list FILE");
    };
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read {}", path.display()))
        .map_err(UsageError)?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            Ok(line
                .parse::<Setting>()
                .map_err(|error| UsageError(error.into()))?)
        })
        .collect()
}

/// What a sweep works on.
struct Sweep<'a> {
    args: &'a Args,
    recognizer: &'a Recognizer,
    utterances: &'a [Utterance],
}

impl Sweep<'_> {
    fn log(&self) -> anyhow::Result<MeasurementLog> {
        Ok(MeasurementLog::open(
            &self.args.folder.join("measurements.csv"),
        )?)
    }

    /// Measures ever fewer settings on ever more utterances.
    fn halve(&self, mut settings: Vec<Setting>) -> anyhow::Result<()> {
        for utterances in rungs(settings.len(), self.utterances.len()) {
            self.measure(&settings, utterances)?;
            if utterances < self.utterances.len() {
                let first: HashSet<&str> = self.ids(utterances).collect();
                let mut found = self.log()?.found;
                found.retain(|one| first.contains(one.id.as_str()));
                let points = point::points(&found);
                let points: BTreeMap<&str, &Point> = points
                    .iter()
                    .map(|point| (point.setting.as_str(), point))
                    .collect();
                let goals = settings.iter().map(|setting| {
                    let point = points.get(setting.to_string().as_str());
                    point.map_or((f64::NAN, f64::NAN), |p| (p.arcs_per_frame, p.wer_percent))
                });
                let kept = better_half(&goals.collect::<Vec<_>>());
                settings = kept.into_iter().map(|at| settings[at]).collect();
            }
        }
        Ok(())
    }

    fn ids(&self, count: usize) -> impl Iterator<Item = &str> {
        self.utterances[..count]
            .iter()
            .map(|utterance| utterance.id.as_str())
    }

    /// Measures the settings on the first utterances, as far as they are not in the log.
    fn measure(&self, settings: &[Setting], utterances: usize) -> anyhow::Result<()> {
        let log = self.log()?;
        let names: Vec<String> = settings.iter().map(Setting::to_string).collect();
        let missing = |id: &str| -> Vec<usize> {
            (0..names.len())
                .filter(|&at| !log.holds(&names[at], id))
                .collect()
        };
        let total: usize = self.ids(utterances).map(|id| missing(id).len()).sum();
        let bar = measure::progress(total as u64, "searches");
        let failure = Mutex::new(None);
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = self.args.jobs.map_or(jobs, usize::from);
        let work = |_: usize, utterance: &Utterance, scratch: &mut RecognizerScratch| {
            let at = missing(&utterance.id);
            let these: Vec<Setting> = at.iter().map(|&at| settings[at]).collect();
            let result = self.measure_one(&log, utterance, &these, scratch, &bar);
            if let Err(error) = result {
                let error = error.context(format!("{}", utterance.audio.display()));
                *failure.lock().expect("no thread panics with the lock") = Some(error);
            }
        };
        measure::for_each_utterance(self.recognizer, &self.utterances[..utterances], jobs, work)?;
        bar.finish_and_clear();
        match failure
            .into_inner()
            .expect("no thread panics with the lock")
        {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Measures one utterance at some settings and appends each as soon as it is known.
    fn measure_one(
        &self,
        log: &MeasurementLog,
        utterance: &Utterance,
        settings: &[Setting],
        scratch: &mut RecognizerScratch,
        bar: &ProgressBar,
    ) -> anyhow::Result<()> {
        if settings.is_empty() {
            return Ok(());
        }
        let repeats = usize::from(self.args.repeats);
        let prepared = measure::prepare(self.recognizer, utterance, repeats, scratch)?;
        for setting in settings {
            let one = std::slice::from_ref(setting);
            let heard = measure::hear(self.recognizer, &prepared, one, repeats, scratch)?;
            let heard = heard.first().expect("one setting, one answer");
            let judged = self
                .args
                .judging
                .judge(utterance, &heard.transcript.text())?;
            let (counts, effort) = (judged.scored.counts, heard.transcript.effort);
            log.append(&Measurement {
                setting: setting.to_string(),
                id: utterance.id.clone(),
                errors: counts.errors() as u32,
                words: counts.reference as u32,
                audio_seconds: prepared.scored.audio.0,
                scores_seconds: prepared.scores.0,
                search_seconds: heard.search.0,
                rescore_seconds: heard.rescore.0,
                frames: effort.frames,
                tokens: effort.tokens,
                arcs: effort.arcs,
                epsilon_arcs: effort.epsilon_arcs,
            })?;
            bar.inc(1);
        }
        Ok(())
    }
}

/// `points.csv`, `points.json` and `front.txt`.
fn write(folder: &Path, points: &[Point]) -> anyhow::Result<()> {
    let mut table = csv::Writer::from_path(folder.join("points.csv"))?;
    for point in points {
        table.serialize(point)?;
    }
    table.flush()?;
    let json = BufWriter::new(File::create(folder.join("points.json"))?);
    serde_json::to_writer_pretty(json, points)?;
    let mut front = BufWriter::new(File::create(folder.join("front.txt"))?);
    for point in points.iter().filter(|p| p.on_front || p.on_arcs_front) {
        writeln!(front, "{}", point.setting)?;
    }
    front.flush()?;
    Ok(fs::write(folder.join("sweep.svg"), picture(points)?)?)
}

/// The cloud of word error rate against response time, and its front.
fn picture(points: &[Point]) -> anyhow::Result<String> {
    let most = points.iter().map(|point| point.utterances).max();
    let whole: Vec<&Point> = (points.iter())
        .filter(|point| Some(point.utterances) == most)
        .collect();
    let at = |point: &&Point| (1000.0 * point.response_seconds, point.wer_percent);
    let cloud: Vec<(f64, f64)> = whole.iter().map(at).collect();
    let front: Vec<usize> = (0..whole.len()).filter(|&at| whole[at].on_front).collect();
    Ok(scatter_with_front(&Scatter {
        x: ("response time of an utterance, ms", Scale::Logarithmic),
        y: ("word error rate, %", Scale::Logarithmic),
        points: &cloud,
        front: &front,
        marks: &[],
    })?)
}

/// The response-time front as a table, fastest first.
fn print_front(points: &[Point], out: &mut impl Write) -> io::Result<()> {
    let mut front: Vec<&Point> = points.iter().filter(|point| point.on_front).collect();
    front.sort_by(|a, b| a.response_seconds.total_cmp(&b.response_seconds));
    let utterances = front.first().map_or(0, |point| point.utterances);
    writeln!(
        out,
        "{} settings, {} of them on all of {utterances} utterances, {} on the front",
        points.len(),
        points
            .iter()
            .filter(|point| point.utterances == utterances)
            .count(),
        front.len()
    )?;
    writeln!(
        out,
        "{:>7} {:>9} {:>8} {:>10}  setting",
        "WER %", "ms/utt", "RTF", "arcs/frame"
    )?;
    for point in front {
        writeln!(
            out,
            "{:>7.2} {:>9.2} {:>8.4} {:>10.0}  {}",
            point.wer_percent,
            1000.0 * point.response_seconds,
            point.real_time_factor,
            point.arcs_per_frame,
            point.setting
        )?;
    }
    Ok(())
}
