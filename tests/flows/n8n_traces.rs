//! What n8n's OpenTelemetry export tells, taken in by `webhook-receive`: protobuf over HTTP, with the secret in a header.

use super::n8n::{AMPLE, definition};
use crate::world::{Reply, User, World};
use serde_json::json;

/// A field of a protobuf message that has a length.
fn part(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let mut length = bytes.len();
    let mut field = vec![(tag << 3) | 2];
    while length > 127 {
        field.push(u8::try_from(length & 127).unwrap() | 128);
        length >>= 7;
    }
    field.push(u8::try_from(length).unwrap());
    field.extend(bytes);
    field
}

fn attribute(key: &str, value: &str) -> Vec<u8> {
    part(9, &[part(1, key.as_bytes()), part(2, &part(1, value.as_bytes()))].concat())
}

/// An export that tells of one execution.
fn export(execution: &str, workflow: &str, status: &str) -> Vec<u8> {
    let mut span = part(5, b"workflow.execute");
    for (tag, nanoseconds) in [(7_u8, 1_795_213_765_179_000_000_u64), (8, 1_795_213_765_429_000_000)] {
        span.push((tag << 3) | 1);
        span.extend(nanoseconds.to_le_bytes());
    }
    for (key, value) in [
        ("n8n.execution.id", execution),
        ("n8n.workflow.id", workflow),
        ("n8n.execution.status", status),
        ("n8n.execution.mode", "webhook"),
    ] {
        span.extend(attribute(key, value));
    }
    part(1, &part(2, &part(2, &span)))
}

async fn exported(user: &User<'_>, account: &str, secret: &str, body: Vec<u8>) -> Reply {
    let request = user.world.http.post(user.world.url(&format!("webhook-receive/{account}")));
    let request = request.header("content-type", "application/x-protobuf").header("x-sync-secret", secret);
    Reply::of(request.body(body).send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_that_n8n_does_not_keep_is_told_of_by_its_trace_and_counted_once() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    let account = ana.connect_n8n("n8n", AMPLE).await;
    let body = json!({ "name": "Invoices", "definition": definition(), "activate": true });
    let made = ana.invoke("workflows", body).await.ok();
    let workflow = made["n8nWorkflowId"].as_str().unwrap().to_owned();

    exported(&ana, &account, "wrong", export("77", &workflow, "success")).await.problem("unauthorized");
    exported(&ana, &account, "s3cret", export("77", &workflow, "success")).await.ok();
    exported(&ana, &account, "s3cret", export("77", &workflow, "success")).await.ok();
    exported(&ana, &account, "s3cret", export("78", &workflow, "error")).await.ok();

    let row = ana.get("executions?executionId=77").await.ok()["data"][0].clone();
    assert_eq!((&row["status"], &row["mode"]), (&json!("success"), &json!("webhook")), "{row}");
    assert!(row["endTime"].as_str().unwrap().starts_with("2026-11-20T22:29:25.429"), "{row}");
    let counted = "select execution_count || ' ' || successful_executions || ' ' || failed_executions from public.mvp_workflows";
    assert_eq!(world.db.text(counted).await, "2 1 1");
    let rubbish = exported(&ana, &account, "s3cret", b"no protobuf".to_vec()).await;
    assert_ne!(rubbish.status, 200, "{rubbish:?}");
    assert_eq!(world.db.text(counted).await, "2 1 1");
}
