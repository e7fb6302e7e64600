//! `paretone decode`: scores of any network, searched over a graph.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use serde::Serialize;

use super::setting::KnobArgs;
use super::{DONE, SOME_FAILED, UsageError, exit};
use paretone::acoustic::Scores;
use paretone::confidence::doubt;
use paretone::decode::{Decoder, Hypothesis, Pruning, Scratch};
use paretone::graph::{Graph, WordTable};
use paretone::units::{Seconds, WordId};

/// Search the scores of any network over a graph: one line of text for each matrix, in the order given
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The scores, as written by `numpy.save`: floats, natural logarithms, one row a frame
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub scores: Vec<PathBuf>,
    /// The graph, as made by `paretone graph compile`, or OpenFst's (`.fst`)
    #[arg(long, value_name = "FILE")]
    pub graph: PathBuf,
    /// The word table: line n is the word of id n
    #[arg(long, value_name = "FILE")]
    pub words: PathBuf,
    /// The shape of the answer
    #[arg(long, value_enum, default_value_t)]
    pub format: Shape,
    /// Give so many different answers, the best first (JSON only)
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub n_best: u16,
    /// Seconds from one row of the scores to the next
    #[arg(long, value_name = "SECONDS", default_value_t = 0.02)]
    pub frame_shift: f64,
    /// What scores are multiplied by; larger trusts the sound more than the language model
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub acoustic_scale: f32,
    /// How to search.
    #[command(flatten)]
    pub knobs: KnobArgs,
}

/// The shape of an answer.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// The words
    #[default]
    Text,
    /// One JSON object per matrix and line
    Json,
}

/// Decodes every matrix; one that fails does not stop the others.
///
/// # Errors
/// The graph or the knobs cannot be used, or the answers cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.n_best > 0 && args.format == Shape::Text {
        return Err(UsageError(anyhow!("--n-best needs --format json")).into());
    }
    if !(args.frame_shift > 0.0 && args.acoustic_scale > 0.0 && args.acoustic_scale.is_finite()) {
        let told = anyhow!("--frame-shift and --acoustic-scale are numbers above 0");
        return Err(UsageError(told).into());
    }
    let (graph, words) = opened(args).map_err(UsageError)?;
    let pruning = args.knobs.over(Pruning::default());
    let decoder = Decoder::new(&graph, pruning).map_err(|error| UsageError(error.into()))?;
    let (mut scratch, mut failed) = (Scratch::new(), false);
    let mut out = io::stdout().lock();
    for file in &args.scores {
        let how = How {
            args,
            decoder: &decoder,
            words: &words,
        };
        match how.decode(file, &mut scratch) {
            Ok(answer) => answer.write(&mut out, args.format)?,
            Err(error) => {
                failed = true;
                exit::say(&error.context(file.display().to_string()));
                if args.format == Shape::Text {
                    writeln!(out)?;
                }
            }
        }
    }
    Ok(ExitCode::from(if failed { SOME_FAILED } else { DONE }))
}

fn opened(args: &Args) -> anyhow::Result<(Graph, WordTable)> {
    let name = || args.graph.display().to_string();
    let graph = match args.graph.extension() {
        Some(fst) if fst == "fst" => Graph::read_openfst(&args.graph),
        _ => Graph::open(&args.graph),
    };
    Ok((graph.with_context(name)?, WordTable::open(&args.words)?))
}

/// What was heard in one matrix.
#[derive(Serialize)]
struct Heard {
    file: String,
    text: String,
    words: Vec<HeardWord>,
    /// The probability that all words are right, by the lattice alone.
    posterior: f64,
    cost: f64,
    reached_final: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alternatives: Vec<Other>,
}

#[derive(Serialize)]
struct HeardWord {
    word: String,
    start: f64,
    end: f64,
    confidence: f64,
}

#[derive(Serialize)]
struct Other {
    text: String,
    cost: f64,
    posterior: f64,
}

struct How<'a> {
    args: &'a Args,
    decoder: &'a Decoder<'a>,
    words: &'a WordTable,
}

impl How<'_> {
    fn decode(&self, file: &Path, scratch: &mut Scratch) -> anyhow::Result<Heard> {
        let shift = Seconds(self.args.frame_shift);
        let mut scores = Scores::open_npy(file, shift)?;
        scores.scale(self.args.acoustic_scale);
        let lattice = self.decoder.lattice(&scores, scratch)?;
        let paths = lattice.paths();
        let heard = paths.best();
        let risk = doubt(&paths, &heard, None)?;
        let word = |(word, &confidence): (&paretone::decode::Word, &f64)| {
            let (start, end) = word.seconds(shift);
            HeardWord {
                word: self.name(word.id),
                start: rounded(start.0),
                end: rounded(end.0),
                confidence,
            }
        };
        let mut alternatives = Vec::new();
        if self.args.n_best > 0 {
            for other in &paths.n_best(usize::from(self.args.n_best)) {
                alternatives.push(Other {
                    text: self.text(other),
                    cost: other.cost.0,
                    posterior: doubt(&paths, other, None)?.sequence,
                });
            }
        }
        Ok(Heard {
            file: file.to_string_lossy().into_owned(),
            text: self.text(&heard),
            words: heard.words.iter().zip(&risk.words).map(word).collect(),
            posterior: risk.sequence,
            cost: heard.cost.0,
            reached_final: heard.reached_final,
            alternatives,
        })
    }

    fn text(&self, heard: &Hypothesis) -> String {
        let words: Vec<String> = heard.words.iter().map(|word| self.name(word.id)).collect();
        words.join(" ")
    }

    /// The word as the table spells it, or its number where the table lacks it.
    fn name(&self, id: WordId) -> String {
        let name = self.words.name(id);
        name.map_or_else(|| format!("#{}", id.0), str::to_owned)
    }
}

impl Heard {
    fn write(&self, out: &mut impl Write, shape: Shape) -> io::Result<()> {
        match shape {
            Shape::Text => writeln!(out, "{}", self.text),
            Shape::Json => {
                serde_json::to_writer(&mut *out, self)?;
                writeln!(out)
            }
        }
    }
}

/// Times to the millisecond.
fn rounded(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}
