//! `delta-sync`: brings the caller's sync list up to date, leaving alone what did not change.

use domain::{ItemId, ItemType, RunId, RunStatus, SyncMode, SyncType};
use edge::describe::Operation;
use edge::{Accepted, Call, Door, Either, Problem};
use engine::Settings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Db;
use store::sync_list::{self, Choose};

/// Which items to look at. What is absent does not narrow the choice.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// These items of the list; all active ones when absent.
    pub sync_list_ids: Option<Vec<ItemId>>,
    /// Only items of this type.
    pub item_type: Option<ItemType>,
    /// For this run, instead of each item's own mode.
    pub mode: Option<SyncMode>,
}

/// How the run went. `running`: it goes on by itself; ask `sync-history` for `syncHistoryId`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// The run, for `sync-history` and for support.
    pub sync_history_id: RunId,
    /// How it stands.
    pub status: RunStatus,
    /// Items looked at so far.
    pub items_processed: u64,
    /// Items that were made on the target.
    pub items_created: u64,
    /// Items that were changed on the target.
    pub items_updated: u64,
    /// Items that could not be synced; `errors` says why.
    pub items_failed: u64,
    /// Items that are equal on both sides.
    pub items_unchanged: u64,
    /// Items left alone on purpose.
    pub items_skipped: u64,
    /// Items that both sides changed, or that wait for a person.
    pub items_conflicted: u64,
    /// Items left to the queue, because another run is at work on their sync.
    pub items_queued: u64,
    /// Milliseconds.
    pub duration: u64,
    /// The first hundred items that did not end well.
    pub errors: Vec<ItemError>,
}

/// One item that did not end well.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemError {
    /// The item of the list.
    pub item_id: Option<ItemId>,
    /// What is wrong, and where known what to do.
    pub error: String,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).post(delta_sync).answer().await
}

async fn delta_sync(call: Call<Input>) -> Result<Either<Accepted<Output>, Output>, Problem> {
    let user = call.caller.user()?;
    let db = Db::open().await?;
    let choose = Choose { ids: call.input.sync_list_ids.clone(), item_type: call.input.item_type };
    let chosen = sync_list::choose(&db, &user.claims, &choose).await?;
    if !chosen.missing.is_empty() {
        return Err(Problem::not_found());
    }
    let settings = Settings::read().await?;
    let wish = engine::Wish {
        user_id: user.id,
        sync_type: sync_type(&call.input),
        mode: call.input.mode,
        item_ids: chosen.item_ids,
    };
    let deadline = engine::Deadline::of_run(call.deadline.at());
    let answer = engine::sync_items(&db, &settings, wish, deadline, call.prefer.respond_async).await?;
    Ok(if answer.accepted { Either::Left(Accepted(answer.into())) } else { Either::Right(answer.into()) })
}

/// The word that the history shows: what was asked for.
fn sync_type(input: &Input) -> SyncType {
    match (&input.sync_list_ids, input.mode) {
        (Some(_), _) => SyncType::Manual,
        (None, Some(SyncMode::Full)) => SyncType::Full,
        (None, _) => SyncType::Delta,
    }
}

impl From<engine::Answer> for Output {
    fn from(answer: engine::Answer) -> Self {
        let run = answer.summary;
        Self {
            sync_history_id: run.run_id,
            status: run.status,
            items_processed: run.seen,
            items_created: run.created,
            items_updated: run.updated,
            items_failed: run.failed,
            items_unchanged: run.unchanged,
            items_skipped: run.skipped,
            items_conflicted: run.conflicted.saturating_add(run.held),
            items_queued: answer.queued,
            duration: run.duration_ms,
            errors: run
                .errors
                .into_iter()
                .map(|error| ItemError { item_id: error.item_id, error: error.message })
                .collect(),
        }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::User, delta_sync)]
}
