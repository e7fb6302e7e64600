//! `paretone score --ref … --hyp …`: word error rate of transcripts that any recogniser wrote.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::ValueEnum;

use super::{SOME_FAILED, UsageError};
use paretone::eval::corpus::{self, Utterance};
use paretone::eval::report::{Grouping, Report};
use paretone::eval::significance::{Comparison, compare};
use paretone::eval::transcripts::{Transcripts, write_trn};
use paretone::eval::{AlignmentRule, BootstrapOptions, Edit, Judged, Judging, Normaliser, Scored};

/// Score transcripts against references: word error rate with S/D/I, by set, accent and speaker
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Read the references here: a corpus or manifest (with speakers), or texts in any form that
    /// --hyp reads
    #[arg(long = "ref", value_name = "FILE")]
    pub reference: PathBuf,
    /// Read the hypotheses here (`-`: from standard input): .trn, .ctm, .stm, JSON lines of
    /// `transcribe`, id<TAB>text, or Kaldi's `id text`; compressed by gzip or not
    #[arg(long = "hyp", value_name = "FILE")]
    pub hypothesis: PathBuf,
    /// Compare with the hypotheses of another system: how likely the difference is luck
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// Score only the utterances that have a hypothesis; otherwise a missing one counts as silence
    #[arg(long)]
    pub only_given: bool,
    /// Print each alignment that has errors
    #[arg(long)]
    pub alignments: bool,
    /// How to score and what to print.
    #[command(flatten)]
    pub scoring: Scoring,
}

/// How hypotheses are scored, and what is written; shared by `score` and `bench`.
#[derive(clap::Args, Debug)]
pub struct Scoring {
    /// Which utterances, and how words are compared.
    #[command(flatten)]
    pub judging: JudgingArgs,
    /// Print these tables beside the total
    #[arg(long, value_enum, value_delimiter = ',', default_value = "set,accent")]
    pub by: Vec<By>,
    /// Draw the speaker bootstrap from this seed
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Write ref.trn and hyp.trn (normalised), errors.tsv (per utterance) and report.json to this
    /// folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Which utterances are scored, and how words are compared.
#[derive(clap::Args, Debug)]
pub struct JudgingArgs {
    /// Take only this split of a manifest
    #[arg(long, value_name = "NAME")]
    pub split: Option<String>,
    /// Take only these sets of a manifest
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub set: Vec<String>,
    /// Leave `to day`, `any one` and their like as two words
    #[arg(long)]
    pub strict: bool,
    /// Count substitutions, deletions and insertions by this alignment
    #[arg(long, value_enum, default_value_t = Rule::Minimal)]
    pub alignment: Rule,
}

/// Which alignment.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The fewest errors, counted as jiwer does
    Minimal,
    /// Substitutions weigh 4, deletions and insertions 3, as in NIST's sclite
    Sclite,
}

/// Which table.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Parts of the corpus
    Set,
    /// Accents
    Accent,
    /// Speakers
    Speaker,
}

/// Scores the hypotheses.
///
/// # Errors
/// When a file cannot be used, no utterance is left, or the output cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let inputs = [Some(&args.reference), Some(&args.hypothesis), args.against.as_ref()];
    if inputs.into_iter().flatten().filter(|path| path.as_os_str() == "-").count() > 1 {
        return Err(UsageError(anyhow!("standard input can be read once: give `-` once")).into());
    }
    let hypotheses = Transcripts::open(&args.hypothesis).map_err(|e| UsageError(e.into()))?;
    let references = args.scoring.judging.select(references(&args.reference)?)?;
    tell_strangers(&hypotheses, &references)?;
    let (mut judged, mut missing) = (Vec::new(), 0);
    for utterance in &references {
        match hypotheses.get(&utterance.id) {
            Some(text) => judged.push(args.scoring.judging.judge(utterance, text)?),
            None if args.only_given => {}
            None => {
                missing += usize::from(!hypotheses.omits_silence());
                judged.push(args.scoring.judging.judge(utterance, "")?);
            }
        }
    }
    if missing > 0 {
        eprintln!("paretone: {missing} references have no hypothesis, which counts as silence");
    }
    let mut out = BufWriter::new(io::stdout().lock());
    if args.alignments {
        for utterance in judged.iter().filter(|judged| judged.scored.counts.errors() > 0) {
            write_alignment(&mut out, utterance)?;
        }
    }
    args.scoring.report(&mut out, &judged, args.scoring.out.as_deref())?;
    if let Some(other) = &args.against {
        let theirs = scored(other, &references, &args)?;
        let ours: Vec<Scored> = judged.into_iter().map(|judged| judged.scored).collect();
        let comparison = compare(&ours, &theirs, args.scoring.bootstrap());
        write_comparison(&mut out, &comparison)?;
    }
    out.flush()?;
    Ok(ExitCode::from(if missing > 0 { SOME_FAILED } else { 0 }))
}

