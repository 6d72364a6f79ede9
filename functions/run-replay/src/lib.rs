//! `run-replay`: decides again what a run has decided, on the inputs it recorded, and shows what would differ.

use domain::decide::Flow;
use domain::{RunId, Value, rules};
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use engine::Again;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use store::Db;
use store::runs::{self, Direction, ReplayQuery, ReplaySync};

/// Which run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// The run; of a run above, all syncs below it.
    pub run_id: RunId,
    /// Rules of another version of the sync, to see what they would have done.
    #[serde(default)]
    pub version: Option<i32>,
    /// Where the page before ended (`next_cursor`).
    #[serde(default)]
    pub cursor: Option<String>,
    /// Decisions at once, 1 to 1,000; 50 when absent.
    #[serde(default)]
    pub limit: Option<i32>,
}

/// One page of decisions, in their order. Records that were found equal are not recorded.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// The decisions.
    pub data: Vec<Row>,
    /// How many of them are the same again.
    pub same: usize,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// One decision, then and now.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The source platform's id.
    pub source_id: String,
    /// How the record ended in the run.
    pub outcome: String,
    /// Why, field by field.
    pub changes: Value,
    /// What is decided now.
    pub again: Again,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).post(run_replay).answer().await
}

async fn run_replay(call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let Input { run_id, version, cursor, limit } = call.input;
    let after = edge::cursor::read(cursor.as_deref())?.map(|(at, id): (_, RunId)| (at, id.0));
    let query = ReplayQuery { run_id, version, after, limit: edge::cursor::limit(limit)? };
    let db = Db::open().await?;
    let found = runs::replay(&db, &user.claims, &query).await?;
    let (syncs, page) = found.ok_or_else(Problem::not_found)?;
    let mut by_run = HashMap::new();
    for sync in syncs {
        by_run.insert(sync.run_id, read(&sync)?);
    }
    let last = page.rows.last().filter(|_| page.has_more);
    let next_cursor = last.map(|row| edge::cursor::write(row.created_at, row.id));
    let decide = |row: runs::ReplayRow| {
        let again = engine::replay(by_run.get(&row.run_id)?, &row.inputs)?;
        Some(Row { source_id: row.source_id, outcome: row.outcome, changes: row.changes, again })
    };
    let data: Vec<Row> = page.rows.into_iter().filter_map(decide).collect();
    let same = data.iter().filter(|row| row.again.same).count();
    Ok(Output { data, same, next_cursor, has_more: page.has_more })
}

fn read(sync: &ReplaySync) -> Result<domain::decide::Rules, Problem> {
    let (source, target) = (sync.source_platform, sync.target_platform);
    let mut rules = rules::read(&sync.rules, sync.item_type, source, target)
        .map_err(|error| Problem::invalid("/version", format!("{error}.")))?;
    if sync.direction == Direction::Bidirectional {
        rules.flow = Flow::TwoWay;
    }
    Ok(rules)
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::User, run_replay)]
}
