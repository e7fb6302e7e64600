//! Where the model is, if no flag says so.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::UsageError;

/// The model a command uses: the folder asked for, else `models/en` here, or near the program
/// (where a build in the repository or an installed package has it).
///
/// # Errors
/// A [`UsageError`] that says where it was sought.
pub fn model_folder(asked: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    if let Some(folder) = asked {
        return Ok(folder);
    }
    let program = std::env::current_exe().unwrap_or_default();
    let near = program.ancestors().skip(1).flat_map(|folder| {
        [
            folder.join("models/en"),
            folder.join("share/paretone/models/en"),
        ]
    });
    let found = std::iter::once(PathBuf::from("models/en"))
        .chain(near)
        .find(|folder| is_model(folder));
    found.ok_or_else(|| {
        let error = anyhow!(
            "no model: there is no models/en here or near {}; name its folder with --model or $PARETONE_MODEL",
            program.display()
        );
        UsageError(error).into()
    })
}

fn is_model(folder: &Path) -> bool {
    folder.join("model.json").is_file()
}
