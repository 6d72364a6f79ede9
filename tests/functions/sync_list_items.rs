//! Items of the list on their way: made, changed, switched off, in trouble; and what their row says of it.

use super::{listed, retitle, title_in_erp};
use crate::world::{User, World};
use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value, json};

async fn row(user: &User<'_>, item: &str) -> Value {
    user.get(&format!("sync-list?ids={item}")).await.ok()["data"][0].clone()
}

fn time(row: &Value, field: &str) -> Option<DateTime<Utc>> {
    row[field].as_str().map(|text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_without_a_target_is_created_there_and_updated_ever_after() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let item = listed(&ana, &["chair"]).await.remove(0);
    let new = row(&ana, &item).await;

    let first = ana.syncs().await;
    let created = row(&ana, &item).await;
    retitle(&ana, "chair", "Renamed");
    let second = ana.syncs().await;
    let updated = row(&ana, &item).await;

    assert_eq!(new["targetId"], Value::Null);
    assert_eq!((&first["itemsCreated"], &first["itemsUpdated"]), (&json!(1), &json!(0)), "{first}");
    assert_eq!((&second["itemsCreated"], &second["itemsUpdated"]), (&json!(0), &json!(1)), "{second}");
    assert!(created["targetId"].is_string(), "{created}");
    assert_eq!(updated["targetId"], created["targetId"], "the same record");
    assert_eq!((ana.erp().product_count(), title_in_erp(&ana, "chair").as_deref()), (1, Some("Renamed")));
    assert_eq!(updated["metadata"]["name"], "Renamed", "the list shows what it is called now");
    let times = [&new, &created, &updated].map(|row| time(row, "updatedAt"));
    assert!(times.is_sorted_by(|before, after| before < after), "{times:?}");
    assert!(time(&created, "lastSyncedAt") < time(&updated, "lastSyncedAt"));
    assert_eq!(updated["createdAt"], new["createdAt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_is_switched_off_is_left_alone_until_it_is_switched_on_again() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = listed(&ana, &["chair", "desk"]).await;
    ana.syncs().await;
    let switch = async |on: bool| {
        let change = json!({ "ids": [items[0]], "isActive": on });
        ana.request(Method::PATCH, "sync-list", change).await.ok()
    };
    switch(false).await;
    retitle(&ana, "chair", "Chair 2");
    retitle(&ana, "desk", "Desk 2");

    let off = ana.syncs().await;
    let between = (title_in_erp(&ana, "chair"), title_in_erp(&ana, "desk"));
    let row_between = row(&ana, &items[0]).await;
    switch(true).await;
    let on = ana.syncs().await;

    assert_eq!((&off["itemsProcessed"], &off["itemsUpdated"]), (&json!(1), &json!(1)), "{off}");
    assert_eq!(between, (Some("Product chair".to_owned()), Some("Desk 2".to_owned())));
    assert_eq!(
        (&row_between["isActive"], &row_between["lastSyncStatus"]),
        (&json!(false), &json!("success"))
    );
    assert_eq!((&on["itemsProcessed"], &on["itemsUpdated"]), (&json!(2), &json!(1)), "{on}");
    assert_eq!(title_in_erp(&ana, "chair").as_deref(), Some("Chair 2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_can_be_narrowed_to_items_and_to_a_type() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = listed(&ana, &["chair", "desk", "lamp"]).await;

    let orders = ana.invoke("delta-sync", json!({ "itemType": "order" })).await.ok();
    let one = ana.invoke("delta-sync", json!({ "syncListIds": [items[1]] })).await.ok();
    let products = ana.invoke("delta-sync", json!({ "itemType": "product" })).await.ok();

    assert_eq!(orders["itemsProcessed"], 0, "{orders}");
    assert_eq!((&one["itemsProcessed"], &one["itemsCreated"]), (&json!(1), &json!(1)), "{one}");
    assert_eq!(
        (&products["itemsCreated"], &products["itemsUnchanged"]),
        (&json!(2), &json!(1)),
        "{products}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_chosen_fields_of_an_item_flow() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let item = listed(&ana, &["chair"]).await.remove(0);
    ana.syncs().await;
    let choose = json!({ "ids": [item], "fields": ["displayName"] });
    ana.request(Method::PATCH, "sync-list", choose).await.ok();
    ana.shop().edit("chair", |product| product.vendor = "Somebody".to_owned());
    retitle(&ana, "chair", "Renamed");

    let run = ana.syncs().await;
    let chosen = ana.erp().product("chair").unwrap();
    let all = json!({ "ids": [item], "fields": [] });
    ana.request(Method::PATCH, "sync-list", all).await.ok();
    ana.invoke("delta-sync", json!({ "mode": "full" })).await.ok();

    assert_eq!(run["itemsUpdated"], 1, "{run}");
    assert_eq!((chosen.title.as_str(), chosen.vendor.as_str()), ("Renamed", "ana"));
    assert_eq!(ana.erp().product("chair").unwrap().vendor, "Somebody", "with all fields it catches up");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_row_says_success_failed_or_pending_and_why() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = listed(&ana, &["good", "gone", "held"]).await;
    ana.syncs().await;
    ana.shop().delete("gone");
    let held = ana.erp().product("held").unwrap().key;
    assert!(ana.erp().delete(&held));
    retitle(&ana, "held", "Renamed");

    let run = ana.syncs().await;

    let mut rows = Vec::new();
    for item in &items {
        rows.push(row(&ana, item).await);
    }
    let words: Vec<&Value> = rows.iter().map(|row| &row["lastSyncStatus"]).collect();
    assert_eq!(words, ["success", "failed", "pending"], "{run}");
    assert_eq!(rows[0]["errorMessage"], Value::Null);
    assert_eq!(rows[1]["errorMessage"], "The source no longer has this record.");
    assert!(
        rows[2]["errorMessage"].as_str().is_some_and(|why| why.contains("target no longer has")),
        "{}",
        rows[2]
    );
    assert_eq!(run["status"], "partial_success", "{run}");
    assert_eq!(ana.erp().product_count(), 2, "what is held is not made anew by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_recovers_says_so() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let item = listed(&ana, &["chair"]).await.remove(0);
    ana.shop().edit("chair", |product| product.handle = "h".repeat(80));
    ana.syncs().await;
    let failed = row(&ana, &item).await;
    ana.shop().edit("chair", |product| product.handle = "chair".to_owned());

    let retried = ana.invoke("delta-sync", json!({ "syncListIds": [item] })).await.ok();

    assert_eq!(
        (&failed["lastSyncStatus"], &failed["lastSyncedAt"]),
        (&json!("failed"), &Value::Null),
        "{failed}"
    );
    assert!(failed["errorMessage"].as_str().is_some_and(|why| !why.is_empty()), "{failed}");
    let now = row(&ana, &item).await;
    assert_eq!(
        (&retried["status"], &now["lastSyncStatus"]),
        (&json!("completed"), &json!("success")),
        "{retried}"
    );
    assert_eq!(now["errorMessage"], Value::Null);
    let open = "select count(*) from public.sync_issues where status = 'open'";
    assert_eq!(world.db.count(open).await, 0);
}
