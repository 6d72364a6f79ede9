//! SuiteQL: queries over the account's records, in pages.
//!
//! <https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_157909186990.html>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono_tz::Tz;
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, params_from_iter};
use serde_json::{Map, Value, json};

use super::functions::{self, MARK, Shared, Surroundings};
use super::ledger::{Ledger, display_name};
use super::metadata::is_item;
use super::problem::Problem;
use super::rewrite::{refused, statement};
use super::tables::{FAMILY, Tables, renamed};
use crate::web::{Reply, Request};

const LARGEST_PAGE: usize = 1_000;
/// The most rows one query gives, whatever the pages.
const MOST_ROWS: usize = 100_000;

/// The engine behind the endpoint.
#[derive(Debug)]
pub(crate) struct Suiteql {
    tables: Option<Tables>,
    around: Shared,
    /// Totals that are known for as long as nothing changes, by statement and parameters.
    totals: HashMap<String, usize>,
}

impl Suiteql {
    pub(crate) fn new(zone: Tz) -> Self {
        let now = chrono::Utc::now();
        let around = Arc::new(Mutex::new(Surroundings { zone, now, names: HashMap::new() }));
        let open = || -> rusqlite::Result<Tables> {
            let connection = Connection::open_in_memory()?;
            functions::register(&connection, &around)?;
            connection.set_prepared_statement_cache_capacity(128);
            Tables::new(connection)
        };
        Self { tables: open().ok(), around, totals: HashMap::new() }
    }

    pub(crate) fn set_zone(&mut self, zone: Tz) {
        self.around.lock().unwrap_or_else(PoisonError::into_inner).zone = zone;
        self.totals.clear();
    }

    /// Answers a query.
    pub(crate) fn answer(&mut self, ledger: &mut Ledger, request: &Request) -> Result<Reply, Problem> {
        let transient = request
            .header("prefer")
            .split([',', ';'])
            .any(|word| word.trim().eq_ignore_ascii_case("transient"));
        if !transient {
            let detail =
                "The required request header 'Prefer' is missing or has an invalid value. Use 'transient'.";
            return Err(Problem::new(400, "INVALID_HEADER", detail));
        }
        let body: Map<String, Value> = serde_json::from_slice(&request.body).map_err(|_| {
            Problem::new(400, "INVALID_CONTENT", "Invalid content in the request body: not a JSON object.")
        })?;
        let sql = body.get("q").and_then(Value::as_str).filter(|sql| !sql.trim().is_empty());
        let sql =
            sql.ok_or_else(|| Problem::new(400, "INVALID_PARAMETER", "The query parameter 'q' is missing."))?;
        let parameters = parameters(body.get("params"))?;
        let (limit, offset) = page(request)?;
        let (total, items) = self.run(ledger, sql, &parameters, limit, offset)?;
        Ok(reply(request, &items, total, limit, offset))
    }

    fn run(
        &mut self,
        ledger: &mut Ledger,
        sql: &str,
        parameters: &[Cell],
        limit: usize,
        offset: usize,
    ) -> Result<(usize, Vec<Value>), Problem> {
        let (translated, customs) = statement(sql)?;
        let broken = |error: rusqlite::Error| refused(&explained(&error));
        let Some(tables) = &mut self.tables else {
            return Err(Problem::new(500, "UNEXPECTED_ERROR", "An unexpected error occurred."));
        };
        if !ledger.dirty.is_empty() {
            self.totals.clear();
            remember_names(&self.around, ledger);
        }
        tables.refresh(ledger).map_err(broken)?;
        for custom in customs
            .iter()
            .filter(|name| ledger.custom_field("custitem", name) || ledger.custom_field("custbody", name))
        {
            tables.custom(custom).map_err(broken)?;
        }
        let zone = {
            let mut around = self.around.lock().unwrap_or_else(PoisonError::into_inner);
            around.now = ledger.clock.second();
            around.zone
        };
        let translated = renamed(&translated);
        let key = format!("{translated}\n{parameters:?}");
        let total = if let Some(total) = self.totals.get(&key) {
            *total
        } else {
            let counted = format!("select count(*) from ({translated})");
            let mut statement = tables.connection.prepare_cached(&counted).map_err(broken)?;
            let total: i64 =
                statement.query_row(params_from_iter(parameters), |row| row.get(0)).map_err(broken)?;
            let total = usize::try_from(total).unwrap_or_default().min(MOST_ROWS);
            self.totals.insert(key, total);
            total
        };
        let paged = format!("select * from ({translated}) limit {limit} offset {offset}");
        let mut statement = tables.connection.prepare_cached(&paged).map_err(broken)?;
        let columns: Vec<String> =
            statement.column_names().map(|name| name.trim_end_matches('_').to_lowercase()).collect();
        let mut rows = statement.query(params_from_iter(parameters)).map_err(broken)?;
        let mut items = Vec::new();
        while let Some(row) = rows.next().map_err(broken)? {
            let mut item = Map::new();
            item.insert("links".to_owned(), json!([]));
            for (at, name) in columns.iter().enumerate().filter(|(_, name)| *name != FAMILY) {
                if let Some(text) = text(&row.get::<_, Cell>(at).map_err(broken)?, zone) {
                    item.insert(name.clone(), text.into());
                }
            }
            items.push(Value::Object(item));
        }
        Ok((total, items))
    }
}

