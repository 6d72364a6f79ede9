//! `workflow-registry`: which workflows of n8n are watched, what they are for, and whether all of them are.

use chrono::{DateTime, Utc};
use domain::{IntegrationId, Provider, RegistryId, WorkflowType};
use edge::describe::Operation;
use edge::{Call, Created, Door, Empty, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::registry::{self, Change, Registered, Watched};
use store::{Claims, Db};

/// Which to show.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(rename = "RegistryQuery")]
pub struct Query {
    /// This one.
    pub id: Option<RegistryId>,
    /// Those of this server.
    pub integration_id: Option<IntegrationId>,
    /// Those of this type.
    pub workflow_type: Option<WorkflowType>,
    /// Those from this provider.
    pub provider: Option<Provider>,
    /// Those that are watched (`true`), or are not.
    pub is_active: Option<bool>,
    /// Where the page before ended (`next_cursor`).
    pub cursor: Option<String>,
    /// 1 to 1,000; 50 when absent.
    pub limit: Option<i32>,
}

/// A workflow to be watched.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "RegistryInput")]
pub struct Input {
    /// What n8n calls it.
    pub workflow_id: String,
    /// The server; the user's own or their organization's when absent.
    #[serde(default)]
    pub integration_id: Option<IntegrationId>,
    /// Its name; n8n's when absent.
    #[serde(default)]
    pub workflow_name: Option<String>,
    /// What it brings into the CMDB.
    #[serde(default)]
    pub workflow_type: Option<WorkflowType>,
    /// From where; `others` when absent.
    #[serde(default)]
    pub provider: Option<Provider>,
    /// Whether its executions are stored; `true` when absent.
    #[serde(default)]
    pub is_active: Option<bool>,
}

/// What changes of a watched workflow; what is absent stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "RegistryChange")]
pub struct Update {
    /// The entry.
    pub id: RegistryId,
    /// What it brings into the CMDB.
    #[serde(default)]
    pub workflow_type: Option<WorkflowType>,
    /// From where.
    #[serde(default)]
    pub provider: Option<Provider>,
    /// Whether its executions are stored.
    #[serde(default)]
    pub is_active: Option<bool>,
}

/// Which entry to remove.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "RegistryRemoval")]
pub struct Removal {
    /// The entry.
    pub id: Option<RegistryId>,
}

/// One page, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RegistryPage")]
pub struct Page {
    /// The entries.
    pub data: Vec<Row>,
    /// How many of the servers' workflows are in the registry.
    pub coverage: Coverage,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// How complete the registry is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Coverage {
    /// Workflows that the servers have, as far as this user may see.
    pub total: u64,
    /// Those of them in the registry. Every one that is seen is registered, so this is all of them.
    pub registered: u64,
    /// Those whose executions are stored.
    pub watched: u64,
    /// Those of which nobody has said what they are for.
    pub unclassified: u64,
}

/// One entry.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RegistryEntry")]
pub struct Row {
    /// The entry.
    pub id: RegistryId,
    /// The server.
    pub integration_id: IntegrationId,
    /// What the server calls the workflow.
    pub workflow_id: String,
    /// Its name.
    pub workflow_name: String,
    /// What it brings into the CMDB; `null` until somebody says so.
    pub workflow_type: Option<String>,
    /// From where.
    pub provider: String,
    /// Whether its executions are stored.
    pub is_active: bool,
    /// Since when it is known.
    pub created_at: DateTime<Utc>,
    /// When it was changed.
    pub updated_at: DateTime<Utc>,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).get(list).post(create).put(update).delete(remove).answer().await
}

