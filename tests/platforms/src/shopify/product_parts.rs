//! The lists of a product that `productSet` is given: options, variants, files, metafields.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::mutations::{Input, UserError, filled, given, objects};
use super::records::{Media, Product, ProductOption};
use super::state::State;
use super::{metafields, variants};

/// Shopify's limits of one product.
const MOST_VARIANTS: usize = 2_048;
const MOST_OPTIONS: usize = 3;

/// Options, variants and files: what is left out of a given list is gone.
pub(super) fn lists(
    state: &mut State,
    product: &mut Product,
    input: &Input,
    new: bool,
    errors: &mut Vec<UserError>,
) -> Result<(), String> {
    match (objects(input, "productOptions"), objects(input, "variants")) {
        (Some(options), Some(wanted)) => {
            if wanted.len() > MOST_VARIANTS {
                errors.push(UserError::new(
                    "input.variants",
                    "VARIANTS_OVER_LIMIT",
                    "You can only have a maximum of 2048 variants",
                ));
                return Ok(());
            }
            let known = errors.len();
            set_options(state, product, &options, errors);
            if errors.len() == known {
                variants::replace(state, product, &wanted, errors)?;
            }
        }
        (Some(_), None) => {
            let message = "Variants input is required when updating product options";
            errors.push(UserError::new("input", "VARIANTS_INPUT_MISSING", message));
        }
        (None, Some(_)) => {
            let message = "Product options input is required when updating variants";
            errors.push(UserError::new("input", "PRODUCT_OPTIONS_INPUT_MISSING", message));
        }
        (None, None) if new => variants::default(state, product),
        (None, None) => {}
    }
    if let Some(files) = objects(input, "files") {
        product.media = files.iter().map(|file| media(state, &product.media, file)).collect();
    }
    Ok(())
}

fn media(state: &mut State, known: &[Media], file: &Input) -> Media {
    let id = file.get("id").and_then(Value::as_str).and_then(super::parse_gid).map(|(_, id, _)| id);
    let url = filled(file, "originalSource");
    let same =
        known.iter().find(|media| Some(media.id) == id || (id.is_none() && Some(&media.url) == url.as_ref()));
    let mut media = same.cloned().unwrap_or_else(|| Media { id: state.id(), ..Media::default() });
    if let Some(url) = url {
        media.url = url;
    }
    if let Some(alt) = given(file, "alt") {
        media.alt = alt;
    }
    media
}

fn set_options(state: &mut State, product: &mut Product, wanted: &[Input], errors: &mut Vec<UserError>) {
    if wanted.len() > MOST_OPTIONS {
        errors.push(UserError::new(
            "input.productOptions",
            "OPTIONS_OVER_LIMIT",
            "You can only have a maximum of 3 options",
        ));
        return;
    }
    let mut options: Vec<ProductOption> = Vec::new();
    for (at, option) in wanted.iter().enumerate() {
        let field = format!("input.productOptions.{at}");
        let name = given(option, "name").unwrap_or_default();
        if name.is_empty() || name.chars().count() > 255 {
            errors.push(UserError::new(&field, "INVALID_INPUT", "Option name can't be blank or too long"));
        }
        if options.iter().any(|known| known.name == name) {
            errors.push(UserError::new(&field, "DUPLICATED_OPTION_NAME", "Option names must be unique"));
        }
        let old = product.options.iter().find(|known| known.name == name).cloned();
        let id = old.as_ref().map_or_else(|| state.id(), |old| old.id);
        let mut values: Vec<(u64, String)> = Vec::new();
        for value in objects(option, "values").unwrap_or_default() {
            let name = given(&value, "name").unwrap_or_default();
            if name.is_empty() || name.chars().count() > 255 {
                errors.push(UserError::new(
                    &field,
                    "INVALID_INPUT",
                    "Option value name can't be blank or too long",
                ));
            }
            if values.iter().any(|(_, known)| *known == name) {
                errors.push(UserError::new(
                    &field,
                    "DUPLICATED_OPTION_VALUE",
                    "Option values must be unique",
                ));
            }
            let known = old.as_ref().and_then(|old| old.values.iter().find(|(_, known)| *known == name));
            let id = known.map_or_else(|| state.id(), |(id, _)| *id);
            values.push((id, name));
        }
        if values.is_empty() {
            errors.push(UserError::new(&field, "OPTION_VALUES_MISSING", "Option values are missing"));
        }
        options.push(ProductOption { id, name, values });
    }
    product.options = options;
}

pub(super) fn metafields_of(
    state: &mut State,
    product: &mut Product,
    input: &Input,
    custom: Option<(String, String, String)>,
    errors: &mut Vec<UserError>,
) {
    if let Some(wanted) = objects(input, "metafields") {
        let old = std::mem::take(&mut product.metafields);
        for (at, field) in wanted.iter().enumerate() {
            match metafields::made(state, "PRODUCT", field, &old, Some(product.id)) {
                Ok((key, metafield)) => drop(product.metafields.insert(key, metafield)),
                Err((_, message)) => {
                    errors.push(UserError::new(
                        format!("input.metafields.{at}"),
                        "INVALID_METAFIELD",
                        message,
                    ));
                }
            }
        }
        if let Some((namespace, key, _)) = &custom {
            let key = (namespace.clone(), key.clone());
            if let Some(kept) = old.get(&key) {
                product.metafields.entry(key).or_insert_with(|| kept.clone());
            }
        }
    }
    let Some((namespace, key, value)) = custom else { return };
    match product.metafields.get(&(namespace.clone(), key.clone())) {
        Some(held) if held.value == value => {}
        Some(_) => {
            let message = "The metafield in the input differs from the identifier";
            errors.push(UserError::new("input.metafields", "METAFIELD_MISMATCH", message));
        }
        None => {
            let field = json!({ "namespace": namespace, "key": key, "value": value });
            let field = field.as_object().cloned().unwrap_or_default();
            match metafields::made(state, "PRODUCT", &field, &BTreeMap::new(), Some(product.id)) {
                Ok((key, metafield)) => drop(product.metafields.insert(key, metafield)),
                Err((_, message)) => {
                    errors.push(UserError::new("identifier.customId", "INVALID_METAFIELD", message));
                }
            }
        }
    }
}
