//! From the neutral record to what `productSet` wants.
//!
//! A list that is given is the whole new list, and what is left out is deleted. So that variants and media survive that
//! are meant to stay, an update names them by the ids that were read just before.

use super::failure::{bad_field, only};
use super::graphql::{KEY_NAME, KEY_NAMESPACE, Shop};
use super::products::no_option;
use super::replies::{Parts, SelectedOption};
use crate::{Error, ErrorKind, Result, Write, read};
use domain::{Fields, Value, canon};
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
/// Prices of more variants than these would make one mutation too dear.
const INLINE_PRICES: usize = 250;
const VARIANT_FIELDS: [&str; 6] = ["sku", "barcode", "price", "compareAtPrice", "options", "prices"];

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
    write.id.is_some() && ["variants", "options", "images"].iter().any(|name| write.fields.contains_key(*name))
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
    if write.fields.contains_key("options") || write.fields.contains_key("variants") {
        let made = Variants::of(write, parts, shop)?;
        input.insert("productOptions".to_owned(), made.options);
        input.insert("variants".to_owned(), made.inputs.into());
        prices = made.prices;
    }
    let identifier = match &write.id {
        Some(id) => json!({ "id": id }),
        None => {
            let key = json!([{ "namespace": KEY_NAMESPACE, "key": KEY_NAME, "type": "id", "value": write.external_key }]);
            input.insert("metafields".to_owned(), key);
            super::reading::external(&write.external_key)
        }
    };
    let tenths = tenths(&input);
    let has_images = input.contains_key("files");
    Ok(Prepared { identifier, input: Value::Object(input), tenths, prices, has_images })
}

fn tenths(input: &Fields) -> u32 {
    let count = |value: Option<&Value>| {
        u32::try_from(value.and_then(Value::as_array).map_or(0, Vec::len)).unwrap_or(u32::MAX)
    };
    let variants = input.get("variants").and_then(Value::as_array);
    let of_variants = variants.into_iter().flatten().map(|variant| count(variant.get("metafields")).saturating_mul(4));
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
    match tags.iter().all(Value::is_string) {
        true => Ok(value.clone()),
        false => Err(bad_field("tags", "must be texts")),
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

/// Options and variants, which Shopify takes only together.
struct Variants {
    options: Value,
    inputs: Vec<Value>,
    prices: Vec<VariantPrices>,
}

impl Variants {
    fn of(write: &Write, parts: Option<&Parts>, shop: &Shop) -> Result<Self> {
        let field = |name: &str| write.fields.get(name).or_else(|| write.current.get(name));
        let mut options = Options::of(field("options"))?;
        let list = field("variants").and_then(Value::as_array);
        let list = list.ok_or_else(|| bad_field("variants", "options cannot be written without the variants"))?;
        if list.is_empty() {
            return Err(bad_field("variants", "a product needs at least one"));
        }
        let mut matching = Matching { parts, used: Vec::new() };
        let (mut inputs, mut prices) = (Vec::new(), Vec::new());
        for variant in list {
            let fields = variant.as_object().ok_or_else(|| bad_field("variants", "each must be an object"))?;
            only(fields, &VARIANT_FIELDS)?;
            let chosen = options.choose(fields.get("options"))?;
            let id = matching.take(fields.get("sku").and_then(Value::as_str), &chosen);
            let mut input = variant_input(fields, &chosen, id.as_deref())?;
            if let Some(json) = price_json(fields, &write.current)? {
                if write.id.is_some() || list.len() > INLINE_PRICES {
                    prices.push(VariantPrices { options: chosen, json });
                } else {
                    let metafield = json!([{ "namespace": &*shop.prices.0, "key": &*shop.prices.1, "type": "json", "value": json }]);
                    input.insert("metafields".to_owned(), metafield);
                }
            }
            inputs.push(Value::Object(input));
        }
        Ok(Self { options: options.input(), inputs, prices })
    }
}

fn variant_input(fields: &Fields, chosen: &[SelectedOption], id: Option<&str>) -> Result<Fields> {
    let values: Vec<Value> =
        chosen.iter().map(|option| json!({ "optionName": option.name, "name": option.value })).collect();
    let mut input = Fields::new();
    input.insert("optionValues".to_owned(), values.into());
    if let Some(id) = id {
        input.insert("id".to_owned(), id.into());
    }
    if let Some(price) = fields.get("price").filter(|price| !price.is_null()) {
        let price = read::money(price).ok_or_else(|| bad_field("variants.price", "must be an amount"))?;
        input.insert("price".to_owned(), price.into());
    }
    if let Some(price) = fields.get("compareAtPrice") {
        let price = match price {
            Value::Null => Value::Null,
            price => read::money(price).ok_or_else(|| bad_field("variants.compareAtPrice", "must be an amount"))?.into(),
        };
        input.insert("compareAtPrice".to_owned(), price);
    }
    for name in ["barcode", "sku"] {
        if fields.get(name).is_some_and(|value| !value.is_string() && !value.is_null()) {
            return Err(bad_field(&format!("variants.{name}"), "must be a text"));
        }
    }
    if let Some(barcode) = fields.get("barcode") {
        input.insert("barcode".to_owned(), barcode.clone());
    }
    let mut item = Fields::new();
    if let Some(sku) = fields.get("sku").filter(|sku| sku.is_string()) {
        item.insert("sku".to_owned(), sku.clone());
    }
    if id.is_none() {
        item.insert("tracked".to_owned(), true.into());
    }
    if !item.is_empty() {
        input.insert("inventoryItem".to_owned(), item.into());
    }
    Ok(input)
}

/// The prices in further currencies as JSON, if they are to be written and are not what the variant has now.
fn price_json(fields: &Fields, current: &Fields) -> Result<Option<String>> {
    let prices = match fields.get("prices") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(prices)) => prices,
        Some(_) => return Err(bad_field("variants.prices", "must be an object of currency and amount")),
    };
    let mut amounts = Fields::new();
    for (currency, amount) in prices {
        let amount = read::money(amount).ok_or_else(|| bad_field("variants.prices", "must be amounts"))?;
        amounts.insert(currency.clone(), amount.into());
    }
    let amounts = Value::Object(amounts);
    let same = |variant: &&Value| {
        ["sku", "options"].iter().all(|name| variant.get(name) == fields.get(*name))
            && variant.get("prices").is_some_and(|now| canon::equal(now, &amounts))
    };
    let known = current.get("variants").and_then(Value::as_array).into_iter().flatten().find(same).is_some();
    let empty = amounts.as_object().is_some_and(Fields::is_empty) && current.is_empty();
    Ok((!known && !empty).then(|| amounts.to_string()))
}

