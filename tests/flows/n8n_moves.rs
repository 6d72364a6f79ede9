//! Workflows that come to another n8n server, and accounts that are removed and entered again.

use super::n8n::{AMPLE, definition, sync};
use crate::world::{User, World};
use platforms::{Fault, Matcher, N8nHandle, Plan};
use serde_json::{Value, json};
use std::time::Duration;

/// Somebody with two servers, whose workflow runs on the first; answers both servers, the second's account and the workflow's id.
async fn moving(world: &World) -> (User<'_>, N8nHandle, String, String) {
    let mut ana = world.user("ana").await;
    let home = ana.connect_n8n("n8n", AMPLE).await;
    let first = world.platforms.n8n("n8n");
    let away = ana.connect_n8n("second", AMPLE).await;
    let body =
        json!({ "name": "Invoices", "definition": definition(), "activate": true, "integrationId": home });
    let made = ana.invoke("workflows", body).await.ok();
    let id = made["id"].as_str().unwrap().to_owned();
    (ana, first, away, id)
}

fn to(server: &str, id: &str) -> Value {
    json!({ "action": "deploy_workflow", "workflowId": id, "integrationId": server })
}

async fn place(world: &World) -> String {
    let place = "select concat_ws(' ', i.name, w.status, w.is_active) from public.mvp_workflows as w join public.integrations as i on i.id = w.integration_id";
    world.db.text(place).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_moves_goes_on_running_and_on_one_server_only() {
    let world = World::start().await;
    let (ana, first, away, id) = moving(&world).await;

    let moved = ana.invoke("workflow-sync", to(&away, &id)).await.ok();

    assert_eq!((&moved["created"], &moved["isActive"]), (&json!(1), &json!(true)), "{moved}");
    assert!(!first.workflows()[0].active, "it stays as a copy that does not run");
    assert!(ana.n8n().workflows()[0].active);
    assert_eq!(place(&world).await, "second deployed t");
    let copies = "select string_agg(concat_ws(' ', i.name, n.is_active), ', ' order by i.name) from public.n8n_workflows as n join public.integrations as i on i.id = n.integration_id";
    assert_eq!(world.db.text(copies).await, "n8n f, second t");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_whose_server_cannot_be_told_to_stop_does_not_move() {
    let world = World::start().await;
    let (ana, first, away, id) = moving(&world).await;
    first.set_starting(true);

    let refused = ana.invoke("workflow-sync", to(&away, &id)).await;

    let problem = refused.problem("conflict");
    assert!(problem["detail"].as_str().unwrap().contains("still runs"), "{problem}");
    assert_eq!((ana.n8n().workflows().len(), place(&world).await), (0, "n8n failed t".to_owned()));

    first.set_starting(false);
    world.db.run("update sync.breakers set state = 'closed', open_until = '-infinity'").await;
    ana.invoke("workflow-sync", to(&away, &id)).await.ok();
    assert_eq!(place(&world).await, "second deployed t");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_has_made_their_own_is_not_stopped() {
    let world = World::start().await;
    let (ana, first, away, id) = moving(&world).await;
    let there = first.workflows()[0].id.clone();
    assert!(first.untag(&there));

    ana.invoke("workflow-sync", to(&away, &id)).await.ok();

    assert!(first.workflows()[0].active);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_broke_off_is_finished_by_the_next_and_still_runs_afterwards() {
    let world = World::start().await;
    let (ana, first, away, id) = moving(&world).await;
    ana.n8n().faults().on(Matcher::any().method("POST").path("/workflows").times(1), Fault::DropAfterCommit);
    ana.invoke("workflow-sync", to(&away, &id)).await.problem("platform_unavailable");
    assert!(!first.workflows()[0].active);

    ana.invoke("workflow-sync", to(&away, &id)).await.ok();

    assert_eq!(ana.n8n().workflows().len(), 1, "found again, not made twice");
    assert_eq!(
        (ana.n8n().workflows()[0].active, place(&world).await),
        (true, "second deployed t".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_entered_again_counts_nothing_twice() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    let before = ana.connect_n8n("n8n", AMPLE).await;
    let body = json!({ "name": "Invoices", "definition": definition(), "activate": true });
    let made = ana.invoke("workflows", body).await.ok();
    let there = made["n8nWorkflowId"].as_str().unwrap();
    for _ in 0..3 {
        ana.n8n().run(there, &Plan::Success);
    }
    sync(&ana).await;
    let removed =
        ana.request(reqwest::Method::DELETE, &format!("integrations?id={before}"), Value::Null).await;
    assert_eq!(removed.status, 204, "{removed:?}");
    let again = ana.connect_n8n("n8n", AMPLE).await;

    ana.invoke("workflow-sync", to(&again, made["id"].as_str().unwrap())).await.ok();
    tokio::time::sleep(Duration::from_millis(5)).await;
    ana.n8n().run(there, &Plan::error("boom"));
    sync(&ana).await;

    assert_eq!(ana.n8n().workflows().len(), 1, "found again by its tag");
    let counters = "select concat_ws(' ', execution_count, successful_executions, failed_executions) from public.mvp_workflows";
    assert_eq!(world.db.text(counters).await, "4 3 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_server_does_not_keep_the_others_from_their_turn() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    ana.connect_n8n("n8n", AMPLE).await;
    ana.n8n().faults().on(Matcher::any(), Fault::Latency(Duration::from_secs(2)));
    ana.connect_n8n("second", AMPLE).await;
    world.tick("execution-poll").await.ok();
    world.db.run("update sync.n8n_servers as s set due_at = now() - (case i.name when 'n8n' then 2 else 1 end) * interval '1 minute' from public.integrations as i where i.id = s.integration_id").await;

    let polled = world.tick("execution-poll").await.ok();

    assert_eq!(polled["data"].as_array().map(Vec::len), Some(2), "{polled}");
    let order = "select string_agg(i.name, ', ' order by s.executions_at) from sync.n8n_servers as s join public.integrations as i on i.id = s.integration_id";
    assert_eq!(world.db.text(order).await, "second, n8n", "though it was due first");
}
