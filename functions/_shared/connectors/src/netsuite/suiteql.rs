//! SuiteQL: statements from files, values as bind parameters, rows page by page
//! (<https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_157909186990.html>).

use super::failure;
use super::site::Site;
use crate::{Error, Exchange, Request, Result, Step, read};
use domain::{Fields, Record, Value};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Rows in one reply; an offset must be a multiple of it.
pub(super) const ROWS: u32 = 1_000;
/// A query gives 100,000 rows at most.
const MOST_PAGES: u32 = 100;

/// A statement with its values.
#[derive(Clone)]
pub(super) struct Statement {
    text: String,
    params: Vec<Value>,
}

impl Statement {
    /// A statement from its file: without the comments, which NetSuite does not take.
    pub(super) fn new(file: &str) -> Self {
        let lines: Vec<&str> = file.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
        Self { text: lines.join("\n").trim().to_owned(), params: Vec::new() }
    }

    /// Puts text of our own (another file, the checked name of a field) in the place of `{name}`.
    pub(super) fn with(mut self, name: &str, text: &str) -> Self {
        self.text = self.text.replace(&format!("{{{name}}}"), text);
        self
    }

    /// Puts as many `?` in the place of `{name}` as there are values. Values are bound in the order of the calls.
    pub(super) fn list(self, name: &str, values: impl IntoIterator<Item = Value>) -> Self {
        let values: Vec<Value> = values.into_iter().collect();
        let marks = vec!["?"; values.len().max(1)].join(", ");
        // An empty list matches nothing: nothing equals null.
        let values = if values.is_empty() { vec![Value::Null] } else { values };
        self.with(name, &marks).bind(values)
    }

    /// Binds the next values.
    pub(super) fn bind(mut self, values: impl IntoIterator<Item = Value>) -> Self {
        self.params.extend(values);
        self
    }
}

/// One row: the columns that are not null, by name.
pub(super) type Row = Fields;

/// A record, and the external key it was made with.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) external_key: Option<String>,
    pub(super) record: Record,
}

/// What is done with all rows.
pub(super) type Then<T> = Arc<dyn Fn(&Site, Vec<Row>) -> Result<Step<T>> + Send + Sync>;

/// A page of rows.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rows {
    #[serde(default)]
    pub(super) has_more: bool,
    pub(super) items: Vec<Row>,
}

/// Reads every row and goes on with them.
pub(super) fn all<T: 'static>(
    site: &Site,
    statement: Statement,
    then: impl Fn(&Site, Vec<Row>) -> Result<Step<T>> + Send + Sync + 'static,
) -> Result<Exchange<T>> {
    pages(site, &Arc::new(statement), 0, Vec::new(), &(Arc::new(then) as Then<T>))
}

/// The same as a further step.
pub(super) fn then_all<T: 'static>(
    site: &Site,
    statement: Statement,
    then: impl Fn(&Site, Vec<Row>) -> Result<Step<T>> + Send + Sync + 'static,
) -> Result<Step<T>> {
    Ok(Step::Next { exchange: all(site, statement, then)?, after: Duration::ZERO })
}

fn pages<T: 'static>(
    site: &Site,
    statement: &Arc<Statement>,
    page: u32,
    before: Vec<Row>,
    then: &Then<T>,
) -> Result<Exchange<T>> {
    let (again, then, copy) = (Arc::clone(site), Arc::clone(then), Arc::clone(statement));
    one(site, statement, page, move |reply| {
        let mut rows = before.clone();
        let Rows { has_more, items } = reply;
        let empty = items.is_empty();
        rows.extend(items);
        if !has_more {
            return then(&again, rows);
        }
        let next = page.saturating_add(1);
        if empty || next >= MOST_PAGES {
            return Err(Error::unexpected("NetSuite's answer does not come to an end"));
        }
        let exchange = pages(&again, &copy, next, rows, &then)?;
        Ok(Step::Next { exchange, after: Duration::ZERO })
    })
}

/// Reads one page of rows.
pub(super) fn one<T: 'static>(
    site: &Site,
    statement: &Statement,
    page: u32,
    read: impl Fn(Rows) -> Result<Step<T>> + Send + 'static,
) -> Result<Exchange<T>> {
    let request = request(site, statement, ROWS, ROWS.saturating_mul(page))?;
    Ok(site.ask(request, move |reply| match failure::of(reply) {
        Some(error) => Err(error),
        None => read(read::json(reply.body())?),
    }))
}

/// The request for some rows of a statement. The offset must be a multiple of the limit.
pub(super) fn request(site: &Site, statement: &Statement, limit: u32, offset: u32) -> Result<Request> {
    let path = format!("/services/rest/query/v1/suiteql?limit={limit}&offset={offset}");
    // Without `transient` NetSuite refuses the query.
    let headers = [("content-type", "application/json"), ("prefer", "transient")];
    let body = json!({ "q": statement.text, "params": statement.params });
    site.request(http::Method::POST, &path, &headers, &body)
}

/// The ids that can be ids: NetSuite's are whole numbers, and anything else would make the whole query fail.
pub(super) fn ids(ids: &[String]) -> Vec<Value> {
    ids.iter().filter_map(|id| id.parse::<u64>().ok()).map(Value::from).collect()
}

/// Texts as values.
pub(super) fn texts(texts: &[String]) -> Vec<Value> {
    texts.iter().map(|text| Value::String(text.clone())).collect()
}

/// A column as text; `None` where it is null, left out, or something that is no single value.
pub(super) fn text(row: &Row, name: &str) -> Option<String> {
    match row.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(if *flag { "T" } else { "F" }.to_owned()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A column that every row has.
pub(super) fn required(row: &Row, name: &str) -> Result<String> {
    text(row, name)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Error::unexpected(format!("a row of NetSuite's answer has no `{name}`")))
}

/// A column as text or null.
pub(super) fn nullable(row: &Row, name: &str) -> Value {
    text(row, name).map_or(Value::Null, Value::String)
}

/// NetSuite's yes and no.
pub(super) fn flag(row: &Row, name: &str) -> Result<bool> {
    match text(row, name).as_deref() {
        Some("T" | "true") => Ok(true),
        None | Some("F" | "false" | "") => Ok(false),
        Some(_) => Err(Error::unexpected(format!("`{name}` is neither T nor F"))),
    }
}

/// An amount as text, or null.
pub(super) fn amount(row: &Row, name: &str) -> Result<Value> {
    match row.get(name) {
        None | Some(Value::Null) => Ok(Value::Null),
        Some(Value::String(text)) if text.is_empty() => Ok(Value::Null),
        Some(value) => read::money(value)
            .map(Value::String)
            .ok_or_else(|| Error::unexpected(format!("`{name}` of NetSuite's answer is no amount"))),
    }
}

/// A count: a whole number as such, anything finer with its digits kept.
pub(super) fn count(row: &Row, name: &str) -> Result<Value> {
    let wrong = || Error::unexpected(format!("`{name}` of NetSuite's answer is no number"));
    let value = row.get(name).ok_or_else(wrong)?;
    if let Some(whole) = read::integer(value) {
        return Ok(whole.into());
    }
    let digits = read::money(value).ok_or_else(wrong)?;
    digits.parse::<serde_json::Number>().map(Value::Number).map_err(|_| wrong())
}

/// A column that holds JSON. What is no JSON is shown as it is: somebody typed it.
pub(super) fn embedded(row: &Row, name: &str, empty: Value) -> Value {
    match text(row, name) {
        None => empty,
        Some(text) if text.trim().is_empty() => empty,
        Some(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
    }
}
