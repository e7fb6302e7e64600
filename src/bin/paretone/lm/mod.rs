//! `paretone lm build|pack|unpack|info|perplexity`: the n-gram language model, from text to the
//! packed file.

mod build;
mod perplexity;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use xxhash_rust::xxh3::xxh3_64;

use crate::{DONE, UsageError};
use paretone::acoustic::Precision;
use paretone::graph::WordTable;
use paretone::graph::ngram::Ngram;
use paretone::graph::ngram::arpa::Arpa;
use paretone::graph::ngram::pack::pack;

/// Estimate n-gram language models, pack and unpack them, and measure how well they predict
#[derive(clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done with a language model.
#[derive(Subcommand)]
pub enum Command {
    /// Estimate a model of a text: modified Kneser-Ney, pruned where that is wanted
    Build(build::Args),
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
    /// Write a packed model as an ARPA file
    Unpack {
        /// The packed model
        ngram: PathBuf,
        /// The word table that it was packed with
        #[arg(long)]
        words: PathBuf,
        /// Where to write the ARPA file; `-` is standard output
        #[arg(long)]
        arpa: PathBuf,
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
        Command::Build(args) => build::build(args),
        Command::Unpack { ngram, words, arpa } => unpack(ngram, words, arpa),
        Command::Pack { arpa, words, out } => pack_arpa(arpa, words, out),
        Command::Info { ngram } => info(ngram),
        Command::Perplexity { ngram, words, neural, precision, text } => {
            perplexity::perplexity(ngram, words, neural.as_deref(), *precision, text)
        }
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
    eprintln!("{}: n-grams by order {sizes:?}, {bytes} bytes", out.display());
    Ok(())
}

fn unpack(ngram: &Path, words: &Path, arpa: &Path) -> Result<()> {
    let (words, sum) = read_words(words)?;
    let ngram = Ngram::verify(ngram)?;
    if sum != ngram.words_sum() {
        bail!("the n-gram was packed with another word table; give the one it came with");
    }
    write_arpa(&ngram.unpack(), &words, arpa)
}

/// Writes an ARPA file, or to standard output.
fn write_arpa(arpa: &Arpa, words: &WordTable, path: &Path) -> Result<()> {
    let written = match path == Path::new("-") {
        true => arpa.write(words, &mut std::io::stdout().lock()),
        false => fs::File::create(path).and_then(|file| {
            let mut out = std::io::BufWriter::new(file);
            arpa.write(words, &mut out)?;
            out.flush()
        }),
    };
    written.with_context(|| path.display().to_string())
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
