//! Writing orders. Shopify has no upsert for them, so that creates are looked up by their external key first.

use super::cost;
use super::failure::{self, bad_field, only};
use super::graphql::{KEY_NAME, KEY_NAMESPACE, Shop, numbered, repeat};
use super::node::{Recorded, Then, complete};
use super::orders::{READ, find_document, kind};
use super::reading;
use super::replies::Order;
use crate::{Error, ErrorKind, Exchange, Outcome, Result, Step, Write, Written, read};
use domain::{Fields, Value};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const CREATE: &str = include_str!("orders_create.graphql");
const UPDATE: &str = include_str!("orders_update.graphql");
const FIELDS: &str = include_str!("order_fields.graphql");

/// Orders in one write, each a mutation and the order it shows: 20 × 29 = 580 points.
pub(super) const AT_ONCE: usize = 20;
const WRITE_COST: u32 = cost::MUTATION + READ.each;

/// What orders have that can be given when they are made. `total` follows from the lines.
const CREATABLE: [&str; 11] = [
    "name",
    "email",
    "currency",
    "processedAt",
    "note",
    "tags",
    "financialStatus",
    "fulfillmentStatus",
    "total",
    "lines",
    "shippingAddress",
];
/// What can be changed later (<https://shopify.dev/docs/api/admin-graphql/latest/input-objects/OrderInput>).
const CHANGEABLE: [&str; 4] = ["email", "note", "tags", "shippingAddress"];
const ADDRESS: [&str; 8] = ["name", "address1", "address2", "city", "zip", "province", "country", "phone"];

type Answers = Vec<Option<Result<Order>>>;

/// Creates and changes orders: look-up, creates, updates, as far as there are any.
pub(super) fn write(shop: &Shop, writes: &[Write]) -> Result<Exchange<Vec<Outcome>>> {
    reading::fits(writes.len(), AT_ONCE)?;
    let writes: Arc<[Write]> = writes.into();
    let (creates, updates): (Vec<usize>, Vec<usize>) =
        (0..writes.len()).partition(|at| writes.get(*at).is_some_and(|write| write.id.is_none()));
    let empty: Answers = vec![None; writes.len()];
    if creates.is_empty() {
        return match send(shop, &writes, updates, &[], empty)? {
            Step::Next { exchange, .. } => Ok(exchange),
            Step::Done(outcomes) => Err(outcomes.into_iter().find_map(Result::err).unwrap_or_else(unsent)),
        };
    }
    let keys =
        creates.iter().filter_map(|at| writes.get(*at)).map(|write| reading::external(&write.external_key));
    let identifiers = keys.collect();
    reading::identified::<Order, _>(shop, &find_document(), &kind(), identifiers, move |shop, found| {
        let mut answers = empty.clone();
        let mut missing = Vec::new();
        for (order, at) in found.into_iter().zip(&creates) {
            match (order, answers.get_mut(*at)) {
                (Some(order), Some(place)) => *place = Some(Ok(order)),
                _ => missing.push(*at),
            }
        }
        send(shop, &writes, updates.clone(), &missing, answers)
    })
}

fn unsent() -> Error {
    Error::unexpected("the record was not sent")
}

/// Sends creates, then updates, then reads on what did not fit into the replies.
fn send(
    shop: &Shop,
    writes: &Arc<[Write]>,
    updates: Vec<usize>,
    creates: &[usize],
    answers: Answers,
) -> Result<Step<Vec<Outcome>>> {
    if !creates.is_empty() {
        let (again, writes_again) = (shop.clone(), Arc::clone(writes));
        return mutate(shop, CREATE, "order", writes, creates, create_input, answers, move |answers| {
            send(&again, &writes_again, updates.clone(), &[], answers)
        });
    }
    if !updates.is_empty() {
        let (again, writes_again) = (shop.clone(), Arc::clone(writes));
        return mutate(shop, UPDATE, "input", writes, &updates, update_input, answers, move |answers| {
            send(&again, &writes_again, Vec::new(), &[], answers)
        });
    }
    let orders: Vec<Order> =
        answers.iter().flatten().filter_map(|answer| answer.as_ref().ok()).cloned().collect();
    let then: Then<Order, Vec<Outcome>> = Arc::new(move |whole| Ok(Step::Done(outcomes(&answers, &whole))));
    complete(shop, orders, &then)
}

