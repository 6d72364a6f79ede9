//! The fields of `Mutation`, and how they say that the data is wrong: in `userErrors`.

use serde_json::{Map, Value, json};

use super::out::Out;
use super::resolve::Scene;
use super::{metafields, orders, products, stock, variants, webhooks};

/// Arguments or an input object.
pub(crate) type Input = Map<String, Value>;

/// One entry of `userErrors`.
#[derive(Debug, Clone)]
pub(crate) struct UserError {
    field: Vec<String>,
    message: String,
    code: &'static str,
}

impl UserError {
    /// `field` is the path into the arguments, parts separated by dots.
    pub(crate) fn new(field: impl AsRef<str>, code: &'static str, message: impl Into<String>) -> Self {
        let field = field.as_ref().split('.').map(str::to_owned).collect();
        Self { field, message: message.into(), code }
    }
}

/// Makes a payload of one field and `userErrors`.
pub(crate) fn payload(name: &'static str, outcome: Result<Out, Vec<UserError>>) -> Out {
    match outcome {
        Ok(made) => Out::object([(name, made), ("userErrors", Out::List(Vec::new()))]),
        Err(errors) => Out::object([(name, Out::NULL), ("userErrors", listed(&errors))]),
    }
}

/// Makes a payload of two fields and `userErrors`.
pub(crate) fn payload_of_two(names: [&'static str; 2], outcome: Result<[Out; 2], Vec<UserError>>) -> Out {
    let [first, second] = names;
    match outcome {
        Ok([one, two]) => Out::object([(first, one), (second, two), ("userErrors", Out::List(Vec::new()))]),
        Err(errors) => {
            Out::object([(first, Out::NULL), (second, Out::NULL), ("userErrors", listed(&errors))])
        }
    }
}

pub(crate) fn listed(errors: &[UserError]) -> Out {
    let entry = |error: &UserError| {
        let code = (!error.code.is_empty()).then_some(error.code);
        json!({ "field": error.field, "message": error.message, "code": code })
    };
    Out::Leaf(errors.iter().map(entry).collect())
}

/// One mutation, committed when this returns.
pub(crate) fn resolve(
    scene: &Scene<'_>,
    field: &str,
    arguments: &Input,
    key: Option<&str>,
) -> Result<Out, String> {
    let position = scene.position.replace(scene.position.get() + 1);
    if scene.refuse.contains(&position) {
        let refusal = UserError::new("input", "", "Refused by the fault plan");
        return Ok(Out::object([("userErrors", listed(&[refusal]))]));
    }
    let state = &mut **scene.state.borrow_mut();
    Ok(match field {
        "productSet" => products::set(state, arguments)?,
        "productUpdate" => products::update(state, arguments)?,
        "productDelete" => products::delete(state, arguments),
        "productVariantsBulkUpdate" => variants::bulk_update(state, arguments)?,
        "inventorySetQuantities" => stock::set_quantities(state, arguments, key)?,
        "inventoryAdjustQuantities" => stock::adjust_quantities(state, arguments, key)?,
        "inventoryActivate" => stock::activate(state, arguments),
        "inventoryItemUpdate" => stock::update_item(state, arguments)?,
        "metafieldDefinitionCreate" => metafields::define(state, arguments),
        "metafieldsSet" => metafields::set(state, arguments),
        "metafieldsDelete" => metafields::delete(state, arguments),
        "orderCreate" => orders::create(state, arguments)?,
        "orderUpdate" => orders::update(state, arguments),
        "orderDelete" => orders::delete(state, arguments),
        "webhookSubscriptionCreate" => webhooks::subscribe(state, scene.scopes, arguments),
        "webhookSubscriptionDelete" => webhooks::unsubscribe(state, arguments),
        _ => return Err(format!("The simulator does not have the mutation {field}")),
    })
}

/// An input object inside another.
pub(crate) fn object(input: &Input, name: &str) -> Input {
    input.get(name).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The objects of a list, or none when the list was not given (or is null).
pub(crate) fn objects(input: &Input, name: &str) -> Option<Vec<Input>> {
    let items = input.get(name)?.as_array()?;
    Some(items.iter().map(|item| item.as_object().cloned().unwrap_or_default()).collect())
}

/// A text that was given; `null` counts as empty.
pub(crate) fn given(input: &Input, name: &str) -> Option<String> {
    input.get(name).map(|value| value.as_str().unwrap_or_default().trim().to_owned())
}

/// A text that was given and is not empty.
pub(crate) fn filled(input: &Input, name: &str) -> Option<String> {
    given(input, name).filter(|text| !text.is_empty())
}

/// An amount of money or a decimal as its text; the schema lets both texts and numbers through.
///
/// # Errors
/// It is not a decimal number: such a request does not pass Shopify's own input check.
pub(crate) fn decimal(input: &Input, name: &str) -> Result<Option<String>, String> {
    let text = match input.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(other) => return Err(format!("Invalid input for {name}: {other}")),
    };
    crate::money::minor(&text, 6)
        .map(|_| Some(text.clone()))
        .ok_or_else(|| format!("invalid decimal '{text}'"))
}
