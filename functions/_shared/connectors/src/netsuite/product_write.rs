//! Writing products: one record for the product and one for each child, the product first.

use super::failure::{bad_field, only};
use super::site::{Setup, Site};
use super::suiteql::{self, Row, Statement, ids, required, text};
use super::upsert::{self, Check, Kind, Piece, Task};
use crate::{Error, ErrorKind, Exchange, Outcome, Result, Step, Write, read};
use domain::{Fields, Value, canon, hash};
use http::Method;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

/// Products in one write: without children they fill half a batch, with one child each a whole one.
pub(super) const AT_ONCE: usize = 50;

const PATH: &str = "/services/rest/record/v1/inventoryItem";
const FIELDS: [&str; 10] = [
    "itemId",
    "displayName",
    "storeDetailedDescription",
    "isInactive",
    "manufacturer",
    "category",
    "tags",
    "images",
    "options",
    "children",
];
const CHILD_FIELDS: [&str; 6] = ["itemId", "upcCode", "price", "compareAtPrice", "options", "prices"];

/// What the writes refer to by internal id.
#[derive(Default)]
struct Known {
    /// Currencies by ISO code.
    currencies: HashMap<String, String>,
    /// The children that the products have now, also those switched off.
    children: Vec<Row>,
}

/// Creates and changes products, after looking up what they refer to.
pub(super) fn write(site: &Site, writes: &[Write]) -> Result<Exchange<Vec<Outcome>>> {
    if writes.len() > AT_ONCE {
        return Err(Error::unexpected(format!("{} products were to be written at once; {AT_ONCE} are possible", writes.len())));
    }
    let writes: Arc<[Write]> = writes.into();
    match start(site, &writes)? {
        Step::Next { exchange, .. } => Ok(exchange),
        Step::Done(outcomes) => {
            let first = outcomes.into_iter().find_map(Result::err);
            Err(first.unwrap_or_else(|| Error::unexpected("there is nothing to write")))
        }
    }
}

fn start(site: &Site, writes: &Arc<[Write]>) -> Result<Step<Vec<Outcome>>> {
    let parents: Vec<String> = writes
        .iter()
        .filter(|write| write.fields.contains_key("children"))
        .filter_map(|write| write.id.clone())
        .collect();
    if parents.is_empty() {
        return with_currencies(site, writes, Vec::new());
    }
    let writes = Arc::clone(writes);
    let statement = Statement::new(include_str!("children.suiteql")).list("ids", ids(&parents));
    suiteql::then_all(site, statement, move |site, rows| with_currencies(site, &writes, rows))
}

fn with_currencies(site: &Site, writes: &Arc<[Write]>, children: Vec<Row>) -> Result<Step<Vec<Outcome>>> {
    let has_prices = |child: &Value| child.get("prices").and_then(Value::as_object).is_some_and(|prices| !prices.is_empty());
    let children_of = |write: &Write| write.fields.get("children").and_then(Value::as_array).cloned().unwrap_or_default();
    if !writes.iter().any(|write| children_of(write).iter().any(has_prices)) {
        return prepare(site, writes, &Known { children, ..Known::default() });
    }
    let writes = Arc::clone(writes);
    suiteql::then_all(site, Statement::new(include_str!("currencies.suiteql")), move |site, rows| {
        let currencies = currencies(&rows)?;
        prepare(site, &writes, &Known { currencies, children: children.clone() })
    })
}

/// Currencies by ISO code.
pub(super) fn currencies(rows: &[Row]) -> Result<HashMap<String, String>> {
    rows.iter().map(|row| Ok((required(row, "symbol")?, required(row, "id")?))).collect()
}

fn prepare(site: &Site, writes: &Arc<[Write]>, known: &Known) -> Result<Step<Vec<Outcome>>> {
    let (mut refused, mut pieces) = (Vec::new(), Vec::new());
    for (at, write) in writes.iter().enumerate() {
        match product(site, at, write, known) {
            Ok(more) => {
                pieces.extend(more);
                refused.push(None);
            }
            Err(error) => refused.push(Some(error)),
        }
    }
    if refused.iter().all(Option::is_some) {
        return Ok(Step::Done(refused.into_iter().flatten().map(Err).collect()));
    }
    upsert::send(site, Task { kind: Kind::Product, writes: Arc::clone(writes), refused, pieces })
}

