//! Who may ask: everybody, or who shows the bearer token.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use sha2::{Digest, Sha256};

use super::error::Rejection;
use super::state::App;

/// The middleware.
///
/// # Errors
/// [`Rejection::Unauthorized`] where the service has a token and the request does not show it.
pub async fn authorise(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, Rejection> {
    match &app.options.token {
        Some(token) if !shows(request.headers(), token) => Err(Rejection::Unauthorized),
        _ => Ok(next.run(request).await),
    }
}

/// Digests are compared, so that the time taken tells nothing of the token.
fn shows(headers: &HeaderMap, token: &str) -> bool {
    let shown = headers
        .get(header::AUTHORIZATION)
        .map(|value| value.as_bytes());
    let Some((scheme, shown)) = shown.and_then(|shown| shown.split_at_checked("Bearer ".len()))
    else {
        return false;
    };
    scheme.eq_ignore_ascii_case(b"Bearer ")
        && Sha256::digest(shown) == Sha256::digest(token.as_bytes())
}
