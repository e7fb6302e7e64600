//! `GET /tiers`: the rules in force and the certificate they rest on.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::state::App;

/// The rules in force.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Tiers {
    /// The certificate's name, as answers carry it.
    pub id: String,
    /// What is promised, with which probability, and from which measurements, as rules files have it.
    #[schema(value_type = Object)]
    pub certificate: Value,
    /// The tiers by objective and rising tolerance; each serves up to the next.
    #[schema(value_type = Vec<Object>)]
    pub tiers: Value,
}

/// The tiers and their certificate
#[utoipa::path(get, path = "/tiers", tag = "tiers", responses(
    (status = 200, description = "The rules in force", body = Tiers),
))]
pub async fn tiers(State(app): State<Arc<App>>) -> Json<Tiers> {
    let serving = app.serving();
    let json = |value: serde_json::Result<Value>| {
        value.expect("rules have no value that JSON cannot hold")
    };
    Json(Tiers {
        id: serving.certificate.clone(),
        certificate: json(serde_json::to_value(&serving.rules.certificate)),
        tiers: json(serde_json::to_value(&serving.rules.tiers)),
    })
}
