//! `executions`: executions of watched workflows, as they are stored here, with how old that is.

use chrono::{DateTime, Utc};
use domain::{ExecutionId, ExecutionStatus, ExecutionWord, IntegrationId, RegistryId, UserId, WorkflowId};
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use engine::Standing;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Db;
use store::executions::{self, Execution, ExecutionQuery};

/// Which executions to show.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(rename = "ExecutionsQuery")]
pub struct Query {
    /// Those of this workflow: its id in `workflows` or in `workflow-registry`.
    pub workflow_id: Option<WorkflowId>,
    /// `success`, `failure`, `running` or `cancelled`.
    pub status: Option<ExecutionStatus>,
    /// The one that n8n calls this.
    pub execution_id: Option<i64>,
    /// Where the page before ended (`next_cursor`).
    pub cursor: Option<String>,
    /// 1 to 1,000; 50 when absent.
    pub limit: Option<i32>,
}

/// One page, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExecutionsPage")]
pub struct Page {
    /// The executions.
    pub data: Vec<Row>,
    /// How their servers stand, and how old what is shown of them is.
    pub servers: Vec<Standing>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// One execution.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Execution")]
pub struct Row {
    /// Ours.
    pub id: ExecutionId,
    /// The watched workflow.
    pub registry_id: RegistryId,
    /// The user's workflow, where it is one.
    pub workflow_id: Option<WorkflowId>,
    /// The server.
    pub integration_id: IntegrationId,
    /// What the server calls the workflow.
    pub n8n_workflow_id: String,
    /// The workflow's name.
    pub workflow_name: String,
    /// What the server calls the execution.
    pub execution_id: String,
    /// `success`, `failure`, `running` or `cancelled`.
    pub status: ExecutionStatus,
    /// The same in n8n's own words.
    pub n8n_status: ExecutionWord,
    /// What started it.
    pub mode: Option<String>,
    /// When it began.
    pub start_time: DateTime<Utc>,
    /// When it ended.
    pub end_time: Option<DateTime<Utc>>,
    /// Milliseconds.
    pub duration_ms: Option<i64>,
    /// Resources that it says it made.
    pub resources_created: u32,
    /// Changed.
    pub resources_updated: u32,
    /// Could not bring over.
    pub resources_failed: u32,
    /// Why it failed; `null` on a failure until n8n was asked.
    pub error_message: Option<String>,
    /// In which node.
    pub error_node: Option<String>,
    /// The execution that it tries again.
    pub retry_of: Option<String>,
    /// The one that tried it again and succeeded.
    pub retry_success_id: Option<String>,
    /// Who started it with `workflow-trigger`.
    pub triggered_by: Option<UserId>,
    /// Which way: `webhook`, `mcp` or `retry`.
    pub trigger_way: Option<String>,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).get(list).answer().await
}

async fn list(call: Call<Query>) -> Result<Page, Problem> {
    let user = call.caller.user()?;
    let Query { workflow_id, status, execution_id, cursor, limit } = call.input;
    let named = call.path.first().map(|text| text.parse().map_err(|_| Problem::not_found())).transpose()?;
    let before = edge::cursor::read(cursor.as_deref())?;
    let limit = edge::cursor::limit(limit)?;
    let query = ExecutionQuery { workflow: workflow_id.or(named), status, execution_id, before, limit };
    let found = executions::list(&Db::open().await?, &user.claims, &query).await?;
    let (page, servers) = found.ok_or_else(Problem::not_found)?;
    let last = page.rows.last().filter(|_| page.has_more);
    Ok(Page {
        next_cursor: last.map(|row| edge::cursor::write(row.start_time, row.id)),
        has_more: page.has_more,
        data: page.rows.into_iter().map(Row::from).collect(),
        servers: Standing::of(servers, call.now),
    })
}

impl From<Execution> for Row {
    fn from(one: Execution) -> Self {
        Self {
            id: one.id,
            registry_id: one.registry_id,
            workflow_id: one.mvp_workflow_id,
            integration_id: one.integration_id,
            n8n_workflow_id: one.workflow_id,
            workflow_name: one.workflow_name,
            execution_id: one.execution_id.to_string(),
            status: one.status,
            n8n_status: one.n8n_status,
            mode: one.mode,
            start_time: one.start_time,
            end_time: one.end_time,
            duration_ms: one.duration_ms,
            resources_created: one.resources_created,
            resources_updated: one.resources_updated,
            resources_failed: one.resources_failed,
            error_message: one.error_message,
            error_node: one.error_node,
            retry_of: one.retry_of.map(|id| id.to_string()),
            retry_success_id: one.retry_success_id.map(|id| id.to_string()),
            triggered_by: one.triggered_by,
            trigger_way: one.trigger_way,
        }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::get(Door::User, list)]
}
