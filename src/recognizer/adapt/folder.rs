//! The folder of an adapted model.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use crate::confidence::CONFIDENCE_FILE;
use crate::provenance::MadeFor;
use crate::recognizer::files::{GRAPH_NGRAM, LEXICON, RESCORING_NGRAM, WORDS};
use crate::recognizer::{RecognizerError, VERSIONS_FILE, Versions};

/// Files that are written anew, or that say what holds for the old model alone.
const NOT_COPIED: [&str; 8] = [
    WORDS,
    LEXICON,
    GRAPH_NGRAM,
    RESCORING_NGRAM,
    CONFIDENCE_FILE,
    "rules.toml",
    "SHA256SUMS",
    "train.log",
];

/// Whether a model can be copied to a folder, which must be new or empty.
pub(super) fn check(model: &Path, out: &Path) -> Result<(), RecognizerError> {
    if !model.join("model.json").is_file() {
        return Err(RecognizerError::NoModel { folder: model.to_owned() });
    }
    let is_empty = match fs::read_dir(out) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    match is_empty {
        true => Ok(()),
        false => Err(RecognizerError::Io {
            path: out.to_owned(),
            source: io::Error::new(
                io::ErrorKind::AlreadyExists,
                "it is there already and not empty: name a new folder",
            ),
        }),
    }
}

/// Makes the folder with all that stays as it is.
pub(super) fn make(model: &Path, out: &Path) -> Result<(), RecognizerError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| RecognizerError::Io { path, source }
    };
    fs::create_dir_all(out).map_err(failed(out))?;
    let entries = fs::read_dir(model).map_err(failed(model))?;
    for entry in entries {
        let entry = entry.map_err(failed(model))?;
        let (path, name) = (entry.path(), entry.file_name());
        let is_left = NOT_COPIED.iter().any(|left| name == OsStr::new(left));
        if path.is_file() && !is_left {
            let to = out.join(&name);
            match name == OsStr::new(VERSIONS_FILE) {
                true => write_versions(model, out)?,
                false => fs::copy(&path, &to).map(drop).map_err(failed(&to))?,
            }
        }
    }
    Ok(())
}

/// Writes one file of the folder.
pub(super) fn write(out: &Path, name: &str, bytes: &[u8]) -> Result<(), RecognizerError> {
    let path = out.join(name);
    fs::write(&path, bytes).map_err(|source| RecognizerError::Io { path, source })
}

/// The versions, as settings that this model can use too, without the claim that they were measured
/// on it.
fn write_versions(model: &Path, out: &Path) -> Result<(), RecognizerError> {
    let mut versions = Versions::of_model(model)?;
    versions.made_for = MadeFor::default();
    if !versions.measured_on.is_empty() {
        let on = "the model that this one was adapted from: ";
        versions.measured_on.insert_str(0, on);
    }
    write(out, VERSIONS_FILE, versions.to_text().as_bytes())
}
