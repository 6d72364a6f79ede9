//! The fields of the shop's records.

use serde_json::{Map, Value, json};

use super::out::{Kind, Out};
use super::page::Paging;
use super::state::{Metafield, Order, OrderLine, Product, State, Variant};
use super::{gid, stamp};

type Arguments = Map<String, Value>;

/// The GraphQL type of a record.
pub(crate) fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Query => "QueryRoot",
        Kind::Mutation => "Mutation",
        Kind::Shop => "Shop",
        Kind::Product(_) => "Product",
        Kind::Variant(_) => "ProductVariant",
        Kind::Item(_) => "InventoryItem",
        Kind::Level(..) => "InventoryLevel",
        Kind::Location(_) => "Location",
        Kind::Order(_) => "Order",
        Kind::Definition(_) => "MetafieldDefinition",
        Kind::Subscription(_) => "WebhookSubscription",
    }
}

/// One field of one record. A record that is gone has null fields.
pub(crate) fn resolve(state: &State, kind: Kind, field: &str, arguments: &Arguments) -> Result<Out, String> {
    let none = Out::NULL;
    match kind {
        Kind::Shop => Ok(shop(state, field)),
        Kind::Product(id) => state.products.get(&id).map_or(Ok(none), |it| product(it, field, arguments)),
        Kind::Variant(id) => {
            state.variant(id).map_or(Ok(none), |(product, it)| variant(product, it, field, arguments))
        }
        Kind::Item(id) => state.item(id).map_or(Ok(none), |(_, it)| item(state, it, field, arguments)),
        Kind::Level(item, location) => Ok(level(state, item, location, field, arguments)),
        Kind::Location(id) => Ok(location(state, id, field)),
        Kind::Order(id) => state.orders.get(&id).map_or(Ok(none), |it| order(state, it, field, arguments)),
        Kind::Definition(id) => Ok(definition(state, id, field)),
        Kind::Subscription(id) => Ok(subscription(state, id, field)),
        Kind::Query | Kind::Mutation => Ok(none),
    }
}

fn shop(state: &State, field: &str) -> Out {
    match field {
        "id" => gid("Shop", 1).into(),
        "name" => state.name.clone().into(),
        "email" => format!("owner@{}", state.domain).into(),
        "myshopifyDomain" => state.domain.clone().into(),
        "currencyCode" => state.currency.clone().into(),
        "enabledPresentmentCurrencies" => json!([state.currency, "USD", "JPY"]).into(),
        "ianaTimezone" => "Europe/Berlin".into(),
        "timezoneOffset" => "+0100".into(),
        "plan" => {
            json!({ "partnerDevelopment": true, "publicDisplayName": "Development", "shopifyPlus": false })
                .into()
        }
        _ => Out::NULL,
    }
}

fn product(it: &Product, field: &str, arguments: &Arguments) -> Result<Out, String> {
    Ok(match field {
        "id" => gid("Product", it.id).into(),
        "legacyResourceId" => it.id.to_string().into(),
        "title" => it.title.clone().into(),
        "handle" => it.handle.clone().into(),
        "descriptionHtml" => it.description_html.clone().into(),
        "description" => cut(&plain(&it.description_html), arguments).into(),
        "status" => it.status.clone().into(),
        "vendor" => it.vendor.clone().into(),
        "productType" => it.product_type.clone().into(),
        "tags" => it.tags.clone().into(),
        "seo" => json!({ "title": it.seo.0, "description": it.seo.1 }).into(),
        "isGiftCard" => false.into(),
        "createdAt" => stamp(it.created_at).into(),
        "publishedAt" => (it.status == "ACTIVE").then(|| stamp(it.created_at)).into(),
        "updatedAt" => stamp(it.updated_at).into(),
        "hasOnlyDefaultVariant" => {
            (it.variants.len() == 1 && it.variants.iter().any(|v| v.title() == "Default Title")).into()
        }
        "totalInventory" => it.variants.iter().map(Variant::available).sum::<i64>().into(),
        "tracksInventory" => it.variants.iter().any(|variant| variant.tracked).into(),
        "variantsCount" => count(it.variants.len()),
        "mediaCount" => count(it.media.len()),
        "featuredMedia" => it.media.first().map_or(Out::NULL, |first| media(it, first)),
        "options" => options(it, arguments),
        "variants" => variants(it, arguments)?,
        "images" => {
            let images = it.media.iter().map(|media| (media.id, Out::Leaf(image(media))));
            listed(images, arguments)?
        }
        "media" => listed(it.media.iter().map(|known| (known.id, media(it, known))), arguments)?,
        "metafield" | "metafields" => held(&it.metafields, "PRODUCT", field, arguments)?,
        _ => Out::NULL,
    })
}

