//! The one place that knows how NetSuite fails: by status, with `o:errorDetails` where it got as far as thinking
//! (<https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/chapter_1548678643.html>).

use crate::{Error, ErrorKind, Reply, read};
use domain::{Fields, Value};

const VENDOR: &str = "NetSuite";

/// The code of a request whose idempotency key was used before.
pub(super) const IDEMPOTENCY_ERROR: &str = "IDEMPOTENCY_ERROR";

/// Why the exchange as a whole failed; `None` when it did not.
pub(super) fn of(reply: &Reply) -> Option<Error> {
    if reply.status().is_success() {
        return None;
    }
    let details = details(reply);
    if details.is_none()
        && let Some(error) = read::server_failure(reply, VENDOR)
    {
        return Some(error);
    }
    let status = reply.status().as_u16();
    let first = details.as_deref().and_then(<[Detail]>::first);
    let code = first.and_then(|detail| detail.code.as_deref());
    let kind = kind(status, code);
    let message = match &details {
        Some(details) => sentence(details),
        None => plain(status),
    };
    let error = Error::new(kind, message).with_retry_after(read::retry_after(reply));
    Some(error.with_code(code.map_or_else(|| status.to_string(), str::to_owned)))
}

/// Why one record of a batch was refused. `None` when it was accepted.
pub(super) fn of_record(value: &Value) -> Option<Error> {
    let details = parse(value)?;
    let status = value.get("status").and_then(read::integer).and_then(|status| u16::try_from(status).ok());
    let code = details.first().and_then(|detail| detail.code.clone());
    let error = Error::new(kind(status.unwrap_or(400), code.as_deref()), sentence(&details));
    Some(error.with_code(code.unwrap_or_else(|| "REFUSED".to_owned())))
}

/// Whether this is the refusal of a key that was used before.
pub(super) fn is_repeated(error: &Error) -> bool {
    error.vendor_code.as_deref() == Some(IDEMPOTENCY_ERROR)
}

/// Whether a deletion was refused because there is nothing to delete.
pub(super) fn is_gone(error: &Error) -> bool {
    error.kind == ErrorKind::NotFound
}

/// An error for a field that a record may not have.
pub(super) fn bad_field(name: &str, why: &str) -> Error {
    Error::new(ErrorKind::Rejected, format!("{name}: {why}")).with_code("INVALID_FIELD")
}

/// Refuses the first field that is not among the known ones.
pub(super) fn only(fields: &Fields, known: &[&str]) -> crate::Result<()> {
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(bad_field(&read::excerpt(name), "NetSuite has no such field to write")),
        None => Ok(()),
    }
}

struct Detail {
    text: String,
    code: Option<String>,
    path: Option<String>,
}

fn details(reply: &Reply) -> Option<Vec<Detail>> {
    parse(&serde_json::from_slice(reply.body()).ok()?)
}

fn parse(value: &Value) -> Option<Vec<Detail>> {
    let details = value.get("o:errorDetails")?.as_array()?;
    let text = |detail: &Value, name: &str| detail.get(name).and_then(Value::as_str).map(str::to_owned);
    let path = |detail: &Value| {
        ["o:errorPath", "o:errorQueryParam", "o:errorHeader"].iter().find_map(|name| text(detail, name))
    };
    let title = || value.get("title").and_then(Value::as_str).unwrap_or("no reason given").to_owned();
    let of = |detail: &Value| Detail {
        text: text(detail, "detail").unwrap_or_else(title),
        code: text(detail, "o:errorCode"),
        path: path(detail),
    };
    let mut found: Vec<Detail> = details.iter().map(of).collect();
    if found.is_empty() {
        found.push(Detail { text: title(), code: None, path: None });
    }
    Some(found)
}

fn sentence(details: &[Detail]) -> String {
    let one = |detail: &Detail| match &detail.path {
        Some(path) => read::excerpt(&format!("{path}: {}", detail.text)),
        None => read::excerpt(&detail.text),
    };
    details.iter().take(5).map(one).collect::<Vec<_>>().join("; ")
}

