//! `workflow-cleanup`: lists what is left in n8n of workflows that nobody has any more, and removes it where that is wanted.

use chrono::{DateTime, Utc};
use domain::IntegrationId;
use edge::describe::Operation;
use edge::{Accepted, Call, Door, Either, Problem};
use engine::{Cleanup, Deadline, Removal, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Db, n8n};

/// What to clean up.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "CleanupInput")]
pub struct Input {
    /// These servers; all in use when absent.
    pub integration_ids: Option<Vec<IntegrationId>>,
    /// Only list, which is so unless this is `false`.
    pub dry_run: bool,
    /// Only what has neither changed nor run for so many days, 0 to 3,650; 7 when absent.
    pub days: u32,
}

impl Default for Input {
    fn default() -> Self {
        Self { integration_ids: None, dry_run: true, days: 7 }
    }
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CleanupOutput")]
pub struct Output {
    /// Whether it was only listed.
    pub dry_run: bool,
    /// Workflows that were removed.
    pub removed: u64,
    /// Every workflow that nothing stands for.
    pub data: Vec<Row>,
    /// Servers that could not be read, with the reason.
    pub errors: Vec<ServerError>,
}

/// One workflow of ours in n8n that nothing stands for.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CleanupRow")]
pub struct Row {
    /// The server.
    pub integration_id: IntegrationId,
    /// What it calls the workflow.
    pub n8n_workflow_id: String,
    /// Its name there.
    pub name: String,
    /// When it changed last.
    pub changed_at: Option<DateTime<Utc>>,
    /// When it last ran.
    pub last_execution_at: Option<DateTime<Utc>>,
    /// Whether it was archived, or deleted where n8n knows no archive; `null` where nothing was tried.
    pub removed: Option<bool>,
    /// Why it was not.
    pub reason: Option<String>,
}

/// One server that could not be read.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CleanupServerError")]
pub struct ServerError {
    /// The server.
    pub integration_id: IntegrationId,
    /// What is wrong.
    pub message: String,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::Secret).post(workflow_cleanup).answer().await
}

async fn workflow_cleanup(call: Call<Input>) -> Result<Either<Accepted<Output>, Output>, Problem> {
    if call.input.days > 3_650 {
        return Err(Problem::invalid("/days", "This is a number from 0 to 3,650."));
    }
    let deadline = Deadline::of_run(call.deadline.at());
    let input = call.input;
    if call.prefer.respond_async {
        let dry_run = input.dry_run;
        edge::after_answer(call.request_id, async move { clean_up(input, deadline).await.map(drop) });
        let nothing = Output { dry_run, removed: 0, data: Vec::new(), errors: Vec::new() };
        return Ok(Either::Left(Accepted(nothing)));
    }
    Ok(Either::Right(clean_up(input, deadline).await?))
}

async fn clean_up(input: Input, deadline: Deadline) -> Result<Output, Problem> {
    let Input { integration_ids, dry_run, days } = input;
    let db = Db::open().await?;
    let settings = Settings::read().await?;
    let mut output = Output { dry_run, removed: 0, data: Vec::new(), errors: Vec::new() };
    let servers = match integration_ids {
        Some(ids) => n8n::due(&db, Some(&ids)).await?,
        None => n8n::in_use(&db).await?,
    };
    for server in servers {
        let integration_id = server.integration_id;
        match engine::clean_up(&db, &settings, integration_id, Cleanup { days, dry_run }, deadline).await {
            Ok(found) => output.data.extend(found.into_iter().map(|one| Row::of(integration_id, one))),
            Err(error) => {
                let message = domain::Fault::detail(&error);
                output.errors.push(ServerError { integration_id, message });
            }
        }
    }
    output.removed =
        u64::try_from(output.data.iter().filter(|row| row.removed == Some(true)).count()).unwrap_or(u64::MAX);
    Ok(output)
}

impl Row {
    fn of(integration_id: IntegrationId, removal: Removal) -> Self {
        let Removal { leftover, removed, reason } = removal;
        Self {
            integration_id,
            n8n_workflow_id: leftover.workflow_id,
            name: leftover.name,
            changed_at: leftover.n8n_updated_at,
            last_execution_at: leftover.last_execution_at,
            removed,
            reason,
        }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::Secret, workflow_cleanup)]
}