/// The product's options, with every value that a variant uses.
struct Options(Vec<(String, Vec<String>)>);

impl Options {
    fn of(value: Option<&Value>) -> Result<Self> {
        let wrong = || bad_field("options", "each needs a `name` and a list of `values`");
        let mut options = Vec::new();
        for option in value.and_then(Value::as_array).into_iter().flatten() {
            let name = option.get("name").and_then(Value::as_str).ok_or_else(wrong)?;
            let values = option.get("values").and_then(Value::as_array).ok_or_else(wrong)?;
            let values = values.iter().map(|value| value.as_str().map(str::to_owned).ok_or_else(wrong));
            options.push((name.to_owned(), values.collect::<Result<_>>()?));
        }
        Ok(Self(options))
    }

    /// One value for each option, in the options' order.
    fn choose(&mut self, value: Option<&Value>) -> Result<Vec<SelectedOption>> {
        let none = Fields::new();
        let given = value.and_then(Value::as_object).unwrap_or(&none);
        if self.0.is_empty() && given.is_empty() {
            return Ok(vec![no_option()]);
        }
        if let Some(name) = given.keys().find(|name| !self.0.iter().any(|(known, _)| known == *name)) {
            return Err(bad_field("variants.options", &format!("`{}` is no option of the product", read::excerpt(name))));
        }
        let mut chosen = Vec::new();
        for (name, values) in &mut self.0 {
            let value = given.get(name.as_str()).and_then(Value::as_str).ok_or_else(|| {
                bad_field("variants.options", &format!("a variant has no value for `{}`", read::excerpt(name)))
            })?;
            if !values.iter().any(|known| known == value) {
                values.push(value.to_owned());
            }
            chosen.push(SelectedOption { name: name.clone(), value: value.to_owned() });
        }
        Ok(chosen)
    }

    fn input(self) -> Value {
        let mut options = self.0;
        if options.is_empty() {
            let SelectedOption { name, value } = no_option();
            options.push((name, vec![value]));
        }
        let named = |value: String| json!({ "name": value });
        let option = |(name, values): (String, Vec<String>)| {
            json!({ "name": name, "values": values.into_iter().map(named).collect::<Vec<_>>() })
        };
        options.into_iter().map(option).collect()
    }
}

/// Finds the variant that exists for one that is wanted: by SKU, else by its options. Each is taken once.
struct Matching<'a> {
    parts: Option<&'a Parts>,
    used: Vec<&'a str>,
}

impl Matching<'_> {
    fn take(&mut self, sku: Option<&str>, chosen: &[SelectedOption]) -> Option<String> {
        let variants = &self.parts?.variants.nodes;
        let free = |id: &&str| !self.used.contains(id);
        let of_sku = |sku: &str| {
            let mut same = variants.iter().filter(|variant| variant.sku.as_deref() == Some(sku));
            // A SKU that two variants carry identifies none of them.
            same.next().filter(|_| same.next().is_none())?.id.as_deref().filter(free)
        };
        let of_options = || variants.iter().find(|variant| variant.selected_options == chosen)?.id.as_deref().filter(free);
        let id = sku.filter(|sku| !sku.is_empty()).and_then(of_sku).or_else(of_options)?;
        self.used.push(id);
        Some(id.to_owned())
    }
}
