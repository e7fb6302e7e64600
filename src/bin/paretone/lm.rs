//! `paretone lm pack|info|perplexity`: the n-gram language model, from ARPA to the packed file.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use xxhash_rust::xxh3::xxh3_64;

use super::{DONE, UsageError};
use paretone::acoustic::Precision;
use paretone::graph::WordTable;
use paretone::graph::ngram::arpa::Arpa;
use paretone::graph::ngram::pack::pack;
use paretone::graph::ngram::{BEGIN, END, LmState, Ngram, StepCache};
use paretone::language::{NeuralModel, Workspace};
use paretone::units::{Cost, WordId};

/// Pack n-gram language models, check them, and measure how well they predict
#[derive(clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done with a language model.
#[derive(Subcommand)]
pub enum Command {
    /// Pack an ARPA file into the compact form that programs map
    Pack {
        /// The ARPA file, compressed by gzip or not; `-` reads standard input
        #[arg(long)]
        arpa: PathBuf,
        /// The word table: line n is the word of id n
        #[arg(long)]
        words: PathBuf,
        /// Where to write the packed model
        #[arg(long)]
        out: PathBuf,
    },
    /// Check a packed model from end to end and print its sizes
    Info {
        /// The packed model
        ngram: PathBuf,
    },
    /// Print the perplexity of a text, one sentence a line
    Perplexity {
        /// The packed model
        #[arg(long)]
        ngram: PathBuf,
        /// The word table that the model was packed with
        #[arg(long)]
        words: PathBuf,
        /// A neural language model of the same words: its perplexity too, exactly normalised, and
        /// that of both models' mixture as recognition uses it. About 2 ms a word
        #[arg(long)]
        neural: Option<PathBuf>,
        /// Numbers the neural model multiplies in: auto (the fastest), f32 or int8
        #[arg(long, value_name = "NUMBERS", default_value_t, requires = "neural")]
        precision: Precision,
        /// The text, in lower case without punctuation; `-` reads standard input
        text: PathBuf,
    },
}

/// Runs the subcommand.
///
/// # Errors
/// What is wrong with the files given.
pub fn run(args: Args) -> Result<ExitCode> {
    let done = match &args.command {
        Command::Pack { arpa, words, out } => pack_arpa(arpa, words, out),
        Command::Info { ngram } => info(ngram),
        Command::Perplexity {
            ngram,
            words,
            neural,
            precision,
            text,
        } => perplexity(ngram, words, neural.as_deref(), *precision, text),
    };
    done.map_err(UsageError)?;
    Ok(ExitCode::from(DONE))
}

fn read_words(path: &Path) -> Result<(WordTable, u64)> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    let table = WordTable::from_reader(bytes.as_slice(), &path.display().to_string())?;
    Ok((table, xxh3_64(&bytes)))
}

fn lines(path: &Path) -> Result<Box<dyn BufRead>> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let file = fs::File::open(path).with_context(|| path.display().to_string())?;
    Ok(Box::new(BufReader::new(file)))
}

fn pack_arpa(arpa: &Path, words: &Path, out: &Path) -> Result<()> {
    let (words, sum) = read_words(words)?;
    let arpa = Arpa::from_reader(lines(arpa)?, &arpa.display().to_string(), &words)?;
    let ngram = pack(arpa, &words, sum)?;
    ngram.save(out)?;
    let bytes = fs::metadata(out).map_or(0, |data| data.len());
    let sizes = ngram.num_ngrams();
    eprintln!(
        "{}: n-grams by order {sizes:?}, {bytes} bytes",
        out.display()
    );
    Ok(())
}

fn info(path: &Path) -> Result<()> {
    let ngram = Ngram::verify(path)?;
    let bytes = fs::metadata(path).map_or(0, |data| data.len());
    let mut out = std::io::stdout().lock();
    writeln!(out, "order\t{}", ngram.order())?;
    for (order, count) in (1..).zip(ngram.num_ngrams()) {
        writeln!(out, "{order}-grams\t{count}")?;
    }
    writeln!(out, "states\t{}", ngram.num_states())?;
    writeln!(out, "bytes\t{bytes}")?;
    writeln!(out, "word table\t{:016x}", ngram.words_sum())?;
    Ok(())
}

/// Sums over a text.
#[derive(Default)]
struct Tally {
    /// Total cost of the scored words and sentence ends.
    cost: f64,
    /// Number of scored words and sentence ends.
    scored: u64,
    /// Words that are not in the table: not scored, and forgotten as history.
    unknown: u64,
    /// What the neural model adds, where there is one.
    neural: NeuralTally,
}

