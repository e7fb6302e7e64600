//! Is it alive, and should it get requests?

use std::sync::Arc;

use axum::extract::State;

use super::error::{Problem, Rejection};
use super::state::App;

/// Whether the process lives
#[utoipa::path(get, path = "/healthz", tag = "operation", responses(
    (status = 200, description = "It lives", content_type = "text/plain", body = String),
))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether to send requests here: not once it has been told to stop
#[utoipa::path(get, path = "/readyz", tag = "operation", responses(
    (status = 200, description = "It serves", content_type = "text/plain", body = String),
    (status = 503, description = "It stops", content_type = "application/problem+json", body = Problem),
))]
pub async fn readyz(State(app): State<Arc<App>>) -> Result<&'static str, Rejection> {
    match app.stopping.is_ready() {
        false => Err(Rejection::Unavailable("the service is about to stop".into())),
        true => Ok("ready\n"),
    }
}
