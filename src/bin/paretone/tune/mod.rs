//! `paretone tune`: everything between a model and its certified tiers, in one command.
//!
//! Its steps, in the order of [`paretone::sweep::tuning`], are the program's other commands
//! (`sweep`, `versions pick`, `bench`, `confidence fit`, `tiers train`, `report`), run one after
//! the other, and printed before they run: to do a step differently, run its command yourself and
//! then this one again. A tuning that was interrupted continues where it stopped.

mod part;
mod steps;
mod told;

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};

use super::{UsageError, model_folder, progress};
use paretone::confidence::CONFIDENCE_FILE;
use paretone::decode::Knob;
use paretone::recognizer::{Recognizer, Setting, VERSIONS_FILE};
use paretone::sweep::space;
use paretone::sweep::tuning::{self, TRIED_ON};
use paretone::tiers::RULES_FILE;

use steps::{Step, Steps};

/// The table of outcomes that tiers are certified by, in the tuning's folder.
const OUTCOMES: &str = "outcomes.csv";

/// Tune any model to speech of your own: choose its versions, calibrate their confidence and
/// certify tolerance tiers, all written beside the model
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Tune this model: the folder of one of ours or of one of Vosk's
    #[arg(long, value_name = "DIR", env = "PARETONE_MODEL")]
    pub model: PathBuf,
    /// Tune to this speech with its texts: a manifest (.tsv), Kaldi's data directories, VoxForge
    /// submissions, LibriSpeech or Common Voice folders
    #[arg(long, value_name = "PATH")]
    pub manifest: PathBuf,
    /// Keep what is measured in this folder; one that holds an interrupted tuning is continued
    /// [default: tune in the model's folder]
    #[arg(long = "dir", value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// Learn versions and confidence on this split of the manifest; --certify-split names the other
    #[arg(long, value_name = "NAME", requires = "certify_split")]
    pub split: Option<String>,
    /// Certify tiers on this split of the manifest [default: without splits, half of the speakers]
    #[arg(long, value_name = "NAME", requires = "split")]
    pub certify_split: Option<String>,
    /// Choose this many versions
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u8).range(2..=99))]
    pub count: u8,
    /// Let the fastest version make at most so many more errors than the most accurate, relatively
    #[arg(long, value_name = "SHARE", default_value_t = 0.4)]
    pub gap: f64,
    /// Try these levels of a knob, as in `sweep` [default: beams and numbers of tokens around the
    /// model's own]
    #[arg(long, value_name = "KNOB=LEVELS")]
    pub levels: Vec<String>,
    /// Work on this many recordings at once [default: one per processor]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Leave `to day`, `any one` and their like as two words
    #[arg(long)]
    pub strict: bool,
}

/// Runs what is left to do by commands that it has given, and says what came of it.
///
/// # Errors
/// When the model, the speech or the folder cannot be used, or a step cannot be done.
pub fn run(
    args: Args,
    give: fn(&[OsString]) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let model = model_folder(Some(args.model.clone()))?;
    let folder = args.folder.clone().unwrap_or_else(|| model.join("tune"));
    fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))
        .map_err(UsageError)?;
    let parts = part::part(&args, &folder)?;
    parts.tell();
    let tuning = Tuning { bases: bases(&model, &folder)?, args, model, folder };
    let mut steps = Steps::open(tuning.folder.join("done.txt"))?;
    let plan = tuning.plan();
    let mut partly = false;
    for (at, step) in plan.iter().enumerate() {
        let name = format!("step {} of {}: {}", at + 1, plan.len(), step.what);
        if steps.is_done(step)? {
            progress::tell(&format!("{name}: done before"));
            continue;
        }
        progress::tell(&format!("{name}\n  {}", step.line()));
        match give(&step.command) {
            Ok(code) => partly |= code != ExitCode::SUCCESS,
            Err(error) if step.may_lack_speech && told::is_too_few(&error) => {
                told::tell_uncalibrated(&error);
            }
            Err(error) => return Err(error.context(format!("step {}: {}", at + 1, step.what))),
        }
        steps.done(step)?;
    }
    let mut out = io::stdout().lock();
    told::write(&mut out, &parts, &tuning.model, &tuning.folder)?;
    out.flush()?;
    Ok(match partly {
        true => ExitCode::from(super::SOME_FAILED),
        false => ExitCode::SUCCESS,
    })
}

