//! The steps of a tuning, and which of them are done: a step is done if the same command has
//! finished with the same input files, and its output still exists.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use xxhash_rust::xxh3::Xxh3;

/// One command.
pub(super) struct Step {
    /// What it does, in words.
    pub what: &'static str,
    /// The command's words, without the program's name.
    pub command: Vec<OsString>,
    /// Whether a lack of speech is no failure.
    pub may_lack_speech: bool,
    from: Vec<PathBuf>,
    to: Vec<PathBuf>,
}

impl Step {
    pub fn new(what: &'static str, command: Vec<OsString>) -> Step {
        Step { what, command, may_lack_speech: false, from: Vec::new(), to: Vec::new() }
    }

    /// What it reads; a file that is missing counts as one that is.
    pub fn from<const N: usize>(self, from: [&PathBuf; N]) -> Step {
        Step { from: from.into_iter().cloned().collect(), ..self }
    }

    /// What it writes.
    pub fn to<const N: usize>(self, to: [&PathBuf; N]) -> Step {
        Step { to: to.into_iter().cloned().collect(), ..self }
    }

    /// It may find too little speech, which then is told.
    pub fn lacking_speech(self) -> Step {
        Step { may_lack_speech: true, ..self }
    }

    /// The command as it is typed.
    pub fn line(&self) -> String {
        let mut line = String::from("paretone");
        for word in &self.command {
            let word = word.to_string_lossy();
            line += &match word.contains(|c: char| c.is_whitespace() || "'\"$".contains(c)) {
                true => format!(" '{}'", word.replace('\'', "'\\''")),
                false => format!(" {word}"),
            };
        }
        line
    }

    fn digest(&self) -> io::Result<String> {
        let mut hash = Xxh3::new();
        for word in &self.command {
            hash.update(word.as_encoded_bytes());
            hash.update(b"\0");
        }
        for path in &self.from {
            add(&mut hash, path)?;
        }
        Ok(format!("{:016x}", hash.digest()))
    }
}

/// Adds a file's bytes.
fn add(hash: &mut Xxh3, path: &Path) -> io::Result<()> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            hash.update(b"none");
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let mut part = vec![0; 1 << 16];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(()),
            count => hash.update(&part[..count]),
        }
    }
}

/// The steps that are done.
pub(super) struct Steps {
    path: PathBuf,
    done: BTreeMap<String, String>,
}

impl Steps {
    /// Those that `path` lists, one a line: a digest and what was done.
    pub fn open(path: PathBuf) -> anyhow::Result<Steps> {
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        let done = lines.map(|(digest, what)| (what.to_owned(), digest.to_owned()));
        Ok(Steps { done: done.collect(), path })
    }

    pub fn is_done(&self, step: &Step) -> anyhow::Result<bool> {
        let digest = step.digest().with_context(|| step.what)?;
        let same = self.done.get(step.what).is_some_and(|done| *done == digest);
        Ok(same && step.to.iter().all(|path| path.is_file()))
    }

    /// Notes that a step is done.
    pub fn done(&mut self, step: &Step) -> anyhow::Result<()> {
        let digest = step.digest().with_context(|| step.what)?;
        self.done.insert(step.what.to_owned(), digest);
        let line = |(what, digest): (&String, &String)| format!("{digest} {what}\n");
        let text: String = self.done.iter().map(line).collect();
        fs::write(&self.path, text).with_context(|| format!("cannot write {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_done_until_what_it_reads_or_writes_changes() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let (from, to) = (at("from"), at("to"));
        fs::write(&from, "a").unwrap();
        let step =
            || Step::new("copy", vec!["copy".into(), "two words".into()]).from([&from]).to([&to]);
        assert_eq!(step().line(), "paretone copy 'two words'");
        let mut steps = Steps::open(at("done.txt")).unwrap();
        assert!(!steps.is_done(&step()).unwrap());
        fs::write(&to, "a").unwrap();
        steps.done(&step()).unwrap();
        let steps = Steps::open(at("done.txt")).unwrap();
        assert!(steps.is_done(&step()).unwrap());
        fs::write(&from, "b").unwrap();
        assert!(!steps.is_done(&step()).unwrap());
        fs::write(&from, "a").unwrap();
        assert!(steps.is_done(&step()).unwrap());
        fs::remove_file(&to).unwrap();
        assert!(!steps.is_done(&step()).unwrap());
    }
}
