//! `WS /v1/stream`: speech as it is spoken, by vosk-server's protocol.
//!
//! Every message of audio is answered before the next is read, with what the utterance under way
//! seems to say or, where one ended in it, with what a tier of the tolerance asked for hears in it:
//! the same words, confidence and account as for the same samples uploaded. So nothing piles up on
//! either side: a client that sends faster than is heard waits in its own socket. A client that
//! errs is told `{"error": …}`, which holds the problem that a request would have been answered
//! with, and the stream is closed. A service that is told to stop answers with what was heard so
//! far, and closes.

mod ear;
mod message;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde::Serialize;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

use super::answer::Answer;
use super::error::Rejection;
use super::memory::Held;
use super::request::{Ask, objective, tolerance};
use super::state::App;
use crate::recognizer::{
    Endpointing, RecognizerError, Setting, StreamOptions, Transcript, Utterance,
};
use ear::{Deaf, Ear};
pub use message::{BadMessage, Command, Config, Pcm};
use message::{Final, Partial};

/// Longest wait for the next message.
const IDLE: Duration = Duration::from_secs(60);
/// Largest message, in bytes: 16 s of speech at 16 kHz. What it holds is heard at one go.
const LARGEST: usize = 512 << 10;
/// What a larger message is read up to, in bytes, so that its sender can be told: the system cuts a
/// connection off whose sender is not listened to.
const BUFFER: usize = 4 << 20;
/// Longest wait for the client's farewell.
const FAREWELL: Duration = Duration::from_secs(1);
/// What a stream may hold: 40 s of samples at 16 kHz and of features, its search's tokens, and a
/// message. Of
/// the memory that all uploads share, it is what bounds the number of streams.
const MEMORY: usize = 8 << 20;

/// How many streams are under way.
pub struct Streams(watch::Sender<usize>);

impl Default for Streams {
    fn default() -> Self {
        Streams(watch::Sender::new(0))
    }
}

impl Streams {
    /// Waits until none is.
    pub async fn ended(&self) {
        let mut open = self.0.subscribe();
        let ended = open.wait_for(|open| *open == 0).await;
        ended.map(drop).expect("the sender is borrowed");
    }
}

/// A stream under way, until it is dropped.
struct UnderWay(Arc<App>);

impl UnderWay {
    fn new(app: &Arc<App>) -> Self {
        app.streams.0.send_modify(|open| *open += 1);
        UnderWay(Arc::clone(app))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.streams.0.send_modify(|open| *open -= 1);
    }
}

/// Speech as it is spoken.
///
/// # Errors
/// It is no WebSocket's request, its page may not ask, or there is no room for another stream.
pub async fn stream(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Rejection> {
    let upgrade = upgrade.map_err(|error| {
        Rejection::BadRequest(format!("this path speaks WebSocket (RFC 6455): {error}"))
    })?;
    check_origin(&app, &headers)?;
    let ask = Ask::of_headers(&headers)?;
    if app.is_draining() {
        return Err(Rejection::Unavailable("the service is stopping".into()));
    }
    let mut held = Held::default();
    app.memory.grow(&mut held, MEMORY)?;
    let upgrade = upgrade.max_message_size(BUFFER).max_frame_size(BUFFER);
    let under_way = UnderWay::new(&app);
    Ok(upgrade.on_upgrade(async move |socket| {
        converse(&app, ask, socket).await;
        drop((held, under_way));
    }))
}

/// Browsers let any page open a WebSocket, so that the service itself must ask where it is from:
/// from here, or from a page that may call.
fn check_origin(app: &App, headers: &HeaderMap) -> Result<(), Rejection> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else {
        return Ok(()); // No browser.
    };
    let host = origin.split_once("://").map(|(_, host)| host);
    let is_own = host.is_some() && host == text(header::HOST);
    match is_own
        || app
            .options
            .cors
            .iter()
            .any(|may| may == origin || may == "*")
    {
        true => Ok(()),
        false => Err(Rejection::Forbidden(format!(
            "pages of {origin} may not call this service"
        ))),
    }
}

/// What comes next in a conversation.
enum Input {
    Text(String),
    Audio(axum::body::Bytes),
    /// The service is to stop.
    Stop,
    /// The client has gone.
    Gone,
}

/// What is said back.
enum Output {
    Nothing,
    Answer(String),
    /// The last answer, and why it is.
    Last(String, u16),
}

