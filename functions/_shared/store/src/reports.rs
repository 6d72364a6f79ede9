//! How executions went over a period, and the executions themselves as they are exported.

use crate::db::user_sql;
use crate::page::Rows;
use crate::workflows::Servers;
use crate::{Claims, Db, PageOf, Result};
use chrono::{DateTime, Utc};
use domain::{
    ExecutionId, ExecutionStatus, ExecutionWord, IntegrationId, Provider, RegistryId, UserId, WorkflowId,
    WorkflowType,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// Of which workflows; all of them where nothing is said.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Filter {
    /// Only this workflow, by its id or that of the registry.
    pub workflow: Option<WorkflowId>,
    /// Only those that bring something in from there.
    pub provider: Option<Provider>,
    /// Only those that bring in this.
    pub workflow_type: Option<WorkflowType>,
}

/// What to report of.
#[derive(Debug, Clone, Serialize)]
pub struct ReportQuery {
    /// When the period before begins.
    pub before: DateTime<Utc>,
    /// When it ends and the period begins.
    pub from: DateTime<Utc>,
    /// When the period ends.
    pub to: DateTime<Utc>,
    /// `hour`, `day` or `week`.
    pub bucket: &'static str,
    /// Of which workflows.
    #[serde(flatten)]
    pub filter: Filter,
}

/// How some executions went.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(serialize = "camelCase"))]
pub struct Figures {
    /// Executions that began.
    pub executions: u64,
    /// Those that ended well.
    pub success: u64,
    /// Those that ended badly.
    pub failure: u64,
    /// Those that were stopped.
    pub cancelled: u64,
    /// Those that have not ended.
    pub running: u64,
    /// Those that somebody started by hand, with `workflow-trigger`.
    pub by_hand: u64,
    /// The share of successes among what ended well or badly, 0 to 1; `null` where nothing did.
    pub success_rate: Option<f64>,
    /// How long those that ended took on average, in milliseconds.
    pub average_ms: Option<i64>,
    /// Half of them took at most this long; between two of them it is interpolated.
    pub p50_ms: Option<i64>,
    /// 95 of 100 took at most this long.
    pub p95_ms: Option<i64>,
    /// 99 of 100 took at most this long.
    pub p99_ms: Option<i64>,
}

/// How the executions of one piece of the period went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// When it begins, in UTC; weeks begin on Mondays. The first one may begin before the period: what began before the
    /// period is not in it.
    pub start: DateTime<Utc>,
    /// How they went.
    #[serde(deserialize_with = "or_none")]
    pub figures: Figures,
}

/// How one workflow's executions went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(serialize = "camelCase"))]
pub struct OfWorkflow {
    /// The watched workflow.
    pub registry_id: RegistryId,
    /// The user's workflow, where it is one.
    pub workflow_id: Option<WorkflowId>,
    /// The server.
    pub integration_id: IntegrationId,
    /// What the server calls the workflow.
    pub n8n_workflow_id: String,
    /// Its name.
    pub workflow_name: String,
    /// From where it brings something in.
    pub provider: Provider,
    /// What it brings in; `null` until somebody says so.
    pub workflow_type: Option<WorkflowType>,
    /// How its executions went.
    pub figures: Figures,
}

/// Failures that are alike: the same message but for ids, numbers and quoted names, in the same node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(serialize = "camelCase"))]
pub struct Pattern {
    /// The message, with `<id>`, `<n>` and `<text>` for what differs; `null`: n8n was not yet asked why.
    pub pattern: Option<String>,
    /// The node in which they failed.
    pub node: Option<String>,
    /// How many there are.
    pub count: u64,
    /// When the first of them in the period began.
    pub first_seen: DateTime<Utc>,
    /// When the last one did.
    pub last_seen: DateTime<Utc>,
    /// The last one, by our id.
    pub example_id: ExecutionId,
    /// The same, by n8n's.
    pub example_execution_id: String,
    /// What it says in full.
    pub example_message: Option<String>,
    /// How many workflows are concerned.
    pub workflow_count: u64,
    /// Up to twenty of them, by name.
    pub workflows: Vec<Concerned>,
}

/// A workflow that fails so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(serialize = "camelCase"))]
pub struct Concerned {
    /// The watched workflow.
    pub registry_id: RegistryId,
    /// Its name.
    pub workflow_name: String,
}

/// How the executions that a user may see went.
#[derive(Debug, Clone, Deserialize)]
pub struct Report {
    known: bool,
    /// In the period.
    #[serde(deserialize_with = "or_none")]
    pub totals: Figures,
    /// In the one before.
    #[serde(deserialize_with = "or_none")]
    pub previous: Figures,
    /// Piece by piece.
    pub series: Vec<Point>,
    /// How many workflows had executions in the period.
    pub workflow_count: u64,
    /// Up to a hundred of them, the lowest share of successes first.
    pub workflows: Vec<OfWorkflow>,
    /// What failed most often, up to twenty kinds.
    pub failures: Vec<Pattern>,
    /// How fresh what is known of the servers is.
    pub servers: Servers,
}

/// Where nothing began, there are no figures: none of everything.
fn or_none<'de, D: Deserializer<'de>>(figures: D) -> std::result::Result<Figures, D::Error> {
    Ok(Option::deserialize(figures)?.unwrap_or_default())
}

/// How the executions that this user may see went; `None`: there is no such workflow.
pub async fn report(db: &Db, claims: &Claims, query: &ReportQuery) -> Result<Option<Report>> {
    let report: Report = db.call_as(claims, user_sql!("workflows/report"), query).await?;
    Ok(Some(report).filter(|report| report.known))
}

/// Which executions to export, oldest first.
#[derive(Debug, Clone, Serialize)]
pub struct ExportQuery {
    /// When the period begins.
    pub from: DateTime<Utc>,
    /// When it ends.
    pub to: DateTime<Utc>,
    /// Of which workflows.
    #[serde(flatten)]
    pub filter: Filter,
    /// Only those behind the one at this place.
    pub after: Option<(DateTime<Utc>, ExecutionId)>,
    /// How many, 1 to 1,000.
    pub limit: i32,
}

/// One execution, in the names that readers of an export see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all(serialize = "camelCase"))]
pub struct Exported {
    /// Ours.
    pub id: ExecutionId,
    /// What the server calls it.
    pub execution_id: String,
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
    /// From where it brings something in.
    pub provider: Provider,
    /// What it brings in.
    pub workflow_type: Option<WorkflowType>,
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
    /// How long it took, in milliseconds.
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
    pub retry_of: Option<String>,
    /// The one that tried it again and succeeded.
    pub retry_success_id: Option<String>,
    /// Who started it by hand.
    pub triggered_by: Option<UserId>,
    /// Which way.
    pub trigger_way: Option<String>,
}

/// The executions that this user may see; `None`: there is no such workflow.
pub async fn export(db: &Db, claims: &Claims, query: &ExportQuery) -> Result<Option<PageOf<Exported>>> {
    #[derive(Deserialize)]
    struct Answer {
        rows: Vec<Exported>,
        known: bool,
    }
    let answer: Answer = db.call_as(claims, user_sql!("workflows/export"), query).await?;
    Ok(answer.known.then(|| PageOf::cut(Rows::from(answer.rows), query.limit)))
}
