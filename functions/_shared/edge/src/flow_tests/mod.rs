//! The whole way of a request, natively: a made-up world in place of the host.

mod doors;
mod once;
mod shape;

use super::*;
use crate::idempotency::{Begun, Ledger};
use crate::keys::KeyCache;
use crate::{Accepted, Empty, Nothing};
use chrono::{DateTime, Utc};
use futures::executor::block_on;
use http_body_util::Full;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use uuid::Uuid;

const USER: &str = "6f1de0a4-6a1f-4b9f-9d3e-2b1c0a9d8e7f";
const ISSUER: &str = "https://acme.supabase.co/auth/v1";
const SECRET: &str = "super-secret-jwt-token-with-at-least-32-characters";
const KEY: &str = "sb_secret_0123456789abcdefghijkl";
const NOW: i64 = 1_800_000_000;

type Kept = Rc<RefCell<HashMap<(String, String), (String, Option<(u16, String)>)>>>;

struct Made {
    variables: HashMap<&'static str, String>,
    keys: KeyCache,
    jwks: RefCell<Result<String, String>>,
    fetches: Cell<usize>,
    lines: RefCell<Vec<String>>,
    kept: Kept,
    in_time: bool,
}

impl Made {
    fn new() -> Self {
        let variables = HashMap::from([
            ("jwt_issuer", ISSUER.to_owned()),
            ("jwt_secret", SECRET.to_owned()),
            ("secret_keys", json!({ "default": KEY }).to_string()),
        ]);
        Self {
            variables,
            keys: KeyCache::new(),
            jwks: RefCell::new(Err("down".to_owned())),
            fetches: Cell::new(0),
            lines: RefCell::default(),
            kept: Kept::default(),
            in_time: true,
        }
    }

    fn set(mut self, name: &'static str, value: &str) -> Self {
        self.variables.insert(name, value.to_owned());
        self
    }

    fn unset(mut self, name: &'static str) -> Self {
        self.variables.remove(name);
        self
    }

    fn line(&self) -> Value {
        serde_json::from_str(self.lines.borrow().last().unwrap()).unwrap()
    }
}

struct Keys(Kept);

impl Ledger for Keys {
    async fn begin(&self, entry: &Entry<'_>) -> Result<Begun, Problem> {
        let place = (entry.scope.to_owned(), entry.key.to_owned());
        let known = self.0.borrow().get(&place).cloned();
        Ok(match known {
            None => {
                self.0.borrow_mut().insert(place, (entry.fingerprint.to_owned(), None));
                Begun::Fresh { attempt: Uuid::nil() }
            }
            Some((fingerprint, _)) if fingerprint != entry.fingerprint => Begun::Mismatch,
            Some((_, None)) => Begun::Running { retry_after_seconds: 3 },
            Some((_, Some((status, body)))) => Begun::Replay { status, body },
        })
    }

    async fn finish(&self, entry: &Entry<'_>, _: Uuid, status: u16, body: &str) -> Result<bool, Problem> {
        let place = (entry.scope.to_owned(), entry.key.to_owned());
        self.0.borrow_mut().insert(place, (entry.fingerprint.to_owned(), Some((status, body.to_owned()))));
        Ok(true)
    }

    async fn forget(&self, entry: &Entry<'_>, _: Uuid) -> Result<bool, Problem> {
        Ok(self.0.borrow_mut().remove(&(entry.scope.to_owned(), entry.key.to_owned())).is_some())
    }
}

impl World for Made {
    type Ledger = Keys;

    async fn variable(&self, name: &str) -> Result<Option<String>, String> {
        match self.variables.get(name).map(String::as_str) {
            Some("broken") => Err(format!("the variable {name}: no provider")),
            value => Ok(value.map(ToOwned::to_owned)),
        }
    }

    async fn fetch(&self, _: &str, _: usize) -> Result<Vec<u8>, String> {
        self.fetches.set(self.fetches.get() + 1);
        self.jwks.borrow().clone().map(String::into_bytes)
    }

    async fn sleep(&self, _: Duration) {
        if self.in_time {
            std::future::pending::<()>().await;
        }
    }

    async fn ledger(&self) -> Result<Keys, Problem> {
        Ok(Keys(Rc::clone(&self.kept)))
    }

    fn keys(&self) -> &KeyCache {
        &self.keys
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(NOW, 0).unwrap()
    }

    fn random(&self) -> [u8; 16] {
        [7; 16]
    }

    fn log(&self, line: &str) {
        self.lines.borrow_mut().push(line.to_owned());
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    name: Option<String>,
    #[serde(default)]
    ids: Vec<u32>,
}

#[derive(Serialize)]
struct Output {
    caller: String,
    name: Option<String>,
    ids: Vec<u32>,
    path: Vec<String>,
}

async fn echo(call: Call<Input>) -> Result<Output, Problem> {
    let caller = match &call.caller {
        Caller::Anonymous => "anonymous".to_owned(),
        Caller::User(user) => user.id.to_string(),
        Caller::Secret { name } => name.clone(),
    };
    Ok(Output { caller, name: call.input.name, ids: call.input.ids, path: call.path })
}

async fn start(_: Call<Input>) -> Result<Accepted<Value>, Problem> {
    Ok(Accepted(json!({"runId": "1", "statusUrl": "/functions/v1/sync-status?id=1"})))
}

async fn remove(call: Call<Nothing>) -> Result<Empty, Problem> {
    call.caller.user()?;
    Ok(Empty)
}

async fn broken(_: Call<Input>) -> Result<Empty, Problem> {
    Err(Problem::internal("canary: the statement failed"))
}

async fn endless(_: Call<Input>) -> Result<Empty, Problem> {
    std::future::pending().await
}

async fn delivered(call: Call<Nothing>) -> Result<Value, Problem> {
    let delivery = call.delivery.ok_or_else(Problem::not_found)?;
    Ok(json!({"bytes": delivery.body.len(), "signature": delivery.headers.contains_key("x-signature")}))
}

fn routes() -> Routes {
    let mut routes = Routes::default();
    routes.add(Method::GET, echo);
    routes.add(Method::POST, echo);
    routes.add(Method::PUT, start);
    routes.add(Method::PATCH, broken);
    routes.add(Method::DELETE, remove);
    routes
}

struct Asked<'a> {
    method: &'a str,
    uri: &'a str,
    headers: Vec<(&'a str, String)>,
    body: Vec<u8>,
}

fn ask<'a>(method: &'a str, uri: &'a str) -> Asked<'a> {
    Asked { method, uri, headers: Vec::new(), body: Vec::new() }
}

impl<'a> Asked<'a> {
    fn with(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn by_user(self) -> Self {
        self.with("authorization", format!("Bearer {}", token(&json!({}))))
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn send(self, world: &Made, door: Door) -> Response<Bytes> {
        self.send_to(world, door, routes())
    }

    fn send_to(self, world: &Made, door: Door, routes: Routes) -> Response<Bytes> {
        let mut request = Request::builder().method(self.method).uri(self.uri);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        block_on(run(world, request.body(Full::new(Bytes::from(self.body))).unwrap(), door, routes))
    }
}

/// A user's token, signed with the project's secret, with some claims changed.
fn token(changes: &Value) -> String {
    let mut claims =
        json!({"iss": ISSUER, "aud": "authenticated", "role": "authenticated", "sub": USER, "exp": NOW + 60});
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap()
}

fn json_of(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

fn header<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

const HERE: &str = "https://host/functions/v1/echo";
