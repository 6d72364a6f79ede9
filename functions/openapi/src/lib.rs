//! `openapi`: describes every function, made from their types.

use bytes::Bytes;
use edge::{Call, Door, Problem, Raw};
use schemars::JsonSchema;
use serde::Deserialize;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

/// Made from the types by `UPDATE=1 cargo test openapi`; a test fails when it is out of date.
const DESCRIPTION: &str = include_str!("../openapi.json");

/// Nothing.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Input {}

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    edge::serve(request, Door::None).get(openapi).answer().await
}

async fn openapi(_: Call<Input>) -> Result<Raw, Problem> {
    Ok(Raw::new("application/json", Bytes::from_static(DESCRIPTION.as_bytes())))
}
