//! The schemas of one function, and the names they go by among those of all others.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};

/// Where schemas are found in the document.
pub(super) const PLACE: &str = "#/components/schemas/";

/// The schemas of what is read and of what is written: an absent field is fine in the one, and not there in the other.
pub(super) struct Sides {
    pub(super) read: SchemaGenerator,
    pub(super) written: SchemaGenerator,
}

impl Sides {
    pub(super) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12()
            .with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
            .with_transform(RecursiveTransform(without_empty_default));
        let read = settings.clone().for_deserialize().into_generator();
        Self { read, written: settings.for_serialize().into_generator() }
    }

    /// All schemas under the names they have within the function.
    pub(super) fn definitions(&mut self) -> Vec<(String, Value)> {
        let read = self.read.take_definitions(true);
        read.into_iter().chain(self.written.take_definitions(true)).collect()
    }
}

/// That a field is null when absent, its type says already.
fn without_empty_default(schema: &mut Schema) {
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
}

/// The same schema for a place where there is no null: a query.
pub(super) fn without_null(mut schema: Value) -> Value {
    if let Ok(schema) = <&mut Schema>::try_from(&mut schema) {
        RecursiveTransform(without_empty_default).transform(schema);
    }
    let Some(object) = schema.as_object_mut() else { return schema };
    if let Some(kinds) = object.get_mut("type").and_then(Value::as_array_mut) {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(mut choices) = object.get("anyOf").and_then(Value::as_array).cloned() {
        choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            for (name, value) in only {
                object.entry(name).or_insert(value);
            }
        }
    }
    schema
}

/// The name of a schema among all functions. Ids and words are everybody's; what has fields is the function's own.
pub(super) fn public_name(function: &str, name: &str, schema: &Value) -> String {
    if is_word(schema) { name.to_owned() } else { format!("{}{name}", type_name(function)) }
}

fn is_word(schema: &Value) -> bool {
    match schema.get("oneOf").and_then(Value::as_array) {
        Some(choices) => choices.iter().all(is_word),
        None => schema.get("type").is_some_and(|kind| kind == "string"),
    }
}

/// `sync-list` as a part of a type's name: `SyncList`.
pub(super) fn type_name(function: &str) -> String {
    let mut name = String::new();
    for part in function.split('-') {
        let mut letters = part.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

/// Gives every reference within this value its new name.
pub(super) fn rename(value: &mut Value, names: &[(String, String)]) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields.iter_mut() {
                match inner.as_str().and_then(|path| path.strip_prefix(PLACE)).filter(|_| key == "$ref") {
                    Some(old) => {
                        let new = names.iter().find(|(name, _)| name == old).map_or(old, |(_, new)| new);
                        *inner = Value::String(format!("{PLACE}{new}"));
                    }
                    None => rename(inner, names),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|inner| rename(inner, names)),
        _ => {}
    }
}

/// The same value with the fields of all objects by name, so that the text is the same wherever it is made.
pub(super) fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> =
                fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            fields.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(fields.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}
