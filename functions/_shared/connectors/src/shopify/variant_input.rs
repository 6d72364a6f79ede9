//! Variants and options of a product, as `productSet` wants them.

use super::failure::{bad_field, only};
use super::graphql::Shop;
use super::product_input::VariantPrices;
use super::products::no_option;
use super::replies::{Parts, SelectedOption};
use crate::{Result, Write, read};
use domain::{Fields, Value, canon};
use serde_json::json;

/// Prices of more variants than these would make one mutation too dear.
const INLINE_PRICES: usize = 250;
const VARIANT_FIELDS: [&str; 6] = ["sku", "barcode", "price", "compareAtPrice", "options", "prices"];

/// Options and variants, which Shopify takes only together.
pub(super) struct Variants {
    pub(super) options: Value,
    pub(super) inputs: Vec<Value>,
    pub(super) prices: Vec<VariantPrices>,
}

impl Variants {
    /// The variants of a write, in the order wanted.
    pub(super) fn of(write: &Write, parts: Option<&Parts>, shop: &Shop) -> Result<Self> {
        let field = |name: &str| write.fields.get(name).or_else(|| write.current.get(name));
        let mut options = Options::of(field("options"))?;
        let list = field("variants").and_then(Value::as_array);
        let list =
            list.ok_or_else(|| bad_field("variants", "options cannot be written without the variants"))?;
        if list.is_empty() {
            return Err(bad_field("variants", "a product needs at least one"));
        }
        let mut matching = Matching { parts, used: Vec::new() };
        let (mut inputs, mut prices) = (Vec::new(), Vec::new());
        for variant in list {
            let fields =
                variant.as_object().ok_or_else(|| bad_field("variants", "each must be an object"))?;
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
            price => read::money(price)
                .ok_or_else(|| bad_field("variants.compareAtPrice", "must be an amount"))?
                .into(),
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
        let value = value.filter(|value| !read::is_no_option(value));
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
        let given =
            value.filter(|value| !read::is_no_option(value)).and_then(Value::as_object).unwrap_or(&none);
        if self.0.is_empty() && given.is_empty() {
            return Ok(vec![no_option()]);
        }
        if let Some(name) = given.keys().find(|name| !self.0.iter().any(|(known, _)| known == *name)) {
            return Err(bad_field(
                "variants.options",
                &format!("`{}` is no option of the product", read::excerpt(name)),
            ));
        }
        let mut chosen = Vec::new();
        for (name, values) in &mut self.0 {
            let value = given.get(name.as_str()).and_then(Value::as_str).ok_or_else(|| {
                bad_field(
                    "variants.options",
                    &format!("a variant has no value for `{}`", read::excerpt(name)),
                )
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
        let option = |(name, values): (String, Vec<String>)| json!({ "name": name, "values": values.into_iter().map(named).collect::<Vec<_>>() });
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
        let of_options =
            || variants.iter().find(|variant| variant.selected_options == chosen)?.id.as_deref().filter(free);
        let id = sku.filter(|sku| !sku.is_empty()).and_then(of_sku).or_else(of_options)?;
        self.used.push(id);
        Some(id.to_owned())
    }
}
