//! `live`: says that the process answers. Whether it can work is the question of `ready`.

use edge::describe::Operation;
use edge::{Call, Door, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Nothing.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Input {}

/// That it answers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// Always `ok`.
    pub status: &'static str,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::None).get(live).answer().await
}

async fn live(_: Call<Input>) -> Result<Output, Problem> {
    Ok(Output { status: "ok" })
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::get(Door::None, live)]
}
