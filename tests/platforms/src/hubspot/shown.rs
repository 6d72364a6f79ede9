//! Contacts as answers show them.

use serde_json::{Map, Value, json};

use super::stamp;
use super::state::Record;

/// What is shown when nothing is asked for.
const ALWAYS: [&str; 3] = ["createdate", "hs_object_id", "lastmodifieddate"];
const USUAL: [&str; 3] = ["email", "firstname", "lastname"];

/// A contact with the properties that were asked for. What does not exist is passed over; what is not set is null.
pub(crate) fn asked<'a>(
    record: &Record,
    names: impl IntoIterator<Item = &'a str>,
    known: &dyn Fn(&str) -> bool,
) -> Value {
    let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
    let names = if names.is_empty() { USUAL.to_vec() } else { names };
    let shown = names.into_iter().filter(|name| known(name)).chain(ALWAYS);
    let properties: Map<String, Value> =
        shown.map(|name| (name.to_owned(), record.value(name).map_or(Value::Null, Value::String))).collect();
    whole(record, &properties)
}

/// A contact after a write: what was written, and when.
pub(crate) fn written<'a>(record: &Record, names: impl IntoIterator<Item = &'a String>) -> Value {
    let names = names.into_iter().map(String::as_str).chain(ALWAYS);
    let properties: Map<String, Value> =
        names.map(|name| (name.to_owned(), Value::String(record.value(name).unwrap_or_default()))).collect();
    whole(record, &properties)
}

fn whole(record: &Record, properties: &Map<String, Value>) -> Value {
    let mut shown = json!({
        "id": record.id.to_string(), "properties": properties, "createdAt": stamp(record.created),
        "updatedAt": stamp(record.modified), "archived": record.archived.is_some(),
        "url": format!("https://app-eu1.hubspot.com/contacts/1/record/0-1/{}", record.id),
    });
    if let (Some(at), Some(shown)) = (record.archived, shown.as_object_mut()) {
        shown.insert("archivedAt".to_owned(), stamp(at).into());
    }
    shown
}
