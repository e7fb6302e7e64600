//! `paretone bench`: recognise a corpus and report word error rate and speed, version by version.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, anyhow};

use super::score::Scoring;
use super::setting::{SettingArgs, version};
use super::vad::Vad;
use super::{SOME_FAILED, UsageError, model_folder, progress};
use paretone::WithCauses;
use paretone::acoustic::Precision;
use paretone::eval::Judged;
use paretone::eval::corpus::{self, Utterance};
use paretone::recognizer::{Recognizer, RecognizerScratch, References, Setting};
use paretone::sweep::words::{self, HeardWord, heard_words};
use paretone::sweep::{Analysis, Heard, Prepared, analyse, measure, outcome};
use paretone::tiers::{Counter, Outcomes};

/// Recognise a corpus and report word error rate, with S/D/I by set, accent and speaker, and speed
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Recognise this corpus: a manifest (.tsv), VoxForge submissions, LibriSpeech or Common Voice
    /// folders
    #[arg(long, value_name = "PATH")]
    pub manifest: PathBuf,
    /// Take at most this many utterances, evenly spread over the corpus
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Work on this many recordings at once; 1 measures speed best
    #[arg(long, short, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: u16,
    /// Use this model: its folder, or its name (see `paretone model list`) [default: en]
    #[arg(long, value_name = "DIR", env = "PARETONE_MODEL")]
    pub model: Option<PathBuf>,
    /// Multiply in these numbers: auto (the fastest), f32 or int8
    #[arg(long, value_name = "NUMBERS", default_value_t)]
    pub precision: Precision,
    /// Leave out what is no speech (voice activity detection), or hear all
    #[arg(long, value_enum, default_value_t)]
    pub vad: Vad,
    /// Run these versions, one after the other over the same scores; `all` for every one of the
    /// model
    #[arg(long, value_name = "NAME", value_delimiter = ',', conflicts_with = "version")]
    pub versions: Vec<String>,
    /// How to search.
    #[command(flatten)]
    pub setting: SettingArgs,
    /// Search each recording this many times; the fastest counts
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub repeats: u16,
    /// Also compare with the references' own paths and the lattices' best: the share of search
    /// errors, and the oracle error rate (outside the times measured)
    #[arg(long)]
    pub analyse: bool,
    /// Write one row for each utterance and version to this CSV, for `report` and `tiers`
    #[arg(long, value_name = "FILE")]
    pub outcomes: Option<PathBuf>,
    /// Write one row for each word that a version heard to this CSV, for `confidence`: what was
    /// known of it, and whether it was right
    #[arg(long, value_name = "FILE")]
    pub words: Option<PathBuf>,
    /// How to score and what to print.
    #[command(flatten)]
    pub scoring: Scoring,
}

/// What is written for other commands.
struct Tables {
    outcomes: Outcomes,
    words: Vec<HeardWord>,
}

/// One recording, prepared, and what each setting heard in it.
type HeardAt = anyhow::Result<(Prepared, Vec<Heard>)>;

/// Recognises every utterance; one that cannot be read is named, counts neither as right nor as
/// wrong, and does not stop the others.
///
/// # Errors
/// When the corpus or the model cannot be used, no utterance can be recognised, or the output
/// cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let utterances = corpus::open(&args.manifest).map_err(|error| UsageError(error.into()))?;
    let mut utterances = args.scoring.judging.select(utterances)?;
    if let Some(limit) = args.limit {
        utterances = corpus::spread(utterances, limit);
    }
    if utterances.is_empty() {
        return Err(UsageError(anyhow!("--limit 0 leaves nothing to recognise")).into());
    }
    let recognizer = open(&args)?;
    let settings = settings(&args, &recognizer)?;
    let started = Instant::now();
    let heard = recognise(&recognizer, &utterances, &settings, &args)?;
    let wall = started.elapsed().as_secs_f64();
    let failed = tell_failures(&utterances, &heard)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut tables = Tables {
        outcomes: Outcomes {
            made_for: recognizer.made_for().clone(),
            ..Outcomes::with_counters(Counter::ALL)
        },
        words: Vec::new(),
    };
    for (at, (name, _)) in settings.iter().enumerate() {
        let one: Vec<Option<(&Prepared, &Heard)>> =
            heard.iter().map(|heard| heard.as_ref().ok().map(|(p, h)| (p, &h[at]))).collect();
        let bench = OneVersion {
            name: name.as_deref(),
            several: settings.len() > 1,
            utterances: &utterances,
            heard: &one,
            wall,
        };
        bench.report(&args, &mut out, &mut tables)?;
    }
    tables.write(&args)?;
    out.flush()?;
    Ok(ExitCode::from(if failed > 0 { SOME_FAILED } else { 0 }))
}

