//! Working the queue: runs to be continued, items left over from elsewhere.

use crate::clock::{self, Deadline};
use crate::error::Result;
use crate::run::{self, Ended, Scope};
use crate::settings::Settings;
use domain::backoff::Backoff;
use domain::{Fault, SyncType, UserId};
use std::time::Duration;
use store::Db;
use store::queue::{self, End, Finished, Job, JobKind};
use store::runs::{self, Open};
use store::webhooks;

/// Jobs claimed at once. Few: each may be a whole run, and what is claimed waits for us.
const AT_ONCE: i32 = 4;
/// What must be left of the time to claim more.
const MARGIN: Duration = Duration::from_secs(4);
/// A job that failed is not tried again within this long, in milliseconds: not in the same round.
const LEAST_DELAY: i64 = 1_000;
/// A run that somebody is at is looked at again after this long, in milliseconds.
const BUSY_DELAY: i64 = 5_000;
/// The same for a job that cannot hand its work over to the queue: its attempts must outlast a long run.
const LONG_BUSY_DELAY: i64 = 30_000;

/// What became of the jobs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Drained {
    /// Jobs claimed.
    pub claimed: u64,
    /// Jobs that came to their end.
    pub done: u64,
    /// Jobs that go on later.
    pub retried: u64,
    /// Jobs that will not be tried again by themselves.
    pub dead: u64,
    /// Whether nothing that is due was left.
    pub empty: bool,
}

/// Works the queue until nothing is due or the time is up: everybody's, or one user's.
pub async fn drain(
    db: &Db,
    settings: &Settings,
    deadline: Deadline,
    owner: Option<UserId>,
) -> Result<Drained> {
    let mut drained = Drained::default();
    let mut finished = Vec::new();
    loop {
        let limit = if deadline.left() > MARGIN { AT_ONCE } else { 0 };
        if limit == 0 && finished.is_empty() {
            return Ok(drained);
        }
        let jobs = queue::finish_and_claim(db, &finished, limit, owner).await?.jobs;
        if jobs.is_empty() {
            drained.empty = limit > 0;
            return Ok(drained);
        }
        finished.clear();
        for job in &jobs {
            let end = end(db, settings, job, deadline).await;
            drained.count(&end);
            finished.push(end);
        }
    }
}

impl Drained {
    fn count(&mut self, finished: &Finished) {
        self.claimed = self.claimed.saturating_add(1);
        let counter = match finished.end {
            End::Done => &mut self.done,
            End::Retry => &mut self.retried,
            End::Dead => &mut self.dead,
        };
        *counter = counter.saturating_add(1);
    }
}

/// Does one job and says what shall become of it.
async fn end(db: &Db, settings: &Settings, job: &Job, deadline: Deadline) -> Finished {
    let finished =
        |end, error, delay_ms| Finished { id: job.id, fence: job.fence, end, error, delay_ms, run_id: None };
    match attempt(db, settings, job, deadline).await {
        Ok(Next::Done) => finished(End::Done, None, None),
        Ok(Next::Later(delay_ms)) => finished(End::Retry, None, Some(delay_ms)),
        Err(error) => {
            let line = serde_json::json!({
                "level": "error", "message": "a job failed", "job": job.id, "kind": job.kind, "cause": error.log(),
            });
            eprintln!("{line}");
            let retry = u32::try_from(job.attempts).unwrap_or(u32::MAX).clamp(1, 10);
            let wait = Backoff { retries: 10, ..Backoff::default() }.wait(
                retry,
                error.retry_after(),
                clock::chance(),
            );
            let delay = wait
                .and_then(|wait| i64::try_from(wait.as_millis()).ok())
                .unwrap_or(BUSY_DELAY)
                .max(LEAST_DELAY);
            finished(End::Retry, Some(error.detail()), Some(delay))
        }
    }
}

enum Next {
    Done,
    Later(i64),
}

async fn attempt(db: &Db, settings: &Settings, job: &Job, deadline: Deadline) -> Result<Next> {
    match job.kind {
        JobKind::Run => {
            let Some(config_id) = job.config_id else { return Ok(Next::Done) };
            // Nothing open, or somebody is at it: then that run has its own continuation in the queue.
            let Some(child) = runs::resume(db, config_id, settings.lease_seconds).await? else {
                return Ok(Next::Done);
            };
            match run::work(db, settings, &child, deadline, Scope::Whole).await? {
                Ended::Closed | Ended::Paused | Ended::Lost => Ok(Next::Done),
            }
        }
        JobKind::SyncItems => {
            let open = Open {
                user_id: job.user_id,
                sync_type: SyncType::Manual,
                mode: None,
                item_ids: job.item_ids(),
                parent_run_id: None,
                lease_seconds: settings.lease_seconds,
            };
            let opened = runs::open(db, &open).await?;
            for child in &opened.children {
                run::work(db, settings, child, deadline, Scope::Whole).await?;
            }
            Ok(if opened.running.is_some() { Next::Later(BUSY_DELAY) } else { Next::Done })
        }
        JobKind::Changed => {
            let Some(config_id) = job.config_id else { return Ok(Next::Done) };
            let child = runs::open_changed(db, config_id, None, settings.lease_seconds).await?;
            let Some(child) = child else {
                // The run that is at it may have been past the change already: once more after it.
                let again = webhooks::is_followed(db, config_id).await?;
                return Ok(if again { Next::Later(LONG_BUSY_DELAY) } else { Next::Done });
            };
            match run::work(db, settings, &child, deadline, Scope::Whole).await? {
                Ended::Closed | Ended::Paused | Ended::Lost => Ok(Next::Done),
            }
        }
    }
}
