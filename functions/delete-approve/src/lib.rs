//! `delete-approve`: decides about records that are gone on one side: their counterparts are deleted now, or kept.

use domain::{ConfigId, DeleteId};
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use engine::{RunReport, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::Db;
use store::deletes::{self, Decision, DeleteQuery};

/// Which deletes, and what becomes of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DeleteApproval")]
pub struct Input {
    /// These, 1 to 1,000.
    pub ids: Option<Vec<DeleteId>>,
    /// Instead of ids: all of this sync that wait.
    pub config_id: Option<ConfigId>,
    /// What becomes of the counterparts.
    pub decision: Verdict,
}

/// What becomes of the counterparts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "DeleteVerdict")]
pub enum Verdict {
    /// They are deleted or archived as the sync's policy says, even where they were changed meanwhile. A record that is
    /// there again is left alone.
    Approve,
    /// They stay, and the sync has nothing more to do with them.
    Keep,
}

/// What became of them.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeleteApprovalAnswer")]
pub struct Output {
    /// How many were decided about.
    pub decided: u64,
    /// One row for each of the ids; empty where a whole sync was decided about.
    pub data: Vec<Row>,
    /// The runs that deleted. Where another run is at work, the next one does.
    pub runs: Vec<RunReport>,
}

/// One of them.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DecidedDelete")]
pub struct Row {
    /// The question.
    pub id: DeleteId,
    /// `done`, `approved` (the next run deletes), `kept`, or `settled` (the record was there again).
    pub status: String,
    /// What stands in the way.
    pub message: Option<String>,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).post(delete_approve).answer().await
}

async fn delete_approve(call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let Input { ids, config_id, decision } = call.input;
    match (&ids, config_id) {
        (Some(ids), None) if (1..=1000).contains(&ids.len()) => {}
        (Some(_), None) => return Err(Problem::invalid("/ids", "Name 1 to 1,000 of them.")),
        (None, Some(_)) => {}
        _ => return Err(Problem::invalid("/ids", "Give either ids or a sync, not both.")),
    }
    let db = Db::open().await?;
    let approved = decision == Verdict::Approve;
    let wish = Decision { ids, config_id, approved };
    let decided = deletes::decide(&db, &user.claims, &wish).await?.ok_or_else(Problem::not_found)?;
    let syncs: BTreeSet<ConfigId> = decided.iter().filter(|_| approved).map(|one| one.config_id).collect();
    let settings = Settings::read().await?;
    let deadline = engine::Deadline::of_run(call.deadline.at());
    let mut runs = Vec::new();
    for config_id in syncs {
        // Naming no record: what was approved is settled at the end of every run.
        let run = engine::sync_records(&db, &settings, config_id, &[], deadline).await?;
        runs.extend(run.map(RunReport::from));
    }
    let data = if let Some(ids) = wish.ids {
        let limit = i32::try_from(ids.len()).unwrap_or(1000);
        let query = DeleteQuery { ids: Some(ids), limit, ..DeleteQuery::default() };
        deletes::list(&db, &user.claims, &query).await?.rows
    } else {
        Vec::new()
    };
    let row = |row: deletes::Delete| Row {
        id: row.id,
        message: row.message.filter(|_| matches!(row.status.as_str(), "approved" | "held")),
        status: row.status,
    };
    let count = u64::try_from(decided.len()).unwrap_or(u64::MAX);
    Ok(Output { decided: count, data: data.into_iter().map(row).collect(), runs })
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::User, delete_approve)]
}