impl Tables {
    /// Writes the files that were asked for.
    fn write(&self, args: &Args) -> anyhow::Result<()> {
        if let Some(path) = &args.outcomes {
            let error = || format!("cannot write {}", path.display());
            let file = File::create(path).with_context(error)?;
            self.outcomes.write(BufWriter::new(file)).with_context(error)?;
        }
        if let Some(path) = &args.words {
            words::write(path, &self.words)?;
        }
        Ok(())
    }
}

/// Names the recordings that cannot be recognised and returns how many they are; it is an error if
/// none is left.
fn tell_failures(utterances: &[Utterance], heard: &[HeardAt]) -> Result<usize, UsageError> {
    let mut failed = 0;
    for (utterance, heard) in utterances.iter().zip(heard) {
        if let Err(error) = heard {
            let error = WithCauses(error.as_ref());
            eprintln!("paretone: {}: {error}", utterance.audio.display());
            failed += 1;
        }
    }
    if failed == heard.len() {
        return Err(UsageError(anyhow!(
            "none of the {failed} recordings can be recognised, so there is nothing to measure"
        )));
    }
    if failed > 0 {
        progress::tell(&format!(
            "{failed} of {} recordings cannot be recognised and are left out of all figures",
            heard.len()
        ));
    }
    Ok(failed)
}

fn open(args: &Args) -> anyhow::Result<Recognizer> {
    let options = args.setting.options(args.precision).speech_gate(args.vad.is_on());
    let folder = model_folder(args.model.clone())?;
    Ok(Recognizer::open_with(&folder, options)
        .with_context(|| format!("the model in {} cannot be used", folder.display()))
        .map_err(UsageError)?)
}

/// The settings to run, with the names of those that are versions.
fn settings(
    args: &Args,
    recognizer: &Recognizer,
) -> anyhow::Result<Vec<(Option<String>, Setting)>> {
    let mut names = args.versions.clone();
    if names == ["all"] {
        names = recognizer.versions().names().map(str::to_owned).collect();
    }
    if names.is_empty() {
        let setting = args.setting.of(recognizer)?;
        let its = recognizer.versions().at(&setting);
        return Ok(vec![(its.map(|version| version.name.clone()), setting)]);
    }
    let named = |name: String| {
        let setting = version(recognizer, &name)?;
        Ok((Some(name), setting))
    };
    names.into_iter().map(named).collect()
}

/// Results in the order of the utterances.
fn recognise(
    recognizer: &Recognizer,
    utterances: &[Utterance],
    settings: &[(Option<String>, Setting)],
    args: &Args,
) -> anyhow::Result<Vec<HeardAt>> {
    let settings: Vec<Setting> = settings.iter().map(|(_, setting)| *setting).collect();
    let repeats = usize::from(args.repeats);
    let folder = model_folder(args.model.clone())?;
    let references = match args.analyse {
        true => Some(References::open(&folder, recognizer)?),
        false => None,
    };
    let results = Mutex::new(Vec::with_capacity(utterances.len()));
    let bar = progress::bar(utterances.len() as u64, "utterances");
    let work = |index: usize, utterance: &Utterance, scratch: &mut RecognizerScratch| {
        let heard = (|| {
            let mut prepared = measure::prepare(recognizer, utterance, repeats, scratch)?;
            let mut heard = measure::hear(recognizer, &prepared, &settings, repeats, scratch)?;
            if let Some(references) = &references {
                let words = args.scoring.judging.judging().words(&utterance.text);
                let ids = references.ids(&words);
                for (setting, heard) in settings.iter().zip(&mut heard) {
                    let analysis = analyse(
                        (recognizer, references),
                        (setting, &prepared.scored, &heard.transcript),
                        &ids,
                        scratch,
                    );
                    heard.analysis = analysis?;
                }
            }
            prepared.scored.forget_scores();
            Ok((prepared, heard))
        })();
        let mut results = results.lock().expect("no thread panics with the lock");
        results.push((index, heard));
        bar.inc(1);
    };
    measure::for_each_utterance(recognizer, utterances, usize::from(args.jobs), work);
    bar.finish_and_clear();
    let mut results = results.into_inner().expect("no thread panics with the lock");
    results.sort_by_key(|(index, _)| *index);
    Ok(results.into_iter().map(|(_, heard)| heard).collect())
}

/// What one version made of the corpus.
struct OneVersion<'a> {
    name: Option<&'a str>,
    /// Whether other versions are measured too: each then has a folder of its own.
    several: bool,
    utterances: &'a [Utterance],
    heard: &'a [Option<(&'a Prepared, &'a Heard)>],
    wall: f64,
}

