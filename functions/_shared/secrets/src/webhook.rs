//! Whether a platform's message is really the platform's.

use crate::{Error, Result, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use domain::auth::WebhookScheme;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// How far a message's own time may be from ours.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// Checks the signature over the raw body. Several secrets are for the time of a rotation: any of them will do.
///
/// [`Error::Signature`] when the header is missing, there twice or wrong, and when there is no secret or an empty
/// one: a platform that is not set up can prove nothing. Takes the same time whichever secret matches.
pub fn verify(
    scheme: WebhookScheme,
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[Secret],
    at: DateTime<Utc>,
) -> Result<()> {
    if secrets.is_empty() || secrets.iter().any(Secret::is_empty) {
        return Err(Error::Signature("no secret is set up, or an empty one"));
    }
    match scheme {
        WebhookScheme::HmacSha256Base64 { header } => {
            let given = STANDARD.decode(only(headers, header)?);
            signed(&[body], &given.map_err(|_| Error::Signature("the header is not base64"))?, secrets)
        }
        WebhookScheme::TimedHmacSha256 { signature, timestamp, secret } => {
            if !headers.contains_key(signature) {
                return carried(only(headers, secret)?, secrets);
            }
            let time = only(headers, timestamp)?;
            let since = time.to_str().ok().and_then(|text| text.parse().ok());
            let sent = since.and_then(DateTime::from_timestamp_millis);
            let sent = sent.ok_or(Error::Signature("the timestamp is none"))?;
            if at.signed_duration_since(sent).abs() > TOLERANCE {
                return Err(Error::Signature("the timestamp is too far from now"));
            }
            let given = only(headers, signature)?.as_bytes().strip_prefix(b"sha256=");
            let given = given.and_then(|text| base16ct::mixed::decode_vec(text).ok());
            let given = given.ok_or(Error::Signature("the header is not `sha256=` and hexadecimal"))?;
            signed(&[time.as_bytes(), b".", body], &given, secrets)
        }
    }
}

/// The one header of this name.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let given = values.next().ok_or(Error::Signature("the header is missing"))?;
    match values.next() {
        None => Ok(given),
        Some(_) => Err(Error::Signature("the header is there twice")),
    }
}

/// The secret itself, in the place of a signature.
fn carried(given: &HeaderValue, secrets: &[Secret]) -> Result<()> {
    let mut holds = Choice::from(0);
    for secret in secrets {
        holds |= secret.expose().ct_eq(given.as_bytes());
    }
    if bool::from(holds) { Ok(()) } else { Err(Error::Signature("it is another one")) }
}

