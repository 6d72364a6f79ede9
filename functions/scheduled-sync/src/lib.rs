//! `scheduled-sync`: does whatever is due, one run per user under one system run.

use domain::{RunId, UserId};
use edge::describe::Operation;
use edge::{Accepted, Call, Door, Either, Problem};
use engine::Settings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use store::Db;

/// Nothing: what is due, the database knows.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {}

/// What this tick did. With `Prefer: respond-async` the queue does the work, and the counts are those so far.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// The system run above the users' runs.
    pub run_id: RunId,
    /// Users with something due.
    pub total_users: u64,
    /// Items due, of all users.
    pub total_items: u64,
    /// Items looked at so far.
    pub items_processed: u64,
    /// Items that are now equal on both sides.
    pub items_succeeded: u64,
    /// Items that could not be synced.
    pub items_failed: u64,
    /// Milliseconds.
    pub duration: u64,
    /// The same for each user.
    pub user_results: Vec<UserResult>,
}

/// One user's part.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserResult {
    /// The user.
    pub user_id: UserId,
    /// Items looked at so far.
    pub items_processed: u64,
    /// Items that are now equal on both sides.
    pub items_succeeded: u64,
    /// Items that could not be synced.
    pub items_failed: u64,
    /// What went wrong, at most a hundred lines.
    pub errors: Vec<String>,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::Secret).post(scheduled_sync).answer().await
}

async fn scheduled_sync(call: Call<Input>) -> Result<Either<Accepted<Output>, Output>, Problem> {
    let db = Db::open().await?;
    let settings = Settings::read().await?;
    let later = call.prefer.respond_async;
    let deadline = engine::Deadline::of_run(call.deadline.at());
    let tick = engine::scheduled(&db, &settings, deadline, later).await?;
    let output = Output::new(tick, deadline.elapsed());
    Ok(if later { Either::Left(Accepted(output)) } else { Either::Right(output) })
}

impl Output {
    fn new(tick: engine::Scheduled, took: Duration) -> Self {
        let user_results: Vec<UserResult> = tick.users.into_iter().map(UserResult::from).collect();
        let sum = |count: fn(&UserResult) -> u64| user_results.iter().map(count).fold(0, u64::saturating_add);
        Self {
            run_id: tick.run_id,
            total_users: u64::try_from(user_results.len()).unwrap_or(u64::MAX),
            total_items: tick.total_items,
            items_processed: sum(|user| user.items_processed),
            items_succeeded: sum(|user| user.items_succeeded),
            items_failed: sum(|user| user.items_failed),
            duration: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            user_results,
        }
    }
}

impl From<engine::UserResult> for UserResult {
    fn from(user: engine::UserResult) -> Self {
        let run = user.summary;
        let succeeded = [run.created, run.updated, run.unchanged, run.skipped, run.deleted];
        Self {
            user_id: user.user_id,
            items_processed: run.seen,
            items_succeeded: succeeded.into_iter().fold(0, u64::saturating_add),
            items_failed: run.failed,
            errors: run.errors.into_iter().map(|error| error.message).collect(),
        }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::Secret, scheduled_sync)]
}
