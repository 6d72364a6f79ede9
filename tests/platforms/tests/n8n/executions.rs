//! Runs: which of them are listed, what they hide, and how they are stopped and run again.

use std::time::Duration;

use platforms::{N8nHandle, Plan, Platforms};
use serde_json::{Value, json};

use crate::{ask, encoded, ids, read, said};

fn status(server: &N8nHandle, id: &str) -> String {
    server.execution(id).map(|run| run.status).unwrap_or_default()
}

#[tokio::test]
async fn the_list_goes_down_and_leaves_out_what_runs() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    let (flow, other) = (server.add_workflow("a", true, Some("a")), server.add_workflow("b", true, None));
    let done = server.run(&flow, &Plan::Success);
    let running = server.start(&flow);
    let failed = server.run(&other, &Plan::error("boom"));
    let waiting = server.run(&flow, &Plan::Waiting(None));
    let queued = server.run(&flow, &Plan::Queued);
    let all = read(&server, "/executions").await?;
    assert_eq!(ids(&all), [&queued, &waiting, &failed, &done].map(Clone::clone));
    let listed = all.json()["data"].clone();
    assert_eq!((&listed[0]["startedAt"], &listed[0]["status"]), (&Value::Null, &json!("new")));
    assert_eq!(listed[1]["waitTill"], "3000-01-01T00:00:00.000Z");
    assert!(listed[1]["stoppedAt"].is_string());
    assert_eq!((&listed[2]["finished"], &listed[3]["finished"]), (&json!(false), &json!(true)));
    assert_eq!(ids(&read(&server, "/executions?status=running").await?), std::slice::from_ref(&running));
    let of_other = read(&server, &format!("/executions?workflowId={other}")).await?;
    assert_eq!(ids(&of_other), std::slice::from_ref(&failed));
    let since = "/executions?startedAfter=2020-01-01T00%3A00%3A00Z";
    assert!(!ids(&read(&server, since).await?).contains(&queued));
    for wrong in ["status=error,success", "status=error&status=success", "startedAfter=2026-11-20"] {
        assert_eq!(read(&server, &format!("/executions?{wrong}")).await?.status, 400, "{wrong}");
    }

    let page = read(&server, "/executions?limit=2").await?;
    let cursor = page.json()["nextCursor"].as_str().unwrap().to_owned();
    let next = read(&server, &format!("/executions?cursor={}", encoded(&cursor))).await?;
    assert_eq!((ids(&next), &next.json()["nextCursor"]), (vec![failed, done], &Value::Null));
    server.finish(&running, &Plan::Success);
    assert!(ids(&read(&server, "/executions").await?).contains(&running), "it comes below what was seen");
    assert_eq!(read(&server, "/executions/abc").await?.status, 400);
    assert_eq!(said(&read(&server, "/executions/99").await?), (404, "Not Found".to_owned()));
    assert_eq!(server.prune_executions(1), 2);
    assert_eq!(ids(&read(&server, "/executions").await?).len(), 3);
    Ok(())
}

#[tokio::test]
async fn the_data_of_a_run_has_its_error_and_the_secrets_of_its_caller() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    let flow = server.add_workflow("a", true, Some("a"));
    let id = server.run(&flow, &Plan::error("boom: customer 17 not found [line 1]"));
    let bare = read(&server, &format!("/executions/{id}")).await?;
    assert!(!bare.text.contains(server.secret()) && bare.json()["data"].is_null());
    let run = read(&server, &format!("/executions/{id}?includeData=true")).await?;
    let result = run.json()["data"]["resultData"].clone();
    assert_eq!(result["error"]["message"], "boom: customer 17 not found [line 1]");
    assert_eq!((&result["lastNodeExecuted"], result["runData"]["Code"].is_array()), (&json!("Code"), true));
    let item = &result["runData"]["Webhook"][0]["data"]["main"][0][0]["json"];
    assert_eq!(item["headers"]["x-sync-secret"], server.secret());
    assert_eq!(run.json()["data"]["resumeToken"], json!(server.execution(&id).unwrap().resume_token));
    let listed = read(&server, "/executions?includeData=true&status=error").await?;
    assert!(listed.text.contains(server.secret()));

    let pushed = server.pushed_error(&id).unwrap();
    assert_eq!((&pushed["execution"]["id"], &pushed["workflow"]["id"]), (&json!(id), &json!(flow)));
    assert_eq!(pushed["execution"]["lastNodeExecuted"], "Code");
    let done = server.run(&flow, &Plan::Success);
    assert_eq!(server.pushed_error(&done), None);
    Ok(())
}

