//! Whether a platform's message is really the platform's.

use crate::{Error, Result, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::auth::WebhookScheme;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::Sha256;
use subtle::Choice;

/// Checks the signature over the raw body. Several secrets are for the time of a rotation: any of them will do.
///
/// [`Error::Signature`] when the header is missing, there twice or wrong, and when there is no secret or an empty
/// one: a platform that is not set up can prove nothing. Takes the same time whichever secret matches.
pub fn verify(scheme: WebhookScheme, headers: &HeaderMap, body: &[u8], secrets: &[Secret]) -> Result<()> {
    if secrets.is_empty() || secrets.iter().any(Secret::is_empty) {
        return Err(Error::Signature("no secret is set up, or an empty one"));
    }
    let WebhookScheme::HmacSha256Base64 { header } = scheme;
    let mut values = headers.get_all(header).iter();
    let given = values.next().ok_or(Error::Signature("the header is missing"))?;
    if values.next().is_some() {
        return Err(Error::Signature("the header is there twice"));
    }
    let given = STANDARD.decode(given).map_err(|_| Error::Signature("the header is not base64"))?;
    let mut holds = Choice::from(0);
    for secret in secrets {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose())
            .map_err(|_| Error::Signature("the secret cannot be used"))?;
        mac.update(body);
        holds |= Choice::from(u8::from(mac.verify_slice(&given).is_ok()));
    }
    if bool::from(holds) { Ok(()) } else { Err(Error::Signature("it is another one")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const SHOPIFY: WebhookScheme = WebhookScheme::HmacSha256Base64 { header: "x-shopify-hmac-sha256" };
    const BODY: &str = r#"{"foo": "bar"}"#;
    const SIGNATURE: &str = "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g=";

    fn check(signatures: &[&str], body: &str, secrets: &[&str]) -> Result<()> {
        let mut headers = HeaderMap::new();
        for signature in signatures {
            headers.append("x-shopify-hmac-sha256", HeaderValue::from_str(signature).unwrap());
        }
        let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new(*secret)).collect();
        verify(SHOPIFY, &headers, body.as_bytes(), &secrets)
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
