//! `paretone tiers …`: routing rules from recorded outcomes, and what they are worth.

mod evaluate;
mod input;
mod show;
mod simulate;
mod train;

pub use train::{ObjectiveName, objective};

use std::process::ExitCode;

/// Learn, judge and show tolerance tiers, from recorded outcomes
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

/// What to do about tiers.
#[derive(clap::Subcommand, Debug)]
enum Command {
    Train(train::Args),
    Evaluate(evaluate::Args),
    Show(show::Args),
    Simulate(simulate::Args),
}

/// Runs one of the commands.
///
/// # Errors
/// When outcomes or rules cannot be used, or the output cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Train(args) => train::run(args),
        Command::Evaluate(args) => evaluate::run(args),
        Command::Show(args) => show::run(args),
        Command::Simulate(args) => simulate::run(args),
    }
}
