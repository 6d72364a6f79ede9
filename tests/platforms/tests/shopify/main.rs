//! What the simulated shop is strict about.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod access;
mod queries;
#[path = "../support/mod.rs"]
mod support;
mod writes;

use serde_json::{Value, json};

const SET: &str = "mutation Set($identifier: ProductSetIdentifiers, $input: ProductSetInput!) {
  productSet(identifier: $identifier, input: $input, synchronous: true) {
    product { id title handle updatedAt tags variants(first: 10) { nodes { id sku price } } media(first: 5) { nodes { id alt ... on MediaImage { image { url } } } } }
    userErrors { field message code } } }";

const DEFINE: &str = "mutation Define($definition: MetafieldDefinitionInput!) {
  metafieldDefinitionCreate(definition: $definition) { createdDefinition { id } userErrors { code } } }";

fn input(title: &str, sku: &str, price: &str) -> Value {
    json!({
        "title": title,
        "productOptions": [{ "name": "Title", "values": [{ "name": "Default Title" }] }],
        "variants": [{ "sku": sku, "price": price, "optionValues": [{ "optionName": "Title", "name": "Default Title" }] }],
    })
}

fn key_definition() -> Value {
    json!({ "definition": {
        "namespace": "syncline", "key": "key", "name": "Key", "type": "id", "ownerType": "PRODUCT",
        "capabilities": { "uniqueValues": { "enabled": true } },
    } })
}
