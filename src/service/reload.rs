//! `POST /reload`: the rules are read again, as on SIGHUP, or where their file is seen to change.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tokio::time::interval;
use utoipa::ToSchema;

use super::error::{Problem, Rejection};
use super::rules_file::{Digest, digest};
use super::state::App;
use crate::WithCauses;

/// The rules now in force.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Reloaded {
    /// The name of their certificate.
    pub certificate: String,
    /// How many tiers they have.
    pub tiers: usize,
}

/// Read the rules again
///
/// Requests in progress keep the rules they came under; the answer waits until those of an earlier
/// reload are done. Rules that cannot be used are refused, and the old ones stay. Only services
/// with a token do this.
#[utoipa::path(post, path = "/reload", tag = "operation", responses(
    (status = 200, description = "The new rules are in force", body = Reloaded),
    (status = 401, description = "The token is missing or wrong", content_type = "application/problem+json", body = Problem),
    (status = 403, description = "The service has no token", content_type = "application/problem+json", body = Problem),
    (status = 422, description = "The rules cannot be used; the old ones stay", content_type = "application/problem+json", body = Problem),
))]
pub async fn reload(State(app): State<Arc<App>>) -> Result<Json<Reloaded>, Rejection> {
    if app.options.token.is_none() {
        let why = "only a service with a token reads its rules again on request; send it SIGHUP";
        return Err(Rejection::Forbidden(why.into()));
    }
    let made = app.reload().await;
    let serving = made.map_err(|error| {
        let error = WithCauses(&error);
        Rejection::Unprocessable(format!("the old rules stay: {error}"))
    })?;
    Ok(Json(Reloaded {
        certificate: serving.routing.certificate().to_owned(),
        tiers: serving.routing.rules().tiers.len(),
    }))
}

impl App {
    /// Reads the rules again whenever their file has changed, where the options say so; it may be
    /// replaced, a link to another one, or gone for a while, as a mounted ConfigMap's is.
    pub async fn watch_rules(self: Arc<Self>) {
        let Some(every) = self.options.watch_rules else {
            return;
        };
        let (mut before, mut pause) = (self.rules_at_first, interval(every));
        loop {
            pause.tick().await;
            let now = content(&self).await;
            if now.is_some() && now != before {
                // It says itself how it went; rules that cannot be used are looked at once.
                let _ = self.reload().await;
                before = now;
            }
        }
    }
}

/// The digest of the rules' file, taken off the threads that serve connections.
async fn content(app: &App) -> Option<Digest> {
    let path = app.options.rules.clone();
    let read = tokio::task::spawn_blocking(move || digest(&path));
    read.await.ok()?
}
