//! `sync-plan`: says what a sync would do, record by record and field by field, and writes nothing.

use domain::{ConfigId, PlanId};
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use engine::{Estimate, Planned, Settings, Which};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
    /// Where the page before ended (`next_cursor`).
    #[serde(default)]
    pub cursor: Option<String>,
    /// Records in one plan, 1 to 1,000; 100 when absent.
    #[serde(default)]
    pub limit: Option<i32>,
}

/// What would happen.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// For `sync-apply`, within a day.
    pub plan_id: PlanId,
    /// The version of the rules that decided.
    pub config_version: i32,
    /// How many records for each action.
    pub counts: BTreeMap<&'static str, u64>,
    /// Requests that reading took.
    pub platform_requests: i64,
    /// What applying it would take.
    pub estimate: Estimate,
    /// The records, in the order of their ids.
    pub data: Vec<Planned>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).post(sync_plan).answer().await
}

async fn sync_plan(call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let Input { config_id, source_ids, cursor, limit } = call.input;
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
    let plan_id = engine::keep(&db, user.id, config_id, &outlook).await?;
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for record in &outlook.records {
        let count = counts.entry(record.action).or_default();
        *count = count.saturating_add(1);
    }
    Ok(Output {
        plan_id,
        config_version: outlook.config_version,
        counts,
        platform_requests: outlook.requests,
        estimate: outlook.estimate,
        has_more: outlook.next.is_some(),
        next_cursor: outlook.next,
        data: outlook.records,
    })
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::User, sync_plan)]
}
