//! Listings, the newest change first, because n8n cannot look for rows by time: what changed since a time is read from the
//! top down to the first row that is older.
//!
//! Pages are counted off by n8n, and so move when rows do. What is made or changed meanwhile goes to the top and moves the
//! rest down, which shows rows twice; those are taken once. What is deleted moves the rest up, past the page's end: each
//! page therefore begins with the last row of the one before, and where that has moved up, the page before is read again.
//! What changed while it was still to come is at the top by the end: a listing of several pages is followed by one of all
//! that changed since it began.

use super::replies::Listing;
use super::tables::{CHANGED, Setup, Table, changed_at, id_of};
use crate::{Error, ErrorKind, Exchange, Filter, ListQuery, Page, Result, Step};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use domain::Value;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// The most rows of one page: n8n shows 250, one of which is that of the page before.
pub(super) const PAGE: usize = 249;

/// Where a page begins.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    /// The newest change when the listing began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    began: Option<DateTime<Utc>>,
    /// Whether this is what follows a listing: all that changed since it began.
    #[serde(default)]
    again: bool,
    /// The page before, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    behind: Option<Behind>,
}

/// The last row of the page before, and where to go on.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Behind {
    cursor: String,
    at: DateTime<Utc>,
    id: i64,
}

/// What is asked for, the same on every page.
#[derive(Clone)]
struct Asked {
    since: Option<DateTime<Utc>>,
    text: Option<String>,
    limit: usize,
}

/// One page.
pub(super) fn list(table: &Table, query: &ListQuery) -> Result<Exchange<Page>> {
    let Filter { status, price_min, price_max, category, updated_after, text } = &query.filter;
    if !status.is_empty() || price_min.is_some() || price_max.is_some() || category.is_some() {
        return Err(Error::unfit_filter("data tables are searched by `text` and `updatedAfter` only"));
    }
    let place: Place = match &query.page {
        None => Place::default(),
        Some(page) => serde_json::from_str(page)
            .map_err(|_| Error::new(ErrorKind::Rejected, "the page to go on with is none of ours"))?,
    };
    let since = query.since.max(*updated_after);
    let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let since = if place.again { since.max(place.began) } else { since };
    page(table, &Asked { since, text, limit: query.limit.clamp(1, PAGE) }, &place)
}

fn page(table: &Table, asked: &Asked, place: &Place) -> Result<Exchange<Page>> {
    let sort = format!("{CHANGED}:desc");
    let limit = asked.limit.saturating_add(usize::from(place.behind.is_some())).to_string();
    let mut query = vec![("limit", limit.as_str()), ("sortBy", sort.as_str())];
    query.extend(asked.text.as_deref().map(|text| ("search", text)));
    query.extend(place.behind.as_ref().map(|behind| ("cursor", behind.cursor.as_str())));
    let (again, asked, place) = (Arc::clone(table), asked.clone(), place.clone());
    table.rows(&query, move |listed| read(&again, &asked, &place, &listed))
}

fn read(table: &Table, asked: &Asked, place: &Place, listed: &Listing<Value>) -> Result<Step<Page>> {
    let rows = &listed.data;
    let times = rows.iter().map(changed_at).collect::<Result<Vec<_>>>()?;
    let mut taken = 0;
    if let Some(behind) = &place.behind {
        match seam(behind, rows, &times)? {
            Some(first_new) => taken = first_new,
            None => {
                if let Some(cursor) = earlier(&behind.cursor, asked.limit) {
                    let behind = Some(Behind { cursor, ..behind.clone() });
                    let exchange = page(table, asked, &Place { behind, ..place.clone() })?;
                    return Ok(Step::Next { exchange, after: Duration::ZERO });
                }
            }
        }
    }
    let is_wanted = |at: &DateTime<Utc>| asked.since.is_none_or(|since| *at >= since);
    let wanted = times.iter().take_while(|at| is_wanted(at)).count();
    let records = records(table, rows.get(taken..wanted).unwrap_or_default())?;
    let began = place.began.or_else(|| times.first().copied());
    let cursor = listed.next().filter(|_| wanted == rows.len());
    let next = match (cursor, rows.last(), times.last()) {
        (Some(cursor), Some(last), Some(at)) => {
            let cursor = overlapping(&cursor, asked.limit).unwrap_or(cursor);
            let behind = Some(Behind { cursor, at: *at, id: id_of(last)? });
            Some(Place { began, behind, again: place.again })
        }
        _ if place.behind.is_some() && !place.again => Some(Place { began, again: true, behind: None }),
        _ => None,
    };
    match next {
        // Rows came and went so that nothing new is on this page.
        Some(next) if taken >= rows.len() && next.behind.is_some() => {
            Ok(Step::Next { exchange: page(table, asked, &next)?, after: Duration::ZERO })
        }
        next => Ok(Step::Done(Page { records, next: next.map(|next| json!(next).to_string()) })),
    }
}

/// The number of rows that the page before showed already; `None` where rows may be missing in between.
fn seam(behind: &Behind, rows: &[Value], times: &[DateTime<Utc>]) -> Result<Option<usize>> {
    for (at, (row, time)) in rows.iter().zip(times).enumerate() {
        if *time == behind.at && id_of(row)? == behind.id {
            return Ok(Some(at.saturating_add(1)));
        }
    }
    Ok(times.first().is_some_and(|first| *first > behind.at).then_some(0))
}

/// n8n's cursor, set one row back; `None` where it is not of the form that we know.
fn overlapping(cursor: &str, limit: usize) -> Option<String> {
    moved(cursor, 1, limit.saturating_add(1))
}

/// A cursor of ours, set back by a page; `None` where nothing lies before it.
fn earlier(cursor: &str, limit: usize) -> Option<String> {
    moved(cursor, limit, limit.saturating_add(1))
}

fn moved(cursor: &str, back: usize, limit: usize) -> Option<String> {
    let mut place: Value = serde_json::from_slice(&BASE64_STANDARD.decode(cursor).ok()?).ok()?;
    let offset = place.get("offset")?.as_u64().filter(|offset| *offset > 0)?;
    let offset = offset.saturating_sub(u64::try_from(back).ok()?);
    let fields = place.as_object_mut()?;
    fields.insert("offset".to_owned(), offset.into());
    fields.insert("limit".to_owned(), limit.into());
    Some(BASE64_STANDARD.encode(place.to_string()))
}

fn records(table: &Setup, rows: &[Value]) -> Result<Vec<domain::Record>> {
    rows.iter().map(|row| table.record(row)).collect()
}
