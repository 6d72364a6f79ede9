//! An account, which HubSpot calls a portal: how it is set up, and the requests it takes.

use super::contact;
use super::failure;
use crate::{Account, Error, ErrorKind, Exchange, Reply, Request, Result, Step};
use domain::Value;
use domain::auth::{CredentialKind, Scheme};
use http::Method;
use std::sync::Arc;

/// Where contacts are.
pub(super) const CONTACTS: &str = "/crm/v3/objects/contacts";
/// Where the properties of contacts are described.
pub(super) const PROPERTIES: &str = "/crm/v3/properties/contacts";

/// The longest name of a property
/// (<https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide>).
const LONGEST_NAME: usize = 100;
/// More further properties than a page of records could carry.
const MOST_PROPERTIES: usize = 200;

/// What requests and replies depend on.
pub(super) struct Setup {
    base: String,
    scheme: Scheme,
    /// The unique property that holds our external key.
    pub(super) key: String,
    /// The further properties that are synced, by their names in HubSpot.
    pub(super) more: Vec<String>,
}

/// A portal, cheap to hand on from step to step.
pub(super) type Portal = Arc<Setup>;

/// The portal of an account; an error when its settings cannot be used.
pub(super) fn of(account: &Account) -> Result<Portal> {
    let scheme = scheme(account.credential).ok_or_else(|| {
        Error::new(ErrorKind::Unauthorized, "HubSpot does not take this kind of credential")
    })?;
    let key = account.setting("key_property", "syncline_key").to_owned();
    if !is_name(&key) || contact::is_known(&key) {
        return Err(setting("key_property", "must be the name of a property of your own"));
    }
    let more = more(account)?;
    if more.contains(&key) {
        return Err(setting("properties", "must not name the property of the key"));
    }
    Ok(Arc::new(Setup {
        base: account.base_url.as_str().trim_end_matches('/').to_owned(),
        scheme,
        key,
        more,
    }))
}

/// How requests are authenticated with this kind of credential: the token of a private app, or a service key.
pub(super) const fn scheme(credential: CredentialKind) -> Option<Scheme> {
    match credential {
        CredentialKind::AccessToken => Some(Scheme::Bearer),
        CredentialKind::ClientCredentials
        | CredentialKind::TokenBased
        | CredentialKind::ClientAssertion
        | CredentialKind::ApiKey
        | CredentialKind::None => None,
    }
}

fn more(account: &Account) -> Result<Vec<String>> {
    const NAME: &str = "properties";
    let names = match account.settings.get(NAME) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(names)) if names.len() <= MOST_PROPERTIES => names,
        Some(_) => return Err(setting(NAME, "must be a list of up to 200 names")),
    };
    let mut more = Vec::new();
    for name in names {
        let name = name.as_str().filter(|name| is_name(name));
        let name = name.ok_or_else(|| setting(NAME, "each must be the internal name of a property"))?;
        if let Some(field) = contact::field_of(name) {
            return Err(setting(NAME, &format!("`{name}` is the field `{field}` already")));
        }
        if !more.iter().any(|one| one == name) {
            more.push(name.to_owned());
        }
    }
    Ok(more)
}

/// Names become part of addresses and searches: they hold nothing but what HubSpot's own names hold.
fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn setting(name: &str, why: &str) -> Error {
    Error::new(ErrorKind::Rejected, format!("the setting `{name}` cannot be used: {why}"))
}

impl Setup {
    /// An exchange that reads a path; anything but success is an error.
    pub(super) fn get<T: 'static>(
        &self,
        path: &str,
        read: impl Fn(&Reply) -> Result<Step<T>> + Send + 'static,
    ) -> Result<Exchange<T>> {
        Ok(self.ask(self.request(Method::GET, path, &Value::Null)?, unless_failed(read)))
    }

    /// An exchange that sends a body; anything but success is an error.
    pub(super) fn post<T: 'static>(
        &self,
        path: &str,
        body: &Value,
        read: impl Fn(&Reply) -> Result<Step<T>> + Send + 'static,
    ) -> Result<Exchange<T>> {
        Ok(self.ask(self.request(Method::POST, path, body)?, unless_failed(read)))
    }

    /// An exchange whose reply is read whatever its status is.
    pub(super) fn ask<T: 'static>(
        &self,
        request: Request,
        read: impl Fn(&Reply) -> Result<Step<T>> + Send + 'static,
    ) -> Exchange<T> {
        Exchange::steps(request, self.scheme.clone(), read)
    }

    /// A request for this path, which begins behind the host.
    pub(super) fn request(&self, method: Method, path: &str, body: &Value) -> Result<Request> {
        let builder = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(http::header::ACCEPT, "application/json");
        let request = if body.is_null() {
            builder.body(Vec::new())
        } else {
            let builder = builder.header(http::header::CONTENT_TYPE, "application/json");
            builder.body(body.to_string().into_bytes())
        };
        request.map_err(|error| Error::unexpected(format!("the request cannot be written: {error}")))
    }
}

fn unless_failed<T>(
    read: impl Fn(&Reply) -> Result<Step<T>> + Send + 'static,
) -> impl Fn(&Reply) -> Result<Step<T>> + Send + 'static {
    move |reply| failure::of(reply).map_or_else(|| read(reply), Err)
}
