//! One stream's side of the conversation: what is said back to each message.

use std::sync::Arc;

use axum::extract::ws::close_code;
use serde::Serialize;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::ear::{Deaf, Ear};
use super::message::{BadMessage, Command, Config, Final, Partial, Pcm};
use crate::WithCauses;
use crate::recognizer::{
    Endpointing, RecognizerError, Setting, StreamOptions, Transcript, Utterance,
};
use crate::service::answer::Answer;
use crate::service::error::Rejection;
use crate::service::request::{Ask, objective, tolerance};
use crate::service::state::App;

/// What is said back.
pub(super) enum Output {
    Nothing,
    Answer(String),
    /// The last answer, and why it is.
    Last(String, u16),
}

/// One stream's side of the conversation.
pub(super) struct Talk<'a> {
    app: &'a Arc<App>,
    ask: Ask,
    config: Config,
    /// The version that answers instead of a tier.
    version: Option<Setting>,
    /// Opened by the first audio.
    ear: Option<Ear>,
    pcm: Pcm,
}

impl<'a> Talk<'a> {
    pub(super) fn new(app: &'a Arc<App>, ask: Ask) -> Self {
        Talk {
            app,
            ask,
            config: Config::default(),
            version: None,
            ear: None,
            pcm: Pcm::default(),
        }
    }

    pub(super) async fn command(&mut self, text: &str) -> Result<Output, Rejection> {
        match Command::parse(text)? {
            Command::Eof => self.finish(close_code::NORMAL).await,
            Command::Config(_) if self.ear.is_some() => Err(BadMessage::TooLate.into()),
            Command::Config(config) => {
                self.configure(config)?;
                Ok(Output::Nothing)
            }
        }
    }

    fn configure(&mut self, config: Config) -> Result<(), Rejection> {
        let asked = Ask {
            tolerance: config.tolerance.as_deref().map(tolerance).transpose()?,
            objective: config.objective.as_deref().map(objective).transpose()?,
        };
        self.ask = asked.or(self.ask);
        self.app.serving().tier(self.ask)?;
        self.version = match &config.version {
            None => None,
            Some(name) => Some(self.setting(name)?),
        };
        self.config = config;
        Ok(())
    }

    fn setting(&self, name: &str) -> Result<Setting, Rejection> {
        let versions = &self.app.recognizer.versions().list;
        let version = versions.iter().find(|version| version.name == name);
        let unknown = || Rejection::NotFound(format!("the model has no version {name:?}"));
        Ok(version.ok_or_else(unknown)?.setting)
    }

    pub(super) async fn audio(&mut self, bytes: &[u8]) -> Result<Output, Rejection> {
        let samples = self.pcm.samples(bytes);
        let heard = self.ear()?.push(samples).await?;
        if heard.ended.is_empty() {
            return Ok(Output::Answer(json(&Partial::from(heard.guess))));
        }
        Ok(Output::Answer(json(&self.finals(heard.ended).await?)))
    }

    pub(super) async fn finish(&mut self, code: u16) -> Result<Output, Rejection> {
        let ended = match &self.ear {
            None => Vec::new(),
            Some(ear) => ear.finish().await?.ended,
        };
        Ok(Output::Last(json(&self.finals(ended).await?), code))
    }

    fn ear(&mut self) -> Result<&Ear, Rejection> {
        if self.ear.is_none() {
            let mut options = StreamOptions {
                rate: self.config.rate,
                ..StreamOptions::default()
            };
            if !self.config.endpointing {
                options.endpointing = Endpointing::OFF;
            }
            let opened = Ear::open(Arc::clone(&self.app.recognizer), options);
            let ear =
                opened.map_err(|error| Rejection::Unavailable(WithCauses(&error).to_string()))?;
            self.ear = Some(ear);
        }
        Ok(self.ear.as_ref().expect("opened above"))
    }

    /// What is finally heard in utterances, as one answer.
    async fn finals(&self, ended: Vec<Utterance>) -> Result<Final, Rejection> {
        let mut all = Final::default();
        for utterance in ended {
            let start = utterance.start;
            let heard = match self.version {
                None => {
                    let Answer {
                        transcript,
                        account,
                    } = self.tier(utterance).await?;
                    all.accounts.push(account);
                    transcript
                }
                Some(setting) => self.at(setting, utterance).await?,
            };
            all.append(&heard.later(start), self.config.words);
        }
        Ok(all)
    }

    /// What one version hears.
    async fn at(&self, setting: Setting, utterance: Utterance) -> Result<Transcript, Rejection> {
        let recognizer = Arc::clone(&self.app.recognizer);
        let heard = tokio::task::spawn_blocking(move || {
            recognizer.transcribe_utterance(&setting, &utterance, &mut recognizer.scratch())
        });
        let heard = heard
            .await
            .map_err(|error| Rejection::Internal(WithCauses(&error).to_string()))?;
        Ok(heard.map_err(Deaf::from)?)
    }

    /// What the tier hears. Where its queue is full the utterance waits outside, up to the
    /// deadline: what was said cannot be said again.
    async fn tier(&self, utterance: Utterance) -> Result<Answer, Rejection> {
        let due = Instant::now() + self.app.options.deadline;
        loop {
            match self.submit(&utterance, due).await {
                Err(Rejection::Busy { retry_after, .. }) if Instant::now() + retry_after < due => {
                    sleep(retry_after).await;
                }
                answer => return answer,
            }
        }
    }

    async fn submit(&self, utterance: &Utterance, due: Instant) -> Result<Answer, Rejection> {
        let serving = self.app.serving();
        let tier = serving.tier(self.ask)?;
        let (sender, reply) = oneshot::channel();
        let (metrics, rules) = (self.app.metrics.clone(), Arc::clone(&serving));
        let left = due.saturating_duration_since(Instant::now());
        let utterance = utterance.clone();
        let admitted = serving.submit(utterance, tier, left, move |made| {
            metrics.answered(&rules, tier, &made);
            // Whoever waited may have gone.
            let _ = sender.send(made);
        });
        let admitted = admitted.inspect_err(|_| self.app.metrics.refused(&serving, tier))?;
        let made = reply.await;
        // Dropped only now: it stops a search that nobody waits for.
        drop(admitted);
        let served = made.map_err(|_| Rejection::Internal("a worker went away".into()))??;
        Ok(Answer::from(serving.routing.answer(tier, served)))
    }
}

impl From<BadMessage> for Rejection {
    fn from(bad: BadMessage) -> Self {
        Rejection::BadRequest(bad.to_string())
    }
}

impl From<Deaf> for Rejection {
    fn from(deaf: Deaf) -> Self {
        match deaf {
            Deaf::Recognizer(RecognizerError::Audio(error)) => error.into(),
            deaf => Rejection::Internal(deaf.to_string()),
        }
    }
}

fn json(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("an answer has only names for keys")
}
