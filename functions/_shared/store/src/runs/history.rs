//! What people see of runs, as themselves.

use crate::db::user_sql;
use crate::{Claims, Db, PageOf, Result};
use chrono::{DateTime, Utc};
use domain::{ConfigId, Fields, ItemId, RunId, SyncType, UserId, Value};
use serde::{Deserialize, Serialize};

/// Which runs to list, newest first.
#[derive(Debug, Clone, Default, Serialize)]
pub struct HistoryQuery {
    /// Only runs of this kind.
    pub sync_type: Option<SyncType>,
    /// Only runs with this word (those of [`domain::RunStatus`]).
    pub status: Option<String>,
    /// Only runs older than the one at this place: `created_at` and id of the last row of the page before.
    pub before: Option<(DateTime<Utc>, RunId)>,
    /// How many, 1 to 1,000.
    pub limit: i32,
}

/// One line of the history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HistoryRow {
    /// The run.
    pub id: RunId,
    /// `None` for the system's own.
    pub user_id: Option<UserId>,
    /// Why it took place.
    pub sync_type: SyncType,
    /// How it stands, or ended.
    pub status: String,
    /// Records looked at.
    pub items_processed: u64,
    /// New on the target.
    pub items_created: u64,
    /// Written on the target.
    pub items_updated: u64,
    /// Not brought up to date.
    pub items_failed: u64,
    /// Equal on both sides.
    pub items_unchanged: u64,
    /// Left out.
    pub items_skipped: u64,
    /// Gone from the target.
    pub items_deleted: u64,
    /// Changed on both sides.
    pub items_conflicted: u64,
    /// Waiting for a person.
    pub items_held: u64,
    /// Milliseconds.
    pub duration_ms: u64,
    /// Reason, message, platform requests, and what else is worth knowing.
    pub metadata: Fields,
    /// When it began.
    pub created_at: DateTime<Utc>,
}

/// A run with the runs below it and the first thousand of its events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HistoryDetail {
    /// The run itself.
    pub run: HistoryRow,
    /// The runs below it: id, sync, sums.
    pub syncs: Vec<Fields>,
    /// What was decided about single records, oldest first.
    pub events: Vec<Event>,
}

/// What was decided about one record. Unchanged records have no event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// The run of one sync.
    pub run_id: RunId,
    /// The sync.
    pub config_id: Option<ConfigId>,
    /// The row of the sync list, if it has one.
    pub item_id: Option<ItemId>,
    /// The source platform's id.
    pub source_id: String,
    /// The target platform's id.
    pub target_id: Option<String>,
    /// How it ended.
    pub outcome: super::Outcome,
    /// Per field: base, source, target, rule.
    pub changes: Option<Value>,
    /// The class of what went wrong.
    pub error_class: Option<String>,
    /// Its code.
    pub error_code: Option<String>,
    /// The same for people.
    pub error_message: Option<String>,
    /// When it was decided.
    pub created_at: DateTime<Utc>,
}

/// The runs that this user may see.
pub async fn history(db: &Db, claims: &Claims, query: &HistoryQuery) -> Result<PageOf<HistoryRow>> {
    let rows = db.call_as(claims, user_sql!("runs/history"), query).await?;
    Ok(PageOf::cut(rows, query.limit))
}

/// One run with its events; `None` if there is none, or it is not for this user to see.
pub async fn history_one(db: &Db, claims: &Claims, run_id: RunId) -> Result<Option<HistoryDetail>> {
    db.call_as(claims, user_sql!("runs/history_one"), &super::OneRun { run_id }).await
}

/// Asks a run to stop; answers how many runs of syncs were still at work. Each stops before its next page; one that
/// nobody is at ends at once. 0: nothing to stop, or not for this user to stop.
pub async fn cancel(db: &Db, claims: &Claims, run_id: RunId) -> Result<u64> {
    #[derive(Deserialize)]
    struct Answer {
        cancelled: u64,
    }
    let answer: Answer = db.call_as(claims, user_sql!("runs/cancel"), &super::OneRun { run_id }).await?;
    Ok(answer.cancelled)
}
