//! The bridge between the executor and the shop's records.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonMap;
use apollo_compiler::schema::ExtendedType;
use serde_json::{Map, Value};

use super::out::{Fields, Kind, Out, received, sent};
use super::state::State;
use super::{mutations, objects, queries};

/// One request's view of the shop.
pub(crate) struct Scene<'s> {
    pub(crate) state: RefCell<&'s mut State>,
    /// Scopes the caller has.
    pub(crate) scopes: &'s [String],
    /// The keys of `@idempotent`, by the field's name in the answer: the executor does not hand them to resolvers.
    pub(crate) keys: &'s HashMap<String, String>,
    /// What the fault plan wants refused, by position in a list of inputs.
    pub(crate) refuse: &'s [usize],
    /// How many mutations of the request came before.
    pub(crate) position: Cell<usize>,
}

/// An object of the answer.
pub(crate) struct Node<'w, 's> {
    scene: &'w Scene<'s>,
    data: Data,
    type_name: String,
}

enum Data {
    Kind(Kind),
    Fields(Fields),
    Json(Map<String, Value>),
}

impl<'w, 's> Node<'w, 's> {
    /// The root of a query or a mutation.
    pub(crate) fn root(scene: &'w Scene<'s>, mutation: bool) -> Self {
        let kind = if mutation { Kind::Mutation } else { Kind::Query };
        Self { scene, data: Data::Kind(kind), type_name: objects::type_name(kind).to_owned() }
    }

    fn output(&self, info: &ResolveInfo<'_>) -> Result<Out, String> {
        let name = info.field_name();
        match &self.data {
            Data::Json(fields) => Ok(fields.get(name).cloned().map_or(Out::NULL, Out::Leaf)),
            Data::Fields(fields) => {
                let entry = fields.entries.iter().find(|(entry, _)| *entry == name);
                Ok(entry.map_or(Out::NULL, |(_, out)| out.clone()))
            }
            Data::Kind(kind) => {
                let arguments = arguments(info.arguments());
                match kind {
                    Kind::Query => queries::resolve(self.scene, name, &arguments),
                    Kind::Mutation => {
                        let field = info.field_selections().first();
                        let key = field.and_then(|field| self.scene.keys.get(field.response_key().as_str()));
                        mutations::resolve(self.scene, name, &arguments, key.map(String::as_str))
                    }
                    kind => objects::resolve(&self.scene.state.borrow(), *kind, name, &arguments),
                }
            }
        }
    }

    /// Gives a value the shape the executor wants. `declared` is the type the schema gives the field.
    fn resolved<'a>(scene: &'w Scene<'s>, out: Out, declared: &str, composite: bool) -> ResolvedValue<'a>
    where
        'w: 'a,
        's: 'a,
    {
        let node = |data: Data, type_name: String| ResolvedValue::object(Node { scene, data, type_name });
        match out {
            Out::Ref(kind) => node(Data::Kind(kind), objects::type_name(kind).to_owned()),
            Out::Fields(fields) => {
                let type_name = fields.type_name.unwrap_or(declared).to_owned();
                node(Data::Fields(fields), type_name)
            }
            Out::List(items) => {
                let items: Vec<_> =
                    items.into_iter().map(|item| Self::resolved(scene, item, declared, composite)).collect();
                ResolvedValue::list(items)
            }
            Out::Leaf(Value::Object(fields)) if composite => node(Data::Json(fields), declared.to_owned()),
            Out::Leaf(Value::Array(items)) => {
                let items: Vec<_> = items
                    .into_iter()
                    .map(|item| Self::resolved(scene, Out::Leaf(item), declared, composite))
                    .collect();
                ResolvedValue::list(items)
            }
            Out::Leaf(value) => ResolvedValue::leaf(sent(value)),
        }
    }
}

impl ObjectValue for Node<'_, '_> {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let out = self.output(info).map_err(|message| FieldError { message })?;
        let declared = info.field_definition().ty.inner_named_type();
        let composite = matches!(
            info.schema().types.get(declared),
            Some(ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_))
        );
        Ok(Self::resolved(self.scene, out, declared.as_str(), composite))
    }
}

fn arguments(arguments: &JsonMap) -> Map<String, Value> {
    arguments.iter().map(|(name, value)| (name.as_str().to_owned(), received(value))).collect()
}
