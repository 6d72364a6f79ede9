//! `sync-status`: how syncs stand: what they did, what is open, how old the data is, when they run next.

use chrono::{DateTime, Utc};
use domain::{ConfigId, ItemType, RunId, schedule};
use edge::describe::Operation;
use edge::{Call, Door, Either, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use store::Db;
use store::configs::{self, Config, ConfigQuery, Standing};

/// Which sync. It can also be named in the path; all of the caller's when absent.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Query {
    /// This one.
    pub id: Option<ConfigId>,
    /// Where the page before ended (`next_cursor`).
    pub cursor: Option<String>,
    /// 1 to 1,000; 50 when absent.
    pub limit: Option<i32>,
}

/// One page of syncs, newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Page {
    /// The syncs.
    pub data: Vec<Row>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// How one sync stands. Figures are those of the last 30 days.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The sync.
    pub sync_id: ConfigId,
    /// What people call it.
    pub name: String,
    /// The kind of item.
    pub item_type: ItemType,
    /// `unidirectional` or `bidirectional`.
    pub direction: String,
    /// `batch` or `realtime`.
    pub mode: String,
    /// `running`: switched on. `stopped`: switched off. `error`: switched on, and its last run failed as a whole.
    pub status: &'static str,
    /// The run that is at work.
    pub current_run_id: Option<RunId>,
    /// The last run that ended.
    pub last_run_id: Option<RunId>,
    /// Why it failed, if it did.
    pub message: Option<String>,
    /// What it did.
    pub statistics: Statistics,
    /// Records that fail now.
    pub open_issues: u64,
    /// Records that wait for a person.
    pub pending_conflicts: u64,
    /// Jobs that wait.
    pub jobs_waiting: u64,
    /// Up to which time of the platforms themselves changes were seen.
    pub cursor: Option<DateTime<Utc>>,
    /// When its schedule is due next; absent without a schedule, or while it is switched off.
    pub next_run_at: Option<DateTime<Utc>>,
    /// How old the data may be: seconds since a run last came to its end.
    pub data_age_seconds: Option<u64>,
    /// The last ten records that fail.
    pub errors: Vec<RecordError>,
}

/// What a sync did in the last 30 days.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Statistics {
    /// Runs that ended.
    pub runs: u64,
    /// The share of them with nothing left to do, 0 to 1.
    pub success_rate: Option<f64>,
    /// Records brought up to date, or found so.
    pub records_synced: u64,
    /// Records that failed.
    pub errors: u64,
    /// When a run last came to its end.
    pub last_sync_time: Option<DateTime<Utc>>,
    /// Milliseconds per record.
    pub average_processing_time: Option<f64>,
}

/// One record that fails.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordError {
    /// The source platform's id.
    pub source_id: String,
    /// The vendor's code, or ours.
    pub code: String,
    /// What is wrong, and where known what to do.
    pub message: String,
    /// When it failed last.
    pub at: DateTime<Utc>,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).get(sync_status).answer().await
}

async fn sync_status(call: Call<Query>) -> Result<Either<Row, Page>, Problem> {
    let user = call.caller.user()?;
    let Query { id, cursor, limit } = call.input;
    let named = call.path.first().map(|text| text.parse().map_err(|_| Problem::not_found())).transpose()?;
    let id = id.or(named);
    let before = edge::cursor::read(cursor.as_deref())?;
    let query = ConfigQuery { id, before, limit: edge::cursor::limit(limit)?, ..ConfigQuery::default() };
    let db = Db::open().await?;
    let page = configs::list(&db, &user.claims, &query).await?;
    let ids: Vec<ConfigId> = page.rows.iter().map(|config| config.id).collect();
    let mut standing: HashMap<ConfigId, Standing> =
        configs::standing(&db, &ids).await?.into_iter().map(|one| (one.config_id, one)).collect();
    let last = page.rows.last().filter(|_| page.has_more);
    let next_cursor = last.map(|row| edge::cursor::write(row.created_at, row.id));
    let now = call.now;
    let mut rows = page
        .rows
        .into_iter()
        .filter_map(|config| standing.remove(&config.id).map(|standing| Row::new(config, standing, now)));
    if id.is_some() {
        return rows.next().map(Either::Left).ok_or_else(Problem::not_found);
    }
    Ok(Either::Right(Page { data: rows.collect(), next_cursor, has_more: page.has_more }))
}

impl Row {
    fn new(config: Config, standing: Standing, now: DateTime<Utc>) -> Self {
        let failed = standing.last_run.as_ref().filter(|run| run.status == domain::RunStatus::Failed);
        let next_run_at = config.schedule.as_deref().filter(|_| config.enabled).and_then(|schedule| {
            schedule::Schedule::read(schedule, &config.time_zone, Vec::new()).ok()?.next(now)
        });
        let age = |at: DateTime<Utc>| u64::try_from(now.signed_duration_since(at).num_seconds()).ok();
        Self {
            sync_id: config.id,
            name: config.name,
            item_type: config.item_type,
            direction: config.direction,
            mode: config.mode,
            status: match (config.enabled, failed) {
                (false, _) => "stopped",
                (true, Some(_)) => "error",
                (true, None) => "running",
            },
            current_run_id: standing.running_run_id,
            message: failed.and_then(|run| run.message.clone().or_else(|| run.reason.clone())),
            last_run_id: standing.last_run.as_ref().map(|run| run.run_id),
            open_issues: standing.open_issues,
            pending_conflicts: standing.pending_conflicts,
            jobs_waiting: standing.jobs_waiting,
            cursor: standing.cursor_at,
            next_run_at,
            data_age_seconds: standing.last_sync_at.and_then(age),
            errors: standing
                .last_errors
                .iter()
                .map(|error| RecordError {
                    source_id: error.source_id.clone(),
                    code: error.code.clone(),
                    message: error.message.clone(),
                    at: error.at,
                })
                .collect(),
            statistics: Statistics::from(standing),
        }
    }
}

impl From<Standing> for Statistics {
    #[expect(clippy::cast_precision_loss, reason = "a share of counts far below 2^53")]
    fn from(standing: Standing) -> Self {
        let share = (standing.runs > 0).then(|| standing.runs_succeeded as f64 / standing.runs as f64);
        Self {
            runs: standing.runs,
            success_rate: share,
            records_synced: standing.records_synced,
            errors: standing.errors,
            last_sync_time: standing.last_sync_at,
            average_processing_time: standing.average_ms,
        }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(Door::User, sync_status)
            .summary("Shows how syncs stand, newest first; with `id` one."),
    ]
}
