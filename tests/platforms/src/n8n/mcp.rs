//! The MCP server, which runs workflows that allow it.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::problem::Problem;
use super::runs::{self, Start};
use super::workflow::{Version, text};
use super::{Instance, stamp};
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
    let started = trigger(&version, text(arguments, "triggerNodeName")).and_then(kind);
    let input = handed(started, arguments.get("inputs").unwrap_or(&Value::Null), state.now());
    let mode = if is_manual { "manual" } else { started.map_or("trigger", |kind| kind.mode) };
    let id = workflow.id.clone();
    let start = Start { workflow: &id, version: &version, mode, input, retry_of: None };
    let execution = runs::begin(state, start);
    json!({ "executionId": execution.to_string(), "status": "started" })
}

/// A kind of trigger that is started in production.
struct Kind {
    node: &'static str,
    /// The name of the inputs that it wants, and how the server describes them.
    wants: Option<(&'static str, &'static str)>,
    /// The mode of what runs then.
    mode: &'static str,
}

const FORM: &str = "n8n-nodes-base.formTrigger";
const CHAT: &str = "@n8n/n8n-nodes-langchain.chatTrigger";
const KINDS: [Kind; 4] = [
    Kind {
        node: "n8n-nodes-base.webhook",
        wants: Some(("webhookData", "{ webhookData: { headers?, query?, body? } }")),
        mode: "webhook",
    },
    Kind { node: FORM, wants: Some(("formData", "{ formData: { FIELD_NAME: VALUE } }")), mode: "trigger" },
    Kind { node: CHAT, wants: Some(("chatInput", "{ chatInput: string }")), mode: "chat" },
    Kind { node: "n8n-nodes-base.scheduleTrigger", wants: None, mode: "trigger" },
];

fn kind(node: &Value) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| text(node, "type") == kind.node)
}

/// The named node, or the one that needs no name.
fn trigger<'a>(version: &'a Version, name: &str) -> Option<&'a Value> {
    let mut nodes = version.enabled();
    match name {
        "" => nodes.find(|node| kind(node).is_some()),
        name => nodes.find(|node| text(node, "name") == name),
    }
}

/// What the trigger hands on.
fn handed(kind: Option<&Kind>, inputs: &Value, now: DateTime<Utc>) -> Value {
    let given = |name: &str| inputs.get(name).cloned();
    match kind.map_or("", |kind| kind.node) {
        FORM => {
            let mut fields = json!({ "submittedAt": stamp(now), "formMode": "mcp" });
            if let (Some(all), Some(Value::Object(own))) = (fields.as_object_mut(), given("formData")) {
                all.extend(own);
            }
            fields
        }
        CHAT => {
            let session = format!("mcp-session-{}", now.timestamp_millis());
            json!({ "sessionId": session, "action": "sendMessage", "chatInput": given("chatInput") })
        }
        _ => {
            let given = given("webhookData").unwrap_or_default();
            let field = |name: &str| given.get(name).cloned().unwrap_or_else(|| json!({}));
            json!({ "headers": field("headers"), "query": field("query"), "body": field("body") })
        }
    }
}

/// Why a trigger is not started with these inputs: it must be given what it wants, by its name, and nothing else.
fn refused(version: &Version, arguments: &Value) -> Option<String> {
    let inputs = arguments.get("inputs");
    let startable: Vec<&Value> = version.enabled().filter(|node| kind(node).is_some()).collect();
    let available = startable.iter().map(|node| text(node, "name")).collect::<Vec<_>>().join(", ");
    let name = text(arguments, "triggerNodeName");
    if name.is_empty() {
        return unnamed(&startable, &available, inputs);
    }
    let Some(node) = trigger(version, name) else {
        return Some(format!("Trigger node \"{name}\" was not found. Available triggers: {available}."));
    };
    let Some(kind) = kind(node) else {
        let why = "is not supported for MCP execution. Available triggers:";
        return Some(format!("Trigger node \"{name}\" {why} {available}."));
    };
    match (kind.wants, inputs) {
        (Some((wanted, _)), Some(inputs)) if inputs.get(wanted).is_some() => None,
        (Some((_, described)), _) => {
            Some(format!("Trigger node \"{name}\" requires inputs matching {described}."))
        }
        (None, Some(_)) => Some(format!("Trigger node \"{name}\" does not accept inputs. Omit inputs.")),
        (None, None) => None,
    }
}

/// Why nothing is started where no node is named.
fn unnamed(startable: &[&Value], available: &str, inputs: Option<&Value>) -> Option<String> {
    let wants = |node: &&Value| kind(node).is_some_and(|kind| kind.wants.is_some());
    let why = match startable {
        [] => {
            return Some("This workflow has no trigger that can be executed in production mode.".to_owned());
        }
        _ if inputs.is_some() => "Provide triggerNodeName when passing inputs.",
        [one] if !wants(one) => return None,
        all if all.iter().all(wants) => "Provide triggerNodeName and inputs to execute this workflow.",
        _ => "This workflow has multiple triggers. Provide triggerNodeName to specify which one to execute.",
    };
    Some(format!("{why} Available triggers: {available}."))
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
