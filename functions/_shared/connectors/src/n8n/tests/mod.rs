//! Requests and replies of n8n, written by hand after what a real server answered.

mod account;
mod definitions;
mod executions;
mod failures;
mod publishing;
mod rows;
mod starting;
mod tables;
mod tags;
mod told;
mod workflows;

use crate::testing::reply;
use crate::{Account, Reply};
use domain::Fields;
use domain::auth::CredentialKind;
use serde_json::{Value, json};

pub(super) const ID: &str = "W1J9q35EwTCXVn0n";
pub(super) const TABLE: &str = "dT7cUstomers0001";

pub(super) fn account() -> Account {
    at("https://n8n.example.com")
}

/// An account at this address.
pub(super) fn at(address: &str) -> Account {
    Account {
        base_url: address.parse().unwrap(),
        credential: CredentialKind::ApiKey,
        settings: Fields::new(),
    }
}

/// An account whose customers are in a data table.
pub(super) fn with_table() -> Account {
    let mut account = account();
    account.settings.insert(
        "tables".to_owned(),
        json!({ "customer": { "table": TABLE, "key": "external_id" }, "order": { "table": "ordersOrdersOrde" } }),
    );
    account
}

/// A row of that table.
pub(super) fn row(id: i64, email: &str, changed: &str) -> Value {
    json!({
        "id": id, "external_id": format!("k{id}"), "email": email, "age": 41.5, "member": true, "since": null,
        "createdAt": "2026-11-20T09:00:00.000Z", "updatedAt": changed,
    })
}

pub(super) fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// A refusal as n8n writes it.
pub(super) fn refusal(status: u16, message: &str) -> Reply {
    reply(status, &[("content-type", "application/json")], &json!({ "message": message }).to_string())
}

pub(super) fn not_found() -> Reply {
    refusal(404, "Not Found")
}

/// What a server that is starting answers everywhere.
pub(super) fn starting() -> Reply {
    let page =
        "<!DOCTYPE html>\n<html lang=\"en\"><body><pre>Cannot GET /api/v1/workflows</pre></body></html>";
    reply(404, &[("content-type", "text/html; charset=utf-8")], page)
}

/// A published workflow with a webhook, as lists show it.
pub(super) fn shown(id: &str) -> Value {
    json!({
        "id": id, "name": "[USR-42] ok", "active": true, "activeVersionId": "0e1276a3-0000-4000-8000-000000000001",
        "createdAt": "2026-11-20T22:29:24.000Z", "updatedAt": "2026-11-20T22:29:25.179Z", "isArchived": false,
        "versionId": "0e1276a3-0000-4000-8000-000000000001", "triggerCount": 1, "nodes": nodes("ok-1"),
        "connections": { "Webhook": { "main": [[{ "node": "Code", "type": "main", "index": 0 }]] } },
        "nodeGroups": [], "settings": { "executionOrder": "v1", "availableInMCP": true }, "staticData": null,
        "pinData": null, "meta": null,
        "tags": [{ "id": "T2", "name": "usr:42" }, { "id": "T1", "name": "shop", "createdAt": "2026-11-20T22:29:24.000Z" }],
        "shared": [{ "role": "workflow:owner" }],
        "activeVersion": { "versionId": "0e1276a3-0000-4000-8000-000000000001", "nodes": nodes("ok-live") },
    })
}

fn nodes(path: &str) -> Value {
    json!([
        { "id": "n1", "name": "Failed", "type": "n8n-nodes-base.errorTrigger", "typeVersion": 1, "parameters": {} },
        {
            "id": "w1", "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0],
            "webhookId": "ok-1",
            "parameters": { "httpMethod": "POST", "path": path, "responseMode": "lastNode" },
        },
        {
            "id": "c1", "name": "Code", "type": "n8n-nodes-base.code", "typeVersion": 2, "position": [220.5, 0],
            "parameters": { "jsCode": "return [{json:{key:'hunter2'}}]" },
        },
    ])
}

/// A page that others follow when it says where.
pub(super) fn page(data: &[Value], next: Option<&str>) -> Value {
    json!({ "data": data, "nextCursor": next })
}
