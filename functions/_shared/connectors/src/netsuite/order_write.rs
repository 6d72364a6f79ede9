//! Writing sales orders: items and currencies by name, then upserts by external key.

use super::children::amount;
use super::failure::{bad_field, only};
use super::product_write::currencies;
use super::site::{Setup, Site};
use super::suiteql::{self, Statement, required, texts};
use super::upsert::{self, Check, Kind, Piece, Task};
use crate::{Error, ErrorKind, Exchange, Outcome, Result, Step, Write, read};
use domain::{Fields, Value};
use http::Method;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

/// Orders in one write: one batch.
pub(super) const AT_ONCE: usize = 100;

const PATH: &str = "/services/rest/record/v1/salesOrder";
/// The lines given are all lines; without this NetSuite adds them to those that are there, also when a create is repeated.
const PATH_WITH_LINES: &str = "/services/rest/record/v1/salesOrder?replace=item";

const FIELDS: [&str; 9] =
    ["otherRefNum", "email", "currency", "tranDate", "memo", "status", "total", "lines", "shippingAddress"];
/// What follows from other things and is not written.
const DERIVED: [&str; 2] = ["status", "total"];
const LINE_FIELDS: [&str; 4] = ["itemId", "description", "quantity", "rate"];
/// Our name for a part of the address, and NetSuite's.
const ADDRESS: [(&str, &str); 8] = [
    ("addressee", "addressee"),
    ("addr1", "addr1"),
    ("addr2", "addr2"),
    ("city", "city"),
    ("zip", "zip"),
    ("state", "state"),
    ("country", "country"),
    ("phone", "addrPhone"),
];

/// Internal ids by name.
#[derive(Default)]
struct Known {
    items: HashMap<String, String>,
    currencies: HashMap<String, String>,
}

/// Creates and changes sales orders.
pub(super) fn write(site: &Site, writes: &[Write]) -> Result<Exchange<Vec<Outcome>>> {
    if writes.len() > AT_ONCE {
        return Err(Error::unexpected(format!(
            "{} orders were to be written at once; {AT_ONCE} are possible",
            writes.len()
        )));
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
    let mut names: Vec<String> = writes
        .iter()
        .flat_map(|write| write.fields.get("lines").and_then(Value::as_array).into_iter().flatten())
        .filter_map(|line| line.get("itemId").and_then(Value::as_str).map(str::to_owned))
        .collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        return with_currencies(site, writes, HashMap::new());
    }
    // An `in` list takes 1,000 values.
    if names.len() > 1_000 {
        return Err(Error::new(
            ErrorKind::Rejected,
            "these orders name more than 1,000 items; write fewer at once",
        ));
    }
    let writes = Arc::clone(writes);
    let statement = Statement::new(include_str!("items_by_item_id.suiteql")).list("values", texts(&names));
    suiteql::then_all(site, statement, move |site, rows| {
        let items = rows
            .iter()
            .map(|row| Ok((required(row, "itemid")?, required(row, "id")?)))
            .collect::<Result<_>>()?;
        with_currencies(site, &writes, items)
    })
}

fn with_currencies(
    site: &Site,
    writes: &Arc<[Write]>,
    items: HashMap<String, String>,
) -> Result<Step<Vec<Outcome>>> {
    if !writes.iter().any(|write| write.fields.get("currency").is_some_and(Value::is_string)) {
        return prepare(site, writes, &Known { items, ..Known::default() });
    }
    let writes = Arc::clone(writes);
    suiteql::then_all(site, Statement::new(include_str!("currencies.suiteql")), move |site, rows| {
        prepare(site, &writes, &Known { items: items.clone(), currencies: currencies(&rows)? })
    })
}

fn prepare(site: &Site, writes: &Arc<[Write]>, known: &Known) -> Result<Step<Vec<Outcome>>> {
    let (mut refused, mut pieces) = (Vec::new(), Vec::new());
    for (at, write) in writes.iter().enumerate() {
        match order(site, at, write, known) {
            Ok(piece) => {
                pieces.push(piece);
                refused.push(None);
            }
            Err(error) => refused.push(Some(error)),
        }
    }
    if refused.iter().all(Option::is_some) {
        return Ok(Step::Done(refused.into_iter().flatten().map(Err).collect()));
    }
    upsert::send(site, Task { kind: Kind::Order, writes: Arc::clone(writes), refused, pieces })
}

