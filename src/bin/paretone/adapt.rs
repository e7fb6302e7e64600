//! `paretone adapt`: a model for a domain, made of a text from it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::{DONE, UsageError, model_folder, progress};
use paretone::Recognizer;
use paretone::eval::Normaliser;
use paretone::graph::WordList;
use paretone::recognizer::{Adapted, Cache, Domain, adapt};

/// Make a model for a domain: its language models mixed with one of your text, your words in its
/// vocabulary
#[derive(clap::Args)]
pub struct Args {
    /// Learn the domain from this text, one sentence or paragraph a line, as people write it, with
    /// numbers as words; may be repeated
    #[arg(long, value_name = "FILE", required_unless_present = "words")]
    pub text: Vec<PathBuf>,
    /// Add these words and phrases, listed as `transcribe --words` reads them; boosts do not count
    #[arg(long, value_name = "FILE")]
    pub words: Option<PathBuf>,
    /// Write the new model to this folder, which must not be there yet
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Begin with this model: its folder, or its name (see `paretone model list`) [default: en]
    #[arg(long, value_name = "DIR", env = "PARETONE_MODEL")]
    pub model: Option<PathBuf>,
}

/// Runs the subcommand.
///
/// # Errors
/// What is wrong with the files given.
pub fn run(args: Args) -> Result<ExitCode> {
    make(&args).map_err(UsageError)?;
    Ok(ExitCode::from(DONE))
}

fn make(args: &Args) -> Result<()> {
    let model = model_folder(args.model.clone())?;
    let text = read_text(&args.text)?;
    let words = match &args.words {
        Some(path) => WordList::open(path)?,
        None => WordList::default(),
    };
    if text.is_empty() && words.is_empty() {
        bail!("there is no text, nor a list of words: --text and --words name what the domain is");
    }
    let spinner = progress::spinner("adapting");
    let domain = Domain { text: &text, words: &words };
    let cache = Cache::of_user();
    let adapted = adapt(&model, domain, &args.out, &cache, |what| {
        spinner.set_message(what.to_owned());
        tracing::info!("{what}");
    })?;
    spinner.set_message("compiling the graph");
    Recognizer::open(&args.out)?;
    spinner.finish_and_clear();
    report(&adapted, &args.out);
    Ok(())
}

/// The lines of texts as the model writes words.
fn read_text(paths: &[PathBuf]) -> Result<Vec<String>> {
    let normaliser = Normaliser { join_compounds: false };
    let mut lines = Vec::new();
    for path in paths {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let plain = text.lines().map(|line| normaliser.words(line).join(" "));
        lines.extend(plain.filter(|line| !line.is_empty()));
    }
    Ok(lines)
}

fn report(adapted: &Adapted, out: &Path) {
    let held_out = adapted.held_out;
    progress::tell(&format!(
        "{}: {} new words; the text counts for {:.0} %; perplexity of lines held out {:.1}, before {:.1}",
        out.display(),
        adapted.new_words,
        100.0 * held_out.weight,
        held_out.mixed,
        held_out.general,
    ));
    if !adapted.left_out.is_empty() {
        let some: Vec<&str> = adapted.left_out.iter().take(10).map(String::as_str).collect();
        progress::tell(&format!(
            "{} words are left out, as their letters do not tell how they are said: {}{}",
            adapted.left_out.len(),
            some.join(", "),
            if adapted.left_out.len() > some.len() { ", …" } else { "" },
        ));
    }
}
