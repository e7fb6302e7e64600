//! The HTTP edge: tolerance tiers for callers elsewhere. Handlers read requests and write answers;
//! what is run for whom is decided by [`tiers`](crate::tiers) and done by
//! [`scheduler`](crate::scheduler).
//!
//! ```text
//! caller ──► drain (connections) ──► exchange (id, log) ──► auth ──► compute | transcriptions
//!                                                                       │ upload, form, request
//!                                                                       ▼
//!                answer, error ◄── serving (rules in force) ◄── recognise
//! ```
//!
//! Paper, Section IV-A (annotated requests) and Figure 4 (the service). Nothing that a caller sends
//! makes the service panic or hold more memory than [`Limits`] says.

mod answer;
mod auth;
mod compute;
mod drain;
mod error;
mod exchange;
pub mod form;
mod health;
mod linger;
pub mod load;
pub mod memory;
mod metrics;
mod models;
mod openapi;
mod options;
mod page;
mod recognise;
mod reload;
pub mod request;
mod serving;
mod shadow;
mod state;
pub mod stream;
mod tiers;
mod transcriptions;
mod upload;

pub use answer::{Account, Answer};
pub use drain::{End, serve};
pub use error::{Problem, Rejection};
pub use options::{Connections, Limits, Options};
pub use serving::ServingError;
pub use state::App;

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderValue;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{any, get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

/// All paths of the service.
pub fn router(app: Arc<App>) -> Router {
    let guarded = Router::new()
        .route("/compute", post(compute::compute))
        .route(
            "/v1/audio/transcriptions",
            post(transcriptions::transcriptions),
        )
        .route("/v1/stream", any(stream::stream))
        .route("/v1/models", get(models::models))
        .route("/v1/models/{id}", get(models::model))
        .route("/tiers", get(tiers::tiers))
        .route("/reload", post(reload::reload))
        .route("/metrics", get(metrics::metrics))
        .route_layer(from_fn_with_state(Arc::clone(&app), auth::authorise));
    let open = Router::new()
        .route("/", get(page::index))
        .route("/page/{file}", get(page::file))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/openapi.json", get(openapi::openapi))
        .route("/docs", get(openapi::docs));
    let paths = guarded
        .merge(open)
        .fallback(unknown)
        .method_not_allowed_fallback(other_method)
        .layer(CatchPanicLayer::custom(panicked));
    // Without origins there is no layer at all, whose answers would vary by origin.
    let paths = match app.options.cors.as_slice() {
        [] => paths,
        origins => paths.layer(cors(origins)),
    };
    paths
        .layer(from_fn_with_state(Arc::clone(&app), exchange::exchange))
        .with_state(app)
}

async fn unknown() -> Rejection {
    Rejection::NotFound("there is nothing at this path; GET /docs shows what there is".into())
}

async fn other_method() -> Rejection {
    Rejection::MethodNotAllowed
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    axum::response::IntoResponse::into_response(Rejection::Internal("a handler panicked".into()))
}

/// Nobody's pages may call, except those of the origins that are named.
fn cors(origins: &[String]) -> CorsLayer {
    let origins = origins
        .iter()
        .filter_map(|origin| HeaderValue::from_str(origin).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods(Any)
        .allow_headers(Any)
        .expose_headers(Any)
}
