//! Variants, inside `productSet` and through `productVariantsBulkUpdate`.

use std::collections::HashSet;

use serde_json::Value;

use super::mutations::{Input, UserError, decimal, filled, given, object, objects, payload_of_two};
use super::out::{Kind, Out};
use super::records::{Product, ProductOption, Variant};
use super::state::State;
use super::{metafields, numeric, products};

/// The variant of a product that has nothing to choose.
pub(crate) fn default(state: &mut State, product: &mut Product) {
    let (option, value) = (state.id(), state.id());
    let values = vec![(value, "Default Title".to_owned())];
    product.options = vec![ProductOption { id: option, name: "Title".to_owned(), values }];
    let mut variant = fresh(state);
    variant.options = vec![("Title".to_owned(), "Default Title".to_owned())];
    product.variants = vec![variant];
}

/// A variant with new ids and nothing in it.
pub(crate) fn fresh(state: &mut State) -> Variant {
    let now = state.clock.second();
    Variant {
        id: state.id(),
        item: state.id(),
        price: crate::money::text(0, state.decimals()),
        policy: "DENY".to_owned(),
        taxable: true,
        requires_shipping: true,
        tracked: false,
        created_at: now,
        updated_at: now,
        item_updated_at: now,
        ..Variant::default()
    }
}

/// Makes these the product's variants. One with the same id or the same option values stays the variant it was.
pub(crate) fn replace(
    state: &mut State,
    product: &mut Product,
    wanted: &[Input],
    errors: &mut Vec<UserError>,
) -> Result<(), String> {
    let mut seen: HashSet<Vec<(String, String)>> = HashSet::new();
    let mut made = Vec::new();
    for (at, input) in wanted.iter().enumerate() {
        let field = format!("input.variants.{at}");
        let options = match option_values(product, input) {
            Ok(options) => options,
            Err((code, message)) => {
                errors.push(UserError::new(&field, code, message));
                continue;
            }
        };
        if !seen.insert(options.clone()) {
            errors.push(UserError::new(
                &field,
                "INVALID_VARIANT",
                "The variant already exists. Change at least one option value.",
            ));
            continue;
        }
        let id = numeric(input, "id", "ProductVariant");
        let old = product
            .variants
            .iter()
            .find(|known| id.map_or(known.options == options, |id| known.id == id))
            .cloned();
        if id.is_some() && old.is_none() {
            errors.push(UserError::new(
                &field,
                "PRODUCT_VARIANT_DOES_NOT_EXIST",
                "Product variant does not exist",
            ));
            continue;
        }
        let mut variant = old.clone().unwrap_or_else(|| fresh(state));
        variant.options = options;
        apply(state, &mut variant, input, &field, "INVALID_VARIANT", errors)?;
        if let Some(quantities) = objects(input, "inventoryQuantities") {
            set_stock(state, &mut variant, &quantities, &field, errors);
        }
        touch(state, &mut variant, old.as_ref());
        made.push(variant);
    }
    if made.is_empty() && errors.is_empty() {
        errors.push(UserError::new(
            "input.variants",
            "VARIANTS_INPUT_MISSING",
            "A product needs at least one variant",
        ));
    }
    product.variants = made;
    Ok(())
}

/// What a variant is in each of the product's options, in their order.
fn option_values(product: &Product, input: &Input) -> Result<Vec<(String, String)>, (&'static str, String)> {
    let given_values = objects(input, "optionValues").unwrap_or_default();
    let mut chosen: Vec<(String, String)> = Vec::new();
    for value in &given_values {
        let id = numeric(value, "optionId", "ProductOption");
        let name = given(value, "optionName");
        let option =
            product.options.iter().find(|known| Some(known.id) == id || Some(&known.name) == name.as_ref());
        let Some(option) = option else {
            let message = format!("Option '{}' does not exist", name.unwrap_or_default());
            return Err(("OPTION_DOES_NOT_EXIST", message));
        };
        let id = numeric(value, "id", "ProductOptionValue");
        let name = given(value, "name");
        let known =
            option.values.iter().find(|(known, text)| Some(*known) == id || Some(text) == name.as_ref());
        let Some((_, known)) = known else {
            let message = format!("Option value '{}' does not exist", name.unwrap_or_default());
            return Err(("OPTION_VALUE_DOES_NOT_EXIST", message));
        };
        chosen.push((option.name.clone(), known.clone()));
    }
    let of = |option: &ProductOption| chosen.iter().find(|(name, _)| *name == option.name).cloned();
    product
        .options
        .iter()
        .map(|option| {
            of(option).ok_or_else(|| {
                ("OPTION_VALUES_MISSING", format!("Option value for '{}' is missing", option.name))
            })
        })
        .collect()
}