fn order(site: &Setup, at: usize, write: &Write, known: &Known) -> Result<Piece> {
    only(&write.fields, &FIELDS)?;
    if write.id.is_some()
        && let Some(name) = write.fields.keys().find(|name| DERIVED.contains(&name.as_str()))
    {
        return Err(bad_field(name, "NetSuite works this out itself"));
    }
    let mut body = Fields::new();
    let mut written = Fields::new();
    for (name, value) in write.fields.iter().filter(|(name, _)| !DERIVED.contains(&name.as_str())) {
        written.insert(name.clone(), value.clone());
        match name.as_str() {
            "lines" => drop(body.insert("item".to_owned(), lines(value, known)?)),
            "shippingAddress" => drop(body.insert(name.clone(), address(value)?)),
            "currency" => drop(body.insert(name.clone(), currency(value, known)?)),
            _ if value.is_string() || value.is_null() => drop(body.insert(name.clone(), value.clone())),
            _ => return Err(bad_field(name, "must be a text")),
        }
    }
    let method = if let Some(id) = &write.id {
        body.insert("id".to_owned(), id.clone().into());
        Method::PATCH
    } else {
        let customer = site.customer.as_deref().ok_or_else(|| {
            bad_field("entity", "set `default_customer_id`: NetSuite takes no order without a customer")
        })?;
        body.insert("entity".to_owned(), json!({ "id": customer }));
        body.insert("externalId".to_owned(), write.external_key.clone().into());
        Method::PUT
    };
    let path = if body.contains_key("item") { PATH_WITH_LINES } else { PATH };
    let label = "the order".to_owned();
    Ok(Piece { write: at, label, method, path, body: body.into(), check: Check::Fields(written) })
}

fn currency(value: &Value, known: &Known) -> Result<Value> {
    let code = value.as_str().unwrap_or_default();
    let id = known.currencies.get(code);
    let id = id.ok_or_else(|| {
        bad_field("currency", &format!("NetSuite has no currency `{}`", read::excerpt(code)))
    })?;
    Ok(json!({ "id": id }))
}

fn lines(value: &Value, known: &Known) -> Result<Value> {
    let lines = value.as_array().filter(|lines| !lines.is_empty());
    let lines = lines.ok_or_else(|| bad_field("lines", "an order needs at least one"))?;
    let line = |line: &Value| -> Result<Value> {
        let fields = line.as_object().ok_or_else(|| bad_field("lines", "each must be an object"))?;
        only(fields, &LINE_FIELDS)?;
        let name = fields.get("itemId").and_then(Value::as_str).unwrap_or_default();
        let item = known.items.get(name);
        let item = item.ok_or_else(|| {
            bad_field("lines.itemId", &format!("NetSuite has no item `{}`", read::excerpt(name)))
        })?;
        let mut input = Fields::new();
        input.insert("item".to_owned(), json!({ "id": item }));
        for name in ["quantity", "rate"] {
            if let Some(value) = fields.get(name).filter(|value| !value.is_null()) {
                input.insert(name.to_owned(), amount(&format!("lines.{name}"), value)?);
            }
        }
        if let Some(text) = fields.get("description").filter(|text| text.is_string()) {
            input.insert("description".to_owned(), text.clone());
        }
        Ok(input.into())
    };
    Ok(json!({ "items": lines.iter().map(line).collect::<Result<Vec<_>>>()? }))
}

fn address(value: &Value) -> Result<Value> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let fields = value.as_object().ok_or_else(|| bad_field("shippingAddress", "must be an object"))?;
    let mut input = Fields::new();
    for (name, value) in fields {
        let known = ADDRESS.iter().find(|(ours, _)| ours == name);
        let (_, theirs) =
            known.ok_or_else(|| bad_field("shippingAddress", "has a field that NetSuite does not have"))?;
        let value = match (*theirs, value) {
            (_, Value::Null) => Value::Null,
            ("country", Value::String(code)) => json!({ "id": code }),
            (_, Value::String(_)) => value.clone(),
            _ => return Err(bad_field(&format!("shippingAddress.{name}"), "must be a text")),
        };
        input.insert((*theirs).to_owned(), value);
    }
    Ok(input.into())
}
