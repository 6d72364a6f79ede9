//! The queue: putting work in, taking it out, and what people see of it.

use crate::db::{sql, user_sql};
use crate::page::Rows;
use crate::{Claims, Db, PageOf, Result};
use chrono::{DateTime, Utc};
use domain::{ConfigId, Fields, ItemId, JobId, OrgId, RunId, UserId};
use serde::{Deserialize, Serialize};

/// What a job is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Go on with the open run of the job's sync.
    Run,
    /// Sync the items of the payload (`{"item_ids": […]}`).
    SyncItems,
    /// Sync whatever changed in the source of the job's sync.
    Changed,
}

/// A job that was taken: this worker alone has it, for 60 seconds.
#[derive(Debug, Clone, Deserialize)]
pub struct Job {
    /// The job.
    pub id: JobId,
    /// To be shown when it is finished.
    pub fence: i64,
    /// What it is about.
    pub kind: JobKind,
    /// Whose it is.
    pub user_id: UserId,
    /// Their organization.
    pub org_id: Option<OrgId>,
    /// The sync it belongs to.
    pub config_id: Option<ConfigId>,
    /// What its kind needs.
    pub payload: Fields,
    /// 1 (first) to 9.
    pub priority: i16,
    /// How often it was taken, this time included.
    pub attempts: i32,
    /// How often it may be.
    pub max_attempts: i32,
}

impl Job {
    /// The items of a job of kind [`JobKind::SyncItems`]; what is no item id is left out.
    pub fn item_ids(&self) -> Vec<ItemId> {
        let ids = self.payload.get("item_ids").and_then(|ids| ids.as_array());
        ids.into_iter().flatten().filter_map(|id| id.as_str()?.parse().ok()).collect()
    }
}

/// How a job ended.
#[derive(Debug, Clone, Serialize)]
pub struct Finished {
    /// The job.
    pub id: JobId,
    /// As it was taken with.
    pub fence: i64,
    /// How it ended.
    pub end: End,
    /// What went wrong, for people.
    pub error: Option<String>,
    /// For [`End::Retry`]: when it is due again, in milliseconds from now.
    pub delay_ms: Option<i64>,
    /// The run that did it.
    pub run_id: Option<RunId>,
}

/// How a job can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It is done.
    Done,
    /// Again later. Becomes [`End::Dead`] once no attempts are left.
    Retry,
    /// Never again, until a person says so.
    Dead,
}

/// What was taken.
#[derive(Debug, Clone, Deserialize)]
pub struct Claimed {
    /// The jobs, at most one of each group.
    pub jobs: Vec<Job>,
    /// Jobs that could not be finished: their lease ran out, somebody else has them.
    pub lost: Vec<JobId>,
}

/// A job to be put into the queue.
#[derive(Debug, Clone, Serialize)]
pub struct NewJob {
    /// Whose it is.
    pub user_id: UserId,
    /// Their organization.
    pub org_id: Option<OrgId>,
    /// The sync it belongs to.
    pub config_id: Option<ConfigId>,
    /// What it is about.
    pub kind: JobKind,
    /// What its kind needs.
    pub payload: Fields,
    /// Jobs of one group are worked one at a time: `config:<id>` for a sync.
    pub group_key: String,
    /// A job that still waits absorbs a second one with this key: `item:<id>`, `run:<config id>`,
    /// `changed:<config id>`.
    pub dedupe_key: Option<String>,
    /// 1 (first) to 9.
    pub priority: i16,
    /// When it is due, in milliseconds from now.
    pub delay_ms: i64,
}

/// Which jobs to list, newest first.
#[derive(Debug, Clone, Default, Serialize)]
pub struct JobQuery {
    /// Only this job.
    pub id: Option<JobId>,
    /// Only jobs in this state: pending, leased, retry, done, dead, cancelled.
    pub state: Option<String>,
    /// Only jobs older than the one at this place: `created_at` of the last row of the page before.
    pub before_at: Option<DateTime<Utc>>,
    /// And its id.
    pub before_id: Option<JobId>,
    /// How many, 1 to 1,000.
    pub limit: i32,
}

/// A job as people see it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobRow {
    /// The job.
    pub id: JobId,
    /// What it is about.
    pub kind: JobKind,
    /// pending, leased, retry, done, dead or cancelled.
    pub state: String,
    /// 1 (first) to 9.
    pub priority: i16,
    /// What its kind needs.
    pub payload: Fields,
    /// The sync it belongs to.
    pub config_id: Option<ConfigId>,
    /// How often it was taken.
    pub attempts: i32,
    /// How often it may be.
    pub max_attempts: i32,
    /// When it is due; of a leased job the end of its lease.
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

#[derive(Deserialize)]
struct Ids {
    ids: Vec<JobId>,
}

/// Says how jobs ended, and takes up to `limit` (at most 20) due ones, everybody's or this owner's, in one statement.
pub async fn finish_and_claim(
    db: &Db,
    finished: &[Finished],
    limit: i32,
    owner: Option<UserId>,
) -> Result<Claimed> {
    #[derive(Serialize)]
    struct Input<'a> {
        finished: &'a [Finished],
        limit: i32,
        #[serde(skip_serializing_if = "Option::is_none")]
        owner: Option<UserId>,
    }
    db.call(sql!("queue/finish_and_claim"), &Input { finished, limit, owner }).await
}

/// Puts jobs in; answers their ids, or those of the jobs that absorbed them.
pub async fn enqueue(db: &Db, jobs: &[NewJob]) -> Result<Vec<JobId>> {
    #[derive(Serialize)]
    struct Input<'a> {
        jobs: &'a [NewJob],
    }
    Ok(db.call::<_, Ids>(sql!("queue/enqueue"), &Input { jobs }).await?.ids)
}

/// Puts items in, as `sync_list::choose` permitted them: one job per item.
pub async fn add(db: &Db, user_id: UserId, item_ids: &[ItemId], priority: i16) -> Result<Vec<JobId>> {
    #[derive(Serialize)]
    struct Input<'a> {
        user_id: UserId,
        item_ids: &'a [ItemId],
        priority: i16,
    }
    Ok(db.call::<_, Ids>(sql!("queue/add"), &Input { user_id, item_ids, priority }).await?.ids)
}

/// The user's jobs.
pub async fn list(db: &Db, claims: &Claims, query: &JobQuery) -> Result<PageOf<JobRow>> {
    let rows: Rows<JobRow> = db.call_as(claims, user_sql!("queue/list"), query).await?;
    Ok(PageOf::cut(rows, query.limit))
}

/// Cancels jobs of the user; answers those that still waited. `None`: one of them is not theirs, and none was cancelled.
pub async fn cancel(db: &Db, claims: &Claims, ids: &[JobId]) -> Result<Option<Vec<JobId>>> {
    #[derive(Serialize)]
    struct Input<'a> {
        ids: &'a [JobId],
    }
    #[derive(Deserialize)]
    struct Answer {
        cancelled: Option<Vec<JobId>>,
    }
    Ok(db.call_as::<_, Answer>(claims, user_sql!("queue/cancel"), &Input { ids }).await?.cancelled)
}
