//! The one place that knows how Shopify fails.
//!
//! A failed *query* comes back with status 200 and `errors`; a refused *record* with status 200, data, and `userErrors`
//! beside it; everything else by HTTP status (<https://shopify.dev/docs/api/admin-graphql/latest#status-and-error-codes>).

use crate::{Error, ErrorKind, Reply, Result, read};
use domain::{Fields, Value};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

const VENDOR: &str = "Shopify";

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    data: Value,
    #[serde(default)]
    errors: Value,
    #[serde(default)]
    extensions: Value,
}

/// The data of a reply to a query: whole, or an error.
pub(super) fn data<T: DeserializeOwned>(reply: &Reply) -> Result<T> {
    let Envelope { data, errors, extensions } = envelope(reply)?;
    match first(&errors) {
        Some(error) => Err(top_level(error, &extensions)),
        None if data.is_null() => Err(Error::unexpected("Shopify answered without data")),
        None => read::part(&data),
    }
}

/// The answers to `count` aliased fields, in their order. What one alias was refused does not touch the others.
pub(super) fn each(reply: &Reply, count: usize) -> Result<Vec<Result<Value>>> {
    let Envelope { data, errors, extensions } = envelope(reply)?;
    let Value::Object(mut aliases) = data else {
        return Err(match first(&errors) {
            Some(error) => top_level(error, &extensions),
            None => Error::unexpected("Shopify answered without data"),
        });
    };
    let errors = errors.as_array().map(Vec::as_slice).unwrap_or_default();
    // An error that names none of our aliases concerns all that have no answer.
    let general = errors.iter().find(|error| !alias(error).is_some_and(|name| name.starts_with("a_")));
    Ok((0..count)
        .map(|position| {
            let name = format!("a_{position}");
            if let Some(error) = errors.iter().find(|error| alias(error) == Some(&name)) {
                return Err(top_level(error, &extensions));
            }
            match (aliases.remove(&name), general) {
                (Some(Value::Null) | None, Some(error)) => Err(top_level(error, &extensions)),
                (Some(value), _) => Ok(value),
                (None, None) => Err(Error::unexpected("Shopify's answer leaves out a part of the request")),
            }
        })
        .collect())
}

/// What one mutation refused, if anything: the first of its `userErrors`, with the fields they name.
pub(super) fn user_errors(payload: &Value) -> Result<()> {
    let Some(errors) = payload.get("userErrors").and_then(Value::as_array) else {
        return Err(Error::unexpected("Shopify's answer does not say whether the record was accepted"));
    };
    let Some(first) = errors.first() else { return Ok(()) };
    let code = first.get("code").and_then(Value::as_str);
    let mut told: Vec<String> = errors.iter().take(5).map(sentence).collect();
    if errors.len() > told.len() {
        told.push(format!("and {} more", errors.len().saturating_sub(told.len())));
    }
    let mut error = Error::new(user_kind(code), told.join("; "));
    if error.kind == ErrorKind::Unavailable {
        error = error.with_retry_after(Some(Duration::from_secs(1)));
    }
    Err(error.with_code(code.unwrap_or("USER_ERROR")))
}

/// `variants.0.price: must be a number`.
fn sentence(error: &Value) -> String {
    let message = error.get("message").and_then(Value::as_str).unwrap_or("refused without a reason");
    let path: Vec<&str> = error
        .get("field")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    read::excerpt(&if path.is_empty() {
        message.to_owned()
    } else {
        format!("{}: {message}", path.join("."))
    })
}

fn user_kind(code: Option<&str>) -> ErrorKind {
    match code {
        Some("CHANGE_FROM_QUANTITY_STALE" | "COMPARE_QUANTITY_STALE" | "STALE_OBJECT") => ErrorKind::Conflict,
        Some("IDEMPOTENCY_CONCURRENT_REQUEST" | "INTERNAL_ERROR") => ErrorKind::Unavailable,
        Some("PRODUCT_DOES_NOT_EXIST" | "NOT_FOUND") => ErrorKind::NotFound,
        Some("APP_NOT_AUTHORIZED" | "SHOP_DORMANT") => ErrorKind::Unauthorized,
        _ => ErrorKind::Rejected,
    }
}

fn envelope(reply: &Reply) -> Result<Envelope> {
    if let Some(error) = status(reply) {
        return Err(error);
    }
    read::json(reply.body())
}

