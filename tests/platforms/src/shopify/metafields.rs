//! Custom fields: their definitions and their values.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::mutations::{Input, UserError, filled, given, object, objects, payload};
use super::out::{Kind, Out};
use super::records::{Definition, Metafield, Product};
use super::state::State;
use super::{APP_NAMESPACE, gid, objects as shown, products};
use crate::journal::{Effect, Verb};

/// The most values in one `metafieldsSet`.
const MOST: usize = 25;

type Key = (String, String);
type Held = BTreeMap<Key, Metafield>;

/// Makes a metafield of an input, keeping what is known of it, or says what is wrong: a code and a sentence.
pub(crate) fn made(
    state: &mut State,
    owner: &'static str,
    input: &Input,
    held: &Held,
    own: Option<u64>,
) -> Result<(Key, Metafield), (&'static str, String)> {
    let namespace = filled(input, "namespace").unwrap_or_else(|| APP_NAMESPACE.to_owned());
    let key = (namespace, given(input, "key").unwrap_or_default());
    let value = input.get("value").and_then(Value::as_str).unwrap_or_default().to_owned();
    for (text, least, most, name) in [(&key.0, 3, 255, "Namespace"), (&key.1, 2, 64, "Key")] {
        let length = text.chars().count();
        if length < least {
            return Err(("TOO_SHORT", format!("{name} is too short (minimum is {least} characters)")));
        }
        if length > most {
            return Err(("TOO_LONG", format!("{name} is too long (maximum is {most} characters)")));
        }
        if !text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '$' | ':'))
        {
            return Err(("INVALID", format!("{name} contains one or more invalid characters.")));
        }
    }
    let definition = state.definition(owner, &key.0, &key.1);
    let old = held.get(&key);
    let asked = filled(input, "type");
    let Some(kind) = definition
        .map(|it| it.kind.clone())
        .or_else(|| asked.clone())
        .or_else(|| old.map(|old| old.kind.clone()))
    else {
        return Err(("BLANK", "Type can't be blank".to_owned()));
    };
    if let Some(asked) = asked.filter(|asked| *asked != kind) {
        return Err((
            "INVALID_TYPE",
            format!("Type '{asked}' must be consistent with the definition's type: '{kind}'."),
        ));
    }
    valid(&kind, &value)?;
    if definition.is_some_and(|it| it.unique) {
        let taken = state.by_unique(owner, &key.0, &key.1, &value).is_some_and(|other| Some(other) != own);
        if taken {
            return Err(("TAKEN", "Value has already been taken".to_owned()));
        }
    }
    let now = state.clock.second();
    let metafield = match old {
        Some(old) if old.value == value && old.kind == kind => old.clone(),
        Some(old) => Metafield { value, kind, updated_at: now, ..old.clone() },
        None => Metafield { id: state.id(), kind, value, created_at: now, updated_at: now },
    };
    Ok((key, metafield))
}

/// Whether a value is one of its type.
fn valid(kind: &str, value: &str) -> Result<(), (&'static str, String)> {
    if value.is_empty() {
        return Err(("BLANK", "Value can't be blank".to_owned()));
    }
    let right = match kind.strip_prefix("list.") {
        Some(_) => serde_json::from_str::<Vec<Value>>(value).is_ok(),
        None => match kind {
            "json" => serde_json::from_str::<Value>(value).is_ok(),
            "number_integer" => value.parse::<i64>().is_ok(),
            "number_decimal" => crate::money::minor(value, 9).is_some(),
            "boolean" => matches!(value, "true" | "false"),
            "single_line_text_field" | "id" => !value.contains(['\n', '\r']),
            "multi_line_text_field"
            | "url"
            | "color"
            | "date"
            | "date_time"
            | "rich_text_field"
            | "weight"
            | "dimension"
            | "volume"
            | "rating"
            | "money" => true,
            other => return Err(("INCLUSION", format!("Type '{other}' is not a metafield type"))),
        },
    };
    if !right {
        return Err(("INVALID_VALUE", format!("Value is not a valid {kind}.")));
    }
    // 2,000,000 bytes for JSON, 65,536 for texts: the page "Metafield data types".
    let most = if kind == "json" || kind == "rich_text_field" { 2_000_000 } else { 65_536 };
    if value.len() > most {
        return Err(("TOO_LONG", "Value is too long".to_owned()));
    }
    Ok(())
}