/// Writes the fields that are given.
fn apply(
    state: &mut State,
    variant: &mut Variant,
    input: &Input,
    field: &str,
    code: &'static str,
    errors: &mut Vec<UserError>,
) -> Result<(), String> {
    let decimals = state.decimals();
    let mut fail =
        |name: &str, message: &str| errors.push(UserError::new(format!("{field}.{name}"), code, message));
    if let Some(price) = decimal(input, "price")? {
        match crate::money::normal(&price, decimals) {
            Some(price) if price.starts_with('-') => {
                fail("price", "Price must be greater than or equal to 0");
            }
            Some(price) => variant.price = price,
            None => fail("price", "Price is not a number"),
        }
    }
    if input.contains_key("compareAtPrice") {
        let price =
            decimal(input, "compareAtPrice")?.and_then(|price| crate::money::normal(&price, decimals));
        if price.as_ref().is_some_and(|price| price.starts_with('-')) {
            fail("compareAtPrice", "Compare at price must be greater than or equal to 0");
        }
        variant.compare_at_price = price;
    }
    let item = object(input, "inventoryItem");
    if input.contains_key("sku") || item.contains_key("sku") {
        variant.sku = filled(input, "sku").or_else(|| filled(&item, "sku"));
    }
    if input.contains_key("barcode") {
        variant.barcode = filled(input, "barcode");
    }
    for (name, text) in [("sku", &variant.sku), ("barcode", &variant.barcode)] {
        if text.as_ref().is_some_and(|text| text.chars().count() > 255) {
            fail(name, "is too long (maximum is 255 characters)");
        }
    }
    if let Some(policy) = filled(input, "inventoryPolicy") {
        variant.policy = policy;
    }
    if let Some(taxable) = input.get("taxable").and_then(Value::as_bool) {
        variant.taxable = taxable;
    }
    apply_item(state, variant, &item)?;
    for (at, metafield) in objects(input, "metafields").unwrap_or_default().iter().enumerate() {
        match metafields::made(state, "PRODUCTVARIANT", metafield, &variant.metafields, None) {
            Ok((key, metafield)) => drop(variant.metafields.insert(key, metafield)),
            Err((_, message)) => {
                errors.push(UserError::new(format!("{field}.metafields.{at}"), code, message));
            }
        }
    }
    Ok(())
}

/// Writes the fields of the inventory item behind a variant.
pub(crate) fn apply_item(state: &State, variant: &mut Variant, item: &Input) -> Result<(), String> {
    if let Some(tracked) = item.get("tracked").and_then(Value::as_bool) {
        variant.tracked = tracked;
    }
    if let Some(shipping) = item.get("requiresShipping").and_then(Value::as_bool) {
        variant.requires_shipping = shipping;
    }
    if item.contains_key("cost") {
        variant.cost = decimal(item, "cost")?.and_then(|cost| crate::money::normal(&cost, state.decimals()));
    }
    Ok(())
}

fn set_stock(
    state: &State,
    variant: &mut Variant,
    quantities: &[Input],
    field: &str,
    errors: &mut Vec<UserError>,
) {
    for quantity in quantities {
        let location = numeric(quantity, "locationId", "Location").filter(|id| state.location(*id).is_some());
        match (location, quantity.get("quantity").and_then(Value::as_i64)) {
            (Some(location), Some(count)) => drop(variant.stock.insert(location, count)),
            _ => errors.push(UserError::new(
                format!("{field}.inventoryQuantities"),
                "INVALID_INPUT",
                "Location does not exist",
            )),
        }
    }
}

