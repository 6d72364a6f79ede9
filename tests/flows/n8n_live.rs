//! What frontends that listen see: the stream of the publication that Supabase's Realtime serves.
//!
//! There is no Realtime server here. What it sends comes from the same stream, which is read directly: a change stands in
//! it as soon as the function that made it has answered.

use super::n8n::{AMPLE, definition};
use crate::world::World;
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