#[expect(clippy::too_many_arguments, reason = "the two mutations differ in exactly these")]
fn mutate(
    shop: &Shop,
    document: &str,
    variable: &'static str,
    writes: &[Write],
    positions: &[usize],
    input: fn(&Write) -> Result<Value>,
    mut answers: Answers,
    then: impl Fn(Answers) -> Result<Step<Vec<Outcome>>> + Send + 'static,
) -> Result<Step<Vec<Outcome>>> {
    let mut sent = Vec::new();
    let mut variables = Vec::new();
    for (at, write) in positions.iter().filter_map(|at| Some((*at, writes.get(*at)?))) {
        match (input(write), answers.get_mut(at)) {
            (Ok(input), _) => {
                sent.push(at);
                variables.push(vec![(variable, input)]);
            }
            (Err(error), Some(place)) => *place = Some(Err(error)),
            (Err(error), None) => return Err(error),
        }
    }
    if sent.is_empty() {
        return then(answers);
    }
    let count = sent.len();
    let mut all: Fields = READ.sizes().collect();
    all.extend(numbered(variables));
    let cost = cost::times(count, WRITE_COST);
    let document = [repeat(document, count), FIELDS.to_owned()].concat();
    let exchange = shop.ask(&document, all, cost, move |reply| {
        let mut answers = answers.clone();
        for (answer, at) in failure::each(reply, count)?.into_iter().zip(&sent) {
            if let Some(place) = answers.get_mut(*at) {
                *place = Some(answer.and_then(|payload| failure::written(&payload, "order")));
            }
        }
        then(answers)
    })?;
    Ok(Step::Next { exchange, after: Duration::ZERO })
}

fn outcomes(answers: &Answers, whole: &[Order]) -> Vec<Outcome> {
    let one = |answer: &Option<Result<Order>>| match answer {
        None => Err(unsent()),
        Some(Err(error)) => Err(error.clone()),
        Some(Ok(answer)) => {
            let order = whole.iter().find(|order| order.id == answer.id);
            Ok(Written { id: answer.id.clone(), now: order.cloned().map(Order::into_record).transpose()? })
        }
    };
    answers.iter().map(one).collect()
}

fn create_input(write: &Write) -> Result<Value> {
    only(&write.fields, &CREATABLE)?;
    let field = |name: &str| write.fields.get(name).filter(|value| !value.is_null());
    let mut order = Fields::new();
    for name in ["name", "email", "currency", "processedAt", "note"] {
        if let Some(value) = field(name) {
            let value = value.as_str().ok_or_else(|| bad_field(name, "must be a text"))?;
            order.insert(name.to_owned(), value.into());
        }
    }
    if let Some(tags) = field("tags") {
        order.insert("tags".to_owned(), tags.clone());
    }
    if let Some(status) = field("financialStatus") {
        order.insert("financialStatus".to_owned(), status.clone());
    }
    match field("fulfillmentStatus").and_then(Value::as_str) {
        Some("FULFILLED") => drop(order.insert("fulfillmentStatus".to_owned(), "FULFILLED".into())),
        Some("PARTIALLY_FULFILLED") => drop(order.insert("fulfillmentStatus".to_owned(), "PARTIAL".into())),
        // An order that nothing was shipped of yet has no such status in the input.
        _ => {}
    }
    if let Some(address) = field("shippingAddress") {
        order.insert("shippingAddress".to_owned(), address_input(address)?);
    }
    let lines = field("lines").and_then(Value::as_array).filter(|lines| !lines.is_empty());
    let lines = lines.ok_or_else(|| bad_field("lines", "an order needs at least one"))?;
    let currency = field("currency").and_then(Value::as_str);
    let lines = lines.iter().map(|line| line_input(line, currency)).collect::<Result<Vec<_>>>()?;
    order.insert("lineItems".to_owned(), lines.into());
    let key =
        json!([{ "namespace": KEY_NAMESPACE, "key": KEY_NAME, "type": "id", "value": write.external_key }]);
    order.insert("metafields".to_owned(), key);
    Ok(Value::Object(order))
}

