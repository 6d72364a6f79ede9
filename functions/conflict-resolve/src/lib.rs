//! `conflict-resolve`: decides conflicts, one or many, and writes what was decided if the records still look as they did.

use domain::decide::Choice;
use domain::{ConfigId, ConflictId};
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use engine::{RunReport, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, HashSet};
use store::Db;
use store::conflicts::{self, ConflictQuery, Decided};

/// The conflicts and what becomes of their fields.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Input {
    /// The conflicts, 1 to 1,000.
    pub ids: Vec<ConflictId>,
    /// For every field that `fields` does not name: `"source"`, `"target"`, `"base"` (what both held when they last
    /// agreed), `{"value": …}` (as the target would hold it) or `{"strategy": "last_write_wins"}`.
    pub choice: Option<Choice>,
    /// The same for single fields, by the name or path that the conflict shows.
    pub fields: BTreeMap<String, Choice>,
}

/// What became of the conflicts.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// One row for each.
    pub data: Vec<Row>,
    /// The runs that wrote.
    pub runs: Vec<RunReport>,
}

/// One conflict.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Row {
    /// The conflict.
    pub id: ConflictId,
    /// `resolved`: it is written. `settled`: both sides had come to agree by themselves. `pending`: not yet; `message` says
    /// why.
    pub status: String,
    /// What stands in the way.
    pub message: Option<String>,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).post(conflict_resolve).answer().await
}

async fn conflict_resolve(call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let Input { ids, choice, fields } = call.input;
    if !(1..=1000).contains(&ids.len()) {
        return Err(Problem::invalid("/ids", "Name 1 to 1,000 conflicts."));
    }
    if choice.is_none() && fields.is_empty() {
        return Err(Problem::invalid("/choice", "Say what becomes of the fields."));
    }
    let db = Db::open().await?;
    let decision = json!({ "choices": fields, "rest": choice });
    let decided = conflicts::decide(&db, &user.claims, &ids, &decision).await?;
    let decided = decided.ok_or_else(Problem::not_found)?;
    let settings = Settings::read().await?;
    let deadline = engine::Deadline::of_run(call.deadline.at());
    let mut runs = Vec::new();
    for (config_id, source_ids) in by_sync(decided) {
        // Where another run is at work, it or the next one carries the decision out.
        let run = engine::sync_records(&db, &settings, config_id, &source_ids, deadline).await?;
        runs.extend(run.map(RunReport::from));
    }
    let limit = i32::try_from(ids.len()).unwrap_or(1000);
    let query = ConflictQuery { ids: Some(ids), limit, ..ConflictQuery::default() };
    let rows = conflicts::list(&db, &user.claims, &query).await?.rows;
    let data = rows.into_iter().map(|row| Row {
        id: row.id,
        message: row.message.filter(|_| row.status == "pending"),
        status: row.status,
    });
    Ok(Output { data: data.collect(), runs })
}

fn by_sync(decided: Vec<Decided>) -> BTreeMap<ConfigId, Vec<String>> {
    let mut syncs: BTreeMap<ConfigId, Vec<String>> = BTreeMap::new();
    let mut seen = HashSet::new();
    for one in decided {
        if seen.insert((one.config_id, one.source_id.clone())) {
            syncs.entry(one.config_id).or_default().push(one.source_id);
        }
    }
    syncs
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::User, conflict_resolve)]
}
