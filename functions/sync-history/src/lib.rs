//! `sync-history`: runs, with what became of each record.

use chrono::{DateTime, Utc};
use domain::{ConfigId, Fields, ItemId, RunId, RunStatus, SyncType, Value};
use edge::describe::Operation;
use edge::{Call, Door, Either, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Db;
use store::runs::{self, Event, HistoryQuery, HistoryRow};

/// Which runs to show; with `id` one of them, with its records.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Query {
    /// This run (`syncHistoryId`).
    pub id: Option<RunId>,
    /// Runs of this kind.
    pub sync_type: Option<SyncType>,
    /// Runs that stand so.
    pub status: Option<RunStatus>,
    /// Where the page before ended (`next_cursor`).
    pub cursor: Option<String>,
    /// 1 to 1,000; 50 when absent.
    pub limit: Option<i32>,
}

/// One page of the history, newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Page {
    /// The runs.
    pub data: Vec<Run>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// One run.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The run.
    pub id: RunId,
    /// Why it took place.
    pub sync_type: SyncType,
    /// How it stands, or ended.
    pub status: String,
    /// Records looked at: the sum of all that follow.
    pub items_processed: u64,
    /// New on the target.
    pub items_created: u64,
    /// Changed on the target.
    pub items_updated: u64,
    /// Could not be synced.
    pub items_failed: u64,
    /// Equal on both sides.
    pub items_unchanged: u64,
    /// Left alone on purpose.
    pub items_skipped: u64,
    /// Gone from the target.
    pub items_deleted: u64,
    /// Changed on both sides.
    pub items_conflicted: u64,
    /// Waiting for a person.
    pub items_held: u64,
    /// Milliseconds.
    pub duration: u64,
    /// Reason, message, platform requests.
    pub metadata: Fields,
    /// When it began.
    pub created_at: DateTime<Utc>,
}

/// One run with its records.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Detail {
    /// The run.
    pub run: Run,
    /// The runs of single syncs below it.
    pub syncs: Vec<Fields>,
    /// What was decided about single records, oldest first, at most 1,000. Unchanged ones are only counted.
    pub events: Vec<Record>,
}

/// What was decided about one record.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The row of the sync list.
    pub item_id: Option<ItemId>,
    /// The sync.
    pub config_id: Option<ConfigId>,
    /// Its id at the source.
    pub source_id: String,
    /// Its id at the target.
    pub target_id: Option<String>,
    /// How it ended: created, updated, skipped, deleted, failed, conflicted or held.
    pub outcome: Value,
    /// Per field what was compared, and the rule that decided.
    pub changes: Option<Value>,
    /// The class of what went wrong.
    pub error_class: Option<String>,
    /// Its code.
    pub error_code: Option<String>,
    /// The same for people.
    pub error: Option<String>,
    /// When it was decided.
    pub created_at: DateTime<Utc>,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).get(history).answer().await
}

async fn history(call: Call<Query>) -> Result<Either<Detail, Page>, Problem> {
    let user = call.caller.user()?;
    let Query { id, sync_type, status, cursor, limit } = call.input;
    let db = Db::open().await?;
    if let Some(id) = id {
        let detail = runs::history_one(&db, &user.claims, id).await?.ok_or_else(Problem::not_found)?;
        let events = detail.events.into_iter().map(Record::from).collect();
        return Ok(Either::Left(Detail { run: detail.run.into(), syncs: detail.syncs, events }));
    }
    let (before, limit) = (edge::cursor::read(cursor.as_deref())?, edge::cursor::limit(limit)?);
    let query =
        HistoryQuery { sync_type, status: status.map(|status| status.word().to_owned()), before, limit };
    let page = runs::history(&db, &user.claims, &query).await?;
    let last = page.rows.last().filter(|_| page.has_more);
    let next_cursor = last.map(|row| edge::cursor::write(row.created_at, row.id));
    let data = page.rows.into_iter().map(Run::from).collect();
    Ok(Either::Right(Page { data, next_cursor, has_more: page.has_more }))
}

impl From<HistoryRow> for Run {
    fn from(row: HistoryRow) -> Self {
        Self {
            id: row.id,
            sync_type: row.sync_type,
            status: row.status,
            items_processed: row.items_processed,
            items_created: row.items_created,
            items_updated: row.items_updated,
            items_failed: row.items_failed,
            items_unchanged: row.items_unchanged,
            items_skipped: row.items_skipped,
            items_deleted: row.items_deleted,
            items_conflicted: row.items_conflicted,
            items_held: row.items_held,
            duration: row.duration_ms,
            metadata: row.metadata,
            created_at: row.created_at,
        }
    }
}

impl From<Event> for Record {
    fn from(event: Event) -> Self {
        Self {
            item_id: event.item_id,
            config_id: event.config_id,
            source_id: event.source_id,
            target_id: event.target_id,
            outcome: serde_json::to_value(event.outcome).unwrap_or_default(),
            changes: event.changes,
            error_class: event.error_class,
            error_code: event.error_code,
            error: event.error_message,
            created_at: event.created_at,
        }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(Door::User, history)
            .summary("Shows runs, newest first; with `id` one of them and its records."),
    ]
}
