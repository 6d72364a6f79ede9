//! What values properties take, and how HubSpot keeps them.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::Value;

use super::problem::Problem;
use super::properties::{Definition, STAGES};
use super::state::{Record, State};

/// Values to be set, by the names of properties; an empty one clears.
pub(crate) type Values = BTreeMap<String, String>;

/// The values of an input as HubSpot keeps them.
pub(crate) fn values(state: &State, input: &Value) -> Result<Values, Problem> {
    let properties = input.get("properties").and_then(Value::as_object);
    let properties = properties.ok_or_else(|| {
        Problem::invalid("Invalid input JSON: Some required fields were not set: [properties]")
    })?;
    let mut values = Values::new();
    for (name, value) in properties {
        let Some(definition) = state.definitions.get(name) else {
            let why = format!("Property \"{name}\" does not exist");
            return Err(Problem::property(name, "PROPERTY_DOESNT_EXIST", &why));
        };
        if definition.read_only {
            let why = format!("\"{name}\" is a read only property; its value cannot be set.");
            return Err(Problem::property(name, "READ_ONLY_VALUE", &why));
        }
        let text = match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            Value::Array(_) | Value::Object(_) => {
                return Err(Problem::invalid(format!("Invalid input JSON: {name} cannot be deserialized")));
            }
        };
        values.insert(name.clone(), kept(definition, &text)?);
    }
    Ok(values)
}

/// One value as HubSpot keeps it.
pub(crate) fn kept(definition: &Definition, text: &str) -> Result<String, Problem> {
    let name = definition.name.as_str();
    if text.is_empty() {
        return Ok(String::new());
    }
    let refuse = |code: &str, why: String| Err(Problem::property(name, code, &why));
    match definition.kind.as_str() {
        "string" if name == "email" => {
            let address = text.trim().to_lowercase();
            let valid = address.split_once('@').is_some_and(|(user, host)| {
                !user.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
            });
            if valid && !address.contains(char::is_whitespace) {
                return Ok(address);
            }
            refuse("INVALID_EMAIL", format!("Email address {text} is invalid"))
        }
        "number" if text.trim().parse::<f64>().is_err() => {
            refuse("INVALID_LONG", format!("{text} was not a valid number."))
        }
        "bool" if !["true", "false"].contains(&text) => {
            refuse("INVALID_OPTION", format!("{text} was not one of the allowed options: [true, false]"))
        }
        "date" | "datetime" if text.parse::<i64>().is_err() && !is_time(text) => {
            refuse("INVALID_DATE", format!("{text} is no date"))
        }
        "enumeration"
            if !definition.options.is_empty() && !definition.options.iter().any(|it| it == text) =>
        {
            refuse(
                "INVALID_OPTION",
                format!("{text} was not one of the allowed options: {:?}", definition.options),
            )
        }
        _ => Ok(text.to_owned()),
    }
}

fn is_time(text: &str) -> bool {
    DateTime::parse_from_rfc3339(text).is_ok() || text.parse::<chrono::NaiveDate>().is_ok()
}

/// Sets values. Answers whether anything changed; then the time of change moves.
pub(crate) fn set(record: &mut Record, values: &Values) -> bool {
    let before = record.values.clone();
    for (name, value) in values {
        if value.is_empty() {
            record.values.remove(name);
        } else if !(name == "lifecyclestage" && goes_back(record, value)) {
            record.values.insert(name.clone(), value.clone());
        }
    }
    record.values != before
}

/// A stage only goes forward; to go back, it is cleared first.
fn goes_back(record: &Record, stage: &str) -> bool {
    let place = |stage: &str| STAGES.iter().position(|one| *one == stage);
    record.values.get("lifecyclestage").is_some_and(|now| place(stage) < place(now))
}

/// Refuses values of unique properties that another contact has.
pub(crate) fn unique(state: &State, values: &Values, own: Option<u64>) -> Result<(), Problem> {
    for name in state.unique_properties() {
        let Some(value) = values.get(&name).filter(|value| !value.is_empty()) else { continue };
        let Some(other) = state.unique(&name, value).filter(|other| Some(other.id) != own) else { continue };
        if name == "email" {
            return Err(Problem::taken(other.id));
        }
        let why = format!("Cannot set {name} to \"{value}\". {} already has that value.", other.id);
        return Err(Problem::property(&name, "CONFLICTING_UNIQUE_VALUE", &why));
    }
    Ok(())
}
