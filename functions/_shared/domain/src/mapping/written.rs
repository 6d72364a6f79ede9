//! The two forms in which people write a mapping.
//!
//! An object: `{"user_id": "userId"}`, with `transformations: [{"field": "email", "operation": "validate", "rule": "email"}]`
//! beside it. A list: `[{"source": "user_id", "target": "userId", "transformation": {"validate": "email"}}]`.

use super::{Mapping, Rule, Transformation};
use crate::record::{Fields, Value};
use serde::Deserialize;
use serde_json::json;

/// A mapping that cannot be read, and where in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {reason}")]
pub struct BadMapping {
    /// A JSON pointer into the configuration.
    pub pointer: String,
    /// What is wrong there.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    field: String,
    operation: String,
    #[serde(default)]
    rule: Value,
}

/// Reads a mapping of either form, with the transformations beside it.
pub fn read(mapping: &Value, transformations: &Value) -> Result<Mapping, BadMapping> {
    let rules = match mapping {
        Value::Array(rules) => {
            rules.iter().enumerate().map(|(index, written)| rule(index, written)).collect::<Result<_, _>>()?
        }
        Value::Object(pairs) => object(pairs)?,
        _ => return Err(bad("/mapping", "write a list of rules, or an object of source and target fields")),
    };
    extend(Mapping::new(rules), transformations)
}

/// Adds transformations to the rules of a mapping.
pub fn extend(mapping: Mapping, transformations: &Value) -> Result<Mapping, BadMapping> {
    let mut rules = mapping.rules;
    let named = match transformations {
        Value::Null => &Vec::new(),
        Value::Array(named) => named,
        _ => return Err(bad("/transformations", "write a list")),
    };
    for (index, written) in named.iter().enumerate() {
        add(&mut rules, written).map_err(|reason| bad(&format!("/transformations/{index}"), &reason))?;
    }
    Ok(Mapping::new(rules))
}

fn bad(pointer: &str, reason: &str) -> BadMapping {
    BadMapping { pointer: pointer.to_owned(), reason: reason.to_owned() }
}

/// One rule of the list form.
fn rule(index: usize, written: &Value) -> Result<Rule, BadMapping> {
    serde_json::from_value(written.clone())
        .map_err(|error| bad(&format!("/mapping/{index}"), &error.to_string()))
}

fn object(pairs: &Fields) -> Result<Vec<Rule>, BadMapping> {
    let mut rules = Vec::new();
    for (source, target) in pairs {
        let pointer = format!("/mapping/{}", escaped(source));
        let wrong = |reason: &str| bad(&pointer, reason);
        let from = source.parse().map_err(|error| wrong(&format!("{error}")))?;
        let to = target.as_str().ok_or_else(|| wrong("name the target's field"))?;
        rules.push(Rule::copy(from, to.parse().map_err(|error| wrong(&format!("{error}")))?));
    }
    Ok(rules)
}

/// A name as a JSON pointer has it.
pub fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Adds a transformation to the rule whose source or target it names.
fn add(rules: &mut [Rule], written: &Value) -> Result<(), String> {
    let Named { field, operation, rule } =
        serde_json::from_value(written.clone()).map_err(|error| error.to_string())?;
    let place = rules.iter().position(|rule| rule.source.to_string() == field);
    let place = place.or_else(|| rules.iter().position(|rule| rule.target.to_string() == field));
    let place = place.and_then(|place| rules.get_mut(place));
    let place = place.ok_or_else(|| format!("`{field}` is not mapped"))?;
    let steps = Transformation::try_from(json!({ operation: rule })).map_err(|error| error.to_string())?;
    place.transformation.get_or_insert_default().steps.extend(steps.steps);
    Ok(())
}