/// `metafieldDefinitionCreate`.
pub(crate) fn define(state: &mut State, arguments: &Input) -> Out {
    const NAME: &str = "createdDefinition";
    let input = object(arguments, "definition");
    let text = |name: &str| filled(&input, name).unwrap_or_default();
    let namespace = filled(&input, "namespace").unwrap_or_else(|| APP_NAMESPACE.to_owned());
    let (owner, key, kind) = (text("ownerType"), text("key"), text("type"));
    let fail = |field: &str, code: &'static str, message: &str| {
        payload(NAME, Err(vec![UserError::new(format!("definition.{field}"), code, message)]))
    };
    if text("name").is_empty() {
        return fail("name", "BLANK", "Name can't be blank");
    }
    if key.chars().count() < 2 || namespace.chars().count() < 3 {
        return fail("key", "TOO_SHORT", "Key or namespace is too short");
    }
    if state.definition(&owner, &namespace, &key).is_some() {
        let message = format!("Key is in use for {owner} metafields on the '{namespace}' namespace.");
        return fail("key", "TAKEN", &message);
    }
    let capabilities = object(&input, "capabilities");
    let unique =
        object(&capabilities, "uniqueValues").get("enabled").and_then(Value::as_bool).unwrap_or_default();
    if unique && !shown::unique_kind(&kind) {
        return fail(
            "capabilities",
            "INVALID_CAPABILITY",
            "The capability unique_values is not valid for this definition.",
        );
    }
    let id = state.id();
    let unique = unique || kind == "id";
    let (name, description) = (text("name"), filled(&input, "description"));
    state.definitions.push(Definition {
        id,
        owner: owner.clone(),
        namespace: namespace.clone(),
        key: key.clone(),
        name,
        description,
        kind,
        unique,
    });
    if unique {
        index_held(state, &owner, &(namespace, key));
    }
    state.effects.push(Effect::new(Verb::Created, "metafieldDefinition", gid("MetafieldDefinition", id)));
    payload(NAME, Ok(Out::Ref(Kind::Definition(id))))
}

/// Takes the values that records already hold into the index of unique ones.
fn index_held(state: &mut State, owner: &str, place: &Key) {
    let value = |held: &Held| held.get(place).map(|held| held.value.clone());
    let found: Vec<(&'static str, u64, String)> = match owner {
        "PRODUCT" => {
            let products = state.products.values();
            products.filter_map(|it| Some(("PRODUCT", it.id, value(&it.metafields)?))).collect()
        }
        "ORDER" => {
            let orders = state.orders.values();
            orders.filter_map(|it| Some(("ORDER", it.id, value(&it.metafields)?))).collect()
        }
        _ => Vec::new(),
    };
    for (owner, id, value) in found {
        state.unique_values.insert((owner, place.0.clone(), place.1.clone(), value), id);
    }
}

