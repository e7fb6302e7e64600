//! Kaldi's data directories: `wav.scp` (recordings), `text`, `utt2spk`, and where recordings are
//! cut into utterances, `segments`.
//!
//! Each line begins with an id and a blank. Paths are as Kaldi's recipes leave them, relative to
//! where they are run, or to the directory itself. What Kaldi would run as a command (a line that
//! ends in `|`) is refused: a list of files must not run programs.
//!
//! Reference: <https://kaldi-asr.org/doc/data_prep.html>.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{EvalError, Part, Utterance, read_text};
use crate::units::Seconds;

/// The recordings of a data directory.
const RECORDINGS: &str = "wav.scp";
/// What is said.
const TEXT: &str = "text";
/// Who speaks.
const SPEAKERS: &str = "utt2spk";
/// Which parts of the recordings are utterances.
const SEGMENTS: &str = "segments";
/// Each speaker's gender.
const GENDERS: &str = "spk2gender";

/// The texts of a data directory's files; those that may be missing are empty then.
#[derive(Clone, Copy, Debug, Default)]
pub struct DataDirectory<'t> {
    /// `wav.scp`.
    pub recordings: &'t str,
    /// `text`.
    pub text: &'t str,
    /// `utt2spk`.
    pub speakers: Option<&'t str>,
    /// `segments`.
    pub segments: Option<&'t str>,
    /// `spk2gender`.
    pub genders: Option<&'t str>,
}

/// Whether a folder is a data directory.
pub(super) fn is_in(folder: &Path) -> bool {
    folder.join(RECORDINGS).is_file() && folder.join(TEXT).is_file()
}

/// Reads a data directory, in the order of its `text`.
///
/// # Errors
/// As [`parse`], and where a file cannot be read.
pub fn open(folder: &Path) -> Result<Vec<Utterance>, EvalError> {
    let [recordings, text] = [RECORDINGS, TEXT].map(|name| read_text(&folder.join(name)));
    let other = |name: &str| {
        let path = folder.join(name);
        path.is_file().then(|| read_text(&path)).transpose()
    };
    let (speakers, segments, genders) = (other(SPEAKERS)?, other(SEGMENTS)?, other(GENDERS)?);
    let files = DataDirectory {
        recordings: &recordings?,
        text: &text?,
        speakers: speakers.as_deref(),
        segments: segments.as_deref(),
        genders: genders.as_deref(),
    };
    parse(files, folder)
}

/// Parses the texts of the directory at `folder`.
///
/// # Errors
/// A line lacks a field or repeats an id, a recording is a command or lies in an archive, a segment
/// is no part of a recording, or an utterance has no recording.
pub fn parse(files: DataDirectory<'_>, folder: &Path) -> Result<Vec<Utterance>, EvalError> {
    let recordings = List::read(files.recordings, folder, RECORDINGS)?;
    let speakers = List::read(files.speakers.unwrap_or_default(), folder, SPEAKERS)?;
    let genders = List::read(files.genders.unwrap_or_default(), folder, GENDERS)?;
    let segments = List::read(files.segments.unwrap_or_default(), folder, SEGMENTS)?;
    let paths = recordings.lines.iter().map(|line| Ok((line.id, recordings.audio(line)?)));
    let paths: HashMap<&str, PathBuf> = paths.collect::<Result<_, EvalError>>()?;
    let texts = List::read(files.text, folder, TEXT)?;
    let set = folder.file_name().unwrap_or_default().to_string_lossy();
    let utterance = |line: &Line<'_>| {
        let missing = |what: &str| texts.wrong(line.number, format!("`{}` {what}", line.id));
        let part = match files.segments {
            None => None,
            Some(_) => {
                let segment = segments.find(line.id);
                Some(segments.part(segment.ok_or_else(|| missing("has no line in `segments`"))?)?)
            }
        };
        let recording = part.as_ref().map_or(line.id, |(recording, _)| recording);
        let audio = paths.get(recording);
        let audio = audio
            .ok_or_else(|| missing(&format!("has no recording: `wav.scp` lacks `{recording}`")))?;
        let speaker = speakers.find(line.id).map_or("", |line| line.rest);
        Ok(Utterance {
            id: line.id.into(),
            audio: audio.clone(),
            text: line.rest.into(),
            speaker: speaker.into(),
            gender: gender(genders.find(speaker).map_or("", |line| line.rest)).into(),
            set: set.clone().into_owned(),
            seconds: part.and_then(|(_, part)| Some(Seconds(part.end?.0 - part.start.0))),
            part: part.map(|(_, part)| part),
            ..Utterance::default()
        })
    };
    texts.lines.iter().map(utterance).collect()
}

/// As other corpora write it.
fn gender(letter: &str) -> &str {
    match letter {
        "m" => "male",
        "f" => "female",
        other => other,
    }
}

/// A line: an id, and what it is mapped to.
struct Line<'t> {
    number: usize,
    id: &'t str,
    rest: &'t str,
}

/// A file of such lines.
struct List<'t> {
    path: PathBuf,
    lines: Vec<Line<'t>>,
    at: HashMap<&'t str, usize>,
}

