//! Versions: the named settings of a model along its Pareto front, v1 the fastest.
//!
//! `versions.toml` beside the model lists them with the measurements that chose them. It is written
//! by `paretone versions pick` from a sweep.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Setting;
use crate::provenance::{MadeFor, hash};

/// The file's name, in the model's folder.
pub const VERSIONS_FILE: &str = "versions.toml";
/// Nobody lists more versions than this.
const MAX_VERSIONS: usize = 99;
/// A longer file is no list of versions.
const MAX_BYTES: u64 = 1 << 20;

/// The versions of a model, fastest first.
///
/// ```
/// use std::path::Path;
/// use paretone::recognizer::Versions;
///
/// let versions = Versions::of_model(Path::new("models/en"))?;
/// assert_eq!(versions.names().next(), Some("v1"));
/// println!("{}", versions.get("v7").expect("the most accurate").setting);
/// # Ok::<(), paretone::recognizer::VersionsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    /// On what they were measured and how, for people: command, corpus, machine, date.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub measured_on: String,
    /// The model and front end that they were picked for.
    #[serde(default, skip_serializing_if = "MadeFor::is_unknown")]
    pub made_for: MadeFor,
    /// The versions.
    #[serde(default, rename = "version")]
    pub list: Vec<Version>,
}

/// A named setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// `v1`, `v2` and so on.
    pub name: String,
    /// What was measured of it when it was picked.
    pub measured: Measured,
    /// Its knobs.
    pub setting: Setting,
}

/// What a sweep measured of one setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Word errors over reference words, in per cent.
    pub wer_percent: f64,
    /// Mean server time of an utterance in seconds: features and acoustic scores included.
    pub response_seconds: f64,
    /// Arcs the search looked at, for a score frame.
    pub arcs_per_frame: f64,
}

/// Why a model's versions cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VersionsError {
    /// The file cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{}: {problem}; write it again with `paretone versions pick`", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

impl Versions {
    /// The versions in a model's folder; none if it has no list.
    ///
    /// # Errors
    /// The list cannot be read or is malformed.
    pub fn of_model(folder: &Path) -> Result<Versions, VersionsError> {
        let path = folder.join(VERSIONS_FILE);
        if path.exists() { Versions::open(&path) } else { Ok(Versions::default()) }
    }

    /// The version with this setting, if there is one.
    pub fn at(&self, setting: &Setting) -> Option<&Version> {
        self.list.iter().find(|version| version.setting == *setting)
    }

    /// Reads a list.
    ///
    /// # Errors
    /// It cannot be read, is no list of versions, names one twice, or a knob is out of range.
    pub fn open(path: &Path) -> Result<Versions, VersionsError> {
        let io = |source| VersionsError::Io { path: path.into(), source };
        if fs::metadata(path).map_err(io)?.len() > MAX_BYTES {
            return Err(VersionsError::Format {
                path: path.into(),
                problem: format!("more than {MAX_BYTES} bytes"),
            });
        }
        Versions::parse(&fs::read_to_string(path).map_err(io)?, path)
    }

    /// Parses the text of a list found at `path`.
    ///
    /// # Errors
    /// As [`Versions::open`].
    pub fn parse(text: &str, path: &Path) -> Result<Versions, VersionsError> {
        let format = |problem: String| VersionsError::Format { path: path.into(), problem };
        let versions: Versions = toml::from_str(text).map_err(|e| format(e.to_string()))?;
        if versions.list.len() > MAX_VERSIONS {
            return Err(format(format!("more than {MAX_VERSIONS} versions")));
        }
        for (index, version) in versions.list.iter().enumerate() {
            let name = &version.name;
            if versions.list[..index].iter().any(|v| v.name == *name) {
                return Err(format(format!("version {name} occurs twice")));
            }
        }
        Ok(versions)
    }

    /// The list as text: [`Versions::parse`] reads it back.
    pub fn to_text(&self) -> String {
        toml::to_string(self).expect("versions are plain tables")
    }

    /// The version of this name.
    pub fn get(&self, name: &str) -> Option<&Version> {
        self.list.iter().find(|version| version.name == name)
    }

    /// The most accurate version: the last.
    pub fn most_accurate(&self) -> Option<&Version> {
        self.list.last()
    }

    /// A hash of names and settings; none where there are no versions.
    pub fn hash(&self) -> Option<String> {
        let line = |version: &Version| format!("{}: {}\n", version.name, version.setting);
        let lines: String = self.list.iter().map(line).collect();
        (!self.list.is_empty()).then(|| hash([lines.as_bytes()]))
    }

    /// The names, fastest first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|version| version.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Pruning;
    use crate::units::Cost;

    fn versions() -> Versions {
        let version = |name: &str, beam: f32| Version {
            name: name.into(),
            measured: Measured {
                wer_percent: 13.25,
                response_seconds: 0.0625,
                arcs_per_frame: 812.5,
            },
            setting: Setting {
                rescore: true,
                neural: false,
                pruning: Pruning {
                    network_beam: Cost(beam),
                    global_top_n: 40,
                    lattice_beam: Cost(6.0),
                    ..Pruning::OFF
                },
            },
        };
        Versions {
            measured_on: "a machine".into(),
            made_for: "12ab/-/-/-".parse().unwrap(),
            list: vec![version("v1", 7.5), version("v2", 9.0)],
        }
    }

    #[test]
    fn a_list_is_read_back() {
        let text = versions().to_text();
        assert!(!text.contains("local"), "knobs that are off are left out:\n{text}");
        let read = Versions::parse(&text, Path::new("versions.toml")).unwrap();
        assert_eq!(read, versions());
        assert_eq!(read.get("v2"), Some(&versions().list[1]));
        assert_eq!(read.get("v3"), None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let text = versions().to_text();
        let said = |text: String| {
            let error = Versions::parse(&text, Path::new("versions.toml"));
            error.unwrap_err().to_string()
        };
        assert!(said(text.replace("\"v2\"", "\"v1\"")).contains("twice"));
        let negative = said(text.replace("network_beam=9", "network_beam=-9"));
        assert!(negative.contains("`-9`") && negative.contains("versions pick"));
        assert!(said(text.replace("global_top_n", "globe")).contains("globe"));
        assert!(said("version = 3".into()).contains("versions.toml"));
    }
}