fn product(site: &Setup, at: usize, write: &Write, known: &Known) -> Result<Vec<Piece>> {
    only(&write.fields, &FIELDS)?;
    let mut pieces = Vec::new();
    let mut written = write.fields.clone();
    let children = written.remove("children");
    if write.id.is_none() || !written.is_empty() {
        let mut body = if write.id.is_none() { site.item_defaults.clone() } else { Fields::new() };
        for (name, value) in &written {
            let (name, value) = item_field(site, name, value)?;
            body.insert(name, value);
        }
        let method = identify(&mut body, write.id.as_deref(), &write.external_key)?;
        let (path, body, check) = (PATH, Value::Object(body), Check::Fields(written));
        pieces.push(Piece { write: at, label: "the product".to_owned(), method, path, body, check });
    }
    if let Some(children) = children {
        let list = children.as_array().ok_or_else(|| bad_field("children", "must be a list"))?;
        pieces.extend(family(site, at, write, list, known)?);
    }
    Ok(pieces)
}

/// Gives a record its id, or the external key that makes repeating it harmless.
fn identify(body: &mut Fields, id: Option<&str>, key: &str) -> Result<Method> {
    if let Some(id) = id {
        if id.parse::<u64>().is_err() {
            return Err(Error::new(ErrorKind::NotFound, "NetSuite has no record with such an id"));
        }
        body.insert("id".to_owned(), id.into());
        return Ok(Method::PATCH);
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if key.is_empty() || !key.bytes().all(plain) {
        return Err(Error::unexpected("an external key is made of letters, digits, `_` and `-`"));
    }
    body.insert("externalId".to_owned(), key.into());
    Ok(Method::PUT)
}

fn item_field(site: &Setup, name: &str, value: &Value) -> Result<(String, Value)> {
    let text = || match value {
        Value::String(_) | Value::Null => Ok(value.clone()),
        _ => Err(bad_field(name, "must be a text")),
    };
    Ok(match name {
        "isInactive" if value.is_boolean() => (name.to_owned(), value.clone()),
        "isInactive" => return Err(bad_field(name, "must be true or false")),
        "category" => (site.custom.category.clone(), text()?),
        "tags" => (site.custom.tags.clone(), as_json(name, value)?),
        "images" => (site.custom.images.clone(), as_json(name, value)?),
        "options" => (site.custom.options.clone(), as_json(name, value)?),
        _ => (name.to_owned(), text()?),
    })
}

/// Lists and objects are kept as JSON in a text field.
fn as_json(name: &str, value: &Value) -> Result<Value> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::Array(_) | Value::Object(_) => Ok(value.to_string().into()),
        _ => Err(bad_field(name, "must be a list or an object")),
    }
}

/// The children: those that exist are changed, new ones are made, and those left out are switched off, because
/// transactions may name them.
fn family(site: &Setup, at: usize, write: &Write, list: &[Value], known: &Known) -> Result<Vec<Piece>> {
    let id = write.id.as_deref();
    let rows: Vec<&Row> =
        known.children.iter().filter(|row| id.is_some() && text(row, "product").as_deref() == id).collect();
    if id.is_some() && rows.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, "NetSuite no longer has the product"));
    }
    let key = match id {
        None => write.external_key.clone(),
        Some(id) => rows.iter().find_map(|row| text(row, "externalid")).unwrap_or_else(|| format!("item-{id}")),
    };
    let parent = id.map_or_else(|| json!({ "externalId": key }), |id| json!({ "id": id }));
    let mut pieces = Vec::new();
    let mut named: Vec<&str> = Vec::new();
    for child in list {
        let fields = child.as_object().ok_or_else(|| bad_field("children", "each must be an object"))?;
        only(fields, &CHILD_FIELDS)?;
        let item_id = fields.get("itemId").and_then(Value::as_str).filter(|item_id| !item_id.trim().is_empty());
        let item_id = item_id.ok_or_else(|| bad_field("children.itemId", "each child needs one"))?;
        if named.contains(&item_id) {
            return Err(bad_field("children.itemId", &format!("`{}` stands there twice", read::excerpt(item_id))));
        }
        named.push(item_id);
        let there = rows.iter().find(|row| text(row, "itemid").as_deref() == Some(item_id));
        let there = there.and_then(|row| text(row, "item"));
        let before = there.as_ref().and_then(|_| current_child(&write.current, item_id));
        let written: Fields = fields.iter().filter(|(name, value)| differs(before, name, value)).map(clone).collect();
        if there.is_some() && before.is_some() && written.is_empty() {
            continue;
        }
        let mut body = child_body(site, &written, known)?;
        match &there {
            Some(_) if before.is_none() => drop(body.insert("isInactive".to_owned(), false.into())),
            Some(_) => {}
            None => {
                body.insert("parent".to_owned(), parent.clone());
                let defaults = site.item_defaults.iter().map(clone);
                body = defaults.chain(body).collect();
            }
        }
        let method = identify(&mut body, there.as_deref(), &child_key(&key, item_id))?;
        let (label, check) = (label(item_id), Check::Child(item_id.to_owned(), written));
        pieces.push(Piece { write: at, label, method, path: PATH, body: body.into(), check });
    }
    for row in rows {
        let (Some(item), Some(item_id)) = (text(row, "item"), text(row, "itemid")) else { continue };
        if !named.contains(&item_id.as_str()) && current_child(&write.current, &item_id).is_some() {
            let body = json!({ "id": item, "isInactive": true });
            let (label, check) = (label(&item_id), Check::NoChild(item_id));
            pieces.push(Piece { write: at, label, method: Method::PATCH, path: PATH, body, check });
        }
    }
    Ok(pieces)
}

