//! One table of valid tokens, all accepted, and one of forged ones, all refused.

mod forged;

use super::*;
use crate::sign::keys_for_tests::{EC_PRIVATE, EC_PUBLIC, RSA_2048_PRIVATE, RSA_PRIVATE, RSA_PUBLIC};
use jsonwebtoken::EncodingKey;
use jsonwebtoken::jwk::Jwk;
use proptest::prelude::*;
use serde_json::json;
use std::sync::LazyLock;

const SECRET: &str = "super-secret-jwt-token-with-at-least-32-characters";
const ISSUER: &str = "https://acme.supabase.co/auth/v1";
const USER: &str = "6f1de0a4-6a1f-4b9f-9d3e-2b1c0a9d8e7f";
const NOW: i64 = 1_800_000_000;

static EC: LazyLock<EncodingKey> = LazyLock::new(|| EncodingKey::from_ec_pem(EC_PRIVATE.as_bytes()).unwrap());
static RSA: LazyLock<EncodingKey> =
    LazyLock::new(|| EncodingKey::from_rsa_pem(RSA_PRIVATE.as_bytes()).unwrap());
static OTHER_RSA: LazyLock<EncodingKey> =
    LazyLock::new(|| EncodingKey::from_rsa_pem(RSA_2048_PRIVATE.as_bytes()).unwrap());

