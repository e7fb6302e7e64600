//! `GET /openapi.json`: the interface as OpenAPI describes it, and a page that shows it.

use axum::Json;
use axum::response::Html;
use utoipa::OpenApi;

use super::{compute, exposition, health, jobs, models, reload, tiers, transcriptions};

/// The description.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Paretone",
        description = "Speech recognition whose caller chooses how much accuracy to trade for speed"
    ),
    paths(
        compute::compute,
        transcriptions::transcriptions,
        jobs::submit,
        jobs::show,
        jobs::forget,
        models::models,
        models::model,
        tiers::tiers,
        reload::reload,
        health::healthz,
        health::readyz,
        exposition::metrics,
    )
)]
pub struct Description;

/// The description as JSON.
pub async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}

/// The description as a page; it takes nothing from elsewhere.
pub async fn docs() -> Html<&'static str> {
    Html(include_str!("openapi.html"))
}
