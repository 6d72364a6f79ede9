//! Requests to the Admin GraphQL API: one address, documents from files, everything else as variables.

use crate::{Account, Error, ErrorKind, Exchange, Reply, Request, Result, Step};
use domain::auth::{CredentialKind, Scheme};
use domain::{Fields, Value};
use std::sync::Arc;

/// Released versions live for a year; this one is the newest stable one
/// (<https://shopify.dev/docs/api/usage/versioning>).
pub(super) const API_VERSION: &str = "2026-10";

/// The header that carries the access token.
const TOKEN_HEADER: &str = "X-Shopify-Access-Token";

/// Where further currencies' prices are kept, unless the settings say otherwise: namespace and key.
const PRICES_METAFIELD: &str = "syncline.prices";

/// Where the external key is kept: namespace and key of a metafield with unique values.
pub(super) const KEY_NAMESPACE: &str = "syncline";
pub(super) const KEY_NAME: &str = "key";

/// A shop and how it is set up.
#[derive(Clone)]
pub(super) struct Shop {
    endpoint: Arc<str>,
    /// The API version asked for.
    pub(super) version: Arc<str>,
    scheme: Scheme,
    /// Namespace and key of the metafield that holds further currencies' prices.
    pub(super) prices: (Arc<str>, Arc<str>),
}

impl Shop {
    /// The shop of an account; an error when its settings cannot be used.
    pub(super) fn of(account: &Account) -> Result<Self> {
        let version = account.setting("api_version", API_VERSION);
        if !is_version(version) {
            return Err(setting("api_version", "a version is written like 2026-10"));
        }
        let prices = account.setting("prices_metafield", PRICES_METAFIELD);
        let prices = prices
            .rsplit_once('.')
            .filter(|(namespace, key)| namespace.len() >= 3 && key.len() >= 3)
            .ok_or_else(|| setting("prices_metafield", "a metafield is written as namespace.key"))?;
        let scheme = scheme(account.credential).ok_or_else(|| {
            Error::new(ErrorKind::Unauthorized, "Shopify does not take this kind of credential")
        })?;
        let base = account.base_url.as_str().trim_end_matches('/');
        Ok(Self {
            endpoint: format!("{base}/admin/api/{version}/graphql.json").into(),
            version: version.into(),
            scheme,
            prices: (prices.0.into(), prices.1.into()),
        })
    }

    /// The variables that every document with a price needs.
    pub(super) fn prices(&self) -> Fields {
        let text = |text: &Arc<str>| Value::String(text.to_string());
        [("pricesNamespace".to_owned(), text(&self.prices.0)), ("pricesKey".to_owned(), text(&self.prices.1))]
            .into_iter()
            .collect()
    }

    /// An exchange that costs this many points at most.
    pub(super) fn ask<T: 'static>(
        &self,
        document: &str,
        variables: Fields,
        cost: u32,
        read: impl Fn(&Reply) -> Result<Step<T>> + Send + 'static,
    ) -> Result<Exchange<T>> {
        Ok(Exchange::steps(self.post(document, variables)?, self.scheme.clone(), read).costing(cost))
    }

    fn post(&self, document: &str, variables: Fields) -> Result<Request> {
        let mut body = Fields::new();
        body.insert("query".to_owned(), Value::String(document.to_owned()));
        body.insert("variables".to_owned(), Value::Object(variables));
        http::Request::post(&*self.endpoint)
            .header(http::header::CONTENT_TYPE, "application/json")
            .header(http::header::ACCEPT, "application/json")
            .body(Value::Object(body).to_string().into_bytes())
            .map_err(|error| setting("base address", &error.to_string()))
    }
}

/// How requests are authenticated with this kind of credential.
pub(super) const fn scheme(credential: CredentialKind) -> Option<Scheme> {
    match credential {
        CredentialKind::AccessToken | CredentialKind::ClientCredentials => Some(Scheme::Header(TOKEN_HEADER)),
        CredentialKind::ApiKey
        | CredentialKind::TokenBased
        | CredentialKind::ClientAssertion
        | CredentialKind::None => None,
    }
}

fn setting(name: &str, why: &str) -> Error {
    Error::new(ErrorKind::Rejected, format!("the setting `{name}` cannot be used: {why}"))
}

fn is_version(text: &str) -> bool {
    text == "unstable"
        || text.split_once('-').is_some_and(|(year, month)| {
            year.len() == 4
                && year.bytes().all(|byte| byte.is_ascii_digit())
                && ["01", "04", "07", "10"].contains(&month)
        })
}

/// A document whose parts between `# each` and `# end` stand there once per record: `_0` becomes `_0`, `_1`, …
///
/// Nothing but numbers goes into the text; what differs between the records are variables.
pub(super) fn repeat(document: &str, count: usize) -> String {
    let mut out = String::with_capacity(document.len().saturating_mul(count.max(1)));
    let mut part = String::new();
    let mut repeating = false;
    for line in document.lines() {
        match line.trim() {
            "# each" => repeating = true,
            "# end" => {
                for position in 0..count {
                    out.push_str(&part.replace("_0", &format!("_{position}")));
                }
                part.clear();
                repeating = false;
            }
            _ => {
                let target = if repeating { &mut part } else { &mut out };
                target.push_str(line);
                target.push('\n');
            }
        }
    }
    out
}

/// Variables of aliased fields: `id` of record 3 is `$id_3`.
pub(super) fn numbered<'a>(records: impl IntoIterator<Item = Vec<(&'a str, Value)>>) -> Fields {
    records
        .into_iter()
        .enumerate()
        .flat_map(|(position, values)| {
            values.into_iter().map(move |(name, value)| (format!("{name}_{position}"), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_marked_parts_are_repeated() {
        let document = "query Q(\n# each\n$id_0: ID!\n# end\n) {\n# each\na_0: node(id: $id_0)\n# end\n}\n";
        let expected =
            "query Q(\n$id_0: ID!\n$id_1: ID!\n) {\na_0: node(id: $id_0)\na_1: node(id: $id_1)\n}\n";
        assert_eq!(repeat(document, 2), expected);
    }

    #[test]
    fn a_version_is_a_quarter() {
        assert!(is_version("2026-10") && is_version("unstable"));
        for wrong in ["", "2026", "2026-11", "../2026-10", "2026-10/..", "20a6-10"] {
            assert!(!is_version(wrong), "{wrong}");
        }
    }
}
