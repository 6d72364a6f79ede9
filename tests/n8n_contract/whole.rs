//! The functions with a server, from an account to an alert: the simulated one, and the real one where there is one.

use super::{Server, at, unique};
use crate::flows::told;
use crate::world::{User, World};
use connectors::n8n;
use platforms::{N8nHandle, Plan};
use serde_json::{Value, json};
use std::time::Duration;

const SECRET: &str = "s3cretOfTheMessages";

/// A world in which there is such a server, and the server.
async fn worlds() -> Vec<(World, Server, Option<N8nHandle>)> {
    let world = World::start().await;
    let handle = world.platforms.n8n("whole");
    let server = |url: &str, api_key: String| Server {
        account: at(url),
        api_key,
        mcp_key: None,
        simulated: None,
        http: reqwest::Client::new(),
    };
    let mut all = vec![(world, server(handle.base_url(), handle.api_key()), Some(handle))];
    if let (Ok(url), Ok(api_key)) = (std::env::var("N8N_URL"), std::env::var("N8N_API_KEY")) {
        let host = url.strip_prefix("http://").expect("a server on this machine");
        all.push((World::with(&[("development_host", host)]).await, server(&url, api_key), None));
    }
    all
}

impl Server {
    /// Has it send its traces to us, or no longer, as our page says.
    async fn traces(&self, world: &World, account: &str, yes: bool) {
        let endpoint = world.url("/").trim_end_matches('/').to_owned();
        let settings = json!({ "enabled": yes, "exporterProtocol": "http/protobuf", "exporterEndpoint": endpoint,
            "exporterTracingPath": format!("/functions/v1/webhook-receive/{account}"), "exporterServiceName": "n8n",
            "exporterHeaders": format!("x-sync-secret={SECRET}"), "tracesSampleRate": 1, "startupConnectivityTimeoutMs": 2000,
            "includeNodeSpans": false, "injectOutbound": false, "productionExecutionsOnly": true });
        let (status, said) = self.raw("PUT", "/settings/otel", &settings).await;
        assert_eq!(status, 200, "{said}");
    }
}

/// A webhook that says which execution it began, as our page says, and code that fails if it is told to.
fn definition(error_workflow: &str) -> Value {
    let code = "if ($json.body.fail) { throw new Error('boom: customer 17 not found') }\nreturn $input.all()";
    json!({
        "nodes": [
            { "id": "w1", "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0],
              "webhookId": unique(), "parameters": { "httpMethod": "POST", "path": unique(), "responseMode": "onReceived",
                "options": { "responseData": "={{ JSON.stringify({executionId: $execution.id}) }}" } } },
            { "id": "c1", "name": "Code", "type": "n8n-nodes-base.code", "typeVersion": 2, "position": [220, 0],
              "parameters": { "jsCode": code } },
        ],
        "connections": { "Webhook": { "main": [[{ "node": "Code", "type": "main", "index": 0 }]] } },
        "settings": { "errorWorkflow": error_workflow },
    })
}

/// The error workflow that our page describes, word for word.
fn error_workflow(address: &str) -> Value {
    let header = |name: &str, value: &str| json!({ "name": name, "value": value });
    let to = |node: &str| json!({ "main": [[{ "node": node, "type": "main", "index": 0 }]] });
    json!({
        "name": "contract errors", "settings": {},
        "nodes": [
            { "id": "e1", "name": "Error Trigger", "type": "n8n-nodes-base.errorTrigger", "typeVersion": 1, "position": [0, 0],
              "parameters": {} },
            { "id": "e2", "name": "Raw", "type": "n8n-nodes-base.code", "typeVersion": 2, "position": [220, 0], "parameters": {
              "jsCode": "const raw = JSON.stringify($input.first().json); return [{ json: { raw, ts: String(Date.now()) } }];" } },
            { "id": "e3", "name": "Crypto", "type": "n8n-nodes-base.crypto", "typeVersion": 1, "position": [440, 0], "parameters": {
              "action": "hmac", "type": "SHA256", "encoding": "hex", "value": "={{ $json.ts + '.' + $json.raw }}",
              "dataPropertyName": "signature", "secret": SECRET } },
            { "id": "e4", "name": "Tell", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "position": [660, 0], "parameters": {
              "method": "POST", "url": address, "sendBody": true, "contentType": "raw", "rawContentType": "application/json",
              "body": "={{ $json.raw }}", "sendHeaders": true, "headerParameters": { "parameters": [
                header("x-timestamp", "={{ $json.ts }}"), header("x-signature", "=sha256={{ $json.signature }}")] } } },
        ],
        "connections": { "Error Trigger": to("Raw"), "Raw": to("Crypto"), "Crypto": to("Tell") },
    })
}

