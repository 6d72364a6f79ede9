//! `conflicts`: records that both sides changed, or that wait for a person for another reason.

use chrono::{DateTime, Utc};
use domain::decide::{Choice, Precedent, Suggestion, suggest};
use domain::{ConfigId, ConflictId, ItemId, ItemType, RunId, UserId, Value};
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::Db;
use store::conflicts::{self, Chosen, Conflict, ConflictQuery};

/// The state of a conflict that waits for a person.
const PENDING: &str = "pending";
/// The words of a conflict's state.
const STATES: &[&str] = &[PENDING, "resolved", "settled"];

/// Which conflicts to show.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Query {
    /// This one.
    pub id: Option<ConflictId>,
    /// Conflicts of this sync.
    pub config_id: Option<ConfigId>,
    /// `pending`, `resolved` (a person decided) or `settled` (both sides agreed by themselves).
    pub status: Option<String>,
    /// Where the page before ended (`next_cursor`).
    pub cursor: Option<String>,
    /// 1 to 1,000; 50 when absent.
    pub limit: Option<i32>,
}

/// One page of conflicts, newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Page {
    /// The conflicts.
    pub data: Vec<Row>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// One conflict.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The conflict, for `conflict-resolve`.
    pub id: ConflictId,
    /// The sync.
    pub config_id: ConfigId,
    /// The run that met it last.
    pub run_id: Option<RunId>,
    /// Its row of the sync list.
    pub item_id: Option<ItemId>,
    /// The kind of item.
    pub item_type: ItemType,
    /// The source platform's id.
    pub source_id: String,
    /// The target platform's id.
    pub target_id: Option<String>,
    /// `conflicted`: both sides changed a field. `held`: something else, see `message`.
    pub kind: String,
    /// Why, as a code.
    pub reason: Option<String>,
    /// Why, and what to do.
    pub message: Option<String>,
    /// Per field: what both held when they agreed, what each holds now, and the rule. Values about a person are masked.
    pub changes: Value,
    /// While it waits: what people have mostly chosen for its fields in this sync, each `choice` as `conflict-resolve` takes it. Only
    /// choices that were made at least three times and in two thirds of all cases.
    pub suggestions: BTreeMap<String, Suggested>,
    /// Its state.
    pub status: String,
    /// What was decided.
    pub resolution: Value,
    /// Who decided.
    pub resolved_by: Option<UserId>,
    /// When it was over.
    pub resolved_at: Option<DateTime<Utc>>,
    /// When it was first met.
    pub created_at: DateTime<Utc>,
    /// When it was last met.
    pub updated_at: DateTime<Utc>,
}

/// What people have mostly chosen for a field.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Suggested {
    /// The choice.
    pub choice: Choice,
    /// How often it was made.
    pub times: u64,
    /// Of so many decisions about the field.
    pub of: u64,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).get(list).answer().await
}

async fn list(call: Call<Query>) -> Result<Page, Problem> {
    let user = call.caller.user()?;
    let Query { id, config_id, status, cursor, limit } = call.input;
    if status.as_deref().is_some_and(|status| !STATES.contains(&status)) {
        return Err(Problem::invalid("/status", format!("This is one of {}.", STATES.join(", "))));
    }
    let before = edge::cursor::read(cursor.as_deref())?;
    let ids = id.map(|id| vec![id]);
    let query = ConflictQuery { ids, config_id, status, before, limit: edge::cursor::limit(limit)? };
    let db = Db::open().await?;
    let page = conflicts::list(&db, &user.claims, &query).await?;
    if id.is_some() && page.rows.is_empty() {
        return Err(Problem::not_found());
    }
    let last = page.rows.last().filter(|_| page.has_more);
    let next_cursor = last.map(|row| edge::cursor::write(row.created_at, row.id));
    let mut data: Vec<Row> = page.rows.into_iter().map(Row::from).collect();
    let waiting: Vec<ConfigId> = data.iter().filter(|row| waits(row)).map(|row| row.config_id).collect();
    if !waiting.is_empty() {
        let chosen = conflicts::precedents(&db, &user.claims, &waiting).await?;
        for row in data.iter_mut().filter(|row| waits(row)) {
            row.suggestions = suggestions(&chosen, row);
        }
    }
    Ok(Page { next_cursor, has_more: page.has_more, data })
}

/// Whether a person is to choose between both sides.
fn waits(row: &Row) -> bool {
    row.status == PENDING && row.kind == "conflicted"
}

/// What is suggested for the fields of this conflict.
fn suggestions(chosen: &[Chosen], row: &Row) -> BTreeMap<String, Suggested> {
    let has = |field: &str| {
        let changes = row.changes.as_array();
        changes.into_iter().flatten().any(|change| change.get("field").is_some_and(|named| named == field))
    };
    let precedents: Vec<Precedent> = chosen
        .iter()
        .filter(|one| one.config_id == row.config_id && has(&one.field))
        .map(|one| Precedent { field: one.field.clone(), choice: one.choice.clone(), times: one.times })
        .collect();
    let suggested = |found: Suggestion| Suggested { choice: found.choice, times: found.times, of: found.of };
    suggest(&precedents).into_iter().map(|(field, found)| (field, suggested(found))).collect()
}

impl From<Conflict> for Row {
    fn from(conflict: Conflict) -> Self {
        Self {
            id: conflict.id,
            config_id: conflict.config_id,
            run_id: conflict.run_id,
            item_id: conflict.item_id,
            item_type: conflict.item_type,
            source_id: conflict.source_id,
            target_id: conflict.target_id,
            kind: conflict.kind,
            reason: conflict.reason,
            message: conflict.message,
            changes: conflict.changes,
            suggestions: BTreeMap::new(),
            status: conflict.status,
            resolution: conflict.resolution,
            resolved_by: conflict.resolved_by,
            resolved_at: conflict.resolved_at,
            created_at: conflict.created_at,
            updated_at: conflict.updated_at,
        }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::get(Door::User, list)]
}
