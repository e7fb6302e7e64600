//! `paretone completions SHELL` and `paretone man`: what packages install beside the program.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Command;
use clap_complete::Shell;

use crate::exit::DONE;

/// Print the completions of a shell
///
/// For bash: paretone completions bash >~/.local/share/bash-completion/completions/paretone
#[derive(clap::Args, Debug)]
pub struct CompletionArgs {
    /// The shell
    pub shell: Shell,
}

/// Write the manual: paretone.1, and a page for each subcommand
#[derive(clap::Args, Debug)]
pub struct ManArgs {
    /// Write the pages to this folder; without it the first page goes to standard output, for `man
    /// -l -`
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Prints completions of a program's arguments.
///
/// # Errors
/// Standard output cannot be written.
pub fn completions(args: &CompletionArgs, mut program: Command) -> anyhow::Result<ExitCode> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut program, "paretone", &mut text);
    std::io::stdout().lock().write_all(&text)?;
    Ok(ExitCode::from(DONE))
}

/// Writes the manual of a program's arguments.
///
/// # Errors
/// A page cannot be written.
pub fn manual(args: &ManArgs, mut program: Command) -> anyhow::Result<ExitCode> {
    program.build();
    match &args.dir {
        None => std::io::stdout().lock().write_all(&page(&program)?)?,
        Some(folder) => {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
            write_pages(&program, folder)?;
        }
    }
    Ok(ExitCode::from(DONE))
}

fn write_pages(command: &Command, folder: &Path) -> anyhow::Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let path = folder.join(format!("{name}.1"));
    fs::write(&path, page(command)?).with_context(|| path.display().to_string())?;
    let subcommands = command.get_subcommands();
    subcommands
        .filter(|command| command.get_name() != "help" && !command.is_hide_set())
        .try_for_each(|command| write_pages(command, folder))
}

fn page(command: &Command) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}