/// Whether this is the signature of these parts, one after the other.
fn signed(parts: &[&[u8]], given: &[u8], secrets: &[Secret]) -> Result<()> {
    let mut holds = Choice::from(0);
    for secret in secrets {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose())
            .map_err(|_| Error::Signature("the secret cannot be used"))?;
        for part in parts {
            mac.update(part);
        }
        holds |= Choice::from(u8::from(mac.verify_slice(given).is_ok()));
    }
    if bool::from(holds) { Ok(()) } else { Err(Error::Signature("it is another one")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOPIFY: WebhookScheme = WebhookScheme::HmacSha256Base64 { header: "x-shopify-hmac-sha256" };
    const BODY: &str = r#"{"foo": "bar"}"#;
    const SIGNATURE: &str = "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g=";

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_800_000_000_000).unwrap()
    }

    fn check(signatures: &[&str], body: &str, secrets: &[&str]) -> Result<()> {
        let mut headers = HeaderMap::new();
        for signature in signatures {
            headers.append("x-shopify-hmac-sha256", HeaderValue::from_str(signature).unwrap());
        }
        let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new(*secret)).collect();
        verify(SHOPIFY, &headers, body.as_bytes(), &secrets, now())
    }

    #[test]
    fn the_vectors_of_shopify_hold() {
        check(&[SIGNATURE], BODY, &["test_secret_key"]).unwrap();
        let body = r#"{"id":9554194432293,"title":"T-Shirt é"}"#;
        check(&["FHvTIaUMHn6I8tIehA62VlQjJtYaFsVMdY9sDoA2OOQ="], body, &["hush"]).unwrap();
    }

    #[test]
    fn during_a_rotation_either_secret_will_do() {
        check(&[SIGNATURE], BODY, &["new", "test_secret_key"]).unwrap();
        check(&[SIGNATURE], BODY, &["test_secret_key", "new"]).unwrap();
        check(&[SIGNATURE], BODY, &["new"]).unwrap_err();
    }

    #[test]
    fn everything_else_is_refused() {
        let secret = &["test_secret_key"][..];
        let hex = "076ded5cdebcd60674a8858d46b82dcc113d5d20e8e72694bbac1f9a1bb76bb8";
        let huge = "A".repeat(65_536);
        let twice = format!("{SIGNATURE},{SIGNATURE}");
        for signature in [
            "",
            "=",
            hex,
            &SIGNATURE[..43],
            &SIGNATURE[4..],
            "AAAA",
            &huge,
            &twice,
            "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7h=",
        ] {
            check(&[signature], BODY, secret).unwrap_err();
        }
        check(&[], BODY, secret).unwrap_err();
        check(&[SIGNATURE, SIGNATURE], BODY, secret).unwrap_err();
        check(&[SIGNATURE], r#"{"foo":"bar"}"#, secret).unwrap_err();
        check(&[SIGNATURE], r#"{"foo": "baz"}"#, secret).unwrap_err();
        check(&[SIGNATURE], "", secret).unwrap_err();
    }

    const N8N: WebhookScheme = WebhookScheme::TimedHmacSha256 {
        signature: "x-signature",
        timestamp: "x-timestamp",
        secret: "x-sync-secret",
    };

    fn timed(pairs: &[(&'static str, &str)], body: &str) -> Result<()> {
        let headers = pairs.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        });
        let secrets = [Secret::new("s3cret")];
        verify(N8N, &headers.collect(), body.as_bytes(), &secrets, now())
    }

    fn signature(time: &str, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
        mac.update(format!("{time}.{body}").as_bytes());
        format!("sha256={}", base16ct::lower::encode_string(&mac.finalize().into_bytes()))
    }

    #[test]
    fn a_signature_with_a_time_holds_for_five_minutes_and_for_this_body() {
        let time = "1800000000000";
        let good = signature(time, "{ü}");
        timed(&[("x-signature", &good), ("x-timestamp", time)], "{ü}").unwrap();
        timed(&[("x-signature", &good), ("x-timestamp", time)], "{u}").unwrap_err();
        timed(&[("x-signature", &good), ("x-timestamp", "1800000000001")], "{ü}").unwrap_err();
        timed(&[("x-signature", &good)], "{ü}").unwrap_err();
        for (time, holds) in [
            ("1800000300000", true),
            ("1799999700000", true),
            ("1800000300001", false),
            ("1799999699999", false),
            ("1800000000", false),
            ("soon", false),
        ] {
            let good = signature(time, "");
            let sent = timed(&[("x-signature", &good), ("x-timestamp", time)], "");
            assert_eq!(sent.is_ok(), holds, "{time}");
        }
    }

    #[test]
    fn a_sender_that_cannot_sign_carries_the_secret_and_a_wrong_signature_is_not_made_good_by_it() {
        timed(&[("x-sync-secret", "s3cret")], "any").unwrap();
        timed(&[("x-sync-secret", "s3cret2")], "any").unwrap_err();
        timed(&[], "any").unwrap_err();
        let wrong =
            [("x-sync-secret", "s3cret"), ("x-signature", "sha256=00"), ("x-timestamp", "1800000000000")];
        timed(&wrong, "any").unwrap_err();
    }

    #[test]
    fn an_empty_secret_is_no_secret() {
        // The HMAC of the body under the empty key: what a forger would compute for an account without a secret.
        let mut mac = Hmac::<Sha256>::new_from_slice(b"").unwrap();
        mac.update(BODY.as_bytes());
        let forged = STANDARD.encode(mac.finalize().into_bytes());
        for secrets in [&[][..], &[""][..], &["", "test_secret_key"][..]] {
            check(&[&forged], BODY, secrets).unwrap_err();
        }
    }
}
