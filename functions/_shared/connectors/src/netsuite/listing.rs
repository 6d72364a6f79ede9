//! Listings, one page of rows at a time, each beginning behind the last record of the one before (keyset).
//!
//! A record can span several rows, and a page of rows can end in the middle of one: the last record is left to the next
//! page unless it is known to be whole.

use super::inventory;
use super::orders;
use super::products::{self, groups, without_comment};
use super::site::{Setup, Site, local_time};
use super::suiteql::{self, Row, Rows, Statement, required};
use crate::{Error, ErrorKind, Exchange, Filter, ListQuery, Page, Result, Step};
use domain::{Record, Value};
use std::sync::Arc;
use std::time::Duration;

/// More pages of rows than one record can fill.
const MOST_PAGES: u32 = 20;

/// Where a page begins: behind this time and id.
struct Position {
    time: String,
    id: u64,
}

impl Position {
    /// The beginning, or the place that the last page named: `2026-11-20T10:00:00|1107`.
    fn of(site: &Setup, query: &ListQuery) -> Result<Self> {
        let wrong = || Error::new(ErrorKind::Rejected, "the page to go on with is none of ours");
        if let Some(page) = &query.page {
            let (time, id) = page.split_once('|').ok_or_else(wrong)?;
            local_time(time).ok_or_else(wrong)?;
            return Ok(Self { time: time.to_owned(), id: id.parse().map_err(|_| wrong())? });
        }
        let since = query.since.max(query.filter.updated_after);
        let time = since.map_or_else(|| "1970-01-01T00:00:00".to_owned(), |since| site.local(since));
        // Ids begin at 1, so that "behind id 0 at this time" includes the time itself.
        Ok(Self { time, id: 0 })
    }
}

/// How the rows of one kind of record are read.
#[derive(Clone, Copy)]
struct Kind {
    /// The column that tells records apart.
    id: &'static str,
    /// The column that they are ordered by.
    order: &'static str,
    /// From the rows of whole records to the records.
    collect: fn(&Setup, &[Row]) -> Result<Vec<Record>>,
}

/// One page of products.
pub(super) fn products(site: &Site, query: &ListQuery) -> Result<Exchange<Page>> {
    let position = Position::of(site, query)?;
    let (text, values) = product_filters(site, &query.filter)?;
    let statement = Statement::new(include_str!("products_changed.suiteql")).with("filters", &text);
    let statement = products::filled(site, statement)
        .bind([position.time.clone().into(), position.time.into(), position.id.into()])
        .bind(values);
    let collect: fn(&Setup, &[Row]) -> Result<Vec<Record>> =
        |site, rows| Ok(products::collect(site, rows)?.into_iter().map(|product| product.record).collect());
    page(site, statement, Kind { id: "product", order: "changed", collect }, query.limit)
}

/// One page of stock. All of it, whatever `since` says: stock moves without touching the item's time of change.
pub(super) fn stock(site: &Site, query: &ListQuery) -> Result<Exchange<Page>> {
    let Filter { status, price_min, price_max, category, updated_after: _, text } = &query.filter;
    if category.is_some() || price_min.is_some() || price_max.is_some() || !status.is_empty() {
        return Err(Error::unfit_filter("NetSuite's inventory can be filtered by item id only"));
    }
    let words = words(text.as_deref());
    let filters = without_comment(include_str!("filter_item_id.suiteql")).repeat(words.len());
    let position = Position::of(site, query)?;
    let statement = Statement::new(include_str!("inventory_list.suiteql"))
        .with("filters", &filters)
        .bind([position.id.into()])
        .bind(words);
    page(site, statement, Kind { id: "item", order: "modified", collect: inventory::collect }, query.limit)
}

/// One page of orders: their heads, then their lines.
pub(super) fn orders(site: &Site, query: &ListQuery) -> Result<Exchange<Page>> {
    let Filter { status, price_min, price_max, category, updated_after: _, text } = &query.filter;
    if category.is_some() || price_min.is_some() || price_max.is_some() || !status.is_empty() {
        return Err(Error::unfit_filter("NetSuite's orders can be filtered by text only"));
    }
    let words = words(text.as_deref());
    let filters = without_comment(include_str!("filter_order_text.suiteql")).repeat(words.len());
    let position = Position::of(site, query)?;
    let statement = orders::filled(include_str!("orders_changed.suiteql"))
        .with("filters", &filters)
        .bind([position.time.clone().into(), position.time.into(), position.id.into()])
        .bind(words.into_iter().flat_map(|word| [word.clone(), word.clone(), word]));
    let limit = query.limit.clamp(1, orders::READ);
    let again = Arc::clone(site);
    suiteql::one(site, &statement, 0, move |Rows { has_more, items }| {
        let more = has_more || items.len() > limit;
        let heads: Vec<Row> = items.into_iter().take(limit).collect();
        let next = match heads.last().filter(|_| more) {
            Some(last) => Some(format!("{}|{}", required(last, "modified")?, required(last, "id")?)),
            None => None,
        };
        orders::with_lines(&again, heads, move |orders| {
            let records = orders.into_iter().map(|order| order.record).collect();
            Ok(Step::Done(Page { records, next: next.clone() }))
        })
    })
}