async fn list(call: Call<Query>) -> Result<Page, Problem> {
    let user = call.caller.user()?;
    let Query { id, integration_id, workflow_type, provider, is_active, cursor, limit } = call.input;
    let query = registry::Query {
        ids: id.map(|id| vec![id]),
        integration_id,
        workflow_type: word(workflow_type),
        provider: word(provider),
        is_active,
        before: edge::cursor::read(cursor.as_deref())?,
        limit: edge::cursor::limit(limit)?,
    };
    let (page, coverage) = registry::list(&Db::open().await?, &user.claims, &query).await?;
    if id.is_some() && page.rows.is_empty() {
        return Err(Problem::not_found());
    }
    let last = page.rows.last().filter(|_| page.has_more);
    let registry::Coverage { total, registered, watched, unclassified } = coverage;
    Ok(Page {
        next_cursor: last.map(|row| edge::cursor::write(row.created_at, row.id)),
        has_more: page.has_more,
        data: page.rows.into_iter().map(Row::from).collect(),
        coverage: Coverage { total, registered, watched, unclassified },
    })
}

async fn create(call: Call<Input>) -> Result<Created<Row>, Problem> {
    let user = call.caller.user()?;
    let input = call.input;
    if input.workflow_id.is_empty() || input.workflow_id.len() > 255 {
        return Err(Problem::invalid("/workflowId", "This is n8n's id, 1 to 255 characters."));
    }
    let change = Change {
        id: RegistryId::from_random(engine::random()),
        integration_id: input.integration_id,
        workflow_id: Some(input.workflow_id),
        workflow_name: input.workflow_name.filter(|name| !name.is_empty()),
        workflow_type: word(input.workflow_type),
        provider: word(input.provider),
        is_active: input.is_active,
    };
    let db = Db::open().await?;
    match registry::register(&db, &user.claims, &change).await? {
        Registered::Yes => Ok(Created(one(&db, &user.claims, change.id).await?)),
        Registered::Known => Err(Problem::conflict("This workflow is in the registry already.")),
        Registered::NoServer => Err(Problem::invalid(
            "/integrationId",
            "This is no n8n server whose workflows you may have watched.",
        )),
    }
}

async fn update(call: Call<Update>) -> Result<Row, Problem> {
    let user = call.caller.user()?;
    let Update { id, workflow_type, provider, is_active } = call.input;
    let change = Change {
        id,
        integration_id: None,
        workflow_id: None,
        workflow_name: None,
        workflow_type: word(workflow_type),
        provider: word(provider),
        is_active,
    };
    let db = Db::open().await?;
    if registry::reclassify(&db, &user.claims, &change).await? {
        one(&db, &user.claims, id).await
    } else {
        Err(Problem::not_found())
    }
}

async fn remove(call: Call<Removal>) -> Result<Empty, Problem> {
    let user = call.caller.user()?;
    let id = call.input.id.ok_or_else(|| Problem::invalid("/id", "Name the entry."))?;
    let forgotten = registry::forget(&Db::open().await?, &user.claims, id).await?;
    if forgotten.removed {
        Ok(Empty)
    } else if forgotten.kept {
        Err(Problem::conflict(
            "n8n still has this workflow: it would be registered again, and its executions counted twice. Set `isActive` to `false`.",
        ))
    } else {
        Err(Problem::not_found())
    }
}

async fn one(db: &Db, claims: &Claims, id: RegistryId) -> Result<Row, Problem> {
    let query = registry::Query { ids: Some(vec![id]), limit: 1, ..registry::Query::default() };
    let (page, _) = registry::list(db, claims, &query).await?;
    page.rows.into_iter().next().map(Row::from).ok_or_else(Problem::not_found)
}

/// The word of an enumeration, as the table has it.
fn word<T: Serialize>(value: Option<T>) -> Option<String> {
    let value = serde_json::to_value(value?).ok()?;
    value.as_str().map(str::to_owned)
}

impl From<Watched> for Row {
    fn from(one: Watched) -> Self {
        Self {
            id: one.id,
            integration_id: one.integration_id,
            workflow_id: one.workflow_id,
            workflow_name: one.workflow_name,
            workflow_type: one.workflow_type,
            provider: one.provider,
            is_active: one.is_active,
            created_at: one.created_at,
            updated_at: one.updated_at,
        }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(Door::User, list),
        Operation::post(Door::User, create).summary("Watches a workflow of n8n."),
        Operation::put(Door::User, update)
            .summary("Says what a watched workflow is for, or stops watching it."),
        Operation::delete(Door::User, remove)
            .summary("Drops the entry of a workflow that is gone, and what is stored of its executions."),
    ]
}
