//! What is answered while the model is being opened: the port is open from the first moment, so
//! that whoever waits for the service can tell one that starts from one that is not there, and how
//! far it is.

use std::time::Instant;

use axum::Router;
use axum::routing::get;

use super::error::Rejection;
use crate::recognizer::{Opening, Stage};

/// The router of a service whose model is being opened.
pub fn starting(opening: Opening) -> Router {
    let since = Instant::now();
    let not_yet = move || {
        let (what, seconds) = (opening.stage().describe(), since.elapsed().as_secs());
        let (step, steps) = (opening.stage() as usize + 1, Stage::ALL.len());
        let text =
            format!("the service is starting: {what} (step {step} of {steps}), for {seconds} s");
        async { Rejection::Unavailable(text) }
    };
    Router::new().route("/healthz", get(super::health::healthz)).fallback(not_yet)
}
