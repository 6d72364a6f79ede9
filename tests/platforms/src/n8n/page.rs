//! Pages of lists: limits and cursors.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::problem::Problem;
use crate::web::Request;

/// The items of a page where nothing is asked for, or 0.
const PAGE: usize = 100;
/// The most items of a page; who asks for more gets these.
const MOST: usize = 250;

/// The part of a list that is asked for by position. A list that changes meanwhile shifts under it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    offset: usize,
    limit: usize,
}

/// How many items are asked for.
pub(crate) fn limit(request: &Request) -> Result<usize, Problem> {
    let Some(given) = request.query_value("limit") else { return Ok(PAGE) };
    match given.parse::<i64>() {
        Ok(0) => Ok(PAGE),
        Ok(limit) if limit > 0 => Ok(usize::try_from(limit).unwrap_or(MOST).min(MOST)),
        Ok(_) => Err(Problem::bad("request/query/limit must be >= 0")),
        Err(_) => Err(Problem::bad("request/query/limit must be number")),
    }
}

/// What a cursor says, if there is one.
pub(crate) fn cursor(request: &Request) -> Result<Option<Value>, Problem> {
    let Some(given) = request.query_value("cursor").filter(|given| !given.is_empty()) else {
        return Ok(None);
    };
    let bytes = STANDARD.decode(given.as_bytes()).ok();
    let value = bytes.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok()).filter(Value::is_object);
    value.map(Some).ok_or_else(|| Problem::bad("An invalid cursor was provided"))
}

/// A number in a cursor.
pub(crate) fn number(cursor: &Value, name: &str) -> Result<usize, Problem> {
    let number = cursor
        .get(name)
        .and_then(|value| value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok())));
    let number = number.and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| Problem::bad("An invalid cursor was provided"))
}

/// A cursor as the API hands it out.
pub(crate) fn encoded(cursor: &Value) -> String {
    STANDARD.encode(cursor.to_string())
}

/// The part that a request asks for. A cursor's own limit goes before the request's.
pub(crate) fn window(request: &Request) -> Result<Window, Problem> {
    if let Some(cursor) = cursor(request)? {
        let limit = number(&cursor, "limit")?.clamp(1, MOST);
        return Ok(Window { offset: number(&cursor, "offset")?, limit });
    }
    let offset = match request.query_value("offset") {
        None => 0,
        Some(given) => given.parse().map_err(|_| Problem::bad("request/query/offset must be number"))?,
    };
    Ok(Window { offset, limit: limit(request)? })
}

/// The page with its cursor to the next one.
pub(crate) fn paged<T>(window: Window, items: &[T], show: impl Fn(&T) -> Value) -> Value {
    let end = window.offset.saturating_add(window.limit);
    let data: Vec<Value> = items.iter().skip(window.offset).take(window.limit).map(show).collect();
    let next = (end < items.len()).then(|| encoded(&json!({ "limit": window.limit, "offset": end })));
    json!({ "data": data, "nextCursor": next })
}
