//! `item-search`: looking at a platform before anything is put on the list.

use super::{column, listed, names, small, wrong_field};
use crate::world::{User, World};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use platforms::product;
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn found(user: &User<'_>, platform: &str, filter: &Value) -> Value {
    user.invoke("item-search", json!({ "platform": platform, "filterConfig": filter })).await.ok()
}

/// Four products that differ in everything a filter knows, the last of them an hour younger than the others; answers
/// a time between.
fn assortment(world: &World, mut has: impl FnMut(platforms::Product)) -> DateTime<Utc> {
    let one =
        |key: &str, price: &str| product(key).title(key).handle(key).variant(&format!("{key}-1"), price);
    has(one("chair", "49.90").category("Furniture"));
    has(one("desk", "120.00").category("Furniture"));
    has(one("lamp", "15.00").category("Lighting").status("ARCHIVED"));
    world.platforms.clock().advance(TimeDelta::minutes(30));
    let between = world.platforms.clock().now();
    world.platforms.clock().advance(TimeDelta::minutes(30));
    has(one("lampshade", "9.99").category("Lighting"));
    between
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_shows_what_a_page_needs_and_what_is_on_the_list_already() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let id = ana.shop().has(small("chair").title("Chair é 椅子").variant("chair-2", "99.00"));
    ana.shop().has(small("desk"));

    let before = found(&ana, "shopify", &json!({ "text": "Chair" })).await;
    let item = ana.lists("product", std::slice::from_ref(&id)).await.remove(0);
    let after = found(&ana, "shopify", &json!({})).await;

    assert_eq!(names(&before), ["data", "has_more", "next_cursor"]);
    let row = &before["data"][0];
    assert_eq!(names(row), ["id", "modifiedAt", "name", "price", "sku", "status", "syncListId"]);
    assert_eq!(
        (&row["id"], &row["name"], &row["sku"], &row["price"], &row["status"]),
        (&json!(id), &json!("Chair é 椅子"), &json!("chair-1"), &json!("10.00"), &json!("ACTIVE"))
    );
    assert_eq!(row["syncListId"], Value::Null, "not on the list yet");
    let modified: DateTime<Utc> = row["modifiedAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(Some(modified), ana.shop().updated_at("chair"));
    let rows = after["data"].as_array().unwrap();
    let marks: Vec<(&Value, &Value)> = rows.iter().map(|row| (&row["id"], &row["syncListId"])).collect();
    assert_eq!(marks.len(), 2);
    assert!(marks.contains(&(&json!(id), &json!(item))), "{after}");
    assert_eq!((ana.shop().writes(), ana.erp().requests()), (0, 0), "a look changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_narrows_the_search_on_either_platform() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    // The platforms' clock goes on ahead of ours: the ERP must not refuse signatures for that.
    ana.erp().set_clock_skew(None);
    for platform in ["shopify", "netsuite"] {
        let between = assortment(&world, |product| {
            if platform == "shopify" {
                ana.shop().has(product)
            } else {
                ana.erp().has(product)
            };
        });
        let between = between.to_rfc3339_opts(SecondsFormat::Secs, true);
        for (filter, expected) in [
            (json!({}), "chair desk lamp lampshade"),
            (json!({ "status": ["active"] }), "chair desk lampshade"),
            (json!({ "status": ["archived"] }), "lamp"),
            (json!({ "status": ["archived", "active"] }), "chair desk lamp lampshade"),
            (json!({ "status": [] }), "chair desk lamp lampshade"),
            (json!({ "priceMin": 15 }), "chair desk lamp"),
            (json!({ "priceMax": 15.00 }), "lamp lampshade"),
            (json!({ "priceMin": 10, "priceMax": 49.90 }), "chair lamp"),
            (json!({ "priceMin": 49.91 }), "desk"),
            (json!({ "category": "Lighting" }), "lamp lampshade"),
            (json!({ "category": "Lighting\" OR status:active" }), ""),
            (json!({ "updatedAfter": between }), "lampshade"),
            (json!({ "text": "desk" }), "desk"),
            (json!({ "status": ["active"], "category": "Lighting", "priceMax": 20 }), "lampshade"),
            (json!({ "text": "nothing like it" }), ""),
        ] {
            let page = found(&ana, platform, &filter).await;
            let mut keys = column(&page["data"], "name");
            keys.sort_unstable();
            assert_eq!(keys.join(" "), expected, "{platform}: {filter}: {page}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_without_loss_or_repeats() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let keys: Vec<String> = (0..7).map(|n| format!("p{n}")).collect();
    ana.shop().has_all(keys.iter().map(|key| small(key)));
    ana.erp().has_all(keys.iter().map(|key| small(key)));
    for platform in ["shopify", "netsuite"] {
        let (mut seen, mut cursor) = (Vec::new(), Value::Null);
        for _ in 0..10 {
            let body = json!({ "platform": platform, "cursor": cursor, "limit": 3, "filterConfig": {} });
            let page = ana.invoke("item-search", body).await.ok();
            assert!(page["data"].as_array().unwrap().len() <= 3, "{page}");
            seen.extend(column(&page["data"], "id"));
            cursor = page["next_cursor"].clone();
            assert_eq!(page["has_more"], json!(cursor.is_string()));
            if cursor.is_null() {
                break;
            }
        }
        assert_eq!((seen.len(), BTreeSet::from_iter(&seen).len()), (7, 7), "{platform}: {seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_makes_no_sense_is_refused_before_any_platform_is_asked() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;

    for filter in [
        json!({ "status": "active" }),
        json!({ "status": [1] }),
        json!({ "priceMin": "ten" }),
        json!({ "priceMax": {} }),
        json!({ "category": 1 }),
        json!({ "updatedAfter": "yesterday" }),
        json!({ "updatedAfter": "2026-01-01" }),
        json!({ "colour": "red" }),
    ] {
        let reply = ana.invoke("item-search", json!({ "platform": "shopify", "filterConfig": filter })).await;
        assert!(wrong_field(&reply).starts_with("/filterConfig"), "{filter}: {reply:?}");
    }

    assert_eq!(ana.shop().requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_this_platform_cannot_follow_is_the_callers_to_mend() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    for (platform, item_type, filter) in [
        ("shopify", "product", json!({ "status": ["sold"] })),
        ("netsuite", "product", json!({ "status": ["sold"] })),
        ("shopify", "product", json!({ "priceMin": -1 })),
        ("shopify", "order", json!({ "category": "Furniture" })),
        ("netsuite", "order", json!({ "priceMax": 3 })),
    ] {
        let body = json!({ "platform": platform, "itemType": item_type, "filterConfig": filter });
        let reply = ana.invoke("item-search", body.clone()).await;
        assert_eq!(wrong_field(&reply), "/filterConfig", "{body}: {reply:?}");
    }
    assert_eq!((ana.shop().requests(), ana.erp().requests()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_to_search_must_be_clear() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair"]).await;
    let first = ana.get("integrations?platform=shopify").await.ok()["data"][0]["id"].clone();
    let other = world.platforms.shopify("ana-outlet");
    let credential = json!({ "kind": "access_token", "access_token": other.token() });
    let outlet = json!({ "name": "Outlet", "platform": "shopify", "baseUrl": other.address(), "credential": credential });
    let second = ana.invoke("integrations", outlet).await.ok()["id"].clone();
    other.has(small("sofa"));

    let search = async |account: &Value| {
        let page = ana.invoke("item-search", json!({ "integrationId": account })).await.ok();
        column(&page["data"], "sku")
    };

    assert_eq!(search(&first).await, ["chair-1"]);
    assert_eq!(search(&second).await, ["sofa-1"]);
    for body in [json!({}), json!({ "platform": "shopify" })] {
        assert_eq!(wrong_field(&ana.invoke("item-search", body).await), "/integrationId");
    }
    for limit in [0, 251] {
        let body = json!({ "integrationId": first, "limit": limit });
        assert_eq!(wrong_field(&ana.invoke("item-search", body).await), "/limit");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_is_away_is_said_to_be_away() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().faults().always(platforms::Fault::status(503));

    let away = ana.invoke("item-search", json!({ "platform": "shopify" })).await;
    ana.shop().faults().clear();
    ana.shop().revoke_token();
    world.db.run("update sync.breakers set state = 'closed', recent = '', failures_in_row = 0").await;
    let refused = ana.invoke("item-search", json!({ "platform": "shopify" })).await;

    assert_eq!(away.problem("platform_unavailable")["status"], 503);
    assert!(!away.header("retry-after").is_empty(), "{away:?}");
    assert_eq!(refused.problem("platform_rejected")["status"], 502);
}
