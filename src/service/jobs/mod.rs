//! `/v1/jobs`: recordings that are answered later, whatever happens meanwhile.
//!
//! A job that was taken in is on the disk before its caller is told, and is answered once: by this
//! process, or by the next one that opens the file. An `Idempotency-Key` makes it safe to send
//! again what may not have arrived (draft-ietf-httpapi-idempotency-key-header). Callers ask for the
//! answer, or have it told to an address of theirs ([`callback`]), at least once.

mod callback;
mod run;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use sha2::{Digest, Sha256};

use super::client::Client;
use super::error::{Problem, Rejection};
use super::job_store::{Job, Jobs, NewJob};
use super::request::{Ask, header as header_of};
use super::state::App;
use super::upload::{Upload, check_encoding, check_length};
use callback::Address;

/// Longest idempotency key, in bytes.
const LONGEST_KEY: usize = 255;

/// Have a recording recognised later
///
/// The body is the audio file, as of `POST /compute`. It is kept on the disk before this is
/// answered, and recognised in turn, whether or not the service is restarted meanwhile. The same
/// `Idempotency-Key` with the same request names the same job. Only services with `--jobs` do this.
#[utoipa::path(
    post, path = "/v1/jobs", tag = "jobs",
    params(
        ("Tolerance" = Option<String>, Header, description = "As of `POST /compute`"),
        ("Objective" = Option<String>, Header, description = "As of `POST /compute`"),
        ("Idempotency-Key" = Option<String>, Header, description = "A name of the caller's for this job, such as a UUID; at most 255 visible ASCII characters"),
        ("Callback" = Option<String>, Header, description = "An address, `http://host/path`, of a host that the service allows; the job is posted there once it has ended"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "WAV, FLAC, MP3, Ogg Vorbis or Ogg Opus"),
    responses(
        (status = 202, description = "It is kept, and waits; `Location` is where to ask for it", body = Job),
        (status = 200, description = "It was there already", body = Job),
        (status = "4XX", description = "The request is turned away", content_type = "application/problem+json", body = Problem),
        (status = "5XX", description = "It cannot be kept", content_type = "application/problem+json", body = Problem),
    ),
)]
pub async fn submit(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Rejection> {
    let jobs = app.jobs()?;
    let ask = Ask::of_headers(&headers)?;
    app.serving().tier(ask)?;
    let key = header_of(&headers, "Idempotency-Key")?.map(key).transpose()?;
    let callback = header_of(&headers, "Callback")?
        .map(|text| Address::allowed(text, &jobs.options.callback_hosts))
        .transpose()?
        .map(|address| address.to_string());
    check_encoding(&headers)?;
    check_length(&app, &body)?;
    let Upload { bytes, held } = Upload::read(&app, body).await?;
    if bytes.is_empty() {
        return Err(Rejection::BadRequest("the body is empty".into()));
    }
    let job = NewJob {
        digest: digest(ask, callback.as_deref(), &bytes),
        key,
        client,
        ask,
        callback,
        recording: bytes,
    };
    let added = jobs.store.add(job, &jobs.options).await?;
    drop(held);
    jobs.queued.notify_one();
    let job = jobs.job(&added.id).await?.ok_or_else(no_job)?;
    let status = match added.is_new {
        true => StatusCode::ACCEPTED,
        false => StatusCode::OK,
    };
    let location = format!("/v1/jobs/{}", added.id);
    Ok((status, [(header::LOCATION, location)], Json(job)).into_response())
}

/// How far a job is, and its answer
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "jobs",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "The job", body = Job),
        (status = "4XX", description = "There is none", content_type = "application/problem+json", body = Problem),
    ),
)]
pub async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Job>, Rejection> {
    let job = app.jobs()?.job(&id).await?;
    job.map(Json).ok_or_else(no_job)
}

/// Forget a job and its answer
///
/// One that is running is not answered any more.
#[utoipa::path(delete, path = "/v1/jobs/{id}", tag = "jobs",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 204, description = "It is forgotten"),
        (status = "4XX", description = "There is none", content_type = "application/problem+json", body = Problem),
    ),
)]
pub async fn forget(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Rejection> {
    match app.jobs()?.store.remove(&id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(no_job()),
    }
}

impl App {
    /// The jobs, where the service keeps any.
    fn jobs(&self) -> Result<&Jobs, Rejection> {
        let none = "this service keeps no jobs: start it with --jobs FILE";
        self.jobs.as_ref().ok_or_else(|| Rejection::Forbidden(none.into()))
    }
}

fn no_job() -> Rejection {
    Rejection::NotFound("there is no such job: it was deleted, or its time is over".into())
}

fn key(text: &str) -> Result<String, Rejection> {
    let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    match (1..=LONGEST_KEY).contains(&text.len()) && is_visible {
        true => Ok(text.to_owned()),
        false => Err(Rejection::BadRequest(format!(
            "an Idempotency-Key has 1 to {LONGEST_KEY} visible ASCII characters"
        ))),
    }
}

/// A digest of all that is asked; each part is told apart by its length.
fn digest(ask: Ask, callback: Option<&str>, recording: &[u8]) -> [u8; 32] {
    let share = ask.tolerance.map(|share| share.as_share().to_string());
    let goal = ask.objective.map(|objective| objective.name());
    let mut digest = Sha256::new();
    for part in [
        share.as_deref().unwrap_or_default().as_bytes(),
        goal.unwrap_or_default().as_bytes(),
        callback.unwrap_or_default().as_bytes(),
        recording,
    ] {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}
