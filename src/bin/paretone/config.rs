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

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::{Arg, Command};
use toml::{Table, Value};

use crate::exit::UsageError;

/// The environment variable that names the file; empty: none is read.
const CONFIG_VARIABLE: &str = "PARETONE_CONFIG";

/// A command line with the user's defaults put in.
///
/// # Errors
/// A [`UsageError`] with the file and what is wrong with it.
pub fn with_users_defaults(command: Command) -> anyhow::Result<Command> {
    let named = std::env::var_os(CONFIG_VARIABLE).map(PathBuf::from);
    let usual = || Some(dirs::config_dir()?.join("paretone.toml")).filter(|path| path.exists());
    let Some(path) = named.or_else(usual).filter(|path| !path.as_os_str().is_empty()) else {
        return Ok(command);
    };
    let defaults = read(&path).with_context(|| path.display().to_string());
    let command = defaults.and_then(|defaults| {
        with_defaults(command, &defaults).with_context(|| path.display().to_string())
    });
    Ok(command.map_err(UsageError)?)
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
        let command = with_defaults(Cli::command(), &defaults.parse()?)?;
        let matches = command.try_get_matches_from(line.split_whitespace())?;
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
        assert!(args.tier.tolerance.is_some());
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
