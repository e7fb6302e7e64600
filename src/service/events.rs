//! A transcription told as it is made: server-sent events, as OpenAI's clients read them with
//! `stream=True`.
//!
//! A long recording is heard segment by segment, which are those that it is cut into when it is
//! uploaded, and each is told once its tier has answered: `transcript.text.delta`. What is told
//! once stays, and together it is the text of the last event, `transcript.text.done`. What goes
//! wrong after the first event is told as an event with an `error`, which those clients raise. It
//! is heard on a thread of its own, as a stream is, and counts as one.
//!
//! References: <https://platform.openai.com/docs/api-reference/audio/transcript-text-delta-event>;
//! HTML, Section 9.2, "Server-sent events".

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc::{self, Sender};

use super::answer::Account;
use super::error::Rejection;
use super::memory::Held;
use super::recognise::{Asked, Decoded, Job, decode};
use super::state::App;
use super::stream::held_bytes;
use super::stream::thread::StreamThread;
use crate::audio::Waveform;
use crate::recognizer::{Endpointing, LONGEST, StreamOptions, Utterance};
use crate::units::Seconds;

/// The audio that is handed over at once.
const PART: Seconds = Seconds(4.0);
/// Events that wait for a slow reader.
const WAITING: usize = 4;

/// What is told at last.
#[derive(Serialize)]
struct Done {
    #[serde(rename = "type")]
    kind: &'static str,
    text: String,
    /// By segment, how the tier came by its words.
    accounts: Vec<Account>,
}

/// Recognises a recording and tells it as it goes.
///
/// # Errors
/// Why there will be no answer, as far as that is known before the first event.
pub async fn tell(app: &Arc<App>, job: Job) -> Result<Response, Rejection> {
    let asked = Asked::new(app, job.ask, job.client)?;
    let open = app.open_stream(job.client)?;
    let due = Instant::now() + job.deadline;
    let asked = asked.with_words(app, job.words, due).await?;
    let decoded = decode(app, job.upload, job.name, job.client, due).await?;
    let Decoded { waveform, held, shortfall, remarks } = decoded;
    let longest = Seconds(waveform.duration().0.min(LONGEST.0));
    let mut searched = Held::default();
    app.stream_memory.grow(&mut searched, held_bytes(longest))?;
    let options = StreamOptions {
        rate: waveform.rate,
        // Nothing but its length ends a segment.
        endpointing: Endpointing::OFF,
        ..StreamOptions::default()
    };
    let opened = StreamThread::open(app, asked.by.as_ref(), app.stream_limits.next_id(), options);
    let thread = opened.map_err(|error| Rejection::Unavailable(error.to_string()))?;
    let (events, told) = mpsc::channel(WAITING);
    let telling = Telling {
        app: Arc::clone(app),
        asked,
        thread,
        events,
        text: String::new(),
        accounts: Vec::new(),
        shortfall,
        remarks,
    };
    tokio::spawn(async move {
        telling.run(waveform).await;
        drop((held, searched, open));
    });
    let body = futures_util::stream::unfold(told, async |mut told| {
        let event = told.recv().await?;
        Some((Ok::<Bytes, Infallible>(event), told))
    });
    let headers =
        [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// A recording that is being told.
struct Telling {
    app: Arc<App>,
    asked: Asked,
    thread: StreamThread,
    events: Sender<Bytes>,
    text: String,
    accounts: Vec<Account>,
    /// Why the recording is only a part, where it is.
    shortfall: Option<String>,
    /// What may be wrong with it though all of it was heard.
    remarks: Vec<String>,
}

/// The reader has gone away.
struct Gone;

impl Telling {
    async fn run(mut self, waveform: Waveform) {
        let events = self.events.clone();
        tokio::select! {
            told = self.tell_all(waveform) => if let Err(rejection) = told {
                let problem = json!({ "error": rejection.problem().error });
                // A reader who has gone need not be told.
                let _ = self.send(&problem).await;
            },
            () = events.closed() => {}
        }
    }

    async fn tell_all(&mut self, waveform: Waveform) -> Result<(), Rejection> {
        let part = ((PART.0 * f64::from(waveform.rate.0)) as usize).max(1);
        for samples in waveform.samples.chunks(part) {
            let heard = self.thread.push(samples.to_vec()).await?;
            self.tell_ended(heard.ended).await?;
        }
        let ended = self.thread.finish().await?.ended;
        self.tell_ended(ended).await?;
        let done = Done {
            kind: "transcript.text.done",
            text: std::mem::take(&mut self.text),
            accounts: std::mem::take(&mut self.accounts),
        };
        let _ = self.send(&done).await;
        Ok(())
    }

    async fn tell_ended(&mut self, ended: Vec<Utterance>) -> Result<(), Rejection> {
        for utterance in ended {
            let answer = self.asked.serve_patiently(&self.app, &utterance);
            let mut answer = answer.await?;
            answer.account.partly_read.clone_from(&self.shortfall);
            answer.account.warnings.clone_from(&self.remarks);
            self.accounts.push(answer.account);
            let mut delta = answer.transcript.text();
            if delta.is_empty() {
                continue;
            }
            if !self.text.is_empty() {
                delta.insert(0, ' ');
            }
            self.text += &delta;
            let event = json!({ "type": "transcript.text.delta", "delta": delta });
            let _ = self.send(&event).await;
        }
        Ok(())
    }

    async fn send(&self, event: &impl Serialize) -> Result<(), Gone> {
        let json = serde_json::to_string(event).expect("an event has only names for keys");
        let event = Bytes::from(format!("data: {json}\n\n"));
        self.events.send(event).await.map_err(|_| Gone)
    }
}
