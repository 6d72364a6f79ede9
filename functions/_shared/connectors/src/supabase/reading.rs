//! Reading rows.

use super::replies::{Row, Rows};
use super::setup::Asked;
use crate::{Error, Exchange, Filter, Key, ListQuery, Page, Reply, Result, read};
use domain::{Record, Value};
use serde_json::json;

/// One page of what changed, the oldest change first, rows of one time by their keys.
pub(super) fn list(table: &Asked, query: &ListQuery) -> Result<Exchange<Page>> {
    let Filter { status, price_min, price_max, category, updated_after, text } = &query.filter;
    if !status.is_empty() || price_min.is_some() || price_max.is_some() || category.is_some() {
        let message = "own tables are searched by `text` and `updatedAfter` only";
        return Err(Error::unfit_filter(message));
    }
    let page: Option<Value> = query.page.as_deref().map(|page| read::json(page.as_bytes())).transpose()?;
    let more = json!({
        "since": query.since.max(*updated_after), "page": page, "text": text,
        "limit": query.limit.min(super::AT_ONCE),
    });
    table.ask("list", more, |reply| {
        let Rows { records, next } = read::json(reply.body())?;
        let next = (!next.is_null()).then(|| next.to_string());
        Ok(Page { records: records.into_iter().map(Row::into).collect(), next })
    })
}

/// The rows with these keys.
pub(super) fn get(table: &Asked, ids: &[String]) -> Result<Exchange<Vec<Record>>> {
    fits(ids.len())?;
    table.ask("find", json!({ "column": table.id(), "values": ids }), records)
}

/// The rows that carry one of these values, or one of our keys. A row that is marked deleted is recognised by our key
/// only: nothing new shall be linked to it.
pub(super) fn find(table: &Asked, key: &Key) -> Result<Exchange<Vec<Record>>> {
    let (column, values) = match key {
        Key::External(keys) => (None, keys),
        Key::Field { name, values } => (Some(name), values),
    };
    fits(values.len())?;
    let deleted_too = column.is_none();
    table.ask("find", json!({ "column": column, "values": values }), move |reply| {
        let mut found = records(reply)?;
        found.retain(|record| deleted_too || !record.deleted);
        Ok(found)
    })
}

fn records(reply: &Reply) -> Result<Vec<Record>> {
    let Rows { records, .. } = read::json(reply.body())?;
    Ok(records.into_iter().map(Row::into).collect())
}

/// Refuses more than the database is asked at once.
pub(super) fn fits(count: usize) -> Result<()> {
    if count <= super::AT_ONCE { Ok(()) } else { Err(Error::unexpected("too many records in one question")) }
}