fn kind(status: u16, code: Option<&str>) -> ErrorKind {
    match (status, code) {
        (_, Some("RCRD_HAS_BEEN_CHANGED" | "RECORD_HAS_BEEN_CHANGED")) => ErrorKind::Conflict,
        (_, Some("CONCURRENCY_LIMIT_EXCEEDED" | "EXCEEDED_REQUEST_LIMIT" | "EXCEEDED_CONCURRENCY_LIMIT"))
        | (429, _) => ErrorKind::RateLimited,
        (_, Some("NONEXISTENT_ID" | "RCRD_DSNT_EXIST")) => ErrorKind::NotFound,
        (_, Some("INVALID_LOGIN" | "INVALID_LOGIN_ATTEMPT" | "INSUFFICIENT_PERMISSION")) | (401 | 403, _) => {
            ErrorKind::Unauthorized
        }
        (404, _) => ErrorKind::NotFound,
        (409, _) => ErrorKind::Conflict,
        (408 | 500..=599, _) => ErrorKind::Unavailable,
        (300..=399, _) => ErrorKind::Unexpected,
        _ => ErrorKind::Rejected,
    }
}

/// What a status says where the body says nothing.
fn plain(status: u16) -> String {
    match status {
        401 => "NetSuite does not accept the credential; a clock that is minutes off has the same effect"
            .to_owned(),
        403 => "NetSuite does not allow this role to do that".to_owned(),
        404 => "NetSuite has no such record, or the account's address is wrong".to_owned(),
        429 => "NetSuite has as many requests of this account at work as it allows".to_owned(),
        300..=399 => format!("NetSuite redirects elsewhere (status {status})"),
        other => format!("NetSuite refused the request (status {other})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reply(status: u16, body: &str) -> Reply {
        http::Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap()
    }

    fn detailed(status: u16, code: &str) -> Reply {
        let detail = json!({ "detail": "why", "o:errorCode": code, "o:errorPath": "items[0].itemId" });
        reply(status, &json!({ "title": "T", "status": status, "o:errorDetails": [detail] }).to_string())
    }

    #[test]
    fn every_failure_has_its_kind() {
        for (reply, expected) in [
            (detailed(400, "INVALID_CONTENT"), ErrorKind::Rejected),
            (detailed(400, "USER_ERROR"), ErrorKind::Rejected),
            (detailed(400, "NONEXISTENT_ID"), ErrorKind::NotFound),
            (detailed(401, "INVALID_LOGIN"), ErrorKind::Unauthorized),
            (detailed(403, "INSUFFICIENT_PERMISSION"), ErrorKind::Unauthorized),
            (detailed(404, "NONEXISTENT_ID"), ErrorKind::NotFound),
            (detailed(409, "RCRD_HAS_BEEN_CHANGED"), ErrorKind::Conflict),
            (detailed(429, "CONCURRENCY_LIMIT_EXCEEDED"), ErrorKind::RateLimited),
            (detailed(500, "UNEXPECTED_ERROR"), ErrorKind::Unavailable),
            (reply(401, ""), ErrorKind::Unauthorized),
            (reply(403, "<html>"), ErrorKind::Unauthorized),
            (reply(404, "[]"), ErrorKind::NotFound),
            (reply(429, ""), ErrorKind::RateLimited),
            (reply(503, "<html>Maintenance</html>"), ErrorKind::Unavailable),
            (reply(302, ""), ErrorKind::Unexpected),
            (reply(400, r#"{"o:errorDetails":[]}"#), ErrorKind::Rejected),
        ] {
            let error = of(&reply).unwrap();
            assert_eq!(error.kind, expected, "{reply:?}");
        }
        assert_eq!(of(&reply(204, "")), None);
    }

    #[test]
    fn a_refusal_names_the_field() {
        let error = of(&detailed(400, "INVALID_CONTENT")).unwrap();
        assert_eq!(error.message, "items[0].itemId: why");
        assert_eq!(error.vendor_code.as_deref(), Some("INVALID_CONTENT"));
    }
}
