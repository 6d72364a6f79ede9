//! An n8n server: its public API, its webhooks, its MCP server and its health.

mod arrivals;
mod body;
mod execution;
mod executions;
mod filter;
mod grip;
mod handle;
mod mcp;
mod page;
mod problem;
mod publishing;
mod routes;
mod rows;
mod runs;
mod settings;
mod state;
mod table;
mod tables;
mod tags;
mod views;
mod webhooks;
mod workflow;
mod workflows;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub use execution::Plan;
pub use handle::N8nHandle;
pub use views::{N8nExecution, N8nWorkflow};

use crate::account::Platform;
use crate::clock::Clock;
use crate::web::{Reply, Request};
use arrivals::Arrivals;
use problem::Problem;
use state::State;

/// Where the public API is.
const API: &str = "/api/v1";

/// How far a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The API answers.
    Running,
    /// The web server answers, the API is not there yet.
    Starting,
    /// Nothing listens.
    Stopped,
}

/// One server.
#[derive(Debug)]
pub(crate) struct Instance {
    state: State,
    api_key: Option<String>,
    mcp_key: String,
    /// What the key may do; everything when nothing is said.
    scopes: Option<Vec<String>>,
    phase: Phase,
    /// Whether it is a version before publishing had paths of its own.
    old_version: bool,
    otel: Value,
    arrivals: Arrivals,
}

impl Instance {
    pub(crate) fn new(seed: u64, clock: Clock) -> Self {
        let mut state = State::new(seed, clock);
        let (api_key, mcp_key) = (key(&mut state, "public-api"), key(&mut state, "mcp-server-api"));
        Self {
            state,
            api_key: Some(api_key),
            mcp_key,
            scopes: None,
            phase: Phase::Running,
            old_version: false,
            otel: settings::otel_off(),
            arrivals: Arrivals::default(),
        }
    }

    fn route(&mut self, request: &Request) -> Result<Reply, Problem> {
        let (method, path) = (request.method.as_str(), request.path.as_str());
        match (method, path) {
            ("GET", "/healthz/readiness") if self.phase == Phase::Starting => {
                return Ok(Reply::json(503, &json!({ "status": "error" })));
            }
            ("GET", "/healthz" | "/healthz/readiness") => {
                return Ok(Reply::json(200, &json!({ "status": "ok" })));
            }
            _ => {}
        }
        if self.phase == Phase::Starting {
            return Err(Problem::cannot(method, path));
        }
        if let Some(path) = path.strip_prefix("/webhook/") {
            return webhooks::answer(self, request, path);
        }
        if let Some(path) = path.strip_prefix("/webhook-test/") {
            return Ok(webhooks::unregistered(method, path));
        }
        if path == "/mcp-server/http" {
            return mcp::answer(self, request);
        }
        match path.strip_prefix(API) {
            Some(rest) if rest.starts_with('/') => routes::answer(self, request, rest),
            _ => Err(Problem::cannot(method, path)),
        }
    }

    /// The key in the header of its own; a bearer is no key.
    fn let_in(&self, request: &Request) -> Result<(), Problem> {
        let given = request.header("x-n8n-api-key");
        if given.is_empty() || self.api_key.as_deref() != Some(given) {
            return Err(Problem::new(401, "Unauthorized"));
        }
        Ok(())
    }

    fn needs(&self, scope: &str) -> Result<(), Problem> {
        let may = |scopes: &Vec<String>| scopes.iter().any(|granted| granted == scope);
        if scope.is_empty() || self.scopes.as_ref().is_none_or(may) {
            Ok(())
        } else {
            Err(Problem::new(403, "Forbidden"))
        }
    }
}

impl Platform for Instance {
    fn arrive(&mut self, request: &Request) -> bool {
        if request.path.starts_with(API) {
            self.arrivals.count();
        }
        self.phase != Phase::Stopped
    }

    fn answer(&mut self, request: &Request) -> Reply {
        self.state.settle();
        let reply = self.route(request).unwrap_or_else(|problem| problem.reply());
        let reply = reply.with_effects(std::mem::take(&mut self.state.effects));
        if request.method == http::Method::GET && reply.status == 200 && request.path.starts_with(API) {
            return tagged(reply, request.header("if-none-match"));
        }
        reply
    }

    fn resume(&mut self, ticket: u64) -> Option<Reply> {
        self.state.settle();
        runs::ended(&mut self.state, ticket)
    }

    /// There is no index that could be late.
    fn delay_index(&mut self, _seconds: i64) {}
}

/// The reply with its tag, or nothing new for who has it already.
fn tagged(reply: Reply, known: &str) -> Reply {
    let hash = STANDARD_NO_PAD.encode(Sha256::digest(&reply.body));
    let tag = format!("W/\"{:x}-{}\"", reply.body.len(), hash.get(..27).unwrap_or(&hash));
    if known.split(',').any(|one| one.trim() == tag) {
        return Reply::empty(304).with("etag", tag);
    }
    reply.with("etag", tag)
}

/// A key in the shape of the vendor's: a token that says whom it is for.
fn key(state: &mut State, audience: &str) -> String {
    let claims = json!({ "aud": audience, "iss": "n8n", "sub": state.new_uuid() }).to_string();
    let claims = STANDARD_NO_PAD.encode(claims);
    format!("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.{claims}.{}", state.dice.token(43))
}

/// A time as the API writes it.
fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
