//! Publishing: what the API says at once and what runs a little later.

use chrono::Duration;
use platforms::{N8nHandle, Plan, Platforms};
use serde_json::{Value, json};

use crate::{ask, call, flow, read, said};

async fn made(server: &N8nHandle, body: Value) -> anyhow::Result<String> {
    let made = ask(server, "POST", "/workflows", body).await?;
    anyhow::ensure!(made.status == 200, "{}", made.text);
    Ok(made.json()["id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn what_is_published_runs_only_a_little_later() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    platforms.clock().stop();
    let server = platforms.n8n("demo");
    let id = made(&server, flow("ok", "ok-1")).await?;
    let target = format!("/workflows/{id}");
    let published = ask(&server, "POST", &format!("{target}/publish"), json!({})).await?.json();
    assert_eq!(
        (&published["active"], &published["activeVersionId"]),
        (&json!(true), &published["versionId"])
    );
    assert_eq!(call(&server, "ok-1", json!({})).await?.status, 404);
    platforms.clock().advance(Duration::milliseconds(300));
    assert_eq!(call(&server, "ok-1", json!({})).await?.status, 200);
    assert_eq!(read(&server, &target).await?.json()["triggerCount"], 1);

    let mut body = flow("ok", "ok-2");
    let draft = ask(&server, "PUT", &format!("{target}?publishIfActive=false"), body.clone()).await?.json();
    assert_ne!(draft["versionId"], draft["activeVersionId"]);
    body["nodes"][0]["name"] = json!("Hook");
    let replaced = ask(&server, "PUT", &target, body).await?.json();
    assert_eq!(replaced["versionId"], replaced["activeVersionId"]);
    assert_eq!(call(&server, "ok-1", json!({})).await?.status, 200, "the old version still runs");
    platforms.clock().advance(Duration::milliseconds(300));
    assert_eq!(call(&server, "ok-1", json!({})).await?.status, 404);
    assert_eq!(call(&server, "ok-2", json!({})).await?.status, 200);

    let other = ask(&server, "POST", &format!("{target}/publish"), json!({ "versionId": "none" })).await?;
    assert_eq!(said(&other), (404, "Version not found".to_owned()));
    let first = json!({ "versionId": published["versionId"] });
    let older = ask(&server, "POST", &format!("{target}/publish"), first).await?.json();
    assert_eq!(older["activeVersionId"], published["versionId"]);
    Ok(())
}

#[tokio::test]
async fn a_published_workflow_is_deleted_only_once_it_no_longer_runs() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    platforms.clock().stop();
    let server = platforms.n8n("demo");
    let id = server.add_workflow("ok", true, Some("ok-1"));
    let run = server.run(&id, &Plan::Success);
    let target = format!("/workflows/{id}");
    let delete = async || ask(&server, "DELETE", &target, Value::Null).await;
    let published = "Cannot delete a published workflow. Unpublish it before deleting.";
    assert_eq!(said(&delete().await?), (409, published.to_owned()));
    assert_eq!(ask(&server, "POST", &format!("{target}/unpublish"), json!({})).await?.status, 200);
    let leaving = "Workflow is still being unpublished. Please try again in a few moments.";
    assert_eq!(said(&delete().await?), (409, leaving.to_owned()));
    platforms.clock().advance(Duration::milliseconds(150));
    assert_eq!(delete().await?.json()["id"], json!(id));
    assert_eq!(said(&read(&server, &target).await?), (404, "Not Found".to_owned()));
    assert_eq!(read(&server, &format!("/executions/{run}")).await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn what_cannot_run_is_not_published() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    let publish = async |id: &str| {
        ask(&server, "POST", &format!("/workflows/{id}/publish"), json!({})).await.map(|answer| said(&answer))
    };
    let mut manual = flow("manual", "x");
    manual["nodes"] = json!([{ "name": "Start", "type": "n8n-nodes-base.manualTrigger", "parameters": {} }]);
    let refused = publish(&made(&server, manual).await?).await?;
    assert_eq!(refused.0, 400);
    assert!(refused.1.starts_with("Workflow cannot be activated because it has no trigger node"));
    let mut strange = flow("strange", "x");
    strange["nodes"][0]["type"] = json!("n8n-nodes-base.doesNotExist");
    let unknown = "Unrecognized node type: n8n-nodes-base.doesNotExist".to_owned();
    assert_eq!(publish(&made(&server, strange).await?).await?, (400, unknown));

    server.add_workflow("first", true, Some("ok-1"));
    let conflict = "There is a conflict with one of the webhooks.".to_owned();
    assert_eq!(publish(&made(&server, flow("second", "ok-1")).await?).await?, (409, conflict));
    Ok(())
}

#[tokio::test]
async fn an_older_server_knows_only_the_older_paths() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    let id = server.add_workflow("ok", false, Some("ok-1"));
    let post = async |verb: &str| ask(&server, "POST", &format!("/workflows/{id}/{verb}"), json!({})).await;
    let newer = post("activate").await?;
    assert_eq!((newer.status, newer.header("deprecation")), (200, "@1784764800"));
    server.set_old_version(true);
    for verb in ["publish", "unpublish"] {
        assert_eq!(said(&post(verb).await?), (404, "not found".to_owned()));
    }
    let older = post("deactivate").await?;
    assert_eq!((older.status, older.header("deprecation")), (200, ""));
    assert!(!server.workflow(&id).unwrap().active);
    assert_eq!(read(&server, "/executions?startedAfter=yesterday").await?.status, 200);
    Ok(())
}
