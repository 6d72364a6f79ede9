//! A server: where it is, and the requests it takes.

use super::failure;
use crate::{Account, Error, ErrorKind, Exchange, Reply, Request, Result, Step, read};
use domain::Value;
use domain::auth::{CredentialKind, Scheme};
use http::Method;
use std::sync::Arc;
use url::Url;

/// Where the public API begins behind the server's address. Accounts may name it with or without.
const API: &str = "/api/v1";

/// The longest id: workflows and data tables have 16 characters.
const LONGEST_ID: usize = 64;

/// What requests depend on.
pub(super) struct Setup {
    root: Url,
    scheme: Scheme,
}

/// A server, cheap to hand on from step to step.
pub(super) type Site = Arc<Setup>;

/// The server of an account.
pub(super) fn of(account: &Account) -> Result<Site> {
    let scheme = scheme(account.credential)
        .ok_or_else(|| Error::new(ErrorKind::Unauthorized, "n8n does not take this kind of credential"))?;
    let mut root = account.base_url.clone();
    root.set_query(None);
    root.set_fragment(None);
    let path = root.path().trim_end_matches('/');
    let path = path.strip_suffix(API).unwrap_or(path).trim_end_matches('/').to_owned();
    root.set_path(&path);
    Ok(Arc::new(Setup { root, scheme }))
}

/// How requests to the public API are authenticated with this kind of credential.
pub(super) const fn scheme(credential: CredentialKind) -> Option<Scheme> {
    match credential {
        CredentialKind::ApiKey => Some(Scheme::Header("x-n8n-api-key")),
        CredentialKind::AccessToken
        | CredentialKind::ClientCredentials
        | CredentialKind::TokenBased
        | CredentialKind::ClientAssertion
        | CredentialKind::None => None,
    }
}

/// An id that becomes part of an address. `what` names the thing in the refusal.
pub(super) fn id<'a>(id: &'a str, what: &str) -> Result<&'a str> {
    let fits = (1..=LONGEST_ID).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if fits {
        return Ok(id);
    }
    Err(Error::new(ErrorKind::Rejected, format!("`{}` is no id of {what} of n8n", read::excerpt(id))))
}

impl Setup {
    /// The server's own address, below which everything is.
    pub(super) const fn root(&self) -> &Url {
        &self.root
    }

    /// An address below the server's own.
    pub(super) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.root.as_str().trim_end_matches('/'))
    }

    /// An exchange with the public API; anything but success is an error.
    pub(super) fn call<T: 'static>(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        read: impl Fn(&Reply) -> Result<Step<T>> + Send + 'static,
    ) -> Result<Exchange<T>> {
        let read = move |reply: &Reply| failure::of(reply).map_or_else(|| read(reply), Err);
        Ok(self.ask(self.request(method, path, body)?, read))
    }

    /// The same, for what is only read.
    pub(super) fn get<T: 'static>(
        &self,
        path: &str,
        read: impl Fn(&Reply) -> Result<Step<T>> + Send + 'static,
    ) -> Result<Exchange<T>> {
        self.call(Method::GET, path, &Value::Null, read)
    }

    /// An exchange with the public API whose reply is read whatever its status is.
    pub(super) fn ask<T: 'static>(
        &self,
        request: Request,
        read: impl Fn(&Reply) -> Result<Step<T>> + Send + 'static,
    ) -> Exchange<T> {
        Exchange::steps(request, self.scheme.clone(), read)
    }

    /// A request to the public API. Without a body, `null`.
    pub(super) fn request(&self, method: Method, path: &str, body: &Value) -> Result<Request> {
        let address = self.address(&format!("{API}{path}"));
        request(method, &address, "application/json", (!body.is_null()).then_some(body))
    }
}

/// A request to this address, which accepts answers of these types.
pub(super) fn request(method: Method, address: &str, accept: &str, body: Option<&Value>) -> Result<Request> {
    let builder = http::Request::builder().method(method).uri(address).header(http::header::ACCEPT, accept);
    let request = match body {
        None => builder.body(Vec::new()),
        Some(body) => {
            builder.header(http::header::CONTENT_TYPE, "application/json").body(body.to_string().into_bytes())
        }
    };
    request.map_err(|error| Error::unexpected(format!("the request cannot be written: {error}")))
}
