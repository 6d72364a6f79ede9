//! Products: rows of items and prices, and the neutral record that several of them make.

use super::site::{Setup, Site};
use super::suiteql::{
    self, Row, Shown, Statement, amount, embedded, flag, ids, nullable, required, text, texts,
};
use crate::{Error, Exchange, Key, Result, Step, read};
use domain::{Fields, Record, Value};
use serde_json::json;

/// Ids or keys in one read: with four children each, a little more than one page of rows.
pub(super) const READ: usize = 250;

/// A statement about products by its file.
fn statement(site: &Setup, file: &str) -> Statement {
    filled(site, Statement::new(file))
}

/// Fills in what all statements about products share, and binds the price level.
pub(super) fn filled(site: &Setup, statement: Statement) -> Statement {
    let custom = &site.custom;
    statement
        .with("columns", without_comment(include_str!("product_columns.suiteql")))
        .with("tables", without_comment(include_str!("product_tables.suiteql")))
        .with("category", &custom.category)
        .with("tags", &custom.tags)
        .with("images", &custom.images)
        .with("options", &custom.options)
        .with("compare_at_price", &custom.compare_at_price)
        .bind([site.price_level.into()])
}

/// A part of a statement, without the line that says what it is.
pub(super) fn without_comment(file: &'static str) -> &'static str {
    file.split_once('\n').map_or(file, |(_, rest)| rest).trim_end()
}

/// The products with these ids.
pub(super) fn get(site: &Site, wanted: &[String]) -> Result<Exchange<Vec<Record>>> {
    records(site, statement(site, include_str!("products_by_id.suiteql")).list("ids", ids(wanted)))
}

/// The products that carry one of these values.
pub(super) fn find(site: &Site, key: &Key) -> Result<Exchange<Vec<Record>>> {
    match key {
        Key::External(keys) => {
            records(site, statement(site, include_str!("products_by_key.suiteql")).list("keys", texts(keys)))
        }
        Key::Field { name, values } if name == "itemId" => records(
            site,
            statement(site, include_str!("products_by_item_id.suiteql")).list("values", texts(values)),
        ),
        Key::Field { name, values } if name == "children[].itemId" => records(
            site,
            statement(site, include_str!("products_by_child.suiteql")).list("values", texts(values)),
        ),
        Key::Field { name, .. } => {
            Err(Error::unsupported(format!("NetSuite's products cannot be found by `{name}`")))
        }
    }
}

fn records(site: &Site, statement: Statement) -> Result<Exchange<Vec<Record>>> {
    suiteql::all(site, statement, |site, rows| {
        Ok(Step::Done(collect(site, &rows)?.into_iter().map(|product| product.record).collect()))
    })
}

/// The statement that shows products after they were written, by id or external key.
pub(super) fn written(site: &Setup, by_id: &[String], by_key: &[String]) -> Statement {
    statement(site, include_str!("products_written.suiteql"))
        .list("ids", ids(by_id))
        .list("keys", texts(by_key))
}

/// The products that these rows make, in the rows' order.
pub(super) fn collect(site: &Setup, rows: &[Row]) -> Result<Vec<Shown>> {
    let mut products = Vec::new();
    for rows in groups(rows, "product")? {
        products.push(product(site, rows)?);
    }
    Ok(products)
}

/// Neighbouring rows that have the same value in a column.
pub(super) fn groups<'a>(rows: &'a [Row], column: &str) -> Result<Vec<&'a [Row]>> {
    for row in rows {
        required(row, column)?;
    }
    Ok(rows.chunk_by(|left, right| text(left, column) == text(right, column)).collect())
}

fn product(site: &Setup, rows: &[Row]) -> Result<Shown> {
    let items = groups(rows, "item")?;
    let is_parent =
        |rows: &&&[Row]| rows.first().is_some_and(|row| text(row, "item") == text(row, "product"));
    let parent = items.iter().find(is_parent).and_then(|rows| rows.first());
    let parent =
        parent.ok_or_else(|| Error::unexpected("NetSuite's answer shows children without their parent"))?;
    let mut children = Vec::new();
    for rows in items.iter().filter(|rows| !is_parent(rows)) {
        // A child that is switched off is not sold; it stays in NetSuite because transactions name it.
        if let Some(first) = rows.first()
            && !flag(first, "isinactive")?
        {
            children.push(child(site, first, rows)?);
        }
    }
    // NetSuite writes times so that their order is that of their texts.
    let newest =
        rows.iter().map(|row| required(row, "modified")).collect::<Result<Vec<_>>>()?.into_iter().max();
    let modified_at = newest.as_deref().map(|time| site.instant(time)).transpose()?;
    let fields = [
        ("itemId", nullable(parent, "itemid")),
        ("displayName", nullable(parent, "displayname")),
        ("storeDetailedDescription", nullable(parent, "storedetaileddescription")),
        ("isInactive", flag(parent, "isinactive")?.into()),
        ("manufacturer", nullable(parent, "manufacturer")),
        ("category", nullable(parent, "category")),
        ("tags", embedded(parent, "tags", json!([]))),
        ("images", embedded(parent, "images", json!([]))),
        ("options", options(parent, json!([]))),
        ("children", children.into()),
    ];
    let record = Record {
        id: required(parent, "product")?,
        fields: named(fields),
        modified_at,
        version: newest,
        deleted: false,
    };
    Ok(Shown { external_key: text(parent, "externalid"), record })
}

fn child(site: &Setup, first: &Row, rows: &[Row]) -> Result<Value> {
    let mut price = Value::Null;
    let mut prices = Fields::new();
    for row in rows {
        let Some(currency) = text(row, "currency") else { continue };
        let amount = amount(row, "price")?;
        if amount.is_null() {
            continue;
        }
        // The dearest comes first; what follows are prices of larger quantities.
        if currency == site.base_currency.to_string() {
            if price.is_null() {
                price = amount;
            }
        } else {
            prices.entry(required(row, "symbol")?).or_insert(amount);
        }
    }
    let fields = [
        ("itemId", nullable(first, "itemid")),
        ("upcCode", nullable(first, "upccode")),
        ("price", price),
        ("compareAtPrice", amount(first, "compareatprice")?),
        ("options", options(first, json!({}))),
        ("prices", prices.into()),
    ];
    Ok(named(fields).into())
}

fn options(row: &Row, none: Value) -> Value {
    let options = embedded(row, "options", none.clone());
    if read::is_no_option(&options) { none } else { options }
}

/// Fields by name.
pub(super) fn named<const N: usize>(fields: [(&str, Value); N]) -> Fields {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
