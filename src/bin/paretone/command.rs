//! The arguments of the program, and which subcommand they go to.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{
    bench, confidence, features, graph, lm, model, report, score, sweep, tiers, transcribe,
    versions,
};
#[cfg(feature = "service")]
use crate::{load, serve};

/// A speech recogniser whose caller chooses how much accuracy to trade for speed.
#[derive(Parser)]
#[command(name = "paretone", version, arg_required_else_help = true)]
#[command(
    after_help = "To recognise speech: transcribe, serve. To measure: bench, score, report, load. To tune: sweep, \
                  versions, confidence, tiers. One stage at a time: features, model, graph, lm.\n\n\
                  Exit codes: 0 done, 1 some inputs failed, 2 usage."
)]
pub struct Cli {
    /// Say more on standard error (-v: what is being done, -vv: details)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands, grouped by what they are for. A new one is its file, a line here and a line in [`run`].
#[derive(Subcommand)]
pub enum Command {
    Transcribe(transcribe::Args),
    #[cfg(feature = "service")]
    Serve(Box<serve::Args>),
    Bench(bench::Args),
    Score(score::Args),
    Report(report::Args),
    #[cfg(feature = "service")]
    Load(load::Args),
    Sweep(sweep::Args),
    Versions(versions::Args),
    Confidence(confidence::Args),
    Tiers(tiers::Args),
    Features(features::Args),
    Model(model::Args),
    Graph(graph::Args),
    Lm(lm::Args),
}

/// Runs one subcommand.
///
/// # Errors
/// Whatever kept the subcommand from finishing; [`exit_code`](crate::exit::exit_code) says which exit code it deserves.
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
