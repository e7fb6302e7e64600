//! Why a request is turned away: one type, answered as `application/problem+json`.
//!
//! Reference: RFC 9457, "Problem Details for HTTP APIs". The extension member `error` repeats it in
//! the shape that clients of OpenAI's interface read.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::WithCauses;
use crate::audio::AudioError;
use crate::recognizer::RecognizerError;
use crate::scheduler::{Failure, Refused};

/// A request that gets no transcript, by what its caller can do about it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// A header, field or body is not what it should be.
    #[error("{0}")]
    BadRequest(String),
    /// The bearer token is missing or wrong.
    #[error("this service asks for `Authorization: Bearer TOKEN`")]
    Unauthorized,
    /// Only callers with a token may do that, and the service has none.
    #[error("{0}")]
    Forbidden(String),
    /// There is nothing of that name.
    #[error("{0}")]
    NotFound(String),
    /// The path is right, the method is not.
    #[error("this path does not answer that method")]
    MethodNotAllowed,
    /// The body came too slowly.
    #[error("the body did not arrive within {:.0} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// The body or the recording is larger than is read.
    #[error("{0}")]
    TooLarge(String),
    /// The body is no audio of a known format, or not of the media type this path reads.
    #[error("{0}")]
    Unsupported(String),
    /// The body is of a known format and damaged, or asks for what the model cannot do.
    #[error("{0}")]
    Unprocessable(String),
    /// There is more to do than can be done.
    #[error("{reason}")]
    Busy {
        /// What is full.
        reason: String,
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// There was no answer before the deadline.
    #[error("there was no answer before the deadline")]
    Late,
    /// The service cannot serve now.
    #[error("{0}")]
    Unavailable(String),
    /// A defect of the service.
    #[error("{0}")]
    Internal(String),
}

/// The body of a rejection (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Which kind of problem: `urn:paretone:problem:…`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened, and what to do about it.
    pub detail: String,
    /// The same for clients of OpenAI's interface.
    pub error: OpenAiError,
}

/// An error as OpenAI's clients read it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OpenAiError {
    /// What happened.
    pub message: String,
    /// Which kind of problem.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Which kind of problem.
    pub code: &'static str,
}

impl Rejection {
    /// Status, kind and title.
    pub fn class(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "bad-request", "Bad request"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "No valid token"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden", "Not allowed"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not-found", "Not found"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed")
            }
            Self::Timeout(_) => (StatusCode::REQUEST_TIMEOUT, "slow-body", "Body too slow"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large"),
            Self::Unsupported(_) => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "Unsupported media type",
            ),
            Self::Unprocessable(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "unprocessable", "Cannot be processed")
            }
            Self::Busy { .. } => (StatusCode::TOO_MANY_REQUESTS, "busy", "Too many requests"),
            Self::Late => (StatusCode::SERVICE_UNAVAILABLE, "late", "Deadline passed"),
            Self::Unavailable(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available")
            }
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
        }
    }

    /// When it is worth trying again, where that is known.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => Some(*retry_after),
            Self::Late | Self::Unavailable(_) => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    /// The body that tells of it.
    pub fn problem(&self) -> Problem {
        let (status, kind, title) = self.class();
        let detail = self.to_string();
        Problem {
            kind: format!("urn:paretone:problem:{kind}"),
            title,
            status: status.as_u16(),
            error: OpenAiError { message: detail.clone(), kind, code: kind },
            detail,
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let (status, kind, _) = self.class();
        if status.is_server_error() {
            tracing::error!(kind, "{self}");
        } else {
            tracing::debug!(kind, "{self}");
        }
        let mut response = (status, axum::Json(self.problem())).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        if let Some(time) = self.retry_after() {
            // Whole seconds are all that the header can say.
            let seconds = time.as_secs_f64().ceil().max(1.0) as u64;
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self == Self::Unauthorized {
            let scheme = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl From<AudioError> for Rejection {
    fn from(error: AudioError) -> Self {
        let text = WithCauses(&error).to_string();
        match error {
            AudioError::Empty => Self::BadRequest(text),
            AudioError::NotAudio { .. } | AudioError::Unsupported { .. } => Self::Unsupported(text),
            AudioError::TooLong { .. } | AudioError::TooManyBytes { .. } => Self::TooLarge(text),
            AudioError::Malformed { .. }
            | AudioError::NoSuchChannel { .. }
            | AudioError::NoSuchPart { .. }
            | AudioError::Rate { .. }
            | AudioError::NoChannels
            | AudioError::NotFinite { .. } => Self::Unprocessable(text),
            AudioError::Open { .. } | AudioError::Read(_) => Self::Internal(text),
        }
    }
}

impl From<Failure<RecognizerError>> for Rejection {
    fn from(failure: Failure<RecognizerError>) -> Self {
        match failure {
            Failure::Late => Self::Late,
            Failure::Cancelled => Self::Unavailable(failure.to_string()),
            Failure::Service(RecognizerError::Audio(error)) => error.into(),
            failure => Self::Internal(WithCauses(&failure).to_string()),
        }
    }
}

impl From<Refused> for Rejection {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full { waiting, retry_after, .. } => Self::Busy {
                reason: format!(
                    "{waiting} requests wait, and this tier or this caller has its share of the room"
                ),
                retry_after,
            },
            refused => Self::Internal(refused.to_string()),
        }
    }
}
