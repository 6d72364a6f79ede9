//! Which record of the target an item is: found, made, named by a person, or forgotten.

use crate::world::{User, World};
use platforms::{Product, product};
use reqwest::Method;
use serde_json::{Value, json};

fn chair() -> Product {
    product("chair").title("Chair").handle("chair").variant("CHAIR-1", "49.90")
}

/// The user's only item.
async fn item(user: &User<'_>) -> Value {
    let list = user.get("sync-list").await.ok();
    assert_eq!(list["data"].as_array().unwrap().len(), 1, "{list}");
    list["data"][0].clone()
}

async fn names_target(user: &User<'_>, item: &Value, target: &str) -> Value {
    let change = json!({ "ids": [item["id"]], "targetId": target });
    user.request(Method::PATCH, "sync-list", change).await.ok()["data"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_whose_counterpart_was_deleted_waits_and_is_made_anew_when_its_target_is_cleared() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let id = ana.shop().has(chair());
    ana.lists("product", &[id]).await;
    ana.syncs().await;
    let old = item(&ana).await;
    assert!(ana.erp().delete("chair"));
    world.platforms.clock().advance(chrono::TimeDelta::seconds(60));
    ana.shop().edit("chair", |product| product.title = "Armchair".to_owned());

    let held = ana.syncs().await;
    let waits = item(&ana).await;
    let cleared = names_target(&ana, &waits, "").await;
    let made = ana.syncs().await;

    assert_eq!((&held["itemsCreated"], &waits["lastSyncStatus"]), (&json!(0), &json!("pending")), "{held}");
    assert!(waits["errorMessage"].as_str().unwrap().contains("Clear the item's target"), "{waits}");
    assert_eq!(cleared["targetId"], Value::Null);
    assert_eq!((&made["itemsCreated"], &made["status"]), (&json!(1), &json!("completed")), "{made}");
    assert_eq!(ana.erp().product("chair").unwrap().title, "Armchair");
    assert_ne!(item(&ana).await["targetId"], old["targetId"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_is_given_its_counterpart_updates_it_and_makes_none() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let id = ana.shop().has(chair());
    let other = ana.erp().has(product("stool").title("Stool").handle("stool").variant("STOOL-1", "10.00"));
    let items = json!([{ "sourceId": id, "targetId": other }]);
    let add = json!({ "itemType": "product", "sourcePlatform": "shopify", "targetPlatform": "netsuite", "items": items });
    ana.invoke("sync-list", add).await.ok();

    let run = ana.syncs().await;

    assert_eq!((&run["itemsUpdated"], &run["itemsCreated"]), (&json!(1), &json!(0)), "{run}");
    assert_eq!(ana.erp().product_count(), 1);
    assert_eq!(ana.erp().product("chair").unwrap().title, "Chair");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_remembered_of_the_old_counterpart_goes_when_another_is_named() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let id = ana.shop().has(chair());
    ana.lists("product", &[id]).await;
    ana.syncs().await;
    assert!(ana.erp().delete("chair"));
    let other = ana.erp().has(product("stool").title("Stool").handle("stool").variant("STOOL-1", "10.00"));

    names_target(&ana, &item(&ana).await, &other).await;

    assert_eq!(world.db.count("select count(*) from sync.sync_links").await, 0);
    let run = ana.syncs().await;
    assert_eq!((&run["itemsUpdated"], &run["itemsFailed"]), (&json!(1), &json!(0)), "{run}");
    assert_eq!(world.db.text("select string_agg(target_id, ',') from sync.sync_links").await, other);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_items_cannot_be_given_one_counterpart() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let ids = ["a", "b"].map(|key| ana.shop().has(product(key).handle(key).variant(key, "1.00")));
    let items = ana.lists("product", &ids).await;

    let both = json!({ "ids": items, "targetId": "7" });
    let refused = ana.request(Method::PATCH, "sync-list", both).await.problem("invalid");

    assert_eq!(refused["errors"][0]["pointer"], "/targetId", "{refused}");
    assert_eq!(world.db.count("select count(*) from public.sync_list where target_id is not null").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_the_erp_takes_off_sale_keeps_its_variants_in_the_shop() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let id = ana.erp().has(chair());
    ana.lists_from("netsuite", "shopify", "product", &[id]).await;
    ana.syncs().await;
    world.platforms.clock().advance(chrono::TimeDelta::seconds(60));
    ana.erp().edit("chair", |product| product.status = "ARCHIVED".to_owned());

    let off = ana.syncs().await;
    let shown = ana.shop().product("chair").unwrap();
    world.platforms.clock().advance(chrono::TimeDelta::seconds(60));
    ana.erp().edit("chair", |product| product.status = "ACTIVE".to_owned());
    let on = ana.syncs().await;

    assert_eq!((&off["itemsUpdated"], &off["itemsFailed"]), (&json!(1), &json!(0)), "{off}");
    assert_eq!((shown.status.as_str(), shown.variants.len()), ("ARCHIVED", 1));
    assert_eq!((&on["itemsUpdated"], &on["itemsFailed"]), (&json!(1), &json!(0)), "{on}");
    let again = ana.shop().product("chair").unwrap();
    assert_eq!((again.status.as_str(), again.variants[0].sku.as_str()), ("ACTIVE", "CHAIR-1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_read_changed_tested_and_removed_at_its_own_address() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let bob = world.user("bob").await;
    let all = ana.request(Method::GET, "/api/integrations", Value::Null).await.ok();
    let shop =
        all["data"].as_array().unwrap().iter().find(|one| one["platform"] == "shopify").unwrap().clone();
    let own = format!("/api/integrations/{}", shop["id"].as_str().unwrap());

    let read = ana.request(Method::GET, &own, Value::Null).await.ok();
    let tested = ana.request(Method::POST, &format!("{own}/test"), json!({})).await.ok();
    let renamed = ana.request(Method::PUT, &own, json!({ "name": "Our shop" })).await.ok();
    bob.request(Method::GET, &own, Value::Null).await.problem("not_found");
    bob.request(Method::DELETE, &own, Value::Null).await.problem("not_found");

    assert_eq!(
        (&read["id"], &tested["ok"], &renamed["name"]),
        (&shop["id"], &json!(true), &json!("Our shop"))
    );
    let removed = ana.request(Method::DELETE, &own, Value::Null).await;
    assert_eq!(removed.status, 204);
    ana.request(Method::GET, &own, Value::Null).await.problem("not_found");
}