fn variants(it: &Product, arguments: &Arguments) -> Result<Out, String> {
    let by_position = arguments.get("sortKey").and_then(Value::as_str).is_none_or(|key| key == "POSITION");
    let records = it.variants.iter().enumerate().map(|(position, variant)| {
        let order = if by_position { format!("{position:06}") } else { format!("{:020}", variant.id) };
        ((order, variant.id), Out::Ref(Kind::Variant(variant.id)))
    });
    let mut records: Vec<_> = records.collect();
    records.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(Paging::read(arguments)?.of_sorted(records))
}

fn options(it: &Product, arguments: &Arguments) -> Out {
    let first = arguments.get("first").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let shown = it.options.iter().take(first.unwrap_or(usize::MAX)).enumerate().map(|(at, option)| {
        let used = |name: &str| {
            it.variants.iter().any(|v| v.options.iter().any(|(o, value)| *o == option.name && value == name))
        };
        let values: Vec<Value> = option
            .values
            .iter()
            .map(|(id, name)| json!({ "id": gid("ProductOptionValue", *id), "name": name, "hasVariants": used(name) }))
            .collect();
        let names: Vec<&str> = option.values.iter().map(|(_, name)| name.as_str()).filter(|name| used(name)).collect();
        json!({
            "id": gid("ProductOption", option.id),
            "name": option.name,
            "position": at + 1,
            "values": names,
            "optionValues": values,
        })
    });
    Out::Leaf(shown.collect())
}

fn image(media: &super::state::Media) -> Value {
    let alt = (!media.alt.is_empty()).then_some(media.alt.as_str());
    json!({ "id": gid("ProductImage", media.id), "url": media.url, "altText": alt, "width": 1200, "height": 800 })
}

fn media(product: &Product, media: &super::state::Media) -> Out {
    Out::typed(
        "MediaImage",
        [
            ("id", gid("MediaImage", media.id).into()),
            ("alt", (!media.alt.is_empty()).then(|| media.alt.clone()).into()),
            ("image", Out::Leaf(image(media))),
            ("mediaContentType", "IMAGE".into()),
            ("mimeType", "image/jpeg".into()),
            ("status", "READY".into()),
            ("fileStatus", "READY".into()),
            ("createdAt", stamp(product.created_at).into()),
            ("updatedAt", stamp(product.created_at).into()),
        ],
    )
}

fn variant(product: &Product, it: &Variant, field: &str, arguments: &Arguments) -> Result<Out, String> {
    Ok(match field {
        "id" => gid("ProductVariant", it.id).into(),
        "legacyResourceId" => it.id.to_string().into(),
        "title" => it.title().into(),
        "displayName" => format!("{} - {}", product.title, it.title()).into(),
        "sku" => it.sku.clone().into(),
        "barcode" => it.barcode.clone().into(),
        "price" => it.price.clone().into(),
        "compareAtPrice" => it.compare_at_price.clone().into(),
        "inventoryPolicy" => it.policy.clone().into(),
        "inventoryQuantity" => it.available().into(),
        "availableForSale" => (it.available() > 0 || it.policy == "CONTINUE" || !it.tracked).into(),
        "taxable" => it.taxable.into(),
        "position" => {
            (product.variants.iter().position(|known| known.id == it.id).unwrap_or_default() + 1).into()
        }
        "createdAt" => stamp(it.created_at).into(),
        "updatedAt" => stamp(it.updated_at).into(),
        "inventoryItem" => Out::Ref(Kind::Item(it.item)),
        "product" => Out::Ref(Kind::Product(product.id)),
        "selectedOptions" => {
            Out::Leaf(it.options.iter().map(|(name, value)| selected(product, name, value)).collect())
        }
        "metafield" | "metafields" => held(&it.metafields, "PRODUCTVARIANT", field, arguments)?,
        _ => Out::NULL,
    })
}

