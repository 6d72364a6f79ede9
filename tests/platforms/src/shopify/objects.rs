//! The fields of the shop's records.

use serde_json::{Map, Value, json};

use super::out::{Kind, Out};
use super::page::Paging;
use super::product_fields::{product, variant};
use super::records::{Metafield, Order, OrderLine, Variant};
use super::state::State;
use super::{gid, stamp};

pub(super) type Arguments = Map<String, Value>;

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
    let updated_at = stamp(it.stock_updated_at.get(&location).copied().unwrap_or(it.created_at));
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
pub(super) fn held(all: &Held, owner: &str, field: &str, arguments: &Arguments) -> Result<Out, String> {
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
pub(super) fn listed(
    records: impl Iterator<Item = (u64, Out)>,
    arguments: &Arguments,
) -> Result<Out, String> {
    let records = records.enumerate().map(|(at, (id, out))| ((format!("{at:06}"), id), out)).collect();
    Ok(Paging::read(arguments)?.of_sorted(records))
}

pub(super) fn count(number: usize) -> Out {
    json!({ "count": number, "precision": "EXACT" }).into()
}
