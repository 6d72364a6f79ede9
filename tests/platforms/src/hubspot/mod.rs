//! A HubSpot account: contacts and their properties.

mod batch;
mod handle;
mod limits;
mod objects;
mod problem;
mod properties;
mod search;
mod shown;
mod state;
mod values;
mod writes;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

pub use handle::{Contact, HubspotHandle, contact};

use crate::account::Platform;
use crate::clock::Clock;
use crate::dice::Dice;
use crate::web::{Reply, Request};
use limits::Limits;
use problem::Problem;
use state::State;

const READ: &str = "crm.objects.contacts.read";
const WRITE: &str = "crm.objects.contacts.write";
const DESCRIBE: &str = "crm.schemas.contacts.read";
const DEFINE: &str = "crm.schemas.contacts.write";

/// One account, which HubSpot calls a portal.
#[derive(Debug)]
pub(crate) struct Portal {
    state: State,
    limits: Limits,
    token: Option<String>,
    scopes: Vec<String>,
    number: u64,
    dice: Dice,
    /// Whether batches whose inputs are all traced may succeed in part.
    multi_status: bool,
}

/// What a request does with a body that was read.
type Act = fn(&mut Portal, &Request, &Value) -> Result<Reply, Problem>;

impl Portal {
    pub(crate) fn new(seed: u64, clock: Clock) -> Self {
        let mut dice = Dice::new(seed);
        let token = format!("pat-{}", dice.token(32));
        let number = 20_000_000 + seed % 100_000_000;
        Self {
            limits: Limits::new(),
            state: State::new(clock),
            token: Some(token),
            scopes: [READ, WRITE, DESCRIBE, DEFINE].map(str::to_owned).to_vec(),
            number,
            dice,
            multi_status: true,
        }
    }

    fn route(&mut self, request: &Request) -> Result<Reply, Problem> {
        self.let_in(request)?;
        let path = request.path.as_str();
        if let Some(rest) = path.strip_prefix("/crm/v3/objects/contacts") {
            return self.objects(request, rest);
        }
        if let Some(rest) = path.strip_prefix("/crm/v3/properties/contacts") {
            return self.definitions(request, rest);
        }
        match (request.method.as_str(), path) {
            ("GET", "/account-info/v3/details") => Ok(Reply::json(200, &self.details())),
            _ => Err(Problem::no_address()),
        }
    }

    /// A private app's token, as a bearer.
    fn let_in(&self, request: &Request) -> Result<(), Problem> {
        let token = request.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
        if token.is_empty() {
            let message = "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview";
            return Err(Problem::new(401, "INVALID_AUTHENTICATION", message));
        }
        if self.token.as_deref() != Some(token) {
            let message = "The access token you provided is invalid or was revoked.";
            return Err(Problem::new(401, "INVALID_AUTHENTICATION", message));
        }
        Ok(())
    }

    fn details(&self) -> Value {
        json!({
            "portalId": self.number, "accountType": "STANDARD", "timeZone": "Europe/Zurich", "companyCurrency": "EUR",
            "additionalCurrencies": [], "utcOffset": "+01:00", "utcOffsetMilliseconds": 3_600_000,
            "uiDomain": "app-eu1.hubspot.com", "dataHostingLocation": "eu1",
        })
    }

    fn objects(&mut self, request: &Request, rest: &str) -> Result<Reply, Problem> {
        let (scope, act): (&str, Act) = match (request.method.as_str(), rest) {
            ("GET", "") => (READ, objects::list),
            ("POST", "") => (WRITE, writes::create),
            ("POST", "/search") => (READ, search::answer),
            ("POST", "/batch/read") => (READ, objects::batch_read),
            ("POST", "/batch/create") => (WRITE, batch::create),
            ("POST", "/batch/update") => (WRITE, batch::update),
            ("POST", "/batch/upsert") => (WRITE, batch::upsert),
            ("POST", "/batch/archive") => (WRITE, batch::archive),
            ("GET", _) if one(rest).is_some() => (READ, objects::get),
            ("PATCH", _) if one(rest).is_some() => (WRITE, writes::update),
            ("DELETE", _) if one(rest).is_some() => (WRITE, writes::archive),
            _ => return Err(Problem::no_address()),
        };
        self.needs(scope)?;
        act(self, request, &body(request)?)
    }

    fn definitions(&mut self, request: &Request, rest: &str) -> Result<Reply, Problem> {
        let (scopes, act): (&[&str], Act) = match (request.method.as_str(), one(rest)) {
            ("GET", None) if rest.is_empty() => (&[READ, DESCRIBE], properties::list),
            ("POST", None) if rest.is_empty() => (&[DEFINE], properties::create),
            ("GET", Some(_)) => (&[READ, DESCRIBE], properties::get),
            _ => return Err(Problem::no_address()),
        };
        if !scopes.iter().any(|scope| self.needs(scope).is_ok()) {
            self.needs(scopes.first().unwrap_or(&READ))?;
        }
        act(self, request, &body(request)?)
    }

    fn needs(&self, scope: &str) -> Result<(), Problem> {
        if self.scopes.iter().any(|granted| granted == scope) { Ok(()) } else { Err(Problem::scope(scope)) }
    }
}

impl Platform for Portal {
    fn answer(&mut self, request: &Request) -> Reply {
        let now = self.state.clock.now();
        let is_search = request.path.ends_with("/search");
        let correlation = self.dice.token(32);
        let answer = self.limits.take(now, is_search).and_then(|()| self.route(request));
        let reply = answer.unwrap_or_else(|problem| problem.reply(&correlation));
        let reply = reply.with_effects(std::mem::take(&mut self.state.effects));
        let reply = reply.with("date", now.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
        if is_search { reply } else { self.limits.tell(reply) }
    }

    fn delay_index(&mut self, seconds: i64) {
        self.state.index_delay = seconds;
    }
}

/// The name behind the collection, where the rest of the path is one.
fn one(rest: &str) -> Option<&str> {
    rest.strip_prefix('/').filter(|name| !name.is_empty() && !name.contains('/'))
}

/// The body as JSON; null where the method has none.
fn body(request: &Request) -> Result<Value, Problem> {
    if !matches!(request.method.as_str(), "POST" | "PATCH") {
        return Ok(Value::Null);
    }
    if !request.header("content-type").starts_with("application/json") {
        return Err(Problem::new(415, "UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type"));
    }
    let body = serde_json::from_slice::<Value>(&request.body).ok().filter(Value::is_object);
    body.ok_or_else(|| Problem::invalid("Invalid input JSON on line 1, column 1: the body is no JSON object"))
}

/// A time as the API writes it.
fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
