//! Patterns that the shell has left: `*`, `?`, `[a-c]` in a name, and `**` for any folders.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::Context;

use crate::exit::UsageError;

/// How deep folders are searched.
pub const DEEPEST: usize = 64;
/// What a name does not contain that is no pattern.
const SPECIAL: [char; 3] = ['*', '?', '['];

/// Whether a path is a pattern, which no file is called.
pub fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(SPECIAL) && !path.exists()
}

/// The files that a pattern matches, by path. Names that are not UTF-8 are matched by what of them
/// is.
///
/// # Errors
/// A [`UsageError`] where it is no pattern.
pub fn matches(pattern: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        found = match part {
            Component::Normal(_) if text == "**" => {
                found.iter().flat_map(|folder| folders_below(folder, DEEPEST)).collect()
            }
            Component::Normal(_) if text.contains(SPECIAL) => {
                let part = glob::Pattern::new(&text)
                    .with_context(|| format!("{} is no pattern", pattern.display()))
                    .map_err(UsageError)?;
                found.iter().flat_map(|folder| entries_like(folder, &part)).collect()
            }
            _ => found.iter().map(|folder| folder.join(part)).collect(),
        };
    }
    found.retain(|path| path.is_file());
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// What lies in a folder; nothing where it cannot be read.
fn entries_of(folder: &Path) -> impl Iterator<Item = fs::DirEntry> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    fs::read_dir(here).into_iter().flatten().flatten()
}

/// What of a folder's entries a part of a pattern matches; hidden ones only where it says so.
fn entries_like(folder: &Path, part: &glob::Pattern) -> Vec<PathBuf> {
    let options =
        glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::default() };
    entries_of(folder)
        .filter(|entry| part.matches_with(&entry.file_name().to_string_lossy(), options))
        .map(|entry| folder.join(entry.file_name()))
        .collect()
}

/// A folder and those below it, but for hidden ones; links to folders are not followed.
fn folders_below(folder: &Path, depth: usize) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    if depth > 0 {
        for entry in entries_of(folder) {
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if !hidden && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                found.extend(folders_below(&folder.join(entry.file_name()), depth - 1));
            }
        }
    }
    found
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    /// Names need not be text.
    #[test]
    fn names_that_are_no_text_are_matched_too() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join(OsStr::from_bytes(b"b\xff.wav"));
        for path in [folder.path().join("a.wav"), odd.clone(), folder.path().join(".c.wav")] {
            fs::write(path, "").unwrap();
        }
        let all = matches(&folder.path().join("*.wav")).unwrap();
        assert_eq!(all, [folder.path().join("a.wav"), odd.clone()]);
        assert_eq!(matches(&folder.path().join("**/b?.wav")).unwrap(), [odd]);
        assert!(matches(&folder.path().join("[")).is_err());
    }
}
