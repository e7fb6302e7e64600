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
mod talk;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use tokio::sync::watch;
use tokio::time::timeout;

use super::error::Rejection;
use super::memory::Held;
use super::request::Ask;
use super::state::App;
pub use message::{BadMessage, Command, Config, Pcm};
use talk::{Output, Talk};

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
/// message. Of the memory that all uploads share, it is what bounds the number of streams.
const MEMORY: usize = 8 << 20;
/// The subprotocol's name. Clients need not name it; a browser that offers its token as another
/// one (see [`auth`](super::auth)) must be told which was taken.
const PROTOCOL: &str = "paretone";

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
    let upgrade = upgrade.protocols([PROTOCOL]);
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
