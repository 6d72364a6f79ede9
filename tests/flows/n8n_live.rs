//! What frontends that listen see: the stream of the publication that Supabase's Realtime serves.
//!
//! There is no Realtime server here. What it sends comes from the same stream, which is read directly: a change stands in
//! it as soon as the function that made it has answered.

use super::n8n::{AMPLE, definition};
use super::n8n_executions::{deployed, told};
use crate::world::{User, World, claims};
use platforms::Plan;
use serde_json::json;
use tokio_postgres::{Client, NoTls};

/// Somebody who listens to everything that is published.
struct Listener {
    client: Client,
}

impl Listener {
    /// Begins to listen. What it listens with ends with its connection.
    async fn of(world: &World) -> Self {
        let (client, connection) = tokio_postgres::connect(&world.db.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        let slot = "select pg_create_logical_replication_slot('live_' || pg_backend_pid(), 'pgoutput', true)";
        client.batch_execute(slot).await.unwrap();
        Self { client }
    }

    /// The tables of the rows that have changed since it was asked last, each once.
    async fn hears(&self) -> Vec<String> {
        let changes = "select distinct c.relname::text
            from pg_logical_slot_get_binary_changes('live_' || pg_backend_pid(), null, null, 'proto_version', '1',
              'publication_names', 'supabase_realtime') as change (lsn, xid, data),
              lateral (select case when get_byte(data, 0) in (73, 85, 68)
                then ((get_byte(data, 1)::bigint << 24) | (get_byte(data, 2) << 16) | (get_byte(data, 3) << 8) | get_byte(data, 4)) end) as told (relation)
            join pg_class as c on c.oid = told.relation::oid
            order by 1";
        self.client.query(changes, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_listens_hears_of_a_workflow_an_execution_and_a_run_as_soon_as_the_function_has_answered() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    ana.connect_n8n("n8n", AMPLE).await;
    let listener = Listener::of(&world).await;
    assert_eq!(listener.hears().await, Vec::<String>::new(), "nothing has happened");

    let body = json!({ "name": "Invoices", "definition": definition(), "activate": true });
    let made = ana.invoke("workflows", body).await.ok();
    let deployed = listener.hears().await;
    let id = made["n8nWorkflowId"].as_str().unwrap();
    ana.n8n().run(id, &Plan::Success);
    ana.invoke("workflow-sync", json!({ "action": "sync_all_workflows" })).await.ok();
    let read = listener.hears().await;

    assert!(deployed.contains(&"mvp_workflows".to_owned()), "{deployed:?}");
    for table in ["mvp_workflows", "sync_runs", "workflow_executions"] {
        assert!(read.contains(&table.to_owned()), "{table}: {read:?}");
    }
    assert_eq!(listener.hears().await, Vec::<String>::new(), "each change is told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_n8n_tells_of_is_on_every_page_as_soon_as_it_was_told_and_its_alert_too() {
    let world = World::start().await;
    let (ana, _, id) = deployed(&world, AMPLE).await;
    let account = ana.get("integrations").await.ok()["data"][0]["id"].as_str().unwrap().to_owned();
    let listener = Listener::of(&world).await;
    let failed = ana.n8n().run(&id, &Plan::error("boom"));

    let body = ana.n8n().pushed_error(&failed).unwrap().to_string();
    told(&ana, &account, &body, "s3cret").await.ok();

    assert_eq!(listener.hears().await, ["mvp_workflows", "workflow_alerts", "workflow_executions"]);
}

/// Does with the user's rights what a page does through the Data API; answers the first value.
async fn through_the_data_api(user: &User<'_>, statement: &str) -> String {
    let (client, connection) = tokio_postgres::connect(&user.world.db.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    let session = format!("set request.jwt.claims to '{}'; set role authenticated", claims(user.id));
    client.batch_execute(&session).await.unwrap();
    client.query_one(statement, &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_from_the_chat_that_stored_it_to_the_report_of_its_executions() {
    let world = World::start().await;
    let mut ana = world.user("ana").await;
    ana.connect_n8n("n8n", AMPLE).await;
    let listener = Listener::of(&world).await;

    let stored = format!(
        "insert into public.mvp_workflows (name, description, definition) values ('Invoices', 'Made in the chat', '{}') returning id::text",
        definition()
    );
    let id = through_the_data_api(&ana, &stored).await;
    let heard = listener.hears().await;
    let listed = ana.get("workflows").await.ok();
    let deploy = json!({ "action": "deploy_workflow", "workflowId": id, "activate": true });
    ana.invoke("workflow-sync", deploy).await.ok();
    let start = json!({ "workflowId": id, "confirm": true, "payload": { "invoice": 17 } });
    let started = ana.invoke("workflow-trigger", start).await.ok();
    ana.n8n().run(&ana.n8n().workflows()[0].id, &Plan::error("no such customer"));
    world.db.run("update sync.n8n_servers set due_at = now()").await;
    world.tick("execution-poll").await.ok();

    assert_eq!(heard, ["mvp_workflows"], "it shows as soon as it is stored");
    assert_eq!((&listed["data"][0]["id"], &listed["data"][0]["status"]), (&json!(id), &json!("draft")));
    let name = format!("[USR-{}] Invoices", &ana.id.to_string()[..8]);
    let there: Vec<_> = ana.n8n().workflows().into_iter().map(|one| (one.name, one.active)).collect();
    assert_eq!(there, [(name, true)]);
    assert_eq!((&started["way"], &started["status"]), (&json!("webhook"), &json!("success")), "{started}");
    let shown = ana.get(&format!("executions?workflowId={id}&status=failure")).await.ok();
    assert_eq!(shown["data"][0]["errorMessage"], "no such customer", "{shown}");
    let report = ana.get("execution-report").await.ok();
    assert_eq!(
        (&report["totals"]["executions"], &report["totals"]["successRate"]),
        (&json!(2), &json!(0.5)),
        "{report}"
    );
    let told = world
        .db
        .text("select string_agg(alert_type, ' ' order by alert_type) from public.workflow_alerts")
        .await;
    assert_eq!(told, "failure manual_trigger");
}