fn line_input(line: &Value, currency: Option<&str>) -> Result<Value> {
    let fields = line.as_object().ok_or_else(|| bad_field("lines", "each must be an object"))?;
    only(fields, &["sku", "title", "quantity", "price"])?;
    let quantity = fields.get("quantity").and_then(read::integer).filter(|quantity| *quantity > 0);
    let quantity =
        quantity.ok_or_else(|| bad_field("lines.quantity", "must be a whole number above zero"))?;
    let sku = fields.get("sku").and_then(Value::as_str);
    let title = fields.get("title").and_then(Value::as_str).filter(|title| !title.is_empty()).or(sku);
    let title = title.ok_or_else(|| bad_field("lines", "each needs a `title` or a `sku`"))?;
    let mut input = Fields::new();
    input.insert("title".to_owned(), title.into());
    input.insert("quantity".to_owned(), quantity.into());
    if let Some(sku) = sku {
        input.insert("sku".to_owned(), sku.into());
    }
    if let Some(price) = fields.get("price").filter(|price| !price.is_null()) {
        let amount = read::money(price).ok_or_else(|| bad_field("lines.price", "must be an amount"))?;
        let currency = currency.ok_or_else(|| bad_field("currency", "is needed where lines have prices"))?;
        let money = json!({ "shopMoney": { "amount": amount, "currencyCode": currency } });
        input.insert("priceSet".to_owned(), money);
    }
    Ok(Value::Object(input))
}

/// Shopify shows one name and takes two: the last word is the last name.
fn address_input(address: &Value) -> Result<Value> {
    let fields = address.as_object().ok_or_else(|| bad_field("shippingAddress", "must be an object"))?;
    only(fields, &ADDRESS)?;
    let mut input = Fields::new();
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("name", Value::String(full)) => {
                let (first, last) = full.trim().rsplit_once(' ').unwrap_or(("", full.trim()));
                input.insert("firstName".to_owned(), first.into());
                input.insert("lastName".to_owned(), last.into());
            }
            ("name" | "country" | "province", Value::Null) => {}
            ("country", Value::String(code)) => {
                drop(input.insert("countryCode".to_owned(), code.clone().into()));
            }
            ("province", Value::String(province)) => {
                let is_code = province.len() <= 3
                    && province.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
                let name = if is_code { "provinceCode" } else { "province" };
                input.insert(name.to_owned(), province.clone().into());
            }
            (_, Value::String(_) | Value::Null) => drop(input.insert(name.clone(), value.clone())),
            _ => return Err(bad_field(&format!("shippingAddress.{name}"), "must be a text")),
        }
    }
    Ok(Value::Object(input))
}

fn update_input(write: &Write) -> Result<Value> {
    let fixed = write
        .fields
        .keys()
        .find(|name| CREATABLE.contains(&name.as_str()) && !CHANGEABLE.contains(&name.as_str()));
    if let Some(name) = fixed {
        return Err(bad_field(name, "Shopify does not let this be changed once the order is made"));
    }
    only(&write.fields, &CHANGEABLE)?;
    let id = write.id.clone().ok_or_else(|| Error::new(ErrorKind::NotFound, "the order has no id"))?;
    let mut input = Fields::new();
    input.insert("id".to_owned(), id.into());
    for (name, value) in &write.fields {
        let value = if name == "shippingAddress" { address_input(value)? } else { value.clone() };
        input.insert(name.clone(), value);
    }
    Ok(Value::Object(input))
}
