//! `paretone versions`: choose the model's versions from a sweep, and list them.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Subcommand;

use super::sweep::found;
use super::{UsageError, model_folder};
use paretone::MadeFor;
use paretone::eval::table::{Cells, Table};
use paretone::recognizer::{self, VERSIONS_FILE, Versions};
use paretone::sweep::pick;

/// Choose the model's versions, v1 (fastest) to v7 (most accurate), or list them
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Use this model: its folder, or its name (see `paretone model list`) [default: en]
    #[arg(long, value_name = "DIR", env = "PARETONE_MODEL", global = true)]
    pub model: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with versions.
#[derive(Subcommand, Debug)]
pub enum Action {
    /// Choose versions along the Pareto front of a sweep, evenly spread in the logarithm of time,
    /// from the fastest useful to the most accurate, write them as versions.toml, and name them in
    /// the sweep's picture
    Pick(Pick),
    /// List the model's versions
    List,
}

/// How versions are chosen.
#[derive(clap::Args, Debug)]
pub struct Pick {
    /// Choose from this points.json of a sweep
    #[arg(long, value_name = "FILE")]
    pub points: PathBuf,
    /// Choose this many versions
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u8).range(2..=99))]
    pub count: u8,
    /// Let the fastest version make at most so many more errors than the most accurate, relatively
    #[arg(long, value_name = "SHARE", default_value_t = 0.12, value_parser = share)]
    pub gap: f64,
    /// Write to this file [default: versions.toml of the model that --model names]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write into the folder of the model used by default
    #[arg(long, conflicts_with = "out")]
    pub in_place: bool,
    /// Say in the file on what the sweep was measured: corpus, machine, date, commit
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub measured_on: String,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share.is_finite() => Ok(share),
        _ => Err("a share is a number above 0, such as 0.12".into()),
    }
}

/// Chooses or lists.
///
/// # Errors
/// When the points or the model's folder cannot be used.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let named = args.model.is_some();
    let folder = model_folder(args.model)?;
    let versions = match &args.action {
        Action::List => Versions::of_model(&folder).map_err(|error| UsageError(error.into()))?,
        Action::Pick(how) => {
            let beside = folder.join(VERSIONS_FILE);
            let path = destination(how.out.clone(), beside, named || how.in_place)?;
            picked(how, &folder, &path)?
        }
    };
    list(&versions, &mut io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

/// Where to write what belongs to a model: what was asked for, else into the model's folder if the
/// user said so.
///
/// # Errors
/// A [`UsageError`]: nobody said which.
pub fn destination(out: Option<PathBuf>, beside: PathBuf, told: bool) -> anyhow::Result<PathBuf> {
    match out {
        Some(out) => Ok(out),
        None if told => Ok(beside),
        None => {
            let error = anyhow!(
                "{} would be overwritten: say --in-place if that is meant, name another model with --model, or a \
                 file with --out",
                beside.display()
            );
            Err(UsageError(error).into())
        }
    }
}

/// What the sweep beside the points was made for, if it says so.
fn swept(points: &Path) -> Option<MadeFor> {
    let identity = fs::read_to_string(points.with_file_name("identity.txt")).ok()?;
    let model = identity.strip_prefix("model ")?;
    model.split(',').next()?.parse().ok()
}

/// Chooses and writes.
fn picked(how: &Pick, folder: &Path, path: &Path) -> anyhow::Result<Versions> {
    let now = recognizer::made_for_uncalibrated(folder, true);
    let now = now.map_err(|error| UsageError(error.into()))?;
    check_swept(&how.points, folder, &now)?;
    let points = found::read(&how.points)?;
    let how_many = (usize::from(how.count), how.gap);
    let versions = pick::versions(&points, how_many, now, how.measured_on.clone());
    let versions = versions.map_err(|error| UsageError(error.into()))?;
    fs::write(path, versions.to_text())
        .with_context(|| format!("cannot write {}", path.display()))?;
    // The sweep's picture, where it lies beside the points, names them from now on.
    if let Some(swept) = how.points.parent().filter(|swept| swept.join(found::PICTURE).is_file()) {
        found::draw(swept, &points, &versions)
            .with_context(|| format!("cannot draw what {} has", how.points.display()))?;
    }
    Ok(versions)
}

/// Refuses a sweep of another model than the one in this folder, which is as `now` says.
fn check_swept(points: &Path, folder: &Path, now: &MadeFor) -> Result<(), UsageError> {
    let changed = swept(points).map_or(Vec::new(), |swept| swept.changed(now));
    if changed.is_empty() {
        return Ok(());
    }
    Err(UsageError(anyhow!(
        "{} was swept before the {} of the model in {} changed; sweep it again",
        points.display(),
        changed.join(" and "),
        folder.display()
    )))
}

fn list(versions: &Versions, out: &mut impl Write) -> io::Result<()> {
    if !versions.measured_on.is_empty() {
        writeln!(out, "measured on {}", versions.measured_on)?;
    }
    let columns = ["version", "WER %", "ms/utt", "arcs/frame", "setting"];
    let mut table = Table::new("", columns);
    table.cells = Cells::WordsIn(&[0, 4]);
    for version in &versions.list {
        let measured = version.measured;
        let cells = [
            format!("{:.2}", measured.wer_percent),
            format!("{:.2}", 1000.0 * measured.response_seconds),
            format!("{:.0}", measured.arcs_per_frame),
            version.setting.to_string(),
        ];
        table.push(&version.name, cells);
    }
    table.write_text(out)
}
