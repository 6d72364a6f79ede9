//! Every request against HubSpot's own description of its API.

use super::{account, contact, create, empty, entry, list, page, partly, query, strings, update, with};
use crate::hubspot::Hubspot;
use crate::testing::{Sent, ok, play_some};
use crate::{Connector, Filter, Key, ListQuery};
use domain::ItemType;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A part of the description, or `None` where it is not at hand; in CI it has to be.
fn described(part: &str) -> Option<Value> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let specs =
        std::env::var_os("SYNCLINE_SPECS").map_or_else(|| root.join("../shared/specs"), PathBuf::from);
    let path = specs.join(format!("hubspot/{part}.v3.json"));
    let Ok(text) = std::fs::read(&path) else {
        assert!(std::env::var_os("CI").is_none(), "{} is missing", path.display());
        println!("skipped: {} is missing", path.display());
        return None;
    };
    Some(serde_json::from_slice(&text).unwrap())
}

/// Every kind of request that we send, but for the account's own details, which no description has.
fn requests() -> Vec<Sent> {
    let many: Vec<String> = (1..=100).map(|n| n.to_string()).collect();
    let customer = ItemType::Customer;
    let ten = "2026-11-20T10:00:00.000Z";
    let tie = page(&[contact(1, "a@example.com", ten)], Some("1"));
    let words = Filter { text: Some("keller".into()), ..Filter::default() };
    let worded = ListQuery { filter: words, ..query(None, None) };
    let field = |name: &str| Key::Field { name: name.to_owned(), values: strings(&["a"]) };
    let write = |writes| {
        let unsaid = partly(&[], &[]);
        let refused = partly(&[], &[entry("VALIDATION_ERROR", "no", json!({}))]);
        play_some(Hubspot.write_many(&with(&["tier"]), customer, writes).unwrap(), &[unsaid, refused]).0
    };
    let absent = || super::error(404, "OBJECT_NOT_FOUND", "no");
    let invalid = || super::error(400, "VALIDATION_ERROR", "no");
    let details = ok(&json!({ "portalId": 1 }));
    let prepare = Hubspot.prepare(&account(), customer).unwrap().unwrap();
    let mut sent: Vec<Sent> = [
        play_some(list(None, None), &[empty()]).0,
        play_some(list(None, Some("plain|1|NTI1")), &[empty()]).0,
        play_some(list(Some(ten), None), &[ok(&tie), empty()]).0,
        play_some(Hubspot.list(&account(), &worded).unwrap(), &[empty()]).0,
        play_some(Hubspot.get_many(&account(), customer, &many).unwrap(), &[empty()]).0,
        play_some(Hubspot.find(&account(), customer, &Key::External(many.clone())).unwrap(), &[empty()]).0,
        play_some(Hubspot.find(&account(), customer, &field("email")).unwrap(), &[empty()]).0,
        play_some(Hubspot.find(&account(), customer, &field("phone")).unwrap(), &[empty()]).0,
        write(&[create("k", json!({ "email": "a@example.com", "properties": { "tier": true } }))]),
        write(&[update("1", json!({ "city": null, "zip": 3011 }))]),
        play_some(Hubspot.delete_many(&account(), customer, &many).unwrap(), &[empty()]).0,
        play_some(prepare, &[absent(), absent()]).0,
        play_some(Hubspot.schema(&account()).unwrap(), &[empty()]).0,
        play_some(Hubspot.test(&account()).unwrap(), &[details, empty(), invalid(), absent(), absent()]).0,
    ]
    .into_iter()
    .flatten()
    .collect();
    sent.retain(|one| one.path != "/account-info/v3/details");
    // The probe for the right to define properties is meant to be refused.
    sent.retain(|one| one.method == "GET" || one.body != json!({}));
    sent
}

