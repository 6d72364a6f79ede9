//! The tables of n8n: the columns that their users know, the words they take, and counters that count once.

use super::{ANA, Schema, connect};
use serde_json::json;

/// `name type required default`, in the order of the table.
async fn columns(schema: &Schema, table: &str, names: &[&str]) -> Vec<String> {
    let mut columns = Vec::new();
    for name in names {
        let query = format!(
            "select concat_ws(' ', data_type, case when is_nullable = 'NO' then 'required' else 'optional' end, column_default)
             from information_schema.columns where table_schema = 'public' and table_name = '{table}' and column_name = '{name}'"
        );
        columns.push(format!("{name} {}", schema.db.text(&query).await));
    }
    columns
}

#[tokio::test]
async fn the_tables_have_the_columns_that_their_users_know() {
    let (schema, _) = Schema::with_items(&["1"]).await;

    let names = [
        "execution_count",
        "successful_executions",
        "failed_executions",
        "last_execution_at",
        "last_execution_status",
        "last_sync_at",
        "n8n_workflow_id",
    ];
    assert_eq!(
        columns(&schema, "mvp_workflows", &names).await,
        [
            "execution_count bigint required 0",
            "successful_executions bigint required 0",
            "failed_executions bigint required 0",
            "last_execution_at timestamp with time zone optional",
            "last_execution_status text optional",
            "last_sync_at timestamp with time zone optional",
            "n8n_workflow_id text optional",
        ]
    );
    let names = [
        "workflow_id",
        "workflow_name",
        "workflow_type",
        "provider",
        "is_active",
        "created_at",
        "updated_at",
    ];
    assert_eq!(
        columns(&schema, "workflow_registry", &names).await,
        [
            "workflow_id character varying required",
            "workflow_name text required",
            "workflow_type text optional",
            "provider text required 'others'::text",
            "is_active boolean required true",
            "created_at timestamp with time zone required now()",
            "updated_at timestamp with time zone required now()",
        ]
    );
    let names = [
        "registry_id",
        "execution_id",
        "status",
        "start_time",
        "end_time",
        "duration_ms",
        "resources_created",
        "resources_updated",
        "resources_failed",
        "error_message",
        "execution_data",
        "created_at",
    ];
    assert_eq!(
        columns(&schema, "workflow_executions", &names).await,
        [
            "registry_id uuid required",
            "execution_id bigint required",
            "status text required",
            "start_time timestamp with time zone required",
            "end_time timestamp with time zone optional",
            "duration_ms bigint optional",
            "resources_created integer required 0",
            "resources_updated integer required 0",
            "resources_failed integer required 0",
            "error_message text optional",
            "execution_data jsonb optional",
            "created_at timestamp with time zone required now()",
        ]
    );
    let names = ["execution_id", "alert_type", "recipients", "sent_at", "resolved_at"];
    assert_eq!(
        columns(&schema, "workflow_alerts", &names).await,
        [
            "execution_id uuid optional",
            "alert_type text required",
            "recipients text required 'dashboard'::text",
            "sent_at timestamp with time zone optional",
            "resolved_at timestamp with time zone optional",
        ]
    );
}

/// Ana's server, with a workflow of hers on it that n8n calls `w1`; answers the account's id.
async fn server(schema: &Schema) -> String {
    let id = schema
        .db
        .text(&format!(
            "insert into public.integrations (user_id, name, platform, base_url, credential_kind)
             values ('{ANA}', 'n8n', 'n8n', 'https://n8n.example.com', 'api_key') returning id::text"
        ))
        .await;
    schema
        .db
        .run(&format!(
            "insert into public.mvp_workflows (user_id, name, definition, integration_id, n8n_workflow_id, status)
             values ('{ANA}', 'Mine', '{{}}', '{id}', 'w1', 'deployed')"
        ))
        .await;
    id
}

