//! What the simulated server is strict about, and what it keeps from who asks.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod access;
mod executions;
mod mcp;
mod publishing;
#[path = "../support/mod.rs"]
mod support;
mod tables;
mod webhooks;
mod workflows;

use platforms::N8nHandle;
use serde_json::{Value, json};
use support::{Answer, send};

/// A request to the API with its key.
async fn ask(server: &N8nHandle, method: &str, target: &str, body: Value) -> anyhow::Result<Answer> {
    let key = server.api_key();
    let headers = [("x-n8n-api-key", key.as_str()), ("content-type", "application/json")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(method, &format!("{}/api/v1{target}", server.base_url()), &headers, &body).await
}

async fn read(server: &N8nHandle, target: &str) -> anyhow::Result<Answer> {
    ask(server, "GET", target, Value::Null).await
}

/// A call of a webhook.
async fn call(server: &N8nHandle, path: &str, body: Value) -> anyhow::Result<Answer> {
    let headers = [("content-type", "application/json"), ("x-sync-secret", "s3cret")];
    send("POST", &format!("{}/webhook/{path}", server.base_url()), &headers, &body.to_string()).await
}

/// A body that makes a workflow with a webhook.
fn flow(name: &str, path: &str) -> Value {
    json!({
        "name": name, "settings": {}, "connections": {},
        "nodes": [{
            "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0],
            "parameters": { "httpMethod": "POST", "path": path, "responseMode": "lastNode" },
        }],
    })
}

/// The status and what was said.
fn said(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["message"].as_str().unwrap_or_default().to_owned())
}

/// The ids of a page, in their order.
fn ids(answer: &Answer) -> Vec<String> {
    let data = answer.json()["data"].as_array().cloned().unwrap_or_default();
    data.iter().map(|one| one["id"].as_str().unwrap_or_default().to_owned()).collect()
}

/// A text in the form that queries want.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