/// `metafieldsSet`: all of them or none.
pub(crate) fn set(state: &mut State, arguments: &Input) -> Out {
    let inputs = objects(arguments, "metafields").unwrap_or_default();
    if inputs.len() > MOST {
        let message = format!("Exceeded the maximum metafields input limit of {MOST}.");
        return payload(
            "metafields",
            Err(vec![UserError::new("metafields", "LESS_THAN_OR_EQUAL_TO", message)]),
        );
    }
    let mut errors = Vec::new();
    let mut products: BTreeMap<u64, Product> = BTreeMap::new();
    let mut orders: BTreeMap<u64, Held> = BTreeMap::new();
    let mut made_ones = Vec::new();
    for (at, input) in inputs.iter().enumerate() {
        let field = |name: &str| format!("metafields.{at}.{name}");
        let owner =
            input.get("ownerId").and_then(Value::as_str).and_then(|id| super::queries::by_gid(state, id));
        let product = match owner {
            Some(Kind::Product(id)) => Some(id),
            Some(Kind::Variant(id)) => state.variants.get(&id).copied(),
            _ => None,
        };
        if let Some(id) = product.filter(|id| !products.contains_key(id)) {
            products.extend(state.products.get(&id).cloned().map(|product| (id, product)));
        }
        let (kind, held) = match (owner, product.and_then(|id| products.get_mut(&id))) {
            (Some(Kind::Product(_)), Some(product)) => ("PRODUCT", &mut product.metafields),
            (Some(Kind::Variant(id)), Some(product)) => {
                match product.variants.iter_mut().find(|variant| variant.id == id) {
                    Some(variant) => ("PRODUCTVARIANT", &mut variant.metafields),
                    None => continue,
                }
            }
            (Some(Kind::Order(id)), _) => {
                let known = state.orders.get(&id).map(|order| order.metafields.clone()).unwrap_or_default();
                ("ORDER", orders.entry(id).or_insert(known))
            }
            _ => {
                errors.push(UserError::new(field("ownerId"), "INVALID", "Owner does not exist."));
                continue;
            }
        };
        let own = match owner {
            Some(Kind::Product(id) | Kind::Order(id)) => Some(id),
            _ => None,
        };
        match made(state, kind, input, held, own) {
            Ok((key, metafield)) => {
                if let Some(expected) = filled(input, "compareDigest") {
                    let actual = held.get(&key).map(|held| super::digest(&held.value));
                    if actual.as_deref() != Some(expected.as_str()) {
                        errors.push(UserError::new(
                            field("compareDigest"),
                            "STALE_OBJECT",
                            "The resource has been updated since it was loaded.",
                        ));
                    }
                }
                made_ones.push(shown::metafield(&key, &metafield, kind));
                held.insert(key, metafield);
            }
            Err((code, message)) => errors.push(UserError::new(field("value"), code, message)),
        }
    }
    if !errors.is_empty() {
        return payload("metafields", Err(errors));
    }
    for product in products.into_values() {
        products::commit(state, product);
    }
    for (id, held) in orders {
        state.effects.push(Effect::new(Verb::Updated, "order", gid("Order", id)));
        if let Some(mut order) = state.orders.get(&id).cloned() {
            order.metafields = held;
            state.put_order(id, Some(order));
        }
    }
    payload("metafields", Ok(Out::List(made_ones)))
}

/// `metafieldsDelete`.
pub(crate) fn delete(state: &mut State, arguments: &Input) -> Out {
    let mut deleted = Vec::new();
    for input in objects(arguments, "metafields").unwrap_or_default() {
        let owner =
            input.get("ownerId").and_then(Value::as_str).and_then(|id| super::queries::by_gid(state, id));
        let key =
            (filled(&input, "namespace").unwrap_or_default(), filled(&input, "key").unwrap_or_default());
        let gone = match owner {
            Some(Kind::Product(id)) => state.products.get(&id).cloned().is_some_and(|mut product| {
                let gone = product.metafields.remove(&key).is_some();
                if gone {
                    products::commit(state, product);
                }
                gone
            }),
            Some(Kind::Variant(id)) => {
                state.variant(id).map(|(product, _)| product.clone()).is_some_and(|mut product| {
                    let variant = product.variants.iter_mut().find(|variant| variant.id == id);
                    let gone = variant.is_some_and(|variant| variant.metafields.remove(&key).is_some());
                    if gone {
                        products::commit(state, product);
                    }
                    gone
                })
            }
            Some(Kind::Order(id)) => {
                let mut order = state.orders.get(&id).cloned();
                let gone = order.as_mut().is_some_and(|order| order.metafields.remove(&key).is_some());
                state.put_order(id, order);
                gone
            }
            _ => false,
        };
        let shown = json!({ "namespace": key.0, "key": key.1, "ownerId": input.get("ownerId") });
        deleted.push(if gone { shown } else { Value::Null });
    }
    payload("deletedMetafields", Ok(Out::Leaf(Value::Array(deleted))))
}
