//! An account: where it is, how it is set up, and the requests it takes.

use super::failure;
use crate::{Account, Error, ErrorKind, Exchange, Reply, Request, Result, Step, read};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use domain::auth::{CredentialKind, Scheme};
use domain::{Fields, Value};
use std::sync::Arc;

/// Times as we ask for them and send them: to the second, in the account's own zone.
const TIME: &str = "%Y-%m-%dT%H:%M:%S";

/// Where fields live that NetSuite does not have.
pub(super) struct CustomFields {
    pub(super) tags: String,
    pub(super) images: String,
    pub(super) options: String,
    pub(super) category: String,
    pub(super) compare_at_price: String,
}

/// What requests and replies depend on.
pub(super) struct Setup {
    base: String,
    scheme: Scheme,
    pub(super) custom: CustomFields,
    /// What the zone of SuiteQL's times is ahead of UTC.
    zone: TimeDelta,
    /// The internal id of the currency that `price` is in.
    pub(super) base_currency: u64,
    /// The internal id of the price level that is kept equal.
    pub(super) price_level: u64,
    /// Who buys orders that come from elsewhere.
    pub(super) customer: Option<String>,
    /// The account that inventory adjustments are booked on, and the subsidiary they belong to.
    pub(super) adjustment_account: Option<String>,
    pub(super) subsidiary: Option<String>,
    /// What every new item is given besides (tax schedule, subsidiary, accounts).
    pub(super) item_defaults: Fields,
}

/// An account, cheap to hand on from step to step.
pub(super) type Site = Arc<Setup>;

/// The site of an account; an error when its settings cannot be used.
pub(super) fn of(account: &Account) -> Result<Site> {
    let scheme = scheme(account).ok_or_else(|| {
        Error::new(ErrorKind::Unauthorized, "NetSuite does not take this kind of credential")
    })?;
    let zone = number(account, "time_zone_offset_minutes")?.unwrap_or(0);
    let id = |name: &str, default: u64| -> Result<u64> {
        number(account, name)?
            .map_or(Ok(default), |id| u64::try_from(id).map_err(|_| setting(name, "must be an id")))
    };
    let reference =
        |name: &str| -> Result<Option<String>> { Ok(number(account, name)?.map(|id| id.to_string())) };
    let item_defaults = match account.settings.get("item_defaults") {
        None => Fields::new(),
        Some(Value::Object(fields)) => fields.clone(),
        Some(_) => return Err(setting("item_defaults", "must be an object")),
    };
    Ok(Arc::new(Setup {
        base: account.base_url.as_str().trim_end_matches('/').to_owned(),
        scheme,
        custom: CustomFields {
            tags: custom_field(account, "tags_field", "custitem_syncline_tags")?,
            images: custom_field(account, "images_field", "custitem_syncline_images")?,
            options: custom_field(account, "options_field", "custitem_syncline_options")?,
            category: custom_field(account, "category_field", "custitem_syncline_category")?,
            compare_at_price: custom_field(
                account,
                "compare_at_price_field",
                "custitem_syncline_compare_at_price",
            )?,
        },
        zone: TimeDelta::minutes(zone),
        base_currency: id("base_currency_id", 1)?,
        price_level: id("price_level_id", 1)?,
        customer: reference("default_customer_id")?,
        adjustment_account: reference("adjustment_account_id")?,
        subsidiary: reference("subsidiary_id")?,
        item_defaults,
    }))
}

/// How requests are authenticated.
pub(super) fn scheme(account: &Account) -> Option<Scheme> {
    match account.credential {
        CredentialKind::TokenBased => Some(Scheme::OAuth1 { realm: realm(account) }),
        CredentialKind::ClientAssertion => Some(Scheme::Bearer),
        CredentialKind::AccessToken
        | CredentialKind::ApiKey
        | CredentialKind::ClientCredentials
        | CredentialKind::None => None,
    }
}

/// The account id as OAuth 1.0 wants it: upper case, with `_` where the address has `-`.
fn realm(account: &Account) -> String {
    let host = account.base_url.host_str().unwrap_or_default();
    let id = account.setting("account_id", host.split('.').next().unwrap_or_default());
    id.to_ascii_uppercase().replace('-', "_")
}

fn setting(name: &str, why: &str) -> Error {
    Error::new(ErrorKind::Rejected, format!("the setting `{name}` cannot be used: {why}"))
}

fn number(account: &Account, name: &str) -> Result<Option<i64>> {
    match account.settings.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => read::integer(value).map(Some).ok_or_else(|| setting(name, "must be a whole number")),
    }
}

/// The name of a custom field. It becomes part of SuiteQL, and so may hold nothing but what a name holds.
fn custom_field(account: &Account, name: &str, default: &str) -> Result<String> {
    let field = account.setting(name, default).to_ascii_lowercase();
    let plain = field.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if plain && field.len() <= 60 && field.strip_prefix("custitem").is_some_and(|rest| !rest.is_empty()) {
        Ok(field)
    } else {
        Err(setting(name, "must be the id of a custom item field, custitem…"))
    }
}

impl Setup {
    /// A request for this path, which begins behind the host.
    pub(super) fn request(
        &self,
        method: http::Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Result<Request> {
        let mut builder = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(http::header::ACCEPT, "application/json");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        builder
            .body(body)
            .map_err(|error| Error::unexpected(format!("the request cannot be written: {error}")))
    }

    /// An exchange with this site.
    pub(super) fn ask<T: 'static>(
        &self,
        request: Request,
        read: impl Fn(&Reply) -> Result<Step<T>> + Send + 'static,
    ) -> Exchange<T> {
        Exchange::steps(request, self.scheme.clone(), read)
    }

    /// An exchange that reads a path; anything but success is an error.
    pub(super) fn get<T: 'static>(
        &self,
        path: &str,
        accept: &str,
        read: impl Fn(&Reply) -> Result<Step<T>> + Send + 'static,
    ) -> Result<Exchange<T>> {
        let mut request = self.request(http::Method::GET, path, &[], &Value::Null)?;
        let accept =
            http::HeaderValue::from_str(accept).map_err(|error| Error::unexpected(error.to_string()))?;
        request.headers_mut().insert(http::header::ACCEPT, accept);
        Ok(self.ask(request, move |reply| failure::of(reply).map_or_else(|| read(reply), Err)))
    }

    /// The address of this path.
    pub(super) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// An instant as text in the account's zone.
    pub(super) fn local(&self, time: DateTime<Utc>) -> String {
        time.naive_utc().checked_add_signed(self.zone).unwrap_or(time.naive_utc()).format(TIME).to_string()
    }

    /// The instant that a text in the account's zone means.
    pub(super) fn instant(&self, text: &str) -> Result<DateTime<Utc>> {
        local_time(text)
            .and_then(|time| time.checked_sub_signed(self.zone))
            .map(|time| time.and_utc())
            .ok_or_else(|| Error::unexpected(format!("`{}` is no time", read::excerpt(text))))
    }
}

/// A time as we ask for it, without its zone.
pub(super) fn local_time(text: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text, TIME).ok()
}
