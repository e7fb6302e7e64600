//! `paretone lm build`: a model from text.

use std::collections::BTreeSet;
use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xxhash_rust::xxh3::xxh3_64;

use super::{lines, read_words, write_arpa};
use crate::progress;
use paretone::graph::WordTable;
use paretone::graph::ngram::estimate::{EstimateOptions, TextCounts, estimate};
use paretone::graph::ngram::pack::pack;

/// What a model is estimated from.
#[derive(clap::Args)]
pub struct Args {
    /// The text, one sentence a line, written as the word table writes words, without punctuation;
    /// `-` reads standard input. Several are read one after the other
    #[arg(required = true)]
    pub text: Vec<PathBuf>,
    /// Read the words here: line n is the word of id n. Words that it lacks are not predicted
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "make_words",
        conflicts_with = "make_words"
    )]
    pub words: Option<PathBuf>,
    /// Make a word table of all words of the text, and write it here
    #[arg(long, value_name = "FILE")]
    pub make_words: Option<PathBuf>,
    /// Count n-grams of up to this many words
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=4))]
    pub order: u8,
    /// Leave out n-grams without which the perplexity rises by less than this share, such as 1e-7;
    /// larger: a smaller, less accurate model
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub prune: f64,
    /// Write the packed model to this file
    #[arg(long, value_name = "FILE", required_unless_present = "arpa")]
    pub out: Option<PathBuf>,
    /// Write the model to this ARPA file; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub arpa: Option<PathBuf>,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..1.0).contains(share));
    share.ok_or_else(|| "must be from 0 to below 1".to_owned())
}

/// Estimates a model of a text and writes it.
pub fn build(args: &Args) -> Result<()> {
    let text = read_text(&args.text)?;
    let (words, sum) = match (&args.words, &args.make_words) {
        (Some(path), _) => read_words(path)?,
        (None, Some(path)) => make_words(&text, path)?,
        (None, None) => unreachable!("clap asks for one of them"),
    };
    let mut counts = TextCounts::default();
    text.iter().for_each(|line| counts.add(line, &words));
    let options = EstimateOptions::default().order(usize::from(args.order)).prune(args.prune);
    let arpa = estimate(&counts, &words, &options)?;
    let sizes: Vec<usize> = arpa.orders.iter().map(Vec::len).collect();
    if let Some(path) = &args.arpa {
        write_arpa(&arpa, &words, path)?;
    }
    if let Some(path) = &args.out {
        pack(arpa, &words, sum)?.save(path)?;
    }
    progress::tell(&format!(
        "{} words, {} unknown; n-grams by order {sizes:?}",
        counts.known_words() + counts.unknown_words(),
        counts.unknown_words()
    ));
    Ok(())
}

fn read_text(paths: &[PathBuf]) -> Result<Vec<String>> {
    let mut text = Vec::new();
    for path in paths {
        for line in lines(path)?.lines() {
            text.push(line.with_context(|| path.display().to_string())?);
        }
    }
    Ok(text)
}

/// Writes the table of a text's words.
fn make_words(text: &[String], path: &Path) -> Result<(WordTable, u64)> {
    let words = text.iter().flat_map(|line| line.split_whitespace());
    let words: BTreeSet<&str> = words.filter(|word| !word.starts_with('<')).collect();
    let words = WordTable::of_words(words, &path.display().to_string())?;
    let table = words.to_text();
    fs::write(path, &table).with_context(|| path.display().to_string())?;
    Ok((words, xxh3_64(table.as_bytes())))
}