async fn converse(app: &Arc<App>, ask: Ask, mut socket: WebSocket) {
    let mut talk = Talk::new(app, ask);
    loop {
        let output = match next(app, &mut socket).await {
            Ok(Input::Gone) => return,
            Ok(Input::Text(text)) => talk.command(&text).await,
            Ok(Input::Audio(bytes)) => talk.audio(&bytes).await,
            Ok(Input::Stop) => talk.finish(close_code::AWAY).await,
            Err(rejection) => Err(rejection),
        };
        let (text, code) = match output {
            Ok(Output::Nothing) => continue,
            Ok(Output::Answer(text)) => match socket.send(Message::text(text)).await {
                Ok(()) => continue,
                Err(_) => return,
            },
            Ok(Output::Last(text, code)) => (text, code),
            Err(rejection) => {
                tracing::debug!("a stream is closed: {rejection}");
                let problem = serde_json::json!({ "error": rejection.problem() });
                (problem.to_string(), code_of(&rejection))
            }
        };
        // A client that has gone needs no farewell.
        let _ = socket.send(Message::text(text)).await;
        let reason = "".into();
        let _ = socket
            .send(Message::Close(Some(CloseFrame { code, reason })))
            .await;
        let rest = async { while let Some(Ok(_)) = socket.recv().await {} };
        let _ = timeout(FAREWELL, rest).await;
        return;
    }
}

async fn next(app: &App, socket: &mut WebSocket) -> Result<Input, Rejection> {
    loop {
        let message = tokio::select! {
            () = app.until_draining() => return Ok(Input::Stop),
            message = timeout(IDLE, socket.recv()) => message.map_err(|_| Rejection::Timeout(IDLE))?,
        };
        match message {
            Some(Ok(Message::Text(text))) if text.len() > LARGEST => return Err(too_large()),
            Some(Ok(Message::Binary(bytes))) if bytes.len() > LARGEST => return Err(too_large()),
            Some(Ok(Message::Text(text))) => return Ok(Input::Text(text.as_str().to_owned())),
            Some(Ok(Message::Binary(bytes))) => return Ok(Input::Audio(bytes)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(_))) | None => return Ok(Input::Gone),
            Some(Err(error)) => return Err(broken(&error)),
        }
    }
}

fn broken(error: &axum::Error) -> Rejection {
    let text = error.to_string();
    match text.contains("too long") {
        true => too_large(),
        false => Rejection::BadRequest(text),
    }
}

fn too_large() -> Rejection {
    Rejection::TooLarge(format!("a message has at most {LARGEST} bytes"))
}

/// Why the stream is closed, as RFC 6455, Section 7.4, numbers it.
fn code_of(rejection: &Rejection) -> u16 {
    match rejection {
        Rejection::TooLarge(_) => close_code::SIZE,
        Rejection::Busy { .. } | Rejection::Late | Rejection::Unavailable(_) => close_code::AGAIN,
        Rejection::Internal(_) => close_code::ERROR,
        _ => close_code::POLICY,
    }
}

/// One stream's side of the conversation.
struct Talk<'a> {
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
    fn new(app: &'a Arc<App>, ask: Ask) -> Self {
        Talk {
            app,
            ask,
            config: Config::default(),
            version: None,
            ear: None,
            pcm: Pcm::default(),
        }
    }

    async fn command(&mut self, text: &str) -> Result<Output, Rejection> {
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
        self.app.serving().place(self.ask)?;
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

    async fn audio(&mut self, bytes: &[u8]) -> Result<Output, Rejection> {
        let samples = self.pcm.samples(bytes);
        let heard = self.ear()?.push(samples).await?;
        if heard.ended.is_empty() {
            return Ok(Output::Answer(json(&Partial::from(heard.guess))));
        }
        Ok(Output::Answer(json(&self.finals(heard.ended).await?)))
    }

    async fn finish(&mut self, code: u16) -> Result<Output, Rejection> {
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
            let ear = opened.map_err(|error| Rejection::Unavailable(error.to_string()))?;
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
            recognizer.transcribe_at(&setting, &utterance.audio, &mut recognizer.scratch())
        });
        let heard = heard
            .await
            .map_err(|error| Rejection::Internal(error.to_string()))?;
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
        let place = serving.place(self.ask)?;
        let (sender, reply) = oneshot::channel();
        let (metrics, tier) = (self.app.metrics.clone(), Arc::clone(&serving));
        let left = due.saturating_duration_since(Instant::now());
        let audio = utterance.audio.clone();
        let admitted = serving.submit(audio, place, left, move |made| {
            metrics.answered(&tier, place, &made);
            // Whoever waited may have gone.
            let _ = sender.send(made);
        });
        let admitted = admitted.inspect_err(|_| self.app.metrics.refused(&serving, place))?;
        let made = reply.await;
        // Dropped only now: it stops a search that nobody waits for.
        drop(admitted);
        let served = made.map_err(|_| Rejection::Internal("a worker went away".into()))??;
        Ok(Answer::new(&serving, place, served))
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