fn page(site: &Site, statement: Statement, kind: Kind, limit: usize) -> Result<Exchange<Page>> {
    rows(site, &Arc::new(statement), kind, limit.max(1), 0, Vec::new())
}

fn rows(
    site: &Site,
    statement: &Arc<Statement>,
    kind: Kind,
    limit: usize,
    number: u32,
    before: Vec<Row>,
) -> Result<Exchange<Page>> {
    let (again, copy) = (Arc::clone(site), Arc::clone(statement));
    suiteql::one(site, statement, number, move |Rows { has_more, items }| {
        let full = has_more && !items.is_empty();
        let mut all = before.clone();
        all.extend(items);
        let groups = groups(&all, kind.id)?;
        let whole = if full { groups.len().saturating_sub(1) } else { groups.len() };
        if full && whole == 0 {
            // One record fills the whole page and goes on behind it.
            let next = number.saturating_add(1);
            if next >= MOST_PAGES {
                return Err(Error::unexpected("a record of NetSuite's answer does not come to an end"));
            }
            let exchange = rows(&again, &copy, kind, limit, next, all)?;
            return Ok(Step::Next { exchange, after: Duration::ZERO });
        }
        let taken = whole.min(limit);
        let more = full || taken < groups.len();
        let shown: Vec<Row> = groups.iter().take(taken).flat_map(|rows| rows.iter().cloned()).collect();
        let next = match shown.last().filter(|_| more) {
            Some(last) => Some(format!("{}|{}", required(last, kind.order)?, required(last, kind.id)?)),
            None => None,
        };
        Ok(Step::Done(Page { records: (kind.collect)(&again, &shown)?, next }))
    })
}

/// The conditions of a filter, and the values they bind, in the same order.
fn product_filters(site: &Setup, filter: &Filter) -> Result<(String, Vec<Value>)> {
    let Filter { status, price_min, price_max, category, updated_after: _, text } = filter;
    let (mut parts, mut values) = (Vec::new(), Vec::new());
    if !status.is_empty() {
        let mut flags = status.iter().map(|word| inactive(word)).collect::<Result<Vec<_>>>()?;
        flags.sort_unstable();
        flags.dedup();
        let marks = vec!["?"; flags.len()].join(", ");
        parts.push(without_comment(include_str!("filter_status.suiteql")).replace("{flags}", &marks));
        values.extend(flags.into_iter().map(Value::from));
    }
    if let Some(category) = category {
        let part = without_comment(include_str!("filter_category.suiteql"));
        parts.push(part.replace("{category}", &site.custom.category));
        values.push(category.clone().into());
    }
    for (part, price) in [
        (include_str!("filter_price_min.suiteql"), price_min),
        (include_str!("filter_price_max.suiteql"), price_max),
    ] {
        if let Some(price) = price {
            parts.push(without_comment(part).to_owned());
            values.extend([site.price_level.into(), site.base_currency.into(), Value::Number(price.clone())]);
        }
    }
    for word in words(text.as_deref()) {
        parts.push(without_comment(include_str!("filter_text.suiteql")).to_owned());
        values.extend([word.clone(), word]);
    }
    Ok((parts.join("\n"), values))
}

/// NetSuite knows active and inactive only.
fn inactive(word: &str) -> Result<&'static str> {
    match word.to_ascii_lowercase().as_str() {
        "active" => Ok("F"),
        "draft" | "archived" | "inactive" => Ok("T"),
        _ => Err(Error::unfit_filter("status: NetSuite knows active and inactive")),
    }
}

/// Words as patterns for `LIKE`, in which only what we put there is a wildcard.
fn words(text: Option<&str>) -> Vec<Value> {
    let pattern = |word: &str| {
        let mut out = String::from("%");
        for character in word.to_lowercase().chars() {
            if matches!(character, '%' | '_' | '\\') {
                out.push('\\');
            }
            out.push(character);
        }
        out.push('%');
        Value::String(out)
    };
    text.into_iter().flat_map(str::split_whitespace).map(pattern).collect()
}
