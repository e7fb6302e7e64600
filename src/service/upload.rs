//! A request's body as it arrives: bounded in size, in time, and in the memory it may take.

use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::http::{HeaderMap, header};
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

use super::error::Rejection;
use super::memory::{Held, Memory};
use super::state::App;

/// A whole body, and the memory it is counted in.
#[derive(Debug, Default)]
pub struct Upload {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Their share of the memory for audio.
    pub held: Held,
}

impl Upload {
    /// Appends what has arrived. The room that is made for more is counted too.
    ///
    /// # Errors
    /// Other requests hold the memory it would take.
    pub fn push(&mut self, memory: &Memory, part: &[u8]) -> Result<(), Rejection> {
        let (bytes, room) = (self.bytes.len() + part.len(), self.bytes.capacity());
        if bytes > room {
            let room = bytes.max(room + room / 2);
            memory.grow(&mut self.held, room)?;
            self.bytes.reserve_exact(room - self.bytes.len());
        }
        self.bytes.extend_from_slice(part);
        Ok(())
    }

    /// Reads a whole body.
    ///
    /// # Errors
    /// As [`parts`], and where other requests hold the memory it would take.
    pub async fn read(app: &App, body: Body) -> Result<Upload, Rejection> {
        let mut upload = Upload::default();
        let mut parts = std::pin::pin!(parts(app, body));
        while let Some(part) = parts.next().await {
            upload.push(&app.memory, &part?)?;
        }
        Ok(upload)
    }
}

/// How much and how long a body may still be.
struct Rest {
    body: BodyDataStream,
    bytes: usize,
    most: usize,
    idle: Duration,
    end: Instant,
    upload: Duration,
}

/// The parts of a body as they arrive; ends with an error where it is too large, too slow, or
/// breaks off.
pub fn parts(app: &App, body: Body) -> impl Stream<Item = Result<Bytes, Rejection>> + use<> {
    let options = &app.options;
    let rest = Rest {
        body: body.into_data_stream(),
        bytes: 0,
        most: options.limits.body,
        idle: options.idle,
        end: Instant::now() + options.upload,
        upload: options.upload,
    };
    futures_util::stream::try_unfold(rest, next)
}

async fn next(mut rest: Rest) -> Result<Option<(Bytes, Rest)>, Rejection> {
    let idle = Instant::now() + rest.idle;
    let waited = if idle < rest.end { rest.idle } else { rest.upload };
    let part = timeout_at(idle.min(rest.end), rest.body.next()).await;
    let Some(part) = part.map_err(|_| Rejection::Timeout(waited))? else {
        return Ok(None);
    };
    let part =
        part.map_err(|error| Rejection::BadRequest(format!("the body broke off: {error}")))?;
    rest.bytes += part.len();
    if rest.bytes > rest.most {
        return Err(too_large(rest.most));
    }
    Ok(Some((part, rest)))
}

/// Refuses a body that says beforehand that it is too large.
///
/// # Errors
/// [`Rejection::TooLarge`].
pub fn check_length(app: &App, body: &Body) -> Result<(), Rejection> {
    let most = app.options.limits.body;
    let least = HttpBody::size_hint(body).lower();
    match least > most as u64 {
        true => Err(too_large(most)),
        false => Ok(()),
    }
}

/// Refuses a body that is compressed as a whole, which would be heard as no audio at all.
///
/// # Errors
/// [`Rejection::Unsupported`].
pub fn check_encoding(headers: &HeaderMap) -> Result<(), Rejection> {
    let encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    let mut others = encodings.filter(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
    match others.next() {
        None => Ok(()),
        Some(encoding) => Err(Rejection::Unsupported(format!(
            "the body has the Content-Encoding {encoding:?}; send the recording as it is, or as FLAC, MP3 or Opus"
        ))),
    }
}

fn too_large(most: usize) -> Rejection {
    Rejection::TooLarge(format!(
        "a body has at most {most} bytes: split the recording or compress it"
    ))
}
