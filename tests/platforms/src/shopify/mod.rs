//! A Shopify shop: the Admin GraphQL API, the token endpoint and webhooks.

mod cost;
mod graphql;
mod handle;
mod metafields;
mod mutations;
mod objects;
mod orders;
mod out;
mod page;
mod product_fields;
mod product_list;
mod product_parts;
mod products;
mod queries;
mod records;
mod resolve;
mod schema;
mod search;
mod seed;
mod state;
mod stock;
mod throttle;
mod variant_list;
mod variants;
mod webhooks;

use std::collections::HashMap;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

pub use handle::ShopifyHandle;
pub use webhooks::Delivery;

use crate::account::Platform;
use crate::clock::Clock;
use crate::dice::Dice;
use crate::web::{Reply, Request};
use state::State;
use throttle::Bucket;

/// The newest version; requests for older ones are answered with it, as falling forward does.
const VERSION: &str = "2026-10";
/// The namespace of metafields that name none.
const APP_NAMESPACE: &str = "app--1";
/// Tokens of the client credentials grant live one day, less a second in `expires_in`.
const TOKEN_SECONDS: i64 = 86_400;
/// Points a bucket holds, and points restored each second, of a Standard plan with the larger bucket.
const BUCKET: (f64, f64) = (2_000.0, 100.0);

const SCOPES: [&str; 9] = [
    "read_products",
    "write_products",
    "read_inventory",
    "write_inventory",
    "read_locations",
    "read_orders",
    "write_orders",
    "read_all_orders",
    "read_customers",
];

/// One shop.
#[derive(Debug)]
pub(crate) struct Shop {
    state: State,
    documents: graphql::Documents,
    access: Access,
    bucket: Bucket,
    version: String,
}

/// Who may come in.
#[derive(Debug)]
struct Access {
    static_token: Option<String>,
    client_id: String,
    client_secret: String,
    scopes: Vec<String>,
    /// Tokens that were given out and when they end.
    tokens: HashMap<String, DateTime<Utc>>,
    dice: Dice,
}

impl Shop {
    pub(crate) fn new(name: &str, seed: u64, clock: Clock) -> Self {
        let mut dice = Dice::new(seed);
        let access = Access {
            static_token: Some(format!("shpat_{}", dice.token(32))),
            client_id: dice.token(32),
            client_secret: format!("shpss_{}", dice.token(32)),
            scopes: SCOPES.map(str::to_owned).to_vec(),
            tokens: HashMap::new(),
            dice: dice.clone(),
        };
        let bucket = Bucket::new(BUCKET.0, BUCKET.1, clock.now());
        let first_id =
            8_000_000_000_000 + u64::from(dice.bytes().first().copied().unwrap_or_default()) * 1_000_000;
        Self {
            state: State::new(name, first_id, clock),
            documents: graphql::Documents::default(),
            access,
            bucket,
            version: VERSION.to_owned(),
        }
    }

    fn graphql(&mut self, request: &Request) -> Reply {
        if let Some(refusal) = self.access.refuse(request, self.state.clock.now()) {
            return refusal;
        }
        let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
            return Reply::json(400, &json!({ "errors": "Bad Request" }));
        };
        if !request.header("content-type").starts_with("application/json") {
            return Reply::json(415, &json!({ "errors": "Unsupported Media Type" }));
        }
        let caller = graphql::Caller {
            scopes: &self.access.scopes,
            bucket: &mut self.bucket,
            refuse: &request.refuse,
        };
        let answer = graphql::run(&mut self.documents, &mut self.state, caller, &body);
        let effects = std::mem::take(&mut self.state.effects);
        Reply::text(200, "application/json; charset=utf-8", answer)
            .with("x-shopify-api-version", &self.version)
            .with_effects(effects)
    }
}