/// Asks every 200 ms, and does this before, until the database says it, for half a minute at most.
async fn until(world: &World, query: &str, wanted: &str, before: impl AsyncFn()) {
    let mut said = String::new();
    for _ in 0..150 {
        before().await;
        said = world.db.text(query).await;
        if said == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(said, wanted, "{query}");
}

/// Enters the server as an account of this user's; answers its id.
async fn connects(user: &User<'_>, server: &Server) -> String {
    let account = json!({ "name": "n8n", "platform": "n8n", "baseUrl": server.account.base_url.as_str(),
        "credential": { "kind": "api_key", "api_key": server.api_key, "webhook_secret": SECRET }, "ratePerMinute": 1_000 });
    let account = user.invoke("integrations", account).await.ok()["id"].clone();
    let tested = user.invoke("integration-test", json!({ "integrationId": account })).await.ok();
    assert_eq!(tested["ok"], true, "{tested}");
    account.as_str().unwrap().to_owned()
}

/// Makes and publishes the error workflow; answers its id.
async fn tells_of_failures(server: &Server, address: &str) -> String {
    let (status, made) = server.raw("POST", "/workflows", &error_workflow(address)).await;
    assert_eq!(status, 200, "{made}");
    let id = made["id"].as_str().unwrap();
    server.raw("POST", &format!("/workflows/{id}/activate"), &Value::Null).await;
    id.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_is_deployed_started_followed_and_told_of_from_beginning_to_end() {
    for (world, server, simulated) in worlds().await {
        eprintln!("asked: the {} server", if simulated.is_some() { "simulated" } else { "real" });
        let ana = world.user("ana").await;
        let account = connects(&ana, &server).await;
        let errors = tells_of_failures(&server, &world.url(&format!("webhook-receive/{account}"))).await;
        let body = json!({ "name": "Invoices", "definition": definition(&errors), "activate": true });
        let made = ana.invoke("workflows", body).await.ok();
        let n8n_id = made["n8nWorkflowId"].as_str().unwrap();
        let there = server.ask(n8n::workflow(&server.account, n8n_id)).await.unwrap().unwrap();
        let hook = there.webhook.expect("it has a webhook");
        // As somebody else calls it, of whom we know nothing.
        let calls = async |payload: Value| {
            let started = server.ask(n8n::call_webhook(&server.account, &hook, &payload)).await.unwrap();
            started.execution_id.expect("it says which").to_string()
        };
        let start = json!({ "workflowId": made["id"], "confirm": true, "payload": { "invoice": 17 } });
        let well = ana.invoke("workflow-trigger", start).await.ok();
        let counters = "select concat_ws(' ', execution_count, successful_executions, failed_executions) from public.mvp_workflows";
        let poll = async || {
            world.db.run("update sync.n8n_servers set due_at = now()").await;
            world.tick("execution-poll").await.ok();
        };
        until(&world, counters, "1 1 0", poll).await;

        if let Some(handle) = &simulated {
            handle.plan(n8n_id, Plan::error("boom: customer 17 not found"));
        }
        let failed = calls(json!({ "fail": true })).await;
        if let Some(handle) = &simulated {
            let pushed = handle.pushed_error(&failed).unwrap().to_string();
            told(&ana, &account, &pushed, SECRET).await.ok();
        }
        // Nobody polls: the server tells by itself.
        let alert = "select coalesce(string_agg(message, ', '), '') from public.workflow_alerts where alert_type = 'failure'";
        let message = format!("[USR-{}] Invoices failed (execution {})", &ana.id.to_string()[..8], failed);
        until(&world, alert, &message, async || {}).await;
        until(&world, counters, "2 1 1", poll).await;

        assert_eq!((&made["status"], &well["way"]), (&json!("deployed"), &json!("webhook")));
        let shown = ana.get("executions?status=failure").await.ok();
        assert_eq!(
            shown["data"][0]["errorMessage"].as_str().map(|text| text.starts_with("boom: customer 17")),
            Some(true),
            "{shown}"
        );
        assert_eq!(&shown["data"][0]["errorNode"], &json!("Code"), "{shown}");
        if simulated.is_none() {
            // The simulated server sends no traces; what it would send is tested in `flows::n8n_traces`.
            server.traces(&world, &account, true).await;
            calls(json!({ "invoice": 18 })).await;
            until(&world, counters, "3 2 1", async || {}).await;
            server.traces(&world, &account, false).await;
        }
        for id in [n8n_id, errors.as_str()] {
            server.removes(id).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_workflows_take_at_most_three_requests_and_two_hundred_and_fifty_at_most_five() {
    for (world, server, simulated) in worlds().await {
        let ana = world.user("ana").await;
        connects(&ana, &server).await;
        let there =
            server.raw("GET", "/workflows?limit=250", &Value::Null).await.1["data"].as_array().unwrap().len();
        let mut made = Vec::new();
        for (count, most) in [(10, 3), (250, 5)] {
            for number in made.len()..count {
                let mut workflow = definition("none");
                workflow["name"] = json!(format!("contract {number}"));
                workflow["settings"] = json!({});
                made.push(
                    server.raw("POST", "/workflows", &workflow).await.1["id"].as_str().unwrap().to_owned(),
                );
            }
            let synced = ana.invoke("workflow-sync", json!({ "action": "sync_all_workflows" })).await.ok();
            let reading = "select platform_requests || ' ' || duration_ms from public.sync_runs where sync_type = 'workflows' order by created_at desc limit 1";
            let reading = world.db.text(reading).await;
            let (requests, milliseconds) = reading.split_once(' ').unwrap();
            eprintln!(
                "{} server: {count} workflows in {milliseconds} ms, {requests} requests",
                if simulated.is_some() { "simulated" } else { "real" }
            );
            assert_eq!(synced["workflows"], there + count, "{synced}");
            assert!(requests.parse::<u32>().unwrap() <= most, "{count} workflows took {requests} requests");
            world.db.run("update sync.n8n_servers set workflows_at = null").await;
        }
        for id in &made {
            server.removes(id).await;
        }
    }
}