fn selected(product: &Product, name: &str, value: &str) -> Value {
    let option = product.options.iter().find(|option| option.name == name);
    let id = option
        .and_then(|option| option.values.iter().find(|(_, known)| known == value))
        .map_or(0, |(id, _)| *id);
    let option_value = json!({ "id": gid("ProductOptionValue", id), "name": value, "hasVariants": true });
    json!({ "name": name, "value": value, "optionValue": option_value })
}

fn item(state: &State, it: &Variant, field: &str, arguments: &Arguments) -> Result<Out, String> {
    Ok(match field {
        "id" => gid("InventoryItem", it.item).into(),
        "legacyResourceId" => it.item.to_string().into(),
        "sku" => it.sku.clone().into(),
        "tracked" => it.tracked.into(),
        "requiresShipping" => it.requires_shipping.into(),
        "unitCost" => {
            it.cost.clone().map(|amount| json!({ "amount": amount, "currencyCode": state.currency })).into()
        }
        "createdAt" => stamp(it.created_at).into(),
        "updatedAt" => stamp(it.item_updated_at).into(),
        "variant" => Out::Ref(Kind::Variant(it.id)),
        "inventoryLevel" => {
            let wanted = super::numeric(arguments, "locationId", "Location");
            Out::maybe(wanted.filter(|id| it.stock.contains_key(id)).map(|id| Kind::Level(it.item, id)))
        }
        "inventoryLevels" => listed(
            it.stock.keys().map(|location| (*location, Out::Ref(Kind::Level(it.item, *location)))),
            arguments,
        )?,
        _ => Out::NULL,
    })
}

fn level(state: &State, item: u64, location: u64, field: &str, arguments: &Arguments) -> Out {
    let Some((_, it)) = state.item(item) else { return Out::NULL };
    let count = it.stock.get(&location).copied().unwrap_or_default();
    let updated_at = stamp(it.item_updated_at);
    match field {
        "id" => format!("gid://shopify/InventoryLevel/{location}?inventory_item_id={item}").into(),
        "createdAt" => stamp(it.created_at).into(),
        "updatedAt" => updated_at.into(),
        "isActive" => true.into(),
        "item" => Out::Ref(Kind::Item(item)),
        "location" => Out::Ref(Kind::Location(location)),
        "quantities" => {
            let names = arguments.get("names").and_then(Value::as_array).cloned().unwrap_or_default();
            let quantities = names.iter().filter_map(Value::as_str).map(|name| {
                let quantity = if matches!(name, "available" | "on_hand") { count } else { 0 };
                let id = format!(
                    "gid://shopify/InventoryQuantity/{location}?inventory_item_id={item}&name={name}"
                );
                json!({ "id": id, "name": name, "quantity": quantity, "updatedAt": updated_at })
            });
            Out::Leaf(quantities.collect())
        }
        _ => Out::NULL,
    }
}

fn location(state: &State, id: u64, field: &str) -> Out {
    let Some(it) = state.location(id) else { return Out::NULL };
    match field {
        "id" => gid("Location", id).into(),
        "legacyResourceId" => id.to_string().into(),
        "name" => it.name.clone().into(),
        "isActive" => it.active.into(),
        "isPrimary" => state.locations.first().is_some_and(|first| first.id == id).into(),
        "fulfillsOnlineOrders" | "shipsInventory" | "hasActiveInventory" => true.into(),
        "createdAt" | "updatedAt" => stamp(it.created_at).into(),
        _ => Out::NULL,
    }
}

