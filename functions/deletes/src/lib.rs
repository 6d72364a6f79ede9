//! `deletes`: records that are gone on one side, and what became of their counterparts or waits for a person.

use chrono::{DateTime, Utc};
use domain::{ConfigId, DeleteId, ItemId, ItemType, RunId, UserId};
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Db;
use store::deletes::{self, Delete, DeleteQuery};

/// The words of their state.
const STATES: &[&str] = &["found", "held", "approved", "done", "kept", "settled"];

/// Which of them to show.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(rename = "DeletesQuery")]
pub struct Query {
    /// This one.
    pub id: Option<DeleteId>,
    /// Those of this sync.
    pub config_id: Option<ConfigId>,
    /// `found` (the run is still at it), `held` (a person decides with `delete-approve`), `approved` (the next run deletes),
    /// `done`, `kept` (a person kept the counterpart) or `settled` (the record was there again).
    pub status: Option<String>,
    /// Where the page before ended (`next_cursor`).
    pub cursor: Option<String>,
    /// 1 to 1,000; 50 when absent.
    pub limit: Option<i32>,
}

/// One page, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeletesPage")]
pub struct Page {
    /// The records.
    pub data: Vec<Row>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// One record that is gone.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DeletedRecord")]
pub struct Row {
    /// The question, for `delete-approve`.
    pub id: DeleteId,
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
    pub target_id: String,
    /// Where it is gone: `source` or `target`.
    pub gone_side: String,
    /// `tombstone`: the platform says that it was deleted. `not_found`: two runs asked for it by its id.
    pub reason: String,
    /// What the sync does about it: `archive`, `delete` or `unlink`.
    pub policy: String,
    /// Its state.
    pub status: String,
    /// Why it waits, as a code: `too_many_deletes`, `changed_before_delete`, or a platform's.
    pub code: Option<String>,
    /// Why it waits, and what to do.
    pub message: Option<String>,
    /// Who decided.
    pub decided_by: Option<UserId>,
    /// When that was.
    pub decided_at: Option<DateTime<Utc>>,
    /// When it was found.
    pub created_at: DateTime<Utc>,
    /// When it was last met.
    pub updated_at: DateTime<Utc>,
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
    let query = DeleteQuery { ids, config_id, status, before, limit: edge::cursor::limit(limit)? };
    let page = deletes::list(&Db::open().await?, &user.claims, &query).await?;
    if id.is_some() && page.rows.is_empty() {
        return Err(Problem::not_found());
    }
    let last = page.rows.last().filter(|_| page.has_more);
    let next_cursor = last.map(|row| edge::cursor::write(row.created_at, row.id));
    Ok(Page { next_cursor, has_more: page.has_more, data: page.rows.into_iter().map(Row::from).collect() })
}

impl From<Delete> for Row {
    fn from(delete: Delete) -> Self {
        Self {
            id: delete.id,
            config_id: delete.config_id,
            run_id: delete.run_id,
            item_id: delete.item_id,
            item_type: delete.item_type,
            source_id: delete.source_id,
            target_id: delete.target_id,
            gone_side: delete.gone_side,
            reason: delete.reason,
            policy: delete.policy,
            status: delete.status,
            code: delete.code,
            message: delete.message,
            decided_by: delete.decided_by,
            decided_at: delete.decided_at,
            created_at: delete.created_at,
            updated_at: delete.updated_at,
        }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::get(Door::User, list)]
}