impl<'t> List<'t> {
    fn read(text: &'t str, folder: &Path, name: &str) -> Result<List<'t>, EvalError> {
        let mut list = List { path: folder.join(name), lines: Vec::new(), at: HashMap::new() };
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let line = line.trim();
            let (id, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            if list.at.insert(id, list.lines.len()).is_some() {
                return Err(EvalError::Duplicate { path: list.path, id: id.into() });
            }
            list.lines.push(Line { number: at + 1, id, rest: rest.trim() });
        }
        Ok(list)
    }

    fn find(&self, id: &str) -> Option<&Line<'t>> {
        self.at.get(id).map(|&at| &self.lines[at])
    }

    fn wrong(&self, line: usize, problem: impl Into<String>) -> EvalError {
        EvalError::Line { path: self.path.clone(), line, problem: problem.into() }
    }

    /// The file of a recording.
    fn audio(&self, line: &Line<'_>) -> Result<PathBuf, EvalError> {
        let place = line.rest;
        let problem = if place.is_empty() || place == "-" {
            "names no file".into()
        } else if place.ends_with('|') {
            format!(
                "is a command (`{}`), and a list of files must not run programs: run it yourself and write its output to a file, \
                 such as with Kaldi's `wav-copy scp:wav.scp ark,scp:…` or `sox`, and name that file",
                place.chars().take(60).collect::<String>()
            )
        } else if is_in_archive(place) {
            "lies in an archive: write it to a file of its own, such as with Kaldi's `wav-copy`, and name that file".into()
        } else {
            let folder = self.path.parent().unwrap_or(Path::new(""));
            let beside = folder.join(place);
            return Ok(if beside.is_file() { beside } else { place.into() });
        };
        Err(self.wrong(line.number, format!("the recording `{}` {problem}", line.id)))
    }

    /// The recording of a segment, and which part of it that is.
    fn part(&self, line: &Line<'t>) -> Result<(&'t str, Part), EvalError> {
        let fields: Vec<&str> = line.rest.split_whitespace().collect();
        let wrong = || {
            let problem =
                format!("`{}` is no `utterance recording start end`, in seconds", line.rest);
            self.wrong(line.number, problem)
        };
        let (&[recording, start, end] | &[recording, start, end, _]) = fields.as_slice() else {
            return Err(wrong());
        };
        let seconds = |text: &str| text.parse::<f64>().ok().filter(|seconds| seconds.is_finite());
        let (start, end) = seconds(start).zip(seconds(end)).ok_or_else(wrong)?;
        // Kaldi writes -1 for the recording's end.
        let end = (end != -1.0).then_some(Seconds(end));
        if start < 0.0 || end.is_some_and(|end| end.0 <= start) {
            return Err(wrong());
        }
        let start = Seconds(start);
        Ok((recording, Part { start, end }))
    }
}

/// Whether a place is an offset into an archive: `file.ark:1234`.
fn is_in_archive(place: &str) -> bool {
    let offset = place.rsplit_once(':').map(|(_, offset)| offset);
    offset.is_some_and(|offset| {
        !offset.is_empty() && offset.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: &str = "data/dev";

    fn parsed(
        recordings: &str,
        text: &str,
        segments: Option<&str>,
    ) -> Result<Vec<Utterance>, EvalError> {
        let files = DataDirectory {
            recordings,
            text,
            speakers: Some("ann-1 ann\nann-2 ann\n"),
            segments,
            genders: Some("ann f\n"),
        };
        parse(files, Path::new(FOLDER))
    }

    #[test]
    fn whole_recordings_and_parts_of_them() {
        let whole =
            parsed("ann-1 /a/1.wav\nann-2 /a/2 b.flac\n", "ann-2\nann-1 ONE  TWO\n", None).unwrap();
        let [silent, said] = whole.as_slice() else {
            panic!("{whole:?}");
        };
        assert_eq!((silent.id.as_str(), silent.text.as_str()), ("ann-2", ""));
        assert_eq!(silent.audio, Path::new("/a/2 b.flac"));
        assert_eq!(
            (said.text.as_str(), said.speaker.as_str(), said.gender.as_str()),
            ("ONE  TWO", "ann", "female")
        );
        assert_eq!((said.set.as_str(), &said.part), ("dev", &None));
        let segments = "ann-1 talk 0.5 2.25\nann-2 talk 2.25 -1\n";
        let parts = parsed("talk talk.wav", "ann-1 one\nann-2 two\n", Some(segments)).unwrap();
        assert!(parts.iter().all(|one| one.audio == Path::new("talk.wav")));
        let part = parts[0].part.unwrap();
        assert_eq!((part.start, part.end), (Seconds(0.5), Some(Seconds(2.25))));
        assert_eq!(parts[0].seconds, Some(Seconds(1.75)));
        assert_eq!(parts[1].part.unwrap().end, None);
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        for (recordings, text, segments, told) in [
            ("a sph2pipe -f wav a.sph |", "a x", None, "must not run programs"),
            ("a wav.ark:1234", "a x", None, "lies in an archive"),
            ("a -", "a x", None, "names no file"),
            ("a", "a x", None, "names no file"),
            ("a a.wav", "b x", None, "wav.scp` lacks `b`"),
            ("a a.wav", "b x", Some("c a 0 1"), "no line in `segments`"),
            ("a a.wav", "b x", Some("b a 1 1"), "in seconds"),
            ("a a.wav", "b x", Some("b a nan 1"), "in seconds"),
            ("a a.wav", "b x", Some("b a 0"), "in seconds"),
            ("a a.wav\na b.wav", "a x", None, "twice"),
        ] {
            let error = parsed(recordings, text, segments).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