/// Sums over the same words under a neural model.
#[derive(Default)]
struct NeuralTally {
    /// Cost under the network, normalised.
    cost: f64,
    /// Cost under the mixture, the network as it is.
    mixture: f64,
    /// Squares of the logarithms of the sums over all words.
    square: f64,
}

/// A neural model at work on a text.
struct Reader {
    model: NeuralModel,
    work: Workspace,
    state: Vec<f32>,
    next: Vec<f32>,
}

/// The ids of words that are never predicted: epsilon, the sentence's start, the unknown word.
const NEVER: [WordId; 3] = [WordId(0), BEGIN, UNKNOWN];
/// What stands for a word that is not in the table.
const UNKNOWN: WordId = WordId(3);

impl Reader {
    fn new(model: NeuralModel) -> Reader {
        let [state, next] = [(); 2].map(|()| vec![0.0; model.state_len()]);
        let work = Workspace::default();
        Reader {
            model,
            work,
            state,
            next,
        }
    }

    fn begin(&mut self) {
        self.model
            .step(None, BEGIN, &mut self.state, &mut self.work);
    }

    fn read(&mut self, word: WordId) {
        let before = Some(self.state.as_slice());
        self.model
            .step(before, word, &mut self.next, &mut self.work);
        std::mem::swap(&mut self.state, &mut self.next);
    }

    /// Counts a word that cost `ngram` under the n-gram.
    fn score(&self, word: WordId, ngram: Cost, tally: &mut NeuralTally) {
        let cost = f64::from(self.model.cost(&self.state, word).0);
        let normaliser = f64::from(self.model.log_normaliser(&self.state, &NEVER));
        let weight = f64::from(self.model.weight());
        let mixed = weight * (-cost).exp() + (1.0 - weight) * f64::from(-ngram.0).exp();
        tally.cost += cost + normaliser;
        tally.mixture -= mixed.ln();
        tally.square += normaliser * normaliser;
    }
}

impl Tally {
    fn sentence(
        &mut self,
        line: &str,
        (ngram, words): (&Ngram, &WordTable),
        cache: &mut StepCache,
        mut reader: Option<&mut Reader>,
    ) {
        let mut state = ngram.start();
        reader.iter_mut().for_each(|reader| reader.begin());
        for word in line.split_ascii_whitespace() {
            let known = words.id(word);
            let step = known.map(|id| (id, cache.step(ngram, state, id)));
            match step {
                Some((id, (next, cost))) if cost.0.is_finite() => {
                    self.score(id, cost, reader.as_deref());
                    state = next;
                }
                _ => {
                    self.unknown += 1;
                    state = LmState::EMPTY;
                }
            }
            if let Some(reader) = reader.as_deref_mut() {
                reader.read(known.unwrap_or(UNKNOWN));
            }
        }
        self.score(END, ngram.end(state), reader.as_deref());
    }

    fn score(&mut self, word: WordId, cost: Cost, reader: Option<&Reader>) {
        self.cost += f64::from(cost.0);
        self.scored += 1;
        if let Some(reader) = reader {
            reader.score(word, cost, &mut self.neural);
        }
    }
}

fn perplexity(
    ngram: &Path,
    words: &Path,
    neural: Option<&Path>,
    precision: Precision,
    text: &Path,
) -> Result<()> {
    let ngram = Ngram::open(ngram)?;
    let (words, sum) = read_words(words)?;
    if sum != ngram.words_sum() {
        bail!("the n-gram was packed with another word table; pack it again with this one");
    }
    let model = neural.map(|path| NeuralModel::open(path, precision.kernels()));
    let mut reader = model.transpose()?.map(Reader::new);
    if reader
        .as_ref()
        .is_some_and(|reader| reader.model.num_words() != words.len())
    {
        bail!("the neural model was trained with another word table; give the one it came with");
    }
    let mut cache = StepCache::default();
    let mut tally = Tally::default();
    for line in lines(text)?.lines() {
        tally.sentence(&line?, (&ngram, &words), &mut cache, reader.as_mut());
    }
    let mut out = std::io::stdout().lock();
    let mean = |sum: f64| sum / tally.scored.max(1) as f64;
    writeln!(out, "perplexity\t{:.3}", mean(tally.cost).exp())?;
    if reader.is_some() {
        let NeuralTally {
            cost,
            mixture,
            square,
        } = tally.neural;
        writeln!(out, "perplexity of the network\t{:.3}", mean(cost).exp())?;
        writeln!(out, "perplexity of the mixture\t{:.3}", mean(mixture).exp())?;
        writeln!(out, "root mean square of ln Z\t{:.3}", mean(square).sqrt())?;
    }
    writeln!(out, "scored words and sentence ends\t{}", tally.scored)?;
    writeln!(out, "unknown words\t{}", tally.unknown)?;
    Ok(())
}