fn clone((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

fn label(item_id: &str) -> String {
    format!("the child `{}`", read::excerpt(item_id))
}

/// The external key of a child: its parent's, and ten digits of the hash of its SKU.
pub(super) fn child_key(parent: &str, item_id: &str) -> String {
    format!("{parent}-{}", hash::bytes(item_id.as_bytes()).chars().take(10).collect::<String>())
}

fn current_child<'a>(current: &'a Fields, item_id: &str) -> Option<&'a Fields> {
    let children = current.get("children")?.as_array()?;
    children.iter().filter_map(Value::as_object).find(|child| child.get("itemId").and_then(Value::as_str) == Some(item_id))
}

fn differs(before: Option<&Fields>, name: &str, value: &Value) -> bool {
    before.is_none_or(|before| !canon::equal(before.get(name).unwrap_or(&Value::Null), value))
}

fn child_body(site: &Setup, fields: &Fields, known: &Known) -> Result<Fields> {
    let mut body = Fields::new();
    let mut prices = Vec::new();
    for (name, value) in fields {
        match name.as_str() {
            "price" => prices.push(price(site, &site.base_currency.to_string(), value)?),
            "prices" => {
                let none = Fields::new();
                let given = if value.is_null() { Some(&none) } else { value.as_object() };
                let given = given.ok_or_else(|| bad_field("children.prices", "must be an object of currency and amount"))?;
                for (symbol, amount) in given {
                    let currency = known.currencies.get(symbol).ok_or_else(|| {
                        bad_field("children.prices", &format!("NetSuite has no currency `{}`", read::excerpt(symbol)))
                    })?;
                    prices.push(price(site, currency, amount)?);
                }
            }
            "compareAtPrice" => {
                drop(body.insert(site.custom.compare_at_price.clone(), amount("children.compareAtPrice", value)?));
            }
            "options" => drop(body.insert(site.custom.options.clone(), as_json("children.options", value)?)),
            _ if value.is_string() || value.is_null() => drop(body.insert(name.clone(), value.clone())),
            _ => return Err(bad_field(&format!("children.{name}"), "must be a text")),
        }
    }
    if !prices.is_empty() {
        body.insert("price".to_owned(), json!({ "items": prices }));
    }
    Ok(body)
}

/// A line of the pricing matrix
/// (<https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_159531460854.html>).
fn price(site: &Setup, currency: &str, value: &Value) -> Result<Value> {
    Ok(json!({
        "currencyPage": { "id": currency },
        "priceLevel": { "id": site.price_level.to_string() },
        "quantity": { "value": 0 },
        "price": amount("children.price", value)?,
    }))
}

/// An amount as a number with its digits kept.
pub(super) fn amount(name: &str, value: &Value) -> Result<Value> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let digits = read::money(value).and_then(|digits| digits.parse::<serde_json::Number>().ok());
    digits.map(Value::Number).ok_or_else(|| bad_field(name, "must be an amount"))
}
