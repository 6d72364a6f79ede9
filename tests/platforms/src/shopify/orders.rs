//! Orders: `orderCreate`, `orderUpdate`, `orderDelete`.

use chrono::DateTime;
use serde_json::{Value, json};

use super::mutations::{Input, UserError, decimal, filled, given, object, objects, payload};
use super::out::{Kind, Out};
use super::records::{Destroyed, Order, OrderLine};
use super::state::State;
use super::{gid, metafields, numeric, products, stock, webhooks};
use crate::journal::{Effect, Verb};

/// `orderCreate`.
///
/// <https://shopify.dev/docs/api/admin-graphql/latest/mutations/orderCreate>
pub(crate) fn create(state: &mut State, arguments: &Input) -> Result<Out, String> {
    let input = object(arguments, "order");
    let mut errors = Vec::new();
    let lines = objects(&input, "lineItems").unwrap_or_default();
    if lines.is_empty() {
        errors.push(UserError::new(
            "order.lineItems",
            "INVALID",
            "Line items must have at least one line item",
        ));
    }
    let processed_at =
        match filled(&input, "processedAt").map(|text| DateTime::parse_from_rfc3339(&text)) {
            Some(Err(_)) => return Err(
                "Variable $order of type OrderCreateOrderInput! was provided invalid value for processedAt"
                    .to_owned(),
            ),
            Some(Ok(time)) if time.to_utc() > state.clock.now() => {
                errors.push(UserError::new(
                    "order.processedAt",
                    "PROCESSED_AT_INVALID",
                    "Processed at must not be in the future",
                ));
                time.to_utc()
            }
            Some(Ok(time)) => time.to_utc(),
            None => state.clock.second(),
        };
    let currency = filled(&input, "currency").unwrap_or_else(|| state.currency.clone());
    if currency.len() != 3 || !currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
        return Err(format!("Expected \"{currency}\" to be one of the currency codes"));
    }
    let mut order = blank(state, &input, currency, processed_at);
    for (at, line) in lines.iter().enumerate() {
        match order_line(state, line, &order.currency)? {
            Ok(line) => order.lines.push(line),
            Err(message) => errors.push(UserError::new(format!("order.lineItems.{at}"), "INVALID", message)),
        }
    }
    for (at, field) in objects(&input, "metafields").unwrap_or_default().iter().enumerate() {
        match metafields::made(state, "ORDER", field, &order.metafields, Some(order.id)) {
            Ok((key, metafield)) => drop(order.metafields.insert(key, metafield)),
            Err((_, message)) => {
                errors.push(UserError::new(format!("order.metafields.{at}"), "INVALID", message));
            }
        }
    }
    if !errors.is_empty() {
        return Ok(payload("order", Err(errors)));
    }
    let behaviour = filled(&object(arguments, "options"), "inventoryBehaviour");
    if behaviour.is_some_and(|behaviour| behaviour.starts_with("DECREMENT")) {
        claim(state, &order);
    }
    let id = order.id;
    let effect = Effect::new(Verb::Created, "order", gid("Order", id)).key("name", order.name.clone());
    let external = order.metafields.get(&("syncline".to_owned(), "key".to_owned()));
    let effect = effect.key("syncline.key", external.map(|held| held.value.clone()).unwrap_or_default());
    state.effects.push(effect.key("sourceIdentifier", order.source.0.clone().unwrap_or_default()));
    put(state, order, "ORDERS_CREATE");
    Ok(payload("order", Ok(Out::Ref(Kind::Order(id)))))
}

fn blank(state: &mut State, input: &Input, currency: String, processed_at: DateTime<chrono::Utc>) -> Order {
    let number = state.next_order;
    state.next_order += 1;
    let now = state.clock.second();
    Order {
        id: state.id(),
        number,
        name: filled(input, "name").unwrap_or_else(|| format!("#{number}")),
        email: filled(input, "email"),
        phone: filled(input, "phone"),
        note: filled(input, "note"),
        po_number: filled(input, "poNumber"),
        source: (filled(input, "sourceIdentifier"), filled(input, "sourceName")),
        currency,
        tags: products::normal_tags(input.get("tags").and_then(Value::as_array).map_or(&[], Vec::as_slice)),
        attributes: attributes(input).unwrap_or_default(),
        financial_status: filled(input, "financialStatus").unwrap_or_else(|| "PENDING".to_owned()),
        fulfillment_status: match filled(input, "fulfillmentStatus").as_deref() {
            None => "UNFULFILLED",
            Some("PARTIAL") => "PARTIALLY_FULFILLED",
            Some("RESTOCKED") => "RESTOCKED",
            Some(_) => "FULFILLED",
        }
        .to_owned(),
        lines: Vec::new(),
        shipping_address: address(state, input),
        metafields: std::collections::BTreeMap::new(),
        test: input.get("test").and_then(Value::as_bool).unwrap_or_default(),
        processed_at,
        created_at: now,
        updated_at: now,
    }
}

