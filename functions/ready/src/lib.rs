//! `ready`: says whether this deployment can do its work: its own parts only.

use edge::describe::Operation;
use edge::{Call, Door, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Db, health};

/// Nothing.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Input {}

/// That it is ready. When it is not, the answer is a problem with status 503.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// Always `ready`.
    pub status: &'static str,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::None).get(ready).answer().await
}

async fn ready(_: Call<Input>) -> Result<Output, Problem> {
    let db = Db::open().await?;
    health::check(&db).await?;
    Ok(Output { status: "ready" })
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::get(Door::None, ready)]
}
