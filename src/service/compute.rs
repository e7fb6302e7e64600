//! `POST /compute`: the request of the paper, Section IV-A.
//!
//! ```text
//! curl --header 'Tolerance: 0.01' --header 'Objective: response-time' \
//!      --data-binary @a.wav -X POST http://127.0.0.1:8080/compute
//! ```

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};

use super::answer::{Answer, Computed};
use super::client::Client;
use super::error::{Problem, Rejection};
use super::exchange::RequestId;
use super::own_words::OwnWords;
use super::recognise::{Job, deadline, recognise};
use super::request::Ask;
use super::state::App;
use super::upload::{Upload, check_encoding, check_length};

/// Recognise the recording in the body
///
/// The body is the audio file itself, whatever its content type says. The answer is text, or JSON
/// where `Accept` asks for `application/json`; its account is in the headers `Paretone-…` too.
#[utoipa::path(
    post, path = "/compute", tag = "recognition",
    params(
        ("Tolerance" = Option<String>, Header, description = "Errors tolerated beyond the most accurate version's, relative to those: `0.05` or `5%`. Default: 0"),
        ("Objective" = Option<String>, Header, description = "`response-time` (the default) or `cost`"),
        ("Deadline" = Option<String>, Header, description = "When the answer is due, in seconds after the upload"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "WAV, FLAC, MP3, Ogg Vorbis or Ogg Opus"),
    responses(
        (status = 200, description = "What was heard", content((String = "text/plain"), (Computed = "application/json"))),
        (status = "4XX", description = "The request is turned away", content_type = "application/problem+json", body = Problem),
        (status = "5XX", description = "There is no answer", content_type = "application/problem+json", body = Problem),
    ),
)]
pub async fn compute(
    State(app): State<Arc<App>>,
    Extension(id): Extension<RequestId>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Rejection> {
    let ask = Ask::of_headers(&headers)?;
    let deadline = deadline(&app, &headers)?;
    check_encoding(&headers)?;
    check_length(&app, &body)?;
    let upload = Upload::read(&app, body).await?;
    let job =
        Job { upload, name: None, ask, words: OwnWords::default(), deadline, client, id: id.0 };
    let answer = recognise(&app, job).await?;
    Ok(respond(answer, wants_json(&headers)))
}

fn respond(answer: Answer, as_json: bool) -> Response {
    let headers = answer.account.headers();
    if as_json {
        return (headers, Json(answer.computed())).into_response();
    }
    let mut text = answer.transcript.text();
    text.push('\n');
    (headers, text).into_response()
}

/// Whether the caller asks for JSON by name; `*/*`, which curl sends, does not.
fn wants_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter();
    let mut texts = accepted.filter_map(|value| value.to_str().ok());
    texts.any(|text| text.contains("application/json"))
}
