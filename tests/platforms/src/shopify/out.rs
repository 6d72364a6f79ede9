//! Values on their way out: scalars, records by reference, objects made on the spot, lists.

use std::sync::Arc;

use apollo_compiler::response::JsonValue;
use serde_json::Value;

/// A record that knows its own fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Query,
    Mutation,
    Shop,
    Product(u64),
    Variant(u64),
    Item(u64),
    /// Inventory item and location.
    Level(u64, u64),
    Location(u64),
    Order(u64),
    Definition(u64),
    Subscription(u64),
}

/// What a field resolves to.
#[derive(Debug, Clone)]
pub(crate) enum Out {
    Leaf(Value),
    Ref(Kind),
    Fields(Fields),
    List(Vec<Out>),
}

/// An object made on the spot, field by field.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    /// Its type, where the field that holds it does not say which of several it is.
    pub(crate) type_name: Option<&'static str>,
    pub(crate) entries: Arc<[(&'static str, Out)]>,
}

impl Out {
    pub(crate) const NULL: Self = Self::Leaf(Value::Null);

    /// A record, or null.
    pub(crate) fn maybe(kind: Option<Kind>) -> Self {
        kind.map_or(Self::NULL, Self::Ref)
    }

    pub(crate) fn object<const N: usize>(entries: [(&'static str, Self); N]) -> Self {
        Self::Fields(Fields { type_name: None, entries: Arc::new(entries) })
    }

    pub(crate) fn typed<const N: usize>(type_name: &'static str, entries: [(&'static str, Self); N]) -> Self {
        Self::Fields(Fields { type_name: Some(type_name), entries: Arc::new(entries) })
    }

    pub(crate) fn refs(kinds: impl IntoIterator<Item = Kind>) -> Self {
        Self::List(kinds.into_iter().map(Self::Ref).collect())
    }
}

impl<T: Into<Value>> From<T> for Out {
    fn from(value: T) -> Self {
        Self::Leaf(value.into())
    }
}

/// Our JSON as the executor's.
pub(crate) fn sent(value: Value) -> JsonValue {
    JsonValue::from(value)
}

/// The executor's JSON as ours.
pub(crate) fn received(value: &JsonValue) -> Value {
    match value {
        JsonValue::Null => Value::Null,
        JsonValue::Bool(yes) => Value::Bool(*yes),
        JsonValue::Number(number) => Value::Number(number.clone()),
        JsonValue::String(text) => Value::String(text.as_str().to_owned()),
        JsonValue::Array(items) => Value::Array(items.iter().map(received).collect()),
        JsonValue::Object(fields) => Value::Object(
            fields.iter().map(|(name, value)| (name.as_str().to_owned(), received(value))).collect(),
        ),
    }
}
