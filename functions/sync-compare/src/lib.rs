//! `sync-compare`: compares both sides of a sync now, field by field, whatever was remembered of them.

use domain::{ConfigId, PlanId};
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use engine::{Planned, Settings, Which};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Db, configs};

/// Which records of which sync.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// The sync.
    pub config_id: ConfigId,
    /// These records, by their ids at the source, at most 1,000; those that are linked or on the list when absent.
    #[serde(default)]
    pub source_ids: Option<Vec<String>>,
    /// Whether to keep a plan that repairs what differs, for `sync-apply`.
    #[serde(default)]
    pub repair: bool,
    /// Where the page before ended (`next_cursor`).
    #[serde(default)]
    pub cursor: Option<String>,
    /// Records compared, 1 to 1,000; 100 when absent.
    #[serde(default)]
    pub limit: Option<i32>,
}

/// How both sides differ.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// Records compared.
    pub compared: usize,
    /// Records that are equal on both sides.
    pub equal: usize,
    /// The others, in the order of their ids, each with what a sync would do about it now.
    pub data: Vec<Planned>,
    /// With `repair`: the plan.
    pub plan_id: Option<PlanId>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).post(sync_compare).answer().await
}

async fn sync_compare(call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let Input { config_id, source_ids, repair, cursor, limit } = call.input;
    let limit = limit.unwrap_or(100);
    if !(1..=1000).contains(&limit) {
        return Err(Problem::invalid("/limit", "This is a number from 1 to 1,000."));
    }
    if source_ids.as_ref().is_some_and(|ids| !(1..=1000).contains(&ids.len())) {
        return Err(Problem::invalid("/sourceIds", "Name 1 to 1,000 records."));
    }
    let db = Db::open().await?;
    let permitted = configs::permitted(&db, &user.claims, Some(config_id), None, None).await?;
    if permitted.is_empty() {
        return Err(Problem::not_found());
    }
    let settings = Settings::read().await?;
    let which = Which { source_ids, after: cursor, limit };
    let deadline = engine::Deadline::at(call.deadline.at());
    let outlook = engine::look(&db, &settings, config_id, &which, deadline).await?;
    let outlook = outlook.ok_or_else(Problem::not_found)?;
    let plan_id = if repair { Some(engine::keep(&db, user.id, config_id, &outlook).await?) } else { None };
    let compared = outlook.records.len();
    let differs = |record: &Planned| record.action != "unchanged" || !record.changes.is_empty();
    let data: Vec<Planned> = outlook.records.into_iter().filter(differs).collect();
    Ok(Output {
        compared,
        equal: compared.saturating_sub(data.len()),
        data,
        plan_id,
        has_more: outlook.next.is_some(),
        next_cursor: outlook.next,
    })
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::User, sync_compare)]
}
