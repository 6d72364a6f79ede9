//! The MCP server, which runs workflows that allow it.

use serde_json::{Value, json};

use super::Instance;
use super::problem::Problem;
use super::runs::{self, Start};
use super::workflow::{Version, text};
use crate::web::{Reply, Request};

const NOT_EXPOSED: &str =
    "Workflow is not available in MCP. Enable access in the workflow settings to make it available.";

/// Answers a message. There are no sessions.
pub(crate) fn answer(instance: &mut Instance, request: &Request) -> Result<Reply, Problem> {
    if request.method != http::Method::POST {
        return Err(Problem::new(405, "Method not allowed."));
    }
    let key = request.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
    if key != instance.mcp_key {
        return Err(Problem::new(401, "Unauthorized"));
    }
    let accepted = request.header("accept");
    if !(accepted.contains("application/json") && accepted.contains("text/event-stream")) {
        let message = "Not Acceptable: Client must accept both application/json and text/event-stream";
        let error = json!({ "code": -32_000, "message": message });
        return Ok(Reply::json(406, &json!({ "jsonrpc": "2.0", "error": error, "id": null })));
    }
    let Ok(message) = serde_json::from_slice::<Value>(&request.body) else {
        return Err(Problem::page(500, "Failed to parse request body"));
    };
    let id = message.get("id").cloned().unwrap_or_default();
    let params = message.get("params").cloned().unwrap_or_default();
    let result = match text(&message, "method") {
        "initialize" => json!({
            "protocolVersion": "2025-06-18", "capabilities": { "tools": { "listChanged": true } },
            "serverInfo": { "name": "n8n MCP Server", "version": "1.0.0" },
        }),
        "notifications/initialized" => return Ok(Reply::empty(202)),
        "tools/list" => {
            json!({ "tools": [{ "name": "execute_workflow", "inputSchema": { "type": "object" } }] })
        }
        "tools/call" if text(&params, "name") == "execute_workflow" => {
            let arguments = params.get("arguments").cloned().unwrap_or_default();
            tool_result(&execute(instance, &arguments))
        }
        "tools/call" => {
            let error =
                json!({ "code": -32_602, "message": format!("Tool {} not found", text(&params, "name")) });
            return Ok(event(&json!({ "jsonrpc": "2.0", "id": id, "error": error })));
        }
        _ => {
            let error = json!({ "code": -32_601, "message": "Method not found" });
            return Ok(event(&json!({ "jsonrpc": "2.0", "id": id, "error": error })));
        }
    };
    Ok(event(&json!({ "result": result, "jsonrpc": "2.0", "id": id })))
}

/// Starts a run and says which one. It does not wait for its end.
fn execute(instance: &mut Instance, arguments: &Value) -> Value {
    let error = |message: &str| json!({ "executionId": null, "status": "error", "error": message });
    let state = &mut instance.state;
    let Some(workflow) = state.workflows.get(text(arguments, "workflowId")) else {
        return error("Workflow not found");
    };
    if workflow.archived {
        return error("Workflow is archived and cannot be executed.");
    }
    if !workflow.in_mcp() {
        return error(NOT_EXPOSED);
    }
    let is_manual = text(arguments, "executionMode") == "manual";
    let version = if is_manual { Some(&workflow.draft) } else { workflow.active.as_ref() };
    let Some(version) = version.cloned() else {
        return error("Workflow is not published. Publish it to execute it in production mode.");
    };
    if !is_manual && workflow.live.is_none() {
        // What is published runs a little later.
        return error(&format!("Workflow '{}' has no published (active) version to execute", workflow.id));
    }
    if let Some(refused) = refused(&version, arguments) {
        return error(&refused);
    }
    let mode = match version.webhooks().first() {
        _ if is_manual => "manual",
        Some(_) => "webhook",
        None => "trigger",
    };
    let given =
        arguments.get("inputs").and_then(|inputs| inputs.get("webhookData")).cloned().unwrap_or_default();
    let field = |name: &str| given.get(name).cloned().unwrap_or_else(|| json!({}));
    let input = json!({ "headers": field("headers"), "query": field("query"), "body": field("body") });
    let id = workflow.id.clone();
    let start = Start { workflow: &id, version: &version, mode, input, retry_of: None };
    let execution = runs::begin(state, start);
    json!({ "executionId": execution.to_string(), "status": "started" })
}

/// Why a trigger is not started with these inputs: it must be given what it wants, by its name, and nothing else.
fn refused(version: &Version, arguments: &Value) -> Option<String> {
    let inputs = arguments.get("inputs");
    let named = text(arguments, "triggerNodeName");
    let webhooks: Vec<String> = version.webhooks().into_iter().map(|one| one.node).collect();
    if named.is_empty() {
        let all = webhooks.join(", ");
        let message = "Provide triggerNodeName and inputs to execute this workflow. Available triggers:";
        return (!webhooks.is_empty()).then(|| format!("{message} {all}."));
    }
    match (webhooks.iter().any(|name| name == named), inputs) {
        (true, Some(inputs)) if inputs.get("webhookData").is_some() => None,
        (true, _) => Some(format!(
            "Trigger node \"{named}\" requires inputs matching {{ webhookData: {{ headers?, query?, body? }} }}."
        )),
        (false, Some(_)) => Some(format!("Trigger node \"{named}\" does not accept inputs. Omit inputs.")),
        (false, None) => None,
    }
}

/// What a tool gives, as text and as it is.
fn tool_result(given: &Value) -> Value {
    json!({ "content": [{ "type": "text", "text": given.to_string() }], "structuredContent": given })
}

/// A message as an event of a stream that ends with it.
fn event(message: &Value) -> Reply {
    Reply::text(200, "text/event-stream", format!("event: message\ndata: {message}\n\n"))
        .with("cache-control", "no-cache")
}
