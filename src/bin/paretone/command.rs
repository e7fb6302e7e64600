//! The arguments of the program, and which subcommand they go to.

use std::process::ExitCode;

use anyhow::anyhow;
use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use paretone::recognizer::cache_limit;

use crate::exit::UsageError;
use crate::{
    adapt, bench, cache, confidence, config, decode, features, graph, help_files, lexicon, lm,
    model, report, score, sweep, tiers, transcribe, tune, versions,
};
#[cfg(feature = "service")]
use crate::{load, serve};

/// A speech recogniser whose caller chooses how much accuracy to trade for speed.
#[derive(Parser)]
#[command(name = "paretone", version, arg_required_else_help = true)]
#[command(
    after_help = "To recognise speech: transcribe, serve. To measure: bench, score, report, load. To tune: tune, \
                  or step by step sweep, versions, confidence, tiers; adapt. One stage at a time: features, model, \
                  graph, decode, lm. \
                  What is kept: cache. For the shell: completions, man.\n\n\
                  Exit codes: 0 done, 1 some inputs failed, 2 usage."
)]
pub struct Cli {
    /// Say more on standard error (-v: what is being done, -vv: details)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Everywhere")]
    pub verbose: u8,
    /// Say nothing on standard error but errors: no warnings, no progress
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Everywhere")]
    pub quiet: bool,
    /// Colour help, errors and what is logged
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value_t,
        help_heading = "Everywhere"
    )]
    pub color: When,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// When something is done that suits a terminal only.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// Where a terminal is watched, and $NO_COLOR is not set
    #[default]
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

/// Reads the command line; the user's configuration gives the flags that are missing there. Exits
/// the program if help or the version was asked for, or if the command line cannot be used.
///
/// # Errors
/// The configuration cannot be used.
pub fn parse() -> anyhow::Result<Cli> {
    let last = std::env::args_os().skip(1).last();
    if last.is_some_and(|last| last == "--version" || last == "-V") {
        // In every subcommand too, some of which had a flag of this name.
        println!("paretone {}", env!("CARGO_PKG_VERSION"));
        std::process::exit(0);
    }
    cache_limit().map_err(|what| UsageError(anyhow!("{what}")))?;
    let mut command = config::with_users_defaults(Cli::command(), std::env::args_os())?;
    command = command.color(colour(std::env::args_os()));
    let matches = command.clone().try_get_matches().unwrap_or_else(|error| {
        let _ = error.print();
        command.build();
        if let Some(variable) = variable_of(&command, &error) {
            eprintln!("\nThe value is that of ${variable} in the environment.");
        }
        std::process::exit(error.exit_code())
    });
    Ok(Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()))
}

/// What `--color` says of help and of errors in the command line, which come before the flags are
/// known; clap heeds the terminal and $NO_COLOR where it says nothing.
fn colour(words: impl Iterator<Item = std::ffi::OsString>) -> clap::ColorChoice {
    let words: Vec<_> = words.skip(1).take_while(|word| word != "--").collect();
    let joined = words.iter().filter_map(|word| word.to_str()?.strip_prefix("--color="));
    let apart = words.windows(2).filter(|pair| pair[0] == "--color");
    let said = joined.chain(apart.filter_map(|pair| pair[1].to_str())).last();
    match said.and_then(|said| When::from_str(said, false).ok()) {
        Some(When::Always) => clap::ColorChoice::Always,
        Some(When::Never) => clap::ColorChoice::Never,
        _ => clap::ColorChoice::Auto,
    }
}

/// The environment variable that gives a flag the value which an error is about.
fn variable_of(command: &clap::Command, error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let is_it = |arg: &&clap::Arg| arg.to_string() == *flag;
    let known = command.get_arguments().find(is_it).and_then(|arg| {
        let long = format!("--{}", arg.get_long()?);
        let typed = std::env::args().any(|word| word.split('=').next() == Some(&long));
        let variable =
            arg.get_env().filter(|variable| !typed && std::env::var_os(variable).is_some());
        Some(variable?.to_string_lossy().into_owned())
    });
    known.or_else(|| command.get_subcommands().find_map(|sub| variable_of(sub, error)))
}

/// Runs a command that another one gives, by its words without the program's name.
///
/// # Errors
/// As [`run`], and where the words are no command.
fn again(words: &[std::ffi::OsString]) -> anyhow::Result<ExitCode> {
    let program = std::ffi::OsString::from("paretone");
    let cli = Cli::try_parse_from(std::iter::once(&program).chain(words))?;
    run(cli.command)
}

/// The subcommands, grouped by what they are for. A new one is its file, a line here and a line in
/// [`run`].
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
    Tune(tune::Args),
    Sweep(sweep::Args),
    Versions(versions::Args),
    Confidence(confidence::Args),
    Tiers(tiers::Args),
    Features(features::Args),
    Model(model::Args),
    Graph(graph::Args),
    Decode(decode::Args),
    Lm(lm::Args),
    Lexicon(lexicon::Args),
    Adapt(adapt::Args),
    Cache(cache::Args),
    Completions(help_files::CompletionArgs),
    Man(help_files::ManArgs),
}

/// Runs one subcommand.
///
/// # Errors
/// Whatever kept the subcommand from finishing; [`exit_code`](crate::exit::exit_code) says which
/// exit code it deserves.
pub fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Transcribe(args) => transcribe::run(args),
        Command::Features(args) => features::run(args),
        Command::Graph(args) => graph::run(args),
        Command::Decode(args) => decode::run(&args),
        Command::Lm(args) => lm::run(args),
        Command::Lexicon(args) => lexicon::run(args),
        Command::Adapt(args) => adapt::run(args),
        Command::Model(args) => model::run(args),
        Command::Score(args) => score::run(args),
        Command::Report(args) => report::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Tune(args) => tune::run(args, again),
        Command::Sweep(args) => sweep::run(args),
        Command::Versions(args) => versions::run(args),
        Command::Confidence(args) => confidence::run(args),
        Command::Tiers(args) => tiers::run(args),
        Command::Cache(args) => cache::run(args),
        Command::Completions(args) => help_files::completions(&args, Cli::command()),
        Command::Man(args) => help_files::manual(&args, Cli::command()),
        #[cfg(feature = "service")]
        Command::Serve(args) => serve::run(*args),
        #[cfg(feature = "service")]
        Command::Load(args) => load::run(args),
    }
}
