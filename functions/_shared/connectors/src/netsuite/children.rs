//! The children of a product: one record each.

use super::failure::{bad_field, only};
use super::product_write::{Known, PATH, as_json, identify};
use super::site::Setup;
use super::suiteql::{Row, text};
use super::upsert::{Check, Piece};
use crate::{Error, ErrorKind, Result, Write, read};
use domain::{Fields, Value, canon, hash};
use http::Method;
use serde_json::json;

const CHILD_FIELDS: [&str; 6] = ["itemId", "upcCode", "price", "compareAtPrice", "options", "prices"];

/// The children: those that exist are changed, new ones are made, and those left out are switched off, because
/// transactions may name them.
pub(super) fn family(
    site: &Setup,
    at: usize,
    write: &Write,
    list: &[Value],
    known: &Known,
) -> Result<Vec<Piece>> {
    let id = write.id.as_deref();
    let rows: Vec<&Row> =
        known.children.iter().filter(|row| id.is_some() && text(row, "product").as_deref() == id).collect();
    if id.is_some() && rows.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, "NetSuite no longer has the product"));
    }
    let key = match id {
        None => write.external_key.clone(),
        Some(id) => {
            rows.iter().find_map(|row| text(row, "externalid")).unwrap_or_else(|| format!("item-{id}"))
        }
    };
    let parent = id.map_or_else(|| json!({ "externalId": key }), |id| json!({ "id": id }));
    let mut pieces = Vec::new();
    let mut named: Vec<&str> = Vec::new();
    for child in list {
        let fields = child.as_object().ok_or_else(|| bad_field("children", "each must be an object"))?;
        only(fields, &CHILD_FIELDS)?;
        let item_id =
            fields.get("itemId").and_then(Value::as_str).filter(|item_id| !item_id.trim().is_empty());
        let item_id = item_id.ok_or_else(|| bad_field("children.itemId", "each child needs one"))?;
        if named.contains(&item_id) {
            return Err(bad_field(
                "children.itemId",
                &format!("`{}` stands there twice", read::excerpt(item_id)),
            ));
        }
        named.push(item_id);
        let there = rows.iter().find(|row| text(row, "itemid").as_deref() == Some(item_id));
        let there = there.and_then(|row| text(row, "item"));
        let before = there.as_ref().and_then(|_| current_child(&write.current, item_id));
        let written: Fields =
            fields.iter().filter(|(name, value)| differs(before, name, value)).map(clone).collect();
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
    children
        .iter()
        .filter_map(Value::as_object)
        .find(|child| child.get("itemId").and_then(Value::as_str) == Some(item_id))
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
                let given = given.ok_or_else(|| {
                    bad_field("children.prices", "must be an object of currency and amount")
                })?;
                for (symbol, amount) in given {
                    let currency = known.currencies.get(symbol).ok_or_else(|| {
                        bad_field(
                            "children.prices",
                            &format!("NetSuite has no currency `{}`", read::excerpt(symbol)),
                        )
                    })?;
                    prices.push(price(site, currency, amount)?);
                }
            }
            "compareAtPrice" => {
                drop(
                    body.insert(
                        site.custom.compare_at_price.clone(),
                        amount("children.compareAtPrice", value)?,
                    ),
                );
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