#[tokio::test]
async fn a_registry_takes_five_types_and_seven_providers_and_each_workflow_once() {
    let (schema, _) = Schema::with_items(&["1"]).await;
    let id = server(&schema).await;
    let add = |name: &str, kind: &str, provider: &str| {
        format!(
            "insert into public.workflow_registry (user_id, integration_id, workflow_id, workflow_name, workflow_type, provider)
             values ('{ANA}', '{id}', '{name}', '{name}', '{kind}', '{provider}')"
        )
    };
    let admin = connect(&schema.db.url()).await;
    for kind in ["vpc", "subnet", "transit_gateway", "nat_gateway", "vpn"] {
        for provider in ["aws", "azure", "gcp", "ali", "oci", "huawei", "others"] {
            admin.batch_execute(&add(&format!("{kind}-{provider}"), kind, provider)).await.unwrap();
        }
    }
    for (name, kind, provider) in
        [("a", "router", "aws"), ("b", "vpc", "digitalocean"), ("vpc-aws", "vpc", "aws")]
    {
        admin.batch_execute(&add(name, kind, provider)).await.unwrap_err();
    }
    let before = schema.db.text("select max(updated_at)::text from public.workflow_registry").await;
    schema
        .db
        .run("update public.workflow_registry set is_active = false where workflow_id = 'vpc-aws'")
        .await;
    assert_ne!(schema.db.text("select max(updated_at)::text from public.workflow_registry").await, before);
}

#[tokio::test]
async fn executions_told_side_by_side_are_counted_once_and_go_with_their_registry_row() {
    let (schema, _) = Schema::with_items(&["1"]).await;
    let id = server(&schema).await;
    let rows = |status: &str, word: &str| -> String {
        let rows: Vec<_> = (1..=50)
            .map(|n| json!({"id": n, "workflow_id": "w1", "status": status, "n8n_status": word, "started_at": "2026-11-20T10:00:00Z"}))
            .collect();
        json!({"integration_id": id, "rows": rows}).to_string()
    };
    let statement = include_str!("../../sql/n8n/record_executions.sql");
    let mut tellers = Vec::new();
    for (status, word) in
        [("running", "running"), ("success", "success"), ("running", "running"), ("success", "success")]
    {
        let client = connect(&schema.db.url()).await;
        let input = rows(status, word);
        tellers.push(tokio::spawn(async move {
            for _ in 0..5 {
                client.query_one(statement, &[&input]).await.unwrap();
            }
        }));
    }
    for teller in tellers {
        teller.await.unwrap();
    }

    let counters = "select concat_ws(' ', execution_count, successful_executions, failed_executions) from public.mvp_workflows";
    assert_eq!(schema.db.text(counters).await, "50 50 0");
    schema.db.run("delete from public.workflow_registry").await;
    assert_eq!(schema.db.count("select count(*) from public.workflow_executions").await, 0);
    assert_eq!(schema.db.text(counters).await, "50 50 0", "what was counted stays counted");
}

#[tokio::test]
async fn frontends_hear_of_workflows_executions_and_alerts_at_once() {
    let (schema, _) = Schema::with_items(&["1"]).await;
    let published = "select string_agg(tablename, ', ' order by tablename) from pg_publication_tables
        where pubname = 'supabase_realtime' and tablename like '%workflow%'";
    assert_eq!(schema.db.text(published).await, "mvp_workflows, workflow_alerts, workflow_executions");
}

#[tokio::test]
async fn the_queries_that_people_ask_of_the_ledger_work_for_readings_of_n8n() {
    let (schema, _) = Schema::with_items(&["1"]).await;
    let id = server(&schema).await;
    let reading = |message: Option<&str>| {
        json!({"integration_id": id, "sync_type": "workflows", "duration_ms": 1200, "seen": 3, "created": 1, "updated": 1,
            "unchanged": 1, "requests": 1, "reason": message.map(|_| "platform_unavailable"), "message": message})
    };
    schema.call("n8n/log", reading(None)).await;
    schema.call("n8n/log", reading(Some("n8n is starting"))).await;

    let last = "select string_agg(concat_ws(' ', sync_type, status, duration_ms, error_message), ', ' order by status) from
        (select * from public.sync_logs where sync_type in ('workflows', 'executions') order by created_at desc limit 10) as l";
    assert_eq!(schema.db.text(last).await, "workflows error 1200 n8n is starting, workflows success 1200");
    let day = "select string_agg(concat_ws(' ', sync_type, status, n, ms), ', ' order by status) from (select sync_type, status,
        count(*) as n, round(avg(duration_ms)) as ms from public.sync_logs where created_at > now() - interval '24 hours'
        and sync_type = 'workflows' group by sync_type, status) as d";
    assert_eq!(schema.db.text(day).await, "workflows error 1 1200, workflows success 1 1200");
}
