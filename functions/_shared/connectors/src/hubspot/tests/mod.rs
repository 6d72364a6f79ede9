//! Requests and replies of HubSpot, written by hand after its documents and after recordings.

mod account;
mod failures;
mod listing;
mod official;
mod reading;
mod writing;

use super::Hubspot;
use crate::testing::{fields, ok, reply};
use crate::{Account, Connector, Exchange, Filter, Key, ListQuery, Page, Reply, Write};
use domain::auth::CredentialKind;
use domain::{Fields, ItemType, Record};
use serde_json::{Value, json};

pub(super) const CUSTOMER: ItemType = ItemType::Customer;

pub(super) fn account() -> Account {
    Account {
        base_url: "https://api.hubapi.com".parse().unwrap(),
        credential: CredentialKind::AccessToken,
        settings: Fields::new(),
    }
}

/// An account with these further properties.
pub(super) fn with(properties: &[&str]) -> Account {
    let mut account = account();
    account.settings.insert("properties".to_owned(), json!(properties));
    account
}

pub(super) fn query(since: Option<&str>, page: Option<&str>) -> ListQuery {
    ListQuery {
        item_type: CUSTOMER,
        since: since.map(|since| since.parse().unwrap()),
        filter: Filter::default(),
        page: page.map(str::to_owned),
        limit: 1_000,
    }
}

pub(super) fn list(since: Option<&str>, page: Option<&str>) -> Exchange<Page> {
    Hubspot.list(&account(), &query(since, page)).unwrap()
}

pub(super) fn get(ids: &[&str]) -> Exchange<Vec<Record>> {
    Hubspot.get_many(&account(), CUSTOMER, &strings(ids)).unwrap()
}

pub(super) fn find(name: &str, values: &[&str]) -> Exchange<Vec<Record>> {
    let key = Key::Field { name: name.to_owned(), values: strings(values) };
    Hubspot.find(&with(&["tier"]), CUSTOMER, &key).unwrap()
}

pub(super) fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub(super) fn create(key: &str, content: Value) -> Write {
    Write { external_key: key.to_owned(), fields: fields(content), ..Write::default() }
}

pub(super) fn update(id: &str, content: Value) -> Write {
    Write { id: Some(id.to_owned()), fields: fields(content), ..Write::default() }
}

/// A contact as lists, searches and batches show it.
pub(super) fn contact(id: u64, email: &str, modified: &str) -> Value {
    json!({
        "id": id.to_string(),
        "properties": {
            "address": null, "city": "Bern", "company": "", "country": null, "createdate": "2026-03-12T15:37:13.052Z",
            "email": email, "firstname": "Ana", "hs_object_id": id.to_string(), "jobtitle": null,
            "lastmodifieddate": modified, "lastname": "Keller", "lifecyclestage": "lead", "phone": "+41 31 000 00 00",
            "zip": "3011",
        },
        "createdAt": "2026-03-12T15:37:13.052Z", "updatedAt": modified, "archived": false,
        "url": format!("https://app.hubspot.com/contacts/1/record/0-1/{id}"),
    })
}

/// A page that others follow when it says where.
pub(super) fn page(results: &[Value], after: Option<&str>) -> Value {
    let mut page = json!({ "results": results });
    if let Some(after) = after {
        page["paging"] = json!({ "next": { "after": after, "link": format!("?after={after}") } });
    }
    page
}

/// The answer to a batch that went well.
pub(super) fn complete(results: &[Value]) -> Value {
    json!({
        "status": "COMPLETE", "results": results,
        "startedAt": "2026-11-20T10:00:00.000Z", "completedAt": "2026-11-20T10:00:00.100Z",
    })
}

/// The answer to a batch that went well in part.
pub(super) fn partly(results: &[Value], errors: &[Value]) -> Reply {
    let mut body = complete(results);
    body["numErrors"] = json!(errors.len());
    body["errors"] = json!(errors);
    reply(207, &[], &body.to_string())
}

/// What stands among the errors of a batch.
pub(super) fn entry(category: &str, message: &str, context: Value) -> Value {
    let mut entry = json!({ "status": "error", "category": category, "message": message, "context": {} });
    entry["context"] = context;
    entry
}

/// An error of its own.
pub(super) fn error(status: u16, category: &str, message: &str) -> Reply {
    let body = json!({
        "status": "error", "message": message, "correlationId": "aeb5f871-7f07-4993-9211-075dc63e7cbf",
        "category": category,
    });
    reply(status, &[], &body.to_string())
}

pub(super) fn emails(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.fields["email"].as_str().unwrap()).collect()
}

pub(super) fn ids(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.id.as_str()).collect()
}

pub(super) fn empty() -> Reply {
    ok(&page(&[], None))
}