/// Every value is text; an empty one is left out.
fn text(cell: &Cell, zone: Tz) -> Option<String> {
    match cell {
        Cell::Null | Cell::Blob(_) => None,
        Cell::Integer(number) => Some(number.to_string()),
        Cell::Real(number) => Some(number.to_string()),
        Cell::Text(text) if text.is_empty() => None,
        Cell::Text(text) => {
            Some(text.strip_prefix(MARK).map_or_else(|| text.clone(), |time| functions::shown(time, zone)))
        }
    }
}

fn parameters(given: Option<&Value>) -> Result<Vec<Cell>, Problem> {
    let wrong = || Problem::new(400, "INVALID_PARAMETER", "Invalid value for the parameter 'params'.");
    let Some(given) = given.filter(|given| !given.is_null()) else { return Ok(Vec::new()) };
    let cell = |value: &Value| match value {
        Value::Null => Ok(Cell::Null),
        Value::String(text) => Ok(Cell::Text(text.clone())),
        Value::Bool(yes) => Ok(Cell::Text(if *yes { "T" } else { "F" }.to_owned())),
        Value::Number(number) => {
            Ok(number.as_i64().map_or_else(|| Cell::Text(number.to_string()), Cell::Integer))
        }
        _ => Err(wrong()),
    };
    given.as_array().ok_or_else(wrong)?.iter().map(cell).collect()
}

fn page(request: &Request) -> Result<(usize, usize), Problem> {
    let wrong = |name: &str, why: &str| {
        Problem::new(400, "INVALID_PARAMETER", format!("Invalid query parameter value for '{name}': {why}"))
    };
    let number = |name: &str, default: usize| match request.query_value(name) {
        None => Ok(default),
        Some(text) => text.parse::<usize>().map_err(|_| wrong(name, "it must be a whole number.")),
    };
    let (limit, offset) = (number("limit", LARGEST_PAGE)?, number("offset", 0)?);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(wrong("limit", "it must be between 1 and 1000."));
    }
    if offset % limit != 0 {
        return Err(wrong("offset", "it must be divisible by the limit."));
    }
    Ok((limit, offset))
}

fn reply(request: &Request, items: &[Value], total: usize, limit: usize, offset: usize) -> Reply {
    let href = |offset: usize| format!("{}{}?limit={limit}&offset={offset}", request.base, request.path);
    let count = items.len();
    let more = offset + count < total;
    let mut links = vec![json!({ "rel": "self", "href": href(offset) })];
    if more {
        links.push(json!({ "rel": "next", "href": href(offset + limit) }));
        links.push(json!({ "rel": "last", "href": href((total - 1) / limit * limit) }));
    }
    if offset > 0 {
        links.push(json!({ "rel": "first", "href": href(0) }));
        links.push(json!({ "rel": "previous", "href": href(offset - limit.min(offset)) }));
    }
    let body = json!({
        "links": links, "count": count, "hasMore": more, "items": items, "offset": offset, "totalResults": total,
    });
    Reply::text(200, "application/vnd.oracle.resource+json; type=collection; charset=UTF-8", body.to_string())
}

/// What went wrong, in the words of the vendor where they are known.
fn explained(error: &rusqlite::Error) -> String {
    let text = error.to_string();
    if let Some((_, rest)) = text.split_once("no such column: ") {
        let name = rest.split_whitespace().next().unwrap_or_default();
        return format!(
            "Field '{name}' was not found. Reason: NOT_EXPOSED - the field is not exposed to search"
        );
    }
    if let Some((_, rest)) = text.split_once("no such table: ") {
        let name = rest.split_whitespace().next().unwrap_or_default();
        return format!("Record '{name}' was not found");
    }
    format!("Invalid or unsupported search ({text})")
}

/// Remembers the display texts of the records that changed, by the columns that refer to them.
fn remember_names(around: &Shared, ledger: &Ledger) {
    let mut around = around.lock().unwrap_or_else(PoisonError::into_inner);
    for key in &ledger.dirty {
        let Some(record) = ledger.records.get(key) else { continue };
        let id = i64::try_from(record.id).unwrap_or_default();
        let columns: &[&'static str] = match record.kind {
            kind if is_item(kind) => &["item", "parent"],
            "location" => &["location"],
            "currency" => &["currency", "currencypage"],
            "priceLevel" => &["pricelevel"],
            "customer" => &["entity"],
            "subsidiary" => &["subsidiary"],
            "classification" => &["class"],
            "department" => &["department"],
            "salesOrder" => &["transaction"],
            _ => &[],
        };
        for column in columns {
            around.names.entry(column).or_default().insert(id, display_name(record));
        }
    }
}
