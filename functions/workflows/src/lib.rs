//! `workflows`: a user's own workflows, stored here first and then deployed to n8n.

use chrono::{DateTime, Utc};
use domain::{ExecutionStatus, IntegrationId, OrgId, Value, WorkflowId};
use edge::describe::Operation;
use edge::{Call, Created, Door, Problem};
use engine::{Deadline, Settings, Standing};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Db;
use store::workflows::{self, NewWorkflow, Workflow, WorkflowQuery};

/// The words of their state.
const STATES: &[&str] = &["draft", "deploying", "deployed", "failed", "archived"];

/// Which workflows to show.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(rename = "WorkflowsQuery")]
pub struct Query {
    /// This one.
    pub id: Option<WorkflowId>,
    /// `draft`, `deploying`, `deployed`, `failed` or `archived`.
    pub status: Option<String>,
    /// Where the page before ended (`next_cursor`).
    pub cursor: Option<String>,
    /// 1 to 1,000; 50 when absent.
    pub limit: Option<i32>,
}

/// A new workflow.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "NewWorkflow")]
pub struct Input {
    /// What people call it, 1 to 100 characters. In n8n it is called `[USR-<who>] <name>`.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// `nodes`, `connections` and `settings`, as n8n exports them.
    pub definition: Value,
    /// An organization that sees it.
    #[serde(default)]
    pub org_id: Option<OrgId>,
    /// The n8n server; the user's own, their organization's or the deployment's when absent.
    #[serde(default)]
    pub integration_id: Option<IntegrationId>,
    /// Whether it goes to n8n now, which is so unless this is `false`.
    #[serde(default = "yes")]
    pub deploy: bool,
    /// Whether it is published there.
    #[serde(default)]
    pub activate: bool,
}

const fn yes() -> bool {
    true
}

/// One page, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WorkflowsPage")]
pub struct Page {
    /// The workflows.
    pub data: Vec<Row>,
    /// How the servers that they are on stand, and how old their counts are.
    pub servers: Vec<Standing>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// One workflow.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "UserWorkflow")]
pub struct Row {
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
    /// The server that it is on.
    pub integration_id: Option<IntegrationId>,
    /// What the server calls it.
    pub n8n_workflow_id: Option<String>,
    /// `draft`, `deploying`, `deployed`, `failed` or `archived`.
    pub status: String,
    /// Whether it is published.
    pub is_active: bool,
    /// Why it is not in n8n, or not as it is stored here.
    pub deploy_error: Option<String>,
    /// Executions that were ever seen. This and the next two never shrink when n8n drops old ones.
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

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).get(list).post(create).answer().await
}

async fn list(call: Call<Query>) -> Result<Page, Problem> {
    let user = call.caller.user()?;
    let Query { id, status, cursor, limit } = call.input;
    if status.as_deref().is_some_and(|status| !STATES.contains(&status)) {
        return Err(Problem::invalid("/status", format!("This is one of {}.", STATES.join(", "))));
    }
    let before = edge::cursor::read(cursor.as_deref())?;
    let limit = edge::cursor::limit(limit)?;
    let query = WorkflowQuery { ids: id.map(|id| vec![id]), status, before, limit };
    let (page, servers) = workflows::list(&Db::open().await?, &user.claims, &query).await?;
    if id.is_some() && page.rows.is_empty() {
        return Err(Problem::not_found());
    }
    let last = page.rows.last().filter(|_| page.has_more);
    Ok(Page {
        next_cursor: last.map(|row| edge::cursor::write(row.created_at, row.id)),
        has_more: page.has_more,
        data: page.rows.into_iter().map(Row::from).collect(),
        servers: Standing::of(servers, call.now),
    })
}

/// Stored first: what n8n then says of it, the row tells, and it can be deployed again.
async fn create(call: Call<Input>) -> Result<Created<Row>, Problem> {
    let user = call.caller.user()?;
    let input = &call.input;
    let name = input.name.trim();
    if name.is_empty() || name.chars().count() > 100 {
        return Err(Problem::invalid("/name", "This is a name of 1 to 100 characters."));
    }
    engine::check_definition(name, &input.definition)
        .map_err(|error| Problem::invalid("/definition", domain::Fault::detail(&error)))?;
    let db = Db::open().await?;
    let integration_id = if input.deploy {
        let may = workflows::permitted(&db, &user.claims, None, input.integration_id).await?;
        Some(may.integration_id.ok_or_else(no_server)?)
    } else {
        None
    };
    let id = WorkflowId::from_random(engine::random());
    let description = input.description.as_deref();
    let new = NewWorkflow { id, org_id: input.org_id, name, description, definition: &input.definition };
    workflows::create(&db, &user.claims, &new).await?;
    if let Some(integration_id) = integration_id {
        let settings = Settings::read().await?;
        let activate = input.activate.then_some(true);
        let deadline = Deadline::of_run(call.deadline.at());
        // That it failed is in the row: `status`, and what to do in `deployError`.
        drop(engine::deploy(&db, &settings, id, integration_id, activate, deadline).await);
    }
    let query = WorkflowQuery { ids: Some(vec![id]), limit: 1, ..WorkflowQuery::default() };
    let (page, _) = workflows::list(&db, &user.claims, &query).await?;
    page.rows.into_iter().next().map(|row| Created(Row::from(row))).ok_or_else(Problem::not_found)
}

fn no_server() -> Problem {
    let what = "There is no n8n server for this. Connect one with `integrations`, or ask the project's owner to share the deployment's.";
    Problem::invalid("/integrationId", what)
}

impl From<Workflow> for Row {
    fn from(workflow: Workflow) -> Self {
        Self {
            id: workflow.id,
            org_id: workflow.org_id,
            name: workflow.name,
            description: workflow.description,
            definition: workflow.definition,
            integration_id: workflow.integration_id,
            n8n_workflow_id: workflow.n8n_workflow_id,
            status: workflow.status,
            is_active: workflow.is_active,
            deploy_error: workflow.deploy_error,
            execution_count: workflow.execution_count,
            successful_executions: workflow.successful_executions,
            failed_executions: workflow.failed_executions,
            last_execution_at: workflow.last_execution_at,
            last_execution_status: workflow.last_execution_status,
            last_sync_at: workflow.last_sync_at,
            created_at: workflow.created_at,
            updated_at: workflow.updated_at,
        }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(Door::User, list),
        Operation::post(Door::User, create).summary("Stores a workflow and deploys it to n8n."),
    ]
}
