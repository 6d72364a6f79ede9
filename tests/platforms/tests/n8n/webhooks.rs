//! Webhooks: how a workflow is run from outside, and what its caller learns.

use std::time::Duration;

use platforms::{N8nHandle, Plan, Platforms};
use serde_json::{Value, json};

use crate::support::send;
use crate::{call, said};

/// A workflow that runs, with these parameters beside its path.
fn listening(server: &N8nHandle, path: &str, parameters: &Value, more: &[Value]) -> String {
    let id = server.add_workflow(path, false, Some(path));
    let mut all = json!({ "httpMethod": "POST", "path": path });
    for (name, value) in parameters.as_object().unwrap() {
        all[name] = value.clone();
    }
    let hook = json!({ "name": "Webhook", "type": "n8n-nodes-base.webhook", "parameters": all });
    let nodes: Vec<Value> = [&[hook], more].concat();
    assert!(server.set_nodes(&id, json!(nodes), json!({})) && server.publish(&id));
    id
}

#[tokio::test]
async fn a_caller_learns_what_the_webhook_is_told_to_say() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    let plain = server.add_workflow("plain", true, Some("plain"));
    assert_eq!(call(&server, "plain", json!({})).await?.json(), json!({ "message": "Workflow was started" }));
    let data = "={{ JSON.stringify({executionId:$execution.id}) }}";
    let told = json!({ "responseMode": "onReceived", "options": { "responseData": data } });
    let received = listening(&server, "received", &told, &[]);
    server.plan(&received, Plan::Running);
    assert_eq!(call(&server, "received", json!({})).await?.json(), json!({ "executionId": "2" }));
    let respond = json!({
        "name": "Respond", "type": "n8n-nodes-base.respondToWebhook",
        "parameters": { "respondWith": "json", "responseBody": data, "options": { "responseCode": 202 } },
    });
    listening(&server, "respond", &json!({ "responseMode": "responseNode" }), &[respond]);
    let answer = call(&server, "respond", json!({})).await?;
    assert_eq!((answer.status, answer.json()), (202, json!({ "executionId": "3" })));

    let last = listening(&server, "last", &json!({ "responseMode": "lastNode" }), &[]);
    let answer = call(&server, "last", json!({ "a": 1 })).await?.json();
    assert_eq!(
        (&answer["body"], &answer["headers"]["x-sync-secret"]),
        (&json!({ "a": 1 }), &json!("s3cret"))
    );
    server.set_output(&last, json!({ "got": 1 }));
    assert_eq!(call(&server, "last", json!({})).await?.json(), json!({ "got": 1 }));
    server.plan(&last, Plan::error("boom"));
    assert_eq!(said(&call(&server, "last", json!({})).await?), (500, "Error in workflow".to_owned()));
    server.plan(&plain, Plan::error("boom"));
    assert_eq!(call(&server, "plain", json!({})).await?.status, 200, "it does not know the end");
    let run = server.executions().pop().unwrap();
    assert_eq!((run.status.as_str(), run.mode.as_str()), ("error", "webhook"));
    assert_eq!(run.input["headers"]["x-sync-secret"], "s3cret");
    Ok(())
}

#[tokio::test]
async fn a_caller_whose_run_never_began_is_never_answered() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    let id = server.add_workflow("ok", true, Some("ok-1"));
    server.plan(&id, Plan::Queued);
    let patience = Duration::from_millis(200);
    assert!(tokio::time::timeout(patience, call(&server, "ok-1", json!({}))).await.is_err());
    assert!(server.finish("1", &Plan::Canceled));
    assert!(tokio::time::timeout(patience, call(&server, "ok-1", json!({}))).await.is_err());
    let states: Vec<String> = server.executions().into_iter().map(|run| run.status).collect();
    assert_eq!(states, ["canceled", "new"]);
    assert_eq!(server.journal().len(), 2, "who went away is in the journal all the same");
    Ok(())
}

#[tokio::test]
async fn nothing_listens_where_nothing_is_published() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    let id = server.add_workflow("ok", false, Some("ok-1"));
    let unknown = call(&server, "ok-1", json!({})).await?;
    let message = "The requested webhook \"POST ok-1\" is not registered.".to_owned();
    assert_eq!((said(&unknown), &unknown.json()["code"]), ((404, message), &json!(404)));
    server.publish(&id);
    let read = send("GET", &format!("{}/webhook/ok-1", server.base_url()), &[], "").await?;
    assert_eq!(read.status, 404);
    assert!(said(&read).1.contains("Did you mean to make a POST request?"));
    server.unpublish(&id);
    assert_eq!(call(&server, "ok-1", json!({})).await?.status, 404);
    assert!(server.executions().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_webhook_that_is_protected_wants_its_header() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    let id = listening(&server, "ok-1", &json!({ "authentication": "headerAuth" }), &[]);
    let refused = call(&server, "ok-1", json!({})).await?;
    assert_eq!((refused.status, refused.text.as_str()), (403, "Authorization data is wrong!"));
    server.protect_webhook(&id, "x-sync-secret", "s3cret");
    assert_eq!(call(&server, "ok-1", json!({})).await?.status, 200);
    Ok(())
}
