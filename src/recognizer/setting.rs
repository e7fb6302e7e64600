//! Settings: one operating point of the search, and its text form.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::decode::{Knob, Pruning};

/// One operating point of the search. Larger values of its knobs are slower and more accurate.
///
/// The text form lists the knobs that are on, as in `network_beam=10.5 network_top_n=2000
/// lattice_beam=6 rescore`. Files hold settings in this form, and parsing it gives the same
/// setting.
///
/// ```
/// use paretone::decode::Knob;
/// use paretone::recognizer::Setting;
///
/// let setting: Setting = "network_beam=10.5 network_top_n=2000 lattice_beam=6 rescore".parse()?;
/// assert!(setting.rescore);
/// assert_eq!(setting.with(Knob::NetworkBeam, 8.0).get(Knob::NetworkBeam), 8.0);
/// # Ok::<(), paretone::recognizer::SettingError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Setting {
    /// Whether lattices are rescored with the large language model, if the model has one. On:
    /// slower, more accurate.
    pub rescore: bool,
    /// Whether the neural language model takes part in it, where the model has one. Needs
    /// `rescore`. On: slower, more accurate.
    pub neural: bool,
    /// How much of the search space is pruned.
    pub pruning: Pruning,
}

/// The text of rescoring.
const RESCORE: &str = "rescore";
/// The text of rescoring with the neural network too.
const NEURAL: &str = "neural";

/// A text that is no setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; write knobs as network_beam=10.5 network_top_n=2000 lattice_beam=6 rescore")]
pub struct SettingError(String);

impl Setting {
    /// Returns the value of a knob; infinity if it is off.
    pub fn get(&self, knob: Knob) -> f64 {
        self.pruning.get(knob)
    }

    /// Returns the same setting with another value of one knob. Infinity switches the knob off;
    /// counts are rounded.
    pub fn with(mut self, knob: Knob, value: f64) -> Setting {
        self.pruning.set(knob, value);
        self
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = Knob::ALL.into_iter().filter(|&knob| self.get(knob) != knob.off());
        let mut words: Vec<String> = on.map(|knob| format!("{knob}={}", self.get(knob))).collect();
        words.extend(self.rescore.then(|| RESCORE.to_owned()));
        words.extend(self.neural.then(|| NEURAL.to_owned()));
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
        let mut setting = Setting { rescore: false, neural: false, pruning: Pruning::OFF };
        for word in text.split_whitespace() {
            let Some((name, value)) = word.split_once('=') else {
                match word {
                    RESCORE => setting.rescore = true,
                    NEURAL => setting.neural = true,
                    _ => return Err(SettingError(format!("`{word}` is no knob"))),
                }
                continue;
            };
            let number = value.parse().ok().filter(|value: &f64| *value >= 0.0);
            let Some(number) = number else {
                return Err(SettingError(format!("`{value}` is no value for {name}")));
            };
            let knob = name.parse::<Knob>();
            let knob = knob.map_err(|error| SettingError(error.to_string()))?;
            setting = setting.with(knob, number);
        }
        if setting.neural && !setting.rescore {
            return Err(SettingError(format!("`{NEURAL}` needs `{RESCORE}`")));
        }
        let checked = setting.pruning.validate();
        checked.map_err(|error| SettingError(error.to_string()))?;
        Ok(setting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Cost;

    #[test]
    fn the_text_form_is_read_back() {
        let text = "network_beam=10.3 min_active=200 global_top_n=40 arc_budget=90000 lattice_beam=0.7 rescore";
        let setting: Setting = text.parse().unwrap();
        assert_eq!(setting.pruning.network_beam, Cost(10.3));
        assert_eq!(setting.pruning.global_top_n, 40);
        let again: Setting = setting.to_string().parse().unwrap();
        assert_eq!(again, setting);
        let neural: Setting = format!("{text} neural").parse().unwrap();
        assert!(neural.neural && neural.rescore && neural != setting);
        assert_eq!(neural.to_string(), format!("{setting} neural"));
        let off: Setting = "".parse().unwrap();
        assert_eq!((off.pruning, off.to_string().as_str()), (Pruning::OFF, ""));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "beam=3",
            "network_beam",
            "network_beam=-1",
            "network_beam=9 neural",
            "local_top_n=0",
            "local_beam=NaN",
        ] {
            assert!(text.parse::<Setting>().is_err(), "{text}");
        }
    }
}
