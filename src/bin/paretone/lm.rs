//! `paretone lm pack|info|perplexity`: the n-gram language model, from ARPA to the packed file.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use xxhash_rust::xxh3::xxh3_64;

use super::{DONE, UsageError};
use paretone::graph::WordTable;
use paretone::graph::ngram::arpa::Arpa;
use paretone::graph::ngram::pack::pack;
use paretone::graph::ngram::{LmState, Ngram, StepCache};

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
        Command::Perplexity { ngram, words, text } => perplexity(ngram, words, text),
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
}

impl Tally {
    fn sentence(&mut self, line: &str, ngram: &Ngram, words: &WordTable, cache: &mut StepCache) {
        let mut state = ngram.start();
        for word in line.split_ascii_whitespace() {
            let known = words.id(word).map(|id| cache.step(ngram, state, id));
            match known {
                Some((next, cost)) if cost.0.is_finite() => {
                    self.cost += f64::from(cost.0);
                    self.scored += 1;
                    state = next;
                }
                _ => {
                    self.unknown += 1;
                    state = LmState::EMPTY;
                }
            }
        }
        self.cost += f64::from(ngram.end(state).0);
        self.scored += 1;
    }
}

fn perplexity(ngram: &Path, words: &Path, text: &Path) -> Result<()> {
    let ngram = Ngram::open(ngram)?;
    let (words, sum) = read_words(words)?;
    if sum != ngram.words_sum() {
        bail!("the n-gram was packed with another word table; pack it again with this one");
    }
    let mut cache = StepCache::default();
    let mut tally = Tally::default();
    for line in lines(text)?.lines() {
        tally.sentence(&line?, &ngram, &words, &mut cache);
    }
    let mut out = std::io::stdout().lock();
    let perplexity = (tally.cost / tally.scored.max(1) as f64).exp();
    writeln!(out, "perplexity\t{perplexity:.3}")?;
    writeln!(out, "scored words and sentence ends\t{}", tally.scored)?;
    writeln!(out, "unknown words\t{}", tally.unknown)?;
    Ok(())
}
