//! Which model a command uses: one on a shelf ([`shelf`]), else the one that the program itself
//! brings along.

use std::path::PathBuf;

use anyhow::Context;

use crate::{UsageError, embedded};
use paretone::recognizer::shelf;

/// The folder of the model a command uses: the folder or the name asked for, else the usual model
/// on the first shelf that has it, else the one in the program, unpacked.
///
/// # Errors
/// A [`UsageError`] that says where it was sought.
pub fn model_folder(asked: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    match shelf::find(asked.as_deref()) {
        Ok(folder) => Ok(folder),
        Err(none) if none.name == shelf::USUAL && embedded::is_there() => {
            Ok(unpacked().map_err(UsageError)?)
        }
        Err(none) => Err(UsageError(none.into()).into()),
    }
}

/// The model in the program, laid out in the cache.
///
/// # Errors
/// The program has none, or the cache cannot be written; says what helps.
pub fn unpacked() -> anyhow::Result<PathBuf> {
    embedded::unpack().context(
        "the model in the program cannot be unpacked; set $PARETONE_CACHE to a folder that can be \
         written, or name a model's folder with --model",
    )
}
