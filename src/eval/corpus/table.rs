//! Tab-separated lists with a header line: our own manifest, and Common Voice's.
//!
//! The manifest has the columns `id`, `path` (relative to the manifest) and `text`, and optionally
//! `speaker`, `accent`, `gender`, `set`, `split`, `seconds`, and `start` and `end` where the
//! utterance is a part of the recording, in seconds, in any order; further columns are ignored.
//! Common Voice has `client_id`, `path` (in `clips/`) and `sentence`, `accents` (formerly `accent`)
//! and `gender`. Fields are never quoted.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{EvalError, Part, Utterance, base_name, read_text};
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
    let wrong = |line, problem| EvalError::Line { path: path.into(), line, problem };
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

/// Writes a manifest that [`parse`] reads as the same utterances, whose audio is named by whole
/// paths.
///
/// # Errors
/// It cannot be written, or a path cannot stand in a manifest.
pub fn write(out: &mut impl Write, utterances: &[Utterance]) -> io::Result<()> {
    out.write_all(b"id\tpath\ttext\tspeaker\taccent\tgender\tset\tsplit\tseconds\tstart\tend\n")?;
    for one in utterances {
        let path = std::path::absolute(&one.audio)?;
        let path = path.to_str().filter(|path| !path.contains(['\t', '\n', '\r']));
        let path = path.ok_or_else(|| {
            let what = format!(
                "the path {} cannot stand in a manifest: rename the file",
                one.audio.display()
            );
            io::Error::new(io::ErrorKind::InvalidInput, what)
        })?;
        let number =
            |seconds: Option<Seconds>| seconds.map_or(String::new(), |at| at.0.to_string());
        let (start, end) = (one.part.map(|part| part.start), one.part.and_then(|part| part.end));
        let [seconds, start, end] = [one.seconds, start, end].map(number);
        let fields = [
            &one.id,
            path,
            &one.text,
            &one.speaker,
            &one.accent,
            &one.gender,
            &one.set,
            &one.split,
            &seconds,
            &start,
            &end,
        ];
        let plain = fields.map(|field| field.replace(['\t', '\n', '\r'], " "));
        writeln!(out, "{}", plain.join("\t"))?;
    }
    Ok(())
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
    start: Option<usize>,
    end: Option<usize>,
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
            start: find("start"),
            end: find("end"),
        })
    }

    fn utterance(&self, fields: &[&str], folder: &Path) -> Result<Utterance, String> {
        let field = |column: Option<usize>| column.map_or("", |at| fields[at]).to_string();
        let number = |column: Option<usize>, name: &str| match column.map(|at| fields[at]) {
            None | Some("") => Ok(None),
            Some(text) => match text.parse() {
                Ok(value) => Ok(Some(Seconds(value))),
                Err(_) => Err(format!("`{name}` is `{text}`, expected a number")),
            },
        };
        let (start, end) = (number(self.start, "start")?, number(self.end, "end")?);
        let begins = start.unwrap_or(Seconds(0.0));
        let is_whole = |end: Seconds| begins.0 < end.0;
        if begins.0.is_nan() || begins.0 < 0.0 || !end.is_none_or(is_whole) {
            return Err("`start` and `end` are no part of a recording".into());
        }
        let is_part = start.is_some() || end.is_some();
        Ok(Utterance {
            id: fields[self.id].to_string(),
            audio: self.audio(fields[self.path], folder),
            text: fields[self.text].to_string(),
            speaker: field(self.speaker),
            accent: field(self.accent),
            gender: field(self.gender).to_lowercase(),
            set: field(self.set),
            split: field(self.split),
            seconds: number(self.seconds, "seconds")?,
            part: is_part.then_some(Part { start: begins, end }),
        })
    }

    /// Old releases of Common Voice leave the extension out.
    fn audio(&self, path: &str, folder: &Path) -> PathBuf {
        match (self.common_voice, path.contains('.')) {
            (true, true) => folder.join("clips").join(base_name(path)),
            (true, false) => folder.join("clips").join(format!("{}.mp3", base_name(path))),
            (false, _) => folder.join(path),
        }
    }
}
