//! `paretone lexicon say|add`: how words are said, and lists of words for `--words`.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Subcommand;

use super::{DONE, SOME_FAILED, UsageError, model_folder};
use paretone::graph::WordList;
use paretone::recognizer::Recognizer;

/// Tell how words are said, or put them on a list for `transcribe --words`
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Use this model: its folder, or its name (see `paretone model list`) [default: en]
    #[arg(long, value_name = "DIR", env = "PARETONE_MODEL", global = true)]
    pub model: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with words.
#[derive(Subcommand, Debug)]
pub enum Action {
    /// Print how words are said, a pronunciation a line, the likeliest first: as the model's
    /// lexicon has them, else as they are spelt
    Say {
        /// The words
        #[arg(required = true, value_name = "WORD")]
        words: Vec<String>,
    },
    /// Put a word or phrase on a list, which is made if it is not there
    Add {
        /// The list
        #[arg(value_name = "FILE")]
        list: PathBuf,
        /// The word or phrase, as it is to be written
        #[arg(value_name = "WORD")]
        word: String,
        /// How much likelier it is than usual
        #[arg(long, value_name = "COST", allow_negative_numbers = true)]
        boost: Option<f32>,
        /// How it is said, as in "P EH R AH T OW N" [default: found out whenever the list is used]
        #[arg(long, value_name = "PHONES")]
        phones: Option<String>,
    },
}

/// Prints or writes.
///
/// # Errors
/// The model or the list cannot be used.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let folder = model_folder(args.model)?;
    let recognizer = Recognizer::open(&folder)
        .with_context(|| format!("the model in {} cannot be used", folder.display()))
        .map_err(UsageError)?;
    match args.action {
        Action::Say { words } => say(&recognizer, &words),
        Action::Add { list, word, boost, phones } => {
            let mut line = word.split_whitespace().collect::<Vec<_>>().join(" ");
            if let Some(boost) = boost {
                line += &format!("\t{boost}");
            }
            if let Some(phones) = phones {
                line += &format!("\t{phones}");
            }
            add(&recognizer, &list, &line).map_err(UsageError)?;
            Ok(ExitCode::from(DONE))
        }
    }
}

fn say(recognizer: &Recognizer, words: &[String]) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let mut failed = false;
    for word in words {
        let said = recognizer.pronunciations(word)?;
        if said.is_empty() {
            eprintln!(
                "paretone: {word}: cannot be told from its letters; write it as it is spoken"
            );
            failed = true;
        }
        for phones in said {
            writeln!(out, "{word}\t{}", phones.join(" "))?;
        }
    }
    Ok(ExitCode::from(if failed { SOME_FAILED } else { DONE }))
}

/// Appends a line that can be used.
fn add(recognizer: &Recognizer, list: &Path, line: &str) -> anyhow::Result<()> {
    let one = WordList::from_reader(line.as_bytes(), "the word")?;
    if one.is_empty() {
        return Err(anyhow!("\"{line}\" is no word"));
    }
    recognizer.with_words(&one)?;
    let before = match fs::read(list) {
        Ok(before) => before,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).context(list.display().to_string()),
    };
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(list)
        .with_context(|| list.display().to_string())?;
    let gap = match before.last() {
        None | Some(b'\n') => "",
        Some(_) => "\n",
    };
    writeln!(file, "{gap}{line}").with_context(|| list.display().to_string())
}
