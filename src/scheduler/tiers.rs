//! A recogniser under routing rules: from a tolerance to words, in one call.

use std::path::Path;
use std::sync::Arc;

use super::error::Failure;
use super::inline::{Scratches, answer};
use super::recognition::{Recognition, Spoken, Unfit};
use super::routing::{Answer, NoTier, Routing};
use crate::audio::Waveform;
use crate::decode::Cancel;
use crate::recognizer::{Recognizer, RecognizerError};
use crate::tiers::{Objective, RULES_FILE, Rules, RulesError, Tolerance};

/// A recogniser and the rules that say which of its versions answer at which tolerance. Immutable:
/// share it between threads.
///
/// The caller's thread does the work; a policy that runs two versions at once starts one thread
/// more. For queues, deadlines and a fixed number of workers there is
/// [`Scheduler`](super::Scheduler), which follows the same policies.
///
/// # Examples
/// ```
/// use paretone::{Objective, Recognizer, Tiers, Tolerance, Waveform};
///
/// let recognizer = Recognizer::open("models/en")?;
/// let tiers = Tiers::open(recognizer, "models/en/rules.toml")?;
/// let recording = Waveform::open("corpora/samples/river.wav")?;
/// let answer = tiers.transcribe(&recording, Tolerance::percent(5.0)?, Objective::Cost)?;
/// println!("{}", answer.transcript.text());
/// println!("{} answered, by the policy {}", answer.account.answered_by, answer.account.policy);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Tiers {
    recognition: Recognition,
    routing: Routing,
    scratches: Scratches<Recognition>,
}

/// Why rules cannot be followed with a recogniser, or a recording has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TiersError {
    /// There is no rules file.
    #[error(
        "there are no routing rules at {path}: learn them with `paretone tiers train --out {path}`, or name the file where they are",
        path = .0.display()
    )]
    NoRules(std::path::PathBuf),
    /// The rules cannot be read.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// The rules are for another model.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The rules have no tier for the objective.
    #[error(transparent)]
    NoTier(#[from] NoTier),
    /// The recording cannot be recognised.
    #[error(transparent)]
    Recognizer(#[from] RecognizerError),
    /// The caller's tokens stopped it.
    #[error("stopped by its caller before there was an answer")]
    Stopped,
    /// The recogniser panicked: a defect of this library.
    #[error("the recogniser panicked: {message}; please report this as a defect")]
    Panicked {
        /// What it said.
        message: String,
    },
}

impl Tiers {
    /// Follows the rules of a file with a recogniser.
    ///
    /// # Errors
    /// There is no such file, it holds no rules, or the recogniser cannot follow one of them.
    pub fn open(
        recognizer: impl Into<Arc<Recognizer>>,
        rules: impl AsRef<Path>,
    ) -> Result<Self, TiersError> {
        let path = rules.as_ref();
        if !path.exists() {
            return Err(TiersError::NoRules(path.into()));
        }
        Tiers::new(recognizer, Rules::open(path)?)
    }

    /// Follows the rules that lie in the folder of the recogniser's model.
    ///
    /// # Errors
    /// As [`Tiers::open`].
    pub fn of_model(recognizer: impl Into<Arc<Recognizer>>) -> Result<Self, TiersError> {
        let recognizer = recognizer.into();
        let path = recognizer.folder().join(RULES_FILE);
        Tiers::open(recognizer, path)
    }

    /// Follows rules with a recogniser.
    ///
    /// # Errors
    /// The recogniser cannot follow one of them.
    pub fn new(recognizer: impl Into<Arc<Recognizer>>, rules: Rules) -> Result<Self, TiersError> {
        let recognition = Recognition::new(recognizer.into());
        Ok(Tiers {
            routing: Routing::new(rules, &recognition)?,
            recognition,
            scratches: Scratches::default(),
        })
    }

    /// Which tier serves whom, and under which certificate.
    pub fn routing(&self) -> &Routing {
        &self.routing
    }

    /// The recogniser.
    pub fn recognizer(&self) -> &Arc<Recognizer> {
        self.recognition.recognizer()
    }

    /// What was said, by the policy that minimises the objective among those that are certified to
    /// keep the tolerance.
    ///
    /// # Errors
    /// The rules have no tier for the objective, or the recording cannot be recognised.
    pub fn transcribe(
        &self,
        waveform: &Waveform,
        tolerance: Tolerance,
        objective: Objective,
    ) -> Result<Answer, TiersError> {
        let recording = waveform.clone();
        let stop = [Cancel::new(), Cancel::new()];
        self.transcribe_utterance(recording, (tolerance, objective), stop)
    }

    /// As [`Tiers::transcribe`], until both tokens are cancelled: they stop the runs of the
    /// policy's first and second version, and serve one request only.
    ///
    /// # Errors
    /// As [`Tiers::transcribe`], and when it was stopped.
    pub fn transcribe_utterance(
        &self,
        utterance: impl Into<Spoken>,
        (tolerance, objective): (Tolerance, Objective),
        stop: [Cancel; 2],
    ) -> Result<Answer, TiersError> {
        let tier = self.routing.tier(tolerance, objective)?;
        let how = (self.routing.policy(tier), stop);
        let served = answer(&self.recognition, &utterance.into(), how, &self.scratches)?;
        Ok(self.routing.answer(tier, served))
    }
}

impl From<Failure<RecognizerError>> for TiersError {
    fn from(failure: Failure<RecognizerError>) -> Self {
        match failure {
            Failure::Service(error) => TiersError::Recognizer(error),
            Failure::Panicked { message } => TiersError::Panicked { message },
            Failure::Late | Failure::Cancelled => TiersError::Stopped,
        }
    }
}
