//! `sync-stop`: stops a sync: no run begins any more, and those at work end before their next page.

use domain::ConfigId;
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::config_input::Change;
use store::{Db, configs};

/// Which sync.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// The sync.
    pub sync_id: ConfigId,
}

/// The sync.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Its id.
    pub sync_id: ConfigId,
    /// `stopped`.
    pub status: &'static str,
    /// Runs that were at work and were asked to stop.
    pub runs_cancelled: u64,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).post(sync_stop).answer().await
}

async fn sync_stop(call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let sync_id = call.input.sync_id;
    let db = Db::open().await?;
    let old = configs::get(&db, &user.claims, sync_id).await?.ok_or_else(Problem::not_found)?;
    let change = Change::enabled(sync_id, false).checked(&old, None)?;
    if !configs::update(&db, &user.claims, &change).await? {
        return Err(Problem::forbidden());
    }
    let runs_cancelled = configs::stop_runs(&db, &user.claims, sync_id).await?;
    Ok(Output { sync_id, status: "stopped", runs_cancelled })
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::User, sync_stop)]
}
