//! The user's own defaults: `~/.config/paretone.toml`, or the file that `$PARETONE_CONFIG` names.
//!
//! Each subcommand has a table, whose keys are its long flags; keys before the first table go to
//! every subcommand that has such a flag. The command line and the environment take precedence over
//! it.
//!
//! ```toml
//! model = "/srv/models/en"
//!
//! [transcribe]
//! at = "v5"
//! format = ["text", "srt"]
//! confidence = true
//! ```

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use toml::{Table, Value};

use crate::exit::UsageError;

/// The environment variable that names the file; empty: none is read.
const CONFIG_VARIABLE: &str = "PARETONE_CONFIG";

/// A command line with the user's defaults put in, as far as `words` say nothing that excludes
/// them.
///
/// # Errors
/// A [`UsageError`] with the file and what is wrong with it.
pub fn with_users_defaults(
    command: Command,
    words: impl IntoIterator<Item = OsString>,
) -> anyhow::Result<Command> {
    let named = std::env::var_os(CONFIG_VARIABLE).map(PathBuf::from);
    let usual = || Some(dirs::config_dir()?.join("paretone.toml")).filter(|path| path.exists());
    let Some(path) = named.or_else(usual).filter(|path| !path.as_os_str().is_empty()) else {
        return Ok(command);
    };
    let changed = read(&path).and_then(|defaults| {
        let given = command.clone().ignore_errors(true).try_get_matches_from(words).ok();
        let changed = with_defaults(command.clone(), &defaults)?;
        settled(&command, changed, given.as_ref())
    });
    let changed = changed.with_context(|| path.display().to_string());
    Ok(changed.map_err(UsageError)?)
}

fn read(path: &Path) -> anyhow::Result<Table> {
    Ok(fs::read_to_string(path)?.parse::<Table>()?)
}

/// A command line whose flags have the defaults of a table.
fn with_defaults(mut command: Command, defaults: &Table) -> anyhow::Result<Command> {
    for (key, value) in defaults.iter().filter(|(_, value)| !value.is_table()) {
        let values = texts(value).with_context(|| key.clone())?;
        let mut known = false;
        command = set(command, key, &values, &mut known);
        if !known {
            bail!("there is no flag --{key}");
        }
    }
    for (key, value) in defaults {
        let Value::Table(own) = value else { continue };
        let Some(sub) = command.find_subcommand(key) else {
            let names: Vec<_> = command.get_subcommands().map(Command::get_name).collect();
            bail!("there is no subcommand {key}: there are {}", names.join(", "));
        };
        let sub = with_defaults(sub.clone(), own).with_context(|| format!("[{key}]"))?;
        command = command.mut_subcommand(key, |_| sub);
    }
    Ok(command)
}

/// A command line of which no default excludes another, or what is given: that goes before.
fn settled(
    original: &Command,
    mut changed: Command,
    given: Option<&ArgMatches>,
) -> anyhow::Result<Command> {
    let is_given = |arg: &&Arg| {
        let given = given.filter(|given| given.try_contains_id(arg.get_id().as_str()).is_ok());
        let source = given.and_then(|given| given.value_source(arg.get_id().as_str()));
        matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
    };
    let excludes = |one: &Arg, other: &Arg| {
        let lists = |one: &Arg, other: &Arg| {
            original.get_arg_conflicts_with(one).iter().any(|arg| arg.get_id() == other.get_id())
        };
        one.get_id() != other.get_id() && (lists(one, other) || lists(other, one))
    };
    let given_args: Vec<&Arg> = original.get_arguments().filter(is_given).collect();
    let mut kept: Vec<&Arg> = Vec::new();
    for arg in original.get_arguments() {
        let Some(now) = changed.get_arguments().find(|now| now.get_id() == arg.get_id()) else {
            continue;
        };
        let values = now.get_default_values();
        if values == arg.get_default_values() || values == ["false"] {
            continue;
        }
        if given_args.iter().any(|given| excludes(arg, given)) {
            changed = changed.mut_arg(arg.get_id(), |_| arg.clone());
            continue;
        }
        if let Some(other) = kept.iter().find(|other| excludes(arg, other)) {
            let flags = [*other, arg].map(|arg| arg.get_long().unwrap_or_default());
            let [one, other] = flags;
            bail!(
                "{one} and {other} exclude each other, as --{one} and --{other} do: leave one of them out"
            );
        }
        kept.push(arg);
    }
    for sub in original.get_subcommands() {
        let name = sub.get_name();
        let Some(now) = changed.find_subcommand(name).cloned() else { continue };
        let given = given.and_then(|given| given.subcommand_matches(name));
        let now = settled(sub, now, given).with_context(|| format!("[{name}]"))?;
        changed = changed.mut_subcommand(name, |_| now);
    }
    Ok(changed)
}

