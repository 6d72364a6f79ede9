//! Whose rows an account reaches, and what is no table to sync.

use super::{ANA, ANAS, BOB, BOBS, ask, ask_with, connect, fresh, ids, made, states};
use crate::schema::Schema;
use serde_json::json;

#[tokio::test]
async fn an_account_reaches_its_owners_rows_and_nobody_elses() {
    let schema = fresh().await;
    let hers = made(&schema, ANAS, "k1", json!({ "email": "ana@x" })).await["id"].clone();
    let his = made(&schema, BOBS, "k1", json!({ "email": "bob@x" })).await["id"].clone();

    let listed = ask(&schema, BOBS, "list", json!({})).await;
    let found = ask(&schema, BOBS, "find", json!({ "column": "email", "values": ["ana@x", "bob@x"] })).await;
    let writes = json!([{ "id": hers, "fields": { "name": "stolen" } },
        { "external_key": "k2", "fields": { "email": "c@x", "owner_id": ANA } },
        { "id": his, "fields": { "owner_id": ANA } }]);
    let written = ask(&schema, BOBS, "write", json!({ "writes": writes })).await;
    let deleted = ask(&schema, BOBS, "delete", json!({ "ids": [hers] })).await;

    assert_eq!(
        (ids(&listed), ids(&found)),
        (vec![his.as_str().unwrap().to_owned()], vec![his.as_str().unwrap().to_owned()])
    );
    assert_eq!(states(&written), ["PT404", "42501", "42501"], "{written}");
    assert_eq!(states(&deleted), [""], "for Bob it is not there, so it is gone");
    assert_eq!(
        schema.db.count("select count(*) from public.customers where email = 'ana@x' and name is null").await,
        1
    );
    assert_eq!(schema.db.count("select count(*) from public.customers").await, 2);
}

#[tokio::test]
async fn the_functions_are_themselves_again_after_every_question() {
    let schema = fresh().await;
    for (verb, more) in [
        ("list", json!({})),
        ("find", json!({ "column": "id", "values": ["rubbish"] })),
        ("write", json!({ "writes": [{ "external_key": "k", "fields": { "email": null } }] })),
    ] {
        ask(&schema, ANAS, verb, more).await;
        let who = "select current_user || coalesce(current_setting('request.jwt.claims', true), '')";
        assert_eq!(
            schema.functions.query_one(who, &[]).await.unwrap().get::<_, &str>(0),
            "sync_functions",
            "{verb}"
        );
    }
    let user = connect(&schema.db.url()).await;
    user.batch_execute("set role authenticated").await.unwrap();
    let refused = user.query_one("select sync.table_call('list', '{}')", &[]).await.unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "42501");
}

