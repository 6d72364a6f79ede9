//! `sync-configs`: which account follows which, by which rules.

use crate::world::{User, World};
use platforms::product;
use reqwest::Method;
use serde_json::{Value, json};

/// The user's accounts by platform.
async fn accounts(user: &User<'_>) -> (Value, Value) {
    let all = user.get("integrations").await.ok();
    let of = |platform: &str| {
        let all = all["data"].as_array().unwrap();
        all.iter().find(|one| one["platform"] == platform).unwrap()["id"].clone()
    };
    (of("shopify"), of("netsuite"))
}

/// A sync of products from the user's shop to their ERP.
async fn sync_of(user: &User<'_>, name: &str, rules: Value) -> Value {
    let (shop, erp) = accounts(user).await;
    let body = json!({ "name": name, "itemType": "product", "sourceIntegrationId": shop, "targetIntegrationId": erp, "rules": rules });
    user.invoke("sync-configs", body).await.ok()
}

async fn change(user: &User<'_>, body: Value) -> crate::world::Reply {
    user.request(Method::PUT, "sync-configs", body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_the_rules_is_a_version_that_can_be_brought_back() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let made = sync_of(&ana, "Products", json!({ "strategy": "source_wins" })).await;
    let id = made["id"].clone();

    let second = change(&ana, json!({ "id": id, "rules": { "strategy": "manual" } })).await.ok();
    let renamed =
        change(&ana, json!({ "id": id, "name": "All products", "timeZone": "Europe/Berlin" })).await.ok();
    let same = change(&ana, json!({ "id": id, "rules": { "strategy": "manual" } })).await.ok();
    let back = change(&ana, json!({ "id": id, "restore": 1 })).await.ok();

    assert_eq!(
        (&made["version"], &second["version"], &renamed["version"]),
        (&json!(1), &json!(2), &json!(2))
    );
    assert_eq!(
        (&same["version"], &back["version"]),
        (&json!(2), &json!(3)),
        "equal rules are no new version"
    );
    assert_eq!(
        (&back["rules"], &back["name"]),
        (&json!({ "strategy": "source_wins" }), &json!("All products"))
    );
    let path = format!("sync-configs?versions=true&limit=2&id={}", id.as_str().unwrap());
    let newest = ana.get(&path).await.ok();
    let oldest = ana.get(&format!("{path}&cursor={}", newest["next_cursor"].as_str().unwrap())).await.ok();
    let numbers = |page: &Value| -> Vec<Value> {
        page["data"].as_array().unwrap().iter().map(|one| one["version"].clone()).collect()
    };
    assert_eq!((numbers(&newest), numbers(&oldest)), (vec![json!(3), json!(2)], vec![json!(1)]));
    assert_eq!(oldest["data"][0]["createdBy"], json!(ana.id));
    change(&ana, json!({ "id": id, "restore": 9 })).await.problem("invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_overwrites_a_change_they_have_not_seen() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let id = sync_of(&ana, "Products", json!({})).await["id"].clone();
    let path = format!("sync-configs?id={}", id.as_str().unwrap());
    let seen = ana.get(&path).await.header("etag").to_owned();
    let put = |name: &str, tag: &str| {
        let body = json!({ "id": id, "name": name });
        world
            .http
            .put(world.url("sync-configs"))
            .bearer_auth(&ana.token)
            .header("if-match", tag)
            .json(&body)
            .send()
    };

    let first = crate::world::Reply::of(put("Mine", &seen).await.unwrap()).await;
    let second = crate::world::Reply::of(put("Yours", &seen).await.unwrap()).await;

    first.ok();
    assert_ne!(first.header("etag"), seen);
    second.problem("precondition_failed");
    assert_eq!(ana.get(&path).await.ok()["name"], "Mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_followed_is_refused_with_its_place() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let (shop, erp) = accounts(&ana).await;
    let bob = world.merchant("bob").await;
    let (foreign, _) = accounts(&bob).await;
    let good = json!({ "name": "Products", "itemType": "product", "sourceIntegrationId": shop, "targetIntegrationId": erp });
    let cases = [
        ("/name", json!({ "name": " " })),
        ("/direction", json!({ "direction": "sideways" })),
        ("/mode", json!({ "mode": "sometimes" })),
        ("/schedule", json!({ "schedule": "every day" })),
        ("/timeZone", json!({ "timeZone": "Mars/Olympus" })),
        ("/rules", json!({ "rules": { "strategy": "coin" } })),
        ("/rules", json!({ "rules": { "colour": "blue" } })),
        ("/targetIntegrationId", json!({ "targetIntegrationId": shop })),
        ("/sourceIntegrationId", json!({ "sourceIntegrationId": foreign })),
    ];
    for (pointer, wrong) in cases {
        let mut body = good.clone();
        body.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let refused = ana.invoke("sync-configs", body).await.problem("invalid");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    assert_eq!(world.db.count("select count(*) from public.sync_configs").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_sees_and_changes_no_sync() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let bob = world.user("bob").await;
    let id = sync_of(&ana, "Products", json!({})).await["id"].clone();
    let one = id.as_str().unwrap();

    bob.get(&format!("sync-configs?id={one}")).await.problem("not_found");
    bob.get(&format!("sync-configs?versions=true&id={one}")).await.problem("not_found");
    change(&bob, json!({ "id": id, "name": "Mine" })).await.problem("not_found");
    bob.request(Method::DELETE, &format!("sync-configs?id={one}"), Value::Null).await.problem("not_found");

    assert_eq!(bob.get("sync-configs").await.ok()["data"], json!([]));
    assert_eq!(ana.get(&format!("sync-configs?id={one}")).await.ok()["name"], "Products");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_items_belong_to_stays_and_another_one_goes() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let product = ana.shop().has(product("chair").handle("chair").variant("CHAIR-1", "49.90"));
    ana.lists("product", &[product]).await;
    let used = ana.get("sync-configs").await.ok()["data"][0].clone();
    let unused = sync_of(&ana, "Unused", json!({})).await;
    let delete = |id: &Value| {
        let path = format!("sync-configs?id={}", id.as_str().unwrap());
        let ana = &ana;
        async move { ana.request(Method::DELETE, &path, Value::Null).await }
    };

    delete(&used["id"]).await.problem("conflict");
    assert_eq!(delete(&unused["id"]).await.status, 204);

    assert_eq!(used["implicit"], true);
    let left = ana.get("sync-configs").await.ok();
    assert_eq!(left["data"].as_array().unwrap().len(), 1, "{left}");
}