#[tokio::test]
async fn only_what_has_not_ended_is_stopped() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    let flow = server.add_workflow("a", true, Some("a"));
    let running = server.start(&flow);
    let target = format!("/executions/{running}");
    let busy = ask(&server, "DELETE", &target, Value::Null).await?;
    assert_eq!(said(&busy), (400, "Cannot delete a running execution".to_owned()));
    let stopped = ask(&server, "POST", &format!("{target}/stop"), Value::Null).await?;
    assert_eq!((stopped.status, &stopped.json()["status"]), (200, &json!("canceled")));
    let again = ask(&server, "POST", &format!("{target}/stop"), Value::Null).await?;
    let message = "Only running or waiting executions can be stopped and 1 is currently canceled";
    assert_eq!(said(&again), (409, message.to_owned()));
    let deleted = ask(&server, "DELETE", &target, Value::Null).await?;
    assert_eq!(deleted.json()["id"].as_u64(), Some(1), "a number, here alone");

    let (running, waiting) = (server.start(&flow), server.run(&flow, &Plan::Waiting(None)));
    let queued = server.run(&flow, &Plan::Queued);
    let body = json!({ "status": ["queued", "running"], "workflowId": flow });
    assert_eq!(ask(&server, "POST", "/executions/stop", body).await?.json()["stopped"], 2);
    let states = [&running, &waiting, &queued].map(|id| status(&server, id));
    assert_eq!(states, ["canceled", "waiting", "canceled"]);
    assert_eq!(server.execution(&queued).unwrap().started_at, None);
    assert_eq!(ask(&server, "POST", "/executions/stop", json!({})).await?.status, 400);
    Ok(())
}

#[tokio::test]
async fn a_failed_run_is_run_again_under_a_new_id_and_the_answer_waits_for_its_end() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    let flow = server.add_workflow("a", true, Some("a"));
    let failed = server.run(&flow, &Plan::error("boom"));
    let target = format!("/executions/{failed}/retry");
    server.plan(&flow, Plan::Running);
    let waiting = tokio::spawn({
        let (server, target) = (server.clone(), target.clone());
        async move { ask(&server, "POST", &target, json!({ "loadWorkflow": true })).await }
    });
    while server.executions().len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!waiting.is_finished());
    server.finish("2", &Plan::Success);
    let answer = waiting.await??.json();
    assert_eq!((&answer["id"], &answer["mode"]), (&json!("2"), &json!("retry")));
    assert_eq!((&answer["retryOf"], &answer["status"]), (&json!(failed), &json!("success")));
    let old = read(&server, &format!("/executions/{failed}")).await?.json();
    assert_eq!((&old["status"], &old["retrySuccessId"]), (&json!("error"), &json!("2")));
    let succeeded = ask(&server, "POST", "/executions/2/retry", json!({})).await?;
    let message = "The execution succeeded, so it cannot be retried.";
    assert_eq!(said(&succeeded), (409, message.to_owned()));
    assert_eq!(ask(&server, "POST", "/executions/99/retry", json!({})).await?.status, 404);
    Ok(())
}

#[tokio::test]
async fn runs_that_are_not_saved_take_an_id_and_are_never_seen() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    let flow = server.add_workflow("a", true, Some("a"));
    server.set_setting(&flow, "saveDataSuccessExecution", json!("none"));
    let unseen = server.run(&flow, &Plan::Success);
    let seen = server.run(&flow, &Plan::error("boom"));
    assert_eq!((unseen.as_str(), seen.as_str()), ("1", "2"));
    assert_eq!(ids(&read(&server, "/executions").await?), [seen]);
    assert_eq!(said(&read(&server, "/executions/1").await?), (404, "Not Found".to_owned()));
    assert!(!server.execution("1").unwrap().saved);
    Ok(())
}
