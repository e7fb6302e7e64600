//! Which recordings a command line names: files, folders with all recordings below them, patterns;
//! and what each is called where its answer goes.

use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::anyhow;
use tracing::warn;

use crate::exit::UsageError;
use crate::patterns::{self, DEEPEST};

/// Extensions by which recordings are found in a folder; a file that is named itself may have any.
const EXTENSIONS: &[&str] = &[
    "aac", "aif", "aifc", "aiff", "alac", "au", "caf", "flac", "m4a", "m4b", "mka", "mkv", "mov",
    "mp2", "mp3", "mp4", "oga", "ogg", "opus", "snd", "ts", "wav", "wave", "webm",
];

/// One recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its file; `-` is standard input.
    pub file: PathBuf,
    /// What it is called: a relative path without extension that no other input has, even with
    /// underscores in place of white space.
    pub name: PathBuf,
}

/// The recordings that a command line names.
#[derive(Debug, Default)]
pub struct Inputs {
    /// In the order named, those of a folder by their paths.
    pub list: Vec<Input>,
    /// Folders that could not be read.
    pub unreadable: usize,
}

impl Input {
    /// Whether it is standard input.
    pub fn is_standard(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    /// The name in one word with slashes, as lists of answers have it.
    pub fn label(&self) -> String {
        let parts = self.name.iter().map(|part| part.to_string_lossy());
        let joined = parts.collect::<Vec<_>>().join("/");
        joined.replace(char::is_whitespace, "_")
    }
}

impl Inputs {
    /// Looks into folders and expands patterns that the shell has left.
    ///
    /// # Errors
    /// A [`UsageError`] for a folder without recordings, a pattern that nothing matches, or
    /// standard input named twice.
    pub fn of(asked: &[PathBuf]) -> anyhow::Result<Inputs> {
        let mut unreadable = 0;
        let mut found = Vec::new();
        for path in asked {
            let before = found.len();
            if path.is_dir() {
                walk(path, path, 0, &mut found, &mut unreadable);
                if found.len() == before && unreadable == 0 {
                    let folder = path.display();
                    return usage(anyhow!("there are no recordings in {folder}"));
                }
            } else if patterns::is_pattern(path) {
                for file in patterns::matches(path)? {
                    found.push(Found::file(file));
                }
                if found.len() == before {
                    let pattern = path.display();
                    return usage(anyhow!("no file matches {pattern}"));
                }
            } else {
                found.push(Found::file(path.clone()));
            }
        }
        let list = named(found);
        if list.iter().filter(|input| input.is_standard()).count() > 1 {
            return usage(anyhow!("standard input can be read once: give `-` once"));
        }
        Ok(Inputs { list, unreadable })
    }
}

fn usage<T>(error: anyhow::Error) -> anyhow::Result<T> {
    Err(UsageError(error).into())
}

/// A file, and how many parts at the end of its path name it.
#[derive(Clone)]
struct Found {
    file: PathBuf,
    parts: usize,
    with_extension: bool,
}

impl Found {
    fn file(file: PathBuf) -> Found {
        Found { file, parts: 1, with_extension: false }
    }

    /// The last parts of the path, as many as it takes.
    fn name(&self) -> PathBuf {
        if self.file.as_os_str() == "-" {
            return PathBuf::from("stdin");
        }
        let all = ordinary(&self.file);
        let mut name: PathBuf = all[all.len().saturating_sub(self.parts)..].iter().collect();
        if !self.with_extension {
            name.set_extension("");
        }
        name
    }

    /// Takes one part more, if there is one.
    fn lengthen(&mut self) -> bool {
        let more = self.parts < ordinary(&self.file).len();
        self.parts += usize::from(more);
        more
    }
}

/// The parts of a path that name something: neither roots nor dots.
fn ordinary(path: &Path) -> Vec<&std::ffi::OsStr> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(part) => Some(part),
        _ => None,
    });
    parts.collect()
}

