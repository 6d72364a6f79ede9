//! Tables that note their changes themselves.

use super::{ANA, ANAS, BOBS, ask, ask_with, connect, fresh, ids, made};
use crate::schema::Schema;
use serde_json::{Value, json};

async fn listed(schema: &Schema, account: &str, more: Value) -> Value {
    ask_with(schema, account, "list", json!({ "changes": "trigger" }), more).await
}

/// Watches the table, as its owner does.
async fn watch(schema: &Schema) {
    schema.db.run("set role postgres; select sync.watch_table('public.customers')").await;
}

#[tokio::test]
async fn a_table_is_watched_before_its_changes_are_listed() {
    let schema = fresh().await;
    made(&schema, ANAS, "k", json!({ "email": "before@x" })).await;

    let unwatched = listed(&schema, ANAS, json!({})).await;
    watch(&schema).await;
    watch(&schema).await;
    let whole = listed(&schema, ANAS, json!({})).await;

    assert!(
        unwatched["error"]["message"]
            .as_str()
            .unwrap()
            .contains("select sync.watch_table('public.customers', 'id')")
    );
    assert_eq!(ids(&whole).len(), 1, "what was there before is listed too: {whole}");
    schema.db.run("set role postgres; select sync.unwatch_table('public.customers')").await;
    assert_eq!(schema.db.count("select count(*) from sync.table_changes").await, 0);
}

#[tokio::test]
async fn deletes_are_told_to_those_who_synced_the_row_and_to_nobody_else() {
    let schema = fresh().await;
    watch(&schema).await;
    let (linked, unknown) = (
        made(&schema, ANAS, "k1", json!({ "email": "a@x" })).await["id"].clone(),
        made(&schema, ANAS, "k2", json!({ "email": "b@x" })).await["id"].clone(),
    );
    schema.db.run(&format!("
        insert into public.integrations (id, user_id, name, platform, base_url, credential_kind)
          values ('30000000-0000-4000-8000-000000000001', '{ANA}', 'shop', 'shopify', 'https://x.test', 'access_token');
        set request.jwt.claims to '{{\"sub\": \"{ANA}\"}}';
        insert into public.sync_configs (id, user_id, name, item_type, source_integration_id, target_integration_id)
          values ('40000000-0000-4000-8000-000000000001', '{ANA}', 'c', 'customer', '{ANAS}', '30000000-0000-4000-8000-000000000001');
        insert into sync.sync_links (config_id, source_id, target_id, base_source, base_target)
          values ('40000000-0000-4000-8000-000000000001', '{}', 't', '{{}}', '{{}}')", linked.as_str().unwrap())).await;

    ask(&schema, ANAS, "delete", json!({ "ids": [linked, unknown] })).await;
    let (hers, his) = (listed(&schema, ANAS, json!({})).await, listed(&schema, BOBS, json!({})).await);

    assert_eq!(ids(&hers), [linked.as_str().unwrap()], "{hers}");
    assert_eq!((&hers["records"][0]["deleted"], &hers["records"][0]["fields"]), (&json!(true), &json!({})));
    assert!(hers["records"][0]["modified_at"].is_string());
    assert_eq!(ids(&his), [""; 0], "{his}");
}

#[tokio::test]
async fn a_change_has_the_time_at_which_its_transaction_ended() {
    let schema = fresh().await;
    watch(&schema).await;
    let slow = connect(&schema.db.url()).await;
    slow.batch_execute(&format!(
        "begin; insert into public.customers (id, owner_id, email) values (1, '{ANA}', 'slow@x')"
    ))
    .await
    .unwrap();

    schema
        .db
        .run(&format!("insert into public.customers (id, owner_id, email) values (2, '{ANA}', 'quick@x')"))
        .await;
    let before = listed(&schema, ANAS, json!({})).await;
    slow.batch_execute("commit").await.unwrap();
    let since = &before["records"][0]["modified_at"];
    let after = listed(&schema, ANAS, json!({ "since": since })).await;

    assert_eq!(ids(&before), ["2"]);
    assert_eq!(ids(&after), ["2", "1"], "begun before, ended after: {after}");
}

#[tokio::test]
async fn pages_follow_each_other_and_rows_of_others_leave_no_trace() {
    let schema = fresh().await;
    watch(&schema).await;
    for at in 0..5 {
        made(
            &schema,
            if at % 2 == 0 { ANAS } else { BOBS },
            &format!("k{at}"),
            json!({ "email": format!("{at}@x") }),
        )
        .await;
    }
    // All at one time, as a restored backup has them.
    schema.db.run("update sync.table_changes set changed_at = '2026-11-21T12:00:00.123456Z'").await;

    let (mut seen, mut page) = (Vec::new(), Value::Null);
    loop {
        let answer = listed(&schema, ANAS, json!({ "page": page, "limit": 2 })).await;
        seen.extend(ids(&answer));
        page = answer["next"].clone();
        if page.is_null() {
            break;
        }
    }

    let emails = ask(&schema, ANAS, "find", json!({ "column": "id", "values": seen })).await;
    assert_eq!(emails["records"].as_array().unwrap().len(), 3, "{seen:?}");
    assert_eq!(seen.len(), 3);
}

#[tokio::test]
async fn another_key_and_an_emptied_table_are_deletes_too() {
    let schema = fresh().await;
    watch(&schema).await;
    schema.db.run(&format!("insert into public.customers (id, owner_id, email) values (1, '{ANA}', 'a@x'), (2, '{ANA}', 'b@x')")).await;

    schema.db.run("update public.customers set id = 7 where id = 1").await;
    let moved =
        schema.db.text("select string_agg(key || op, ' ' order by key) from sync.table_changes").await;
    schema.db.run("truncate public.customers").await;
    let emptied =
        schema.db.text("select string_agg(key || op, ' ' order by key) from sync.table_changes").await;

    assert_eq!(moved, "1delete 2insert 7update");
    assert_eq!(emptied, "1delete 2delete 7delete");
}

#[tokio::test]
async fn where_rows_have_owners_each_is_told_of_their_own() {
    let schema = fresh().await;
    schema.db.run("set role postgres; select sync.watch_table('public.customers', 'id', 'owner_id')").await;
    let hers = made(&schema, ANAS, "k", json!({ "email": "a@x" })).await["id"].clone();
    for at in 0..5 {
        made(&schema, BOBS, &format!("k{at}"), json!({ "email": format!("{at}@x") })).await;
    }

    let before = listed(&schema, ANAS, json!({ "limit": 1 })).await;
    ask(&schema, ANAS, "delete", json!({ "ids": [hers] })).await;
    let (after, his) = (listed(&schema, ANAS, json!({})).await, listed(&schema, BOBS, json!({})).await);

    assert_eq!((ids(&before), &before["next"]), (vec![hers.as_str().unwrap().to_owned()], &Value::Null));
    assert_eq!((ids(&after), &after["records"][0]["deleted"]), (ids(&before), &json!(true)), "{after}");
    assert_eq!(ids(&his).len(), 5, "{his}");
}