fn order(state: &State, it: &Order, field: &str, arguments: &Arguments) -> Result<Out, String> {
    let total = || {
        let decimals = crate::money::decimals(&it.currency);
        let sum: i128 = it
            .lines
            .iter()
            .filter_map(|line| Some(crate::money::minor(&line.price, decimals)? * i128::from(line.quantity)))
            .sum();
        bag(&crate::money::text(sum, decimals), &it.currency)
    };
    Ok(match field {
        "id" => gid("Order", it.id).into(),
        "legacyResourceId" => it.id.to_string().into(),
        "name" => it.name.clone().into(),
        "number" => it.number.into(),
        "email" => it.email.clone().into(),
        "phone" => it.phone.clone().into(),
        "note" => it.note.clone().into(),
        "poNumber" => it.po_number.clone().into(),
        "sourceIdentifier" => it.source.0.clone().into(),
        "sourceName" => it.source.1.clone().into(),
        "currencyCode" | "presentmentCurrencyCode" => it.currency.clone().into(),
        "tags" => it.tags.clone().into(),
        "customAttributes" => Out::Leaf(
            it.attributes.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect(),
        ),
        "displayFinancialStatus" => it.financial_status.clone().into(),
        "displayFulfillmentStatus" => it.fulfillment_status.clone().into(),
        "confirmed" => true.into(),
        "test" => it.test.into(),
        "processedAt" => stamp(it.processed_at).into(),
        "createdAt" => stamp(it.created_at).into(),
        "updatedAt" => stamp(it.updated_at).into(),
        "totalPriceSet" | "currentTotalPriceSet" | "originalTotalPriceSet" | "subtotalPriceSet" => {
            total().into()
        }
        "shippingAddress" => it.shipping_address.clone().into(),
        "lineItems" => listed(it.lines.iter().map(|known| (known.id, line(state, it, known))), arguments)?,
        "metafield" | "metafields" => held(&it.metafields, "ORDER", field, arguments)?,
        _ => Out::NULL,
    })
}

fn line(state: &State, order: &Order, it: &OrderLine) -> Out {
    let decimals = crate::money::decimals(&order.currency);
    let all = crate::money::minor(&it.price, decimals).unwrap_or_default() * i128::from(it.quantity);
    let variant = it.variant.filter(|id| state.variants.contains_key(id));
    Out::object([
        ("id", gid("LineItem", it.id).into()),
        ("title", it.title.clone().into()),
        ("name", it.title.clone().into()),
        ("sku", it.sku.clone().into()),
        ("vendor", it.vendor.clone().into()),
        ("variantTitle", it.variant_title.clone().into()),
        ("quantity", it.quantity.into()),
        ("currentQuantity", it.quantity.into()),
        ("originalUnitPriceSet", bag(&it.price, &order.currency).into()),
        ("discountedUnitPriceSet", bag(&it.price, &order.currency).into()),
        ("originalTotalSet", bag(&crate::money::text(all, decimals), &order.currency).into()),
        ("variant", Out::maybe(variant.map(Kind::Variant))),
        ("product", Out::maybe(variant.and_then(|id| state.variants.get(&id)).map(|id| Kind::Product(*id)))),
    ])
}

fn bag(amount: &str, currency: &str) -> Value {
    let money = json!({ "amount": amount, "currencyCode": currency });
    json!({ "shopMoney": money, "presentmentMoney": money })
}

fn definition(state: &State, id: u64, field: &str) -> Out {
    let Some(it) = state.definitions.iter().find(|known| known.id == id) else { return Out::NULL };
    match field {
        "id" => gid("MetafieldDefinition", id).into(),
        "name" => it.name.clone().into(),
        "namespace" => it.namespace.clone().into(),
        "key" => it.key.clone().into(),
        "description" => it.description.clone().into(),
        "ownerType" => it.owner.clone().into(),
        "type" => json!({ "name": it.kind, "category": "TEXT" }).into(),
        "capabilities" => {
            json!({ "uniqueValues": { "enabled": it.unique, "eligible": unique_kind(&it.kind) } }).into()
        }
        _ => Out::NULL,
    }
}

