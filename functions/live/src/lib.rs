//! `live`: says that the process answers. Whether it can work is the question of `ready`.

use edge::{Call, Door, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

/// Nothing.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Input {}

/// That it answers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// Always `ok`.
    pub status: &'static str,
}

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    edge::serve(request, Door::None).get(live).answer().await
}

async fn live(_: Call<Input>) -> Result<Output, Problem> {
    Ok(Output { status: "ok" })
}
