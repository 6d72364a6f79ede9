//! `productSet`, `productUpdate` and `productDelete`.

use std::collections::HashSet;

use serde_json::Value;

use super::mutations::{Input, UserError, filled, given, listed, object, objects, payload};
use super::out::{Kind, Out};
use super::product_parts::{lists, metafields_of};
use super::records::Product;
use super::state::{State, handle_of};
use super::{APP_NAMESPACE, gid, metafields, numeric};
use crate::journal::{Effect, Verb};

/// Shopify's limits of one product.
const TITLE_LENGTH: usize = 255;
/// `productSet`: creates or updates; lists that are given become the whole list.
///
/// <https://shopify.dev/docs/api/admin-graphql/latest/mutations/productSet>
pub(crate) fn set(state: &mut State, arguments: &Input) -> Result<Out, String> {
    let identifier = arguments.get("identifier").cloned().unwrap_or_default();
    let input = object(arguments, "input");
    let synchronous = arguments.get("synchronous").and_then(Value::as_bool).unwrap_or(true);
    let outcome = set_product(state, &identifier, &input)?;
    let (product, errors) = match outcome {
        Ok(id) => (Out::Ref(Kind::Product(id)), Vec::new()),
        Err(errors) => (Out::NULL, errors),
    };
    if synchronous {
        let nothing = ("productSetOperation", Out::NULL);
        return Ok(Out::object([("product", product), nothing, ("userErrors", listed(&errors))]));
    }
    let id = state.id();
    let entries = |status: &str, product: Out, errors: &[UserError]| {
        Out::typed(
            "ProductSetOperation",
            [
                ("id", gid("ProductSetOperation", id).into()),
                ("status", status.into()),
                ("product", product),
                ("userErrors", listed(errors)),
            ],
        )
    };
    let created = entries("CREATED", Out::NULL, &[]);
    let found = match product {
        Out::Ref(Kind::Product(product)) => Some(product),
        _ => None,
    };
    state.operations.insert(id, (found, errors));
    let none = Out::List(Vec::new());
    Ok(Out::object([("product", Out::NULL), ("productSetOperation", created), ("userErrors", none)]))
}

/// An asynchronous `productSet`, as `productOperation` shows it: finished by the time it is asked for.
pub(crate) fn operation(state: &State, id: &str) -> Out {
    let Some((_, number, _)) = super::parse_gid(id) else { return Out::NULL };
    let Some((product, errors)) = state.operations.get(&number) else { return Out::NULL };
    Out::typed(
        "ProductSetOperation",
        [
            ("id", id.into()),
            ("status", "COMPLETE".into()),
            ("product", Out::maybe(product.map(Kind::Product))),
            ("userErrors", listed(errors)),
        ],
    )
}

/// The product an identifier means, if there is one.
///
/// # Errors
/// The identifier names no field, or more than one.
pub(crate) fn identified(state: &State, identifier: &Value) -> Result<Option<u64>, String> {
    let Some(identifier) = identifier.as_object() else { return Ok(None) };
    if identifier.values().filter(|value| !value.is_null()).count() != 1 {
        return Err("The identifier must have exactly one of id, handle and customId".to_owned());
    }
    if let Some(custom) = identifier.get("customId").and_then(Value::as_object) {
        let (namespace, key, value) = custom_id(custom);
        return Ok(state.by_unique("PRODUCT", &namespace, &key, &value));
    }
    if let Some(handle) = filled(identifier, "handle") {
        return Ok(state.handles.get(&handle).copied());
    }
    Ok(numeric(identifier, "id", "Product").filter(|id| state.products.contains_key(id)))
}

fn custom_id(custom: &Input) -> (String, String, String) {
    let namespace = filled(custom, "namespace").unwrap_or_else(|| APP_NAMESPACE.to_owned());
    (namespace, given(custom, "key").unwrap_or_default(), given(custom, "value").unwrap_or_default())
}

