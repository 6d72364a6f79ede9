//! Whether a mapping fits the two sides it is between, before the first record flows; and what changed in a schema.

use crate::decide::Flow;
use crate::mapping::{Format, Mapping, Rule, Step, ValueType};
use crate::record::Value;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A field as its platform describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// Its path in the neutral record: `title`, `variants[].price`.
    pub path: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Whether it can be written.
    pub writable: bool,
    /// Whether a new record must have it.
    pub required: bool,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A text.
    Text,
    /// A number.
    Number,
    /// An amount of money, as text.
    Money,
    /// True or false.
    Boolean,
    /// A point in time or a day, as text.
    Time,
    /// A list.
    List,
    /// An object.
    Object,
}

/// Something about a mapping that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Where, as a JSON pointer into the configuration.
    pub pointer: String,
    /// What kind: `unknown_field`, `not_writable`, `type_mismatch`, `required_not_mapped`, `mapped_twice`, `no_way_back`.
    pub code: &'static str,
    /// For people.
    pub detail: String,
    /// Whether the sync must not start with it.
    pub fatal: bool,
}

/// Everything about a mapping that does not fit these two schemas. An empty schema is unknown and fits everything.
pub fn problems(mapping: &Mapping, flow: Flow, source: &[Field], target: &[Field]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut taken = BTreeSet::new();
    for (index, rule) in mapping.rules().iter().enumerate() {
        let mut add = |end: &str, code, fatal, detail: String| {
            problems.push(Problem { pointer: format!("/mapping/{index}{end}"), code, detail, fatal });
        };
        let from = find(source, &rule.source.to_string());
        let to = find(target, &rule.target.to_string());
        let returns = flow == Flow::TwoWay && rule.returns();
        if from == Found::Unknown {
            add("/source", "unknown_field", true, format!("the source has no field `{}`", rule.source));
        }
        if to == Found::Unknown {
            add("/target", "unknown_field", true, format!("the target has no field `{}`", rule.target));
        }
        if rule.goes() && to.is_read_only() {
            add(
                "/target",
                "not_writable",
                true,
                format!("`{}` cannot be written on the target", rule.target),
            );
        }
        if returns && from.is_read_only() {
            add(
                "/source",
                "not_writable",
                true,
                format!("`{}` cannot be written on the source", rule.source),
            );
        }
        if !taken.insert(rule.target.to_string()) {
            add("/target", "mapped_twice", true, format!("`{}` is mapped twice", rule.target));
        }
        if flow == Flow::TwoWay && !returns && rule.direction != crate::mapping::Way::ToTarget {
            let fatal = !rule.goes();
            add(
                "/transformation",
                "no_way_back",
                fatal,
                format!("`{}` cannot flow back: give it a `reverse`", rule.target),
            );
        }
        if let (Some(given), Found::Field(wanted)) = (result(rule, from), to)
            && !fits(given, wanted.kind)
        {
            let detail = format!("`{}` gets {} and holds {}", rule.target, word(given), word(wanted.kind));
            add("/target", "type_mismatch", true, detail);
        }
        if let (Some(default), Found::Field(wanted)) = (&rule.default_value, to)
            && !holds(wanted.kind, default)
        {
            let detail = format!("the default of `{}` is no {}", rule.target, word(wanted.kind));
            add("/defaultValue", "type_mismatch", true, detail);
        }
    }
    problems.extend(missing(mapping, target));
    problems
}

/// Fields that a new record must have and that nothing is mapped to. Fields inside a list or object count only where
/// anything is mapped into it.
fn missing(mapping: &Mapping, target: &[Field]) -> Vec<Problem> {
    let goes: Vec<String> = mapping
        .rules()
        .iter()
        .filter(|rule| rule.goes())
        .map(|rule| any_index(&rule.target.to_string()))
        .collect();
    let parent =
        |path: &str| path.rfind(['.', '[']).map(|end| path.get(..end).unwrap_or_default().to_owned());
    target
        .iter()
        .filter(|field| field.required && !goes.iter().any(|path| inside(path, &field.path)))
        .filter(|field| {
            parent(&field.path).is_none_or(|parent| goes.iter().any(|path| inside(path, &parent)))
        })
        .map(|field| Problem {
            pointer: "/mapping".to_owned(),
            code: "required_not_mapped",
            detail: format!("the target needs `{}`, and nothing is mapped to it", field.path),
            fatal: true,
        })
        .collect()
}