impl OneVersion<'_> {
    /// Prints the tables and the speed, and adds the rows of outcomes.
    fn report(&self, args: &Args, out: &mut impl Write, tables: &mut Tables) -> anyhow::Result<()> {
        if let Some(name) = self.name {
            writeln!(out, "\n{name}")?;
        }
        let mut judged: Vec<Judged> = Vec::new();
        for (utterance, heard) in self.utterances.iter().zip(self.heard) {
            let Some((prepared, heard)) = heard else {
                continue;
            };
            let text = heard.transcript.text();
            let one = args.scoring.judging.judge(utterance, &text)?;
            let name = self.name.unwrap_or("default");
            let row = outcome(name, &one, prepared, heard);
            tables.outcomes.rows.push(row);
            if args.words.is_some() {
                let judging = &args.scoring.judging.judging();
                let words = heard_words(name, &heard.transcript, &one, judging);
                tables.words.extend(words);
            }
            judged.push(one);
        }
        let folder = match (&args.scoring.out, self.name) {
            (Some(folder), Some(name)) if self.several => Some(folder.join(name)),
            (folder, _) => folder.clone(),
        };
        args.scoring.report(out, &judged, folder.as_deref())?;
        writeln!(out)?;
        self.write_speed(out)?;
        if args.analyse {
            self.write_causes(out, &judged)?;
        }
        match &folder {
            Some(folder) => self.write_hypotheses(folder),
            None => Ok(()),
        }
    }

    fn write_speed(&self, out: &mut impl Write) -> io::Result<()> {
        let heard: Vec<_> = self.heard.iter().flatten().collect();
        let sum = |value: &dyn Fn(&Prepared, &Heard) -> f64| {
            heard.iter().map(|(p, h)| value(p, h)).sum::<f64>()
        };
        let audio = sum(&|p, _| p.scored.audio.0);
        let features = sum(&|p, _| {
            let timings = p.scored.timings;
            let share = timings.features.0 / timings.total().0.max(f64::MIN_POSITIVE);
            p.scores.0 * share
        });
        writeln!(out, "audio {audio:.1} s, all done in {:.1} s", self.wall)?;
        writeln!(
            out,
            "processor seconds per second of audio: total {:.4} \
             (features {:.4}, acoustic {:.4}, search {:.4}, rescore {:.4}); besides, reading {:.4}",
            sum(&|p, h| p.scores.0 + h.total().0) / audio,
            features / audio,
            (sum(&|p, _| p.scores.0) - features) / audio,
            sum(&|_, h| h.search.0) / audio,
            sum(&|_, h| h.rescore.0) / audio,
            sum(&|p, _| p.reading.0) / audio,
        )?;
        let frames = sum(&|_, h| f64::from(h.transcript.effort.frames)).max(1.0);
        writeln!(
            out,
            "for a score frame: {:.0} tokens, {:.0} arcs, {:.0} epsilon arcs",
            sum(&|_, h| h.transcript.effort.tokens as f64) / frames,
            sum(&|_, h| h.transcript.effort.arcs as f64) / frames,
            sum(&|_, h| h.transcript.effort.epsilon_arcs as f64) / frames,
        )
    }

    /// The oracle of the lattices, and whom to blame for the utterances that are wrong.
    fn write_causes(&self, out: &mut impl Write, judged: &[Judged]) -> io::Result<()> {
        let words: u64 = judged.iter().map(|one| one.scored.counts.reference).sum();
        let analysed = || self.heard.iter().flatten().map(|(_, heard)| heard.analysis);
        let oracle: u32 = analysed().map(|analysis| analysis.lattice_errors).sum();
        writeln!(
            out,
            "oracle of the lattices: {oracle} errors, {:.2} % of the words",
            100.0 * f64::from(oracle) / words.max(1) as f64
        )?;
        let wrong = judged.iter().zip(self.heard.iter().flatten());
        let wrong = wrong.filter(|(one, _)| one.scored.counts.errors() > 0);
        let analyses: Vec<Analysis> = wrong.map(|(_, (_, heard))| heard.analysis).collect();
        let missed = analyses.iter().filter(|a| a.search_error).count();
        let unknown = analyses.iter().filter(|a| a.oov > 0).count();
        writeln!(
            out,
            "of {} wrong utterances: {missed} search errors, {unknown} with words outside the vocabulary, {} model errors",
            analyses.len(),
            analyses.len() - missed - unknown
        )
    }

    /// `hyp.tsv`: what was heard, as the recogniser wrote it, with its cost and times.
    fn write_hypotheses(&self, folder: &Path) -> anyhow::Result<()> {
        let mut out = BufWriter::new(File::create(folder.join("hyp.tsv"))?);
        writeln!(out, "id\tseconds\tprocessor_seconds\tcost\treached_final\ttext")?;
        for (utterance, heard) in self.utterances.iter().zip(self.heard) {
            let id = &utterance.id;
            let Some((prepared, heard)) = heard else {
                writeln!(out, "{id}\t\t\t\t\t")?;
                continue;
            };
            let transcript = &heard.transcript;
            let used = prepared.scores.0 + heard.total().0;
            let (audio, cost) = (transcript.audio.0, transcript.cost.0);
            let (last, text) = (transcript.reached_final, transcript.text());
            writeln!(out, "{id}\t{audio:.3}\t{used:.4}\t{cost:.3}\t{last}\t{text}")?;
        }
        Ok(out.flush()?)
    }
}