/// The settings that sweeps start from: the model's when the tuning began.
fn bases(model: &Path, folder: &Path) -> anyhow::Result<Vec<Setting>> {
    let path = folder.join("base.txt");
    if let Ok(text) = fs::read_to_string(&path) {
        let settings: Result<Vec<Setting>, _> = text.lines().map(str::parse).collect();
        let found = settings.ok().filter(|settings| !settings.is_empty());
        return found.ok_or_else(|| unusable(format!("{} is damaged: remove it", path.display())));
    }
    let recognizer = Recognizer::open(model)
        .with_context(|| format!("the model in {} cannot be used", model.display()))
        .map_err(UsageError)?;
    let settings = tuning::bases(recognizer.setting(), recognizer.has_neural_model());
    let text: String = settings.iter().map(|setting| format!("{setting}\n")).collect();
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(settings)
}

/// What is tuned, and how.
struct Tuning {
    args: Args,
    model: PathBuf,
    folder: PathBuf,
    bases: Vec<Setting>,
}

impl Tuning {
    fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// All steps, in their order.
    fn plan(&self) -> Vec<Step> {
        let report = Step::new("report", self.report(&self.at(OUTCOMES)))
            .from([&self.at(OUTCOMES)])
            .to([&self.at("report/index.html")]);
        let steps = tuning::Step::ALL.into_iter().flat_map(|step| self.steps(step));
        steps.chain([report]).collect()
    }

    /// The commands that do a step of a tuning.
    fn steps(&self, step: tuning::Step) -> Vec<Step> {
        let (learn, certify) = (self.at(part::LEARN), self.at(part::CERTIFY));
        let (wide, narrow) = (self.at("wide/points.json"), self.at("narrow/points.json"));
        let (heard, words) = (self.at("learn.csv"), self.at("learn-words.csv"));
        let outcomes = self.at(OUTCOMES);
        let [versions, confidence, rules] =
            [VERSIONS_FILE, CONFIDENCE_FILE, RULES_FILE].map(|name| self.model.join(name));
        let step = match step {
            tuning::Step::Try => return self.tries(&learn, &wide),
            tuning::Step::Measure => {
                Step::new("measure the good ones on all of it", self.narrow(&learn, &wide))
                    .from([&learn, &wide])
                    .to([&narrow])
            }
            tuning::Step::Pick => {
                Step::new("pick the versions", self.pick()).from([&narrow]).to([&versions])
            }
            tuning::Step::Hear => Step::new(
                "hear the speech by all versions",
                self.hear(&learn, &heard, Some(&words)),
            )
            .from([&learn, &versions])
            .to([&heard, &words]),
            tuning::Step::Calibrate => {
                Step::new("calibrate their confidence", self.fit(&heard, &words))
                    .from([&heard, &words])
                    .lacking_speech()
            }
            tuning::Step::HearOthers => {
                Step::new("hear the other speakers", self.hear(&certify, &outcomes, None))
                    .from([&certify, &versions, &confidence])
                    .to([&outcomes])
            }
            tuning::Step::Certify => {
                Step::new("certify the tiers", self.train(&outcomes)).from([&outcomes]).to([&rules])
            }
        };
        vec![step]
    }

    /// A sweep around each base.
    fn tries(&self, learn: &PathBuf, wide: &PathBuf) -> Vec<Step> {
        let what =
            ["try many settings on some of the speech", "try them with the neural language model"];
        let bases = self.bases.iter().zip(what);
        let tries = bases
            .map(|(base, what)| Step::new(what, self.wide(learn, base)).from([learn]).to([wide]));
        tries.collect()
    }

