//! How the program ends: the exit codes, and which of them an error deserves.
//!
//! [`DONE`]: everything asked for was done. [`SOME_FAILED`]: an input failed, the others were still
//! done. [`USAGE`]: nothing was tried, because the arguments, or the model they name, cannot be
//! used.

use std::io::Write;
use std::process::ExitCode;

/// Exit code: everything asked for was done.
pub const DONE: u8 = 0;
/// Exit code: some inputs failed, the others were done.
pub const SOME_FAILED: u8 = 1;
/// Exit code: the arguments, or the model they name, cannot be used; no input was tried.
pub const USAGE: u8 = 2;

/// The arguments, or the model they name, cannot be used: the error that exits with [`USAGE`].
#[derive(Debug, thiserror::Error)]
#[error("{}", paretone::WithCauses(.0.as_ref()))]
pub struct UsageError(pub anyhow::Error);

/// Says on standard error what went wrong. Nobody need be reading there.
pub fn say(error: &anyhow::Error) {
    let error = paretone::WithCauses(error.as_ref());
    let _ = writeln!(std::io::stderr(), "paretone: {error}");
}

/// The exit code an error deserves: [`USAGE`] for a [`UsageError`], [`SOME_FAILED`] for every
/// other.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    let usage = error.downcast_ref::<UsageError>().is_some();
    ExitCode::from(if usage { USAGE } else { SOME_FAILED })
}

/// True when the error is that whoever read our standard output has closed it (`paretone … | head
/// -1`), which is no failure of ours.
pub fn reader_went_away(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
