//! `POST /v1/audio/transcriptions`, as clients of OpenAI's interface send it.
//!
//! Reference: <https://platform.openai.com/docs/api-reference/audio/createTranscription>.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Account, Answer, HeardWord, words};
use super::client::Client;
use super::error::{Problem, Rejection};
use super::events;
use super::exchange::RequestId;
use super::form::{Form, Format, Granularities};
use super::recognise::{Job, deadline, recognise};
use super::request::Ask;
use super::state::App;
use super::upload::{check_encoding, check_length, parts};
use crate::recognizer::Transcript;
use crate::recognizer::subtitle::{self, Cue};

/// The form, for the description of the interface.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a description, never made")]
pub struct TranscriptionForm {
    /// The recording: WAV, FLAC, MP3, Ogg Vorbis or Ogg Opus.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// `paretone`, `whisper-1`, or a tier such as `paretone-5pct-cost`; `GET /v1/models` lists
    /// them.
    #[schema(example = "paretone-5pct-cost")]
    model: Option<String>,
    /// `json` (the default), `text`, `srt`, `vtt` or `verbose_json`.
    #[schema(example = "verbose_json")]
    response_format: Option<String>,
    /// `word`, `segment` or both, for `verbose_json`.
    #[schema(rename = "timestamp_granularities[]")]
    timestamp_granularities: Option<Vec<String>>,
    /// Errors tolerated beyond the most accurate version's: `0.05` or `5%`. Goes before the header
    /// and the model.
    #[schema(example = "5%")]
    tolerance: Option<String>,
    /// `response-time` or `cost`. Goes before the header and the model.
    #[schema(example = "cost")]
    objective: Option<String>,
    /// Names and terms to expect, between commas or ends of lines; what cannot be used is passed
    /// over. Of sentences, the words that the model does not know. With these, or `words`, the most
    /// accurate version answers, and nothing is certified.
    #[schema(example = "Paretone, Ada Lovelace")]
    prompt: Option<String>,
    /// Words and phrases to expect, as a file of `paretone transcribe --words` lists them: one a
    /// line, each perhaps with a boost and, after a tab, with phones. At most 1,000.
    #[schema(example = "Paretone\nAda Lovelace 4")]
    words: Option<String>,
    /// `en`, with or without a region.
    #[schema(example = "en")]
    language: Option<String>,
    /// Whether to answer with server-sent events: `transcript.text.delta` for each segment, and
    /// `transcript.text.done`.
    stream: Option<bool>,
}

/// The answer as JSON, by `response_format`.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "a description, never made")]
pub enum TranscriptionAnswer {
    /// `json`.
    Brief(Transcription),
    /// `verbose_json`.
    Verbose(VerboseTranscription),
}

/// The answer as `json`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Transcription {
    /// What was heard.
    pub text: String,
    /// What is counted.
    pub usage: Usage,
    /// How the answer came about.
    pub account: Account,
}

/// What is counted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Usage {
    /// `duration`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Seconds of audio.
    pub seconds: f64,
}

/// The answer as `verbose_json`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct VerboseTranscription {
    /// `transcribe`.
    pub task: &'static str,
    /// `english`.
    pub language: &'static str,
    /// Seconds of audio.
    pub duration: f64,
    /// What was heard.
    pub text: String,
    /// The words, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<Vec<HeardWord>>,
    /// Segments as a viewer of subtitles can read them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segments: Option<Vec<Segment>>,
    /// What is counted.
    pub usage: Usage,
    /// How the answer came about.
    pub account: Account,
}

/// A segment. What only Whisper has (tokens, temperature, compression) is empty, 0 or 1.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Segment {
    /// Its number, from 0.
    pub id: usize,
    /// 0.
    pub seek: u32,
    /// Where it starts, in seconds.
    pub start: f64,
    /// Where it ends, in seconds.
    pub end: f64,
    /// Its words.
    pub text: String,
    /// None.
    pub tokens: Vec<u32>,
    /// 0.
    pub temperature: f64,
    /// The mean logarithm of its words' confidences.
    pub avg_logprob: f64,
    /// 1.
    pub compression_ratio: f64,
    /// 0.
    pub no_speech_prob: f64,
}

