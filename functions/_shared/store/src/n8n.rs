//! n8n servers: how far each has been read, what it says of its workflows, and their executions.

use crate::db::sql;
use crate::{Db, Result};
use chrono::{DateTime, Utc};
use domain::{ExecutionStatus, ExecutionWord, IntegrationId, RunId, SyncType, UserId, Value};
use serde::{Deserialize, Serialize};

/// A server whose turn it is.
#[derive(Debug, Clone, Deserialize)]
pub struct Server {
    /// The account.
    pub integration_id: IntegrationId,
    /// Whose it is.
    pub user_id: UserId,
}

/// The servers that are due, or of these all that are in use.
pub async fn due(db: &Db, integration_ids: Option<&[IntegrationId]>) -> Result<Vec<Server>> {
    servers(db, &Which { integration_ids, all: false }).await
}

/// The servers that are in use, due or not.
pub async fn in_use(db: &Db) -> Result<Vec<Server>> {
    servers(db, &Which { integration_ids: None, all: true }).await
}

#[derive(Serialize)]
struct Which<'a> {
    integration_ids: Option<&'a [IntegrationId]>,
    all: bool,
}

async fn servers(db: &Db, which: &Which<'_>) -> Result<Vec<Server>> {
    #[derive(Deserialize)]
    struct Answer {
        servers: Vec<Server>,
    }
    Ok(db.call::<_, Answer>(sql!("n8n/due"), which).await?.servers)
}

/// How far a server has been read.
#[derive(Debug, Clone, Deserialize)]
pub struct Place {
    /// The right to go on; `None` while another is at it.
    pub fence: Option<i64>,
    /// Every execution up to this id that had ended is stored.
    pub watermark: i64,
    /// The newest execution of the last complete descent.
    pub top: i64,
    /// The newest of the descent at work.
    pub descent_top: Option<i64>,
    /// The descent goes on below this id.
    pub descent_below: Option<i64>,
    /// Of a list of workflows that fits on one page.
    pub etag: Option<String>,
    /// When the workflows were last read completely.
    pub workflows_at: Option<DateTime<Utc>>,
    /// When the executions were.
    pub executions_at: Option<DateTime<Utc>>,
}

/// Begins to read a server. Nobody else does for so many seconds.
pub async fn begin(db: &Db, integration_id: IntegrationId, lease_seconds: i32) -> Result<Place> {
    #[derive(Serialize)]
    struct Input {
        integration_id: IntegrationId,
        lease_seconds: i32,
    }
    db.call(sql!("n8n/begin"), &Input { integration_id, lease_seconds }).await
}

/// How reading a server ended.
#[derive(Debug, Clone, Serialize)]
pub struct Finish<'a> {
    /// The account.
    pub integration_id: IntegrationId,
    /// As it was begun with.
    pub fence: i64,
    /// Why the server could not be read; `None` when it could.
    pub failure: Option<&'a str>,
    /// When its turn comes again, in seconds from now.
    pub wait_seconds: f64,
    /// Whether the executions were read to the end.
    pub executions_read: bool,
}

/// Ends reading a server.
pub async fn finish(db: &Db, input: &Finish<'_>) -> Result<()> {
    // Whoever has taken over meanwhile says how it ended.
    #[derive(Deserialize)]
    struct Answer {}
    db.call::<_, Answer>(sql!("n8n/finish"), input).await.map(drop)
}

/// What a server says of its workflows.
#[derive(Debug, Clone, Serialize)]
pub struct Told<'a> {
    /// The account.
    pub integration_id: IntegrationId,
    /// The workflows.
    pub workflows: &'a [Mirrored],
    /// Whether these are all.
    pub complete: bool,
    /// The tag of the list, where it fits on one page.
    pub etag: Option<&'a str>,
}

/// One workflow of a server.
#[derive(Debug, Clone, Serialize)]
pub struct Mirrored {
    /// n8n's id.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// Whether it is published.
    pub active: bool,
    /// Whether it is archived.
    pub is_archived: bool,
    /// The names of its tags.
    pub tags: Vec<String>,
    /// Its production webhook: method, path and node.
    pub webhook: Option<Value>,
    /// The node that n8n's MCP server starts.
    pub trigger_node: Option<String>,
    /// What that node wants to be given: `webhook`, `form`, `chat` or `nothing`.
    pub trigger_takes: Option<&'static str>,
    /// Whether the MCP server may start it.
    pub in_mcp: bool,
    /// The kinds of its nodes.
    pub node_types: Vec<String>,
    /// Changes with anything of it.
    pub fingerprint: String,
    /// When n8n made it.
    pub created_at: Option<DateTime<Utc>>,
    /// When n8n says that it changed.
    pub updated_at: Option<DateTime<Utc>>,
}

/// What a mirror has learned.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Learned {
    /// New workflows.
    #[serde(default)]
    pub created: u64,
    /// Those that are not as they were.
    #[serde(default)]
    pub updated: u64,
    /// Those that are.
    pub unchanged: u64,
    /// Those that a complete list lacks; a direct question says whether they are gone.
    pub missing: Vec<String>,
}

/// Stores what a server says of its workflows.
pub async fn mirror(db: &Db, told: &Told<'_>) -> Result<Learned> {
    db.call(sql!("n8n/mirror"), told).await
}

#[derive(Serialize)]
struct One {
    integration_id: IntegrationId,
}

