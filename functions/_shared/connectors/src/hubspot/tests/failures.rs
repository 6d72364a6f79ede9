use super::{error, get};
use crate::testing::{play, reply};
use crate::{Error, ErrorKind, Reply};
use serde_json::json;
use std::time::Duration;

fn failure(reply: Reply) -> Error {
    play(get(&["1"]), &[reply]).1.unwrap_err()
}

#[test]
fn every_failure_has_its_kind() {
    for (reply, expected) in [
        (error(400, "VALIDATION_ERROR", "no"), ErrorKind::Rejected),
        (error(401, "EXPIRED_AUTHENTICATION", "no"), ErrorKind::Unauthorized),
        (error(403, "MISSING_SCOPES", "no"), ErrorKind::Unauthorized),
        (error(404, "OBJECT_NOT_FOUND", "no"), ErrorKind::NotFound),
        (error(409, "CONFLICT", "Contact already exists. Existing ID: 5"), ErrorKind::Conflict),
        (error(423, "LOCKED", "no"), ErrorKind::Unavailable),
        (error(429, "RATE_LIMITS", "no"), ErrorKind::RateLimited),
        (error(477, "MIGRATION_IN_PROGRESS", "no"), ErrorKind::RateLimited),
        (error(500, "INTERNAL_ERROR", "no"), ErrorKind::Unavailable),
        (reply(400, &[], ""), ErrorKind::Rejected),
        (reply(401, &[], "<html>"), ErrorKind::Unauthorized),
        (reply(403, &[], ""), ErrorKind::Unauthorized),
        (reply(404, &[], r#"{"message":"resource not found"}"#), ErrorKind::Unexpected),
        (reply(414, &[], ""), ErrorKind::Rejected),
        (reply(429, &[], "<html>"), ErrorKind::RateLimited),
        (reply(503, &[("retry-after", "3")], ""), ErrorKind::RateLimited),
        (reply(504, &[], ""), ErrorKind::Unavailable),
        (reply(200, &[], r#"{"results":[{"id""#), ErrorKind::Unavailable),
        (reply(200, &[], "[]"), ErrorKind::Unexpected),
    ] {
        let told = format!("{reply:?}");
        assert_eq!(failure(reply).kind, expected, "{told}");
    }
}

#[test]
fn throttling_says_how_long_to_wait() {
    let throttled = |policy: &str, headers: &[(&str, &str)]| {
        let body = json!({
            "status": "error", "message": "You have reached your limit.", "errorType": "RATE_LIMIT",
            "correlationId": "c033cdaa-2c40-4a64-ae48-b4cec88dad24", "policyName": policy,
        });
        let error = failure(reply(429, headers, &body.to_string()));
        assert_eq!(error.kind, ErrorKind::RateLimited);
        error.retry_after.unwrap()
    };
    assert_eq!(throttled("SECONDLY", &[]), Duration::from_secs(1));
    assert_eq!(throttled("TEN_SECONDLY_ROLLING", &[]), Duration::from_secs(10));
    let window = ("x-hubspot-ratelimit-interval-milliseconds", "5000");
    assert_eq!(throttled("TEN_SECONDLY_ROLLING", &[window]), Duration::from_secs(5));
    assert_eq!(throttled("TEN_SECONDLY_ROLLING", &[("retry-after", "7"), window]), Duration::from_secs(7));
    assert_eq!(throttled("DAILY", &[("retry-after", "7")]), Duration::from_hours(1));
    assert_eq!(throttled("ANOTHER", &[]), Duration::from_secs(10));
    assert_eq!(failure(error(423, "LOCKED", "no")).retry_after, Some(Duration::from_secs(2)));
}

#[test]
fn a_refusal_names_the_properties() {
    let list = json!([
        { "isValid": false, "message": "Email address x is invalid", "error": "INVALID_EMAIL", "name": "email" },
        { "isValid": false, "message": "Property \"a\" does not exist", "error": "PROPERTY_DOESNT_EXIST", "name": "a" },
    ]);
    let message = format!("Property values were not valid: {list}");
    let told = failure(error(400, "VALIDATION_ERROR", &message)).message;
    assert_eq!(told, "email: Email address x is invalid; a: Property \"a\" does not exist");

    let body = json!({
        "status": "error", "message": "Invalid input", "category": "VALIDATION_ERROR",
        "errors": [{ "message": "is no number", "code": "INVALID_INTEGER", "context": { "propertyName": ["score"] } }],
    });
    let error = failure(reply(400, &[], &body.to_string()));
    assert_eq!(
        (error.message.as_str(), error.vendor_code.as_deref()),
        ("score: is no number", Some("VALIDATION_ERROR"))
    );
}
