//! `openapi`: describes every function, made from their types.

use bytes::Bytes;
use edge::describe::Operation;
use edge::{Call, Door, Problem, Raw};
use schemars::JsonSchema;
use serde::Deserialize;

/// Made from the types by `UPDATE=1 cargo test openapi`; a test fails when it is out of date.
const DESCRIPTION: &str = include_str!("../openapi.json");

/// Nothing.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Input {}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::None).get(openapi).answer().await
}

async fn openapi(_: Call<Input>) -> Result<Raw, Problem> {
    Ok(Raw::new("application/json", Bytes::from_static(DESCRIPTION.as_bytes())))
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::get(Door::None, openapi)]
}
