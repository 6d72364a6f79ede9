//! From the source's fields to the target's.

use crate::canon;
use crate::path::Path;
use crate::record::{Fields, Value};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// How the target's fields are made, and how they are compared.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mapping {
    rules: Vec<Rule>,
}

/// One field of the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Where the value comes from.
    pub source: Path,
    /// Where it goes.
    pub target: Path,
    /// How it is changed on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transformation: Option<Transformation>,
    /// Whether a record without it is refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// What stands in for a missing value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_value: Option<Value>,
    /// When two values of it are the same.
    #[serde(default, rename = "type", skip_serializing_if = "FieldKind::is_exact")]
    pub kind: FieldKind,
}

/// How a value is changed on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Transformation {
    /// Pairs of a source value and the value that stands for it on the target.
    pub lookup: Vec<(Value, Value)>,
}

/// When two values of a field are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// When [`canon::equal`] says so.
    #[default]
    Exact,
    /// Numbers and texts that show a number, by value: `"10"` is `"10.00"` is `10`.
    Number,
    /// Lists without order and without repetition.
    Set,
    /// Texts without the white space around and the kind of line end; an empty one is none.
    Text,
}

impl FieldKind {
    /// Whether it is the default kind.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
    const fn is_exact(&self) -> bool {
        matches!(self, Self::Exact)
    }
}

/// Why a record cannot be mapped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{target}` is required, but `{origin}` has no value")]
pub struct Violation {
    /// The target's field.
    pub target: String,
    /// Where its value should have come from.
    pub origin: String,
}

impl Mapping {
    /// A mapping of these rules, applied in their order.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { rules }
    }

    /// The target's top-level fields that it makes, each once, in order.
    pub fn targets(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for rule in &self.rules {
            if !names.contains(&rule.target.field()) {
                names.push(rule.target.field());
            }
        }
        names
    }

    /// The target's view of the source: what the target should hold.
    pub fn apply(&self, source: &Fields) -> Result<Fields, Vec<Violation>> {
        let mut target = Fields::new();
        let mut violations = Vec::new();
        for rule in &self.rules {
            let mut missing = false;
            rule.target.copy(&rule.source, source, &mut target, &mut |value| {
                let value = rule.change(value);
                missing |= value.is_none();
                value
            });
            if rule.required && (missing || rule.target.values(&target).is_empty()) {
                violations
                    .push(Violation { target: rule.target.to_string(), origin: rule.source.to_string() });
            }
        }
        if violations.is_empty() { Ok(target) } else { Err(violations) }
    }

    /// What of a target record this mapping is about. The rest belongs to somebody else and is never compared.
    pub fn project(&self, target: &Fields) -> Fields {
        let mut seen = Fields::new();
        for rule in &self.rules {
            rule.target.copy(&rule.target, target, &mut seen, &mut |value| value.cloned());
        }
        seen
    }

    /// The same fields in the form in which they are compared, each value by its rule's kind.
    pub fn comparable(&self, fields: &Fields) -> Fields {
        let mut result = fields.clone();
        for rule in self.rules.iter().filter(|rule| !rule.kind.is_exact()) {
            let before = result.clone();
            rule.target.copy(&rule.target, &before, &mut result, &mut |value| {
                value.map(|value| comparable(value, rule.kind))
            });
        }
        result.into_iter().filter_map(|(name, value)| Some((name, without_nulls(value)?))).collect()
    }

    /// Whether a top-level field has the same meaning in both, given in [`Self::comparable`] form. Absent is null.
    pub fn same(field: &str, left: &Fields, right: &Fields) -> bool {
        let null = Value::Null;
        canon::equal(left.get(field).unwrap_or(&null), right.get(field).unwrap_or(&null))
    }
}

impl Rule {
    /// A rule that copies.
    pub fn copy(source: Path, target: Path) -> Self {
        Self {
            source,
            target,
            transformation: None,
            required: false,
            default_value: None,
            kind: FieldKind::Exact,
        }
    }

    fn change(&self, value: Option<&Value>) -> Option<Value> {
        let value = match value {
            None | Some(Value::Null) => self.default_value.as_ref().or(value),
            given => given,
        }?;
        match &self.transformation {
            None => Some(value.clone()),
            Some(Transformation { lookup }) => lookup
                .iter()
                .find(|(from, _)| canon::equal(from, value))
                .map(|(_, to)| to.clone())
                .or_else(|| self.default_value.clone()),
        }
    }
}

/// Absent and null are the same to us: a platform that has no value for a field may leave it out.
fn without_nulls(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(fields) => Some(
            fields
                .into_iter()
                .filter_map(|(name, value)| Some((name, without_nulls(value)?)))
                .collect::<Fields>()
                .into(),
        ),
        // An element keeps its place, so a null in a list stays one.
        Value::Array(values) => {
            Some(values.into_iter().map(|value| without_nulls(value).unwrap_or_default()).collect())
        }
        other => Some(other),
    }
}

fn comparable(value: &Value, kind: FieldKind) -> Value {
    match (kind, value) {
        (FieldKind::Number, Value::String(text)) => {
            canon::number(text.trim()).map_or_else(|| value.clone(), Value::String)
        }
        (FieldKind::Number, Value::Number(number)) => {
            canon::number(&number.to_string()).map_or_else(|| value.clone(), Value::String)
        }
        (FieldKind::Number, Value::Object(amounts)) => amounts
            .iter()
            .map(|(name, amount)| (name.clone(), comparable(amount, kind)))
            .collect::<Fields>()
            .into(),
        (FieldKind::Set, Value::Array(values)) => {
            let mut texts: Vec<String> = values
                .iter()
                .map(|value| {
                    let mut text = String::new();
                    canon::write(value, &mut text);
                    text
                })
                .collect();
            texts.sort();
            texts.dedup();
            texts.into_iter().map(Value::String).collect()
        }
        (FieldKind::Text, Value::String(text)) => match text.trim() {
            "" => Value::Null,
            text => Value::String(text.replace("\r\n", "\n").nfc().collect()),
        },
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests;
