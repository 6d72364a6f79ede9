//! `data-sync`: one address for everything about syncs, with the action in the message.

mod act;
mod config;

pub use config::NewConfig;

use domain::decide::Choice;
use domain::{ConfigId, ConflictId, ItemId, ItemType, JobId};
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use engine::RunReport;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::Db;
use store::runs::Direction;

/// What to do, and about what.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// `perform_sync`, `get_status`, `create_config`, `update_config`, `queue_sync`, `process_queue` or
    /// `resolve_conflict`.
    pub action: Action,
    /// `perform_sync`, `get_status`, `update_config`: the sync.
    #[serde(default)]
    pub config_id: Option<ConfigId>,
    /// `perform_sync`: the kind of item, where one sync fits. `queue_sync`: only items of this type.
    #[serde(default)]
    pub entity_type: Option<ItemType>,
    /// `perform_sync`: with `entityType`, which ways the sync goes.
    #[serde(default)]
    pub direction: Option<Direction>,
    /// `create_config`: the sync. `update_config`: what changes of it.
    #[serde(default)]
    pub config: Option<NewConfig>,
    /// `queue_sync`: these items of the list; all active ones when absent.
    #[serde(default)]
    pub sync_list_ids: Option<Vec<ItemId>>,
    /// `queue_sync`: 1 (first) to 9; 5 when absent.
    #[serde(default)]
    pub priority: Option<i16>,
    /// `resolve_conflict`: the conflict.
    #[serde(default)]
    pub conflict_id: Option<ConflictId>,
    /// `resolve_conflict`: for every field that `fields` does not name.
    #[serde(default)]
    pub choice: Option<Choice>,
    /// `resolve_conflict`: for single fields, by name.
    #[serde(default)]
    pub fields: BTreeMap<String, Choice>,
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[schemars(rename = "DataSyncAction")]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Carries a sync out now, over whatever changed.
    PerformSync,
    /// Says how syncs stand.
    #[default]
    GetStatus,
    /// Makes a sync.
    CreateConfig,
    /// Changes a sync.
    UpdateConfig,
    /// Puts items into the queue.
    QueueSync,
    /// Works what waits in the caller's queue.
    ProcessQueue,
    /// Decides a conflict.
    ResolveConflict,
}

/// What to show.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Query {
    /// `get_status`, also when absent.
    pub action: Action,
    /// One sync only.
    pub config_id: Option<ConfigId>,
}

/// What was done: one of these, by the action.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// `perform_sync`, `resolve_conflict`: the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunReport>,
    /// `get_status`: the caller's syncs, at most 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syncs: Option<Vec<SyncStatus>>,
    /// `create_config`, `update_config`: the sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_id: Option<ConfigId>,
    /// `queue_sync`: the jobs, one per item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_ids: Option<Vec<JobId>>,
    /// `process_queue`: jobs that were worked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processed: Option<u64>,
    /// `process_queue`: whether nothing that is due was left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty: Option<bool>,
    /// `resolve_conflict`: `resolved`, `settled`, or `pending` where it could not be carried out yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict_status: Option<String>,
}

/// How one sync stands. `sync-status` says more.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncStatus {
    /// The sync.
    pub config_id: ConfigId,
    /// What people call it.
    pub name: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Whether a run is at work.
    pub is_running: bool,
    /// How its last run ended.
    pub last_status: Option<domain::RunStatus>,
    /// Runs that ended in the last 30 days.
    pub runs: u64,
    /// Those of them with nothing left to do.
    pub runs_succeeded: u64,
    /// Records that they brought up to date, or found so.
    pub records_synced: u64,
    /// Records that failed in them.
    pub errors: u64,
    /// Records that fail now.
    pub open_issues: u64,
    /// Records that wait for a person.
    pub pending_conflicts: u64,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).get(show).post(act).put(act).answer().await
}

async fn show(call: Call<Query>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    if call.input.action != Action::GetStatus {
        return Err(Problem::invalid("/action", "Reading is `get_status`; everything else is a POST."));
    }
    act::status(&Db::open().await?, &user.claims, call.input.config_id).await
}

async fn act(call: Call<Input>) -> Result<Output, Problem> {
    let db = Db::open().await?;
    match call.input.action {
        Action::PerformSync => act::perform(&db, call).await,
        Action::GetStatus => {
            let user = call.caller.user()?;
            act::status(&db, &user.claims, call.input.config_id).await
        }
        Action::CreateConfig => config::create(&db, call).await,
        Action::UpdateConfig => config::update(&db, call).await,
        Action::QueueSync => act::enqueue(&db, call).await,
        Action::ProcessQueue => act::process(&db, call).await,
        Action::ResolveConflict => act::resolve(&db, call).await,
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(Door::User, show).summary("Says how the caller's syncs stand."),
        Operation::post(Door::User, act).summary("Does what the action says."),
        Operation::put(Door::User, act).summary("Does what the action says, as POST does."),
    ]
}
