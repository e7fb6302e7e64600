//! `paretone transcribe FILE…`: what was said, file by file, in the order the files were given.

use std::path::PathBuf;
use std::process::ExitCode;

/// Transcribe audio files (WAV, FLAC, MP3, Ogg); one line of text per file, in input order
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Audio files; `-` reads one from standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// Transcribes every file; one that fails does not stop the others.
///
/// # Errors
/// When the model cannot be opened, or standard output cannot be written.
pub fn run(_args: Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("the recogniser is not connected yet")
}
