//! `GET /v1/models`: the tiers as OpenAI's interface lists models.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{Problem, Rejection};
use super::request::{Ask, MODEL, OPENAI_MODELS};
use super::state::App;

/// Tolerances that are listed, in per cent; any other may be asked for too.
const LISTED: [u32; 5] = [0, 1, 2, 5, 10];

/// Names of tiers.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ModelList {
    /// `list`.
    pub object: &'static str,
    /// The models.
    pub data: Vec<Model>,
}

/// A name of a tier.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Model {
    /// The name.
    pub id: String,
    /// `model`.
    pub object: &'static str,
    /// When it was made; 0: not told.
    pub created: u64,
    /// Who made it.
    pub owned_by: &'static str,
}

impl Model {
    fn new(id: String) -> Self {
        Model { id, object: "model", created: 0, owned_by: MODEL }
    }
}

/// The tiers as models: a few tolerances by name, of which there are many more
#[utoipa::path(get, path = "/v1/models", tag = "tiers", responses(
    (status = 200, description = "Names for `model`", body = ModelList),
))]
pub async fn models(State(app): State<Arc<App>>) -> Json<ModelList> {
    let serving = app.serving();
    let rules = serving.routing.rules();
    let objectives: BTreeSet<&str> = rules.tiers.iter().map(|rule| rule.objective.name()).collect();
    let named = |percent: u32| {
        let name = move |objective: &&str| format!("{MODEL}-{percent}pct-{objective}");
        objectives.iter().map(name).collect::<Vec<String>>()
    };
    let names = LISTED.into_iter().flat_map(named);
    let general = [MODEL].into_iter().chain(OPENAI_MODELS).map(str::to_owned);
    Json(ModelList { object: "list", data: general.chain(names).map(Model::new).collect() })
}

/// Whether there is a model of this name
#[utoipa::path(get, path = "/v1/models/{id}", tag = "tiers",
    params(("id" = String, Path, description = "The name")),
    responses(
        (status = 200, description = "It is a name for `model`", body = Model),
        (status = 404, description = "It is not", content_type = "application/problem+json", body = Problem),
))]
pub async fn model(Path(id): Path<String>) -> Result<Json<Model>, Rejection> {
    Ask::of_model(&id)?;
    Ok(Json(Model::new(id)))
}