/// Notes that a server's list has not changed.
pub async fn unchanged(db: &Db, integration_id: IntegrationId) -> Result<Learned> {
    db.call(sql!("n8n/unchanged"), &One { integration_id }).await
}

/// Notes that these workflows are not there any more; answers how many of them were until now.
pub async fn gone(db: &Db, integration_id: IntegrationId, workflow_ids: &[String]) -> Result<u64> {
    #[derive(Serialize)]
    struct Input<'a> {
        integration_id: IntegrationId,
        workflow_ids: &'a [String],
    }
    #[derive(Deserialize)]
    struct Answer {
        gone: u64,
    }
    Ok(db.call::<_, Answer>(sql!("n8n/gone"), &Input { integration_id, workflow_ids }).await?.gone)
}

/// An execution as it is stored.
#[derive(Debug, Clone, Serialize)]
pub struct Stored {
    /// n8n's id.
    pub id: i64,
    /// Its workflow, by n8n's id; without one it is not stored.
    pub workflow_id: Option<String>,
    /// For people.
    pub status: ExecutionStatus,
    /// In n8n's words.
    pub n8n_status: ExecutionWord,
    /// What started it.
    pub mode: Option<String>,
    /// When it began; `None` while it is queued.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub stopped_at: Option<DateTime<Utc>>,
    /// The execution that it tries again.
    pub retry_of: Option<i64>,
    /// The one that tried it again and succeeded.
    pub retry_success_id: Option<i64>,
    /// Why it failed.
    pub error_message: Option<String>,
    /// Where.
    pub error_node: Option<String>,
    /// What it says it did: `{"created", "updated", "failed"}`.
    pub resources: Option<Resources>,
    /// Who started it here.
    pub triggered_by: Option<UserId>,
    /// Which way: `webhook`, `mcp` or `retry`.
    pub trigger_way: Option<&'static str>,
}

/// What an execution says it did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// New resources.
    pub created: u32,
    /// Changed ones.
    pub updated: u32,
    /// Those that it could not bring over.
    pub failed: u32,
}

/// The place of a descent through the list of executions.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Descent {
    /// The newest of it.
    pub top: i64,
    /// It goes on below this id.
    pub below: i64,
}

/// Executions to store.
#[derive(Debug, Clone, Serialize)]
pub struct Record<'a> {
    /// The account.
    pub integration_id: IntegrationId,
    /// As reading was begun with; `None` for what does not come from reading.
    pub fence: Option<i64>,
    /// The executions.
    pub rows: &'a [Stored],
    /// Where the list goes on.
    pub descent: Option<Descent>,
    /// Whether the list has been read down to the watermark.
    pub done: bool,
}

/// Stores executions; answers how many of them were news, and `None` when another has taken over.
pub async fn record(db: &Db, record: &Record<'_>) -> Result<Option<u64>> {
    #[derive(Deserialize)]
    struct Answer {
        lost: bool,
        stored: u64,
    }
    let answer: Answer = db.call(sql!("n8n/record_executions"), record).await?;
    Ok((!answer.lost).then_some(answer.stored))
}

/// Executions that the lists do not settle.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Unsettled {
    /// Those that have not ended as far as we know, at most 1,000, oldest first.
    pub open: Vec<i64>,
    /// Failures without a reason, at most 100, newest first.
    pub unexplained: Vec<i64>,
}

/// What is still to be asked about, one by one.
pub async fn unsettled(db: &Db, integration_id: IntegrationId) -> Result<Unsettled> {
    db.call(sql!("n8n/open"), &One { integration_id }).await
}

/// A reading of a server, for the ledger.
#[derive(Debug, Clone, Serialize)]
pub struct Reading<'a> {
    /// The account.
    pub integration_id: IntegrationId,
    /// Who asked; `None`: the clock, and the ledger shows it to the account's owner.
    pub user_id: Option<UserId>,
    /// `workflows` or `executions`.
    pub sync_type: SyncType,
    /// How long it took.
    pub duration_ms: i64,
    /// How many workflows or executions were looked at.
    pub seen: u64,
    /// How many of them are new.
    pub created: u64,
    /// How many changed.
    pub updated: u64,
    /// How many are as they were.
    pub unchanged: u64,
    /// Requests that it took.
    pub requests: i64,
    /// Why it failed, as a code.
    pub reason: Option<&'a str>,
    /// Why it failed, for people.
    pub message: Option<&'a str>,
}

/// Writes a reading into the ledger.
pub async fn log(db: &Db, reading: &Reading<'_>) -> Result<RunId> {
    #[derive(Deserialize)]
    struct Answer {
        run_id: RunId,
    }
    Ok(db.call::<_, Answer>(sql!("n8n/log"), reading).await?.run_id)
}

/// Closes an execution that n8n has dropped, with this sentence.
pub async fn vanished(
    db: &Db,
    integration_id: IntegrationId,
    execution_id: i64,
    message: &str,
) -> Result<()> {
    #[derive(Serialize)]
    struct Input<'a> {
        integration_id: IntegrationId,
        execution_id: i64,
        message: &'a str,
    }
    #[derive(Deserialize)]
    struct Answer {}
    db.call::<_, Answer>(sql!("n8n/vanished"), &Input { integration_id, execution_id, message })
        .await
        .map(drop)
}
