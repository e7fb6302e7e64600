//! Transcripts by utterance, as the files that recognisers write and scorers read:
//!
//! - NIST's `trn`, `the words (id)` a line, by its extension `.trn`;
//! - NIST's CTM, a word with its times a line, by `.ctm`, in which silence leaves no trace;
//! - NIST's STM, a segment with its speaker and times a line, by `.stm`;
//! - JSON lines with `id` or `file`, and `text`, as `paretone transcribe --format json` writes
//!   them;
//! - tab-separated, with a header that has the columns `id` and `text`, or without one and with
//!   exactly these two;
//! - Kaldi's `text`: the id, a blank and the words, where the first line has no tab.

mod ctm;
mod json;
mod stm;

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use super::EvalError;
use super::corpus::read_text;

/// Texts by utterance id, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcripts {
    entries: Vec<(String, String)>,
    index: HashMap<String, usize>,
    omits_silence: bool,
}

impl Transcripts {
    /// Reads a file, or standard input for `-`, whose form is told by its extension, else by its
    /// first line. It may be compressed by gzip, `hyp.trn.gz` for instance.
    ///
    /// # Errors
    /// The file cannot be read, a line is malformed, an id occurs twice.
    pub fn open(path: &Path) -> Result<Transcripts, EvalError> {
        let text = read_text(path)?;
        let is_gz = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        let plain = if is_gz { path.with_extension("") } else { path.to_owned() };
        let extension = plain.extension().unwrap_or_default().to_ascii_lowercase();
        let first = text.lines().find(|line| !line.is_empty()).unwrap_or("");
        let form = if path.as_os_str() == "-" { form_of_line(first) } else { extension.to_str() };
        match form {
            Some("trn") => Self::parse_trn(&text, path),
            Some("ctm") => Self::parse_ctm(&text, path),
            Some("stm") => Self::parse_stm(&text, path),
            _ if first.starts_with('{') => Self::parse_json(&text, path),
            _ if first.contains('\t') => Self::parse_tsv(&text, path),
            _ => Self::parse_kaldi(&text, path),
        }
    }

    /// Parses tab-separated text found at `path`.
    ///
    /// # Errors
    /// A line has too few fields, an id occurs twice.
    pub fn parse_tsv(text: &str, path: &Path) -> Result<Transcripts, EvalError> {
        let mut transcripts = Transcripts::default();
        let header: Vec<&str> = text.lines().next().unwrap_or("").split('\t').collect();
        let find = |name: &str| header.iter().position(|column| *column == name);
        let (id, words, skip) = match (find("id"), find("text")) {
            (Some(id), Some(text)) => (id, text, 1),
            _ => (0, 1, 0),
        };
        let lines = text.lines().enumerate().skip(skip).filter(|(_, line)| !line.is_empty());
        for (i, line) in lines {
            let fields: Vec<&str> = line.split('\t').collect();
            let (Some(id), Some(words)) = (fields.get(id), fields.get(words)) else {
                let problem = "expected an id, a tab and a text".to_string();
                return Err(EvalError::Line { path: path.into(), line: i + 1, problem });
            };
            transcripts.insert(id, words, path)?;
        }
        Ok(transcripts)
    }

    /// Parses `trn` text found at `path`.
    ///
    /// # Errors
    /// A line does not end with `(id)`, an id occurs twice.
    pub fn parse_trn(text: &str, path: &Path) -> Result<Transcripts, EvalError> {
        let mut transcripts = Transcripts::default();
        for (i, line) in text.lines().map(str::trim).enumerate().filter(|(_, l)| !l.is_empty()) {
            let Some((words, id)) = line.strip_suffix(')').and_then(|line| line.rsplit_once('('))
            else {
                let problem = "expected `words (id)`".to_string();
                return Err(EvalError::Line { path: path.into(), line: i + 1, problem });
            };
            transcripts.insert(id, words.trim(), path)?;
        }
        Ok(transcripts)
    }

