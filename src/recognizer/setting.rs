//! One operating point of the search, and its text form.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::decode::Pruning;
use crate::units::Cost;

/// How a recording's scores are searched. Larger knobs are slower and more accurate.
///
/// Its text form lists the knobs that are on, as in `network_beam=10.5 network_top_n=2000
/// lattice_beam=6 rescore`, and is read back; so it stands in files.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Setting {
    /// Whether the large language model takes a second look, where the model has one. On: slower,
    /// more accurate.
    pub rescore: bool,
    /// What the search gives up.
    pub pruning: Pruning,
}

/// One knob of a setting, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Knob {
    /// [`Pruning::network_beam`].
    NetworkBeam,
    /// [`Pruning::network_top_n`].
    NetworkTopN,
    /// [`Pruning::global_beam`].
    GlobalBeam,
    /// [`Pruning::global_top_n`].
    GlobalTopN,
    /// [`Pruning::local_beam`].
    LocalBeam,
    /// [`Pruning::local_top_n`].
    LocalTopN,
    /// [`Pruning::arc_budget`].
    ArcBudget,
    /// [`Pruning::lattice_beam`].
    LatticeBeam,
}

/// Names in the text form.
const NAMES: [(Knob, &str); 8] = [
    (Knob::NetworkBeam, "network_beam"),
    (Knob::NetworkTopN, "network_top_n"),
    (Knob::GlobalBeam, "global_beam"),
    (Knob::GlobalTopN, "global_top_n"),
    (Knob::LocalBeam, "local_beam"),
    (Knob::LocalTopN, "local_top_n"),
    (Knob::ArcBudget, "arc_budget"),
    (Knob::LatticeBeam, "lattice_beam"),
];
/// The text of rescoring.
const RESCORE: &str = "rescore";

impl Knob {
    /// Every knob, in the order of the text form.
    pub fn all() -> impl Iterator<Item = Knob> {
        NAMES.into_iter().map(|(knob, _)| knob)
    }

    /// The knob's name, as the fields of [`Pruning`] have it.
    pub fn name(self) -> &'static str {
        let (_, name) = NAMES[self as usize];
        name
    }
}

impl FromStr for Knob {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Knob, SettingError> {
        let known = NAMES.iter().find(|(_, name)| *name == text);
        known
            .map(|&(knob, _)| knob)
            .ok_or_else(|| SettingError(format!("no knob is called `{text}`")))
    }
}

/// A text that is no setting, or no knob.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; write knobs as network_beam=10.5 network_top_n=2000 lattice_beam=6 rescore")]
pub struct SettingError(String);

impl Setting {
    /// The value of a knob; infinity where it is off.
    pub fn get(&self, knob: Knob) -> f64 {
        let count = |n: usize| match n {
            usize::MAX => f64::INFINITY,
            n => n as f64,
        };
        let pruning = &self.pruning;
        match knob {
            Knob::NetworkBeam => pruning.network_beam.0.into(),
            Knob::NetworkTopN => count(pruning.network_top_n),
            Knob::GlobalBeam => pruning.global_beam.0.into(),
            Knob::GlobalTopN => count(pruning.global_top_n),
            Knob::LocalBeam => pruning.local_beam.0.into(),
            Knob::LocalTopN => count(pruning.local_top_n),
            Knob::ArcBudget => count(pruning.arc_budget),
            Knob::LatticeBeam => pruning.lattice_beam.0.into(),
        }
    }

    /// The same setting with one knob at another value; infinity switches it off, and counts are
    /// rounded.
    pub fn with(mut self, knob: Knob, value: f64) -> Setting {
        let cost = Cost(value as f32);
        let count = match value {
            f64::INFINITY => usize::MAX,
            value => value.round() as usize,
        };
        let pruning = &mut self.pruning;
        match knob {
            Knob::NetworkBeam => pruning.network_beam = cost,
            Knob::NetworkTopN => pruning.network_top_n = count,
            Knob::GlobalBeam => pruning.global_beam = cost,
            Knob::GlobalTopN => pruning.global_top_n = count,
            Knob::LocalBeam => pruning.local_beam = cost,
            Knob::LocalTopN => pruning.local_top_n = count,
            Knob::ArcBudget => pruning.arc_budget = count,
            Knob::LatticeBeam => pruning.lattice_beam = cost,
        }
        self
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = Knob::all().filter(|&knob| self.get(knob) < f64::INFINITY);
        let mut words: Vec<String> = on
            .map(|knob| format!("{}={}", knob.name(), self.get(knob)))
            .collect();
        words.extend(self.rescore.then(|| RESCORE.to_owned()));
        out.write_str(&words.join(" "))
    }
}

impl From<Setting> for String {
    fn from(setting: Setting) -> String {
        setting.to_string()
    }
}

impl TryFrom<String> for Setting {
    type Error = SettingError;

    fn try_from(text: String) -> Result<Setting, SettingError> {
        text.parse()
    }
}

impl FromStr for Setting {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Setting, SettingError> {
        let mut setting = Setting {
            rescore: false,
            pruning: Pruning::OFF,
        };
        for word in text.split_whitespace() {
            let Some((name, value)) = word.split_once('=') else {
                if word != RESCORE {
                    return Err(SettingError(format!("`{word}` is no knob")));
                }
                setting.rescore = true;
                continue;
            };
            let number = value.parse().ok().filter(|value: &f64| *value >= 0.0);
            let Some(number) = number else {
                return Err(SettingError(format!("`{value}` is no value for {name}")));
            };
            setting = setting.with(name.parse()?, number);
        }
        let checked = setting.pruning.validate();
        checked.map_err(|error| SettingError(error.to_string()))?;
        Ok(setting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_is_read_back() {
        let text = "network_beam=10.3 global_top_n=40 arc_budget=90000 lattice_beam=0.7 rescore";
        let setting: Setting = text.parse().unwrap();
        assert_eq!(setting.pruning.network_beam, Cost(10.3));
        assert_eq!(setting.pruning.global_top_n, 40);
        let again: Setting = setting.to_string().parse().unwrap();
        assert_eq!(again, setting);
        let off: Setting = "".parse().unwrap();
        assert_eq!((off.pruning, off.to_string().as_str()), (Pruning::OFF, ""));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "beam=3",
            "network_beam",
            "network_beam=-1",
            "local_top_n=0",
            "local_beam=NaN",
        ] {
            assert!(text.parse::<Setting>().is_err(), "{text}");
        }
    }
}
