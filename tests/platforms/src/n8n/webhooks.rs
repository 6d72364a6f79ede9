//! Webhooks: the one way to run a workflow by the public address, and what the caller is told.

use serde_json::{Map, Value, json};

use super::Instance;
use super::problem::Problem;
use super::routes::percent_decoded;
use super::runs::{self, Start};
use super::workflow::{Version, Webhook, text};
use crate::web::{Reply, Request};

const HINT: &str = "The workflow must be active for a production URL to run successfully. You can activate the \
                    workflow using the toggle in the top-right of the editor. Note that unlike test URL calls, \
                    production URL calls aren't shown on the canvas (only in the executions list)";

/// Nothing listens there.
pub(crate) fn unregistered(method: &str, path: &str) -> Reply {
    let message = format!("The requested webhook \"{method} {path}\" is not registered.");
    Reply::json(404, &json!({ "code": 404, "message": message, "hint": HINT }))
}

/// Something listens there, for another method.
fn other_method(method: &str, wanted: &str) -> Reply {
    let message = format!(
        "This webhook is not registered for {method} requests. Did you mean to make a {wanted} request?"
    );
    Reply::json(404, &json!({ "code": 404, "message": message, "hint": "" }))
}

/// Runs the workflow that listens at this path: the version that runs, which may not yet be the published one.
pub(crate) fn answer(instance: &mut Instance, request: &Request, path: &str) -> Result<Reply, Problem> {
    let (method, state) = (request.method.as_str(), &mut instance.state);
    let path = path.split('/').map(percent_decoded).collect::<Vec<_>>().join("/");
    let live = state.workflows.values().filter_map(|workflow| Some((workflow, workflow.live.as_ref()?)));
    let listening: Vec<(String, Version, Webhook)> = live
        .flat_map(|(workflow, version)| {
            let at_path = version.webhooks().into_iter().filter(|webhook| webhook.path == path);
            at_path.map(|webhook| (workflow.id.clone(), version.clone(), webhook))
        })
        .collect();
    let other = listening.first().map(|(_, _, webhook)| webhook.method.clone());
    let found = listening.into_iter().find(|(_, _, webhook)| webhook.method == method);
    let Some((id, version, webhook)) = found else {
        return Ok(other.map_or_else(|| unregistered(method, &path), |other| other_method(method, &other)));
    };
    if text(&webhook.parameters, "authentication") == "headerAuth" {
        let guard = state.guards.get(&id);
        if guard.is_none_or(|(name, value)| request.header(name) != value) {
            return Ok(Reply::text(403, "text/plain; charset=utf-8", "Authorization data is wrong!"));
        }
    }
    let input = input(request, &body(request)?);
    let start = Start { workflow: &id, version: &version, mode: "webhook", input, retry_of: None };
    let execution = runs::begin(state, start);
    let waits = state.executions.get(&execution).is_some_and(|run| run.started.is_none());
    if waits {
        // A run that waits for its turn leaves its caller hanging.
        return Ok(Reply::later(execution));
    }
    Ok(match text(&webhook.parameters, "responseMode") {
        "lastNode" => runs::awaited(state, execution),
        "responseNode" => responded(&version, execution).unwrap_or_else(|| runs::awaited(state, execution)),
        _ => received(&webhook, execution),
    })
}

/// What a workflow says as soon as it is called.
fn received(webhook: &Webhook, execution: u64) -> Reply {
    let options = webhook.parameters.get("options");
    match options.map_or("", |options| text(options, "responseData")) {
        "" => Reply::json(200, &json!({ "message": "Workflow was started" })),
        given => Reply::text(200, "text/html; charset=utf-8", filled(given, execution)),
    }
}

/// What a node says that answers the caller.
fn responded(version: &Version, execution: u64) -> Option<Reply> {
    let parameters = version.responder()?;
    let code = parameters.get("options").and_then(|options| options.get("responseCode"));
    let code = code.and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok()).unwrap_or(200);
    let body = filled(text(parameters, "responseBody"), execution);
    let kind = match text(parameters, "respondWith") {
        "json" => "application/json; charset=utf-8",
        "text" => "text/html; charset=utf-8",
        _ => return Some(Reply::empty(code)),
    };
    Some(Reply::text(code, kind, body))
}

/// A text with the run's id in it. Of all expressions the ones that name it are understood.
fn filled(given: &str, execution: u64) -> String {
    if !given.starts_with('=') {
        return given.to_owned();
    }
    let compact: String = given.chars().filter(|letter| !letter.is_whitespace()).collect();
    if compact.contains("JSON.stringify({executionId:$execution.id})")
        || compact.contains("({executionId:$execution.id})")
    {
        return json!({ "executionId": execution.to_string() }).to_string();
    }
    compact.trim_start_matches('=').replace("{{$execution.id}}", &execution.to_string())
}

/// The body as the first node is given it: JSON where it says so, else a text.
fn body(request: &Request) -> Result<Value, Problem> {
    if request.body.is_empty() {
        return Ok(json!({}));
    }
    if request.header("content-type").starts_with("application/json") {
        let parsed = serde_json::from_slice(&request.body);
        return parsed.map_err(|_| Problem::page(500, "Failed to parse request body"));
    }
    Ok(json!(String::from_utf8_lossy(&request.body)))
}

/// What the first node is given, with every header of the caller.
fn input(request: &Request, body: &Value) -> Value {
    let headers = request.headers.iter();
    let headers: Map<String, Value> = headers
        .map(|(name, value)| (name.as_str().to_owned(), json!(String::from_utf8_lossy(value.as_bytes()))))
        .collect();
    let query: Map<String, Value> =
        request.query_pairs().map(|(name, value)| (name.into_owned(), json!(value))).collect();
    json!({
        "headers": headers, "params": {}, "query": query, "body": body,
        "webhookUrl": format!("{}{}", request.base, request.path), "executionMode": "production",
    })
}
