//! Users' workflows, which of n8n's are watched, and their executions, as people see them.

use crate::db::{sql, user_sql};
use crate::page::Rows;
use crate::{Claims, Db, PageOf, Result};
use chrono::{DateTime, Utc};
use domain::{ExecutionStatus, IntegrationId, OrgId, RegistryId, UserId, Value, WorkflowId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How fresh what we show of a server is.
#[derive(Debug, Clone, Deserialize)]
pub struct Freshness {
    /// Whether it answered last.
    pub available: bool,
    /// Why not.
    pub failure: Option<String>,
    /// Since when.
    pub failed_since: Option<DateTime<Utc>>,
    /// When its workflows were read last.
    pub workflows_at: Option<DateTime<Utc>>,
    /// When its executions were.
    pub executions_at: Option<DateTime<Utc>>,
}

/// What is known of each server of a page.
pub type Servers = BTreeMap<IntegrationId, Freshness>;

/// A user's workflow.
#[derive(Debug, Clone, Deserialize)]
pub struct Workflow {
    /// The workflow.
    pub id: WorkflowId,
    /// Its organization.
    pub org_id: Option<OrgId>,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Nodes, connections and settings.
    pub definition: Value,
    /// The server it is on.
    pub integration_id: Option<IntegrationId>,
    /// What the server calls it.
    pub n8n_workflow_id: Option<String>,
    /// `draft`, `deploying`, `deployed`, `failed` or `archived`.
    pub status: String,
    /// Whether it is published there.
    pub is_active: bool,
    /// Why it is not there.
    pub deploy_error: Option<String>,
    /// Executions that were ever seen.
    pub execution_count: u64,
    /// Those that ended well.
    pub successful_executions: u64,
    /// Those that ended badly.
    pub failed_executions: u64,
    /// When the newest began.
    pub last_execution_at: Option<DateTime<Utc>>,
    /// How it stands.
    pub last_execution_status: Option<ExecutionStatus>,
    /// When n8n last told of it.
    pub last_sync_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When anything of it changed.
    pub updated_at: DateTime<Utc>,
}

/// Which workflows to list, newest first.
#[derive(Debug, Clone, Default, Serialize)]
pub struct WorkflowQuery {
    /// Only these.
    pub ids: Option<Vec<WorkflowId>>,
    /// Only those in this state.
    pub status: Option<String>,
    /// Only those older than the one at this place.
    pub before: Option<(DateTime<Utc>, WorkflowId)>,
    /// How many, 1 to 1,000.
    pub limit: i32,
}

/// Rows with what is known of their servers.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(crate) struct Shown<T> {
    pub(crate) rows: Vec<T>,
    pub(crate) servers: Servers,
    #[serde(default)]
    pub(crate) known: bool,
}

/// The workflows that this user may see, and how fresh their counts are.
pub async fn list(db: &Db, claims: &Claims, query: &WorkflowQuery) -> Result<(PageOf<Workflow>, Servers)> {
    let shown: Shown<Workflow> = db.call_as(claims, user_sql!("workflows/list"), query).await?;
    Ok((PageOf::cut(Rows::from(shown.rows), query.limit), shown.servers))
}

/// A new workflow.
#[derive(Debug, Clone, Serialize)]
pub struct NewWorkflow<'a> {
    /// Its id.
    pub id: WorkflowId,
    /// Its organization.
    pub org_id: Option<OrgId>,
    /// What people call it.
    pub name: &'a str,
    /// What it is for.
    pub description: Option<&'a str>,
    /// Nodes, connections and settings.
    pub definition: &'a Value,
}

/// Stores a user's new workflow.
pub async fn create(db: &Db, claims: &Claims, workflow: &NewWorkflow<'_>) -> Result<()> {
    #[derive(Deserialize)]
    struct Answer {}
    db.call_as::<_, Answer>(claims, user_sql!("workflows/create"), workflow).await.map(drop)
}

