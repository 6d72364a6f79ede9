//! `queue`: jobs that wait, work or gave up; a user may cancel them.

use chrono::{DateTime, Utc};
use domain::{ConfigId, Fields, JobId, RunId};
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Db;
use store::queue::{self, JobKind, JobQuery, JobRow};

/// The words of a job's state.
const STATES: &[&str] = &["pending", "leased", "retry", "done", "dead", "cancelled"];

/// Which jobs to show.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Query {
    /// This one.
    pub id: Option<JobId>,
    /// Jobs in this state: `pending`, `leased`, `retry`, `done`, `dead` or `cancelled`.
    pub state: Option<String>,
    /// Where the page before ended (`next_cursor`).
    pub cursor: Option<String>,
    /// 1 to 1,000; 50 when absent.
    pub limit: Option<i32>,
}

/// Which jobs to cancel.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Cancel {
    /// The jobs, at most 1,000.
    pub ids: Vec<JobId>,
}

/// The jobs that were still waiting; what was at work goes on.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Cancelled {
    /// The jobs.
    pub cancelled: Vec<JobId>,
}

/// One page of jobs, newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Page {
    /// The jobs.
    pub data: Vec<Row>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// One job.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The job.
    pub id: JobId,
    /// `run`: a run goes on. `sync_items`: items are synced. `changed`: whatever changed is synced.
    pub kind: &'static str,
    /// Its state.
    pub state: String,
    /// 1 (first) to 9.
    pub priority: i16,
    /// What it is about.
    pub payload: Fields,
    /// The sync it belongs to.
    pub config_id: Option<ConfigId>,
    /// How often it was tried.
    pub attempts: i32,
    /// How often it may be.
    pub max_attempts: i32,
    /// When its turn comes.
    pub due_at: DateTime<Utc>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// The run that did it.
    pub run_id: Option<RunId>,
    /// When it was put in.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).get(list).delete(cancel).answer().await
}

async fn list(call: Call<Query>) -> Result<Page, Problem> {
    let user = call.caller.user()?;
    let Query { id, state, cursor, limit } = call.input;
    if state.as_deref().is_some_and(|state| !STATES.contains(&state)) {
        return Err(Problem::invalid("/state", format!("This is one of {}.", STATES.join(", "))));
    }
    let before: Option<(DateTime<Utc>, JobId)> = edge::cursor::read(cursor.as_deref())?;
    let (before_at, before_id) = before.unzip();
    let query = JobQuery { id, state, before_at, before_id, limit: edge::cursor::limit(limit)? };
    let db = Db::open().await?;
    let page = queue::list(&db, &user.claims, &query).await?;
    if id.is_some() && page.rows.is_empty() {
        return Err(Problem::not_found());
    }
    let last = page.rows.last().filter(|_| page.has_more);
    let next_cursor = last.map(|row| edge::cursor::write(row.created_at, row.id));
    Ok(Page { next_cursor, has_more: page.has_more, data: page.rows.into_iter().map(Row::from).collect() })
}

async fn cancel(call: Call<Cancel>) -> Result<Cancelled, Problem> {
    let user = call.caller.user()?;
    let ids = call.input.ids;
    if !(1..=1000).contains(&ids.len()) {
        return Err(Problem::invalid("/ids", "Name 1 to 1,000 jobs."));
    }
    let db = Db::open().await?;
    // Somebody else's jobs and jobs that do not exist are answered alike.
    let cancelled = queue::cancel(&db, &user.claims, &ids).await?.ok_or_else(Problem::not_found)?;
    Ok(Cancelled { cancelled })
}

impl From<JobRow> for Row {
    fn from(job: JobRow) -> Self {
        Self {
            id: job.id,
            kind: match job.kind {
                JobKind::Run => "run",
                JobKind::SyncItems => "sync_items",
                JobKind::Changed => "changed",
            },
            state: job.state,
            priority: job.priority,
            payload: job.payload,
            config_id: job.config_id,
            attempts: job.attempts,
            max_attempts: job.max_attempts,
            due_at: job.due_at,
            last_error: job.last_error,
            run_id: job.run_id,
            created_at: job.created_at,
            finished_at: job.finished_at,
        }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(Door::User, list).summary("Shows jobs, newest first; with `id` one of them."),
        Operation::delete(Door::User, cancel).summary("Cancels jobs that still wait."),
    ]
}
