//! The one place that knows how HubSpot fails: by status with a category where it got as far as thinking, and inside the
//! answer to a batch (<https://developers.hubspot.com/docs/api-reference/error-handling>).

use crate::{Error, ErrorKind, Reply, read};
use domain::Value;
use std::time::Duration;

const VENDOR: &str = "HubSpot";
/// The category of a credential that lacks a permission.
const MISSING_SCOPES: &str = "MISSING_SCOPES";
/// The category of ids that name nothing.
const NOT_FOUND: &str = "OBJECT_NOT_FOUND";
/// A record that somebody else is writing is locked for at least this long.
const LOCKED: Duration = Duration::from_secs(2);
/// The window that requests are counted in.
const WINDOW: Duration = Duration::from_secs(10);
/// The day's requests are used up; when the account's day ends is not said.
const DAY_IS_OVER: Duration = Duration::from_hours(1);

/// Why the exchange as a whole failed; `None` when it did not.
pub(super) fn of(reply: &Reply) -> Option<Error> {
    if reply.status().is_success() {
        return None;
    }
    if let Some(error) = read::server_failure(reply, VENDOR) {
        return Some(error);
    }
    let status = reply.status().as_u16();
    let told = serde_json::from_slice(reply.body()).ok().filter(Value::is_object);
    let category = told.as_ref().and_then(|told| text(told, "category"));
    // What comes from a proxy or a firewall says nothing of the records, whatever its status.
    let is_page = reply.body().iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<');
    let kind = if is_page && !matches!(status, 300..=399 | 401 | 429 | 477) {
        ErrorKind::Unavailable
    } else {
        kind(status, category)
    };
    let message = told.as_ref().and_then(sentence).unwrap_or_else(|| plain(status));
    let error = Error::new(kind, message).with_retry_after(wait(reply, status, told.as_ref()));
    Some(error.with_code(category.map_or_else(|| status.to_string(), str::to_owned)))
}

/// Why records of a batch were refused, from an entry of its errors.
pub(super) fn of_entry(entry: &Value) -> Error {
    let category = text(entry, "category");
    let message = sentence(entry).unwrap_or_else(|| "HubSpot refused the record without a reason".to_owned());
    Error::new(kind(400, category), message).with_code(category.unwrap_or("REFUSED"))
}

/// What an entry of a batch's errors names under this word, empty when it names nothing.
pub(super) fn named<'a>(entry: &'a Value, word: &str) -> impl Iterator<Item = &'a str> {
    let named = entry.get("context").and_then(|context| context.get(word)).and_then(Value::as_array);
    named.into_iter().flatten().filter_map(Value::as_str)
}

/// Whether what was asked for is not there.
pub(super) fn is_gone(error: &Error) -> bool {
    error.kind == ErrorKind::NotFound
}

/// Whether it is there already.
pub(super) fn exists(error: &Error) -> bool {
    error.kind == ErrorKind::Conflict
}

/// Whether the credential is good, but not for this.
pub(super) fn lacks_permission(error: &Error) -> bool {
    matches!(error.vendor_code.as_deref(), Some(MISSING_SCOPES | "403"))
}

/// An error for a field that a record may not have.
pub(super) fn bad_field(name: &str, why: &str) -> Error {
    Error::new(ErrorKind::Rejected, format!("{}: {why}", read::excerpt(name))).with_code("INVALID_FIELD")
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

fn kind(status: u16, category: Option<&str>) -> ErrorKind {
    match (status, category) {
        // 477: the account moves to another data centre.
        (429 | 477, _) | (_, Some("RATE_LIMITS")) => ErrorKind::RateLimited,
        (401, _) | (_, Some(MISSING_SCOPES | "INVALID_AUTHENTICATION" | "EXPIRED_AUTHENTICATION")) => {
            ErrorKind::Unauthorized
        }
        (403, _) => ErrorKind::Unauthorized,
        (_, Some(NOT_FOUND)) => ErrorKind::NotFound,
        (409, _) | (_, Some("CONFLICT")) => ErrorKind::Conflict,
        (423, _) => ErrorKind::Unavailable,
        // A record that is not there has the category above; this is an address that is not there.
        (300..=399 | 404 | 405, _) => ErrorKind::Unexpected,
        _ => ErrorKind::Rejected,
    }
}

/// How long to wait: what the reply asks for, else by the policy that was met. Retry-After is not promised.
fn wait(reply: &Reply, status: u16, told: Option<&Value>) -> Option<Duration> {
    let asked = read::retry_after(reply);
    match status {
        423 => asked.or(Some(LOCKED)),
        477 => asked.or(Some(WINDOW)),
        429 => match told.and_then(|told| text(told, "policyName")) {
            Some("DAILY") => asked.max(Some(DAY_IS_OVER)),
            Some("SECONDLY") => asked.or(Some(Duration::from_secs(1))),
            _ => asked.or_else(|| window(reply)).or(Some(WINDOW)),
        },
        _ => asked,
    }
}

fn window(reply: &Reply) -> Option<Duration> {
    let header = reply.headers().get("x-hubspot-ratelimit-interval-milliseconds")?.to_str().ok()?;
    header.trim().parse().ok().map(Duration::from_millis).map(|window| window.min(DAY_IS_OVER))
}

/// What a body says, for a person: each of its errors with the property it is about, else its message.
fn sentence(told: &Value) -> Option<String> {
    let message = text(told, "message");
    let mut parts: Vec<String> = told
        .get("errors")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|error| Some((error, text(error, "message")?)))
        .map(|(error, message)| about(&named(error, "propertyName").collect::<Vec<_>>().join(", "), message))
        .collect();
    if parts.is_empty() {
        parts = message.map(invalid_values).unwrap_or_default();
    }
    if parts.is_empty() {
        return message.map(read::excerpt);
    }
    let more = parts.len().saturating_sub(5);
    parts.truncate(5);
    if more > 0 {
        parts.push(format!("and {more} more"));
    }
    Some(parts.join("; "))
}

/// The list that stands behind `Property values were not valid:`, as JSON inside the message.
fn invalid_values(message: &str) -> Vec<String> {
    let list = message.find("[{").and_then(|at| message.get(at..));
    let Some(Ok(list)) = list.map(serde_json::from_str::<Vec<Value>>) else { return Vec::new() };
    let one = |value: &Value| Some(about(text(value, "name").unwrap_or_default(), text(value, "message")?));
    list.iter().filter_map(one).collect()
}

fn about(property: &str, message: &str) -> String {
    read::excerpt(&if property.is_empty() { message.to_owned() } else { format!("{property}: {message}") })
}

/// What a status says where the body says nothing.
fn plain(status: u16) -> String {
    match status {
        401 => "HubSpot does not accept the access token".to_owned(),
        403 => "HubSpot does not allow this app to do that".to_owned(),
        404 => "HubSpot has no such address".to_owned(),
        429 => "HubSpot asks to slow down".to_owned(),
        477 => "HubSpot is moving this account to another data centre".to_owned(),
        300..=399 => format!("HubSpot redirects elsewhere (status {status})"),
        other => format!("HubSpot refused the request (status {other})"),
    }
}
