//! `health`: says how every part is: database, queue, clock, integrations.

use chrono::{DateTime, TimeDelta, Utc};
use edge::describe::Operation;
use edge::{Call, Door, Either, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Db, health};

/// A due job that waits longer than this says that nobody works the queue, in seconds.
const LATE: u64 = 300;
/// The clock ticks every hour; after three missed ticks it does not.
const SILENT: TimeDelta = TimeDelta::hours(3);

/// Nothing.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Input {}

/// How it is, for anybody.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Summary {
    /// `healthy`, or `degraded`: it works, but something needs a person. Not working at all is a problem with status 503.
    pub status: &'static str,
    /// What needs a person, in words.
    pub warnings: Vec<String>,
}

/// The same with figures, for a caller with a secret key.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Details {
    /// `healthy` or `degraded`.
    pub status: &'static str,
    /// What needs a person, in words.
    pub warnings: Vec<String>,
    /// The database's time.
    pub time: DateTime<Utc>,
    /// When `scheduled-sync` last ran.
    pub last_tick_at: Option<DateTime<Utc>>,
    /// Jobs that wait, due or not. Counts of jobs stop at 10,000.
    pub jobs_waiting: u64,
    /// Jobs at work.
    pub jobs_leased: u64,
    /// Jobs that gave up.
    pub jobs_dead: u64,
    /// For how long the oldest due job has been due.
    pub oldest_due_seconds: Option<u64>,
    /// Runs at work.
    pub runs_running: u64,
    /// Among them, those without a sign of life for 15 minutes.
    pub runs_stuck: u64,
    /// Accounts in use.
    pub integrations_active: u64,
    /// Accounts whose credential was refused.
    pub integrations_in_error: u64,
    /// Accounts whose platform only failed lately.
    pub breakers_open: u64,
    /// How many of the next three months have a place for their events.
    pub partitions_ahead: u64,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::None).get(check).answer().await
}

async fn check(call: Call<Input>) -> Result<Either<Details, Summary>, Problem> {
    let db = Db::open().await?;
    let health = health::check(&db).await?;
    let warnings = warnings(&health);
    let status = if warnings.is_empty() { "healthy" } else { "degraded" };
    if !call.caller.is_secret() {
        return Ok(Either::Right(Summary { status, warnings }));
    }
    Ok(Either::Left(Details {
        status,
        warnings,
        time: health.time,
        last_tick_at: health.last_tick_at,
        jobs_waiting: health.queue.waiting,
        jobs_leased: health.queue.leased,
        jobs_dead: health.queue.dead,
        oldest_due_seconds: health.queue.oldest_due_seconds,
        runs_running: health.runs.running,
        runs_stuck: health.runs.stuck,
        integrations_active: health.integrations.active,
        integrations_in_error: health.integrations.error,
        breakers_open: health.breakers_open,
        partitions_ahead: health.partitions_ahead,
    }))
}

/// What needs a person. A platform that is away is not: that is what queues are for.
fn warnings(health: &health::Health) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(seconds) = health.queue.oldest_due_seconds.filter(|seconds| *seconds > LATE) {
        warnings.push(format!("A job has been due for {seconds} s: is queue-drain called?"));
    }
    if health.last_tick_at.is_some_and(|tick| health.time.signed_duration_since(tick) > SILENT) {
        warnings
            .push("scheduled-sync has not run for more than three hours: is the clock set up?".to_owned());
    }
    if health.runs.stuck > 0 {
        warnings.push(format!("{} run(s) give no sign of life.", health.runs.stuck));
    }
    if health.partitions_ahead == 0 {
        warnings.push("Next month's partition is missing: does the nightly job run?".to_owned());
    }
    warnings
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::get(Door::None, check).more_for_keys()]
}
