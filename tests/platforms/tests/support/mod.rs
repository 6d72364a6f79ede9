//! A small client, and signatures made independently of the code under test.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use platforms::{NetsuiteHandle, ShopifyHandle};
use serde_json::{Value, json};
use sha2::Sha256;

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

pub(crate) fn client() -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).build_http()
}

/// Sends one request on a connection of its own.
pub(crate) async fn send(
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> anyhow::Result<Answer> {
    let mut request = hyper::Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = client().request(request.body(Full::new(Bytes::from(body.to_owned())))?).await?;
    let (head, body) = response.into_parts();
    let text = String::from_utf8_lossy(&body.collect().await?.to_bytes()).into_owned();
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, text })
}

pub(crate) fn graphql_uri(shop: &ShopifyHandle) -> String {
    format!("{}/admin/api/2026-10/graphql.json", shop.address())
}

/// Runs a document with the static token.
pub(crate) async fn graphql(shop: &ShopifyHandle, query: &str, variables: Value) -> anyhow::Result<Value> {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let headers = [("content-type", "application/json"), ("x-shopify-access-token", &shop.token())];
    let answer = send("POST", &graphql_uri(shop), &headers, &body).await?;
    anyhow::ensure!(answer.status == 200, "{} {}", answer.status, answer.text);
    Ok(answer.json())
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// The `Authorization` header of a signed request; `query` holds decoded pairs.
pub(crate) fn oauth1(
    books: &NetsuiteHandle,
    method: &str,
    path: &str,
    query: &[(&str, &str)],
    timestamp: i64,
    nonce: &str,
) -> String {
    let tba = books.tba();
    let timestamp = timestamp.to_string();
    let own = [
        ("oauth_consumer_key", tba.consumer_key.as_str()),
        ("oauth_nonce", nonce),
        ("oauth_signature_method", "HMAC-SHA256"),
        ("oauth_timestamp", timestamp.as_str()),
        ("oauth_token", tba.token.as_str()),
        ("oauth_version", "1.0"),
    ];
    let mut pairs: Vec<(String, String)> =
        own.iter().chain(query).map(|(name, value)| (encoded(name), encoded(value))).collect();
    pairs.sort();
    let joined = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    let base = format!("{method}&{}&{}", encoded(&format!("{}{path}", books.address())), encoded(&joined));
    let key = format!("{}&{}", encoded(&tba.consumer_secret), encoded(&tba.token_secret));
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(base.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let own = own
        .iter()
        .map(|(name, value)| format!("{name}=\"{}\"", encoded(value)))
        .collect::<Vec<_>>()
        .join(", ");
    format!("OAuth realm=\"{}\", {own}, oauth_signature=\"{}\"", tba.realm, encoded(&signature))
}

pub(crate) fn nonce() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("nonce{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A signed NetSuite request. `target` is the path with its query.
pub(crate) async fn netsuite(
    books: &NetsuiteHandle,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Value,
) -> anyhow::Result<Answer> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let signed = oauth1(books, method, path, &pairs, chrono::Utc::now().timestamp(), &nonce());
    let mut all = vec![("authorization", signed.as_str())];
    if !headers.iter().any(|(name, _)| *name == "content-type") && !body.is_null() {
        all.push(("content-type", "application/json"));
    }
    all.extend_from_slice(headers);
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(method, &format!("{}{target}", books.address()), &all, &body).await
}

/// Runs a SuiteQL query and answers its rows.
pub(crate) async fn suiteql(books: &NetsuiteHandle, sql: &str, params: Value) -> anyhow::Result<Vec<Value>> {
    let target = "/services/rest/query/v1/suiteql?limit=1000&offset=0";
    let answer =
        netsuite(books, "POST", target, &[("prefer", "transient")], json!({ "q": sql, "params": params }))
            .await?;
    anyhow::ensure!(answer.status == 200, "{} {}", answer.status, answer.text);
    Ok(answer.json()["items"].as_array().cloned().unwrap_or_default())
}

/// The first two parts of an assertion for the token endpoint.
pub(crate) fn claims(
    books: &NetsuiteHandle,
    algorithm: &str,
    kid: &str,
    change: impl FnOnce(&mut Value),
) -> String {
    let now = chrono::Utc::now().timestamp();
    let header = json!({ "typ": "JWT", "alg": algorithm, "kid": kid });
    let mut claims = json!({
        "iss": books.client_id(), "scope": ["rest_webservices"], "aud": books.token_url(), "iat": now, "exp": now + 3_000,
    });
    change(&mut claims);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(&header), part(&claims))
}

/// Asks for an access token with an assertion.
pub(crate) async fn token(books: &NetsuiteHandle, assertion: &str) -> anyhow::Result<Answer> {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .append_pair("client_assertion", assertion)
        .finish();
    send("POST", &books.token_url(), &[("content-type", "application/x-www-form-urlencoded")], &form).await
}
