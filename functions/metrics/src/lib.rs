//! `metrics`: syncs, queue, clock and accounts in figures, for Prometheus.

mod text;

use edge::describe::Operation;
use edge::{Call, Door, Problem, Raw};
use schemars::JsonSchema;
use serde::Deserialize;
use store::{Db, health};
use text::Figures;

/// The format, as Prometheus asks for it.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Nothing.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Input {}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::Secret).get(tell).answer().await
}

async fn tell(_: Call<Input>) -> Result<Raw, Problem> {
    let db = Db::open().await?;
    let figures = Figures { health: health::check(&db).await?, syncs: health::metrics(&db).await? };
    Ok(Raw::new(OPEN_METRICS, figures.text()))
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::get(Door::Secret, tell).media(&["application/openmetrics-text"])]
}
