//! Requests as the simulators read them and replies as they give them.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;

use crate::journal::Effect;

/// A request, read whole, with the path inside the account (`/admin/…`, `/services/…`).
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// The path inside the account, still percent-encoded.
    pub(crate) path: String,
    /// The query string as it came.
    pub(crate) query: String,
    /// The address the caller used up to the account: `http://127.0.0.1:4000/netsuite/1234567`.
    pub(crate) base: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Items of a batch that the fault plan wants refused, by position.
    pub(crate) refuse: Vec<usize>,
}

impl Request {
    /// A header as text, empty if absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The query parameters, decoded, in their order.
    pub(crate) fn query_pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        url::form_urlencoded::parse(self.query.as_bytes())
    }

    /// One query parameter.
    pub(crate) fn query_value(&self, name: &str) -> Option<String> {
        self.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The path and query as one text, for the journal.
    pub(crate) fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }
}

/// A reply and what was done to give it.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    pub(crate) effects: Vec<Effect>,
    /// What the caller has to wait for, by a number of the platform's.
    pub(crate) waits: Option<u64>,
}

impl Reply {
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), effects: Vec::new(), waits: None }
    }

    /// An answer that comes as soon as the platform has it.
    pub(crate) fn later(ticket: u64) -> Self {
        Self { waits: Some(ticket), ..Self::empty(0) }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json; charset=utf-8", body.to_string())
    }

    pub(crate) fn text(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self::empty(status).with("content-type", content_type).with_body(body.into())
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn with_body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }

    pub(crate) fn with_effects(mut self, effects: Vec<Effect>) -> Self {
        self.effects = effects;
        self
    }

    /// The headers in their typed form; one that cannot be sent is left out.
    pub(crate) fn header_map(&self) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(*name), HeaderValue::try_from(value.as_str()))
            {
                map.append(name, value);
            }
        }
        map
    }
}