    fn sweep(&self, manifest: &Path, name: &str) -> Vec<OsString> {
        let mut line = words(["sweep", "--manifest"]);
        line.extend([manifest.into(), "--model".into(), self.model.clone().into()]);
        line.extend(["--dir".into(), self.at(name).into()]);
        self.judged(&mut line);
        line
    }

    fn wide(&self, learn: &Path, base: &Setting) -> Vec<OsString> {
        let mut line = self.sweep(learn, "wide");
        line.extend(words(["--limit", &TRIED_ON.to_string(), "--search", "grid", "--setting"]));
        line.push(base.to_string().into());
        for levels in self.levels() {
            line.extend(words(["--levels", &levels]));
        }
        line
    }

    fn narrow(&self, learn: &Path, wide: &Path) -> Vec<OsString> {
        let mut line = self.sweep(learn, "narrow");
        let gap = tuning::gap_to_measure(self.args.gap).to_string();
        line.extend(words(["--search", "close", "--gap", &gap, "--setting"]));
        line.extend([self.bases[0].to_string().into(), "--points".into(), wide.into()]);
        line
    }

    /// What was asked for, else levels around the model's own.
    fn levels(&self) -> Vec<String> {
        if !self.args.levels.is_empty() {
            return self.args.levels.clone();
        }
        let text = |(knob, values): (Knob, Vec<f64>)| {
            let values: Vec<String> = values.iter().map(f64::to_string).collect();
            format!("{knob}={}", values.join(","))
        };
        space::levels_around(&self.bases[0]).map(text).into()
    }

    fn pick(&self) -> Vec<OsString> {
        let on = format!("{}, by paretone tune", self.args.manifest.display());
        let mut line = words(["versions", "pick", "--count", &self.args.count.to_string()]);
        line.extend(words(["--gap", &self.args.gap.to_string(), "--measured-on", &on, "--points"]));
        line.extend([
            self.at("narrow/points.json").into(),
            "--model".into(),
            self.model.clone().into(),
        ]);
        line
    }

    fn hear(&self, manifest: &Path, outcomes: &Path, heard: Option<&Path>) -> Vec<OsString> {
        let mut line = words(["bench", "--versions", "all", "--manifest"]);
        line.extend([manifest.into(), "--model".into(), self.model.clone().into()]);
        line.extend(["--outcomes".into(), outcomes.into()]);
        if let Some(path) = heard {
            line.extend(["--words".into(), path.into()]);
        }
        self.judged(&mut line);
        line
    }

    fn fit(&self, heard: &Path, spoken: &Path) -> Vec<OsString> {
        let mut line = words(["confidence", "fit", "--outcomes"]);
        line.extend([heard.into(), "--words".into(), spoken.into()]);
        line.extend(["--model".into(), self.model.clone().into()]);
        line
    }

    fn train(&self, outcomes: &Path) -> Vec<OsString> {
        let mut line = words(["tiers", "train", "--outcomes"]);
        line.extend([outcomes.into(), "--out".into(), self.model.join(RULES_FILE).into()]);
        line
    }

    fn report(&self, outcomes: &Path) -> Vec<OsString> {
        let mut line = words(["report"]);
        line.extend([outcomes.into(), "--out".into(), self.at("report").into()]);
        line
    }

    /// How words are compared, and how many recordings are worked on at once.
    fn judged(&self, line: &mut Vec<OsString>) {
        if self.args.strict {
            line.push("--strict".into());
        }
        if let Some(jobs) = self.args.jobs {
            line.extend(words(["--jobs", &jobs.to_string()]));
        }
    }
}

fn words<const N: usize>(texts: [&str; N]) -> Vec<OsString> {
    texts.into_iter().map(OsString::from).collect()
}

/// A [`UsageError`] of these words.
fn unusable(why: impl std::fmt::Display) -> anyhow::Error {
    UsageError(anyhow!("{why}")).into()
}
