//! What the simulated account is strict about.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod access;
mod queries;
mod records;
#[path = "../support/mod.rs"]
mod support;

use serde_json::{Value, json};

const ITEMS: &str = "/services/rest/record/v1/inventoryItem";
const SUITEQL: &str = "/services/rest/query/v1/suiteql";
const COLLECTION: (&str, &str) = ("content-type", "application/vnd.oracle.resource+json; type=collection");
const ASYNC: (&str, &str) = ("prefer", "respond-async");
const STRICT: (&str, &str) = ("x-netsuite-propertynamevalidation", "Error");

fn code(answer: &support::Answer) -> String {
    answer.json()["o:errorDetails"][0]["o:errorCode"].as_str().unwrap_or_default().to_owned()
}

fn price(currency: &str, amount: &Value) -> Value {
    json!({ "currencyPage": { "id": currency }, "priceLevel": { "id": "1" }, "quantity": { "value": "0" }, "price": amount })
}
