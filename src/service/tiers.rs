//! `GET /tiers`: the rules in force, the certificate they rest on, and the versions they choose
//! from.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::state::App;
use crate::recognizer::{Version, Versions};

/// The rules in force.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Tiers {
    /// The certificate's name, as answers carry it.
    pub id: String,
    /// What is promised, with which probability, and from which measurements, as rules files have
    /// it.
    #[schema(value_type = Object)]
    pub certificate: Value,
    /// The tolerances that tiers were learnt for: 0, `step`, 2·`step`, … `steps`·`step`.
    #[schema(value_type = Object)]
    pub tolerances: Value,
    /// The tiers by objective and rising tolerance; each serves up to the next.
    #[schema(value_type = Vec<Object>)]
    pub tiers: Value,
    /// What the tiers choose from: the model's versions along its Pareto front, fastest first.
    pub versions: Vec<VersionOnFront>,
    /// On what the versions were measured and how; empty where that is not known.
    pub measured_on: String,
}

/// A version, and what was measured of it when it was picked.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct VersionOnFront {
    /// Its name, as policies have it.
    pub name: String,
    /// The knobs of its search, as `versions.toml` has them.
    pub setting: String,
    /// Word errors over reference words, in per cent.
    pub wer_percent: f64,
    /// Mean server time of an utterance, in seconds.
    pub response_seconds: f64,
    /// Arcs the search looked at, for a score frame.
    pub arcs_per_frame: f64,
}

impl From<&Version> for VersionOnFront {
    fn from(version: &Version) -> Self {
        VersionOnFront {
            name: version.name.clone(),
            setting: version.setting.to_string(),
            wer_percent: version.measured.wer_percent,
            response_seconds: version.measured.response_seconds,
            arcs_per_frame: version.measured.arcs_per_frame,
        }
    }
}

/// The tiers, their certificate and their versions
#[utoipa::path(get, path = "/tiers", tag = "tiers", responses(
    (status = 200, description = "The rules in force", body = Tiers),
))]
pub async fn tiers(State(app): State<Arc<App>>) -> Json<Tiers> {
    let serving = app.serving();
    let rules = serving.routing.rules();
    let Versions { measured_on, list, .. } = app.recognizer.versions();
    let json = |value: serde_json::Result<Value>| {
        value.expect("rules have no value that JSON cannot hold")
    };
    Json(Tiers {
        id: serving.routing.certificate().to_owned(),
        certificate: json(serde_json::to_value(&rules.certificate)),
        tolerances: json(serde_json::to_value(rules.tolerances)),
        tiers: json(serde_json::to_value(&rules.tiers)),
        versions: list.iter().map(VersionOnFront::from).collect(),
        measured_on: measured_on.clone(),
    })
}
