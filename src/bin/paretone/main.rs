//! The `paretone` command: parses the arguments, dispatches, and turns the outcome into an exit
//! code. One file a subcommand, each with its `Args` and its `run`.
//!
//! Answers go to standard output, everything else (errors, warnings, progress, logs) to standard
//! error.

mod adapt;
mod bench;
mod cache;
mod command;
mod confidence;
mod config;
mod decode;
mod destination;
mod embedded;
mod exit;
mod export;
mod features;
mod grammar;
mod graph;
mod help_files;
mod inputs;
mod lexicon;
mod lm;
#[cfg(feature = "service")]
mod load;
mod log;
mod model;
mod model_folder;
mod output;
mod patterns;
mod progress;
mod recording;
mod report;
mod score;
#[cfg(feature = "service")]
mod serve;
mod setting;
mod shelf;
mod sweep;
mod tiers;
mod tolerance;
mod transcribe;
mod tune;
mod vad;
mod versions;
mod whole_file;

use std::process::ExitCode;

use exit::{DONE, SOME_FAILED, UsageError};
use model_folder::model_folder;

fn main() -> ExitCode {
    let cli = match command::parse() {
        Ok(cli) => cli,
        Err(error) => {
            exit::say(&error);
            return exit::exit_code(&error);
        }
    };
    if cli.quiet {
        progress::hush();
    }
    let _log = log::log_to_stderr(&cli);
    match command::run(cli.command) {
        Ok(code) => code,
        Err(error) if exit::reader_went_away(&error) => ExitCode::SUCCESS,
        Err(error) => {
            exit::say(&error);
            exit::exit_code(&error)
        }
    }
}