/// Sets the times of change of what did change.
pub(crate) fn touch(state: &State, variant: &mut Variant, old: Option<&Variant>) {
    let Some(old) = old.filter(|old| *old != variant) else { return };
    let now = state.clock.second();
    let item =
        |it: &Variant| (it.sku.clone(), it.tracked, it.requires_shipping, it.cost.clone(), it.stock.clone());
    if item(old) != item(variant) {
        variant.item_updated_at = now;
    }
    variant.updated_at = now;
}

/// `productVariantsBulkUpdate`: all of them or, with `allowPartialUpdates`, those that are right.
pub(crate) fn bulk_update(state: &mut State, arguments: &Input) -> Result<Out, String> {
    const NAMES: [&str; 2] = ["product", "productVariants"];
    let found = numeric(arguments, "productId", "Product").and_then(|id| state.products.get(&id).cloned());
    let Some(mut product) = found else {
        let error = UserError::new("productId", "PRODUCT_DOES_NOT_EXIST", "Product does not exist");
        return Ok(payload_of_two(NAMES, Err(vec![error])));
    };
    let partial = arguments.get("allowPartialUpdates").and_then(Value::as_bool).unwrap_or_default();
    let mut errors = Vec::new();
    let mut changed = Vec::new();
    for (at, input) in objects(arguments, "variants").unwrap_or_default().iter().enumerate() {
        let known = errors.len();
        let variant = updated(state, &product, input, &format!("variants.{at}"), &mut errors)?;
        if let Some(variant) = variant.filter(|_| errors.len() == known) {
            changed.push(Kind::Variant(variant.id));
            if let Some(place) = product.variants.iter_mut().find(|known| known.id == variant.id) {
                *place = variant;
            }
        }
    }
    if !errors.is_empty() && (!partial || changed.is_empty()) {
        return Ok(payload_of_two(NAMES, Err(errors)));
    }
    let id = products::commit(state, product);
    Ok(Out::object([
        ("product", Out::Ref(Kind::Product(id))),
        ("productVariants", Out::refs(changed)),
        ("userErrors", super::mutations::listed(&errors)),
    ]))
}

fn updated(
    state: &mut State,
    product: &Product,
    input: &Input,
    field: &str,
    errors: &mut Vec<UserError>,
) -> Result<Option<Variant>, String> {
    let Some(id) = numeric(input, "id", "ProductVariant") else {
        errors.push(UserError::new(
            field,
            "PRODUCT_VARIANT_ID_MISSING",
            "Product variant is missing ID attribute",
        ));
        return Ok(None);
    };
    let Some(old) = product.variants.iter().find(|known| known.id == id) else {
        errors.push(UserError::new(
            field,
            "PRODUCT_VARIANT_DOES_NOT_EXIST",
            "Product variant does not exist",
        ));
        return Ok(None);
    };
    let mut variant = old.clone();
    if let Some(values) = objects(input, "optionValues").filter(|values| !values.is_empty()) {
        for value in values {
            let (name, text) =
                (given(&value, "optionName").unwrap_or_default(), given(&value, "name").unwrap_or_default());
            match variant.options.iter_mut().find(|(known, _)| *known == name) {
                Some(place) => place.1 = text,
                None => errors.push(UserError::new(field, "OPTION_DOES_NOT_EXIST", "Option does not exist")),
            }
        }
    }
    let code = if decimal(input, "price")?.is_some_and(|price| price.trim().starts_with('-')) {
        "NEGATIVE_PRICE_VALUE"
    } else {
        "INVALID_INPUT"
    };
    apply(state, &mut variant, input, field, code, errors)?;
    touch(state, &mut variant, Some(old));
    Ok(Some(variant))
}
