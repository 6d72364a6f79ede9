//! `data-sync`: the same things as the other functions do, with the action in the message.

use super::{listed, refusal};
use crate::world::{User, World};
use chrono::TimeDelta;
use platforms::product;
use reqwest::Method;
use serde_json::{Value, json};

async fn act(user: &User<'_>, body: Value) -> Value {
    user.world.platforms.clock().advance(TimeDelta::minutes(1));
    user.invoke("data-sync", body).await.ok()
}

/// A sync of the user's products both ways, made as the page makes it.
async fn made(user: &User<'_>) -> Value {
    user.erp().set_clock_skew(None);
    let config = json!({ "sourceType": "shopify", "targetType": "netsuite", "syncDirection": "bidirectional",
        "mapping": { "handle": "itemId", "title": "displayName", "variants[].sku": "children[].itemId",
            "variants[].price": "children[].price" },
        "transformations": [{ "field": "title", "operation": "validate", "rule": "not_null" }],
        "conflictResolution": "manual", "enabled": true });
    act(user, json!({ "action": "create_config", "config": config })).await["configId"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_is_made_carried_out_looked_at_and_its_conflict_settled() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(product("chair").handle("chair").title("Chair").variant("chair-1", "10.00"));
    let config = made(&ana).await;

    let first =
        act(&ana, json!({ "action": "perform_sync", "entityType": "product", "direction": "bidirectional" }))
            .await;
    ana.shop().edit("chair", |product| product.title = "Stool".to_owned());
    ana.erp().edit("chair", |product| product.title = "Armchair".to_owned());
    act(&ana, json!({ "action": "perform_sync", "configId": config })).await;
    let status = ana.get("data-sync?action=get_status").await.ok();
    let conflict = ana.get("conflicts?status=pending").await.ok()["data"][0]["id"].clone();
    let settled =
        act(&ana, json!({ "action": "resolve_conflict", "conflictId": conflict, "choice": "target" })).await;

    assert_eq!(first["run"]["recordsCreated"], 1, "{first}");
    let sync = &status["syncs"][0];
    assert_eq!(
        (&sync["configId"], &sync["runs"], &sync["pendingConflicts"]),
        (&config, &json!(2), &json!(1)),
        "{status}"
    );
    assert_eq!(settled["conflictStatus"], "resolved", "{settled}");
    assert_eq!(ana.shop().product("chair").unwrap().title, "Armchair");
    assert_eq!(
        act(&ana, json!({ "action": "get_status", "configId": config })).await["syncs"][0]["pendingConflicts"],
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_is_changed_and_switched_off() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(product("chair").handle("chair").title("Chair").variant("chair-1", "10.00"));
    let config = made(&ana).await;
    let change = json!({ "action": "update_config", "configId": config,
        "config": { "name": "Chairs", "enabled": false, "conflictResolution": "source_wins" } });

    ana.request(Method::PUT, "data-sync", change).await.ok();
    let refused = ana.invoke("data-sync", json!({ "action": "perform_sync", "configId": config })).await;

    let row = ana.get(&format!("sync-configs?id={}", config.as_str().unwrap())).await.ok();
    assert_eq!(
        (&row["name"], &row["enabled"], &row["rules"]),
        (&json!("Chairs"), &json!(false), &json!({ "strategy": "source_wins" }))
    );
    refused.problem("conflict");
    assert_eq!(ana.erp().product_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_queued_and_a_user_works_their_own_queue_and_nobody_elses() {
    let world = World::start().await;
    let (ana, ben) = (world.merchant("ana").await, world.merchant("ben").await);
    listed(&ana, &["chair"]).await;
    listed(&ben, &["lamp"]).await;

    let queued = act(&ana, json!({ "action": "queue_sync", "entityType": "product", "priority": 2 })).await;
    ben.invoke("data-sync", json!({ "action": "queue_sync" })).await.ok();
    let worked = ana.invoke("data-sync", json!({ "action": "process_queue" })).await.ok();

    assert_eq!(queued["jobIds"].as_array().unwrap().len(), 1);
    assert_eq!((&worked["processed"], &worked["empty"]), (&json!(1), &json!(true)), "{worked}");
    assert_eq!((ana.erp().product_count(), ben.erp().product_count()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_somebody_elses_is_refused() {
    let world = World::start().await;
    let (ana, ben) = (world.merchant("ana").await, world.user("ben").await);
    let config = made(&ana).await;
    for (body, place) in [
        (json!({ "action": "perform_sync" }), "/entityType"),
        (json!({ "action": "perform_sync", "entityType": "order" }), "/entityType"),
        (json!({ "action": "create_config" }), "/config"),
        (json!({ "action": "create_config", "config": { "targetType": "netsuite" } }), "/config/sourceType"),
        (json!({ "action": "queue_sync", "priority": 0 }), "/priority"),
        (json!({ "action": "resolve_conflict" }), "/conflictId"),
        (json!({ "action": "dance" }), "/action"),
    ] {
        let reply = ana.invoke("data-sync", body.clone()).await;
        assert_eq!(super::wrong_field(&reply), place, "{body}");
    }
    let perform = ben.invoke("data-sync", json!({ "action": "perform_sync", "configId": config })).await;
    let look = ben.get(&format!("data-sync?configId={}", config.as_str().unwrap())).await;
    assert_eq!(refusal(&perform), refusal(&look));
    assert_eq!(ben.get("data-sync").await.ok()["syncs"], json!([]));
}