/// A workflow that somebody wants deployed or started.
#[derive(Debug, Clone, Deserialize)]
pub struct Named {
    /// The watched workflow.
    pub registry_id: Option<RegistryId>,
    /// The user's workflow.
    pub mvp_id: Option<WorkflowId>,
    /// The server it is on.
    pub integration_id: Option<IntegrationId>,
    /// What the server calls it.
    pub workflow_id: Option<String>,
    /// What people call it.
    pub name: String,
    /// Whether this user may.
    pub permitted: bool,
}

/// What a user may do with a workflow.
#[derive(Debug, Clone, Deserialize)]
pub struct Permission {
    /// The workflow, where the user sees one.
    pub workflow: Option<Named>,
    /// The server that it would be deployed to.
    pub integration_id: Option<IntegrationId>,
}

/// Whether a user may have a workflow deployed or started, by its id here or in the registry.
pub async fn permitted(
    db: &Db,
    claims: &Claims,
    id: Option<WorkflowId>,
    integration_id: Option<IntegrationId>,
) -> Result<Permission> {
    #[derive(Serialize)]
    struct Input {
        id: Option<WorkflowId>,
        integration_id: Option<IntegrationId>,
    }
    db.call_as(claims, user_sql!("workflows/permitted"), &Input { id, integration_id }).await
}

/// A workflow that is ours to deploy now.
#[derive(Debug, Clone, Deserialize)]
pub struct Deploying {
    /// Nodes, connections and settings, as they are stored.
    pub definition: Value,
    /// What the server calls it, where it is there already.
    pub n8n_workflow_id: Option<String>,
    /// What the server has of it.
    pub deployed_hash: Option<String>,
    /// Which version that is there; an edit in n8n has another.
    pub deployed_version: Option<String>,
    /// Its name there.
    pub n8n_name: String,
    /// The tag that it is found again by.
    pub tag: String,
    /// Whether an earlier attempt may have left it there.
    pub tried: bool,
    /// Whether it was published when its server last told of it.
    pub is_active: bool,
    /// Whether it does not belong on this server yet.
    pub is_elsewhere: bool,
    /// What it leaves behind on another server.
    pub former: Option<Former>,
}

/// A workflow on the server that it was deployed to before.
#[derive(Debug, Clone, Deserialize)]
pub struct Former {
    /// The server.
    pub integration_id: IntegrationId,
    /// What that calls it.
    pub n8n_workflow_id: String,
}

/// Begins to deploy a workflow; `None` while another is at it.
pub async fn begin_deploy(
    db: &Db,
    id: WorkflowId,
    integration_id: IntegrationId,
    lease_seconds: i32,
) -> Result<Option<Deploying>> {
    #[derive(Serialize)]
    struct Input {
        id: WorkflowId,
        integration_id: IntegrationId,
        lease_seconds: i32,
    }
    #[derive(Deserialize)]
    struct Answer {
        workflow: Option<Deploying>,
    }
    let input = Input { id, integration_id, lease_seconds };
    Ok(db.call::<_, Answer>(sql!("workflows/begin_deploy"), &input).await?.workflow)
}

/// From now on the workflow belongs on this server, where it is not yet.
pub async fn settle(db: &Db, id: WorkflowId, integration_id: IntegrationId) -> Result<()> {
    #[derive(Serialize)]
    struct Input {
        id: WorkflowId,
        integration_id: IntegrationId,
    }
    #[derive(Deserialize)]
    struct Answer {}
    db.call::<_, Answer>(sql!("workflows/settle"), &Input { id, integration_id }).await.map(drop)
}

/// Remembers which workflow n8n has made for this one.
pub async fn made(db: &Db, id: WorkflowId, n8n_workflow_id: &str) -> Result<()> {
    #[derive(Serialize)]
    struct Input<'a> {
        id: WorkflowId,
        n8n_workflow_id: &'a str,
    }
    #[derive(Deserialize)]
    struct Answer {}
    db.call::<_, Answer>(sql!("workflows/made"), &Input { id, n8n_workflow_id }).await.map(drop)
}

