//! `paretone decode`: scores of any network, searched over a graph.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use ndarray::Array2;
use serde::Serialize;

use super::setting::KnobArgs;
use super::{DONE, SOME_FAILED, UsageError, exit};
use paretone::acoustic::Scores;
use paretone::confidence::doubt;
use paretone::decode::{CompactLattice, Decoder, Hypothesis, Lattice, PathGraph, Pruning, Scratch};
use paretone::graph::{Graph, WordTable};
use paretone::kaldi::{Archive, KaldiError, TransitionModel};
use paretone::units::{Seconds, WordId};

/// Search the scores of any network over a graph: one line of text for each matrix, in the order
/// given
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Search these scores, natural logarithms, one row a frame: files written by `numpy.save`, or
    /// Kaldi's archives, `ark:FILE` (`ark:-` for standard input) or `scp:FILE`
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub scores: Vec<OsString>,
    /// Search this graph, as made by `paretone graph compile`, or OpenFst's (`.fst`)
    #[arg(long, value_name = "FILE")]
    pub graph: PathBuf,
    /// Take an OpenFst graph's labels for transition-ids of this final.mdl of Kaldi's [default:
    /// labels are columns of the scores, from 1]
    #[arg(long, value_name = "FILE")]
    pub transitions: Option<PathBuf>,
    /// End words by this word_boundary.int of Kaldi's, not where the next begins
    #[arg(long, value_name = "FILE", requires = "transitions")]
    pub word_boundary: Option<PathBuf>,
    /// Read the words here: line n is the word of id n
    #[arg(long, value_name = "FILE")]
    pub words: PathBuf,
    /// Write Kaldi's compact lattices too: `ark:FILE`, or `ark,t:FILE` as text. Give it with
    /// --lattice-beam
    #[arg(long, value_name = "ark:FILE")]
    pub lattices: Option<String>,
    /// Write answers in this form
    #[arg(long, value_enum, default_value_t)]
    pub format: Shape,
    /// Give so many different answers, the best first (JSON only)
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub n_best: u16,
    /// Take this time from one row of the scores to the next, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0.02)]
    pub frame_shift: f64,
    /// Multiply scores by this; larger trusts the sound more than the language model
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
    let lattices =
        args.lattices.as_deref().map(|place| Lattices::create(place, args.acoustic_scale));
    let mut lattices = lattices.transpose()?;
    let (mut scratch, mut failed) = (Scratch::new(), false);
    let mut out = io::stdout().lock();
    let how = How { args, decoder: &decoder, words: &words };
    for place in &args.scores {
        let archive = place.to_str().map(Archive::parse).transpose();
        let archive = archive.map_err(|what| UsageError(anyhow!("{what}")))?;
        let Some(archive) = archive.flatten() else {
            let file = Path::new(place);
            let scores = Scores::open_npy(file, Seconds(args.frame_shift));
            let heard = scores
                .map_err(anyhow::Error::new)
                .and_then(|scores| how.decode(file, scores, &mut scratch, lattices.as_mut()));
            failed |= how.tell(heard, &file.display().to_string(), None, &mut out)?;
            continue;
        };
        failed |= how.decode_all(&archive, &mut scratch, &mut lattices, &mut out)?;
    }
    if let Some(lattices) = lattices {
        lattices.finish()?;
    }
    Ok(ExitCode::from(if failed { SOME_FAILED } else { DONE }))
}

/// An archive of lattices that is being written.
struct Lattices {
    out: BufWriter<File>,
    form: CompactLattice,
    path: PathBuf,
}

impl Lattices {
    fn create(place: &str, acoustic_scale: f32) -> anyhow::Result<Lattices> {
        let Ok(Some(Archive::Ark(path))) = Archive::parse(place) else {
            return Err(UsageError(anyhow!(
                "--lattices is `ark:FILE` or `ark,t:FILE`, not `{place}`"
            ))
            .into());
        };
        let kinds = place.split(':').next().unwrap_or_default();
        let form =
            CompactLattice { is_text: kinds.split(',').any(|kind| kind == "t"), acoustic_scale };
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()));
        let out = BufWriter::new(file.map_err(UsageError)?);
        Ok(Lattices { out, form, path })
    }

    fn write(&mut self, name: &str, lattice: &Lattice) -> anyhow::Result<()> {
        // A name ends at a blank.
        let name: String = name.split_whitespace().collect::<Vec<_>>().join("_");
        let written = self.form.write(&mut self.out, &name, lattice);
        written.with_context(|| format!("cannot write {}", self.path.display()))
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.out.flush().with_context(|| format!("cannot write {}", self.path.display()))
    }
}

