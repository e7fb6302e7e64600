//! How a recording is heard: at a setting of the search, or by a tier; and what was heard.

use std::sync::Arc;

use paretone::audio::{Bounds, Waveform};
use paretone::decode::Cancel;
use paretone::recognizer::{ScoredAudio, Setting, Transcript, Utterance};
use paretone::{
    Objective, Recognizer, RecognizerError, RecognizerScratch, TierAccount, Tiers, TiersError,
    Tolerance,
};
use pyo3::prelude::*;

use crate::errors::{value, value_of};
use crate::recording::Source;

/// How to hear.
#[derive(Clone)]
pub enum How {
    /// At a setting, with so many answers; 0: the best alone.
    Setting { setting: Setting, n_best: usize },
    /// By the tier of a tolerance and an objective.
    Tier(Arc<Tiers>, Tolerance, Objective),
}

/// What was heard, and how it came about.
pub struct Heard {
    pub transcript: Transcript,
    pub tier: Option<(Tolerance, TierAccount)>,
    /// The version whose setting it was, where one's was.
    pub version: Option<String>,
    /// Why only a part of the recording was heard.
    pub partly_read: Option<String>,
}

impl How {
    /// What is said in a recording. The first token stops it, both stop a tier.
    ///
    /// # Errors
    /// The recording cannot be read or recognised, or the work was stopped.
    pub fn hear(
        &self,
        recognizer: &Recognizer,
        source: &Source<'_>,
        scratch: &mut RecognizerScratch,
        stop: [Cancel; 2],
    ) -> Result<Heard, TiersError> {
        let rate = recognizer.sample_rate();
        let wrong = |error| TiersError::from(RecognizerError::from(error));
        let mut signal = source.signal(rate).map_err(wrong)?;
        let mut heard = match self {
            How::Tier(..) => {
                let waveform = Waveform::collect(&mut signal, Bounds::default());
                let utterance = Utterance::from(waveform.map_err(wrong)?);
                self.hear_utterance(recognizer, &utterance, scratch, stop)?
            }
            How::Setting { setting, n_best: 0 } => {
                scratch.cancel_by(Some(stop[0].clone()));
                let transcript = recognizer.transcribe_signal(setting, &mut signal, scratch)?;
                Heard::at(setting, transcript, recognizer)
            }
            How::Setting { .. } => {
                scratch.cancel_by(Some(stop[0].clone()));
                let scored = recognizer.score_signal(&mut signal, scratch)?;
                self.search(recognizer, &scored, scratch)?
            }
        };
        heard.partly_read = signal.shortfall();
        Ok(heard)
    }

    /// What is said in an utterance of a stream, or a whole recording.
    ///
    /// # Errors
    /// It cannot be recognised, or the work was stopped.
    pub fn hear_utterance(
        &self,
        recognizer: &Recognizer,
        utterance: &Utterance,
        scratch: &mut RecognizerScratch,
        stop: [Cancel; 2],
    ) -> Result<Heard, TiersError> {
        match self {
            How::Setting { .. } => {
                scratch.cancel_by(Some(stop[0].clone()));
                let scored = recognizer.score_utterance(utterance, scratch)?;
                self.search(recognizer, &scored, scratch)
            }
            How::Tier(tiers, tolerance, objective) => {
                let answer =
                    tiers.transcribe_utterance(utterance, (*tolerance, *objective), stop)?;
                Ok(Heard {
                    transcript: answer.transcript,
                    tier: Some((*tolerance, answer.account)),
                    version: None,
                    partly_read: None,
                })
            }
        }
    }

    /// What scores say, at a setting.
    ///
    /// # Errors
    /// They cannot be searched, or the search was stopped.
    ///
    /// # Panics
    /// It is a tier: that decides for itself how often it searches.
    pub fn search(
        &self,
        recognizer: &Recognizer,
        scored: &ScoredAudio,
        scratch: &mut RecognizerScratch,
    ) -> Result<Heard, TiersError> {
        let How::Setting { setting, n_best } = self else {
            unreachable!("scores are searched at a setting");
        };
        let mut transcript = recognizer.search(setting, scored, scratch)?;
        if *n_best > 0 {
            let answers = recognizer.n_best(setting, scored, *n_best, scratch)?;
            transcript.set_alternatives(answers);
        }
        Ok(Heard::at(setting, transcript, recognizer))
    }
}

impl Heard {
    fn at(setting: &Setting, transcript: Transcript, recognizer: &Recognizer) -> Self {
        let mut versions = recognizer.versions().list.iter();
        let version = versions.find(|version| version.setting == *setting);
        Heard {
            transcript,
            tier: None,
            version: version.map(|version| version.name.clone()),
            partly_read: None,
        }
    }
}

/// The setting of a version by its name, of knobs as text, or the model's own.
///
/// # Errors
/// A `ValueError`: both, no such version, or no such knobs.
pub fn setting(
    recognizer: &Recognizer,
    version: Option<&str>,
    knobs: Option<&str>,
) -> PyResult<Setting> {
    match (version, knobs) {
        (Some(_), Some(_)) => Err(value("give a version or a setting, not both")),
        (None, None) => Ok(recognizer.setting()),
        (None, Some(knobs)) => knobs.parse().map_err(|error| value_of(&error)),
        (Some(name), None) => {
            let versions = recognizer.versions();
            let version = versions.get(name).ok_or_else(|| {
                let known: Vec<&str> = versions.names().collect();
                value(format!("no version {name}: the model has {}", known.join(", ")))
            })?;
            Ok(version.setting)
        }
    }
}

/// A tolerance as a share (`0.05`) or as text (`"5%"`).
///
/// # Errors
/// A `ValueError`: it is none.
pub fn tolerance(object: &Bound<'_, PyAny>) -> PyResult<Tolerance> {
    let text = object.str()?;
    let tolerance = text.to_cow()?.parse();
    tolerance.map_err(|error: paretone::tiers::ToleranceError| value_of(&error))
}

/// An objective by its name.
///
/// # Errors
/// A `ValueError`: there is none of the name.
pub fn objective(name: Option<&str>) -> PyResult<Objective> {
    let all = [Objective::ResponseTime, Objective::Cost];
    let name = name.unwrap_or(Objective::ResponseTime.name());
    let known = all.into_iter().find(|objective| objective.name() == name);
    known.ok_or_else(|| {
        value(format!("no objective {name}: there are \"response-time\" and \"cost\""))
    })
}
