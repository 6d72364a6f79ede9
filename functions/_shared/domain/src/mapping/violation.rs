//! What is wrong with a record, or remarkable about it.

use crate::record::Value;
use serde::Serialize;
use std::fmt;

/// Which rule a record breaks, and with what value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Violation {
    /// The record's id; empty where the record has none yet.
    pub record: String,
    /// The target's field.
    pub target: String,
    /// Where its value should have come from.
    pub origin: String,
    /// The rule: `required`, `validate.email`, `format.date`, …
    pub rule: String,
    /// What the rule says. Never the value itself.
    pub detail: String,
    /// The value, masked where it is about a person.
    pub value: Option<Value>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rule == "required" {
            return write!(f, "`{}` is required, but `{}` has no value", self.target, self.origin);
        }
        write!(f, "`{}` from `{}`: {} ({})", self.target, self.origin, self.detail, self.rule)?;
        match &self.value {
            Some(value) => write!(f, "; the value is {}", short(value)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Violation {}

/// At most 80 letters of a value.
fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 80 {
        return text;
    }
    text.chars().take(79).chain(['…']).collect()
}

/// A value in which nobody can be recognised. Nothing stays nothing.
pub fn mask(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        _ => Value::String("***".to_owned()),
    }
}
