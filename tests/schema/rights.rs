//! Who may do what, for every table of `public` there is: the owner's rows are out of a stranger's reach.

use super::{ANA, BOB, Schema, connect, opening, state};
use serde_json::json;
use tokio_postgres::Client;

/// A world in which Ana has a row in every table that has owners.
async fn full() -> Schema {
    let (schema, items) = Schema::with_items(&["1", "2"]).await;
    let opened = schema.call("runs/open", opening(&items)).await;
    let run = &opened["children"][0];
    let result = |source: &str, outcome: &str| {
        json!({"item_id": null, "source_id": source, "target_id": null, "outcome": outcome, "link": null,
            "metadata": null, "changes": "{}", "error": {"class": "rejected", "code": "x", "message": "no"}, "inputs": null})
    };
    let gone = json!({"item_id": null, "source_id": "3", "target_id": "4", "outcome": "gone", "changes": "{}",
        "gone": {"step": "found", "side": "source", "reason": "tombstone", "policy": "delete"}});
    let page = json!({"run_id": run["run_id"], "fence": run["fence"], "position": 2, "cursor": null, "last_page": true,
        "results": [result("1", "failed"), result("2", "conflicted"), gone], "platform_requests": 1, "lease_seconds": 60,
        "next_limit": 0});
    schema.call("runs/record_page", page).await;
    schema
        .call_as(
            ANA,
            "patterns/create",
            json!({"name": "mine", "direction": "bidirectional", "filter_config": {}}),
        )
        .await
        .unwrap();
    schema
        .db
        .run(&format!(
            "set request.jwt.claims to '{{\"sub\": \"{ANA}\"}}'; insert into public.organizations (name) values ('Ana and sons');
             reset request.jwt.claims"
        ))
        .await;
    n8n(&schema).await;
    schema
}

/// Ana's n8n server with a workflow of hers that has failed.
async fn n8n(schema: &Schema) {
    let id = schema
        .db
        .text(&format!(
            "insert into public.integrations (user_id, name, platform, base_url, credential_kind)
             values ('{ANA}', 'n8n', 'n8n', 'https://n8n.example.com', 'api_key') returning id::text"
        ))
        .await;
    let workflow = json!({"id": "w1", "name": "Mine", "active": true, "is_archived": false, "tags": [], "in_mcp": false,
        "node_types": [], "fingerprint": "f"});
    schema.call("n8n/mirror", json!({"integration_id": id, "workflows": [workflow], "complete": true})).await;
    let failed = json!({"id": 7, "workflow_id": "w1", "status": "failure", "n8n_status": "error"});
    schema.call("n8n/record_executions", json!({"integration_id": id, "rows": [failed]})).await;
    let mine = json!({"id": "00000000-0000-4000-8000-0000000000aa", "name": "Mine", "definition": {}});
    schema.call_as(ANA, "workflows/create", mine).await.unwrap();
    let ana = as_user(schema, ANA).await;
    ana.batch_execute("insert into public.alert_rules (metric, is_active) values ('n8n_error', false)")
        .await
        .unwrap();
}

pub(super) async fn as_user(schema: &Schema, user: &str) -> Client {
    let client = connect(&schema.db.url()).await;
    let claims = json!({"sub": user, "role": "authenticated"});
    client
        .batch_execute(&format!("set request.jwt.claims to '{claims}'; set role authenticated"))
        .await
        .unwrap();
    client
}

/// The tables, each with one column that its owner may update, if there is one.
async fn tables(schema: &Schema) -> Vec<(String, Option<String>)> {
    let admin = connect(&schema.db.url()).await;
    let rows = admin
        .query(
            "select c.relname::text, (
               select a.attname::text from pg_attribute as a
               where a.attrelid = c.oid and a.attnum > 0 and has_column_privilege('authenticated', c.oid, a.attnum, 'update')
               order by a.attnum limit 1)
             from pg_class as c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1",
            &[],
        )
        .await
        .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn a_stranger_sees_changes_and_removes_nothing_in_any_table() {
    let schema = full().await;
    let (ana, bob) = (as_user(&schema, ANA).await, as_user(&schema, BOB).await);

    for (table, column) in tables(&schema).await {
        let count = format!("select count(*) from public.{table}");
        let hers: i64 = ana.query_one(&count, &[]).await.unwrap().get(0);
        assert!(hers > 0, "Ana has nothing in {table}: this test would prove nothing");
        assert_eq!(
            bob.query_one(&count, &[]).await.unwrap().get::<_, i64>(0),
            0,
            "{table}: a stranger sees it"
        );

        if let Some(column) = column {
            let changed = bob.execute(&format!("update public.{table} set {column} = {column}"), &[]).await;
            assert_eq!(changed.unwrap_or(0), 0, "{table}: a stranger changes it");
        }
        let removed = bob.execute(&format!("delete from public.{table}"), &[]).await;
        assert_eq!(removed.unwrap_or(0), 0, "{table}: a stranger removes it");
        assert_eq!(ana.query_one(&count, &[]).await.unwrap().get::<_, i64>(0), hers, "{table}: it is less");
    }
}

