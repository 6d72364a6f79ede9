//! A contact as the neutral record has it, both ways.

use super::failure::bad_field;
use super::portal::Setup;
use super::replies::Contact;
use crate::{Result, read};
use domain::{Fields, Record, Value};

/// The fields of the record, by their names there and in HubSpot
/// (<https://knowledge.hubspot.com/properties/hubspots-default-contact-properties>).
pub(super) const FIELDS: [(&str, &str); 11] = [
    ("email", "email"),
    ("firstName", "firstname"),
    ("lastName", "lastname"),
    ("phone", "phone"),
    ("company", "company"),
    ("jobTitle", "jobtitle"),
    ("lifecycleStage", "lifecyclestage"),
    ("city", "city"),
    ("country", "country"),
    ("zip", "zip"),
    ("address", "address"),
];

/// Where further properties stand in the record.
pub(super) const MORE: &str = "properties";

/// When a contact last changed. Other objects of HubSpot have `hs_lastmodifieddate` instead.
pub(super) const MODIFIED: &str = "lastmodifieddate";
/// The id, as a property that searches can filter and sort by.
pub(super) const ID: &str = "hs_object_id";

/// The field of the record that this property of HubSpot is.
pub(super) fn field_of(property: &str) -> Option<&'static str> {
    FIELDS.iter().find(|(_, theirs)| *theirs == property).map(|(ours, _)| *ours)
}

/// Whether a property is one of HubSpot's own that we use.
pub(super) fn is_known(property: &str) -> bool {
    field_of(property).is_some() || [MODIFIED, ID].contains(&property)
}

/// The property of HubSpot that a field of the record is: `firstName`, or `properties.tier`.
pub(super) fn property<'a>(portal: &'a Setup, field: &str) -> Option<&'a str> {
    if let Some((_, theirs)) = FIELDS.iter().find(|(ours, _)| *ours == field) {
        return Some(theirs);
    }
    let name = field.strip_prefix(MORE)?.strip_prefix('.')?;
    portal.more.iter().find(|one| *one == name).map(String::as_str)
}

/// The properties to ask for, the one of the key included when it is to be compared.
pub(super) fn asked(portal: &Setup, with_key: bool) -> Vec<&str> {
    let known = FIELDS.iter().map(|(_, theirs)| *theirs).chain([MODIFIED]);
    let key = with_key.then_some(portal.key.as_str());
    known.chain(portal.more.iter().map(String::as_str)).chain(key).collect()
}

/// The neutral record of a contact.
pub(super) fn record(portal: &Setup, contact: &Contact) -> Result<Record> {
    let value = |name: &str| shown(contact.properties.get(name));
    let mut fields: Fields =
        FIELDS.iter().map(|(ours, theirs)| ((*ours).to_owned(), value(theirs))).collect();
    if !portal.more.is_empty() {
        let more: Fields = portal.more.iter().map(|name| (name.clone(), value(name))).collect();
        fields.insert(MORE.to_owned(), Value::Object(more));
    }
    let modified = contact.text(MODIFIED).or(contact.updated_at.as_deref());
    Ok(Record {
        id: contact.id.clone(),
        fields,
        modified_at: modified.map(read::time).transpose()?,
        version: modified.map(str::to_owned),
        deleted: contact.archived,
    })
}

/// Text or null: HubSpot knows no difference between an empty text and none, and writes numbers as text.
fn shown(value: Option<&Value>) -> Value {
    match value {
        None | Some(Value::Null) => Value::Null,
        Some(Value::String(text)) if text.is_empty() => Value::Null,
        Some(Value::String(text)) => Value::String(text.clone()),
        Some(other) => Value::String(other.to_string()),
    }
}

/// The properties that these fields are written as. A create leaves out what is empty.
pub(super) fn properties(portal: &Setup, fields: &Fields, create: bool) -> Result<Fields> {
    let mut properties = Fields::new();
    let mut add = |field: &str, name: &str, value: &Value| {
        let text = written(field, value)?;
        if !(create && text.is_empty()) {
            properties.insert(name.to_owned(), Value::String(text));
        }
        Ok(())
    };
    for (field, value) in fields {
        match (field.as_str(), value) {
            (MORE, Value::Object(more)) => {
                for (name, value) in more {
                    let field = format!("{MORE}.{name}");
                    if !portal.more.contains(name) {
                        return Err(bad_field(&field, "the setting `properties` does not name it"));
                    }
                    add(&field, name, value)?;
                }
            }
            (MORE, Value::Null) => {}
            (MORE, _) => return Err(bad_field(MORE, "must be an object")),
            (field, value) => match FIELDS.iter().find(|(ours, _)| *ours == field) {
                Some((_, theirs)) => add(field, theirs, value)?,
                None => return Err(bad_field(field, "HubSpot has no such field to write")),
            },
        }
    }
    Ok(properties)
}

/// A value as HubSpot takes it; an empty text clears the property.
fn written(field: &str, value: &Value) -> Result<String> {
    match value {
        Value::Null => Ok(String::new()),
        Value::String(text) if field == "email" => Ok(email(text)),
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(yes) => Ok(yes.to_string()),
        Value::Array(_) | Value::Object(_) => Err(bad_field(field, "must be a text, a number, yes or no")),
    }
}

/// An e-mail address as HubSpot keeps it: without white space around, in small letters.
pub(super) fn email(text: &str) -> String {
    text.trim().to_lowercase()
}
