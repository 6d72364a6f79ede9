//! Requests and replies of Shopify, written by hand after its documents.

mod failures;
mod official;
mod reading;
mod subscriptions;
mod writing;

use super::Shopify;
use crate::{Account, Connector, Exchange, Key, ListQuery, Outcome, Write};
use domain::auth::CredentialKind;
use domain::{Fields, ItemType, Record, Value};
use serde_json::json;

pub(super) fn account() -> Account {
    Account {
        base_url: "https://acme.myshopify.com".parse().unwrap(),
        credential: CredentialKind::ClientCredentials,
        settings: Fields::new(),
    }
}

pub(super) fn get(item_type: ItemType, ids: &[&str]) -> Exchange<Vec<Record>> {
    Shopify.get_many(&account(), item_type, &strings(ids)).unwrap()
}

pub(super) fn find(item_type: ItemType, name: &str, values: &[&str]) -> Exchange<Vec<Record>> {
    let key = Key::Field { name: name.to_owned(), values: strings(values) };
    Shopify.find(&account(), item_type, &key).unwrap()
}

pub(super) fn list(item_type: ItemType, page: Option<&str>) -> Exchange<crate::Page> {
    let query = ListQuery {
        item_type,
        since: Some("2026-11-20T10:00:00Z".parse().unwrap()),
        filter: crate::Filter::default(),
        page: page.map(str::to_owned),
        limit: 1_000,
    };
    Shopify.list(&account(), &query).unwrap()
}

pub(super) fn write(item_type: ItemType, writes: &[Write]) -> Exchange<Vec<Outcome>> {
    Shopify.write_many(&account(), item_type, writes).unwrap()
}

pub(super) fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub(super) fn connection(nodes: &Value, next: Option<&str>) -> Value {
    json!({ "nodes": nodes, "pageInfo": { "hasNextPage": next.is_some(), "endCursor": next } })
}

pub(super) fn variant(id: u32, sku: &str, size: &str) -> Value {
    json!({
        "id": format!("gid://shopify/ProductVariant/{id}"), "sku": sku, "barcode": null, "price": "19.90",
        "compareAtPrice": null, "selectedOptions": [{ "name": "Size", "value": size }],
        "metafield": { "value": "{\"EUR\":\"17.50\"}" },
    })
}

/// A chair in sizes S and M, with one image and one film.
pub(super) fn chair() -> Value {
    let media = json!([
        { "mediaContentType": "IMAGE", "status": "READY", "alt": "front", "image": { "url": "https://cdn/1.jpg" } },
        { "mediaContentType": "VIDEO", "status": "READY", "alt": null },
    ]);
    json!({
        "id": "gid://shopify/Product/1", "updatedAt": "2026-11-20T10:00:00Z", "title": "Chair",
        "descriptionHtml": "<p>Good</p>", "handle": "chair", "status": "ACTIVE", "vendor": "Acme", "productType": "Seat",
        "tags": ["a", "b"], "options": [{ "name": "Size", "values": ["S", "M"] }],
        "media": connection(&media, None),
        "variants": connection(&json!([variant(11, "C-S", "S"), variant(12, "C-M", "M")]), None),
    })
}

pub(super) fn data(data: &Value) -> crate::Reply {
    crate::testing::ok(&json!({ "data": data }))
}