#[tokio::test]
async fn nobody_adds_rows_in_somebody_elses_name() {
    let schema = full().await;
    let bob = as_user(&schema, BOB).await;
    for table in ["sync_list", "saved_search_patterns", "sync_configs"] {
        let columns = schema
            .db
            .text(&format!(
                "select string_agg(a.attname, ', ' order by a.attnum) from pg_attribute as a
                 where a.attrelid = 'public.{table}'::regclass and a.attnum > 0 and a.attname <> 'id'
                   and has_column_privilege('authenticated', a.attrelid, a.attnum, 'insert')"
            ))
            .await;
        let row = schema.db.text(&format!("select to_jsonb(t)::text from public.{table} as t limit 1")).await;
        let insert = format!(
            "insert into public.{table} ({columns}) select {columns} from jsonb_populate_record(null::public.{table}, '{row}')"
        );
        let refused = bob.execute(&insert, &[]).await.unwrap_err();
        let code = refused.code().map(tokio_postgres::error::SqlState::code).unwrap_or_default();
        assert!(["42501", "PT403", "PT422"].contains(&code), "{table}: {refused:?}");
    }
}

#[tokio::test]
async fn a_row_of_ones_own_cannot_name_somebody_elses_account_or_sync() {
    let schema = full().await;
    let config = schema.db.text("select id::text from public.sync_configs").await;
    let mut item = json!({"item_type": "product", "source_id": "9", "source_integration_id": super::BOOKS,
        "target_integration_id": super::SHOP});
    assert_eq!(state(schema.call_as(BOB, "sync_list/add", json!({"items": [item]})).await), "PT422");
    item = json!({"source_id": "9", "config_id": config});
    assert_eq!(state(schema.call_as(BOB, "sync_list/add", json!({"items": [item]})).await), "PT422");
    let renamed = json!({"id": super::SHOP, "name": "mine now"});
    assert_eq!(schema.call_as(BOB, "integrations/update", renamed).await.unwrap()["id"], json!(null));
}

#[tokio::test]
async fn another_address_needs_the_secret_again() {
    let (schema, _) = Schema::with_items(&[]).await;
    let moved = json!({"id": super::SHOP, "base_url": "https://elsewhere.test"});
    assert_eq!(state(schema.call_as(ANA, "integrations/update", moved.clone()).await), "PT422");
    let mut with_secret = moved;
    with_secret["sealed"] = json!("v1.k.n.d");
    assert_eq!(
        schema.call_as(ANA, "integrations/update", with_secret).await.unwrap()["id"],
        json!(super::SHOP)
    );
}

#[tokio::test]
async fn the_audit_can_only_be_added_to_and_its_chain_holds() {
    let schema = full().await;
    assert!(schema.db.count("select count(*) from public.sync_audit").await > 0);
    let whole = format!("select coalesce(sync.audit_break('{ANA}')::text, 'whole')");
    assert_eq!(schema.db.text(&whole).await, "whole");

    let admin = connect(&schema.db.url()).await;
    assert!(admin.execute("update public.sync_audit set action = 'nothing'", &[]).await.is_err());
    assert!(admin.execute("delete from public.sync_audit", &[]).await.is_err());

    let forged = "alter table public.sync_audit disable trigger all;
        update public.sync_audit set details = '{\"forged\": true}' where position = 2";
    admin.batch_execute(forged).await.unwrap();
    assert_eq!(schema.db.text(&whole).await, "2");
}
