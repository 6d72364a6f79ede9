//! Who is let in, and how many at once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use p256::ecdsa::signature::Signer as _;
use p256::pkcs8::DecodePrivateKey as _;
use platforms::{NetsuiteHandle, Platforms};
use serde_json::{Value, json};

use crate::support::{claims, netsuite, nonce, oauth1, send, token};
use crate::{ITEMS, code};

/// What is wrong with an assertion.
type Change = fn(&mut Value);

async fn server_time(books: &NetsuiteHandle, authorization: &str) -> anyhow::Result<u16> {
    let uri = format!("{}/services/rest/system/v1/serverTime", books.address());
    Ok(send("GET", &uri, &[("authorization", authorization)], "").await?.status)
}

#[tokio::test]
async fn a_signature_is_good_once_and_only_in_time() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let books = platforms.netsuite("1234567-sb1");
    assert_eq!(books.tba().realm, "1234567_SB1");
    let path = "/services/rest/system/v1/serverTime";
    let now = chrono::Utc::now().timestamp();
    let signed = oauth1(&books, "GET", path, &[], now, &nonce());
    assert_eq!(server_time(&books, &signed).await?, 200);
    assert_eq!(server_time(&books, &signed).await?, 401, "a nonce is used once");
    assert_eq!(server_time(&books, &oauth1(&books, "GET", path, &[], now - 600, &nonce())).await?, 401);
    assert_eq!(server_time(&books, &oauth1(&books, "POST", path, &[], now, &nonce())).await?, 401);
    assert_eq!(server_time(&books, "").await?, 401);
    assert_eq!(server_time(&books, "Bearer nothing").await?, 401);
    Ok(())
}

#[tokio::test]
async fn assertions_are_verified_and_tokens_end() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let books = platforms.netsuite("1234567");
    let key = p256::ecdsa::SigningKey::from_pkcs8_pem(&books.private_key_pem())?;
    let sign = |text: String| {
        let signature: p256::ecdsa::Signature = key.sign(text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    };
    let kid = books.certificate_id();
    let granted = token(&books, &sign(claims(&books, "ES256", &kid, |_| {}))).await?;
    assert_eq!(granted.status, 200, "{}", granted.text);
    assert_eq!(granted.json()["expires_in"], "3600");
    let bearer = format!("Bearer {}", granted.json()["access_token"].as_str().unwrap());
    assert_eq!(server_time(&books, &bearer).await?, 200);
    platforms.clock().advance(Duration::minutes(61));
    assert_eq!(server_time(&books, &bearer).await?, 401);
    platforms.clock().advance(Duration::minutes(-61));
    let changes: [Change; 4] = [
        |it| it["aud"] = json!("https://elsewhere.example/token"),
        |it| it["exp"] = json!(it["iat"].as_i64().unwrap() + 4_000),
        |it| it["scope"] = json!(["restlets"]),
        |it| it["iss"] = json!("someone"),
    ];
    for change in changes {
        let refused = token(&books, &sign(claims(&books, "ES256", &kid, change))).await?;
        assert_eq!((refused.status, refused.json()["error"].as_str()), (400, Some("invalid_grant")));
    }
    assert_eq!(token(&books, &sign(claims(&books, "ES256", "other", |_| {}))).await?.status, 400);
    let mut forged = sign(claims(&books, "ES256", &kid, |_| {}));
    forged.truncate(forged.len() - 8);
    assert_eq!(token(&books, &forged).await?.status, 400);
    Ok(())
}

#[tokio::test]
async fn ps256_assertions_are_verified_too() -> anyhow::Result<()> {
    use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _};
    let platforms = Platforms::start(1)?;
    let books = platforms.netsuite("1234567");
    let (kid, pem) = books.rsa_certificate();
    let key = rsa::pss::SigningKey::<rsa::sha2::Sha256>::new(rsa::RsaPrivateKey::from_pkcs8_pem(&pem)?);
    let text = claims(&books, "PS256", &kid, |_| {});
    let mut chance = <rand_chacha::ChaCha20Rng as rand_chacha::rand_core::SeedableRng>::seed_from_u64(1);
    let signature = key.sign_with_rng(&mut chance, text.as_bytes());
    let assertion = format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()));
    assert_eq!(token(&books, &assertion).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn more_requests_than_the_limit_are_refused() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let books = platforms.netsuite("1234567");
    books.set_concurrency(2);
    books.set_latency(std::time::Duration::from_millis(300));
    let calls = (0..4).map(|_| {
        let books = books.clone();
        tokio::spawn(async move { netsuite(&books, "GET", ITEMS, &[], Value::Null).await.unwrap() })
    });
    let calls: Vec<_> = calls.collect();
    let mut refused = 0;
    for call in calls {
        let answer = call.await?;
        if answer.status == 429 {
            assert_eq!(code(&answer), "CONCURRENCY_LIMIT_EXCEEDED");
            refused += 1;
        }
    }
    assert_eq!(refused, 2);
    Ok(())
}
