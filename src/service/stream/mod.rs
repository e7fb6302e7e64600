//! `WS /v1/stream`: speech as it is spoken, by vosk-server's protocol.
//!
//! Every message of audio is answered before the next is read, with what the utterance under way
//! seems to say or, where one ended in it, with what a tier of the tolerance asked for hears in it:
//! the same words, confidence and account as for the same samples uploaded. So nothing piles up on
//! either side: a client that sends faster than is heard waits in its own socket. A client that
//! errs is told `{"error": …}`, which holds the problem that a request would have been answered
//! with, and the stream is closed. A service that is told to stop answers with what was heard so
//! far, and closes.

mod conversation;
mod message;
mod result;
pub mod thread;

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::response::Response;
use tokio::time::{Instant, timeout, timeout_at};

use super::arrived::Arrived;
use super::client::Client;
use super::error::Rejection;
use super::open_streams::OpenStream;
use super::origin::{foreign, is_allowed};
use super::request::Ask;
use super::state::App;
use crate::units::Seconds;
use conversation::{Conversation, Output};
pub use message::{BadMessage, Command, Config, Pcm};

/// Largest message, in bytes: 16 s of speech at 16 kHz. What it holds is heard at one go.
const LARGEST: usize = 512 << 10;
/// What a larger message is read up to, in bytes, so that its sender can be told: the system cuts a
/// connection off whose sender is not listened to.
const BUFFER: usize = 4 << 20;
/// What is read at once; each stream has a buffer of as much.
const READ_AHEAD: usize = 16 << 10;
/// Longest wait for the client's farewell.
const FAREWELL: Duration = Duration::from_secs(1);
/// What a stream holds, in bytes: from its first audio on, and for each second of the utterance
/// under way, which is samples at 16 kHz, features, and the search's tokens. Reserved with the
/// audio, so that a stream on which nothing is said holds nothing.
const STREAM_BYTES: StreamBytes = StreamBytes { least: 1 << 20, a_second: 160 << 10 };
/// The end of the audio as clients send it; vosk-server knows it in a binary message too.
const EOF: &[u8] = b"{\"eof\" : 1}";
/// When it is worth trying again to open a stream.
const BREAK: Duration = Duration::from_secs(1);
/// The subprotocol's name. Clients need not name it; a browser that offers its token as another
/// one (see [`auth`](super::auth)) must be told which was taken.
const PROTOCOL: &str = "paretone";

struct StreamBytes {
    least: usize,
    a_second: usize,
}

/// What a stream holds with so much of an utterance: samples, features, and the search.
pub fn held_bytes(under_way: Seconds) -> usize {
    STREAM_BYTES.least + (under_way.0 * STREAM_BYTES.a_second as f64) as usize
}

impl App {
    /// Opens a stream of a client.
    ///
    /// # Errors
    /// There are as many as may be, of all or of this client.
    pub fn open_stream(&self, client: Client) -> Result<OpenStream, Rejection> {
        let open = self.stream_limits.open(client);
        open.map_err(|full| Rejection::Busy { reason: full.to_string(), retry_after: BREAK })
    }
}

/// Has a WebSocket's request answered here, whatever its path: vosk-server's clients know none.
pub fn on_any_path(request: &mut Request) {
    if request.method() != Method::GET {
        return;
    }
    let upgrades = request.headers().get_all(header::UPGRADE).iter();
    let mut upgrades = upgrades.filter_map(|value| value.to_str().ok());
    if upgrades.any(|value| value.eq_ignore_ascii_case("websocket")) {
        *request.uri_mut() = axum::http::Uri::from_static("/v1/stream");
    }
}

/// Speech as it is spoken.
///
/// # Errors
/// It is no WebSocket's request, its page may not ask, or there is no room for another stream.
pub async fn stream(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Client>,
    Extension(arrived): Extension<Arrived>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Rejection> {
    let upgrade = upgrade.map_err(|error| {
        Rejection::BadRequest(format!("this path speaks WebSocket (RFC 6455): {error}"))
    })?;
    // Browsers let any page open a WebSocket, one with the token included.
    if !is_allowed(&headers, &app.options.cors) {
        return Err(foreign());
    }
    let ask = Ask::of_headers(&headers)?;
    if app.stopping.is_draining() {
        return Err(Rejection::Unavailable("the service is stopping".into()));
    }
    let open = app.open_stream(client)?;
    let upgrade = upgrade.max_message_size(BUFFER).max_frame_size(BUFFER);
    let upgrade = upgrade.read_buffer_size(READ_AHEAD).protocols([PROTOCOL]);
    Ok(upgrade.on_upgrade(async move |socket| {
        arrived.clear();
        let messages = Messages { socket, arrived };
        converse(&app, client, ask, messages).await;
        drop(open);
    }))
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

/// A client's messages.
struct Messages {
    socket: WebSocket,
    arrived: Arrived,
}

async fn converse(app: &Arc<App>, client: Client, ask: Ask, mut messages: Messages) {
    let mut conversation = Conversation::new(app, client, ask);
    // Whatever else is sent, it is audio that keeps a stream open.
    let idle = app.options.limits.stream_idle;
    let mut due = Instant::now() + idle;
    loop {
        let output = match next(app, &mut messages, due).await {
            Ok(Input::Gone) => return,
            Ok(Input::Text(text)) => conversation.command(&text).await,
            Ok(Input::Audio(bytes)) => {
                let heard = conversation.audio(&bytes).await;
                if !bytes.is_empty() {
                    due = Instant::now() + idle;
                }
                heard
            }
            Ok(Input::Stop) => conversation.finish(close_code::AWAY).await,
            Err(rejection) => Err(rejection),
        };
        let socket = &mut messages.socket;
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
        let _ = socket.send(Message::Close(Some(CloseFrame { code, reason }))).await;
        let rest = async { while let Some(Ok(_)) = socket.recv().await {} };
        let _ = timeout(FAREWELL, rest).await;
        return;
    }
}

async fn next(app: &App, messages: &mut Messages, due: Instant) -> Result<Input, Rejection> {
    let Messages { socket, arrived } = messages;
    loop {
        // A client may send the pieces of a message, or of the one after, and never the last.
        let received = arrived.counted(&app.stream_memory, socket.recv());
        let message = tokio::select! {
            () = app.stopping.until_draining() => return Ok(Input::Stop),
            message = timeout_at(due, received) => message.map_err(|_| Rejection::Timeout(app.options.limits.stream_idle))??,
        };
        match message {
            Some(Ok(Message::Text(text))) if text.len() > LARGEST => return Err(too_large()),
            Some(Ok(Message::Binary(bytes))) if bytes.len() > LARGEST => return Err(too_large()),
            Some(Ok(Message::Text(text))) => return Ok(Input::Text(text.as_str().to_owned())),
            Some(Ok(Message::Binary(bytes))) if *bytes == *EOF => {
                return Ok(Input::Text(String::from_utf8_lossy(EOF).into_owned()));
            }
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