/// Whether a path is this one or lies below it.
fn inside(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// What a schema says about a path.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Found<'a> {
    Field(&'a Field),
    /// It lies inside something that the schema does not describe further.
    Within(&'a Field),
    /// It holds fields that the schema describes.
    Way,
    /// The schema is unknown.
    Anything,
    Unknown,
}

impl Found<'_> {
    const fn is_read_only(self) -> bool {
        matches!(self, Self::Field(field) | Self::Within(field) if !field.writable)
    }
}

fn find<'a>(schema: &'a [Field], path: &str) -> Found<'a> {
    if schema.is_empty() {
        return Found::Anything;
    }
    let path = any_index(path);
    if let Some(field) = schema.iter().find(|field| field.path == path) {
        return Found::Field(field);
    }
    if schema.iter().any(|field| inside(&field.path, &path)) {
        return Found::Way;
    }
    let closed = |outer: &Field| {
        schema.iter().any(|field| field.path != outer.path && inside(&field.path, &outer.path))
    };
    let outer = schema.iter().find(|field| {
        matches!(field.kind, Kind::List | Kind::Object) && inside(&path, &field.path) && !closed(field)
    });
    outer.map_or(Found::Unknown, Found::Within)
}

/// A path with every index opened: `lines[0].sku` is `lines[].sku`.
fn any_index(path: &str) -> String {
    let mut open = String::new();
    let mut inside = false;
    for letter in path.chars() {
        match letter {
            '[' => inside = true,
            ']' => inside = false,
            _ if inside => continue,
            _ => {}
        }
        open.push(letter);
    }
    open
}

/// What a rule makes of the source's field; `None` when that cannot be told.
fn result(rule: &Rule, from: Found<'_>) -> Option<Kind> {
    let mut kind = match from {
        Found::Field(field) => Some(field.kind),
        _ => None,
    };
    if rule.source.is_many() && !rule.target.is_many() {
        kind = Some(Kind::List);
    }
    for step in rule.transformation.iter().flat_map(|transformation| &transformation.steps) {
        kind = match step {
            Step::Validate(_) | Step::Filter(_) => kind,
            Step::Lookup(_) | Step::Custom(_) => None,
            Step::Calculate(_) => kind.map(|kind| if kind == Kind::Text { Kind::Money } else { kind }),
            Step::Format(format) => match format {
                Format::Split(_) => Some(Kind::List),
                Format::Date { .. } => Some(Kind::Time),
                Format::Number { .. } => kind.map(|kind| if kind == Kind::Text { Kind::Money } else { kind }),
                Format::To(to) => Some(match to {
                    ValueType::Text => Kind::Text,
                    ValueType::Number | ValueType::Integer => Kind::Number,
                    ValueType::Boolean => Kind::Boolean,
                    ValueType::Date => Kind::Time,
                    ValueType::List => Kind::List,
                    ValueType::Object => Kind::Object,
                }),
                _ => Some(Kind::Text),
            },
        };
    }
    kind
}

/// Whether a value of one kind can stand in a field of another.
fn fits(given: Kind, wanted: Kind) -> bool {
    given == wanted
        || matches!(
            (given, wanted),
            (Kind::Number | Kind::Money, Kind::Number | Kind::Money) | (Kind::Money | Kind::Time, Kind::Text)
        )
}

fn holds(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::Text | Kind::Time => value.is_string(),
        Kind::Number | Kind::Money => ValueType::Number.fits(value),
        Kind::Boolean => value.is_boolean(),
        Kind::List => value.is_array(),
        Kind::Object => value.is_object(),
    }
}

const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Number => "number",
        Kind::Money => "money",
        Kind::Boolean => "boolean",
        Kind::Time => "time",
        Kind::List => "list",
        Kind::Object => "object",
    }
}

/// One way in which a platform's schema is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// The field.
    pub path: String,
    /// `added`, `removed`, `type_changed`, `read_only`, `required`, `writable`, `optional`.
    pub change: &'static str,
    /// Whether a sync that uses the field cannot go on.
    pub breaking: bool,
}

/// What changed between two descriptions of the same object, in the order of the paths.
pub fn drift(before: &[Field], after: &[Field]) -> Vec<Drift> {
    let mut drifts = Vec::new();
    let mut add = |path: &str, change, breaking| {
        drifts.push(Drift { path: path.to_owned(), change, breaking });
    };
    for old in before {
        let Some(new) = after.iter().find(|field| field.path == old.path) else {
            add(&old.path, "removed", true);
            continue;
        };
        if new.kind != old.kind {
            add(&old.path, "type_changed", !fits(old.kind, new.kind));
        }
        match (old.writable, new.writable) {
            (true, false) => add(&old.path, "read_only", true),
            (false, true) => add(&old.path, "writable", false),
            _ => {}
        }
        match (old.required, new.required) {
            (false, true) => add(&old.path, "required", true),
            (true, false) => add(&old.path, "optional", false),
            _ => {}
        }
    }
    for new in after.iter().filter(|new| !before.iter().any(|old| old.path == new.path)) {
        add(&new.path, "added", new.required);
    }
    drifts.sort_by(|a, b| a.path.cmp(&b.path));
    drifts
}

#[cfg(test)]
mod tests;
