//! `ready`: says whether this deployment can do its work: its own parts only.

use edge::{Call, Door, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
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

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    edge::serve(request, Door::None).get(ready).answer().await
}

async fn ready(_: Call<Input>) -> Result<Output, Problem> {
    let db = Db::open().await?;
    health::check(&db).await?;
    Ok(Output { status: "ready" })
}