/// Sets a flag's default here and in every subcommand that has it and no default of its table's.
fn set(mut command: Command, key: &str, values: &[String], known: &mut bool) -> Command {
    let is_it = |flag: &&Arg| flag.get_long() == Some(key);
    let id = command.get_arguments().find(is_it).map(Arg::get_id).cloned();
    if let Some(id) = id {
        *known = true;
        return command.mut_arg(id, |flag| flag.default_values(values.to_vec()));
    }
    let names: Vec<String> =
        (command.get_subcommands()).map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(name, |sub| set(sub, key, values, known));
    }
    command
}

/// A value as it would stand on the command line.
fn texts(value: &Value) -> anyhow::Result<Vec<String>> {
    Ok(match value {
        Value::String(text) => vec![text.clone()],
        Value::Integer(number) => vec![number.to_string()],
        Value::Float(number) => vec![number.to_string()],
        Value::Boolean(flag) => vec![flag.to_string()],
        Value::Array(all) => all.iter().map(texts).collect::<Result<Vec<_>, _>>()?.concat(),
        _ => {
            return Err(anyhow!("expected a text, a number, true or false, or a list of these"));
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::*;
    use crate::command::Cli;

    fn parsed(defaults: &str, line: &str) -> anyhow::Result<crate::transcribe::Args> {
        let changed = with_defaults(Cli::command(), &defaults.parse()?)?;
        let words = || line.split_whitespace();
        let given = Cli::command().ignore_errors(true).try_get_matches_from(words()).ok();
        let command = settled(&Cli::command(), changed, given.as_ref())?;
        let matches = command.try_get_matches_from(words())?;
        match Cli::from_arg_matches(&matches)?.command {
            crate::command::Command::Transcribe(args) => Ok(args),
            _ => bail!("another subcommand"),
        }
    }

    #[test]
    fn the_files_defaults_stand_behind_the_command_line() {
        let defaults = "jobs = 3\n[transcribe]\nat = \"v5\"\nformat = [\"srt\", \"json\"]\nconfidence = true\n";
        let args = parsed(defaults, "paretone transcribe a.wav").unwrap();
        assert_eq!(args.setting.at.as_deref(), Some("v5"));
        assert_eq!((args.jobs, args.confidence, args.format.len()), (Some(3), true, 2));
        let args = parsed(defaults, "paretone transcribe --at v1 --format text a.wav").unwrap();
        assert_eq!((args.setting.at.as_deref(), args.format.len()), (Some("v1"), 1));
        // A default is in no flag's way.
        let args = parsed(defaults, "paretone transcribe --tolerance 0.05 a.wav").unwrap();
        assert!(args.tier.tolerance.is_some() && args.setting.at.is_none());
        let args = parsed("tolerance = 0.05\n", "paretone transcribe --at v1 a.wav").unwrap();
        assert!(args.tier.tolerance.is_none() && args.setting.at.is_some());
        let both = "[transcribe]\nneural = true\nno-rescore = false\n";
        assert!(parsed(both, "paretone transcribe a.wav").unwrap().setting.neural);
    }

    #[test]
    fn defaults_that_exclude_each_other_are_refused_as_flags_are() {
        for defaults in [
            "[transcribe]\nat = \"v5\"\ntolerance = 0.05\n",
            "at = \"v5\"\n[transcribe]\ntolerance = 0.05\n",
            "[transcribe]\nbeam = 8\ntolerance = 0.05\n",
            "[transcribe]\nneural = true\nno-rescore = true\n",
        ] {
            let error = parsed(defaults, "paretone transcribe a.wav").err().unwrap();
            assert!(format!("{error:#}").contains("exclude each other"), "{error:#}");
        }
    }

    #[test]
    fn what_is_no_flag_is_named() {
        let error = |defaults: &str| {
            format!("{:#}", parsed(defaults, "paretone transcribe a.wav").err().unwrap())
        };
        assert!(error("[transcribe]\ntempo = 3\n").contains("--tempo"));
        assert!(error("tempo = 3\n").contains("--tempo"));
        assert!(error("[sing]\nat = \"v1\"\n").contains("sing"));
        assert!(error("[transcribe]\njobs = \"many\"\n").contains("jobs"));
        assert!(error("[transcribe]\njobs = 2020-01-01\n").contains("expected"));
    }
}
