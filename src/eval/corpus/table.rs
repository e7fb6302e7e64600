//! Tab-separated lists with a header line: our own manifest, and Common Voice's.
//!
//! The manifest has the columns `id`, `path` (relative to the manifest) and `text`, and optionally
//! `speaker`, `accent`, `gender`, `set`, `split` and `seconds`, in any order; further columns are
//! ignored. Common Voice has `client_id`, `path` (in `clips/`) and `sentence`, `accents` (formerly
//! `accent`) and `gender`. Fields are never quoted.

use std::path::{Path, PathBuf};

use super::{EvalError, Utterance, base_name, read_text};
use crate::units::Seconds;

/// Reads a manifest or a list of Common Voice.
///
/// # Errors
/// The file cannot be read, its header lacks columns, a row has another number of fields, a
/// duration is no number.
pub fn open(path: &Path) -> Result<Vec<Utterance>, EvalError> {
    parse(&read_text(path)?, path)
}

/// Parses the text of a list found at `path`.
///
/// # Errors
/// As [`open`].
pub fn parse(text: &str, path: &Path) -> Result<Vec<Utterance>, EvalError> {
    let wrong = |line, problem| EvalError::Line {
        path: path.into(),
        line,
        problem,
    };
    let mut lines = text.lines().enumerate();
    let header = lines.next().map_or("", |(_, header)| header);
    let names: Vec<&str> = header.split('\t').collect();
    let columns = Columns::find(&names).map_err(|problem| wrong(1, problem))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut utterances = Vec::new();
    for (i, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let fields: Vec<&str> = line.split('\t').collect();
        if fields.len() != names.len() {
            let problem = format!("{} fields, the header has {}", fields.len(), names.len());
            return Err(wrong(i + 1, problem));
        }
        let utterance = columns.utterance(&fields, folder);
        utterances.push(utterance.map_err(|problem| wrong(i + 1, problem))?);
    }
    Ok(utterances)
}

/// Where each field of an utterance stands in a row.
struct Columns {
    common_voice: bool,
    id: usize,
    path: usize,
    text: usize,
    speaker: Option<usize>,
    accent: Option<usize>,
    gender: Option<usize>,
    set: Option<usize>,
    split: Option<usize>,
    seconds: Option<usize>,
}

impl Columns {
    fn find(names: &[&str]) -> Result<Columns, String> {
        let find = |name: &str| names.iter().position(|found| *found == name);
        let need = |name: &str| find(name).ok_or_else(|| format!("the header has no `{name}`"));
        let common_voice = find("client_id").is_some() && find("sentence").is_some();
        Ok(Columns {
            common_voice,
            id: need(if common_voice { "path" } else { "id" })?,
            path: need("path")?,
            text: need(if common_voice { "sentence" } else { "text" })?,
            speaker: find(if common_voice { "client_id" } else { "speaker" }),
            accent: find("accents").or_else(|| find("accent")),
            gender: find("gender"),
            set: find("set"),
            split: find("split"),
            seconds: find("seconds"),
        })
    }

    fn utterance(&self, fields: &[&str], folder: &Path) -> Result<Utterance, String> {
        let field = |column: Option<usize>| column.map_or("", |at| fields[at]).to_string();
        let seconds = match self.seconds.map(|at| fields[at]) {
            None | Some("") => None,
            Some(text) => {
                Some(Seconds(text.parse().map_err(|_| {
                    format!("`seconds` is `{text}`, expected a number")
                })?))
            }
        };
        Ok(Utterance {
            id: fields[self.id].to_string(),
            audio: self.audio(fields[self.path], folder),
            text: fields[self.text].to_string(),
            speaker: field(self.speaker),
            accent: field(self.accent),
            gender: field(self.gender).to_lowercase(),
            set: field(self.set),
            split: field(self.split),
            seconds,
        })
    }

    /// Old releases of Common Voice leave the extension out.
    fn audio(&self, path: &str, folder: &Path) -> PathBuf {
        match (self.common_voice, path.contains('.')) {
            (true, true) => folder.join("clips").join(base_name(path)),
            (true, false) => folder
                .join("clips")
                .join(format!("{}.mp3", base_name(path))),
            (false, _) => folder.join(path),
        }
    }
}
