//! The HTTP edge: tolerance tiers for callers elsewhere. Handlers read requests and write answers;
//! what is run for whom is decided by [`tiers`](crate::tiers) and done by
//! [`scheduler`](crate::scheduler).
//!
//! ```text
//! caller ──► connections ──► exchange (id, log) ──► auth ──► compute | transcriptions
//!                                                                       │ upload, form, request
//!                                                                       ▼
//!                answer, error ◄── serving (rules in force) ◄── recognise
//! ```
//!
//! Paper, Section IV-A (annotated requests) and Figure 4 (the service). Nothing that a caller sends
//! makes the service panic or hold more memory than [`Limits`] says.

mod allowed;
mod answer;
mod arrived;
mod auth;
mod client;
mod compute;
mod connections;
mod decoders;
mod error;
mod events;
mod exchange;
mod exposition;
pub mod form;
mod health;
mod job_store;
mod jobs;
mod linger;
pub mod load;
pub mod log;
pub mod memory;
mod metered;
mod metrics;
mod models;
mod open_streams;
mod openapi;
mod options;
mod origin;
mod own_words;
mod page;
mod process;
mod recognise;
mod reload;
pub mod request;
mod rules_file;
mod serving;
mod shadow;
mod slots;
mod starting;
mod state;
mod stopping;
pub mod stream;
mod tiers;
mod transcriptions;
mod trim;
mod unread;
mod upload;

pub use allowed::{AllowedHost, AllowedOrigin, Hosts};
pub use answer::{Account, Answer};
pub use connections::{End, Front};
pub use error::{Problem, Rejection};
pub use job_store::StoreError;
pub use options::{Connections, JobOptions, Limits, Options};
pub use own_words::{LARGEST_LIST, MOST_WORDS};
pub use serving::ServingError;
pub use starting::starting;
pub use state::{App, Edge};
pub use stopping::Stopping;
pub use trim::give_memory_back;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{any, get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, Any, CorsLayer};

/// All paths of the service.
pub fn router(app: Arc<App>) -> Router {
    let guarded = Router::new()
        .route("/compute", post(compute::compute))
        .route("/v1/audio/transcriptions", post(transcriptions::transcriptions))
        .route("/v1/stream", any(stream::stream))
        .route("/v1/jobs", post(jobs::submit))
        .route("/v1/jobs/{id}", get(jobs::show).delete(jobs::forget))
        .route("/v1/models", get(models::models))
        .route("/v1/models/{id}", get(models::model))
        .route("/tiers", get(tiers::tiers))
        .route("/reload", post(reload::reload))
        .route("/metrics", get(exposition::metrics))
        .route_layer(from_fn_with_state(Arc::clone(&app), auth::authorise))
        .route_layer(from_fn_with_state(Arc::clone(&app), origin::check_origin));
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
        .layer(from_fn_with_state(Arc::clone(&app), origin::check_host))
        .layer(CatchPanicLayer::custom(panicked));
    // Without origins there is no layer at all, whose answers would vary by origin.
    let paths = match app.options.cors.as_slice() {
        [] => paths,
        origins => paths.layer(cors(origins)),
    };
    paths
        .layer(from_fn_with_state(Arc::clone(&app), exchange::exchange))
        // Once more around everything: what fails there fails one request.
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(app)
}

/// The paths of probes, on a listener of their own.
pub fn probe_router(app: Arc<App>) -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(exposition::metrics))
        .fallback(unknown)
        .layer(CatchPanicLayer::custom(panicked))
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
fn cors(origins: &[AllowedOrigin]) -> CorsLayer {
    let named = origins.iter().filter_map(|origin| match origin {
        AllowedOrigin::Any => None,
        AllowedOrigin::Only(origin) => Some(origin.clone()),
    });
    let allowed = match origins.contains(&AllowedOrigin::Any) {
        true => AllowOrigin::any(),
        false => AllowOrigin::list(named),
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods(AllowMethods::mirror_request())
        // `*` would not mean Authorization (Fetch, Section 3.2.3).
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(Any)
}
