//! What is answered while the model is being opened: the port is open from the first moment, so that
//! whoever waits for the service can tell one that starts from one that is not there.

use std::time::Instant;

use axum::Router;
use axum::routing::get;

use super::error::Rejection;

/// The router of a service that is starting; `what` says what is being done.
pub fn starting(what: &'static str) -> Router {
    let since = Instant::now();
    let not_yet = move || async move {
        let seconds = since.elapsed().as_secs();
        Rejection::Unavailable(format!("the service is starting: {what}, for {seconds} s"))
    };
    Router::new()
        .route("/healthz", get(super::health::healthz))
        .fallback(not_yet)
}