/// What the status alone says; `None` when the body is to be read.
pub(super) fn status(reply: &Reply) -> Option<Error> {
    let status = reply.status();
    if status.is_success() {
        return None;
    }
    if let Some(error) = read::server_failure(reply, VENDOR) {
        return Some(error);
    }
    let (kind, message) = match status.as_u16() {
        401 => (ErrorKind::Unauthorized, "Shopify does not accept the access token".to_owned()),
        402 => (ErrorKind::Unauthorized, "the shop is frozen until its bill is paid".to_owned()),
        403 => (ErrorKind::Unauthorized, "Shopify does not allow this app to do that".to_owned()),
        404 => (ErrorKind::Unauthorized, "there is no such shop, or no such API version".to_owned()),
        423 => (ErrorKind::Unauthorized, "the shop is locked".to_owned()),
        429 => (ErrorKind::RateLimited, "Shopify asks to slow down".to_owned()),
        300..=399 => {
            (ErrorKind::Unexpected, format!("Shopify redirects elsewhere (status {})", status.as_u16()))
        }
        other => (ErrorKind::Rejected, format!("Shopify refused the request (status {other})")),
    };
    Some(Error::new(kind, message).with_code(status.as_str()).with_retry_after(read::retry_after(reply)))
}

fn first(errors: &Value) -> Option<&Value> {
    match errors {
        Value::Array(errors) => errors.first(),
        Value::Null => None,
        // Some failures come as one text: `{"errors": "Not Found"}`.
        other => Some(other),
    }
}

fn alias(error: &Value) -> Option<&str> {
    error.get("path")?.as_array()?.first()?.as_str()
}

/// An entry of `errors`, by its code.
fn top_level(error: &Value, extensions: &Value) -> Error {
    let message = error.get("message").or(Some(error)).and_then(Value::as_str).unwrap_or("no reason given");
    let code = error.get("extensions").and_then(|extensions| extensions.get("code")).and_then(Value::as_str);
    let kind = match code {
        Some("THROTTLED") => ErrorKind::RateLimited,
        Some("ACCESS_DENIED" | "SHOP_INACTIVE" | "UNAUTHORIZED") => ErrorKind::Unauthorized,
        Some("INTERNAL_SERVER_ERROR" | "TIMEOUT") => ErrorKind::Unavailable,
        // Anything else is a query of ours that Shopify does not understand or finds too dear (MAX_COST_EXCEEDED).
        _ => ErrorKind::Unexpected,
    };
    let mut told = Error::new(kind, format!("Shopify: {}", read::excerpt(message)));
    if kind == ErrorKind::RateLimited {
        told = told.with_retry_after(Some(refill(extensions)));
    }
    match code {
        Some(code) => told.with_code(code),
        None => told,
    }
}

/// How long until the bucket holds what the query asks for: (requested − available) / restored per second.
fn refill(extensions: &Value) -> Duration {
    const SHORTEST: f64 = 1.0;
    const LONGEST: f64 = 60.0;
    let number =
        |path: &[&str]| path.iter().try_fold(extensions, |value, key| value.get(key)).and_then(Value::as_f64);
    let wait = || {
        let missing = number(&["cost", "requestedQueryCost"])?
            - number(&["cost", "throttleStatus", "currentlyAvailable"])?;
        let rate = number(&["cost", "throttleStatus", "restoreRate"]).filter(|rate| *rate > 0.0)?;
        Some(missing / rate).filter(|seconds| seconds.is_finite())
    };
    Duration::from_secs_f64(wait().unwrap_or(SHORTEST).clamp(SHORTEST, LONGEST))
}

/// The object that a mutation's payload holds under this name, after its `userErrors` were looked at.
pub(super) fn written<T: DeserializeOwned>(payload: &Value, name: &str) -> Result<T> {
    user_errors(payload)?;
    match payload.get(name) {
        Some(value) if !value.is_null() => read::part(value),
        _ => Err(Error::unexpected(format!("Shopify accepted the record but does not show its {name}"))),
    }
}

/// Whether a deletion was refused because there is nothing to delete. Shopify gives these errors no code.
pub(super) fn is_gone(error: &Error) -> bool {
    error.kind == ErrorKind::NotFound
        || (error.kind == ErrorKind::Rejected
            && ["does not exist", "not found", "doesn't exist"]
                .iter()
                .any(|words| error.message.to_lowercase().contains(words)))
}

/// An error for a field that a record may not have.
pub(super) fn bad_field(name: &str, why: &str) -> Error {
    Error::new(ErrorKind::Rejected, format!("{name}: {why}")).with_code("INVALID_FIELD")
}

/// Refuses the first field that is not among the known ones.
pub(super) fn only(fields: &Fields, known: &[&str]) -> Result<()> {
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(bad_field(&read::excerpt(name), "Shopify has no such field to write")),
        None => Ok(()),
    }
}
