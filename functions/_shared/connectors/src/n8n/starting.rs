//! Starting a workflow. The public API cannot do that: a webhook node can, and n8n's MCP server.
//!
//! Neither knows a key that makes a repetition harmless: what is sent twice may run twice.

use super::executions::shortened;
use super::failure;
use super::site::{self, id, request};
use super::trigger::Trigger;
use super::workflows::Hook;
use crate::{Account, Error, ErrorKind, Exchange, Reply, Result, read};
use domain::Value;
use domain::auth::Scheme;
use http::Method;
use serde_json::json;
use url::Url;

/// Where the MCP server is.
const MCP: &str = "/mcp-server/http";

/// A workflow that was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// The execution, where the answer says which.
    pub execution_id: Option<i64>,
}

/// Calls a workflow's production webhook. The answer is the workflow's own; an `executionId` in it is read.
///
/// [`ErrorKind::Conflict`] where n8n does not run the workflow now: the workflow is not published, or only just.
/// [`ErrorKind::Rejected`] for everything that the workflow itself answers: that is never tried again.
pub fn call_webhook(account: &Account, hook: &Hook, payload: &Value) -> Result<Exchange<Started>> {
    let method = Method::from_bytes(hook.method.as_bytes())
        .map_err(|_| rejected(format!("`{}` is no method", read::excerpt(&hook.method))))?;
    let mut address = site::of(account)?.root().clone();
    extend(&mut address, &hook.path)?;
    let body = if method == Method::GET || method == Method::HEAD {
        scalars(&mut address, payload);
        None
    } else {
        Some(payload)
    };
    let request = request(method, address.as_str(), "application/json", body)?;
    Ok(Exchange::new(request, Scheme::None, |reply| match webhook_failure(reply) {
        Some(error) => Err(error),
        None => Ok(Started { execution_id: execution_id(&body_of(reply)) }),
    }))
}

/// Appends the path of a webhook. One with parameters cannot be called without knowing them.
fn extend(address: &mut Url, path: &str) -> Result<()> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    if parts.iter().any(|part| part.starts_with(':')) {
        return Err(rejected(format!("the webhook's path `{}` has parameters", read::excerpt(path))));
    }
    if parts.iter().any(|part| part.is_empty() || matches!(*part, "." | "..")) {
        return Err(rejected(format!("`{}` is no path of a webhook", read::excerpt(path))));
    }
    let mut segments = address
        .path_segments_mut()
        .map_err(|()| rejected("the account's address cannot have a path".to_owned()))?;
    segments.pop_if_empty().push("webhook").extend(parts);
    Ok(())
}

/// A request without a body carries texts, numbers, yes and no in its address; the rest cannot be sent.
fn scalars(address: &mut Url, payload: &Value) {
    let Some(fields) = payload.as_object() else { return };
    let values = fields.iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text.clone())),
        Value::Number(_) | Value::Bool(_) => Some((name, value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    });
    let mut values = values.peekable();
    if values.peek().is_some() {
        address.query_pairs_mut().extend_pairs(values);
    }
}

/// What n8n calls published runs only a moment later.
fn not_published() -> Error {
    let message = "n8n does not run the workflow now: publish it, or wait a moment if it was just published";
    Error::new(ErrorKind::Conflict, message).with_code("not_published")
}

/// A webhook speaks for its workflow, not for the account: what it refuses says nothing of the API key.
fn webhook_failure(reply: &Reply) -> Option<Error> {
    if reply.status().is_success() {
        return None;
    }
    let (status, told) = (reply.status().as_u16(), failure::said(reply));
    let error = match (status, told) {
        (404, Some(told)) if told.contains("not registered") => not_published(),
        (429, _) => Error::new(ErrorKind::RateLimited, "n8n asks to slow down")
            .with_retry_after(read::retry_after(reply)),
        (404 | 500, None) | (501..=599, _) => failure::starting(reply),
        (401 | 403, _) => rejected("the workflow's webhook asks for a credential of its own".to_owned()),
        (500, Some(told)) => rejected(format!("the workflow failed: {told}")).with_code("workflow_failed"),
        (_, Some(told)) => rejected(format!("the workflow's webhook refused: {told}")),
        (_, None) => rejected(format!("the workflow's webhook refused (status {status})")),
    };
    Some(if error.vendor_code.is_some() { error } else { error.with_code(status.to_string()) })
}

