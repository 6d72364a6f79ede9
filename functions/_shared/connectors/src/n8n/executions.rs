//! Executions of workflows: how they stand and why they failed, never what they worked with.

use super::failure;
use super::replies::{Listing, RawError, RawExecution, text, time};
use super::site;
use crate::{Account, Error, ErrorKind, Exchange, Result, Step, read};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use domain::{ExecutionStatus, ExecutionWord, Value};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::form_urlencoded;

/// The most executions of one page.
const PAGE: u32 = 250;
/// The longest message of a failure, in characters.
const LONGEST_MESSAGE: usize = 1_000;

/// One execution of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// n8n's id, which counts up.
    pub id: i64,
    /// The workflow.
    pub workflow_id: Option<String>,
    /// How it stands.
    pub word: ExecutionWord,
    /// What started it: `webhook`, `trigger`, `manual`, `retry`, `error`.
    pub mode: Option<String>,
    /// When it began; `None` while it is queued.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended; `None` unless it has.
    pub stopped_at: Option<DateTime<Utc>>,
    /// Until when it waits.
    pub wait_till: Option<DateTime<Utc>>,
    /// The execution that this one tries again.
    pub retry_of: Option<i64>,
    /// The execution that succeeded where this one failed.
    pub retry_success_id: Option<i64>,
    /// Why it failed, where that was asked for or told.
    pub error: Option<Failure>,
}

/// Why an execution failed: never its data, which holds secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// n8n's message, at most 1,000 characters.
    pub message: String,
    /// The node that it failed at.
    pub node: Option<String>,
}

/// Which executions to ask for.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExecutionAsk<'a> {
    /// Only those that stand like this. Without it those that are running are left out.
    pub word: Option<ExecutionWord>,
    /// Only those of this workflow.
    pub workflow_id: Option<&'a str>,
    /// Only those with a smaller id.
    pub below: Option<i64>,
    /// Executions wanted, at most 250.
    pub limit: u32,
    /// Whether to say why they failed. n8n then sends all their data along, which may be megabytes.
    pub with_errors: bool,
}

/// A page of executions.
#[derive(Debug, Clone, PartialEq)]
pub struct Executions {
    /// The executions, greatest id first.
    pub rows: Vec<Execution>,
    /// Whether there are more below the last one.
    pub has_more: bool,
}

impl Execution {
    pub(super) fn of(raw: &RawExecution) -> Result<Self> {
        let id = read::integer(&raw.id)
            .ok_or_else(|| Error::unexpected("n8n shows an execution without an id"))?;
        let result = raw.data.known().and_then(|data| data.result_data.known());
        let told = raw.error.known().map(|error| Failure::of(error, &raw.last_node_executed));
        let error = told.or_else(|| {
            let result = result?;
            Some(Failure::of(result.error.known()?, &result.last_node_executed))
        });
        let word = match raw.status.as_str() {
            Some(word) => ExecutionWord::from_word(word).unwrap_or(ExecutionWord::Unknown),
            None if raw.finished == true => ExecutionWord::Success,
            None => ExecutionWord::Unknown,
        };
        let has_ended = word.status() != ExecutionStatus::Running;
        Ok(Self {
            id,
            workflow_id: text(&raw.workflow_id),
            word,
            mode: text(&raw.mode),
            started_at: time(&raw.started_at),
            stopped_at: time(&raw.stopped_at).filter(|_| has_ended),
            wait_till: time(&raw.wait_till),
            retry_of: read::integer(&raw.retry_of),
            retry_success_id: read::integer(&raw.retry_success_id),
            error,
        })
    }
}

impl Failure {
    fn of(raw: &RawError, last_node: &Value) -> Self {
        let node = text(last_node).or_else(|| raw.node.known().and_then(|node| text(&node.name)));
        Self { message: shortened(&raw.message), node }
    }
}

/// A message without control characters, at most 1,000 characters long.
pub(super) fn shortened(message: &str) -> String {
    let clean = message.chars().map(|character| if character.is_control() { ' ' } else { character });
    clean.take(LONGEST_MESSAGE).collect()
}

/// A page of executions, greatest id first.
pub fn executions(account: &Account, ask: &ExecutionAsk<'_>) -> Result<Exchange<Executions>> {
    let limit = ask.limit.clamp(1, PAGE);
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", &limit.to_string());
    if let Some(word) = ask.word {
        query.append_pair("status", word.word());
    }
    if let Some(workflow_id) = ask.workflow_id {
        query.append_pair("workflowId", site::id(workflow_id, "a workflow")?);
    }
    if let Some(below) = ask.below {
        // What n8n itself writes there.
        let cursor = json!({ "lastId": below.to_string(), "limit": limit });
        query.append_pair("cursor", &BASE64_STANDARD.encode(cursor.to_string()));
    }
    query.append_pair("includeData", if ask.with_errors { "true" } else { "false" });
    site::of(account)?.get(&format!("/executions?{}", query.finish()), |reply| {
        let page: Listing<RawExecution> = read::json(reply.body())?;
        let rows = page.data.iter().map(Execution::of).collect::<Result<_>>()?;
        Ok(Step::Done(Executions { rows, has_more: page.next().is_some() }))
    })
}

/// One execution; `None` when n8n itself says that there is none: pruned, deleted with its workflow, or never kept.
pub fn execution(account: &Account, id: i64, with_error: bool) -> Result<Exchange<Option<Execution>>> {
    let site = site::of(account)?;
    let request =
        site.request(Method::GET, &format!("/executions/{id}?includeData={with_error}"), &Value::Null)?;
    Ok(site.ask(request, |reply| match failure::of(reply) {
        Some(error) if failure::is_gone(&error) => Ok(Step::Done(None)),
        Some(error) => Err(error),
        None => Execution::of(&read::json(reply.body())?).map(Some).map(Step::Done),
    }))
}

/// Tries a failed execution again, with the workflow as it is now. n8n answers when the new execution has ended: whoever
/// does not wait for that finds it by [`Execution::retry_of`]. `None` when there is none to try again;
/// [`ErrorKind::Conflict`] with n8n's message when it did not fail.
pub fn retry(account: &Account, id: i64) -> Result<Exchange<Option<Execution>>> {
    let site = site::of(account)?;
    let body = json!({ "loadWorkflow": true });
    let request = site.request(Method::POST, &format!("/executions/{id}/retry"), &body)?;
    Ok(site.ask(request, |reply| match failure::of(reply) {
        Some(error) if error.kind == ErrorKind::NotFound => Ok(Step::Done(None)),
        Some(error) => Err(error),
        None => Execution::of(&read::json(reply.body())?).map(Some).map(Step::Done),
    }))
}