static JWKS: LazyLock<Value> = LazyLock::new(|| {
    let public = |key: &EncodingKey, algorithm, id: &str| {
        let mut jwk = serde_json::to_value(Jwk::from_encoding_key(key, algorithm).unwrap()).unwrap();
        jwk["kid"] = json!(id);
        jwk
    };
    json!({ "keys": [public(&EC, Algorithm::ES256, "ec-1"), public(&RSA, Algorithm::RS256, "rsa-1"),
        { "kty": "oct", "kid": "oct-1", "alg": "HS256", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA" },
        { "kty": "OKP", "crv": "Ed25519", "kid": "ed-1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] })
});

fn verifier() -> Verifier {
    Verifier::new(Settings {
        hs256_secret: Some(Secret::new(SECRET)),
        keys: PublicKeys::parse(&JWKS.to_string()).unwrap(),
        issuer: ISSUER.to_owned(),
        legacy_service_role: false,
    })
    .unwrap()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(NOW, 0).unwrap()
}

fn b64(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "authenticated", "exp": NOW + 3600, "iat": NOW - 10, "sub": USER, "role": "authenticated",
        "aal": "aal1", "session_id": "c0ffee", "email": "ana@example.com", "phone": "", "is_anonymous": false,
        "app_metadata": {}, "user_metadata": {"role": "service_role"}, "amr": [{"method": "password", "timestamp": NOW}]
    })
}

/// The claims with some changed; `null` takes one away.
fn with(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

fn signed_text(header: &str, payload: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", b64(header), b64(payload));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn hs256(claims: &Value) -> String {
    signed_text(
        r#"{"alg":"HS256","typ":"JWT"}"#,
        &claims.to_string(),
        &EncodingKey::from_secret(SECRET.as_bytes()),
        Algorithm::HS256,
    )
}

fn hs256_header(header: &str) -> String {
    signed_text(header, &claims().to_string(), &EncodingKey::from_secret(SECRET.as_bytes()), Algorithm::HS256)
}

fn es256(header: &Value) -> String {
    signed_text(&header.to_string(), &claims().to_string(), &EC, Algorithm::ES256)
}

fn unsigned(header: &str, signature: &str) -> String {
    format!("{}.{}.{signature}", b64(header), b64(claims().to_string()))
}

#[test]
fn valid_tokens_are_accepted() {
    let valid = [
        hs256(&claims()),
        hs256_header(r#"{"alg":"HS256"}"#),
        hs256_header(r#"{"alg":"HS256","typ":"jwt","kid":"3K8dM8kJzZB0k/p+A="}"#),
        hs256_header(r#"{"alg":"HS256","jku":"https://evil.example/keys","x5u":"https://evil.example"}"#),
        es256(&json!({"alg": "ES256", "kid": "ec-1", "typ": "JWT"})),
        es256(&json!({"alg": "ES256", "kid": "ec-1", "jwk": {"kty": "oct", "k": "AAAA"}})),
        signed_text(r#"{"alg":"RS256","kid":"rsa-1"}"#, &claims().to_string(), &RSA, Algorithm::RS256),
        hs256(&with(&json!({"aud": ["authenticated", "other"]}))),
        hs256(&with(&json!({"aud": ["other", "authenticated"]}))),
        hs256(&with(&json!({"exp": NOW - 30}))),
        hs256(&with(&json!({"nbf": NOW + 30, "iat": NOW + 30}))),
        hs256(&with(&json!({"iat": null}))),
        hs256(&with(&json!({"exp": 1_800_000_060.5}))),
        hs256(&with(&json!({"session_id": null, "is_anonymous": null}))),
        hs256(&with(&json!({"sub": USER.to_uppercase()}))),
    ];
    for (position, token) in valid.iter().enumerate() {
        let claims =
            verifier().verify(token, now()).unwrap_or_else(|refusal| panic!("{position}: {refusal}"));
        assert_eq!(claims.user_id.to_string(), USER);
        assert_eq!(claims.role, "authenticated");
    }
}

#[test]
fn the_claims_are_handed_on_as_they_were_signed() {
    let text = format!(
        r#"{{"exp":{},  "iss":"{ISSUER}","aud":"authenticated","role":"authenticated","sub":"{USER}","is_anonymous":true,"n":1.10}}"#,
        NOW + 9
    );
    let token = signed_text(
        r#"{"alg":"HS256"}"#,
        &text,
        &EncodingKey::from_secret(SECRET.as_bytes()),
        Algorithm::HS256,
    );
    let claims = verifier().verify(&token, now()).unwrap();
    assert_eq!(claims.raw, text);
    assert_eq!(claims.exp, NOW + 9);
    assert!(claims.is_anonymous && claims.session_id.is_none());
    assert!(!format!("{claims:?}").contains("iss"));
}

#[test]
fn forged_tokens_are_refused() {
    let forged: Vec<_> =
        [forged::algorithms(), forged::signatures(), forged::key_ids(), forged::shapes(), forged::claims()]
            .concat();
    assert!(forged.len() >= 80, "only {}", forged.len());
    let verifier = verifier();
    let accepted: Vec<_> = forged
        .iter()
        .filter(|(_, token)| verifier.verify(token, now()).is_ok())
        .map(|(name, _)| name)
        .collect();
    assert!(accepted.is_empty(), "{accepted:?}");
}

#[test]
fn the_reasons_that_matter_are_told_apart() {
    let verify = |token: &str| verifier().verify(token, now()).unwrap_err();
    assert_eq!(verify(&es256(&json!({"alg": "ES256", "kid": "ec-2"}))), Refusal::UnknownKey);
    assert_eq!(verify(&hs256(&with(&json!({"exp": NOW - 31})))), Refusal::Expired);
    assert_eq!(verify(&"x".repeat(9_000)), Refusal::TooLong);
}

#[test]
fn without_a_secret_or_without_keys_those_tokens_are_refused() {
    let only = |secret: Option<&str>, keys: &str| {
        Verifier::new(Settings {
            hs256_secret: secret.map(Secret::new),
            keys: PublicKeys::parse(keys).unwrap(),
            issuer: ISSUER.to_owned(),
            legacy_service_role: false,
        })
        .unwrap()
    };
    let es256 = es256(&json!({"alg": "ES256", "kid": "ec-1"}));
    assert_eq!(only(None, &JWKS.to_string()).verify(&hs256(&claims()), now()), Err(Refusal::Algorithm));
    assert!(only(None, &JWKS.to_string()).verify(&es256, now()).is_ok());
    assert_eq!(only(Some(SECRET), "[]").verify(&es256, now()), Err(Refusal::UnknownKey));
}

#[test]
fn a_service_role_key_is_accepted_only_where_it_is_switched_on() {
    let key =
        json!({"iss": "supabase", "ref": "acme", "role": "service_role", "iat": NOW - 9, "exp": NOW + 9});
    let on = Verifier::new(Settings {
        hs256_secret: Some(Secret::new(SECRET)),
        issuer: ISSUER.to_owned(),
        legacy_service_role: true,
        ..Settings::default()
    })
    .unwrap();
    assert_eq!(on.verify_service_role(&hs256(&key), now()), Ok(()));
    assert_eq!(verifier().verify_service_role(&hs256(&key), now()), Err(Refusal::Role));
    for (name, changes) in [
        ("anon", json!({"role": "anon"})),
        ("issuer", json!({"iss": ISSUER})),
        ("subject", json!({"sub": USER})),
        ("expired", json!({"exp": NOW - 31})),
    ] {
        let mut forged = key.clone();
        forged.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        assert!(on.verify_service_role(&hs256(&forged), now()).is_err(), "{name}");
    }
    let foreign = signed_text(
        r#"{"alg":"HS256"}"#,
        &key.to_string(),
        &EncodingKey::from_secret(&[b'x'; 40]),
        Algorithm::HS256,
    );
    assert_eq!(on.verify_service_role(&foreign, now()), Err(Refusal::Signature));
    assert!(on.verify(&hs256(&key), now()).is_err());
}

#[test]
fn settings_that_would_let_anybody_in_are_refused() {
    let settings = |secret: &str, issuer: &str| Settings {
        hs256_secret: Some(Secret::new(secret)),
        issuer: issuer.to_owned(),
        ..Settings::default()
    };
    assert!(Verifier::new(settings("short", ISSUER)).is_err());
    assert!(Verifier::new(settings("", ISSUER)).is_err());
    assert!(Verifier::new(settings(SECRET, "")).is_err());
    for text in ["", "{", "{}", r#"{"keys":7}"#] {
        assert!(PublicKeys::parse(text).is_err(), "{text}");
    }
    let twice = json!([JWKS["keys"][0], JWKS["keys"][0]]).to_string();
    assert!(PublicKeys::parse(&twice).is_err());
    assert_eq!(
        PublicKeys::parse(&JWKS.to_string()).unwrap().len(),
        2,
        "neither the symmetric key nor the other curve"
    );
}

proptest! {
    #[test]
    fn any_text_is_refused_without_a_panic(token in ".{0,200}") {
        prop_assert!(verifier().verify(&token, now()).is_err());
    }

    #[test]
    fn a_changed_character_is_refused(position in any::<prop::sample::Index>(), replacement in "[A-Za-z0-9_.-]") {
        let valid = hs256(&claims());
        let position = position.index(valid.len());
        let changed = format!("{}{replacement}{}", &valid[..position], &valid[position + 1..]);
        prop_assume!(changed != valid);
        prop_assert!(verifier().verify(&changed, now()).is_err());
    }
}
