//! The recogniser as a service of its versions.

use std::sync::Arc;

use super::service::{Judged, Service};
use crate::audio::Waveform;
use crate::decode::Cancel;
use crate::recognizer::{
    Recognizer, RecognizerError, RecognizerScratch, ScoredAudio, Transcript, Utterance,
};
use crate::tiers::Policy;

/// The versions of a model, by their place in its list. A request's scores are kept until it is
/// answered: about 0.2 MB for a second of audio.
#[derive(Clone)]
pub struct Recognition {
    recognizer: Arc<Recognizer>,
}

/// An utterance to be recognised.
#[derive(Clone)]
pub struct Spoken {
    utterance: Utterance,
    /// Who recognises it in place of the model.
    by: Option<Arc<Recognizer>>,
}

/// An utterance's scores.
pub struct Scored {
    scores: ScoredAudio,
    by: Option<Arc<Recognizer>>,
}

impl Spoken {
    /// The same, to be recognised by the model with words of the caller's
    /// ([`Recognizer::with_words`]).
    pub fn by(self, recognizer: Arc<Recognizer>) -> Self {
        let by = Some(recognizer);
        Spoken { by, ..self }
    }
}

impl From<Utterance> for Spoken {
    fn from(utterance: Utterance) -> Self {
        Spoken { utterance, by: None }
    }
}

impl From<&Utterance> for Spoken {
    fn from(utterance: &Utterance) -> Self {
        utterance.clone().into()
    }
}

impl From<Waveform> for Spoken {
    fn from(recording: Waveform) -> Self {
        Utterance::from(recording).into()
    }
}

/// Why a policy cannot be followed with a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// The model has no such version.
    #[error(
        "the policy asks version {name}, which the model does not have (it has: {known}); learn rules for this model with `paretone tiers train`"
    )]
    UnknownVersion {
        /// The version asked for.
        name: String,
        /// The versions there are.
        known: String,
    },
    /// The rules were learnt for something else than what is at hand.
    #[error(
        "the rules were learnt before the {parts} changed, so what they promise does not hold; record outcomes of this model \
         with `paretone bench --versions all --outcomes` and learn rules from them with `paretone tiers train`"
    )]
    MadeForAnother {
        /// What differs.
        parts: String,
    },
    /// The rules promise something and do not say of which model.
    #[error(
        "the rules do not say which model they were learnt for, so nobody can tell whether what they promise holds; record \
         outcomes of this model with `paretone bench --versions all --outcomes` and learn rules from them with `paretone tiers \
         train`"
    )]
    MadeForUnknown,
    /// Confidences are compared, and a version has none.
    #[error(
        "version {name} is not calibrated, so its confidence cannot be compared; calibrate the model with `paretone confidence fit`"
    )]
    Uncalibrated {
        /// The version.
        name: String,
    },
}

impl Recognition {
    /// The versions of a model.
    pub fn new(recognizer: Arc<Recognizer>) -> Self {
        Recognition { recognizer }
    }

    /// The recogniser.
    pub fn recognizer(&self) -> &Arc<Recognizer> {
        &self.recognizer
    }

    /// Names of the versions, by number.
    pub fn version_names(&self) -> Vec<String> {
        let names = self.recognizer.versions().names();
        names.map(str::to_owned).collect()
    }

    /// A policy over versions' names as one over their numbers.
    ///
    /// # Errors
    /// The model lacks a version, or compares confidences that are not calibrated.
    pub fn policy(&self, policy: &Policy<String>) -> Result<Policy, Unfit> {
        let names: Vec<&str> = self.recognizer.versions().names().collect();
        let asked = match policy {
            Policy::Single { version } => vec![version],
            Policy::Seq(pair) | Policy::Conc(pair) => vec![&pair.first, &pair.second],
        };
        let is_pair = policy.pair().is_some();
        for &name in &asked {
            let name = name.clone();
            if !names.contains(&name.as_str()) {
                let known = names.join(", ");
                return Err(Unfit::UnknownVersion { name, known });
            }
            if is_pair && !self.recognizer.is_calibrated(&name) {
                return Err(Unfit::Uncalibrated { name });
            }
        }
        let place = |name: &String| names.iter().position(|known| known == name);
        Ok(policy.rename(|name| place(name).expect("checked above")))
    }
}

impl Service for Recognition {
    type Request = Spoken;
    type Prepared = Scored;
    type Answer = Transcript;
    type Error = RecognizerError;
    type Scratch = RecognizerScratch;

    fn scratch(&self) -> RecognizerScratch {
        self.recognizer.scratch()
    }

    fn prepare(
        &self,
        spoken: &Spoken,
        cancel: &Cancel,
        scratch: &mut RecognizerScratch,
    ) -> Result<Scored, RecognizerError> {
        scratch.cancel_by(Some(cancel.clone()));
        let recognizer = spoken.by.as_ref().unwrap_or(&self.recognizer);
        Ok(Scored {
            scores: recognizer.score_utterance(&spoken.utterance, scratch)?,
            by: spoken.by.clone(),
        })
    }

    fn parts(&self, scored: &Scored) -> usize {
        scored.scores.segments().len()
    }

    fn run(
        &self,
        scored: &Scored,
        (version, part): (usize, usize),
        cancel: &Cancel,
        scratch: &mut RecognizerScratch,
    ) -> Result<Judged<Transcript>, RecognizerError> {
        scratch.cancel_by(Some(cancel.clone()));
        let recognizer = scored.by.as_ref().unwrap_or(&self.recognizer);
        let setting = &recognizer.versions().list[version].setting;
        Ok(judged(recognizer.search_part(setting, &scored.scores, part, scratch)?))
    }

    fn join(&self, scored: &Scored, parts: Vec<Judged<Transcript>>) -> Judged<Transcript> {
        let parts = parts.into_iter().map(|part| part.answer);
        judged(Transcript::joined(parts, scored.scores.audio, &scored.scores.timings))
    }
}

/// As in recorded outcomes: an answer that nothing is known of is not trusted.
fn judged(answer: Transcript) -> Judged<Transcript> {
    let known = answer.confidence;
    Judged {
        confidence: known.map_or(0.0, |known| known.right),
        sure: known.map_or(0.0, |known| 1.0 - known.improvable),
        answer,
    }
}
