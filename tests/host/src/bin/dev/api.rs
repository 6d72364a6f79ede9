//! Calls the functions, as a page or a script would.

use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Longer than any function may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Who calls.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Caller<'a> {
    /// A person, by token.
    User(&'a str),
    /// The clock or an operator, by secret key.
    Secret(&'a str),
}

/// An answer that is no success.
#[derive(Debug)]
pub(crate) struct Refused {
    what: String,
    status: http::StatusCode,
    text: String,
}

impl Refused {
    /// Whether this is a function's way of saying that its time ran out before the work did: what it has finished is
    /// kept, and another call goes on.
    pub(crate) fn is_cut_short(error: &anyhow::Error) -> bool {
        error.downcast_ref::<Self>().is_some_and(|it| it.status == http::StatusCode::SERVICE_UNAVAILABLE)
    }
}

impl std::error::Error for Refused {}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said = if self.text.is_empty() { "no text; the log above says more" } else { &self.text };
        write!(f, "{} answered {}: {said}", self.what, self.status)
    }
}

/// The functions of one host.
#[derive(Debug)]
pub(crate) struct Api {
    base: String,
    http: Client<HttpConnector, Full<Bytes>>,
}

impl Api {
    /// For the host at this address.
    pub(crate) fn new(host: &str) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self { base: format!("{host}/functions/v1"), http }
    }

    /// The address that the functions' names come after.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) async fn get(&self, path: &str, caller: Caller<'_>) -> Result<Value> {
        self.call(Method::GET, path, caller, &Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, caller: Caller<'_>, body: &Value) -> Result<Value> {
        self.call(Method::POST, path, caller, body).await
    }

    /// Calls a function and answers its body; anything but a success is [`Refused`], with what the function said.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        caller: Caller<'_>,
        body: &Value,
    ) -> Result<Value> {
        let what = format!("{method} {path}");
        let exchange = self.exchange(method, path, caller, body);
        let done = tokio::time::timeout(PATIENCE, exchange).await;
        let (status, text) = done
            .with_context(|| format!("{what}: no answer within {} s", PATIENCE.as_secs()))?
            .with_context(|| what.clone())?;
        if !status.is_success() {
            return Err(Refused { what, status, text }.into());
        }
        serde_json::from_str(&text).with_context(|| format!("{what} answered no JSON: {text}"))
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        caller: Caller<'_>,
        body: &Value,
    ) -> Result<(http::StatusCode, String)> {
        let request = Request::builder().method(method).uri(format!("{}/{path}", self.base));
        let request = match caller {
            Caller::User(token) => request.header("authorization", format!("Bearer {token}")),
            Caller::Secret(key) => request.header("apikey", key),
        };
        let request = if body.is_null() {
            request.body(Full::default())
        } else {
            request.header("content-type", "application/json").body(Full::from(body.to_string()))
        };
        let (parts, body) = self.http.request(request?).await?.into_parts();
        let bytes = body.collect().await?.to_bytes();
        Ok((parts.status, String::from_utf8_lossy(&bytes).into_owned()))
    }
}
