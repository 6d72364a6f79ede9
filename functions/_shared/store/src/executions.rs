//! Executions of watched workflows, as people see them.

use crate::db::user_sql;
use crate::page::Rows;
use crate::workflows::{Servers, Shown};
use crate::{Claims, Db, PageOf, Result};
use chrono::{DateTime, Utc};
use domain::{ExecutionId, ExecutionStatus, ExecutionWord, IntegrationId, RegistryId, UserId, WorkflowId};
use serde::{Deserialize, Serialize};

/// One execution.
#[derive(Debug, Clone, Deserialize)]
pub struct Execution {
    /// Ours.
    pub id: ExecutionId,
    /// The watched workflow.
    pub registry_id: RegistryId,
    /// The user's workflow, where it is one.
    pub mvp_workflow_id: Option<WorkflowId>,
    /// The server.
    pub integration_id: IntegrationId,
    /// What the server calls the workflow.
    pub workflow_id: String,
    /// The workflow's name.
    pub workflow_name: String,
    /// What the server calls the execution.
    pub execution_id: i64,
    /// How it stands.
    pub status: ExecutionStatus,
    /// The same in n8n's words.
    pub n8n_status: ExecutionWord,
    /// What started it.
    pub mode: Option<String>,
    /// When it began.
    pub start_time: DateTime<Utc>,
    /// When it ended.
    pub end_time: Option<DateTime<Utc>>,
    /// How long it took.
    pub duration_ms: Option<i64>,
    /// Resources that it says it made.
    pub resources_created: u32,
    /// Changed.
    pub resources_updated: u32,
    /// Could not bring over.
    pub resources_failed: u32,
    /// Why it failed.
    pub error_message: Option<String>,
    /// In which node.
    pub error_node: Option<String>,
    /// The execution that it tries again.
    pub retry_of: Option<i64>,
    /// The one that tried it again and succeeded.
    pub retry_success_id: Option<i64>,
    /// Who started it here.
    pub triggered_by: Option<UserId>,
    /// Which way.
    pub trigger_way: Option<String>,
}

/// Which executions to list, newest first.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ExecutionQuery {
    /// Only those of this workflow, by its id or that of the registry.
    pub workflow: Option<WorkflowId>,
    /// Only those that stand so.
    pub status: Option<ExecutionStatus>,
    /// Only the one that n8n calls this.
    pub execution_id: Option<i64>,
    /// Only those older than the one at this place.
    pub before: Option<(DateTime<Utc>, ExecutionId)>,
    /// How many, 1 to 1,000.
    pub limit: i32,
}

/// The executions that this user may see, with how fresh the list is; `None`: there is no such workflow.
pub async fn list(
    db: &Db,
    claims: &Claims,
    query: &ExecutionQuery,
) -> Result<Option<(PageOf<Execution>, Servers)>> {
    let shown: Shown<Execution> = db.call_as(claims, user_sql!("workflows/executions"), query).await?;
    Ok(shown.known.then(|| (PageOf::cut(Rows::from(shown.rows), query.limit), shown.servers)))
}
