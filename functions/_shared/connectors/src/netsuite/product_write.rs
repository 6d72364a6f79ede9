//! Writing products: one record for the product and one for each child, the product first.

use super::children::family;
use super::failure::{bad_field, only};
use super::site::{Setup, Site};
use super::suiteql::{self, Row, Statement, ids, required};
use super::upsert::{self, Check, Kind, Piece, Task};
use crate::{Error, ErrorKind, Exchange, Outcome, Result, Step, Write};
use domain::{Fields, Value};
use http::Method;
use std::collections::HashMap;
use std::sync::Arc;

/// Products in one write: without children they fill half a batch, with one child each a whole one.
pub(super) const AT_ONCE: usize = 50;

pub(super) const PATH: &str = "/services/rest/record/v1/inventoryItem";
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

/// What the writes refer to by internal id.
#[derive(Default)]
pub(super) struct Known {
    /// Currencies by ISO code.
    pub(super) currencies: HashMap<String, String>,
    /// The children that the products have now, also those switched off.
    pub(super) children: Vec<Row>,
}

/// Creates and changes products, after looking up what they refer to.
pub(super) fn write(site: &Site, writes: &[Write]) -> Result<Exchange<Vec<Outcome>>> {
    if writes.len() > AT_ONCE {
        return Err(Error::unexpected(format!(
            "{} products were to be written at once; {AT_ONCE} are possible",
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
    let has_prices = |child: &Value| {
        child.get("prices").and_then(Value::as_object).is_some_and(|prices| !prices.is_empty())
    };
    let children_of =
        |write: &Write| write.fields.get("children").and_then(Value::as_array).cloned().unwrap_or_default();
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
pub(super) fn identify(body: &mut Fields, id: Option<&str>, key: &str) -> Result<Method> {
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
pub(super) fn as_json(name: &str, value: &Value) -> Result<Value> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::Array(_) | Value::Object(_) => Ok(value.to_string().into()),
        _ => Err(bad_field(name, "must be a list or an object")),
    }
}