/// Runs a published workflow through n8n's MCP server, from this trigger. The workflow has to be open to that
/// ([`super::Workflow::in_mcp`]). A payload, which must be an object, arrives as the body of a webhook's request, as the fields
/// of a form, or, its `chatInput`, as a message; a schedule takes none.
pub fn execute_by_mcp(
    account: &Account,
    workflow_id: &str,
    trigger: &Trigger,
    payload: &Value,
) -> Result<Exchange<Started>> {
    let id = id(workflow_id, "a workflow")?;
    let mut arguments =
        json!({ "workflowId": id, "executionMode": "production", "triggerNodeName": trigger.node });
    if let Some(arguments) = arguments.as_object_mut() {
        arguments.extend(trigger.takes.inputs(payload)?.map(|inputs| ("inputs".to_owned(), inputs)));
    }
    let body = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "execute_workflow", "arguments": arguments },
    });
    let address = site::of(account)?.address(MCP);
    let request = request(Method::POST, &address, "application/json, text/event-stream", Some(&body))?;
    Ok(Exchange::new(request, Scheme::McpBearer, |reply| match failure::of(reply) {
        Some(error) if error.vendor_code.as_deref() == Some("401") => {
            Err(Error { message: "n8n's MCP server does not accept the MCP key".to_owned(), ..error })
        }
        Some(error) => Err(error),
        None => mcp_started(&answer(reply)?),
    }))
}

/// The JSON-RPC answer: the whole body, or the data of the event that holds it.
fn answer(reply: &Reply) -> Result<Value> {
    let is_answer = |value: &Value| value.get("result").is_some() || value.get("error").is_some();
    if let Some(value) = serde_json::from_slice(reply.body()).ok().filter(is_answer) {
        return Ok(value);
    }
    if failure::is_page(reply) {
        return Err(failure::starting(reply));
    }
    let body = String::from_utf8_lossy(reply.body()).replace("\r\n", "\n");
    let events = body.split("\n\n").map(|event| {
        let lines = event.lines().filter_map(|line| line.strip_prefix("data:"));
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
    });
    let found = events.filter_map(|data| serde_json::from_str(&data).ok()).find(is_answer);
    found.ok_or_else(|| Error::unexpected("n8n's MCP server does not say what became of the call"))
}

fn mcp_started(answer: &Value) -> Result<Started> {
    let refused = |why: Option<&str>| match why {
        Some(why) if why.contains("no published (active) version") => Err(not_published()),
        why => Err(rejected(shortened(why.unwrap_or("n8n's MCP server refused the call without a reason")))),
    };
    if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
        return refused(error.get("message").and_then(Value::as_str));
    }
    let result = answer.get("result").unwrap_or(&Value::Null);
    let said = result.pointer("/content/0/text").and_then(Value::as_str);
    let content = match result.get("structuredContent") {
        Some(content) => content.clone(),
        None => said.and_then(|said| serde_json::from_str(said).ok()).unwrap_or_default(),
    };
    let why = match content.get("error") {
        Some(Value::String(why)) => Some(why.as_str()),
        Some(error) => error.get("message").and_then(Value::as_str),
        None => None,
    };
    let failed = content.get("status").is_some_and(|status| status == "error")
        || content.get("success").is_some_and(|success| success == false)
        || result.get("isError").is_some_and(|is_error| is_error == true);
    if failed {
        return refused(why.or(said));
    }
    match execution_id(&content) {
        None => Err(Error::unexpected("n8n's MCP server does not say what became of the call")),
        started => Ok(Started { execution_id: started }),
    }
}

/// What a body says as JSON; null when it says nothing.
fn body_of(reply: &Reply) -> Value {
    serde_json::from_slice(reply.body()).unwrap_or_default()
}

fn execution_id(value: &Value) -> Option<i64> {
    value.get("executionId").and_then(read::integer)
}

pub(super) fn rejected(message: String) -> Error {
    Error::new(ErrorKind::Rejected, message)
}
