//! Log lines on standard error.

use std::io::IsTerminal;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::command::Cli;
#[cfg(feature = "service")]
use crate::command::Command;
#[cfg(feature = "service")]
use crate::serve;

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
    let lines = lines.without_time().with_target(false).finish();
    lines.with(ours(cli.verbose)).init();
}

#[cfg(feature = "service")]
fn log_service(verbose: u8, format: serve::LogFormat) {
    let lines = tracing_subscriber::fmt()
        .with_max_level(level(verbose))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    match format {
        serve::LogFormat::Text => lines.finish().with(ours(verbose)).init(),
        serve::LogFormat::Json => lines.json().finish().with(ours(verbose)).init(),
    }
}

/// What the readers of symphonia remark on while they search is in every sound file; what is lost, the
/// crate itself says.
fn ours(verbose: u8) -> Targets {
    let targets = Targets::new().with_default(level(verbose));
    match verbose {
        0..=2 => targets.with_target("symphonia", LevelFilter::OFF),
        _ => targets,
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