fn opened(args: &Args) -> anyhow::Result<(Graph, WordTable)> {
    let name = || args.graph.display().to_string();
    let is_fst = args.graph.extension().is_some_and(|fst| fst == "fst");
    let graph = match &args.transitions {
        Some(model) => {
            let transitions = TransitionModel::open(model)?;
            let boundary = args.word_boundary.clone().unwrap_or_default();
            transitions.graph(&args.graph, &boundary)?
        }
        None if is_fst => Graph::read_openfst(&args.graph).with_context(name)?,
        None => Graph::open(&args.graph).with_context(name)?,
    };
    // Kaldi's tables number their words, and ours are numbered by their lines.
    let words = match args.transitions.is_some() {
        true => WordTable::from_numbered(
            BufReader::new(open(&args.words)?),
            &args.words.display().to_string(),
        )?,
        false => WordTable::open(&args.words)?,
    };
    Ok((graph, words))
}

fn open(path: &Path) -> anyhow::Result<File> {
    File::open(path).with_context(|| format!("cannot open {}", path.display()))
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
    /// Decodes the matrices of an archive, up to one that cannot be read. Returns whether any of
    /// them has no answer.
    fn decode_all(
        &self,
        archive: &Archive,
        scratch: &mut Scratch,
        lattices: &mut Option<Lattices>,
        out: &mut impl Write,
    ) -> anyhow::Result<bool> {
        let mut failed = false;
        let read = archive.for_each(|name, matrix| -> anyhow::Result<()> {
            let heard = self.scores(matrix).and_then(|scores| {
                self.decode(Path::new(name), scores, scratch, lattices.as_mut())
            });
            failed |= self.tell(heard, name, Some(name), out)?;
            Ok(())
        });
        match read {
            Err(error) if error.downcast_ref::<KaldiError>().is_some() => {
                // What came before has been decoded.
                exit::say(&error);
                Ok(true)
            }
            read => read.map(|()| failed),
        }
    }

    /// Scores of an archive's matrix.
    fn scores(&self, matrix: Array2<f32>) -> anyhow::Result<Scores> {
        let pdfs = matrix.ncols();
        if pdfs == 0 {
            return Err(anyhow!("the matrix has no columns"));
        }
        let rows = matrix.as_standard_layout().into_owned().into_raw_vec_and_offset().0;
        Ok(Scores::from_rows(rows, pdfs, Seconds(self.args.frame_shift)))
    }

    /// Writes an answer, preceded by its name if it comes from an archive, or says why there is
    /// none. Returns whether there is none.
    fn tell(
        &self,
        heard: anyhow::Result<Heard>,
        place: &str,
        name: Option<&str>,
        out: &mut impl Write,
    ) -> io::Result<bool> {
        let is_text = self.args.format == Shape::Text;
        if let Some(name) = name.filter(|_| is_text) {
            write!(out, "{name} ")?;
        }
        match heard {
            Ok(answer) => answer.write(out, self.args.format).map(|()| false),
            Err(error) => {
                exit::say(&error.context(place.to_owned()));
                if is_text {
                    writeln!(out)?;
                }
                Ok(true)
            }
        }
    }

    fn decode(
        &self,
        file: &Path,
        mut scores: Scores,
        scratch: &mut Scratch,
        lattices: Option<&mut Lattices>,
    ) -> anyhow::Result<Heard> {
        let shift = Seconds(self.args.frame_shift);
        scores.scale(self.args.acoustic_scale);
        let lattice = self.decoder.lattice(&scores, scratch)?;
        if let Some(lattices) = lattices {
            lattices.write(&file.to_string_lossy(), &lattice)?;
        }
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
        let alternatives = match self.args.n_best {
            0 => Vec::new(),
            most => self.alternatives(&paths, most)?,
        };
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

    /// The best distinct answers, at most so many.
    fn alternatives(&self, paths: &PathGraph<'_>, most: u16) -> anyhow::Result<Vec<Other>> {
        let alternative = |other: &Hypothesis| {
            let posterior = doubt(paths, other, None)?.sequence;
            Ok(Other { text: self.text(other), cost: other.cost.0, posterior })
        };
        paths.n_best(usize::from(most)).iter().map(alternative).collect()
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
