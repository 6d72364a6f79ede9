//! `queue-add`: puts items into the queue, to be synced as soon as their turn comes.

use domain::{ItemId, ItemType, JobId};
use edge::describe::Operation;
use edge::{Accepted, Call, Door, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::sync_list::{self, Choose};
use store::{Db, queue};

/// Which items.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// These items of the list; all active ones when absent.
    pub sync_list_ids: Option<Vec<ItemId>>,
    /// Only items of this type.
    pub item_type: Option<ItemType>,
    /// 1 (first) to 9; 5 when absent.
    pub priority: Option<i16>,
}

/// The jobs: new ones, or those that waited already and took the items in.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// One per item.
    pub job_ids: Vec<JobId>,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).post(queue_add).answer().await
}

async fn queue_add(call: Call<Input>) -> Result<Accepted<Output>, Problem> {
    let user = call.caller.user()?;
    let Input { sync_list_ids: ids, item_type, priority } = call.input;
    let priority = priority.unwrap_or(5);
    if !(1..=9).contains(&priority) {
        return Err(Problem::invalid("/priority", "This is a number from 1 (first) to 9."));
    }
    let db = Db::open().await?;
    let chosen = sync_list::choose(&db, &user.claims, &Choose { ids, item_type }).await?;
    if !chosen.missing.is_empty() {
        return Err(Problem::not_found());
    }
    let job_ids = queue::add(&db, user.id, &chosen.item_ids, priority).await?;
    Ok(Accepted(Output { job_ids }))
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::User, queue_add)]
}