/// Says how many hypotheses have no reference; it is an error if none has one.
fn tell_strangers(hypotheses: &Transcripts, references: &[Utterance]) -> Result<(), UsageError> {
    let ids: HashSet<&str> = references.iter().map(|utterance| utterance.id.as_str()).collect();
    let strange = hypotheses.iter().filter(|(id, _)| !ids.contains(id)).count();
    if strange == hypotheses.len() && strange > 0 {
        let (heard, said) = (hypotheses.iter().next(), references.first());
        let (heard, said) = heard.zip(said).expect("there are both");
        return Err(UsageError(anyhow!(
            "no hypothesis has the id of a reference: the first are `{}` and `{}`",
            heard.0,
            said.id
        )));
    }
    if strange > 0 {
        eprintln!("paretone: {strange} hypotheses are of no reference and are left out");
    }
    Ok(())
}

/// The hypotheses of another file, scored where there is one.
fn scored(path: &Path, references: &[Utterance], args: &Args) -> anyhow::Result<Vec<Scored>> {
    let other = Transcripts::open(path).map_err(|error| UsageError(error.into()))?;
    let mut scored = Vec::new();
    for utterance in references {
        if let Some(text) = other.get(&utterance.id) {
            scored.push(args.scoring.judging.judge(utterance, text)?.scored);
        }
    }
    Ok(scored)
}

/// The difference in words.
fn write_comparison(out: &mut impl Write, comparison: &Comparison) -> io::Result<()> {
    let percent = |share: f64| 100.0 * share;
    writeln!(
        out,
        "\nagainst the other system, on {} utterances: {} better, {} worse; difference in word error rate {:+.2} %",
        comparison.utterances,
        comparison.better,
        comparison.worse,
        percent(comparison.difference)
    )?;
    if let (Some(interval), Some(share)) =
        (comparison.interval, comparison.probability_of_improvement)
    {
        writeln!(
            out,
            "paired speaker bootstrap: {:+.2} – {:+.2} %, fewer errors in {:.1} % of the draws",
            percent(interval.low),
            percent(interval.high),
            percent(share)
        )?;
    }
    match comparison.matched_pairs {
        Some(p) => writeln!(out, "matched pairs (by utterance): p = {p:.2e}"),
        None => writeln!(out, "matched pairs: no utterance differs"),
    }
}

/// References with speakers where the file has them.
fn references(path: &Path) -> anyhow::Result<Vec<Utterance>> {
    let trn = path.extension().is_some_and(|extension| extension == "trn");
    let standard = path.as_os_str() == "-";
    if !trn
        && !standard
        && let Ok(utterances) = corpus::open(path)
    {
        return Ok(utterances);
    }
    let transcripts = Transcripts::open(path).map_err(|error| UsageError(error.into()))?;
    let utterance = |(id, text): (&str, &str)| Utterance {
        id: id.to_string(),
        text: text.to_string(),
        // sclite's convention: the speaker is what precedes the first hyphen or underscore.
        speaker: id.split(['-', '_']).next().unwrap_or(id).to_string(),
        ..Utterance::default()
    };
    Ok(transcripts.iter().map(utterance).collect())
}

impl JudgingArgs {
    /// The utterances of the split and sets asked for.
    pub(super) fn select(&self, utterances: Vec<Utterance>) -> anyhow::Result<Vec<Utterance>> {
        let mut kept = utterances;
        kept.retain(|utterance| {
            self.split.as_ref().is_none_or(|split| *split == utterance.split)
                && (self.set.is_empty() || self.set.contains(&utterance.set))
        });
        if kept.is_empty() {
            return Err(
                UsageError(anyhow!("no utterance is of the split and sets asked for")).into()
            );
        }
        Ok(kept)
    }

