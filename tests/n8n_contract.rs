//! What the connector takes for granted of n8n, asked of the simulated server, and of a real one where `N8N_URL` and
//! `N8N_API_KEY` name it (`N8N_MCP_KEY` for its MCP server as well):
//!
//! ```sh
//! N8N_URL=http://127.0.0.1:5678 N8N_API_KEY=… cargo test -p tests n8n_contract -- --nocapture
//! ```
//!
//! Each test removes what it made. Servers give new ids only, so that a real one may have workflows of its own.

mod executions;
mod rows;
mod whole;
mod workflows;

use connectors::n8n::{self, Definition, Workflow};
use connectors::{Account, Error, ErrorKind, Exchange, Step};
use domain::Fields;
use domain::auth::{CredentialKind, Scheme};
use platforms::{N8nHandle, Plan, Platforms};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// Longer than a real server takes to publish what it says is published.
const SOON: Duration = Duration::from_secs(10);

/// A server, simulated or real.
struct Server {
    account: Account,
    api_key: String,
    mcp_key: Option<String>,
    simulated: Option<(Platforms, N8nHandle)>,
    http: reqwest::Client,
}

/// The simulated server, and the real one where there is one.
fn servers() -> Vec<Server> {
    let platforms = Platforms::start(1).unwrap();
    let handle = platforms.n8n("contract");
    let mut all = vec![Server {
        account: at(handle.base_url()),
        api_key: handle.api_key(),
        mcp_key: Some(handle.mcp_key()),
        simulated: Some((platforms, handle)),
        http: reqwest::Client::new(),
    }];
    if let (Ok(url), Ok(api_key)) = (std::env::var("N8N_URL"), std::env::var("N8N_API_KEY")) {
        let mcp_key = std::env::var("N8N_MCP_KEY").ok();
        all.push(Server {
            account: at(&url),
            api_key,
            mcp_key,
            simulated: None,
            http: reqwest::Client::new(),
        });
    }
    for server in &all {
        eprintln!(
            "asked: {}",
            if server.simulated.is_some() { "the simulated server" } else { "the real server" }
        );
    }
    all
}

fn at(url: &str) -> Account {
    Account { base_url: url.parse().unwrap(), credential: CredentialKind::ApiKey, settings: Fields::new() }
}

impl Server {
    /// Sends what the connector asks, until it has its answer.
    async fn ask<T: 'static>(&self, exchange: Result<Exchange<T>, Error>) -> Result<T, Error> {
        let mut exchange = exchange?;
        loop {
            let (parts, body) = exchange.request.clone().into_parts();
            let mut request =
                self.http.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body);
            request = match exchange.scheme {
                Scheme::None => request,
                Scheme::Header(name) => request.header(name, &self.api_key),
                Scheme::McpBearer => request.bearer_auth(self.mcp_key.as_deref().unwrap_or_default()),
                ref other => panic!("n8n knows no {other:?}"),
            };
            let answer = request.send().await.unwrap();
            let mut reply = http::Response::builder().status(answer.status());
            reply.headers_mut().unwrap().extend(answer.headers().clone());
            let reply = reply.body(answer.bytes().await.unwrap().to_vec()).unwrap();
            match exchange.read(&reply)? {
                Step::Done(answer) => return Ok(answer),
                Step::Next { exchange: next, after } => {
                    tokio::time::sleep(after).await;
                    exchange = next;
                }
            }
        }
    }

    /// What the API answers to any request, for what the connector does not do.
    async fn raw(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let address = format!("{}/api/v1{path}", self.account.base_url.as_str().trim_end_matches('/'));
        let method = method.parse().unwrap();
        let mut request = self.http.request(method, address).header("x-n8n-api-key", &self.api_key);
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    /// Makes a workflow with a webhook that answers at once, or fails where `code` throws.
    async fn has(&self, name: &str, code: &str) -> Workflow {
        let definition = Definition::of(name, &flow(&format!("{name}-{}", unique()), code)).unwrap();
        let made = self.ask(n8n::create_workflow(&self.account, &definition)).await.unwrap();
        if let Some((_, handle)) = self.simulated.as_ref().filter(|_| code.contains("throw")) {
            handle.plan(&made.id, Plan::error("boom: customer 17 not found [line 1]"));
        }
        made
    }

    /// Makes and publishes a workflow with a schedule, open to the MCP server.
    async fn starts_by_itself(&self) -> Workflow {
        let schedule = json!({
            "id": "s1", "name": "Schedule", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2,
            "position": [0, 0], "parameters": { "rule": { "interval": [{ "field": "days" }] } },
        });
        let stored =
            json!({ "nodes": [schedule], "connections": {}, "settings": { "availableInMCP": true } });
        let definition = Definition::of("contract", &stored).unwrap();
        let made = self.ask(n8n::create_workflow(&self.account, &definition)).await.unwrap();
        self.publishes(&made).await
    }

    /// Publishes it. It runs a little later.
    async fn publishes(&self, workflow: &Workflow) -> Workflow {
        self.ask(n8n::publish(&self.account, &workflow.id)).await.unwrap()
    }

    /// Calls its webhook as soon as the server has it; answers what the workflow said.
    async fn calls(&self, workflow: &Workflow) -> Result<n8n::Started, Error> {
        let hook = workflow.webhook.clone().expect("it has a webhook");
        soon(async || self.ask(n8n::call_webhook(&self.account, &hook, &json!({ "a": 1 }))).await).await
    }

    /// Removes it, whatever state it is in.
    async fn forgets(&self, workflow: &Workflow) {
        self.removes(&workflow.id).await;
    }

    async fn removes(&self, id: &str) {
        let _unpublished = self.ask(n8n::unpublish(&self.account, id)).await;
        let delete = async || self.ask(n8n::delete_workflow(&self.account, id)).await;
        let mut deleted = delete().await;
        // As the engine does: three times more, and only what passes by itself.
        for _ in 0..3 {
            if !matches!(&deleted, Err(error) if error.kind == ErrorKind::Unavailable) {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            deleted = delete().await;
        }
        assert!(deleted.is_ok(), "{deleted:?}");
    }
}

/// Starts what was just published, as soon as the server runs it.
async fn soon(start: impl AsyncFn() -> Result<n8n::Started, Error>) -> Result<n8n::Started, Error> {
    let end = tokio::time::Instant::now() + SOON;
    loop {
        let started = start().await;
        let early = matches!(&started, Err(error) if error.kind == ErrorKind::Conflict);
        if !early || tokio::time::Instant::now() > end {
            return started;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A name that no test before has used.
fn unique() -> String {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    format!("{now:x}{:x}", MADE.fetch_add(1, Ordering::Relaxed))
}

/// A webhook and a piece of code behind it.
fn flow(path: &str, code: &str) -> Value {
    json!({
        "settings": {},
        "nodes": [
            {
                "id": "w1", "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0],
                "webhookId": path,
                "parameters": { "httpMethod": "POST", "path": path, "responseMode": "lastNode" },
            },
            {
                "id": "c1", "name": "Code", "type": "n8n-nodes-base.code", "typeVersion": 2, "position": [220, 0],
                "parameters": { "jsCode": code },
            },
        ],
        "connections": { "Webhook": { "main": [[{ "node": "Code", "type": "main", "index": 0 }]] } },
    })
}

/// Code that ends well.
const FINE: &str = "return [{ json: { executionId: $execution.id } }]";
/// Code that does not.
const BROKEN: &str = "throw new Error('boom: customer 17 not found')";
