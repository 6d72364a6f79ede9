//! `execution-poll`: reads the n8n servers whose turn it is, their executions and now and then their workflows.

use domain::IntegrationId;
use edge::describe::Operation;
use edge::{Accepted, Call, Door, Either, Problem};
use engine::{Deadline, Part, Read, Settings, Wanted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Db, n8n};

/// Workflows are read again after this many minutes, executions each time.
const FRESH: chrono::TimeDelta = chrono::TimeDelta::minutes(30);

/// Which servers to read.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "PollInput")]
pub struct Input {
    /// These, due or not; those that are due when absent.
    pub integration_ids: Option<Vec<IntegrationId>>,
}

/// What was read.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PollOutput")]
pub struct Output {
    /// One row for each server.
    pub data: Vec<Row>,
}

/// One server.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PolledServer")]
pub struct Row {
    /// The account.
    pub integration_id: IntegrationId,
    /// Executions that were news.
    pub executions: u64,
    /// Workflows that were new or had changed.
    pub workflows: u64,
    /// Whether everything was read; if not, it goes on by itself.
    pub complete: bool,
    /// Whether another call was reading it already.
    pub busy: bool,
    /// Why it could not be read.
    pub message: Option<String>,
    /// Requests that it took.
    pub requests: i64,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::Secret).post(execution_poll).answer().await
}

async fn execution_poll(call: Call<Input>) -> Result<Either<Accepted<Output>, Output>, Problem> {
    let deadline = Deadline::of_run(call.deadline.at());
    let ids = call.input.integration_ids;
    if call.prefer.respond_async {
        edge::after_answer(call.request_id, async move { poll(ids, deadline).await.map(drop) });
        return Ok(Either::Left(Accepted(Output { data: Vec::new() })));
    }
    Ok(Either::Right(poll(ids, deadline).await?))
}

async fn poll(ids: Option<Vec<IntegrationId>>, deadline: Deadline) -> Result<Output, Problem> {
    let db = Db::open().await?;
    let settings = Settings::read().await?;
    let wanted = Wanted { parts: &[Part::Workflows, Part::Executions], fresh: FRESH, by: None };
    let due = n8n::due(&db, ids.as_deref()).await?.into_iter().map(|server| server.integration_id);
    let read = engine::read_servers(&db, &settings, due, wanted, deadline).await;
    let row = |(id, read)| match read {
        Ok(read) => Row::of(id, read),
        Err(error) => Row::failed(id, domain::Fault::detail(&error)),
    };
    Ok(Output { data: read.into_iter().map(row).collect() })
}

impl Row {
    fn of(integration_id: IntegrationId, read: Read) -> Self {
        Self {
            integration_id,
            executions: read.executions,
            workflows: read.workflows.created.saturating_add(read.workflows.updated),
            complete: read.complete,
            busy: read.busy,
            message: read.failure,
            requests: read.requests,
        }
    }

    fn failed(integration_id: IntegrationId, message: String) -> Self {
        Self { message: Some(message), ..Self::of(integration_id, Read::default()) }
    }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![Operation::post(Door::Secret, execution_poll)]
}