    /// How words are compared.
    pub(super) fn judging(&self) -> Judging {
        Judging {
            normaliser: Normaliser { join_compounds: !self.strict },
            rule: match self.alignment {
                Rule::Minimal => AlignmentRule::Minimal,
                Rule::Sclite => AlignmentRule::Sclite,
            },
        }
    }

    /// Normalises both sides and counts errors.
    pub(super) fn judge(&self, utterance: &Utterance, hypothesis: &str) -> anyhow::Result<Judged> {
        let judged = self.judging().judge(utterance, hypothesis);
        judged.with_context(|| utterance.id.clone())
    }
}

impl Scoring {
    fn bootstrap(&self) -> BootstrapOptions {
        BootstrapOptions::default().seed(self.seed)
    }

    /// Prints the tables and writes the files to `folder`.
    pub(super) fn report(
        &self,
        out: &mut impl Write,
        judged: &[Judged],
        folder: Option<&Path>,
    ) -> anyhow::Result<()> {
        let scored: Vec<Scored> = judged.iter().map(|judged| judged.scored.clone()).collect();
        let groupings: Vec<Grouping> = self.by.iter().map(|&by| grouping(by)).collect();
        let report = Report::new(&scored, &groupings, self.bootstrap());
        report.write_text(out)?;
        out.flush()?;
        match folder {
            Some(folder) => write_files(folder, &report, judged)
                .with_context(|| format!("cannot write to {}", folder.display())),
            None => Ok(()),
        }
    }
}

/// `report.json`, `ref.trn`, `hyp.trn` and `errors.tsv`.
fn write_files(folder: &Path, report: &Report, judged: &[Judged]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let file = |name: &str| File::create(folder.join(name)).map(BufWriter::new);
    serde_json::to_writer_pretty(file("report.json")?, report)?;
    let (mut references, mut hypotheses) = (file("ref.trn")?, file("hyp.trn")?);
    let mut errors = file("errors.tsv")?;
    writeln!(errors, "id\tset\tspeaker\taccent\twords\tS\tD\tI\ttext")?;
    for Judged { scored, reference, hypothesis, .. } in judged {
        let Scored { id, speaker, accent, set, counts } = scored;
        write_trn(&mut references, id, &reference.join(" "))?;
        write_trn(&mut hypotheses, id, &hypothesis.join(" "))?;
        let (s, d, i) = (counts.substitutions, counts.deletions, counts.insertions);
        let (words, text) = (counts.reference, hypothesis.join(" "));
        writeln!(errors, "{id}\t{set}\t{speaker}\t{accent}\t{words}\t{s}\t{d}\t{i}\t{text}")?;
    }
    for mut file in [references, hypotheses, errors] {
        file.flush()?;
    }
    Ok(())
}

fn grouping(by: By) -> Grouping {
    match by {
        By::Set => Grouping::Set,
        By::Accent => Grouping::Accent,
        By::Speaker => Grouping::Speaker,
    }
}

/// Reference over hypothesis, word under word; errors in capitals, gaps as stars.
fn write_alignment(out: &mut impl Write, judged: &Judged) -> io::Result<()> {
    let (mut above, mut below) = (String::new(), String::new());
    for edit in &judged.alignment.edits {
        let (reference, hypothesis) = match *edit {
            Edit::Correct(i, j) => (judged.reference[i].clone(), judged.hypothesis[j].clone()),
            Edit::Substitution(i, j) => {
                (judged.reference[i].to_uppercase(), judged.hypothesis[j].to_uppercase())
            }
            Edit::Deletion(i) => (judged.reference[i].to_uppercase(), String::new()),
            Edit::Insertion(j) => (String::new(), judged.hypothesis[j].to_uppercase()),
        };
        let width = reference.chars().count().max(hypothesis.chars().count());
        for (line, word) in [(&mut above, reference), (&mut below, hypothesis)] {
            let shown = if word.is_empty() { "*".repeat(width) } else { word };
            line.push_str(&format!(" {shown:width$}"));
        }
    }
    let counts = judged.scored.counts;
    let (s, d, i) = (counts.substitutions, counts.deletions, counts.insertions);
    writeln!(out, "{} (S {s}, D {d}, I {i})", judged.scored.id)?;
    writeln!(out, "REF:{}\nHYP:{}\n", above.trim_end(), below.trim_end())
}
