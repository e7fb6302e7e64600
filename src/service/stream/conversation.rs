//! One stream's side of the conversation: what is said back to each message.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::ws::close_code;
use serde::Serialize;

use super::held_bytes;
use super::message::{BadMessage, Command, Config, Pcm};
use super::result::{Alternatives, Final, Partial};
use super::thread::{StreamFailure, StreamThread};
use crate::WithCauses;
use crate::recognizer::{
    Endpointing, Recognizer, RecognizerError, Setting, StreamOptions, Transcript, Utterance,
};
use crate::service::answer::Answer;
use crate::service::client::Client;
use crate::service::error::Rejection;
use crate::service::memory::Held;
use crate::service::own_words::OwnWords;
use crate::service::recognise::Asked;
use crate::service::request::{Ask, objective, tolerance};
use crate::service::state::App;
use crate::units::Seconds;

/// What is said back.
pub(super) enum Output {
    Nothing,
    Answer(String),
    /// The last answer, and why it is.
    Last(String, u16),
}

/// One stream's side of the conversation.
pub(super) struct Conversation<'a> {
    app: &'a Arc<App>,
    client: Client,
    ask: Ask,
    config: Config,
    /// The model with phrases of the client's.
    by: Option<Arc<Recognizer>>,
    /// The version that answers instead of a tier.
    version: Option<Setting>,
    /// Opened by the first audio.
    thread: Option<StreamThread>,
    pcm: Pcm,
    /// The audio heard in all.
    heard: Seconds,
    /// Where the audio begins that the thread hears as one stream.
    start: Seconds,
    held: Held,
}

impl<'a> Conversation<'a> {
    pub(super) fn new(app: &'a Arc<App>, client: Client, ask: Ask) -> Self {
        Conversation {
            app,
            client,
            ask,
            config: Config::default(),
            by: None,
            version: None,
            thread: None,
            pcm: Pcm::default(),
            heard: Seconds(0.0),
            start: Seconds(0.0),
            held: Held::default(),
        }
    }

    pub(super) async fn command(&mut self, text: &str) -> Result<Output, Rejection> {
        match Command::parse(text)? {
            Command::Eof => self.finish(close_code::NORMAL).await,
            Command::Reset => self.reset().await,
            Command::Config(_) if self.thread.is_some() => Err(BadMessage::TooLate.into()),
            Command::Config(config) => {
                self.configure(config).await?;
                Ok(Output::Nothing)
            }
        }
    }

    async fn configure(&mut self, mut config: Config) -> Result<(), Rejection> {
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
        let words =
            OwnWords { phrases: std::mem::take(&mut config.phrases), ..OwnWords::default() };
        let due = Instant::now() + self.app.options.deadline;
        let graphs = &self.app.word_graphs;
        self.by = graphs.recognizer(&self.app.recognizer, words, due).await?;
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
        let length = Seconds(samples.len() as f64 / f64::from(self.config.rate.0));
        self.heard.0 += length.0;
        // Until it is known what is kept of them, all are.
        let bytes = held_bytes(length) + self.held.bytes().max(held_bytes(Seconds(0.0)));
        self.app.stream_memory.resize(&mut self.held, bytes)?;
        let heard = self.thread()?.push(samples).await?;
        let bytes = held_bytes(heard.under_way);
        self.app.stream_memory.resize(&mut self.held, bytes)?;
        if heard.ended.is_empty() {
            let guess = Partial::from(heard.guess);
            return Ok(Output::Answer(json(&guess)));
        }
        Ok(Output::Answer(self.finals(heard.ended).await?))
    }

    /// Ends the conversation with what is left to say.
    pub(super) async fn finish(&mut self, code: u16) -> Result<Output, Rejection> {
        Ok(Output::Last(self.rest().await?, code))
    }

    /// Ends what was said so far; what follows is heard for itself.
    async fn reset(&mut self) -> Result<Output, Rejection> {
        let rest = self.rest().await?;
        self.start = self.heard;
        self.pcm = Pcm::default();
        self.held = Held::default();
        Ok(Output::Answer(rest))
    }

    async fn rest(&mut self) -> Result<String, Rejection> {
        let ended = match &self.thread {
            None => Vec::new(),
            Some(thread) => thread.finish().await?.ended,
        };
        self.finals(ended).await
    }

    fn thread(&mut self) -> Result<&StreamThread, Rejection> {
        if self.thread.is_none() {
            let mut options = StreamOptions { rate: self.config.rate, ..StreamOptions::default() };
            if !self.config.endpointing {
                options.endpointing = Endpointing::OFF;
            }
            let id = self.app.stream_limits.next_id();
            let opened = StreamThread::open(self.app, self.by.as_ref(), id, options);
            let thread =
                opened.map_err(|error| Rejection::Unavailable(WithCauses(&error).to_string()))?;
            self.thread = Some(thread);
        }
        Ok(self.thread.as_ref().expect("opened above"))
    }

    /// What is finally heard in utterances, as one answer.
    async fn finals(&self, ended: Vec<Utterance>) -> Result<String, Rejection> {
        let (mut all, most) = (Final::default(), self.config.alternatives);
        let asked = Asked { by: self.by.clone(), ..Asked::new(self.app, self.ask, self.client)? };
        for utterance in ended {
            let start = Seconds(self.start.0 + utterance.start.0);
            let (mut heard, setting) = match self.version {
                None => {
                    let Answer { transcript, account } =
                        asked.serve_patiently(self.app, &utterance).await?;
                    let setting = self.setting(&account.answered_by)?;
                    all.accounts.push(account);
                    (transcript, setting)
                }
                Some(setting) => (self.at(setting, &utterance).await?, setting),
            };
            if most > 1 {
                let these = self.opened().alternatives(setting, utterance, most).await?;
                heard.set_alternatives(these);
            }
            let mut heard = heard.later(start);
            if most > 1 {
                all.append_alternatives(std::mem::take(&mut heard.alternatives), most);
            }
            all.append(&heard, self.config.words);
        }
        Ok(match most {
            0 => json(&all),
            most => json(&Alternatives::new(all, most, self.config.words)),
        })
    }

    /// What one version hears.
    async fn at(&self, setting: Setting, utterance: &Utterance) -> Result<Transcript, Rejection> {
        let heard = self.opened().recognise(setting, utterance.clone());
        Ok(heard.await?)
    }

    fn opened(&self) -> &StreamThread {
        let thread = self.thread.as_ref();
        thread.expect("an utterance comes from the thread")
    }
}

impl From<BadMessage> for Rejection {
    fn from(bad: BadMessage) -> Self {
        Rejection::BadRequest(bad.to_string())
    }
}

impl From<StreamFailure> for Rejection {
    fn from(failure: StreamFailure) -> Self {
        match failure {
            StreamFailure::Recognizer(RecognizerError::Audio(error)) => error.into(),
            failure => Rejection::Internal(failure.to_string()),
        }
    }
}

fn json(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("an answer has only names for keys")
}