/// How a deployment ended.
#[derive(Debug, Clone, Serialize)]
pub struct Deployed<'a> {
    /// The workflow.
    pub id: WorkflowId,
    /// Whether it is published.
    pub is_active: Option<bool>,
    /// What the server has of it now.
    pub hash: Option<&'a str>,
    /// Which version that is there.
    pub version: Option<&'a str>,
    /// Why it failed.
    pub error: Option<&'a str>,
}

/// Ends a deployment.
pub async fn end_deploy(db: &Db, deployed: &Deployed<'_>) -> Result<()> {
    #[derive(Deserialize)]
    struct Answer {}
    db.call::<_, Answer>(sql!("workflows/end_deploy"), deployed).await.map(drop)
}

/// Those of a server's workflows that no user's workflow stands for.
pub async fn unclaimed(
    db: &Db,
    integration_id: IntegrationId,
    workflow_ids: &[String],
) -> Result<Vec<String>> {
    #[derive(Serialize)]
    struct Input<'a> {
        integration_id: IntegrationId,
        workflow_ids: &'a [String],
    }
    #[derive(Deserialize)]
    struct Answer {
        workflow_ids: Vec<String>,
    }
    let input = Input { integration_id, workflow_ids };
    Ok(db.call::<_, Answer>(sql!("workflows/unclaimed"), &input).await?.workflow_ids)
}

/// A workflow in n8n that nothing stands for any more.
#[derive(Debug, Clone, Deserialize)]
pub struct Leftover {
    /// What the server calls it.
    pub workflow_id: String,
    /// Its name there.
    pub name: String,
    /// When it was changed last.
    pub n8n_updated_at: Option<DateTime<Utc>>,
    /// When it last ran.
    pub last_execution_at: Option<DateTime<Utc>>,
}

/// Our own workflows on a server that nothing stands for, not changed for so many days; at most 1,000.
pub async fn leftovers(db: &Db, integration_id: IntegrationId, days: u32) -> Result<Vec<Leftover>> {
    #[derive(Serialize)]
    struct Input {
        integration_id: IntegrationId,
        days: u32,
    }
    let rows: Rows<Leftover> = db.call(sql!("workflows/leftovers"), &Input { integration_id, days }).await?;
    Ok(PageOf::cut(rows, 1_000).rows)
}

#[derive(Serialize)]
struct There<'a> {
    integration_id: IntegrationId,
    workflow_id: &'a str,
}

/// How a workflow can be started.
#[derive(Debug, Clone, Deserialize)]
pub struct Start {
    /// Its production webhook: method, path and node.
    pub webhook: Option<Value>,
    /// The node that n8n's MCP server starts.
    pub trigger_node: Option<String>,
    /// What that node wants to be given: `webhook`, `form`, `chat` or `nothing`.
    pub trigger_takes: Option<String>,
    /// Whether the MCP server may start it.
    pub in_mcp: bool,
    /// Whether it is published.
    pub is_active: bool,
    /// Whether the mirror has it.
    pub is_known: bool,
    /// Its last failed execution that was not tried again with success.
    pub failed_execution: Option<i64>,
    /// The highest execution id that is known of it; 0 for none.
    pub newest: i64,
}

/// How a workflow of a server can be started.
pub async fn start(db: &Db, integration_id: IntegrationId, workflow_id: &str) -> Result<Start> {
    db.call(sql!("workflows/start"), &There { integration_id, workflow_id }).await
}

/// Somebody has started a workflow.
#[derive(Debug, Clone, Serialize)]
pub struct Triggered<'a> {
    /// The server.
    pub integration_id: IntegrationId,
    /// What it calls the workflow.
    pub workflow_id: &'a str,
    /// Who.
    pub user_id: UserId,
    /// `webhook`, `mcp` or `retry`.
    pub way: &'a str,
    /// The execution, where n8n said which.
    pub execution_id: Option<i64>,
}

/// Writes down that somebody has started a workflow.
pub async fn triggered(db: &Db, triggered: &Triggered<'_>) -> Result<()> {
    #[derive(Deserialize)]
    struct Answer {}
    db.call::<_, Answer>(sql!("workflows/triggered"), triggered).await.map(drop)
}
