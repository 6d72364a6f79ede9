//! What comes in with a record: checked, and brought into the form in which it is kept.

use serde_json::{Map, Value, json};

use super::ledger::{Ledger, Record};
use super::metadata::{Kind, Sublist, Type};
use super::problem::Problem;

/// How to treat what is unknown: the headers `X-NetSuite-PropertyNameValidation` and the parameter `replace`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manner {
    /// Unknown names are errors.
    pub(crate) strict_names: bool,
    /// Sublists whose lines become the whole list.
    pub(crate) replace: Vec<String>,
}

/// Writes the fields of `body` into a record.
///
/// # Errors
/// The first thing that is wrong, with its path.
pub(crate) fn write(
    ledger: &Ledger,
    known: &'static Type,
    record: &mut Record,
    body: &Map<String, Value>,
    manner: &Manner,
) -> Result<(), Problem> {
    for (name, value) in body {
        match name.as_str() {
            "id" | "links" | "createdDate" | "lastModifiedDate" | "refName" => continue,
            "externalId" => record.external_id = external_id(value)?,
            _ => {}
        }
        if name == "externalId" {
            continue;
        }
        if let Some(sublist) = known.sublist(name) {
            let mut lines = record.lines.remove(sublist.name).unwrap_or_default();
            let replaced = manner.replace.iter().any(|replaced| replaced == name);
            write_lines(ledger, sublist, &mut lines, value, replaced, manner)?;
            record.lines.insert(sublist.name, lines);
            continue;
        }
        match known.field(name) {
            Some(kind) => put(&mut record.fields, name, field(ledger, name, name, kind, value)?),
            None if ledger.custom_field(known.custom_prefix, name) => {
                put(&mut record.fields, name, custom(name, value)?);
            }
            None if manner.strict_names => return Err(unknown(name, name)),
            None => {}
        }
    }
    for required in known.required {
        if !record.fields.contains_key(*required) {
            return Err(
                Problem::content(*required, format!("Please enter value(s) for: {required}")).into_user()
            );
        }
    }
    Ok(())
}

impl Problem {
    fn into_user(mut self) -> Self {
        self.code = "USER_ERROR";
        self
    }
}

fn put(fields: &mut Map<String, Value>, name: &str, value: Value) {
    if value.is_null() {
        fields.remove(name);
    } else {
        fields.insert(name.to_owned(), value);
    }
}

fn unknown(name: &str, path: &str) -> Problem {
    Problem::content(path, format!("Unknown reference or field name '{name}'. Provide a valid field name."))
}

fn invalid(name: &str, path: &str) -> Problem {
    Problem::content(
        path,
        format!("Invalid value for the resource or sub-resource field '{name}'. Provide a valid value."),
    )
}

/// External ids are letters, digits, `_` and `-`.
pub(crate) fn external_id(value: &Value) -> Result<Option<String>, Problem> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.trim().to_owned(),
        _ => return Err(invalid("externalId", "externalId")),
    };
    let right = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if !right || text.is_empty() || text.len() > 255 {
        return Err(invalid("externalId", "externalId"));
    }
    Ok(Some(text))
}

/// One value in the form in which it is kept; null clears.
fn field(ledger: &Ledger, name: &str, path: &str, kind: Kind, value: &Value) -> Result<Value, Problem> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let wrong = || invalid(name, path);
    Ok(match kind {
        Kind::Text(most) => {
            let text = value.as_str().ok_or_else(wrong)?.trim();
            let length = text.chars().count();
            if length > most {
                let detail = format!(
                    "The field {name} contained more than the maximum number ( {most} ) of characters allowed."
                );
                return Err(Problem { path: Some(path.to_owned()), ..Problem::user(detail) });
            }
            if text.is_empty() { Value::Null } else { text.into() }
        }
        Kind::Boolean => value.as_bool().ok_or_else(wrong)?.into(),
        Kind::Integer => value.as_i64().ok_or_else(wrong)?.into(),
        Kind::Number => amount(value).ok_or_else(wrong)?.into(),
        Kind::Date => {
            let text = value.as_str().ok_or_else(wrong)?;
            let day = text.get(..10).ok_or_else(wrong)?;
            chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").map_err(|_| wrong())?;
            day.into()
        }
        Kind::ReadOnly => Value::Null,
        Kind::Record(target) => reference(ledger, target, value, path)?,
        Kind::Records(target) => {
            let items = value.get("items").and_then(Value::as_array).ok_or_else(wrong)?;
            let kept: Result<Vec<Value>, Problem> =
                items.iter().map(|item| reference(ledger, target, item, path)).collect();
            json!({ "items": kept? })
        }
        Kind::Choice => choice(value).ok_or_else(wrong)?,
        Kind::Address => {
            let fields = value.as_object().ok_or_else(wrong)?;
            address(fields, path)?
        }
    })
}

/// An amount as text: a JSON number keeps its digits, a text must be a decimal number.
fn amount(value: &Value) -> Option<String> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    crate::money::minor(&text, 6).map(|_| crate::money::bare(&text))
}

