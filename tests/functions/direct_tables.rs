//! The tables as a page uses them without any function: what supabase-js sends becomes SQL as the signed-in user.

use super::{column, connected, listed, small};
use crate::world::{User, World};
use serde_json::{Value, json};
use tokio_postgres::Client;

/// A connection as the Data API has it for this user: their token's claims, and the role of signed-in users.
async fn data_api(user: &User<'_>) -> Client {
    let claims = crate::world::claims(user.id);
    let client = connected(&user.world.db).await;
    let session = format!("set request.jwt.claims to '{claims}'; set role authenticated");
    client.batch_execute(&session).await.unwrap();
    client
}

/// `.from(table).insert(row).select().single()`, in the statement that the Data API makes of it. The row that came
/// back, or the SQLSTATE of the refusal.
async fn insert(client: &Client, table: &str, row: Value) -> Result<Value, String> {
    let columns = row.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(", ");
    let statement = format!(
        "with source as (
           insert into public.{table} ({columns})
           select {columns} from json_populate_record(null::public.{table}, $1::text::json) returning *)
         select row_to_json(source)::text from source"
    );
    let answer = client.query_one(&statement, &[&row.to_string()]).await;
    let answer = answer.map_err(|error| error.code().unwrap().code().to_owned())?;
    Ok(serde_json::from_str(answer.get(0)).unwrap())
}

async fn count(client: &Client, table: &str) -> i64 {
    client.query_one(&format!("select count(*) from public.{table}"), &[]).await.unwrap().get(0)
}

fn pattern(user: &User<'_>) -> Value {
    json!({ "user_id": user.id, "name": "Winter Sale", "description": "Active products", "direction": "netsuite-to-shopify",
        "filter_config": { "status": ["Active"], "priceMin": 10, "priceMax": 100 } })
}

