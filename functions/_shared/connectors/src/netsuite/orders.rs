//! Sales orders: their heads and their lines, read apart, and the neutral record of both.

use super::products::{named, without_comment};
use super::site::{Setup, Site};
use super::suiteql::{self, Row, Shown, Statement, amount, count, ids, nullable, required, text, texts};
use crate::{Error, Exchange, Key, Result, Step};
use domain::{Record, Value};
use serde_json::Map;
use std::collections::HashMap;

/// Ids or keys in one read.
pub(super) const READ: usize = 200;

/// Our name for a part of the address, and NetSuite's column.
const ADDRESS: [&str; 8] = ["addressee", "addr1", "addr2", "city", "zip", "state", "country", "phone"];

/// Fills in what all statements about orders share.
pub(super) fn filled(file: &str) -> Statement {
    Statement::new(file).with("columns", without_comment(include_str!("order_columns.suiteql")))
}

/// The orders with these ids.
pub(super) fn get(site: &Site, wanted: &[String]) -> Result<Exchange<Vec<Record>>> {
    read(site, filled(include_str!("orders_by_id.suiteql")).list("ids", ids(wanted)))
}

/// The orders that carry one of these values.
pub(super) fn find(site: &Site, key: &Key) -> Result<Exchange<Vec<Record>>> {
    match key {
        Key::External(keys) => {
            read(site, filled(include_str!("orders_by_key.suiteql")).list("keys", texts(keys)))
        }
        Key::Field { name, values } if name == "otherRefNum" => {
            read(site, filled(include_str!("orders_by_reference.suiteql")).list("values", texts(values)))
        }
        Key::Field { name, .. } => {
            Err(Error::unsupported(format!("NetSuite's orders cannot be found by `{name}`")))
        }
    }
}

fn read(site: &Site, statement: Statement) -> Result<Exchange<Vec<Record>>> {
    suiteql::all(site, statement, |site, heads| {
        with_lines(site, heads, |orders| {
            Ok(Step::Done(orders.into_iter().map(|order| order.record).collect()))
        })
    })
}

/// The statement that shows orders after they were written, by id or external key.
pub(super) fn written(by_id: &[String], by_key: &[String]) -> Statement {
    filled(include_str!("orders_written.suiteql")).list("ids", ids(by_id)).list("keys", texts(by_key))
}

/// Reads the lines that belong to these heads and goes on with the orders.
pub(super) fn with_lines<T: 'static>(
    site: &Site,
    heads: Vec<Row>,
    then: impl Fn(Vec<Shown>) -> Result<Step<T>> + Send + Sync + 'static,
) -> Result<Step<T>> {
    let wanted = heads.iter().map(|head| required(head, "id")).collect::<Result<Vec<_>>>()?;
    if wanted.is_empty() {
        return then(Vec::new());
    }
    let statement = Statement::new(include_str!("order_lines.suiteql")).list("ids", ids(&wanted));
    suiteql::then_all(site, statement, move |site, lines| {
        let mut by_order: HashMap<String, Vec<Value>> = HashMap::new();
        for row in &lines {
            by_order.entry(required(row, "id")?).or_default().push(line(row)?);
        }
        let orders = heads.iter().map(|head| order(site, head, &mut by_order)).collect::<Result<Vec<_>>>()?;
        then(orders)
    })
}

fn order(site: &Setup, head: &Row, lines: &mut HashMap<String, Vec<Value>>) -> Result<Shown> {
    let id = required(head, "id")?;
    let modified = required(head, "modified")?;
    let address: Map<String, Value> =
        ADDRESS.iter().map(|name| ((*name).to_owned(), nullable(head, name))).collect();
    let has_address = address.values().any(|part| !part.is_null());
    let fields = named([
        ("otherRefNum", nullable(head, "otherrefnum")),
        ("email", nullable(head, "email")),
        ("currency", nullable(head, "currency")),
        ("tranDate", nullable(head, "trandate")),
        ("memo", nullable(head, "memo")),
        ("status", nullable(head, "status")),
        ("total", amount(head, "total")?),
        ("lines", lines.remove(&id).unwrap_or_default().into()),
        ("shippingAddress", if has_address { address.into() } else { Value::Null }),
    ]);
    let modified_at = Some(site.instant(&modified)?);
    let record = Record { id, fields, modified_at, version: Some(modified), deleted: false };
    Ok(Shown { external_key: text(head, "externalid"), record })
}

fn line(row: &Row) -> Result<Value> {
    let quantity = if row.contains_key("quantity") { count(row, "quantity")? } else { Value::Null };
    let fields = [
        ("itemId", nullable(row, "itemid")),
        ("description", nullable(row, "description")),
        ("quantity", quantity),
        ("rate", amount(row, "rate")?),
    ];
    Ok(named(fields).into())
}