#[tokio::test]
async fn what_belongs_to_the_project_or_to_us_is_no_table_to_sync() {
    let schema = Schema::fresh().await;
    let ours = schema
        .db
        .text("select string_agg(c.relname, ' ') from pg_class as c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')")
        .await;
    drop(schema);
    let schema = fresh().await;
    // Views are no tables; ours among them are refused as such.
    let views = ["sync_history", "sync_logs", "data_sync_logs"];
    let parts = [
        "auth.users",
        "sync.credentials",
        "vault.secrets",
        "pg_catalog.pg_authid",
        "information_schema.tables",
        "cron.job",
        "net.http_request_queue",
        "storage.objects",
        "realtime.messages",
    ];
    for table in ours.split(' ').filter(|table| !views.contains(table)).chain(parts) {
        let asked = json!({ "integration_id": ANAS, "asked": { "table": { "table": table } } });
        let answer = schema.call("tables/list", asked).await["page"].take();
        assert_eq!(answer["error"]["state"], "PT403", "{table}: {answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains("own parts"), "{table}: {answer}");
    }
    for table in views.into_iter().chain(["nothing", "public.nothing", "\"; drop table public.customers; --"])
    {
        let asked = json!({ "integration_id": ANAS, "asked": { "table": { "table": table } } });
        let answer = schema.call("tables/list", asked).await["page"].take();
        assert_eq!(answer["error"]["state"], "PT404", "{table}: {answer}");
    }
}

#[tokio::test]
async fn names_of_columns_are_names_and_nothing_else() {
    let schema = fresh().await;
    let evil = "id\"; delete from public.customers; --";
    made(&schema, ANAS, "k", json!({ "email": "a@x" })).await;
    for settings in [
        json!({ "id": evil }),
        json!({ "columns": [evil] }),
        json!({ "updated_at": evil }),
        json!({ "external_key": evil }),
        json!({ "deleted_at": evil }),
    ] {
        let answer = ask_with(&schema, ANAS, "list", settings.clone(), json!({})).await;
        assert_eq!(answer["error"]["state"], "PT422", "{settings}: {answer}");
    }
    let writes = json!({ "writes": [{ "external_key": "k2", "fields": { "email": "b@x", (evil): 1 } }] });
    assert_eq!(states(&ask(&schema, ANAS, "write", writes).await), ["PT422"]);
    let hidden = json!({ "columns": ["id", "email"] });
    let writes =
        json!({ "writes": [{ "external_key": "k2", "fields": { "email": "b@x", "name": "unseen" } }] });
    assert_eq!(states(&ask_with(&schema, ANAS, "write", hidden, writes).await), ["PT422"]);
    let found = ask(&schema, ANAS, "find", json!({ "column": evil, "values": [evil] })).await;
    assert_eq!(found["error"]["state"], "PT422");
    assert_eq!(schema.db.count("select count(*) from public.customers").await, 1);
}

#[tokio::test]
async fn an_account_for_own_tables_has_one_address_and_one_owner() {
    let schema = fresh().await;
    for change in [
        "base_url = 'https://x.test'",
        "platform = 'shopify'",
        "org_id = (select id from public.organizations limit 1)",
    ] {
        let admin = connect(&schema.db.url()).await;
        admin.batch_execute(&format!("set request.jwt.claims to '{{\"sub\": \"{ANA}\"}}'; insert into public.organizations (name) values ('x')")).await.unwrap();
        let refused =
            admin.execute(&format!("update public.integrations set {change} where id = '{ANAS}'"), &[]).await;
        assert_eq!(refused.unwrap_err().code().unwrap().code(), "23514", "{change}");
    }
}

#[tokio::test]
async fn what_a_policy_keeps_is_not_said_to_be_deleted() {
    let schema = fresh().await;
    let row = made(&schema, ANAS, "k", json!({ "email": "a@x" })).await["id"].clone();
    schema.db.run("create policy \"Nothing is removed\" on public.customers as restrictive for delete to authenticated using (false)").await;
    assert_eq!(states(&ask(&schema, ANAS, "delete", json!({ "ids": [row] })).await), ["PT422"]);
}

#[tokio::test]
async fn only_a_trusted_owner_acts_as_the_system() {
    let schema = fresh().await;
    made(&schema, BOBS, "k", json!({ "email": "bob@x" })).await;
    let as_system = async || {
        let asked = json!({ "table": { "table": "public.customers" }, "run_as": "system" });
        schema.call("tables/list", json!({ "integration_id": ANAS, "asked": asked })).await["page"].take()
    };

    let untrusted = as_system().await;
    schema.db.run(&format!("set role postgres; select sync.trust_with_tables('{ANA}')")).await;
    let ungranted = as_system().await;
    schema.db.run(&format!("set role postgres; grant select on public.customers to sync_tables;
        create policy \"The system sees what Bob has when it works for Ana\" on public.customers for select to sync_tables
          using (owner_id = '{BOB}' and (select sync.on_behalf_of()) = '{ANA}')")).await;
    let permitted = as_system().await;

    assert!(
        untrusted["error"]["message"].as_str().unwrap().contains("sync.trust_with_tables"),
        "{untrusted}"
    );
    assert!(ungranted["error"]["message"].as_str().unwrap().contains("grant select"), "{ungranted}");
    assert_eq!(permitted["records"][0]["fields"]["email"], "bob@x");
}

#[tokio::test]
async fn a_table_without_a_right_says_which_grant_it_needs() {
    let schema = fresh().await;
    schema.db.run("revoke all on public.customers from authenticated").await;
    let unreadable = ask(&schema, ANAS, "list", json!({})).await;
    schema.db.run("grant select (id, email, updated_at) on public.customers to authenticated; alter table public.customers disable row level security;
        alter table public.customers drop constraint customers_pkey; drop index public.customers_by_change").await;
    let described = ask(&schema, ANAS, "describe", json!({})).await;

    assert_eq!(unreadable["error"]["state"], "PT403");
    assert!(
        unreadable["error"]["message"]
            .as_str()
            .unwrap()
            .contains("grant select, insert, update, delete on public.customers to authenticated")
    );
    assert_eq!(described["columns"].as_array().unwrap().len(), 3, "{described}");
    let findings = &described["findings"];
    assert!(findings.to_string().contains("grant delete on public.customers to authenticated"), "{findings}");
    assert_eq!(
        (findings["problems"].as_array().unwrap().len(), findings["warnings"].as_array().unwrap().len()),
        (1, 6),
        "{findings}"
    );
}
