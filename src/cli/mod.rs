//! The command line: one file a subcommand, each with its `Args` and its `run`.
//!
//! Exit codes: [`DONE`] everything asked for was done; [`SOME_FAILED`] an input failed, the others
//! were still done;
//! [`USAGE`] nothing was tried, because the arguments, or the model they name, cannot be used.
//! Answers go to standard output, everything else (errors, warnings, progress, logs) to standard
//! error.

pub mod bench;
pub mod confidence;
pub mod features;
pub mod graph;
pub mod lm;
#[cfg(feature = "service")]
pub mod load;
mod measure;
pub mod model;
mod outcomes;
mod output;
pub mod report;
pub mod score;
#[cfg(feature = "service")]
pub mod serve;
pub mod setting;
pub mod sweep;
pub mod tiers;
mod tolerance;
pub mod transcribe;
pub mod versions;
mod words;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;
use clap::{Parser, Subcommand};
use tracing_subscriber::filter::LevelFilter;

/// Exit code: everything asked for was done.
pub const DONE: u8 = 0;
/// Exit code: some inputs failed, the others were done.
pub const SOME_FAILED: u8 = 1;
/// Exit code: the arguments, or the model they name, cannot be used; no input was tried.
pub const USAGE: u8 = 2;

/// A speech recogniser whose caller chooses how much accuracy to trade for speed.
#[derive(Parser)]
#[command(name = "paretone", version, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 done, 1 some inputs failed, 2 usage.")]
pub struct Cli {
    /// Say more on standard error (-v: what is being done, -vv: details)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands, in the order of the pipeline. A new one is its file, a line here and a line in
/// [`run`].
#[derive(Subcommand)]
#[expect(missing_docs, reason = "each subcommand's Args carries the text")]
pub enum Command {
    Transcribe(transcribe::Args),
    Features(features::Args),
    Graph(graph::Args),
    Lm(lm::Args),
    Model(model::Args),
    Score(score::Args),
    Report(report::Args),
    Bench(bench::Args),
    Sweep(sweep::Args),
    Versions(versions::Args),
    Confidence(confidence::Args),
    Tiers(tiers::Args),
    #[cfg(feature = "service")]
    Serve(Box<serve::Args>),
    #[cfg(feature = "service")]
    Load(load::Args),
}

/// Runs one subcommand.
///
/// # Errors
/// Whatever kept the subcommand from finishing; [`exit_code`] says which exit code it deserves.
pub fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Transcribe(args) => transcribe::run(args),
        Command::Features(args) => features::run(args),
        Command::Graph(args) => graph::run(args),
        Command::Lm(args) => lm::run(args),
        Command::Model(args) => model::run(args),
        Command::Score(args) => score::run(args),
        Command::Report(args) => report::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Sweep(args) => sweep::run(args),
        Command::Versions(args) => versions::run(args),
        Command::Confidence(args) => confidence::run(args),
        Command::Tiers(args) => tiers::run(args),
        #[cfg(feature = "service")]
        Command::Serve(args) => serve::run(*args),
        #[cfg(feature = "service")]
        Command::Load(args) => load::run(args),
    }
}

/// The arguments, or the model they name, cannot be used: the error that exits with [`USAGE`].
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
pub struct UsageError(pub anyhow::Error);

/// The model a command uses: the folder asked for, else `models/en` here, or near the program
/// (where a build in the repository or an installed package has it).
///
/// # Errors
/// A [`UsageError`] that says where it was sought.
pub fn model_folder(asked: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    if let Some(folder) = asked {
        return Ok(folder);
    }
    let program = std::env::current_exe().unwrap_or_default();
    let near = program.ancestors().skip(1).flat_map(|folder| {
        [
            folder.join("models/en"),
            folder.join("share/paretone/models/en"),
        ]
    });
    let found = std::iter::once(PathBuf::from("models/en"))
        .chain(near)
        .find(|folder| is_model(folder));
    found.ok_or_else(|| {
        let error = anyhow!(
            "no model: there is no models/en here or near {}; name its folder with --model or $PARETONE_MODEL",
            program.display()
        );
        UsageError(error).into()
    })
}

fn is_model(folder: &Path) -> bool {
    folder.join("model.json").is_file()
}

/// The exit code an error deserves: [`USAGE`] for a [`UsageError`], [`SOME_FAILED`] for every
/// other.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    let usage = error.downcast_ref::<UsageError>().is_some();
    ExitCode::from(if usage { USAGE } else { SOME_FAILED })
}

/// True when the error is that whoever read our standard output has closed it (`paretone … | head
/// -1`), which is no failure of ours.
pub fn reader_went_away(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

/// Sends log lines to standard error: warnings only by default, one level more for each `-v`. A
/// service begins one level higher, and tells the time.
pub fn log_to_stderr(cli: &Cli) {
    #[cfg(feature = "service")]
    if let Command::Serve(args) = &cli.command {
        return log_service(cli.verbose + 1, args.log_format);
    }
    let lines = tracing_subscriber::fmt()
        .with_max_level(level(cli.verbose))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    lines.without_time().with_target(false).init();
}

#[cfg(feature = "service")]
fn log_service(verbose: u8, format: serve::LogFormat) {
    let lines = tracing_subscriber::fmt()
        .with_max_level(level(verbose))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    match format {
        serve::LogFormat::Text => lines.init(),
        serve::LogFormat::Json => lines.json().init(),
    }
}

fn level(verbose: u8) -> LevelFilter {
    match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    }
}
