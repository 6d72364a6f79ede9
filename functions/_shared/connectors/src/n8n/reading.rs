//! Reading rows by id and finding them by a column.

use super::tables::{Setup, Table, one_of, row_ids};
use crate::{Error, ErrorKind, Exchange, Key, Result, Step, read};
use domain::{Record, Value};
use std::sync::Arc;
use std::time::Duration;

/// The most rows of one page of n8n.
const PAGE: &str = "250";
/// A search that finds more pages than these is no search for a key.
const MOST_PAGES: u32 = 20;

/// The rows with these ids; one that is not there is absent.
pub(super) fn get(table: &Table, ids: &[String]) -> Result<Exchange<Vec<Record>>> {
    let filter = one_of("id", &present(row_ids(ids)?)?);
    let is_it = {
        let ids = ids.to_vec();
        move |_: &Value, record: &Record| ids.contains(&record.id)
    };
    searched(
        table,
        &Arc::new(Search { filter: filter.to_string(), is_it: Box::new(is_it) }),
        None,
        Vec::new(),
        1,
    )
}

/// The rows that carry one of these values, compared as text.
pub(super) fn find(table: &Table, key: &Key) -> Result<Exchange<Vec<Record>>> {
    let (column, values) = match key {
        Key::External(values) => (external(table)?.to_owned(), values),
        Key::Field { name, values } if table.is_field(name) => (name.clone(), values),
        Key::Field { name, .. } => {
            let message = format!("a data table cannot have a column `{}`", read::excerpt(name));
            return Err(Error::unfit_filter(message));
        }
    };
    let values: Vec<String> = values.iter().filter(|value| !value.is_empty()).cloned().collect();
    let asked = present(values.iter().cloned().map(Value::String).collect())?;
    let filter = one_of(&column, &asked).to_string();
    let is_it = move |row: &Value, _: &Record| match row.get(&column) {
        Some(Value::String(text)) => values.contains(text),
        Some(Value::Number(number)) => values.contains(&number.to_string()),
        _ => false,
    };
    searched(table, &Arc::new(Search { filter, is_it: Box::new(is_it) }), None, Vec::new(), 1)
}

/// The column of our key.
pub(super) fn external(table: &Setup) -> Result<&str> {
    table.key.as_deref().ok_or_else(|| {
        let message = format!("No column holds our key: set tables.{}.key in the settings.", table.item_type);
        Error::new(ErrorKind::Rejected, message)
    })
}

type IsIt = dyn Fn(&Value, &Record) -> bool + Send + Sync;

/// What is searched for, and whether a row is it.
struct Search {
    filter: String,
    is_it: Box<IsIt>,
}

fn searched(
    table: &Table,
    search: &Arc<Search>,
    cursor: Option<&str>,
    found: Vec<Record>,
    number: u32,
) -> Result<Exchange<Vec<Record>>> {
    if number > MOST_PAGES {
        return Err(Error::unexpected("n8n's search finds too much to be of use"));
    }
    let mut query = vec![("limit", PAGE), ("sortBy", "updatedAt:desc"), ("filter", search.filter.as_str())];
    query.extend(cursor.map(|cursor| ("cursor", cursor)));
    let (again, search) = (Arc::clone(table), Arc::clone(search));
    table.rows(&query, move |page| {
        let mut found = found.clone();
        for row in &page.data {
            let record = again.record(row)?;
            if (search.is_it)(row, &record) {
                found.push(record);
            }
        }
        match page.next() {
            None => Ok(Step::Done(found)),
            Some(next) => {
                let exchange = searched(&again, &search, Some(&next), found, number.saturating_add(1))?;
                Ok(Step::Next { exchange, after: Duration::ZERO })
            }
        }
    })
}

fn present(values: Vec<Value>) -> Result<Vec<Value>> {
    if values.is_empty() {
        return Err(Error::unfit_filter("there is no value to look for"));
    }
    Ok(values)
}