/// Recognise the recording in a form
#[utoipa::path(
    post, path = "/v1/audio/transcriptions", tag = "recognition",
    params(
        ("Tolerance" = Option<String>, Header, description = "As the field; goes before the model"),
        ("Objective" = Option<String>, Header, description = "As the field; goes before the model"),
        ("Deadline" = Option<String>, Header, description = "When the answer is due, in seconds after the upload"),
    ),
    request_body(content = TranscriptionForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "What was heard", content(
            (TranscriptionAnswer = "application/json"), (String = "text/plain"), (String = "text/vtt"), (String = "application/x-subrip"), (String = "text/event-stream"),
        )),
        (status = "4XX", description = "The request is turned away", content_type = "application/problem+json", body = Problem),
        (status = "5XX", description = "There is no answer", content_type = "application/problem+json", body = Problem),
    ),
)]
pub async fn transcriptions(
    State(app): State<Arc<App>>,
    Extension(id): Extension<RequestId>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Rejection> {
    let asked = Ask::of_headers(&headers)?;
    let deadline = deadline(&app, &headers)?;
    check_encoding(&headers)?;
    check_length(&app, &body)?;
    let content_type = headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = Form::read(&app.memory, parts(&app, body), content_type, asked).await?;
    let missing = || Rejection::BadRequest("the form has no field `file`".into());
    let job = Job {
        upload: form.upload.ok_or_else(missing)?,
        name: form.name,
        ask: form.ask,
        words: form.words,
        deadline,
        client,
        id: id.0,
    };
    if form.stream {
        return events::tell(&app, job).await;
    }
    let answer = recognise(&app, job).await?;
    Ok(respond(answer, form.format, form.granularities))
}

fn respond(answer: Answer, format: Format, granularities: Granularities) -> Response {
    let headers = answer.account.headers();
    match format {
        Format::Json => (headers, Json(Transcription::new(answer))).into_response(),
        Format::VerboseJson => {
            (headers, Json(VerboseTranscription::new(answer, granularities))).into_response()
        }
        Format::Text => (headers, answer.transcript.text() + "\n").into_response(),
        Format::Srt => {
            let text = written(|out| subtitle::write_srt(out, &answer.transcript));
            (headers, [(header::CONTENT_TYPE, "application/x-subrip")], text).into_response()
        }
        Format::Vtt => {
            let text = written(|out| subtitle::write_vtt(out, &answer.transcript));
            (headers, [(header::CONTENT_TYPE, "text/vtt")], text).into_response()
        }
    }
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out).expect("memory takes all that is written");
    out
}

impl Usage {
    fn of(transcript: &Transcript) -> Usage {
        Usage { kind: "duration", seconds: transcript.audio.0 }
    }
}

impl Transcription {
    fn new(answer: Answer) -> Self {
        Transcription {
            text: answer.transcript.text(),
            usage: Usage::of(&answer.transcript),
            account: answer.account,
        }
    }
}

impl VerboseTranscription {
    fn new(answer: Answer, granularities: Granularities) -> Self {
        let Answer { transcript, account } = answer;
        let wants_segments = granularities.segment || !granularities.word;
        let cues = || subtitle::cues(&transcript, subtitle::Reserved::default());
        let segments = || cues().iter().enumerate().map(Segment::new).collect();
        VerboseTranscription {
            task: "transcribe",
            language: "english",
            duration: transcript.audio.0,
            text: transcript.text(),
            words: granularities.word.then(|| words(&transcript)),
            segments: wants_segments.then(segments),
            usage: Usage::of(&transcript),
            account,
        }
    }
}

impl Segment {
    fn new((id, cue): (usize, &Cue<'_>)) -> Self {
        // A word that was heard has some probability, however it was rounded.
        let logarithms =
            cue.words.iter().map(|word| word.confidence.unwrap_or(1.0).max(1e-10).ln());
        Segment {
            id,
            seek: 0,
            start: cue.start.0,
            end: cue.end.0,
            text: cue.lines.join(" "),
            tokens: Vec::new(),
            temperature: 0.0,
            avg_logprob: logarithms.sum::<f64>() / cue.words.len().max(1) as f64,
            compression_ratio: 1.0,
            no_speech_prob: 0.0,
        }
    }
}
