//! `paretone versions`: choose the model's versions from a sweep, and list them.

use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Subcommand;

use super::{UsageError, model_folder};
use paretone::eval::table::{Cells, Table};
use paretone::recognizer::{Measured, VERSIONS_FILE, Version, Versions};
use paretone::sweep::{Point, pick};

/// Choose the model's versions, v1 (fastest) to v7 (most accurate), or list them
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The model: its folder, or its name (see `paretone model list`) [default: en]
    #[arg(long, value_name = "DIR", env = "PARETONE_MODEL", global = true)]
    pub model: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with versions.
#[derive(Subcommand, Debug)]
pub enum Action {
    /// Choose versions along the Pareto front of a sweep and write versions.toml into the model's
    /// folder: evenly spread in word error rate, from the fastest useful to the most accurate
    Pick(Pick),
    /// List the model's versions
    List,
}

/// How versions are chosen.
#[derive(clap::Args, Debug)]
pub struct Pick {
    /// The sweep's points.json
    #[arg(long, value_name = "FILE")]
    pub points: PathBuf,
    /// How many versions
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u8).range(2..=99))]
    pub count: u8,
    /// The fastest version may have so much more errors than the most accurate, relatively
    #[arg(long, value_name = "SHARE", default_value_t = 0.12, value_parser = share)]
    pub gap: f64,
    /// On what the sweep was measured: corpus, machine, date, commit; kept in the file
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
    let folder = model_folder(args.model)?;
    let versions = match &args.action {
        Action::List => Versions::of_model(&folder).map_err(|error| UsageError(error.into()))?,
        Action::Pick(how) => picked(how, &folder)?,
    };
    list(&versions, &mut io::stdout().lock())?;
    Ok(ExitCode::SUCCESS)
}

/// Chooses and writes.
fn picked(how: &Pick, folder: &Path) -> anyhow::Result<Versions> {
    let unusable = || format!("{} cannot be used", how.points.display());
    let file = File::open(&how.points)
        .with_context(unusable)
        .map_err(UsageError)?;
    let points: Vec<Point> = serde_json::from_reader(BufReader::new(file))
        .with_context(unusable)
        .map_err(UsageError)?;
    let chosen = pick(&points, usize::from(how.count), how.gap);
    if chosen.len() < 2 {
        let error = anyhow!("the front has no two useful points: sweep more settings");
        return Err(UsageError(error).into());
    }
    let version = |(number, &at): (usize, &usize)| -> anyhow::Result<Version> {
        let point = &points[at];
        Ok(Version {
            name: format!("v{}", number + 1),
            measured: Measured {
                wer_percent: rounded(point.wer_percent, 3),
                response_seconds: rounded(point.response_seconds, 5),
                arcs_per_frame: rounded(point.arcs_per_frame, 1),
            },
            setting: point
                .setting
                .parse()
                .map_err(|error| UsageError(anyhow::Error::new(error)))?,
        })
    };
    let list: anyhow::Result<Vec<Version>> = chosen.iter().enumerate().map(version).collect();
    let versions = Versions {
        measured_on: how.measured_on.clone(),
        list: list?,
    };
    let path = folder.join(VERSIONS_FILE);
    fs::write(&path, versions.to_text())
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(versions)
}

fn rounded(value: f64, digits: i32) -> f64 {
    let unit = 10f64.powi(digits);
    (value * unit).round() / unit
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