/// A value of a list: `{"id": "A"}`, `{"value": "0"}` or the id alone.
fn choice(value: &Value) -> Option<Value> {
    let id = match value {
        Value::Object(fields) => {
            fields.get("id").or_else(|| fields.get("value")).or_else(|| fields.get("refName"))?
        }
        other => other,
    };
    let id = match id {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(json!({ "id": id }))
}

/// A reference by `id`, `externalId` or `refName`; the record must be there.
pub(crate) fn reference(
    ledger: &Ledger,
    target: &'static str,
    value: &Value,
    path: &str,
) -> Result<Value, Problem> {
    let wrong = || invalid(path, path);
    let part = |name: &str| match value.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let id = if let Some(external) = part("externalId") {
        ledger.by_external(target, &external)
    } else if let Some(id) = part("id") {
        id.parse().ok()
    } else if let Some(name) = part("refName") {
        ledger
            .of_kind(target)
            .find(|record| super::ledger::display_name(record) == name)
            .map(|record| record.id)
    } else {
        match value {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.as_u64(),
            _ => None,
        }
    };
    let found = id.filter(|id| ledger.referred(target, *id).is_some()).ok_or_else(wrong)?;
    Ok(json!({ "id": found.to_string() }))
}

const ADDRESS_FIELDS: [&str; 12] = [
    "addressee",
    "addr1",
    "addr2",
    "addr3",
    "city",
    "state",
    "zip",
    "country",
    "addrPhone",
    "attention",
    "override",
    "addrText",
];

fn address(fields: &Map<String, Value>, path: &str) -> Result<Value, Problem> {
    let mut kept = Map::new();
    for (name, value) in fields {
        let path = format!("{path}.{name}");
        if name == "links" {
            continue;
        }
        if !ADDRESS_FIELDS.contains(&name.as_str()) {
            return Err(unknown(name, &path));
        }
        let value = match (name.as_str(), value) {
            (_, Value::Null) => continue,
            ("country", value) => choice(value).ok_or_else(|| invalid(name, &path))?,
            (_, Value::String(text)) => text.trim().into(),
            ("override", Value::Bool(yes)) => (*yes).into(),
            _ => return Err(invalid(name, &path)),
        };
        kept.insert(name.clone(), value);
    }
    Ok(Value::Object(kept))
}

/// Custom fields are free text, check boxes, numbers or lists; which one shows in what is sent.
fn custom(name: &str, value: &Value) -> Result<Value, Problem> {
    Ok(match value {
        Value::String(text) if text.trim().is_empty() => Value::Null,
        Value::String(text) if text.len() > 1_000_000 => {
            return Err(Problem::user(format!(
                "The field {name} contained more than the maximum number ( 1000000 ) of characters allowed."
            )));
        }
        Value::String(text) => text.trim().into(),
        Value::Array(_) => return Err(invalid(name, name)),
        Value::Object(_) => choice(value).ok_or_else(|| invalid(name, name))?,
        other => other.clone(),
    })
}

fn write_lines(
    ledger: &Ledger,
    sublist: &'static Sublist,
    lines: &mut Vec<Map<String, Value>>,
    body: &Value,
    replaced: bool,
    manner: &Manner,
) -> Result<(), Problem> {
    let wrong = || invalid(sublist.name, sublist.name);
    let items = match body {
        Value::Null => &Vec::new(),
        Value::Object(_) => body.get("items").and_then(Value::as_array).ok_or_else(wrong)?,
        _ => return Err(wrong()),
    };
    if replaced {
        lines.clear();
    }
    for (at, item) in items.iter().enumerate() {
        let path = format!("{}.items[{at}]", sublist.name);
        let input = item.as_object().ok_or_else(|| invalid(sublist.name, &path))?;
        let mut line = Map::new();
        for (name, value) in input {
            let path = format!("{path}.{name}");
            match sublist.fields.iter().find(|(field, _)| field == name) {
                Some((_, kind)) => put(&mut line, name, field(ledger, name, &path, *kind, value)?),
                None if name == "links" => {}
                None if name.starts_with("custcol_syncline_") => put(&mut line, name, custom(name, value)?),
                None if manner.strict_names => return Err(unknown(name, &path)),
                None => {}
            }
        }
        merge(sublist, lines, line, &path)?;
    }
    Ok(())
}

/// Puts a line into its list: over the one with the same keys, or at the end.
pub(crate) fn merge(
    sublist: &'static Sublist,
    lines: &mut Vec<Map<String, Value>>,
    mut line: Map<String, Value>,
    path: &str,
) -> Result<(), Problem> {
    if sublist.name == "price" && !line.contains_key("quantity") {
        line.insert("quantity".to_owned(), json!({ "id": "0" }));
    }
    let numbered = sublist.keys == ["line"];
    let same = |known: &Map<String, Value>| sublist.keys.iter().all(|key| known.get(*key) == line.get(*key));
    let place = if numbered && !line.contains_key("line") { None } else { lines.iter().position(same) };
    if let Some(known) = place.and_then(|place| lines.get_mut(place)) {
        known.extend(line);
        return Ok(());
    }
    if let Some(missing) = sublist.required.iter().find(|required| !line.contains_key(**required)) {
        let detail = format!("Please enter value(s) for: {missing}");
        return Err(Problem { path: Some(format!("{path}.{missing}")), ..Problem::user(detail) });
    }
    if numbered {
        let last = lines.iter().filter_map(|line| line.get("line").and_then(Value::as_i64)).max();
        line.insert("line".to_owned(), (last.unwrap_or_default() + 1).into());
    }
    lines.push(line);
    Ok(())
}
