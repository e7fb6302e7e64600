//! Log lines on standard error.

use std::io::IsTerminal;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[cfg(feature = "service")]
use crate::command::Command;
use crate::command::{Cli, When};
#[cfg(feature = "service")]
use crate::serve;

/// Sends log lines to standard error: warnings only by default, one level more for each `-v`. A
/// service begins one level higher, and tells the time.
pub fn log_to_stderr(cli: &Cli) -> Log {
    #[cfg(feature = "service")]
    if let Command::Serve(args) = &cli.command {
        return Log(Some(log_service(cli, args.log_format)));
    }
    let lines = tracing_subscriber::fmt()
        .with_max_level(level(cli, 0))
        .with_writer(std::io::stderr)
        .with_ansi(is_coloured(cli.color));
    let lines = lines.without_time().with_target(false).finish();
    lines.with(ours(cli, 0)).init();
    Log::default()
}

/// The log. What waits to be written is written when this is dropped.
#[must_use = "a service's last lines are lost without it"]
#[derive(Default)]
pub struct Log(
    #[cfg(feature = "service")]
    #[expect(dead_code, reason = "held")]
    Option<tracing_appender::non_blocking::WorkerGuard>,
);

#[cfg(feature = "service")]
fn log_service(cli: &Cli, format: serve::LogFormat) -> tracing_appender::non_blocking::WorkerGuard {
    let (writer, guard) = paretone::service::log::lossy(std::io::stderr());
    let lines = tracing_subscriber::fmt()
        .with_max_level(level(cli, 1))
        .with_writer(writer)
        .log_internal_errors(false)
        .with_ansi(is_coloured(cli.color))
        .with_target(false);
    match format {
        serve::LogFormat::Text => lines.finish().with(ours(cli, 1)).init(),
        serve::LogFormat::Json => lines.json().finish().with(ours(cli, 1)).init(),
    }
    // The standard hook writes to standard error itself, and waits where that stalls.
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    guard
}

/// What is logged. Symphonia's readers are silenced, since they log remarks on every intact file
/// while they search it; the library itself reports what could not be read.
fn ours(cli: &Cli, more: u8) -> Targets {
    let targets = Targets::new().with_default(level(cli, more));
    match cli.verbose.saturating_add(more) {
        0..=2 => targets.with_target("symphonia", LevelFilter::OFF),
        _ => targets,
    }
}

fn is_coloured(when: When) -> bool {
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => {
            let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            !refused && std::io::stderr().is_terminal()
        }
    }
}

/// The least serious lines that are shown, `more` levels above what the flags say.
fn level(cli: &Cli, more: u8) -> LevelFilter {
    if cli.quiet {
        return LevelFilter::ERROR;
    }
    match cli.verbose.saturating_add(more) {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    }
}