#[test]
fn every_request_is_as_the_official_description_wants_it() {
    let (Some(contacts), Some(properties)) = (described("contacts"), described("properties")) else { return };
    let mut seen = BTreeSet::new();
    for sent in requests() {
        let (path, query) = sent.path.split_once('?').unwrap_or((&sent.path, ""));
        let api = if path.starts_with("/crm/v3/properties/") { &properties } else { &contacts };
        let (template, item) = operation(api, path, &sent.method.to_lowercase());
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            parameter(item, &name, &value);
        }
        match item.pointer("/requestBody/content/application~1json/schema") {
            Some(schema) => {
                assert_eq!(sent.header("content-type"), "application/json", "{path}");
                fits(api, schema, &sent.body, &format!("{} {path}", sent.method));
            }
            None => assert!(sent.body.is_null(), "{path} takes no body"),
        }
        seen.insert(format!("{} {template}", sent.method));
    }
    let expected = [
        "GET /crm/v3/objects/contacts",
        "GET /crm/v3/properties/{objectType}",
        "GET /crm/v3/properties/{objectType}/{propertyName}",
        "POST /crm/v3/objects/contacts/batch/archive",
        "POST /crm/v3/objects/contacts/batch/read",
        "POST /crm/v3/objects/contacts/batch/update",
        "POST /crm/v3/objects/contacts/batch/upsert",
        "POST /crm/v3/objects/contacts/search",
        "POST /crm/v3/properties/{objectType}",
    ];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), expected, "every operation is checked");
}

/// The operation that a path is: literally, or with names in braces for its parts.
fn operation<'a>(api: &'a Value, path: &str, method: &str) -> (&'a str, &'a Value) {
    let is_it = |template: &str| {
        let (template, path): (Vec<&str>, Vec<&str>) =
            (template.split('/').collect(), path.split('/').collect());
        template.len() == path.len()
            && template.iter().zip(path).all(|(wanted, part)| wanted.starts_with('{') || *wanted == part)
    };
    let paths = api["paths"].as_object().unwrap();
    let found = paths.get_key_value(path).or_else(|| paths.iter().find(|(template, _)| is_it(template)));
    let (template, item) = found.unwrap_or_else(|| panic!("{path} is not described"));
    (template, item.get(method).unwrap_or_else(|| panic!("{method} {path} is not described")))
}

fn parameter(item: &Value, name: &str, value: &str) {
    let all = item["parameters"].as_array().unwrap();
    let one = all.iter().find(|one| one["in"] == "query" && one["name"] == name);
    let schema = &one.unwrap_or_else(|| panic!("there is no parameter {name}"))["schema"];
    match schema["type"].as_str().unwrap() {
        "integer" => drop(value.parse::<i32>().unwrap()),
        "boolean" => drop(value.parse::<bool>().unwrap()),
        _ => assert!(!value.is_empty(), "{name}"),
    }
}

/// Whether a value is what a schema wants, and nothing besides.
fn fits(api: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        return fits(api, api.pointer(reference.trim_start_matches('#')).unwrap(), value, at);
    }
    // The description calls the sorting a list of texts; the guide to searches and every client send objects.
    if at.ends_with("/search.sorts[]") {
        let known = value["propertyName"].is_string() && value["direction"] == "ASCENDING";
        return assert!(known, "{at}: {value}");
    }
    match schema["type"].as_str().unwrap() {
        "object" => {
            let fields = value.as_object().unwrap_or_else(|| panic!("{at}: {value} is no object"));
            for name in schema["required"].as_array().into_iter().flatten() {
                assert!(fields.contains_key(name.as_str().unwrap()), "{at}: {name} is missing");
            }
            for (name, value) in fields {
                let inner = schema["properties"].get(name).or(schema.get("additionalProperties"));
                let inner = inner.unwrap_or_else(|| panic!("{at}: {name} is not described"));
                fits(api, inner, value, &format!("{at}.{name}"));
            }
        }
        "array" => {
            let values = value.as_array().unwrap_or_else(|| panic!("{at}: {value} is no list"));
            for value in values {
                fits(api, &schema["items"], value, &format!("{at}[]"));
            }
        }
        "string" => {
            assert!(value.is_string(), "{at}: {value} is no text");
            if let Some(words) = schema["enum"].as_array() {
                assert!(words.contains(value), "{at}: {value} is none of {words:?}");
            }
        }
        "integer" => assert!(value.is_i64(), "{at}: {value} is no whole number"),
        "boolean" => assert!(value.is_boolean(), "{at}: {value} is neither yes nor no"),
        other => panic!("{at}: a {other} is not expected"),
    }
}
