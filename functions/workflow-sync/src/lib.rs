//! `workflow-sync`: one address for everything between workflows and n8n, with the action in the message.

mod act;

use domain::{IntegrationId, WorkflowId};
use edge::describe::Operation;
use edge::{Call, Caller, Door, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Db;

/// What to do, and about what.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "WorkflowSyncInput")]
pub struct Input {
    /// `sync_all_workflows`, `sync_workflow`, `deploy_workflow` or `cleanup_workflows`.
    pub action: Action,
    /// `sync_workflow`, `deploy_workflow`: the workflow.
    #[serde(default)]
    pub workflow_id: Option<WorkflowId>,
    /// The n8n server; the user's own, their organization's or the deployment's when absent, and for systems all.
    #[serde(default)]
    pub integration_id: Option<IntegrationId>,
    /// `deploy_workflow`: publish it (`true`), or take it back (`false`); as it is when absent.
    #[serde(default)]
    pub activate: Option<bool>,
    /// `cleanup_workflows`: only list, which is so unless this is `false`.
    #[serde(default)]
    pub dry_run: Option<bool>,
    /// `cleanup_workflows`: only what has neither changed nor run for so many days, 0 to 3,650; 7 when absent.
    #[serde(default)]
    pub days: Option<u32>,
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "WorkflowSyncAction")]
pub enum Action {
    /// Reads all workflows and new executions of the server.
    SyncAllWorkflows,
    /// Reads one workflow and its newest executions.
    SyncWorkflow,
    /// Brings a user's workflow into n8n as it is stored here.
    DeployWorkflow,
    /// Removes what is left in n8n of workflows that nobody has any more. Systems only.
    CleanupWorkflows,
}

/// What was done.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WorkflowSyncOutput")]
pub struct Output {
    /// Whether everything was done. What is left goes on by itself.
    pub success: bool,
    /// Workflows that were looked at.
    pub workflows: u64,
    /// Those that are new here.
    pub created: u64,
    /// Those that are not as they were.
    pub updated: u64,
    /// Those that are gone.
    pub removed: u64,
    /// Executions that are news.
    pub executions: u64,
    /// Requests to n8n.
    pub requests: i64,
    /// Milliseconds.
    pub duration: u64,
    /// What is left to do, or went wrong with single servers or workflows.
    pub messages: Vec<String>,
    /// `deploy_workflow`: what n8n calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n8n_workflow_id: Option<String>,
    /// `deploy_workflow`: its name there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n8n_name: Option<String>,
    /// `deploy_workflow`: whether it is published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// `cleanup_workflows`: the names of what is left in n8n, or was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leftovers: Option<Vec<String>>,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::UserOrSecret).post(workflow_sync).answer().await
}

async fn workflow_sync(call: Call<Input>) -> Result<Output, Problem> {
    let db = Db::open().await?;
    match (call.input.action, &call.caller) {
        (Action::SyncAllWorkflows, Caller::User(_)) => act::sync_mine(&db, call).await,
        (Action::SyncAllWorkflows, _) => act::sync_all(&db, call).await,
        (Action::SyncWorkflow, _) => act::sync_one(&db, call).await,
        (Action::DeployWorkflow, _) => act::deploy(&db, call).await,
        (Action::CleanupWorkflows, _) => act::clean_up(&db, call).await,
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::UserOrSecret, workflow_sync)]
}
