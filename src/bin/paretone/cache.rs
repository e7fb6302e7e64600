//! `paretone cache list|clean`: what is kept between runs, and how to be rid of it.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, anyhow};
use clap::Subcommand;

use super::{DONE, UsageError};
use paretone::recognizer::{CACHE_VARIABLE, Cache, CacheEntry, parse_size};

/// List and remove what is kept between runs: compiled graphs, which are made again when needed
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done with the cache.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Prints the folder and its files: bytes, days since the last use, path
    List,
    /// Removes all files, or as many as it takes
    Clean {
        /// Keep the files used last, up to this size, as in 500M or 2G
        #[arg(long, value_name = "SIZE", value_parser = parse_size)]
        keep: Option<u64>,
    },
}

/// Runs the subcommand.
///
/// # Errors
/// There is no cache folder, or it cannot be read or written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let cache = Cache::of_user();
    let folder = cache
        .folder()
        .map(PathBuf::from)
        .ok_or_else(|| UsageError(anyhow!("there is no cache folder; set {CACHE_VARIABLE}")))?;
    let context = || folder.display().to_string();
    let mut out = std::io::stdout().lock();
    match args.command {
        Command::List => {
            let entries = cache.entries().with_context(context)?;
            for entry in &entries {
                let (bytes, path) = (entry.bytes, entry.path.display());
                writeln!(out, "{bytes}\t{}\t{path}", days(entry))?;
            }
            writeln!(out, "{}\ttotal\t{}", total(&entries), folder.display())?;
        }
        Command::Clean { keep } => {
            let removed = cache.shrink(keep.unwrap_or(0)).with_context(context)?;
            let (count, bytes) = (removed.len(), total(&removed));
            writeln!(out, "{bytes}\tremoved, {count} files\t{}", folder.display())?;
        }
    }
    Ok(ExitCode::from(DONE))
}

fn total(entries: &[CacheEntry]) -> u64 {
    entries.iter().map(|entry| entry.bytes).sum()
}

/// Whole days since the last use.
fn days(entry: &CacheEntry) -> u64 {
    let age = SystemTime::now().duration_since(entry.used);
    age.map_or(0, |age| age.as_secs() / (24 * 3600))
}
