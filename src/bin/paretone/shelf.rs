//! `paretone model list|where|install|prepare`: which models there are, and how one gets among
//! them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};

use super::model_folder;
use super::{DONE, UsageError, embedded, progress};
use paretone::recognizer::Recognizer;
use paretone::recognizer::shelf::{self, USUAL, is_model};

/// What is copied, and to where.
#[derive(clap::Args, Debug)]
pub struct InstallArgs {
    /// The folder of a model [default: the model in the program]
    #[arg(value_name = "DIR")]
    pub source: Option<PathBuf>,
    /// Give it this name among the installed models, for --model [default: the folder's; en]
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub name: Option<String>,
    /// Replace an installed model of this name
    #[arg(long)]
    pub force: bool,
}

fn name(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match !text.is_empty() && !text.starts_with('.') && text.bytes().all(plain) {
        true => Ok(text.into()),
        false => {
            Err("a name has letters, digits, `-`, `_` and `.`, and begins with none of `.`".into())
        }
    }
}

/// Prints every model that a name finds, the one used by default marked.
///
/// # Errors
/// Standard output cannot be written.
pub fn list() -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let models = shelf::models();
    let mut named: Vec<&str> = Vec::new();
    for model in &models {
        let hidden = named.contains(&model.name.as_str());
        let mark = match (hidden, model.name == USUAL) {
            (true, _) => " (hidden by the one above)",
            (false, true) => " (used by default)",
            (false, false) => "",
        };
        let (name, folder, whose) = (&model.name, model.folder.display(), model.whose);
        writeln!(out, "{name}\t{folder}\t{whose}{mark}")?;
        named.push(name);
    }
    if embedded::is_there() {
        let megabytes = embedded::size() / 1_000_000;
        let mark = match named.contains(&USUAL) {
            true => " (hidden by the one above)",
            false => " (used by default)",
        };
        writeln!(out, "{USUAL}\t{megabytes} MB\tin the program{mark}")?;
    }
    Ok(ExitCode::from(DONE))
}

/// Prints the folder of a model; one that is in the program is unpacked for that.
///
/// # Errors
/// There is no such model.
pub fn print_where(model: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let folder = model_folder::model_folder(model)?;
    writeln!(std::io::stdout().lock(), "{}", folder.display())?;
    Ok(ExitCode::from(DONE))
}

/// Copies a model to where the user's models are.
///
/// # Errors
/// It is no model that can be used, one of its name is there, or the copy cannot be written.
pub fn install(args: &InstallArgs) -> anyhow::Result<ExitCode> {
    let source = match &args.source {
        Some(source) => source.clone(),
        None => model_folder::unpacked().map_err(UsageError)?,
    };
    opened(&source)?;
    let usual = || match &args.source {
        Some(source) => file_name(source),
        None => Ok(USUAL.into()),
    };
    let name = args.name.clone().map_or_else(usual, Ok)?;
    let shelf = shelf::own()
        .ok_or_else(|| UsageError(anyhow!("there is no home folder to install a model in")))?;
    let place = shelf.join(&name);
    if place.exists() && !args.force {
        let told = anyhow!("{} is there already; --force replaces it", place.display());
        return Err(UsageError(told).into());
    }
    copy(&source, &place).with_context(|| place.display().to_string())?;
    progress::tell(&format!("use it with --model {name}"));
    writeln!(std::io::stdout().lock(), "{}", place.display())?;
    Ok(ExitCode::from(DONE))
}

/// Compiles a model's graph into the cache, so that its first use is as quick as every other.
///
/// # Errors
/// The model cannot be used.
pub fn prepare(model: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let folder = model_folder::model_folder(model)?;
    let opening = progress::spinner("compiling the model's graph, once");
    opened(&folder)?;
    opening.finish_and_clear();
    writeln!(std::io::stdout().lock(), "{}: ready", folder.display())?;
    Ok(ExitCode::from(DONE))
}

fn opened(folder: &Path) -> anyhow::Result<Recognizer> {
    let opened = Recognizer::open(folder)
        .with_context(|| format!("the model in {} cannot be used", folder.display()));
    Ok(opened.map_err(UsageError)?)
}

/// The folder's name, which is to name the model.
fn file_name(folder: &Path) -> anyhow::Result<String> {
    let folder = folder.canonicalize()?;
    let last = folder.file_name().unwrap_or_default().to_string_lossy();
    name(&last).map_err(|what| UsageError(anyhow!("{last}: {what}; give a --name")).into())
}

/// Copies a model's files beside their place, then moves them there.
fn copy(source: &Path, place: &Path) -> anyhow::Result<()> {
    let shelf = place.parent().context("a model has a folder above it")?;
    fs::create_dir_all(shelf)?;
    let draft = tempfile::Builder::new().prefix(".installing-").tempdir_in(shelf)?;
    let made = draft.path().join("model");
    fs::create_dir(&made)?;
    for entry in fs::read_dir(source)? {
        let file = entry?.path();
        if file.is_file() {
            let name = file.file_name().context("a file has a name")?;
            fs::copy(&file, made.join(name))?;
        }
    }
    if place.exists() {
        if !is_model(place) {
            bail!("what is there is no model and is not replaced");
        }
        fs::rename(place, draft.path().join("before"))?;
    }
    Ok(fs::rename(&made, place)?)
}