/// Gives every file a name of its own: as short as can be, with the extension where two files
/// differ in nothing else, with a number where the same file stands twice.
fn named(mut found: Vec<Found>) -> Vec<Input> {
    let mut extensions: HashMap<PathBuf, Vec<usize>> = HashMap::new();
    for (at, one) in found.iter().enumerate() {
        let bare = one.file.with_extension("");
        extensions.entry(bare).or_default().push(at);
    }
    for group in extensions.into_values() {
        let differ = group.iter().any(|&at| found[at].file != found[group[0]].file);
        for &at in group.iter().filter(|_| differ) {
            found[at].with_extension = true;
        }
    }
    loop {
        let mut longer = false;
        for group in clashes(&found) {
            for at in group {
                longer |= found[at].lengthen();
            }
        }
        if !longer {
            break;
        }
    }
    let mut inputs: Vec<Input> =
        found.iter().map(|one| Input { file: one.file.clone(), name: one.name() }).collect();
    for group in clashes(&found) {
        for (count, at) in group.into_iter().enumerate().skip(1) {
            let name = inputs[at].name.file_name().unwrap_or_default();
            let name = format!("{}~{}", name.to_string_lossy(), count + 1);
            inputs[at].name.set_file_name(name);
        }
    }
    inputs
}

/// Groups of files with the same name, which only one file may have.
fn clashes(found: &[Found]) -> Vec<Vec<usize>> {
    let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, one) in found.iter().enumerate() {
        let name = one.name().to_string_lossy().replace(char::is_whitespace, "_");
        by_name.entry(name).or_default().push(at);
    }
    let mut groups: Vec<_> = by_name.into_values().filter(|group| group.len() > 1).collect();
    groups.sort_unstable();
    groups
}

/// Adds the recordings below a folder, by path. Hidden files are left out, and links to folders are
/// not followed.
fn walk(root: &Path, folder: &Path, depth: usize, found: &mut Vec<Found>, unreadable: &mut usize) {
    let entries = fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            warn!("{} cannot be searched: {error}", folder.display());
            *unreadable += 1;
            return;
        }
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if hidden {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if depth < DEEPEST {
                walk(root, &path, depth + 1, found, unreadable);
            }
        } else if is_recording(&path) && path.is_file() {
            let parts = ordinary(path.strip_prefix(root).unwrap_or(&path)).len();
            found.push(Found { parts, ..Found::file(path) });
        }
    }
}

fn is_recording(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    EXTENSIONS.iter().any(|&known| extension == known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[&str]) -> Vec<String> {
        let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
        let inputs = Inputs::of(&files).unwrap();
        inputs.list.iter().map(Input::label).collect()
    }

    #[test]
    fn every_recording_has_a_name_of_its_own() {
        for (files, expected) in [
            (&["x/1.wav", "y/2.wav"][..], &["1", "2"][..]),
            (&["a/1.wav", "b/1.wav", "2.wav"], &["a/1", "b/1", "2"]),
            (&["p/a/1.wav", "q/a/1.wav"], &["p/a/1", "q/a/1"]),
            (&["/a/1.wav", "1.wav"], &["a/1", "1"]),
            (&["../a/1.wav", "b/1.wav"], &["a/1", "b/1"]),
            (&["1.wav", "1.mp3"], &["1.wav", "1.mp3"]),
            (&["1.wav", "1.wav", "1.wav"], &["1", "1~2", "1~3"]),
            (&["my talk.wav", "my_talk.wav"], &["my_talk", "my_talk~2"]),
            (&["a b/1.wav", "a_b/1.wav", "c/1.wav"], &["a_b/1", "a_b/1~2", "c/1"]),
            (&["-", "a.b.wav", "noext"], &["stdin", "a.b", "noext"]),
        ] {
            assert_eq!(names(files), expected, "{files:?}");
        }
        assert!(Inputs::of(&["-".into(), "-".into()]).is_err());
    }

    #[test]
    fn folders_and_patterns_are_searched() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("in/deep/er")).unwrap();
        for name in ["in/b.wav", "in/a.FLAC", "in/notes.txt", "in/.c.wav", "in/deep/er/b.opus"] {
            fs::write(at(name), "").unwrap();
        }
        let labels = |asked: &str| -> Vec<String> {
            let inputs = Inputs::of(&[at(asked)]).unwrap();
            inputs.list.iter().map(Input::label).collect()
        };
        assert_eq!(labels("in"), ["a", "b", "deep/er/b"]);
        assert_eq!(labels("in/*.wav"), ["b"]);
        assert_eq!(labels("in/**/*.[ow]*"), ["in/b", "er/b"]);
        fs::create_dir(at("empty")).unwrap();
        assert!(Inputs::of(&[at("empty")]).is_err());
        assert!(Inputs::of(&[at("in/*.xyz")]).is_err());
    }
}