/// Whether values of this type can be made unique.
pub(crate) fn unique_kind(kind: &str) -> bool {
    matches!(kind, "id" | "single_line_text_field" | "url" | "number_integer")
}

fn subscription(state: &State, id: u64, field: &str) -> Out {
    let Some(it) = state.subscriptions.iter().find(|known| known.id == id) else { return Out::NULL };
    match field {
        "id" => gid("WebhookSubscription", id).into(),
        "topic" => it.topic.clone().into(),
        "uri" => it.uri.clone().into(),
        "filter" => it.filter.clone().into(),
        "name" => it.name.clone().into(),
        "format" => it.format.clone().into(),
        "includeFields" => it.include_fields.clone().into(),
        "createdAt" | "updatedAt" => stamp(it.created_at).into(),
        _ => Out::NULL,
    }
}

type Held = std::collections::BTreeMap<(String, String), Metafield>;

/// `metafield` and `metafields` of a record.
fn held(all: &Held, owner: &str, field: &str, arguments: &Arguments) -> Result<Out, String> {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str);
    let namespace = text("namespace");
    if field == "metafield" {
        let key = (
            namespace.unwrap_or(super::APP_NAMESPACE).to_owned(),
            text("key").unwrap_or_default().to_owned(),
        );
        return Ok(all.get_key_value(&key).map_or(Out::NULL, |(key, it)| metafield(key, it, owner)));
    }
    let keys: Option<Vec<&str>> = arguments
        .get("keys")
        .and_then(Value::as_array)
        .map(|keys| keys.iter().filter_map(Value::as_str).collect());
    let wanted = |(known, key): &(String, String)| {
        namespace.is_none_or(|namespace| known == namespace)
            && keys.as_ref().is_none_or(|keys| {
                keys.iter().any(|wanted| *wanted == format!("{known}.{key}") || wanted == key)
            })
    };
    let mut found: Vec<_> = all
        .iter()
        .filter(|(key, _)| wanted(key))
        .map(|(key, it)| (it.id, metafield(key, it, owner)))
        .collect();
    found.sort_by_key(|(id, _)| *id);
    listed(found.into_iter(), arguments)
}

/// A metafield as the API shows it.
pub(crate) fn metafield((namespace, key): &(String, String), it: &Metafield, owner: &str) -> Out {
    let json_value = serde_json::from_str::<Value>(&it.value).ok();
    let shown = if it.kind == "json" || it.kind.starts_with("list.") || it.kind.starts_with("number") {
        json_value.unwrap_or_default()
    } else {
        it.value.clone().into()
    };
    Out::object([
        ("id", gid("Metafield", it.id).into()),
        ("legacyResourceId", it.id.to_string().into()),
        ("namespace", namespace.clone().into()),
        ("key", key.clone().into()),
        ("type", it.kind.clone().into()),
        ("value", it.value.clone().into()),
        ("jsonValue", shown.into()),
        ("ownerType", owner.into()),
        ("compareDigest", super::digest(&it.value).into()),
        ("createdAt", stamp(it.created_at).into()),
        ("updatedAt", stamp(it.updated_at).into()),
    ])
}

/// A connection of records in the order given, each with its id.
fn listed(records: impl Iterator<Item = (u64, Out)>, arguments: &Arguments) -> Result<Out, String> {
    let records = records.enumerate().map(|(at, (id, out))| ((format!("{at:06}"), id), out)).collect();
    Ok(Paging::read(arguments)?.of_sorted(records))
}

fn count(number: usize) -> Out {
    json!({ "count": number, "precision": "EXACT" }).into()
}

/// The text of HTML without its tags.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for letter in html.chars() {
        match letter {
            '<' => inside = true,
            '>' if inside => inside = false,
            _ if !inside => text.push(letter),
            _ => {}
        }
    }
    text
}

fn cut(text: &str, arguments: &Arguments) -> String {
    let at = arguments.get("truncateAt").and_then(Value::as_u64).and_then(|at| usize::try_from(at).ok());
    at.map_or_else(|| text.to_owned(), |at| text.chars().take(at).collect())
}
