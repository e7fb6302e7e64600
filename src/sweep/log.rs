//! What a sweep measured, one line for each utterance and setting, appended as soon as it is known.
//!
//! A process that is killed at any moment loses the lines it was working on and nothing else: on
//! opening, a line that was cut short is removed.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::measure::{Heard, Prepared};
use crate::eval::Judged;
use crate::recognizer::Setting;

/// One utterance at one setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The setting's text form.
    pub setting: String,
    /// The utterance.
    pub id: String,
    /// Word errors.
    pub errors: u32,
    /// Words of the reference.
    pub words: u32,
    /// Length of the recording in seconds.
    pub audio_seconds: f64,
    /// Processor seconds of features and acoustic scores.
    pub scores_seconds: f64,
    /// Processor seconds of the search.
    pub search_seconds: f64,
    /// Processor seconds of rescoring.
    pub rescore_seconds: f64,
    /// Score frames.
    pub frames: u32,
    /// Tokens expanded.
    pub tokens: u64,
    /// Emitting arcs looked at.
    pub arcs: u64,
    /// Epsilon arcs looked at.
    pub epsilon_arcs: u64,
}

impl Measurement {
    /// What was measured of an utterance at a setting.
    pub fn new(setting: &Setting, judged: &Judged, prepared: &Prepared, heard: &Heard) -> Self {
        let (counts, effort) = (judged.scored.counts, heard.transcript.effort);
        Measurement {
            setting: setting.to_string(),
            id: judged.scored.id.clone(),
            errors: counts.errors() as u32,
            words: counts.reference as u32,
            audio_seconds: prepared.scored.audio.0,
            scores_seconds: prepared.scores.0,
            search_seconds: heard.search.0,
            rescore_seconds: heard.rescore.0,
            frames: effort.frames,
            tokens: effort.tokens,
            arcs: effort.arcs,
            epsilon_arcs: effort.epsilon_arcs,
        }
    }
}

/// Why a log cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A line is no measurement.
    #[error("{} holds a line that is no measurement; move the file away to measure again", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        source: csv::Error,
    },
}

/// A log on disk. Threads may append at once.
pub struct MeasurementLog {
    path: PathBuf,
    file: Mutex<File>,
    measured: HashSet<(String, String)>,
    /// What the log held when it was opened.
    pub found: Vec<Measurement>,
}

impl MeasurementLog {
    /// Opens the log, made where it is missing, and reads what it holds.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds something else.
    pub fn open(path: &Path) -> Result<MeasurementLog, LogError> {
        let io = |source| LogError::Io { path: path.into(), source };
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path).map_err(io)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        bytes.truncate(whole);
        file.set_len(whole as u64).map_err(io)?;
        file.seek(SeekFrom::End(0)).map_err(io)?;
        let rows = csv::Reader::from_reader(bytes.as_slice()).into_deserialize();
        let found: Result<Vec<Measurement>, csv::Error> = rows.collect();
        let found = found.map_err(|source| LogError::Line { path: path.into(), source })?;
        let key = |m: &Measurement| (m.setting.clone(), m.id.clone());
        let log = MeasurementLog {
            path: path.into(),
            file: Mutex::new(file),
            measured: found.iter().map(key).collect(),
            found,
        };
        if bytes.is_empty() {
            log.write(&HEADER.join(","))?;
        }
        Ok(log)
    }

    /// Whether an utterance was measured at a setting when the log was opened.
    pub fn holds(&self, setting: &str, id: &str) -> bool {
        self.measured.contains(&(setting.to_owned(), id.to_owned()))
    }

    /// Appends a measurement.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append(&self, measurement: &Measurement) -> Result<(), LogError> {
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
        let line = writer.serialize(measurement).and_then(|()| {
            let line = writer.into_inner().map_err(|error| error.into_error())?;
            Ok(String::from_utf8(line).expect("CSV of text is text"))
        });
        let line = line.map_err(|source| LogError::Line { path: self.path.clone(), source })?;
        self.write(line.trim_end())
    }

    /// Writes one line with one call, so that lines of threads do not mix.
    fn write(&self, line: &str) -> Result<(), LogError> {
        let mut file = self.file.lock().expect("no thread panics with the lock");
        let written = file.write_all(format!("{line}\n").as_bytes());
        written.map_err(|source| LogError::Io { path: self.path.clone(), source })
    }
}

/// The columns, in the order of the fields.
const HEADER: [&str; 12] = [
    "setting",
    "id",
    "errors",
    "words",
    "audio_seconds",
    "scores_seconds",
    "search_seconds",
    "rescore_seconds",
    "frames",
    "tokens",
    "arcs",
    "epsilon_arcs",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn measurement(id: &str) -> Measurement {
        Measurement {
            setting: "network_beam=9 rescore".into(),
            id: id.into(),
            errors: 1,
            words: 7,
            audio_seconds: 2.5,
            scores_seconds: 0.01,
            search_seconds: 0.002,
            rescore_seconds: 0.001,
            frames: 83,
            tokens: 9000,
            arcs: 50_000,
            epsilon_arcs: 3,
        }
    }

    #[test]
    fn a_line_cut_short_is_measured_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        let log = MeasurementLog::open(&path).unwrap();
        for id in ["a", "b, c"] {
            log.append(&measurement(id)).unwrap();
        }
        drop(log);
        let bytes = std::fs::read(&path).unwrap();
        for cut in 0..=bytes.len() {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            let log = MeasurementLog::open(&path).unwrap();
            let whole = bytes[..cut].iter().filter(|&&b| b == b'\n').count();
            assert_eq!(log.found.len(), whole.saturating_sub(1), "{cut} bytes");
            for id in ["a", "b, c"] {
                if !log.holds("network_beam=9 rescore", id) {
                    log.append(&measurement(id)).unwrap();
                }
            }
            drop(log);
            assert_eq!(std::fs::read(&path).unwrap(), bytes, "{cut} bytes");
        }
    }

    #[test]
    fn other_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        std::fs::write(&path, "id\tpath\nx\ty\n").unwrap();
        assert!(matches!(MeasurementLog::open(&path), Err(LogError::Line { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), b"id\tpath\nx\ty\n");
    }
}
