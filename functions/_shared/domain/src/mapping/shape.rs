//! The tree of the target's fields: how each is compared, and which lists have a key.

use super::Rule;
use super::rule::FieldKind;
use crate::canon;
use crate::moment;
use crate::path::{Path, Step};
use crate::record::{Fields, Value};
use std::collections::{BTreeMap, BTreeSet};
use unicode_normalization::UnicodeNormalization;

/// A place in the target's records, and what is below it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shape {
    /// The position of the rule that makes the value here, if one does.
    pub(crate) rule: Option<usize>,
    pub(crate) kind: FieldKind,
    pub(crate) fields: BTreeMap<String, Shape>,
    pub(crate) each: Option<Box<Shape>>,
    at: BTreeMap<usize, Shape>,
    /// Where an element of this list has the value that tells it apart.
    key: Option<Path>,
}

impl Shape {
    /// The shape of what these rules make.
    pub(crate) fn of(rules: &[Rule]) -> Self {
        let mut root = Self::default();
        for (position, rule) in rules.iter().enumerate() {
            root.add(&rule.target, position, rule);
        }
        root
    }

    fn add(&mut self, path: &Path, position: usize, rule: &Rule) {
        let mut place = self.fields.entry(path.field().to_owned()).or_default();
        let steps = path.steps();
        let last = steps.iter().rposition(|step| *step == Step::Each);
        for (number, step) in steps.iter().enumerate() {
            if rule.key && Some(number) == last {
                place.key = tail(steps.get(number.saturating_add(1)..).unwrap_or_default());
            }
            place = match step {
                Step::Key(name) => place.fields.entry(name.clone()).or_default(),
                Step::Index(index) => place.at.entry(*index).or_default(),
                Step::Each => place.each.get_or_insert_default(),
            };
        }
        place.rule = Some(position);
        place.kind = rule.kind;
    }

    /// The shapes right below it.
    pub(crate) fn below(&self) -> impl Iterator<Item = &Self> {
        self.fields.values().chain(self.each.as_deref()).chain(self.at.values())
    }

    /// What of a value is compared: by kind, without nulls, elements with a key in the order of their keys.
    pub(crate) fn comparable(&self, value: &Value) -> Option<Value> {
        let value = by_kind(value, self.kind);
        match value {
            Value::Null => None,
            Value::Object(fields) => {
                let inside: Fields = fields
                    .iter()
                    .filter_map(|(name, value)| Some((name.clone(), self.field(name, value)?)))
                    .collect();
                // An object that is only a way to its fields is nothing without them.
                let is_way = self.rule.is_none() && !self.fields.is_empty();
                (!(is_way && inside.is_empty())).then_some(Value::Object(inside))
            }
            Value::Array(values) => {
                let keys = self.keys(&values);
                let elements = values.iter().enumerate().map(|(index, value)| self.element(index, value));
                Some(match keys {
                    // An element keeps its place, so a null in a list stays one.
                    None => elements.map(Option::unwrap_or_default).collect(),
                    Some(keys) => {
                        let sorted: BTreeMap<String, Value> =
                            keys.into_iter().zip(elements.map(Option::unwrap_or_default)).collect();
                        sorted.into_values().collect()
                    }
                })
            }
            other => Some(other),
        }
    }

    fn field(&self, name: &str, value: &Value) -> Option<Value> {
        self.fields.get(name).map_or_else(|| exact().comparable(value), |shape| shape.comparable(value))
    }

    fn element(&self, index: usize, value: &Value) -> Option<Value> {
        let shape = self.at.get(&index).or(self.each.as_deref());
        shape.map_or_else(|| exact().comparable(value), |shape| shape.comparable(value))
    }

    /// The keys of a list's elements; `None` when it has no key, or an element has none, or two have the same.
    pub(crate) fn keys(&self, values: &[Value]) -> Option<Vec<String>> {
        let key = self.key.as_ref()?;
        let keys: Vec<String> = values
            .iter()
            .map(|value| match key.first(value.as_object()?)? {
                Value::Null => None,
                value => Some(canonical(value)),
            })
            .collect::<Option<_>>()?;
        let distinct: BTreeSet<&String> = keys.iter().collect();
        (distinct.len() == keys.len()).then_some(keys)
    }

    /// Whether both mean the same here. Absent is null.
    pub(crate) fn same(&self, left: Option<&Value>, right: Option<&Value>) -> bool {
        match (left.and_then(|value| self.comparable(value)), right.and_then(|value| self.comparable(value)))
        {
            (None, None) => true,
            (Some(left), Some(right)) => canon::equal(&left, &right),
            _ => false,
        }
    }

    /// The fields of a record in the form in which they are compared.
    pub(crate) fn comparable_fields(&self, fields: &Fields) -> Fields {
        fields.iter().filter_map(|(name, value)| Some((name.clone(), self.field(name, value)?))).collect()
    }
}

/// The canonical text of a value.
pub(crate) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    canon::write(value, &mut text);
    text
}

fn exact() -> Shape {
    Shape::default()
}

/// The path below an element, as a path of its own. `None` where the element itself would be the key.
fn tail(steps: &[Step]) -> Option<Path> {
    match steps {
        [Step::Key(name)] => Some(Path::top(name)),
        _ => None,
    }
}

fn by_kind(value: &Value, kind: FieldKind) -> Value {
    match (kind, value) {
        (FieldKind::Number, Value::String(text)) => {
            canon::number(text.trim()).map_or_else(|| value.clone(), Value::String)
        }
        (FieldKind::Number, Value::Number(number)) => {
            canon::number(&number.to_string()).map_or_else(|| value.clone(), Value::String)
        }
        (FieldKind::Number, Value::Object(amounts)) => amounts
            .iter()
            .map(|(name, amount)| (name.clone(), by_kind(amount, kind)))
            .collect::<Fields>()
            .into(),
        (FieldKind::Set, Value::Array(values)) => {
            let texts: BTreeSet<String> = values.iter().map(canonical).collect();
            texts.into_iter().map(Value::String).collect()
        }
        (FieldKind::Text, Value::String(text)) => match text.trim() {
            "" => Value::Null,
            text => Value::String(text.replace("\r\n", "\n").nfc().collect()),
        },
        (FieldKind::Time, Value::String(text)) => {
            moment::canonical(text).map_or_else(|| value.clone(), Value::String)
        }
        _ => value.clone(),
    }
}
