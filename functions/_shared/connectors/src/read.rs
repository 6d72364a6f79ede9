//! What every vendor's replies have in common: JSON that may be cut off, pages of a proxy, waits, money, times.

use crate::{Error, ErrorKind, Reply, Result};
use chrono::{DateTime, Utc};
use domain::Value;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// No platform is believed that asks for more than this.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Reads a body as JSON. A page of HTML (a proxy, a maintenance page) and JSON that ends too early are temporary;
/// anything else that is no JSON is a defect.
pub(crate) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| {
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        if first == Some(&b'<') {
            Error::new(ErrorKind::Unavailable, "the platform answered with a web page instead of data")
        } else if error.is_eof() {
            Error::new(ErrorKind::Unavailable, "the platform's answer ended too early")
        } else {
            Error::unexpected(format!("the platform's answer cannot be read: {error}"))
        }
    })
}

/// Reads a part of a reply that was JSON already.
pub(crate) fn part<T: DeserializeOwned>(value: &Value) -> Result<T> {
    T::deserialize(value)
        .map_err(|error| Error::unexpected(format!("the platform's answer cannot be read: {error}")))
}

/// What `Retry-After` asks for: seconds, or an HTTP date, which is measured against the reply's own `Date`.
pub(crate) fn retry_after(reply: &Reply) -> Option<Duration> {
    let header = |name| reply.headers().get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let text = header(http::header::RETRY_AFTER)?;
    // Shopify writes seconds as `2.0`.
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if let Ok(seconds) = whole.parse::<u64>()
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
    {
        let partial = u64::from(fraction.bytes().any(|byte| byte != b'0'));
        return Some(Duration::from_secs(seconds.saturating_add(partial)).min(LONGEST_WAIT));
    }
    let until = DateTime::parse_from_rfc2822(text).ok()?;
    let now = DateTime::parse_from_rfc2822(header(http::header::DATE)?).ok()?;
    Some(until.signed_duration_since(now).to_std().unwrap_or(Duration::ZERO).min(LONGEST_WAIT))
}

/// The failures that mean the same at every vendor, by status: server errors and time-outs. `None` for the others.
pub(crate) fn server_failure(reply: &Reply, vendor: &str) -> Option<Error> {
    let status = reply.status();
    if !status.is_server_error() && status.as_u16() != 408 {
        return None;
    }
    let wait = retry_after(reply);
    // 503 with a wait is throttling: the whole account is asked to pause.
    let kind = if status.as_u16() == 503 && wait.is_some() {
        ErrorKind::RateLimited
    } else {
        ErrorKind::Unavailable
    };
    let error = Error::new(kind, format!("{vendor} is not available (status {})", status.as_u16()));
    Some(error.with_code(status.as_str()).with_retry_after(wait))
}

/// A text shortened to what a person will read, without control characters.
pub(crate) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 300;
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    if clean.chars().count() < text.chars().count() { format!("{clean}…") } else { clean }
}

/// An amount as text, however the vendor wrote it; `None` for what is no amount.
pub(crate) fn money(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if domain::canon::number(text.trim()).is_some() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A whole number, from a JSON number or from text.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => whole(&number.to_string()),
        Value::String(text) => whole(text.trim()),
        _ => None,
    }
}

/// `7`, `7.0` and `-3` are whole; `7.5` is not.
fn whole(text: &str) -> Option<i64> {
    match text.split_once('.') {
        Some((digits, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => {
            digits.parse().ok()
        }
        Some(_) => None,
        None => text.parse().ok(),
    }
}

/// Whether this is Shopify's stand-in for the options of a product that has none, or for what a variant chooses of
/// them. Exports of a shop carry it to other places; in the neutral record nothing stands there.
pub(crate) fn is_no_option(value: &Value) -> bool {
    *value == serde_json::json!([{ "name": NO_OPTION.0, "values": [NO_OPTION.1] }])
        || *value == serde_json::json!({ NO_OPTION.0: NO_OPTION.1 })
}

/// Shopify's stand-in: the name and the only value.
pub(crate) const NO_OPTION: (&str, &str) = ("Title", "Default Title");

/// An instant from RFC 3339 text.
pub(crate) fn time(text: &str) -> Result<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|_| Error::unexpected(format!("`{}` is no time", excerpt(text))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json as value;

    fn reply(status: u16, headers: &[(&str, &str)]) -> Reply {
        let mut builder = http::Response::builder().status(status);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(Vec::new()).unwrap()
    }

    #[test]
    fn a_wait_is_read_from_seconds_and_from_a_date() {
        let seconds = |headers: &[(&str, &str)]| retry_after(&reply(429, headers)).map(|wait| wait.as_secs());
        assert_eq!(seconds(&[("retry-after", "2")]), Some(2));
        assert_eq!(seconds(&[("retry-after", "2.0")]), Some(2));
        assert_eq!(seconds(&[("retry-after", "1.5")]), Some(2));
        let date = ("date", "Sat, 21 Nov 2026 10:00:00 GMT");
        assert_eq!(seconds(&[("retry-after", "Sat, 21 Nov 2026 10:00:30 GMT"), date]), Some(30));
        assert_eq!(seconds(&[("retry-after", "Sat, 21 Nov 2026 09:00:00 GMT"), date]), Some(0));
        assert_eq!(seconds(&[("retry-after", "Sat, 21 Nov 2026 10:00:30 GMT")]), None);
        assert_eq!(seconds(&[("retry-after", "99999999999999999999")]), None);
        assert_eq!(seconds(&[("retry-after", "9999999")]), Some(3_600));
        assert_eq!(seconds(&[("retry-after", "soon")]), None);
        assert_eq!(seconds(&[]), None);
    }

    #[test]
    fn a_web_page_and_a_cut_off_answer_are_temporary_and_rubbish_is_not() {
        let kind = |body: &str| json::<Value>(body.as_bytes()).unwrap_err().kind;
        assert_eq!(kind("  <!doctype html><title>Busy</title>"), ErrorKind::Unavailable);
        assert_eq!(kind(r#"{"data":{"prod"#), ErrorKind::Unavailable);
        assert_eq!(kind(""), ErrorKind::Unavailable);
        assert_eq!(kind("oops"), ErrorKind::Unexpected);
    }

    #[test]
    fn money_and_counts_keep_their_text() {
        assert_eq!(money(&serde_json::from_str("19.90").unwrap()), Some("19.90".to_owned()));
        assert_eq!(money(&value!(" 7 ")), Some("7".to_owned()));
        assert_eq!(money(&value!("cheap")), None);
        assert_eq!(integer(&value!("7.0")), Some(7));
        assert_eq!(integer(&value!(-3)), Some(-3));
        assert_eq!(integer(&value!("7.5")), None);
        assert_eq!(integer(&value!("7.")), None);
    }
}
