//! Workflows between a user's tables and an n8n server: mirrored, deployed, started, cleaned up.

use crate::world::{SECRET_KEY, User, World};
use platforms::{Fault, Matcher, Plan};
use serde_json::{Value, json};

/// A budget that no test waits for. One is about the usual ten a minute.
pub(super) const AMPLE: u32 = 1_000;

pub(super) fn definition() -> Value {
    json!({
        "nodes": [{ "id": "w1", "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0],
            "webhookId": "invoices", "parameters": { "httpMethod": "POST", "path": "invoices", "responseMode": "onReceived",
                "options": { "responseData": "={{ JSON.stringify({executionId:$execution.id}) }}" } } }],
        "connections": {}, "settings": {},
    })
}

pub(super) async fn sync(user: &User<'_>) -> Value {
    user.invoke("workflow-sync", json!({ "action": "sync_all_workflows" })).await.ok()
}

async fn deploy(user: &User<'_>, name: &str, activate: bool) -> Value {
    let body = json!({ "name": name, "definition": definition(), "activate": activate });
    user.invoke("workflows", body).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_workflows_are_mirrored_registered_and_counted_with_few_requests() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    ana.connect_n8n("n8n", AMPLE).await;
    for number in 0..10 {
        ana.n8n().add_workflow(&format!("Flow {number}"), true, None);
    }

    let synced = sync(&ana).await;

    assert_eq!(
        (&synced["success"], &synced["workflows"], &synced["created"]),
        (&json!(true), &json!(10), &json!(10))
    );
    let lists = ana.n8n().journal().iter().filter(|one| one.path.contains("/workflows?")).count();
    assert_eq!((lists, &synced["requests"]), (1, &json!(3)), "with what runs and what has ended");
    let registry = ana.get("workflow-registry").await.ok();
    assert_eq!(
        registry["coverage"],
        json!({ "total": 10, "registered": 10, "watched": 10, "unclassified": 10 })
    );
    let logs = world
        .db
        .text("select string_agg(sync_type || ' ' || status, ',' order by sync_type) from public.sync_logs")
        .await;
    assert_eq!(logs, "executions success,workflows success");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_and_fifty_workflows_take_at_most_five_requests_and_the_usual_budget_holds() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    let id = ana.connect_n8n("n8n", 10).await;
    for number in 0..250 {
        ana.n8n().add_workflow(&format!("Flow {number}"), false, None);
    }

    let synced = sync(&ana).await;
    for _ in 0..6 {
        world.db.run("update sync.n8n_servers set due_at = now(), workflows_at = null").await;
        let body = json!({ "integrationIds": [id] });
        world.send("execution-poll", body, &[("apikey", SECRET_KEY)]).await.ok();
    }

    assert_eq!(synced["workflows"], 250, "{synced}");
    let lists = ana.n8n().journal().iter().filter(|one| one.path.contains("/workflows?")).count();
    assert!(synced["requests"].as_i64().unwrap() <= 5, "{synced}");
    assert!((3..=10).contains(&lists), "{lists}");
    assert!(ana.n8n().most_in_a_minute() <= 10, "{} requests within a minute", ana.n8n().most_in_a_minute());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_in_n8n_changes_here_also_where_its_time_of_change_does_not() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    ana.connect_n8n("n8n", AMPLE).await;
    let first = ana.n8n().add_workflow("Old name", false, Some("hook"));
    let second = ana.n8n().add_workflow("Other", true, None);
    sync(&ana).await;
    world.db.run("update sync.n8n_servers set workflows_at = now() - interval '1 minute'").await;
    ana.n8n().rename(&first, "New name");
    ana.n8n().publish(&first);
    ana.n8n().delete(&second);

    let synced = sync(&ana).await;

    assert_eq!((&synced["updated"], &synced["removed"]), (&json!(1), &json!(1)), "{synced}");
    let rows = "select string_agg(concat_ws(' ', name, is_active, gone_at is not null), ', ' order by name) from public.n8n_workflows";
    assert_eq!(world.db.text(rows).await, "New name t f, Other f t");
    assert_eq!(ana.get("workflow-registry").await.ok()["coverage"]["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_workflows_are_deleted_each_is_asked_for_and_none_is_left_standing() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    ana.connect_n8n("n8n", AMPLE).await;
    let ids: Vec<String> =
        (0..12).map(|n| ana.n8n().add_workflow(&format!("Flow {n}"), false, None)).collect();
    sync(&ana).await;
    for id in &ids {
        ana.n8n().delete(id);
    }

    for _ in 0..3 {
        world.db.run("update sync.n8n_servers set workflows_at = now() - interval '1 minute'").await;
        sync(&ana).await;
    }

    assert_eq!(world.db.count("select count(*) from public.n8n_workflows where gone_at is null").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_is_asked_three_times_more_and_then_left_for_later() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    ana.connect_n8n("n8n", AMPLE).await;
    ana.n8n().add_workflow("Flow", true, None);
    ana.n8n().faults().on(Matcher::any().path("/workflows?").times(3), Fault::status(500));

    let synced = sync(&ana).await;

    assert_eq!((&synced["success"], &synced["workflows"]), (&json!(true), &json!(1)), "{synced}");
    ana.n8n().clear_journal();
    world.db.run("update sync.n8n_servers set workflows_at = null").await;
    ana.n8n().faults().on(Matcher::any().path("/workflows?"), Fault::status(500));
    ana.invoke("workflow-sync", json!({ "action": "sync_all_workflows" }))
        .await
        .problem("platform_unavailable");
    assert_eq!(ana.n8n().journal().len(), 4, "once, and three times more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_cannot_be_deployed_says_why() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    let id = ana.connect_n8n("n8n", AMPLE).await;
    world.db.run(&format!("update public.integrations set status = 'error' where id = '{id}'")).await;

    let made = deploy(&ana, "Invoices", false).await;

    assert_eq!(made["status"], "failed", "{made}");
    assert!(made["deployError"].as_str().unwrap().contains("credential"), "{made}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_or_is_away_deletes_nothing_and_says_so() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    ana.connect_n8n("n8n", AMPLE).await;
    ana.n8n().add_workflow("Kept", true, None);
    sync(&ana).await;
    world.db.run("update sync.n8n_servers set workflows_at = now() - interval '1 minute'").await;
    ana.n8n().set_starting(true);

    let refused = ana.invoke("workflow-sync", json!({ "action": "sync_all_workflows" })).await;

    let problem = refused.problem("platform_unavailable");
    assert!(problem["detail"].as_str().unwrap().starts_with("n8n unavailable"), "{problem}");
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(world.db.count("select count(*) from public.n8n_workflows where gone_at is null").await, 1);
    let shown = ana.get("executions").await.ok();
    assert_eq!(shown["data"], json!([]));
    let error = world.db.text("select error_message from public.sync_logs where status = 'error'").await;
    assert!(error.contains("n8n"), "{error}");

    ana.n8n().set_starting(false);
    world.db.run("update sync.n8n_servers set due_at = now(); update sync.breakers set state = 'closed', open_until = '-infinity'").await;
    world.tick("execution-poll").await.ok();
    assert_eq!(world.db.text("select is_available::text from sync.n8n_servers").await, "true");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_is_stored_first_and_deployed_under_its_users_name() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    ana.connect_n8n("n8n", AMPLE).await;

    let made = deploy(&ana, "Invoices", true).await;

    let short = &ana.id.to_string()[..8];
    assert_eq!(made["status"], "deployed", "{made}");
    let there = ana.n8n().workflow(made["n8nWorkflowId"].as_str().unwrap()).unwrap();
    assert_eq!(there.name, format!("[USR-{short}] Invoices"));
    assert!(there.active && there.tags.iter().any(|tag| tag.starts_with("sl-")), "{:?}", there.tags);

    let again = json!({ "action": "deploy_workflow", "workflowId": made["id"] });
    let again = ana.invoke("workflow-sync", again).await.ok();
    assert_eq!(again["created"], 0, "{again}");
    assert_eq!(ana.n8n().workflows().len(), 1, "no workflow twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_after_n8n_made_the_workflow_does_not_make_a_second_one() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    ana.connect_n8n("n8n", AMPLE).await;
    let lost = Matcher::any().method("POST").path("/workflows").times(1);
    ana.n8n().faults().on(lost, Fault::DropAfterCommit);

    let broken = deploy(&ana, "Invoices", false).await;
    assert_eq!(broken["status"], "failed", "{broken}");
    assert_eq!(ana.n8n().workflows().len(), 1, "n8n has made it");
    let again = json!({ "action": "deploy_workflow", "workflowId": broken["id"], "activate": true });
    let again = ana.invoke("workflow-sync", again).await.ok();

    assert_eq!(again["created"], 0, "{again}");
    assert_eq!(ana.n8n().workflows().len(), 1, "found again by its name");
    assert!(ana.n8n().workflows()[0].active);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_n8n_would_refuse_is_refused_before_it_is_stored() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    ana.connect_n8n("n8n", AMPLE).await;

    let refused = ana.invoke("workflows", json!({ "name": "Empty", "definition": { "nodes": 7 } })).await;

    assert_eq!(refused.problem("invalid")["errors"][0]["pointer"], "/definition");
    assert_eq!(world.db.count("select count(*) from public.mvp_workflows").await, 0);
    assert_eq!(ana.n8n().writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_server_takes_everybodys_workflows_and_shows_each_only_their_own() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    let server = ana.connect_n8n("n8n", AMPLE).await;
    let bob = world.user("bob").await;
    assert!(
        bob.invoke("workflows", json!({ "name": "His", "definition": definition() })).await.json()["code"]
            == "invalid"
    );
    world.db.run(&format!("select sync.share_n8n('{server}')")).await;

    let his = deploy(&bob, "His", false).await;
    sync(&ana).await;

    assert_eq!(his["status"], "deployed", "{his}");
    assert_eq!(bob.get("workflows").await.ok()["data"].as_array().unwrap().len(), 1);
    assert_eq!(bob.get("workflow-registry").await.ok()["coverage"]["total"], 1);
    assert_eq!(ana.get("workflows").await.ok()["data"], json!([]));
    assert_eq!(
        ana.get("workflow-registry").await.ok()["coverage"]["total"],
        0,
        "what is Bob's is not hers to see"
    );
    assert_eq!(bob.get("integrations").await.ok()["data"], json!([]), "the key's account stays its owner's");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_is_started_by_hand_only_when_confirmed_and_shows_who_did_it() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    ana.connect_n8n("n8n", AMPLE).await;
    let made = deploy(&ana, "Invoices", true).await;
    let address = format!("/api/workflows/{}/execute", made["id"].as_str().unwrap());

    ana.invoke(&address, json!({})).await.problem("invalid");
    let started = ana.invoke(&address, json!({ "confirm": true, "payload": { "a": 1 } })).await.ok();

    assert_eq!((&started["way"], &started["status"]), (&json!("webhook"), &json!("success")), "{started}");
    assert_eq!(ana.n8n().executions().len(), 1);
    let shown = ana.get(&format!("/api/workflows/{}/executions", made["id"].as_str().unwrap())).await.ok();
    let row = &shown["data"][0];
    assert_eq!((&row["triggeredBy"], &row["triggerWay"]), (&json!(ana.id), &json!("webhook")), "{shown}");
    let alerts = world.db.text("select string_agg(alert_type, ',') from public.workflow_alerts").await;
    assert_eq!(alerts, "manual_trigger");
    let mine = ana.get("workflows").await.ok();
    assert_eq!(
        (&mine["data"][0]["executionCount"], &mine["data"][0]["successfulExecutions"]),
        (&json!(1), &json!(1))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_n8n_does_not_run_is_asked_for_three_times_and_then_says_what_to_do() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    ana.connect_n8n("n8n", AMPLE).await;
    let made = deploy(&ana, "Invoices", true).await;
    // Somebody takes it back in the editor, of which we have not heard yet.
    ana.n8n().unpublish(made["n8nWorkflowId"].as_str().unwrap());
    world.platforms.clock().advance(chrono::TimeDelta::seconds(5));
    ana.n8n().clear_journal();

    let start = json!({ "workflowId": made["id"], "confirm": true });
    let refused = ana.invoke("workflow-trigger", start).await.problem("conflict");

    assert!(refused["detail"].as_str().unwrap().contains("publish it"), "{refused}");
    let calls = ana.n8n().journal().iter().filter(|request| request.path.contains("/webhook/")).count();
    assert_eq!((calls, ana.n8n().executions().len()), (3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_webhook_the_mcp_server_a_retry_or_a_clear_refusal_follow() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    ana.connect_n8n("n8n", AMPLE).await;
    let id = ana.n8n().add_workflow("Nightly", true, None);
    sync(&ana).await;
    let registry = ana.get("workflow-registry").await.ok()["data"][0]["id"].clone();
    let start = json!({ "workflowId": registry, "confirm": true });

    let refused = ana.invoke("workflow-trigger", start.clone()).await.problem("conflict");
    assert!(refused["detail"].as_str().unwrap().contains("Add a Webhook node"), "{refused}");

    ana.n8n().run(&id, &Plan::error("no disk left"));
    ana.invoke("workflow-sync", json!({ "action": "sync_workflow", "workflowId": registry })).await.ok();
    let retried = ana.invoke("workflow-trigger", start.clone()).await.ok();
    assert_eq!((&retried["way"], &retried["status"]), (&json!("retry"), &json!("success")), "{retried}");

    ana.n8n().set_setting(&id, "availableInMCP", json!(true));
    ana.invoke("workflow-sync", json!({ "action": "sync_workflow", "workflowId": registry })).await.ok();
    let started = ana.invoke("workflow-trigger", start.clone()).await.ok();
    assert_eq!(started["way"], "mcp", "{started}");

    // As mirrored before it was read what triggers want to be given.
    world.db.run("update public.n8n_workflows set trigger_takes = null").await;
    let started = ana.invoke("workflow-trigger", start).await.ok();
    assert_eq!(started["way"], "mcp", "{started}");
    assert_eq!(world.db.text("select trigger_takes from public.n8n_workflows").await, "nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_waits_for_events_is_not_handed_to_the_mcp_server_which_would_refuse_it() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    ana.connect_n8n("n8n", AMPLE).await;
    let id = ana.n8n().add_workflow("On restart", true, None);
    let event = json!([{ "id": "e1", "name": "Restarted", "type": "n8n-nodes-base.n8nTrigger", "typeVersion": 1,
        "position": [0, 0], "parameters": { "events": ["init"] } }]);
    ana.n8n().set_nodes(&id, event, json!({}));
    ana.n8n().set_setting(&id, "availableInMCP", json!(true));
    ana.n8n().publish(&id);
    sync(&ana).await;
    let registry = ana.get("workflow-registry").await.ok()["data"][0]["id"].clone();

    let start = json!({ "workflowId": registry, "confirm": true });
    let refused = ana.invoke("workflow-trigger", start.clone()).await.problem("conflict");
    ana.n8n().run(&id, &Plan::error("no disk left"));
    ana.invoke("workflow-sync", json!({ "action": "sync_workflow", "workflowId": registry })).await.ok();
    let retried = ana.invoke("workflow-trigger", start).await.ok();

    assert!(refused["detail"].as_str().unwrap().contains("a schedule, form or chat trigger"), "{refused}");
    assert_eq!(retried["way"], "retry", "{retried}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cleaning_up_lists_first_and_then_removes_only_what_is_ours_and_nobodys() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    ana.connect_n8n("n8n", AMPLE).await;
    let [left, renamed, kept] = [
        deploy(&ana, "Left", false).await,
        deploy(&ana, "Renamed", false).await,
        deploy(&ana, "Kept", false).await,
    ];
    ana.n8n().add_workflow("[USR-00000000] not ours", false, None);
    ana.n8n().rename(renamed["n8nWorkflowId"].as_str().unwrap(), "Somebody's own");
    for gone in [&left, &renamed] {
        world
            .db
            .run(&format!("delete from public.mvp_workflows where id = '{}'", gone["id"].as_str().unwrap()))
            .await;
    }
    let clean = |body: Value| world.send("workflow-cleanup", body, &[("apikey", SECRET_KEY)]);
    let clean = |body: Value| async { clean(body).await.ok() };

    let listed = clean(json!({ "days": 0 })).await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{listed}");
    assert!(ana.n8n().workflows().iter().all(|one| !one.archived), "a dry run by default");
    let done = clean(json!({ "days": 0, "dryRun": false })).await;

    assert_eq!(done["removed"], 1, "{done}");
    let archived: Vec<String> =
        ana.n8n().workflows().into_iter().filter(|one| one.archived).map(|one| one.id).collect();
    assert_eq!(archived, [left["n8nWorkflowId"].as_str().unwrap()]);
    assert!(!kept["n8nWorkflowId"].is_null());
}