impl Platform for Shop {
    fn answer(&mut self, request: &Request) -> Reply {
        let version =
            request.path.strip_prefix("/admin/api/").and_then(|rest| rest.strip_suffix("/graphql.json"));
        match (request.method.as_str(), request.path.as_str(), version) {
            ("POST", _, Some(version)) if is_version(version) => self.graphql(request),
            ("POST", "/admin/oauth/access_token", _) => self.access.token(request, self.state.clock.now()),
            (_, "/admin/oauth/access_token", _) | (_, _, Some(_)) => {
                Reply::json(404, &json!({ "errors": "Not Found" }))
            }
            _ => Reply::json(404, &json!({ "errors": "Not Found" })),
        }
    }

    fn delay_index(&mut self, seconds: i64) {
        self.state.index_delay = seconds;
    }
}

/// `2026-10`, or `unstable`.
fn is_version(text: &str) -> bool {
    let quarter = text.split_once('-').is_some_and(|(year, month)| {
        year.len() == 4
            && year.bytes().all(|digit| digit.is_ascii_digit())
            && matches!(month, "01" | "04" | "07" | "10")
    });
    quarter || text == "unstable"
}

impl Access {
    /// Refuses a request without a valid token.
    fn refuse(&self, request: &Request, now: DateTime<Utc>) -> Option<Reply> {
        let token = request.header("x-shopify-access-token");
        let known = self.static_token.as_deref() == Some(token)
            || self.tokens.get(token).is_some_and(|end| *end > now);
        if known && !token.is_empty() {
            return None;
        }
        let message = "[API] Invalid API key or access token (unrecognized login or wrong password)";
        Some(
            Reply::json(401, &json!({ "errors": message }))
                .with("www-authenticate", "Basic Realm=\"Shopify API Authentication\""),
        )
    }

    /// The client credentials grant, as a form or as JSON.
    fn token(&mut self, request: &Request, now: DateTime<Utc>) -> Reply {
        let fields: HashMap<String, String> =
            if request.header("content-type").starts_with("application/json") {
                let body: Map<String, Value> = serde_json::from_slice(&request.body).unwrap_or_default();
                body.into_iter()
                    .map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned()))
                    .collect()
            } else {
                url::form_urlencoded::parse(&request.body).into_owned().collect()
            };
        let is = |name: &str, wanted: &str| fields.get(name).is_some_and(|value| value == wanted);
        let refuse = |error: &str, description: &str| {
            Reply::json(400, &json!({ "error": error, "error_description": description }))
        };
        if !is("grant_type", "client_credentials") {
            return refuse("unsupported_grant_type", "The grant type is not supported");
        }
        if !is("client_id", &self.client_id) || !is("client_secret", &self.client_secret) {
            return refuse("invalid_client", "The client id or secret is wrong");
        }
        let token = format!("shpca_{}", self.dice.token(32));
        self.tokens.insert(token.clone(), now + Duration::seconds(TOKEN_SECONDS));
        let expires = TOKEN_SECONDS - 1;
        Reply::json(
            200,
            &json!({ "access_token": token, "scope": self.scopes.join(","), "expires_in": expires }),
        )
    }
}

/// A global id.
fn gid(kind: &str, id: u64) -> String {
    format!("gid://shopify/{kind}/{id}")
}

/// The kind, number and rest (`?…`) of a global id.
fn parse_gid(id: &str) -> Option<(&str, u64, &str)> {
    let (kind, rest) = id.strip_prefix("gid://shopify/")?.split_once('/')?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let (number, rest) = rest.split_at(end);
    Some((kind, number.parse().ok()?, rest))
}

/// The number of a global id of this kind in an argument.
fn numeric(arguments: &Map<String, Value>, name: &str, kind: &str) -> Option<u64> {
    let (found, number, _) = parse_gid(arguments.get(name)?.as_str()?)?;
    (found == kind).then_some(number)
}

/// A time as the API writes it.
fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The digest by which a metafield's value is compared.
fn digest(value: &str) -> String {
    let bytes = Sha256::digest(value.as_bytes());
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    hex.concat()
}