fn item(user: &User<'_>, source_id: &str) -> Value {
    json!({ "user_id": user.id, "item_type": "product", "source_platform": "shopify", "target_platform": "netsuite",
        "source_id": source_id, "sync_mode": "delta", "is_active": true, "filter_config": { "status": ["Active"] },
        "metadata": { "name": "Chair", "sku": "chair-1", "price": 10.0 } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_saves_a_pattern_and_gets_its_row_back() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let client = data_api(&ana).await;

    let row = insert(&client, "saved_search_patterns", pattern(&ana)).await.unwrap();
    let mine = insert(
        &client,
        "saved_search_patterns",
        json!({ "name": "Without an owner", "direction": "bidirectional" }),
    )
    .await
    .unwrap();

    assert_eq!((&row["user_id"], &row["name"]), (&json!(ana.id), &json!("Winter Sale")));
    assert_eq!(row["filter_config"], pattern(&ana)["filter_config"]);
    for field in ["id", "created_at", "updated_at"] {
        assert!(row[field].is_string(), "{field}: {row}");
    }
    assert_eq!(
        (&mine["user_id"], &mine["filter_config"]),
        (&json!(ana.id), &json!({})),
        "the owner is the caller"
    );
    let shown = ana.get(&format!("patterns?id={}", row["id"].as_str().unwrap())).await.ok();
    assert_eq!((&shown["name"], &shown["direction"]), (&json!("Winter Sale"), &json!("netsuite-to-shopify")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_puts_an_item_on_the_list_and_delta_sync_takes_it_from_there() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let source = ana.shop().has(small("chair"));
    let client = data_api(&ana).await;

    let row = insert(&client, "sync_list", item(&ana, &source)).await.unwrap();
    let run = ana.invoke("delta-sync", json!({ "syncListIds": [row["id"]] })).await.ok();
    let again = insert(&client, "sync_list", item(&ana, &source)).await;

    assert_eq!((&row["target_id"], &row["last_sync_status"]), (&Value::Null, &Value::Null), "{row}");
    assert_eq!(row["filter_config"], json!({ "status": ["Active"] }));
    for filled in ["source_integration_id", "target_integration_id", "config_id"] {
        assert!(row[filled].is_string(), "{filled}: {row}");
    }
    assert_eq!((&run["itemsCreated"], &run["status"]), (&json!(1), &json!("completed")), "{run}");
    assert!(ana.erp().product("chair").is_some());
    let query = "select concat_ws(' ', last_sync_status, target_id is not null, last_synced_at is not null) from public.sync_list";
    assert_eq!(client.query_one(query, &[]).await.unwrap().get::<_, &str>(0), "success t t");
    assert_eq!(again, Err("23505".to_owned()), "an item is listed once");
    let history =
        "select concat_ws(' ', sync_type, status, items_processed, items_created) from public.sync_history";
    assert_eq!(client.query_one(history, &[]).await.unwrap().get::<_, &str>(0), "manual completed 1 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_user_sees_changes_and_claims_nothing_of_it() {
    let world = World::start().await;
    let (ana, ben) = (world.merchant("ana").await, world.merchant("ben").await);
    let source = ana.shop().has(small("chair"));
    let (hers, his) = (data_api(&ana).await, data_api(&ben).await);
    insert(&hers, "saved_search_patterns", pattern(&ana)).await.unwrap();
    let row = insert(&hers, "sync_list", item(&ana, &source)).await.unwrap();
    ana.syncs().await;

    for table in ["saved_search_patterns", "sync_list", "sync_history"] {
        assert!(count(&hers, table).await > 0, "the control: {table}");
        assert_eq!(count(&his, table).await, 0, "{table}");
        assert_eq!(his.execute(&format!("delete from public.{table}"), &[]).await.unwrap(), 0, "{table}");
    }
    for statement in [
        "update public.saved_search_patterns set name = 'x'",
        "update public.sync_list set is_active = false",
    ] {
        assert_eq!(his.execute(statement, &[]).await.unwrap(), 0, "{statement}");
    }
    for (table, row) in
        [("saved_search_patterns", pattern(&ana)), ("sync_list", item(&ana, "gid://shopify/Product/9"))]
    {
        let refused = insert(&his, table, row).await.unwrap_err();
        assert!(["42501", "PT403"].contains(&refused.as_str()), "in somebody else's name: {refused}");
    }
    let mut with_hers = item(&ben, "gid://shopify/Product/9");
    with_hers["source_integration_id"] = row["source_integration_id"].clone();
    assert_eq!(
        insert(&his, "sync_list", with_hers).await,
        Err("PT422".to_owned()),
        "with somebody else's account"
    );
    let moved =
        hers.execute(&format!("update public.saved_search_patterns set user_id = '{}'", ben.id), &[]).await;
    assert_eq!(moved.unwrap_err().code().unwrap().code(), "42501", "nobody gives a row away");
    assert_eq!((count(&hers, "saved_search_patterns").await, count(&hers, "sync_list").await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn how_a_sync_went_is_not_for_pages_to_write() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let client = data_api(&ana).await;
    listed(&ana, &["chair"]).await;

    for column in ["last_sync_status = 'success'", "last_synced_at = now()", "error_message = ''"] {
        let update = client.execute(&format!("update public.sync_list set {column}"), &[]).await;
        assert_eq!(update.unwrap_err().code().unwrap().code(), "42501", "{column}");
    }
    let mut done = item(&ana, "gid://shopify/Product/9");
    done["last_sync_status"] = json!("success");
    assert_eq!(insert(&client, "sync_list", done).await, Err("42501".to_owned()));
    for statement in [
        "insert into public.sync_history (id) values (gen_random_uuid())",
        "update public.sync_runs set status = 'completed'",
    ] {
        assert!(client.execute(statement, &[]).await.is_err(), "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_switches_an_item_and_filters_the_list() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = listed(&ana, &["chair", "desk"]).await;
    let client = data_api(&ana).await;
    let set = format!(
        "update public.sync_list set sync_mode = 'full', is_active = false, priority = 1, schedule = '0 3 * * *'
         where id = '{}'",
        items[0]
    );

    assert_eq!(client.execute(&set, &[]).await.unwrap(), 1);
    let run = ana.syncs().await;

    assert_eq!(run["itemsProcessed"], 1, "{run}");
    let list = ana.get("sync-list?isActive=false").await.ok();
    assert_eq!(
        (column(&list["data"], "id"), column(&list["data"], "syncMode")),
        (items[..1].to_vec(), vec!["full".to_owned()])
    );
    let ended = "select string_agg(id::text, ' ') from public.sync_list where last_sync_status = 'success'";
    assert_eq!(client.query_one(ended, &[]).await.unwrap().get::<_, &str>(0), items[1]);
    for (wrong, state) in
        [("sync_mode = 'half'", "23514"), ("priority = 0", "23514"), ("schedule = 'daily'", "23514")]
    {
        let update = client.execute(&format!("update public.sync_list set {wrong}"), &[]).await;
        assert_eq!(update.unwrap_err().code().unwrap().code(), state, "{wrong}");
    }
}

/// The questions of the troubleshooting page: is it active, is its account, how did it go, is it still there?
const DIAGNOSIS: &str = "
    select concat_ws(' | ', l.is_active, s.status, t.status, coalesce(l.last_sync_status, 'never'), l.error_message)
    from public.sync_list as l
    join public.integrations as s on s.id = l.source_integration_id
    join public.integrations as t on t.id = l.target_integration_id
    order by l.created_at, l.id";

#[tokio::test(flavor = "multi_thread")]
async fn why_an_item_does_not_sync_can_be_read_off_the_tables() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let client = data_api(&ana).await;
    let items = listed(&ana, &["chair"]).await;
    let ask = async || client.query_one(DIAGNOSIS, &[]).await.unwrap().get::<_, String>(0);

    let fresh = ask().await;
    ana.syncs().await;
    let synced = ask().await;
    ana.shop().delete("chair");
    ana.syncs().await;
    let gone = ask().await;
    let off = json!({ "ids": items, "isActive": false });
    ana.request(reqwest::Method::PATCH, "sync-list", off).await.ok();
    let switched_off = ask().await;
    ana.shop().revoke_token();
    let id = ana.get("integrations?platform=shopify").await.ok()["data"][0]["id"].clone();
    ana.invoke("integration-test", json!({ "integrationId": id })).await.ok();
    let refused = ask().await;

    assert_eq!(fresh, "t | active | active | never");
    assert_eq!(synced, "t | active | active | success");
    assert_eq!(gone, "t | active | active | failed | The source no longer has this record.");
    assert_eq!(switched_off, "f | active | active | failed | The source no longer has this record.");
    assert_eq!(refused, "f | error | active | failed | The source no longer has this record.");
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_delta_sees_changes_can_be_read_off_the_item_and_full_looks_at_both_sides() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair"]).await;
    let client = data_api(&ana).await;
    let synced_at = async || {
        let query = "select last_synced_at::text from public.sync_list";
        client.query_one(query, &[]).await.unwrap().get::<_, String>(0)
    };
    ana.syncs().await;
    let first = synced_at().await;
    let key = ana.erp().products()[0].key.clone();
    ana.erp().edit(&key, |item| item.title = "Somebody else's".to_owned());

    let delta = ana.syncs().await;
    let second = synced_at().await;
    let full = ana.invoke("delta-sync", json!({ "mode": "full" })).await.ok();

    assert!(first < second, "each look that found both sides as agreed moves the time: {first} {second}");
    assert_eq!((&delta["itemsUnchanged"], &full["itemsUpdated"]), (&json!(1), &json!(1)));
    let zone = "select count(*) from information_schema.columns where table_schema in ('public', 'sync')
                and data_type = 'timestamp without time zone'";
    assert_eq!(world.db.count(zone).await, 0, "every time of ours is a moment, whatever the zone");
}
