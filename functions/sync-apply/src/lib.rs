//! `sync-apply`: carries out exactly what a plan says, and leaves alone what has changed since.

use domain::PlanId;
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use engine::{Applied, RunReport, Settings};
use schemars::JsonSchema;
use serde::Deserialize;
use store::Db;

/// Which plan.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// The plan, as `sync-plan` answered it to the same user within a day.
    pub plan_id: PlanId,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).post(sync_apply).answer().await
}

async fn sync_apply(call: Call<Input>) -> Result<RunReport, Problem> {
    let user = call.caller.user()?;
    let db = Db::open().await?;
    let settings = Settings::read().await?;
    let deadline = engine::Deadline::of_run(call.deadline.at());
    match engine::apply(&db, &settings, call.input.plan_id, user.id, deadline).await? {
        Applied::Run(report) => Ok(*report),
        Applied::None => Err(Problem::not_found()),
        Applied::Stale => {
            Err(Problem::conflict("The sync has other rules since the plan was made. Plan again."))
        }
        Applied::Busy => {
            Err(Problem::conflict("This sync is at work already, or switched off. Try again later."))
        }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::User, sync_apply)]
}
