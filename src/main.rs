//! The `paretone` command: parses the arguments, dispatches, and turns the outcome into an exit
//! code.

use std::process::ExitCode;

use clap::Parser;
use paretone::cli::{self, Cli};

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli::log_to_stderr(&cli);
    match cli::run(cli.command) {
        Ok(code) => code,
        Err(error) if cli::reader_went_away(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("paretone: {error:#}");
            cli::exit_code(&error)
        }
    }
}
