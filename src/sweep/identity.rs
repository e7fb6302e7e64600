//! What a sweep's folder holds measurements of: one model, one corpus, one way of counting.

use std::path::{Path, PathBuf};
use std::{fs, io};

use xxhash_rust::xxh3::Xxh3;

use crate::MadeFor;
use crate::eval::Judging;
use crate::eval::corpus::Utterance;

/// The file that says so.
const FILE: &str = "identity.txt";

/// Why measurements may not be added to a folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The folder's file cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The folder holds other measurements.
    #[error("{} holds measurements of another kind ({found}; now {now}): choose another folder", folder.display())]
    Another {
        /// The folder.
        folder: PathBuf,
        /// What it holds.
        found: String,
        /// What is to be added.
        now: String,
    },
}

/// Returns a line that identifies what is measured: the parts of the model, the arithmetic of its
/// network (`numbers`), and the utterances, in any order. The parts of the model that were
/// themselves made from such measurements are left out.
pub fn identity(
    made_for: &MadeFor,
    numbers: &str,
    utterances: &[Utterance],
    judging: Judging,
    repeats: usize,
) -> String {
    let mut heard: Vec<&Utterance> = utterances.iter().collect();
    heard.sort_by(|a, b| (&a.set, &a.id).cmp(&(&b.set, &b.id)));
    let mut hash = Xxh3::new();
    for utterance in &heard {
        let line = [&utterance.set, &utterance.id, &utterance.text].map(String::as_str);
        hash.update(line.join("\t").as_bytes());
        hash.update(b"\n");
    }
    let model = MadeFor { versions: None, calibration: None, ..made_for.clone() };
    format!(
        "model {model}, corpus {:016x} of {} utterances, {numbers}, strict {}, {:?}, repeats {repeats}",
        hash.digest(),
        heard.len(),
        !judging.normaliser.join_compounds,
        judging.rule,
    )
}

/// Refuses a folder that holds measurements of another kind, and marks an empty folder as one of
/// this kind.
///
/// # Errors
/// The folder is of another kind, or cannot be read or written.
pub fn claim(folder: &Path, identity: &str) -> Result<(), IdentityError> {
    let path = folder.join(FILE);
    let io = |source| IdentityError::Io { path: path.clone(), source };
    match fs::read_to_string(&path) {
        Ok(found) if found.trim_end() == identity => Ok(()),
        Ok(found) => Err(IdentityError::Another {
            folder: folder.into(),
            found: found.trim_end().into(),
            now: identity.into(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::write(&path, format!("{identity}\n")).map_err(io)
        }
        Err(error) => Err(io(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_of_one_kind() {
        let folder = tempfile::tempdir().unwrap();
        claim(folder.path(), "model a").unwrap();
        claim(folder.path(), "model a").unwrap();
        let error = claim(folder.path(), "model b").unwrap_err();
        assert!(error.to_string().contains("(model a; now model b)"));
    }
}