fn set_product(
    state: &mut State,
    identifier: &Value,
    input: &Input,
) -> Result<Result<u64, Vec<UserError>>, String> {
    let mut errors = Vec::new();
    let mut found = identified(state, identifier)?;
    let named = identifier.as_object().cloned().unwrap_or_default();
    if let Some(id) = named.get("id").or_else(|| input.get("id")).and_then(Value::as_str) {
        found = super::parse_gid(id).map(|(_, id, _)| id).filter(|id| state.products.contains_key(id));
        if found.is_none() {
            return Ok(Err(vec![UserError::new(
                "input",
                "PRODUCT_DOES_NOT_EXIST",
                "Product does not exist",
            )]));
        }
    }
    let custom = named.get("customId").and_then(Value::as_object).map(custom_id);
    if let Some((namespace, key, _)) =
        custom.as_ref().filter(|(namespace, key, _)| !state.unique("PRODUCT", namespace, key))
    {
        let message = format!("Metafield definition with unique values for {namespace}.{key} does not exist");
        return Ok(Err(vec![UserError::new("identifier.customId", "INVALID_METAFIELD", message)]));
    }
    let mut product = match found {
        Some(id) => state.products.get(&id).cloned().unwrap_or_default(),
        None => new_product(state),
    };
    let wanted_handle =
        filled(input, "handle").or_else(|| filled(&named, "handle").filter(|_| found.is_none()));
    basics(state, &mut product, input, found.is_none(), &mut errors);
    handle(state, &mut product, wanted_handle, "HANDLE_NOT_UNIQUE", &mut errors);
    lists(state, &mut product, input, found.is_none(), &mut errors)?;
    metafields_of(state, &mut product, input, custom, &mut errors);
    if errors.is_empty() { Ok(Ok(commit(state, product))) } else { Ok(Err(errors)) }
}

fn new_product(state: &mut State) -> Product {
    Product {
        id: state.id(),
        status: "ACTIVE".to_owned(),
        created_at: state.clock.second(),
        ..Product::default()
    }
}

/// The fields that are not lists.
fn basics(state: &State, product: &mut Product, input: &Input, new: bool, errors: &mut Vec<UserError>) {
    match given(input, "title") {
        Some(title) if title.is_empty() => {
            errors.push(UserError::new("input.title", "INVALID_PRODUCT", "Title can't be blank"));
        }
        Some(title) if title.chars().count() > TITLE_LENGTH => {
            errors.push(UserError::new(
                "input.title",
                "INVALID_PRODUCT",
                "Title is too long (maximum is 255 characters)",
            ));
        }
        Some(title) => product.title = title,
        None if new => errors.push(UserError::new("input.title", "INVALID_PRODUCT", "Title can't be blank")),
        None => {}
    }
    let texts = [
        ("descriptionHtml", &mut product.description_html),
        ("vendor", &mut product.vendor),
        ("productType", &mut product.product_type),
    ];
    for (name, place) in texts {
        if let Some(text) = given(input, name) {
            let most = if name == "descriptionHtml" { 512 * 1_024 } else { 255 };
            if text.len() > most {
                errors.push(UserError::new(
                    format!("input.{name}"),
                    "INVALID_PRODUCT",
                    format!("{name} is too long"),
                ));
            }
            *place = text;
        }
    }
    if product.vendor.is_empty() {
        product.vendor.clone_from(&state.name);
    }
    if let Some(status) = filled(input, "status") {
        product.status = status;
    }
    if let Some(tags) = input.get("tags").and_then(Value::as_array) {
        product.tags = normal_tags(tags);
        if product.tags.len() > 250 || product.tags.iter().any(|tag| tag.chars().count() > 255) {
            errors.push(UserError::new("input.tags", "INVALID_PRODUCT", "Tags are too many or too long"));
        }
    }
    if let Some(seo) = input.get("seo").and_then(Value::as_object) {
        product.seo = (filled(seo, "title"), filled(seo, "description"));
    }
}

