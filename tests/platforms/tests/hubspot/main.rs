//! What the simulated account is strict about, and how the connector gets on with it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod access;
mod connector;
mod contacts;
mod listing;
mod searches;
#[path = "../support/mod.rs"]
mod support;

use platforms::HubspotHandle;
use serde_json::{Value, json};
use support::{Answer, send};

const CONTACTS: &str = "/crm/v3/objects/contacts";

/// A request with the token of the private app.
async fn ask(portal: &HubspotHandle, method: &str, target: &str, body: Value) -> anyhow::Result<Answer> {
    let bearer = format!("Bearer {}", portal.token());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(method, &format!("{}{target}", portal.address()), &headers, &body).await
}

/// A batch, as the API wants it.
async fn batch(portal: &HubspotHandle, verb: &str, inputs: Value) -> anyhow::Result<Answer> {
    let mut body = json!({ "inputs": inputs });
    if verb == "read" {
        body["properties"] = json!(["email", "firstname", "no_such_property"]);
        body["propertiesWithHistory"] = json!([]);
    }
    ask(portal, "POST", &format!("{CONTACTS}/batch/{verb}"), body).await
}

fn category(answer: &Answer) -> String {
    answer.json()["category"].as_str().unwrap_or_default().to_owned()
}

/// The ids of the results, in their order.
fn ids(answer: &Answer) -> Vec<String> {
    let results = answer.json()["results"].as_array().cloned().unwrap_or_default();
    results.iter().map(|one| one["id"].as_str().unwrap_or_default().to_owned()).collect()
}