    /// Parses Kaldi's `text` found at `path`: an id, and the words if there are any.
    ///
    /// # Errors
    /// An id occurs twice.
    pub fn parse_kaldi(text: &str, path: &Path) -> Result<Transcripts, EvalError> {
        let mut transcripts = Transcripts::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (id, words) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            transcripts.insert(id, words.trim(), path)?;
        }
        Ok(transcripts)
    }

    /// Whether the form has no way to say that nothing was heard, so that an utterance which is
    /// missing is silent.
    pub fn omits_silence(&self) -> bool {
        self.omits_silence
    }

    /// The text of an utterance.
    pub fn get(&self, id: &str) -> Option<&str> {
        self.index.get(id).map(|&at| self.entries[at].1.as_str())
    }

    /// Ids and texts in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.iter().map(|(id, text)| (id.as_str(), text.as_str()))
    }

    /// Number of utterances.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no utterance.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn insert(&mut self, id: &str, text: &str, path: &Path) -> Result<(), EvalError> {
        if self.index.insert(id.to_string(), self.entries.len()).is_some() {
            return Err(EvalError::Duplicate { path: path.into(), id: id.to_string() });
        }
        self.entries.push((id.to_string(), text.to_string()));
        Ok(())
    }
}

/// The extension of files with such a line, where that is another than those told without one.
fn form_of_line(line: &str) -> Option<&'static str> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let number = |at: usize| fields.get(at).is_some_and(|field| field.parse::<f64>().is_ok());
    match () {
        () if line.starts_with('{') || line.contains('\t') => None,
        () if line.trim_end().ends_with(')') && line.contains('(') => Some("trn"),
        () if line.starts_with(";;") || number(2) && number(3) => Some("ctm"),
        () if number(3) && number(4) => Some("stm"),
        () => None,
    }
}

/// Writes one line of a `trn` file.
///
/// # Errors
/// The writer fails.
pub fn write_trn(out: &mut impl Write, id: &str, text: &str) -> io::Result<()> {
    let blank = if text.is_empty() { "" } else { " " };
    writeln!(out, "{text}{blank}({id})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_give_the_same_texts() {
        let path = Path::new("list");
        let want = [("a-1", "one two"), ("b-1", "")];
        let trn = Transcripts::parse_trn("one two (a-1)\n(b-1)\n", path).unwrap();
        let bare = Transcripts::parse_tsv("a-1\tone two\nb-1\t\n", path).unwrap();
        let headed =
            Transcripts::parse_tsv("text\tx\tid\none two\t\ta-1\n\t\tb-1\n", path).unwrap();
        let kaldi = Transcripts::parse_kaldi("a-1 one two\r\n\r\nb-1\r\n", path).unwrap();
        let json = "{\"file\":\"x/a-1.wav\",\"text\":\"one two\",\"words\":[]}\n{\"id\":\"b-1\",\"text\":\"\"}\n";
        let json = Transcripts::parse_json(json, path).unwrap();
        for transcripts in [trn, bare, headed, kaldi, json] {
            assert_eq!(transcripts.iter().collect::<Vec<_>>(), want);
            assert_eq!(transcripts.get("a-1"), Some("one two"));
        }
    }

    #[test]
    fn a_form_is_told_by_extension_or_first_line() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("a.trn", "one two (a-1)\n"),
            ("a.CTM", "a-1 1 0.0 0.5 one 0.9\na-1 1 0.5 0.5 two 0.9\n"),
            ("a.json", "{\"id\":\"a-1\",\"text\":\"one two\"}\n"),
            ("a.tsv", "a-1\tone two\n"),
            ("text", "\u{feff}a-1 one two\n"),
        ] {
            let told = form_of_line(text.lines().next().unwrap());
            let wanted = Path::new(name).extension().filter(|end| *end == "trn" || *end == "CTM");
            assert_eq!(told.is_some(), wanted.is_some(), "{name}");
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            let transcripts = Transcripts::open(&path).unwrap();
            assert_eq!(transcripts.iter().collect::<Vec<_>>(), [("a-1", "one two")], "{name}");
        }
    }

    #[test]
    fn malformed_lines_are_named() {
        let path = Path::new("list");
        let message = |result: Result<Transcripts, EvalError>| result.unwrap_err().to_string();
        assert!(message(Transcripts::parse_trn("a (1)\nb\n", path)).contains("line 2"));
        assert!(message(Transcripts::parse_tsv("a\tb\nc\n", path)).contains("line 2"));
        assert!(message(Transcripts::parse_tsv("a\tb\na\tc\n", path)).contains("twice"));
        assert!(message(Transcripts::parse_kaldi("a b\na\n", path)).contains("twice"));
        for json in ["{}", "{\"id\":1}", "{\"text\":\"b\"}", "[]", "{\"id\":\"b\",\"text\""] {
            let json = format!("{{\"id\":\"a\",\"text\":\"b\"}}\n{json}\n");
            assert!(message(Transcripts::parse_json(&json, path)).contains("line 2"), "{json}");
        }
    }
}
