//! From the neutral record to what `productSet` wants.
//!
//! A list that is given is the whole new list, and what is left out is deleted. So that variants and media survive that
//! are meant to stay, an update names them by the ids that were read just before.

use super::failure::{bad_field, only};
use super::graphql::{KEY_NAME, KEY_NAMESPACE, Shop};
use super::replies::{Parts, SelectedOption};
use super::variant_input::Variants;
use crate::{Error, ErrorKind, Result, Write};
use domain::{Fields, Value};
use serde_json::json;
use url::Url;

const FIELDS: [&str; 10] = [
    "title",
    "descriptionHtml",
    "handle",
    "status",
    "vendor",
    "productType",
    "tags",
    "images",
    "options",
    "variants",
];

/// One product, ready to be sent.
#[derive(Clone)]
pub(super) struct Prepared {
    pub(super) identifier: Value,
    pub(super) input: Value,
    /// What the input adds to the cost, in tenths of a point: variants 2, files 19, metafields 4
    /// (<https://shopify.dev/docs/api/admin-graphql/latest/input-objects/ProductSetInput>).
    pub(super) tenths: u32,
    /// Further currencies' prices that are set apart: of variants that exist, because as a list they would delete the
    /// metafields of others, and of very many.
    pub(super) prices: Vec<VariantPrices>,
    pub(super) has_images: bool,
}

/// The prices of one variant, and how it is found again.
#[derive(Clone)]
pub(super) struct VariantPrices {
    pub(super) options: Vec<SelectedOption>,
    pub(super) json: String,
}

/// Whether the ids of variants and media must be read before this can be written.
pub(super) fn needs_parts(write: &Write) -> bool {
    write.id.is_some()
        && ["variants", "options", "images"].iter().any(|name| write.fields.contains_key(*name))
}

/// The input of one write. `parts` is what the product consists of now, where that matters.
pub(super) fn prepare(shop: &Shop, write: &Write, parts: Option<&Parts>) -> Result<Prepared> {
    only(&write.fields, &FIELDS)?;
    if needs_parts(write) && parts.is_none() {
        return Err(Error::new(ErrorKind::NotFound, "the product no longer exists"));
    }
    let mut input = Fields::new();
    for (name, value) in &write.fields {
        match name.as_str() {
            "tags" => drop(input.insert(name.clone(), tags(value)?)),
            "status" => drop(input.insert(name.clone(), status(value)?)),
            "images" => drop(input.insert("files".to_owned(), files(value, parts)?)),
            "options" | "variants" => {}
            _ => drop(input.insert(name.clone(), text(name, value)?)),
        }
    }
    let mut prices = Vec::new();
    if (write.fields.contains_key("options") || write.fields.contains_key("variants")) && !is_emptied(write)?
    {
        let made = Variants::of(write, parts, shop)?;
        input.insert("productOptions".to_owned(), made.options);
        input.insert("variants".to_owned(), made.inputs.into());
        prices = made.prices;
    }
    let identifier = if let Some(id) = &write.id {
        json!({ "id": id })
    } else {
        let key = json!([{ "namespace": KEY_NAMESPACE, "key": KEY_NAME, "type": "id", "value": write.external_key }]);
        input.insert("metafields".to_owned(), key);
        super::reading::external(&write.external_key)
    };
    let tenths = tenths(&input);
    let has_images = input.contains_key("files");
    Ok(Prepared { identifier, input: Value::Object(input), tenths, prices, has_images })
}

/// Whether there are no variants to write, because the product is not for sale: elsewhere they may be gone then, here they
/// stay for the day it comes back. What is for sale has some.
fn is_emptied(write: &Write) -> Result<bool> {
    let of = |name: &str| write.fields.get(name).or_else(|| write.current.get(name));
    if of("variants").and_then(Value::as_array).is_none_or(|variants| !variants.is_empty()) {
        return Ok(false);
    }
    if of("status").and_then(Value::as_str).is_some_and(|word| !word.eq_ignore_ascii_case("ACTIVE")) {
        return Ok(true);
    }
    Err(bad_field("variants", "a product that is for sale needs at least one"))
}

fn tenths(input: &Fields) -> u32 {
    let count = |value: Option<&Value>| {
        u32::try_from(value.and_then(Value::as_array).map_or(0, Vec::len)).unwrap_or(u32::MAX)
    };
    let variants = input.get("variants").and_then(Value::as_array);
    let of_variants =
        variants.into_iter().flatten().map(|variant| count(variant.get("metafields")).saturating_mul(4));
    [
        count(input.get("variants")).saturating_mul(2),
        count(input.get("files")).saturating_mul(19),
        count(input.get("metafields")).saturating_mul(4),
    ]
    .into_iter()
    .chain(of_variants)
    .fold(0, u32::saturating_add)
}

fn text(name: &str, value: &Value) -> Result<Value> {
    match value {
        Value::String(_) => Ok(value.clone()),
        Value::Null => Ok(Value::String(String::new())),
        _ => Err(bad_field(name, "must be a text")),
    }
}

fn tags(value: &Value) -> Result<Value> {
    let tags = value.as_array().ok_or_else(|| bad_field("tags", "must be a list"))?;
    if tags.iter().all(Value::is_string) {
        Ok(value.clone())
    } else {
        Err(bad_field("tags", "must be texts"))
    }
}

fn status(value: &Value) -> Result<Value> {
    let word = value.as_str().unwrap_or_default().to_ascii_uppercase();
    match word.as_str() {
        "ACTIVE" | "DRAFT" | "ARCHIVED" | "UNLISTED" => Ok(word.into()),
        _ => Err(bad_field("status", "must be ACTIVE, DRAFT, ARCHIVED or UNLISTED")),
    }
}

/// The images in their order, those that are there already by id; then everything that is no image, untouched.
fn files(value: &Value, parts: Option<&Parts>) -> Result<Value> {
    let images = value.as_array().ok_or_else(|| bad_field("images", "must be a list"))?;
    let media = parts.map(|parts| parts.media.nodes.as_slice()).unwrap_or_default();
    let mut used: Vec<&str> = Vec::new();
    let mut files = Vec::new();
    for image in images {
        let url = image.get("url").and_then(Value::as_str).unwrap_or_default();
        if !Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "https" | "http")) {
            return Err(bad_field("images", "each needs the `url` of an image on the web"));
        }
        let alt = image.get("alt").and_then(Value::as_str).unwrap_or_default();
        let there = media
            .iter()
            .filter(|medium| medium.image.as_ref().is_some_and(|image| image.url == url))
            .find_map(|medium| medium.id.as_deref().filter(|id| !used.contains(id)));
        files.push(match there {
            Some(id) => {
                used.push(id);
                json!({ "id": id, "alt": alt })
            }
            None => json!({ "originalSource": url, "alt": alt, "contentType": "IMAGE" }),
        });
    }
    let others = media.iter().filter(|medium| !medium.is_image()).filter_map(|medium| medium.id.as_deref());
    files.extend(others.map(|id| json!({ "id": id })));
    Ok(Value::Array(files))
}
