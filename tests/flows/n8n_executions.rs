//! Executions of n8n's workflows: none missed, none counted twice, none of their secrets kept.

use super::n8n::{AMPLE, definition, sync};
use crate::world::{Reply, User, World};
use hmac::{Hmac, KeyInit, Mac};
use platforms::Plan;
use serde_json::{Value, json};
use sha2::Sha256;

/// Somebody whose workflow is deployed and published; answers its id here and in n8n.
pub(super) async fn deployed(world: &World, rate: u32) -> (User<'_>, String, String) {
    let mut ana = world.user("ana").await;
    ana.connect_n8n("n8n", rate).await;
    let body = json!({ "name": "Invoices", "definition": definition(), "activate": true });
    let made = ana.invoke("workflows", body).await.ok();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (ana, text("id"), text("n8nWorkflowId"))
}

async fn poll(world: &World) -> Value {
    world.db.run("update sync.n8n_servers set due_at = now()").await;
    world.tick("execution-poll").await.ok()
}

async fn counters(world: &World) -> String {
    let counters = "select concat_ws(' ', execution_count, successful_executions, failed_executions, last_execution_status) from public.mvp_workflows";
    world.db.text(counters).await
}

async fn statuses(world: &World) -> String {
    let statuses = "select coalesce(string_agg(execution_id || ' ' || status, ', ' order by execution_id), '') from public.workflow_executions";
    world.db.text(statuses).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_execution_is_counted_once_however_often_it_is_read_and_stays_when_n8n_drops_it() {
    let world = World::start().await;
    let (ana, _, id) = deployed(&world, AMPLE).await;
    for _ in 0..5 {
        ana.n8n().run(&id, &Plan::Success);
    }
    ana.n8n().run(&id, &Plan::error("boom: customer 17 not found"));

    sync(&ana).await;
    sync(&ana).await;
    poll(&world).await;
    assert_eq!(counters(&world).await, "6 5 1 failure");

    ana.n8n().prune_executions(0);
    poll(&world).await;
    assert_eq!(counters(&world).await, "6 5 1 failure", "what n8n drops stays counted");
    assert_eq!(world.db.count("select count(*) from public.workflow_executions").await, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_runs_while_the_list_is_read_is_followed_to_its_end() {
    let world = World::start().await;
    let (ana, _, id) = deployed(&world, AMPLE).await;
    let slow = ana.n8n().start(&id);
    ana.n8n().run(&id, &Plan::Success);
    sync(&ana).await;
    assert!(statuses(&world).await.contains(&format!("{slow} running")), "{}", statuses(&world).await);

    ana.n8n().finish(&slow, &Plan::error("too late"));
    ana.n8n().run(&id, &Plan::Success);
    poll(&world).await;

    assert_eq!(counters(&world).await, "3 2 1 success");
    let told = world
        .db
        .text(&format!("select error_message from public.workflow_executions where execution_id = {slow}"))
        .await;
    assert_eq!(told, "too late");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_word_of_n8n_has_its_place() {
    let world = World::start().await;
    let (ana, _, id) = deployed(&world, AMPLE).await;
    for plan in [
        Plan::Success,
        Plan::error("x"),
        Plan::Canceled,
        Plan::Crashed,
        Plan::Queued,
        Plan::Waiting(None),
        Plan::Running,
    ] {
        ana.n8n().run(&id, &plan);
    }

    poll(&world).await;
    poll(&world).await;

    let words = "select string_agg(n8n_status || ' ' || status, ', ' order by n8n_status) from public.workflow_executions";
    assert_eq!(
        world.db.text(words).await,
        "canceled cancelled, crashed failure, error failure, new running, running running, success success, waiting running"
    );
    assert_eq!(counters(&world).await.split(' ').take(3).collect::<Vec<_>>(), ["7", "1", "2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_history_is_read_over_several_polls_within_the_budget_and_none_is_missed() {
    let world = World::start().await;
    let (ana, _, id) = deployed(&world, AMPLE).await;
    for _ in 0..1_100 {
        ana.n8n().run(&id, &Plan::Success);
    }
    world.db.run("update public.integrations set rate_per_minute = 5; update sync.rate_buckets set recent_grants = null").await;

    let mut polls = 0;
    while counters(&world).await != "1103 1103 0 success" && polls < 12 {
        polls += 1;
        if polls == 2 {
            // More while the descent is laid aside.
            for _ in 0..3 {
                ana.n8n().run(&id, &Plan::Success);
            }
        }
        world.db.run("update sync.rate_buckets set recent_grants = null").await;
        poll(&world).await;
    }

    assert_eq!(counters(&world).await, "1103 1103 0 success", "after {polls} polls");
    assert!(polls > 1, "one budget was enough: this test would prove nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_explained_told_and_settled_and_nothing_secret_is_kept() {
    let world = World::start().await;
    let (ana, _, id) = deployed(&world, AMPLE).await;
    ana.n8n().run(&id, &Plan::error("boom: customer 17 not found"));
    poll(&world).await;

    let open = "select string_agg(alert_type || ' ' || (resolved_at is null), ', ' order by alert_type) from public.workflow_alerts";
    assert_eq!(world.db.text(open).await, "failure true");
    let shown = ana.get("executions?status=failure").await.ok();
    assert_eq!(
        (&shown["data"][0]["errorMessage"], &shown["data"][0]["errorNode"]),
        (&json!("boom: customer 17 not found"), &json!("Code")),
        "{shown}"
    );

    ana.n8n().run(&id, &Plan::Success);
    poll(&world).await;
    assert_eq!(world.db.text(open).await, "failure false, success false");

    let kept = world.db.text(
        "select string_agg(to_jsonb(e)::text, '') || (select string_agg(to_jsonb(n)::text, '') from public.n8n_workflows as n) from public.workflow_executions as e").await;
    for secret in [ana.n8n().secret(), "resumeToken", "x-sync-secret"] {
        assert!(!kept.contains(secret), "{secret} is kept");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_was_tried_again_in_n8n_is_not_tried_a_third_time() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    ana.connect_n8n("n8n", AMPLE).await;
    let id = ana.n8n().add_workflow("Nightly", true, None);
    let failed = ana.n8n().run(&id, &Plan::error("no disk left"));
    sync(&ana).await;
    for _ in 0..2 {
        // The failure sinks below what a reading looks at.
        ana.n8n().run(&id, &Plan::Success);
        poll(&world).await;
    }
    let address = format!("{}/api/v1/executions/{failed}/retry", ana.n8n().base_url());
    let by_hand = world.http.post(address).header("x-n8n-api-key", ana.n8n().api_key()).json(&json!({}));
    assert_eq!(by_hand.send().await.unwrap().status(), 200);
    poll(&world).await;

    let registry = ana.get("workflow-registry").await.ok()["data"][0]["id"].clone();
    let start = json!({ "workflowId": registry, "confirm": true });
    ana.invoke("workflow-trigger", start).await.problem("conflict");

    assert_eq!(ana.n8n().executions().len(), 4, "nothing was started");
}

/// Sends a body as n8n's nodes do, signed with the account's secret.
pub(crate) async fn told(ana: &User<'_>, account: &str, body: &str, secret: &str) -> Reply {
    let time = chrono::Utc::now().timestamp_millis().to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{time}.{body}").as_bytes());
    let signature = base16ct::lower::encode_string(&mac.finalize().into_bytes());
    let request = ana.world.http.post(ana.world.url(&format!("webhook-receive/{account}")));
    let request = request.header("content-type", "application/json").header("x-timestamp", time);
    Reply::of(
        request
            .header("x-signature", format!("sha256={signature}"))
            .body(body.to_owned())
            .send()
            .await
            .unwrap(),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_n8n_tells_by_itself_is_there_at_once_and_counted_once_with_what_the_poll_reads() {
    let world = World::start().await;
    let (ana, _, id) = deployed(&world, AMPLE).await;
    let account = ana.get("integrations").await.ok()["data"][0]["id"].as_str().unwrap().to_owned();
    let failed = ana.n8n().run(&id, &Plan::error("boom"));
    let body = ana.n8n().pushed_error(&failed).unwrap().to_string();

    told(&ana, &account, &body, "wrong").await.problem("unauthorized");
    assert_eq!(counters(&world).await, "0 0 0");
    let first = told(&ana, &account, &body, "s3cret").await.ok();
    let second = told(&ana, &account, &body, "s3cret").await.ok();
    poll(&world).await;

    assert_eq!((&first["duplicate"], &second["duplicate"]), (&json!(false), &json!(true)));
    assert_eq!(counters(&world).await, "1 0 1 failure");
    let callback = json!({ "execution": { "id": "9000", "status": "success", "mode": "trigger" }, "workflow": { "id": id, "name": "x" },
        "resources": { "created": 3, "updated": 2, "failed": 1 } }).to_string();
    told(&ana, &account, &callback, "s3cret").await.ok();
    let row = ana.get("executions?executionId=9000").await.ok()["data"][0].clone();
    assert_eq!(
        (&row["status"], &row["resourcesCreated"], &row["resourcesFailed"]),
        (&json!("success"), &json!(3), &json!(1)),
        "{row}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_late_or_says_little_takes_nothing_back() {
    let world = World::start().await;
    let (ana, _, id) = deployed(&world, AMPLE).await;
    let account = ana.get("integrations").await.ok()["data"][0]["id"].as_str().unwrap().to_owned();
    let done = ana.n8n().run(&id, &Plan::Success);
    poll(&world).await;
    let open = ana.n8n().start(&id);

    for execution in [&done, &open] {
        for status in [json!(null), json!("running")] {
            let body =
                json!({ "execution": { "id": execution, "status": status }, "workflow": { "id": id } });
            told(&ana, &account, &body.to_string(), "s3cret").await.ok();
        }
    }
    assert_eq!(statuses(&world).await, format!("{done} success, {open} running"));
    assert_eq!(counters(&world).await, "2 1 0 running");
    ana.n8n().finish(&open, &Plan::Success);
    poll(&world).await;
    assert_eq!(counters(&world).await, "2 2 0 success");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_not_forgotten_while_n8n_has_the_workflow_and_what_is_not_watched_is_not_stored() {
    let world = World::start().await;
    let (ana, _, id) = deployed(&world, AMPLE).await;
    ana.n8n().run(&id, &Plan::Success);
    sync(&ana).await;
    let entry = ana.get("workflow-registry").await.ok()["data"][0]["id"].as_str().unwrap().to_owned();
    let open = ana.n8n().start(&id);
    poll(&world).await;

    let forget = format!("workflow-registry?id={entry}");
    ana.request(reqwest::Method::DELETE, &forget, Value::Null).await.problem("conflict");
    let pause = json!({ "id": entry, "isActive": false, "workflowType": "vpc", "provider": "aws" });
    let row = ana.request(reqwest::Method::PUT, "workflow-registry", pause).await.ok();
    ana.n8n().run(&id, &Plan::Success);
    ana.n8n().finish(&open, &Plan::Success);
    poll(&world).await;

    assert_eq!((&row["workflowType"], &row["isActive"]), (&json!("vpc"), &json!(false)));
    assert_eq!(
        counters(&world).await,
        "2 2 0 success",
        "what had begun is followed to its end, and nothing new is stored"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_or_foreign_workflow_is_not_found_and_a_page_goes_on_where_the_last_ended() {
    let world = World::start().await;
    let (ana, own, id) = deployed(&world, AMPLE).await;
    for _ in 0..5 {
        ana.n8n().run(&id, &Plan::Success);
    }
    sync(&ana).await;
    let bob = world.user("bob").await;

    bob.get(&format!("executions?workflowId={own}")).await.problem("not_found");
    assert_eq!(bob.get("executions").await.ok()["data"], json!([]));
    let first = ana.get(&format!("executions?workflowId={own}&limit=3")).await.ok();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = ana.get(&format!("executions?workflowId={own}&limit=3&cursor={cursor}")).await.ok();
    let ids: std::collections::BTreeSet<String> = [&first, &second]
        .iter()
        .flat_map(|page| page["data"].as_array().unwrap().iter().map(|row| row["executionId"].to_string()))
        .collect();
    assert_eq!((ids.len(), &second["has_more"]), (5, &json!(false)));
    assert!(first["servers"][0]["dataAgeSeconds"].as_u64().unwrap() < 60, "{first}");
}