fn order_line(state: &mut State, line: &Input, currency: &str) -> Result<Result<OrderLine, String>, String> {
    let decimals = crate::money::decimals(currency);
    let variant = numeric(line, "variantId", "ProductVariant");
    let known = variant.and_then(|id| state.variant(id)).map(|(product, it)| (product.clone(), it.clone()));
    if variant.is_some() && known.is_none() {
        return Ok(Err("Variant does not exist".to_owned()));
    }
    let quantity = line.get("quantity").and_then(Value::as_i64).unwrap_or_default();
    if quantity < 1 {
        return Ok(Err("Quantity must be greater than or equal to 1".to_owned()));
    }
    let title = filled(line, "title").or_else(|| known.as_ref().map(|(product, _)| product.title.clone()));
    let Some(title) = title else { return Ok(Err("Title can't be blank".to_owned())) };
    let amount = decimal(&object(&object(line, "priceSet"), "shopMoney"), "amount")?;
    let amount =
        amount.or_else(|| known.as_ref().map(|(_, it)| it.price.clone())).unwrap_or_else(|| "0".to_owned());
    let Some(price) = crate::money::normal(&amount, decimals).filter(|price| !price.starts_with('-')) else {
        return Ok(Err("Price must be greater than or equal to 0".to_owned()));
    };
    Ok(Ok(OrderLine {
        id: state.id(),
        variant,
        sku: filled(line, "sku").or_else(|| known.as_ref().and_then(|(_, it)| it.sku.clone())),
        title,
        variant_title: filled(line, "variantTitle").or_else(|| known.as_ref().map(|(_, it)| it.title())),
        vendor: filled(line, "vendor").or_else(|| known.as_ref().map(|(product, _)| product.vendor.clone())),
        quantity,
        price,
    }))
}

/// Takes what was ordered off the first location that has it.
fn claim(state: &mut State, order: &Order) {
    for line in &order.lines {
        let Some((_, variant)) = line.variant.and_then(|id| state.variant(id)) else { continue };
        let item = variant.item;
        let place = variant
            .stock
            .iter()
            .max_by_key(|(_, count)| **count)
            .map(|(location, count)| (*location, *count));
        if let Some((location, count)) = place {
            stock::put(state, item, location, count - line.quantity);
        }
    }
}

fn attributes(input: &Input) -> Option<Vec<(String, String)>> {
    let listed = objects(input, "customAttributes")?;
    Some(
        listed
            .iter()
            .map(|it| (given(it, "key").unwrap_or_default(), given(it, "value").unwrap_or_default()))
            .collect(),
    )
}

fn address(state: &mut State, input: &Input) -> Option<Value> {
    let input = input.get("shippingAddress").and_then(Value::as_object)?.clone();
    let text = |name: &str| filled(&input, name);
    let name = [text("firstName"), text("lastName")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    Some(json!({
        "id": gid("MailingAddress", state.id()),
        "firstName": text("firstName"),
        "lastName": text("lastName"),
        "name": (!name.is_empty()).then_some(name),
        "company": text("company"),
        "address1": text("address1"),
        "address2": text("address2"),
        "city": text("city"),
        "zip": text("zip"),
        "province": text("province").or_else(|| text("provinceCode")),
        "provinceCode": text("provinceCode"),
        "country": text("country").or_else(|| text("countryCode")),
        "countryCodeV2": text("countryCode"),
        "phone": text("phone"),
    }))
}

/// Stores an order and tells subscribers.
pub(crate) fn put(state: &mut State, mut order: Order, topic: &'static str) {
    let before = state.orders.get(&order.id).map(|old| old.updated_at);
    order.updated_at = state.clock.second();
    state.note_lag(order.id, before);
    let body = webhooks::order_body(&order);
    state.put_order(order.id, Some(order));
    state.happened(topic, body);
}

/// `orderUpdate`: the fields that are given.
pub(crate) fn update(state: &mut State, arguments: &Input) -> Out {
    let input = object(arguments, "input");
    let found = numeric(&input, "id", "Order").and_then(|id| state.orders.get(&id).cloned());
    let Some(mut order) = found else {
        return payload("order", Err(vec![UserError::new("id", "", "Order does not exist")]));
    };
    for (name, place) in [
        ("email", &mut order.email),
        ("phone", &mut order.phone),
        ("note", &mut order.note),
        ("poNumber", &mut order.po_number),
    ] {
        if input.contains_key(name) {
            *place = filled(&input, name);
        }
    }
    if let Some(tags) = input.get("tags").and_then(Value::as_array) {
        order.tags = products::normal_tags(tags);
    }
    if let Some(listed) = attributes(&input) {
        order.attributes = listed;
    }
    if let Some(address) = address(state, &input) {
        order.shipping_address = Some(address);
    }
    let mut errors = Vec::new();
    for (at, field) in objects(&input, "metafields").unwrap_or_default().iter().enumerate() {
        match metafields::made(state, "ORDER", field, &order.metafields, Some(order.id)) {
            Ok((key, metafield)) => drop(order.metafields.insert(key, metafield)),
            Err((_, message)) => errors.push(UserError::new(format!("metafields.{at}"), "", message)),
        }
    }
    if !errors.is_empty() {
        return payload("order", Err(errors));
    }
    let id = order.id;
    state.effects.push(Effect::new(Verb::Updated, "order", gid("Order", id)).key("name", order.name.clone()));
    put(state, order, "ORDERS_UPDATED");
    payload("order", Ok(Out::Ref(Kind::Order(id))))
}

/// `orderDelete`.
pub(crate) fn delete(state: &mut State, arguments: &Input) -> Out {
    let id = numeric(arguments, "orderId", "Order");
    let outcome = match id.and_then(|id| state.put_order(id, None)) {
        Some(order) => {
            let event = state.id();
            let at = state.clock.second();
            state.destroyed.push(Destroyed { id: event, subject: gid("Order", order.id), kind: "ORDER", at });
            state.happened("ORDERS_DELETE", json!({ "id": order.id }));
            state.effects.push(Effect::new(Verb::Deleted, "order", gid("Order", order.id)));
            Ok(gid("Order", order.id).into())
        }
        None => Err(vec![UserError::new("orderId", "NOT_FOUND", "Order does not exist")]),
    };
    payload("deletedId", outcome)
}
