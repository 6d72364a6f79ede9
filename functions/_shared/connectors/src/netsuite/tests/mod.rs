//! Requests and replies of NetSuite, written by hand after its documents.

mod reading;
mod stock;
mod writing;

use super::Netsuite;
use crate::testing::{fields, ok, reply};
use crate::{Account, Connector, Filter, ListQuery, Reply, Write};
use domain::auth::CredentialKind;
use domain::{Fields, ItemType};
use serde_json::{Value, json};

pub(super) fn account() -> Account {
    Account {
        base_url: "https://1234567-sb1.suitetalk.api.netsuite.com".parse().unwrap(),
        credential: CredentialKind::ClientAssertion,
        settings: Fields::new(),
    }
}

pub(super) fn with(settings: &[(&str, Value)]) -> Account {
    let mut account = account();
    account.settings.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    account
}

pub(super) fn query(item_type: ItemType) -> ListQuery {
    ListQuery { item_type, since: None, filter: Filter::default(), page: None, limit: 250 }
}

/// A page of rows.
pub(super) fn rows(rows: &[Value], has_more: bool) -> Reply {
    crate::testing::ok(
        &json!({ "links": [], "count": rows.len(), "offset": 0, "totalResults": rows.len(), "hasMore": has_more, "items": rows }),
    )
}

/// The row of a product itself.
pub(super) fn parent(id: u32, modified: &str) -> Value {
    json!({
        "links": [], "product": id.to_string(), "externalid": format!("k{id}"), "item": id.to_string(), "itemid": format!("P-{id}"), "isinactive": "F",
        "modified": modified, "changed": modified, "displayname": "Chair", "storedetaileddescription": "<p>Good</p>", "manufacturer": "Acme",
        "category": "Seat", "tags": "[\"a\"]", "images": "[{\"url\":\"https://x/1.jpg\",\"alt\":null}]", "options": "[{\"name\":\"Size\",\"values\":[\"S\"]}]",
    })
}

/// The row of a child in one currency.
pub(super) fn child(product: u32, id: u32, currency: u32, price: &str) -> Value {
    json!({
        "product": product.to_string(), "externalid": format!("k{product}"), "item": id.to_string(), "itemid": format!("C-{id}"), "isinactive": "F",
        "modified": "2026-11-20T10:00:00", "changed": "2026-11-20T10:00:00", "upccode": "4711", "options": "{\"Size\":\"S\"}",
        "compareatprice": "25", "currency": currency.to_string(), "symbol": if currency == 1 { "USD" } else { "EUR" }, "price": price,
    })
}

pub(super) fn find_error(account: &Account) -> crate::Error {
    Netsuite.get_many(account, ItemType::Product, &[]).unwrap_err()
}

pub(super) fn create(content: Value) -> Write {
    Write {
        external_key: "k1".into(),
        fields: fields(content),
        idempotency_key: "u1".into(),
        ..Write::default()
    }
}

pub(super) fn accepted(job: u32) -> Reply {
    let location = format!("https://1234567-sb1.suitetalk.api.netsuite.com/services/rest/async/v1/job/{job}");
    reply(202, &[("location", &location)], "")
}

pub(super) fn state(completed: bool) -> Reply {
    ok(
        &json!({ "completed": completed, "id": "1", "progress": if completed { "succeeded" } else { "pending" } }),
    )
}

pub(super) fn tasks(count: u32) -> Reply {
    let links: Vec<Value> = (1..=count)
        .map(|n| json!({ "rel": "self", "href": format!("https://x/services/rest/async/v1/job/1/task/{n}") }))
        .collect();
    ok(&json!({ "links": [], "count": 1, "items": [{ "links": links }] }))
}

pub(super) fn refusal(status: u16, detail: &str) -> Reply {
    let body = json!({ "title": "Bad Request", "status": status, "o:errorDetails": [{ "detail": detail, "o:errorCode": "USER_ERROR" }] });
    reply(status, &[], &body.to_string())
}