/// Tags as Shopify keeps them: split at commas, trimmed, each once whatever its case, in alphabetical order.
pub(crate) fn normal_tags(tags: &[Value]) -> Vec<String> {
    let mut seen = HashSet::new();
    let parts = tags.iter().filter_map(Value::as_str).flat_map(|tag| tag.split(','));
    let mut tags: Vec<String> = parts
        .map(|tag| tag.trim().to_owned())
        .filter(|tag| !tag.is_empty() && seen.insert(tag.to_lowercase()))
        .collect();
    tags.sort_by_key(|tag| tag.to_lowercase());
    tags
}

/// A handle that is asked for must be free; one that is made from the title is made unique.
fn handle(
    state: &State,
    product: &mut Product,
    wanted: Option<String>,
    code: &'static str,
    errors: &mut Vec<UserError>,
) {
    match wanted {
        Some(wanted) => {
            let wanted = handle_of(&wanted);
            if state.handles.get(&wanted).is_some_and(|owner| *owner != product.id) {
                let message = format!("Handle '{wanted}' already in use. Please provide a new handle.");
                errors.push(UserError::new("input.handle", code, message));
            } else {
                product.handle = wanted;
            }
        }
        None if product.handle.is_empty() => {
            product.handle = state.free_handle(&handle_of(&product.title), Some(product.id));
        }
        None => {}
    }
}

/// Stores a product if anything about it changed, and notes what was done.
pub(crate) fn commit(state: &mut State, product: Product) -> u64 {
    let id = product.id;
    let old = state.products.get(&id);
    let verb = if old.is_some() { Verb::Updated } else { Verb::Created };
    let unchanged = old.is_some_and(|old| *old == product);
    state.effects.push(effect(verb, &product));
    if !unchanged {
        state.put_product(product);
    }
    id
}

fn effect(verb: Verb, product: &Product) -> Effect {
    let mut effect =
        Effect::new(verb, "product", gid("Product", product.id)).key("handle", product.handle.clone());
    for ((namespace, key), metafield) in &product.metafields {
        if namespace == "syncline" && key == "key" {
            effect = effect.key("syncline.key", metafield.value.clone());
        }
    }
    for variant in &product.variants {
        effect = effect.key("sku", variant.sku.clone().unwrap_or_default());
    }
    effect
}

/// `productUpdate`: the fields that are given; lists of metafields are merged here.
pub(crate) fn update(state: &mut State, arguments: &Input) -> Result<Out, String> {
    let input = object(arguments, "product");
    let named = arguments.get("identifier").cloned().unwrap_or_default();
    let found = match identified(state, &named)? {
        Some(id) => Some(id),
        None => numeric(&input, "id", "Product").filter(|id| state.products.contains_key(id)),
    };
    let Some(mut product) = found.and_then(|id| state.products.get(&id).cloned()) else {
        return Ok(payload("product", Err(vec![UserError::new("id", "", "Product does not exist")])));
    };
    let mut errors = Vec::new();
    basics(state, &mut product, &input, false, &mut errors);
    handle(state, &mut product, filled(&input, "handle"), "", &mut errors);
    for (at, field) in objects(&input, "metafields").unwrap_or_default().iter().enumerate() {
        match metafields::made(state, "PRODUCT", field, &product.metafields, Some(product.id)) {
            Ok((key, metafield)) => drop(product.metafields.insert(key, metafield)),
            Err((_, message)) => errors.push(UserError::new(format!("metafields.{at}"), "", message)),
        }
    }
    if !errors.is_empty() {
        return Ok(payload("product", Err(errors)));
    }
    let id = commit(state, product);
    Ok(payload("product", Ok(Out::Ref(Kind::Product(id)))))
}

/// `productDelete`.
pub(crate) fn delete(state: &mut State, arguments: &Input) -> Out {
    let id = numeric(&object(arguments, "input"), "id", "Product");
    let outcome = match id.and_then(|id| state.remove_product(id)) {
        Some(product) => {
            state.effects.push(effect(Verb::Deleted, &product));
            Ok(gid("Product", product.id).into())
        }
        None => Err(vec![UserError::new("id", "", "Product does not exist")]),
    };
    payload("deletedProductId", outcome)
}
