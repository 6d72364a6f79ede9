//! `workflow-trigger`: starts a workflow by hand, by its webhook, by n8n's MCP server, or by trying a failure again.

use domain::{ExecutionStatus, Value, WorkflowId};
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use engine::{Deadline, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Db, workflows};

/// What to start.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "TriggerInput")]
pub struct Input {
    /// The workflow: its id in `workflows` or in `workflow-registry`. Needed where the address names none.
    #[serde(default)]
    pub workflow_id: Option<WorkflowId>,
    /// That it is meant: must be `true`.
    #[serde(default)]
    pub confirm: bool,
    /// What the workflow is handed, an object; `{}` when absent.
    #[serde(default)]
    pub payload: Option<Value>,
    /// Only this way; the first that is possible when absent.
    #[serde(default)]
    pub way: Option<Way>,
}

/// Which way a workflow is started, in the order they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "TriggerWay")]
pub enum Way {
    /// Its production webhook.
    Webhook,
    /// n8n's MCP server.
    Mcp,
    /// Its last failed execution once more.
    Retry,
}

/// What was started.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TriggerOutput")]
pub struct Output {
    /// The workflow.
    pub workflow_id: WorkflowId,
    /// Which way it went.
    pub way: Way,
    /// What n8n calls the execution, for `executions`; `null` where that could not be told yet.
    pub execution_id: Option<String>,
    /// How it stands; it is followed until it has ended.
    pub status: Option<ExecutionStatus>,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).post(workflow_trigger).answer().await
}

async fn workflow_trigger(call: Call<Input>) -> Result<Output, Problem> {
    let user = call.caller.user()?;
    let Input { workflow_id, confirm, payload, way } = call.input;
    let named = call.path.first().map(|text| text.parse().map_err(|_| Problem::not_found())).transpose()?;
    let id = workflow_id.or(named).ok_or_else(|| Problem::invalid("/workflowId", "Name the workflow."))?;
    if !confirm {
        let what = "A workflow may do anything. Send `true` to say that it is meant to be started.";
        return Err(Problem::invalid("/confirm", what));
    }
    let payload = payload.unwrap_or_else(|| json!({}));
    if !payload.is_object() {
        return Err(Problem::invalid("/payload", "This is an object."));
    }
    let db = Db::open().await?;
    let found = workflows::permitted(&db, &user.claims, Some(id), None).await?.workflow;
    let named = found.ok_or_else(Problem::not_found)?;
    if !named.permitted {
        return Err(Problem::forbidden());
    }
    let (Some(integration_id), Some(n8n_id)) = (named.integration_id, named.workflow_id) else {
        return Err(Problem::conflict("This workflow is not in n8n yet. Deploy it first."));
    };
    let settings = Settings::read().await?;
    let deadline = Deadline::of_run(call.deadline.at());
    let there = (integration_id, n8n_id.as_str());
    let way = way.map(engine::Way::from);
    let started = engine::trigger(&db, &settings, user.id, there, &payload, way, deadline).await?;
    Ok(Output {
        workflow_id: id,
        way: started.way.into(),
        execution_id: started.execution_id.map(|id| id.to_string()),
        status: started.status,
    })
}

impl From<Way> for engine::Way {
    fn from(way: Way) -> Self {
        match way {
            Way::Webhook => Self::Webhook,
            Way::Mcp => Self::Mcp,
            Way::Retry => Self::Retry,
        }
    }
}

impl From<engine::Way> for Way {
    fn from(way: engine::Way) -> Self {
        match way {
            engine::Way::Webhook => Self::Webhook,
            engine::Way::Mcp => Self::Mcp,
            engine::Way::Retry => Self::Retry,
        }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::User, workflow_trigger)]
}
