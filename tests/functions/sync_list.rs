//! `sync-list`: what is on the list, how it is found, changed and taken off again.

use super::{column, listed, names, small, title_in_erp, wrong_field};
use crate::world::{User, World};
use reqwest::Method;
use serde_json::{Value, json};

async fn patch(user: &User<'_>, change: Value) -> Value {
    user.request(Method::PATCH, "sync-list", change).await.ok()["data"].clone()
}

async fn remove(user: &User<'_>, ids: &[String]) -> crate::world::Reply {
    user.request(Method::DELETE, &format!("sync-list?ids={}", ids.join(",")), Value::Null).await
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_put_on_the_list_many_at_once_and_in_the_given_order() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items: Vec<Value> =
        (0..300).map(|n| json!({ "sourceId": format!("gid://shopify/Product/{n}") })).collect();
    let body = json!({ "itemType": "product", "sourcePlatform": "shopify", "targetPlatform": "netsuite", "items": items });

    let added = ana.invoke("sync-list", body.clone()).await.ok();
    let again = ana.invoke("sync-list", body).await.ok();

    assert_eq!((&added["already"], &added["has_more"]), (&json!(0), &json!(false)));
    assert_eq!(column(&added["data"], "sourceId"), column(&json!(items), "sourceId"));
    let row = &added["data"][0];
    assert_eq!(
        names(row),
        [
            "configId",
            "createdAt",
            "errorMessage",
            "fields",
            "filterConfig",
            "id",
            "isActive",
            "itemType",
            "lastSyncStatus",
            "lastSyncedAt",
            "metadata",
            "priority",
            "schedule",
            "sourceId",
            "sourceIntegrationId",
            "sourcePlatform",
            "syncMode",
            "targetId",
            "targetIntegrationId",
            "targetPlatform",
            "updatedAt"
        ]
    );
    assert_eq!(
        (&row["syncMode"], &row["isActive"], &row["priority"]),
        (&json!("delta"), &json!(true), &json!(5))
    );
    for empty in ["targetId", "lastSyncedAt", "lastSyncStatus", "errorMessage", "schedule", "fields"] {
        assert_eq!(row[empty], Value::Null, "{empty}: {row}");
    }
    assert_eq!((&again["data"], &again["already"]), (&json!([]), &json!(300)), "each is there once");
    assert_eq!(world.db.count("select count(*) from public.sync_list").await, 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_record_named_twice_in_one_call_is_one_item() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let id = ana.shop().has(small("chair"));
    let one = json!({ "sourceId": id });
    let body = |kind: &str| json!({ "itemType": kind, "sourcePlatform": "shopify", "targetPlatform": "netsuite", "items": [one, one] });

    let added = ana.invoke("sync-list", body("product")).await.ok();
    let other = ana.invoke("sync-list", body("inventory")).await.ok();

    assert_eq!((added["data"].as_array().map(Vec::len), &added["already"]), (Some(1), &json!(1)));
    assert_eq!(other["data"].as_array().map(Vec::len), Some(1), "as another kind of item it is another one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_puts_what_it_finds_on_the_list_with_its_filter_and_what_people_know_it_by() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let id = ana.shop().has(small("chair").title("Chair").category("Furniture"));
    ana.shop().has(small("lamp").category("Lighting"));
    ana.shop().has(small("sofa").category("Furniture").status("DRAFT"));
    let filter = json!({ "status": ["active"], "category": "Furniture" });
    let pattern = json!({ "name": "Furniture", "direction": "shopify-to-netsuite", "filterConfig": filter });
    let pattern = ana.invoke("patterns", pattern).await.ok();

    let body = json!({ "itemType": "product", "patternId": pattern["id"] });
    let added = ana.invoke("sync-list", body.clone()).await.ok();
    let again = ana.invoke("sync-list", body).await.ok();

    assert_eq!(column(&added["data"], "sourceId"), [id]);
    let row = &added["data"][0];
    assert_eq!(row["filterConfig"], filter);
    assert_eq!(
        row["metadata"],
        json!({ "name": "Chair", "sku": "chair-1", "price": "10.00", "status": "ACTIVE" })
    );
    assert_eq!(
        (&row["sourcePlatform"], &row["targetPlatform"], &row["syncMode"]),
        (&json!("shopify"), &json!("netsuite"), &json!("delta"))
    );
    assert_eq!((&again["data"], &again["already"]), (&json!([]), &json!(1)));
    let changed = json!({ "id": pattern["id"], "filterConfig": {} });
    ana.request(Method::PATCH, "patterns", changed).await.ok();
    let list = ana.get("sync-list").await.ok();
    assert_eq!(list["data"][0]["filterConfig"], filter, "a copy: the pattern may change later");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_for_both_ways_must_be_told_which_way() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.erp().has(small("chair"));
    let pattern = json!({ "name": "All", "direction": "bidirectional", "filterConfig": {} });
    let pattern = ana.invoke("patterns", pattern).await.ok();
    let body = json!({ "itemType": "product", "patternId": pattern["id"] });

    let unclear = ana.invoke("sync-list", body.clone()).await;
    let mut clear = body;
    clear["sourcePlatform"] = json!("netsuite");
    let added = ana.invoke("sync-list", clear).await.ok();

    assert_eq!(wrong_field(&unclear), "/sourcePlatform");
    assert_eq!(column(&added["data"], "targetPlatform"), ["shopify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_filtered_by_status_type_and_whether_items_take_part() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let good = listed(&ana, &["chair"]).await.remove(0);
    let bad = ana.lists("product", &["gid://shopify/Product/999999".to_owned()]).await.remove(0);
    ana.syncs().await;
    let never = listed(&ana, &["desk"]).await.remove(0);
    let order = ana.lists("order", &["gid://shopify/Order/1".to_owned()]).await.remove(0);
    patch(&ana, json!({ "ids": [never], "isActive": false })).await;
    let config = ana.get("sync-list?itemType=order").await.ok()["data"][0]["configId"].clone();
    let config = format!("configId={}", config.as_str().unwrap());

    for (query, expected) in [
        ("", vec![&order, &never, &bad, &good]),
        ("status=success", vec![&good]),
        ("status=failed", vec![&bad]),
        ("status=pending", vec![]),
        ("status=never", vec![&order, &never]),
        ("itemType=order", vec![&order]),
        ("itemType=inventory", vec![]),
        ("itemType=product&status=never", vec![&never]),
        ("isActive=false", vec![&never]),
        ("isActive=true&status=never", vec![&order]),
        (&config, vec![&order]),
        (&format!("ids={good},{order}"), vec![&order, &good]),
    ] {
        let list = ana.get(&format!("sync-list?{query}")).await.ok();
        assert_eq!(column(&list["data"], "id").iter().collect::<Vec<_>>(), expected, "{query}");
    }
    for (query, place) in
        [("status=done", "/status"), ("itemType=car", "/itemType"), ("isActive=maybe", "/isActive")]
    {
        assert_eq!(wrong_field(&ana.get(&format!("sync-list?{query}")).await), place);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_comes_newest_first_and_page_by_page() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let ids: Vec<String> = (0..7).map(|n| format!("gid://shopify/Product/{n}")).collect();
    // All of one moment, so that only the id tells them apart.
    let items = ana.lists("product", &ids).await;

    let (mut seen, mut query) = (Vec::new(), "sync-list?limit=3".to_owned());
    loop {
        let page = ana.get(&query).await.ok();
        seen.extend(column(&page["data"], "id"));
        let Some(next) = page["next_cursor"].as_str() else { break };
        query = format!("sync-list?limit=3&cursor={next}");
    }

    assert_eq!(world.db.count("select count(distinct created_at) from public.sync_list").await, 1);
    let (mut all, mut got) = (items, seen.clone());
    all.sort_unstable();
    got.sort_unstable();
    assert_eq!(got, all, "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_items_settings_are_changed_one_by_one() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = listed(&ana, &["chair", "desk"]).await;
    let before = ana.get(&format!("sync-list?ids={}", items[0])).await.ok()["data"][0].clone();

    for (field, value, shown) in [
        ("syncMode", json!("full"), json!("full")),
        ("syncMode", json!("delta"), json!("delta")),
        ("isActive", json!(false), json!(false)),
        ("isActive", json!(true), json!(true)),
        ("priority", json!(1), json!(1)),
        ("schedule", json!("0 3 * * 1-5"), json!("0 3 * * 1-5")),
        ("schedule", json!(""), Value::Null),
        ("fields", json!(["displayName"]), json!(["displayName"])),
        ("fields", json!([]), Value::Null),
    ] {
        let rows = patch(&ana, json!({ "ids": [items[0]], field: value })).await;
        assert_eq!((column(&rows, "id"), &rows[0][field]), (vec![items[0].clone()], &shown), "{field}");
    }

    let after = ana.get(&format!("sync-list?ids={}", items[0])).await.ok()["data"][0].clone();
    let moved: Vec<&str> = names(&after).into_iter().filter(|name| after[name] != before[name]).collect();
    assert_eq!(moved, ["priority", "updatedAt"], "all else is as it was");
    assert_eq!(after["createdAt"], before["createdAt"]);
    let other = ana.get(&format!("sync-list?ids={}", items[1])).await.ok();
    assert_eq!(other["data"][0]["priority"], 5, "the other item is left alone");
    for (change, place) in [
        (json!({ "priority": 0 }), "/priority"),
        (json!({ "schedule": "every day" }), "/schedule"),
        (json!({ "schedule": "* * * * * *" }), "/schedule"),
        (json!({ "syncMode": "half" }), "/syncMode"),
        (json!({ "lastSyncStatus": "success" }), "/lastSyncStatus"),
    ] {
        let mut change = change;
        change["ids"] = json!([items[0]]);
        assert_eq!(wrong_field(&ana.request(Method::PATCH, "sync-list", change).await), place);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_off_the_list_is_synced_no_more_and_stays_where_it_is() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = listed(&ana, &["chair", "desk"]).await;
    ana.syncs().await;

    let removed = remove(&ana, &items[..1]).await.ok();
    super::retitle(&ana, "chair", "Renamed");
    let run = ana.syncs().await;

    assert_eq!(removed, json!({ "removed": 1 }));
    assert_eq!(column(&ana.get("sync-list").await.ok()["data"], "id"), items[1..]);
    assert_eq!(run["itemsProcessed"], 1, "{run}");
    assert_eq!(
        title_in_erp(&ana, "chair").as_deref(),
        Some("Product chair"),
        "nothing is deleted, nothing is written"
    );
    remove(&ana, &items[..1]).await.problem("not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_somebody_elses_item_among_them_nothing_is_changed_or_removed() {
    let world = World::start().await;
    let (ana, ben) = (world.merchant("ana").await, world.merchant("ben").await);
    let (hers, his) = (listed(&ana, &["chair"]).await.remove(0), listed(&ben, &["lamp"]).await.remove(0));
    let both = [hers.clone(), his];

    let changed = ana.request(Method::PATCH, "sync-list", json!({ "ids": both, "priority": 1 })).await;
    let removed = remove(&ana, &both).await;

    changed.problem("not_found");
    removed.problem("not_found");
    let rows = "select string_agg(priority::text, ' ') from public.sync_list";
    assert_eq!(world.db.text(rows).await, "5 5");
    assert_eq!(column(&ana.get("sync-list").await.ok()["data"], "id"), [hers]);
}

#[tokio::test(flavor = "multi_thread")]
async fn which_account_is_meant_must_be_clear() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let ben = world.user("ben").await;
    let body = |more: Value| {
        let mut body = json!({ "itemType": "product", "sourcePlatform": "shopify", "targetPlatform": "netsuite",
            "items": [{ "sourceId": "gid://shopify/Product/1" }] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let first = ana.get("integrations?platform=shopify").await.ok()["data"][0]["id"].clone();
    let erp = ana.get("integrations?platform=netsuite").await.ok()["data"][0]["id"].clone();
    let other = world.platforms.shopify("ana-outlet");
    let credential = json!({ "kind": "access_token", "access_token": other.token() });
    let outlet = json!({ "name": "Outlet", "platform": "shopify", "baseUrl": other.address(), "credential": credential });
    ana.invoke("integrations", outlet).await.ok();

    assert_eq!(wrong_field(&ana.invoke("sync-list", body(json!({}))).await), "/sourceIntegrationId");
    assert_eq!(wrong_field(&ben.invoke("sync-list", body(json!({}))).await), "/sourceIntegrationId");
    let foreign = body(json!({ "sourceIntegrationId": first, "targetIntegrationId": erp }));
    assert_eq!(wrong_field(&ben.invoke("sync-list", foreign).await), "/sourceIntegrationId");
    assert_eq!(world.db.count("select count(*) from public.sync_list").await, 0);

    let clear = ana.invoke("sync-list", body(json!({ "sourceIntegrationId": first }))).await.ok();
    assert_eq!(column(&clear["data"], "sourceIntegrationId"), [first.as_str().unwrap()]);
    assert_eq!(column(&clear["data"], "targetIntegrationId"), [erp.as_str().unwrap()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_or_no_items_are_refused_as_a_whole() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let body = |count: usize| {
        let items: Vec<Value> = (0..count).map(|n| json!({ "sourceId": n.to_string() })).collect();
        json!({ "itemType": "product", "sourcePlatform": "shopify", "targetPlatform": "netsuite", "items": items })
    };

    assert_eq!(wrong_field(&ana.invoke("sync-list", body(0)).await), "/items");
    assert_eq!(wrong_field(&ana.invoke("sync-list", body(1001)).await), "/items");
    assert_eq!(wrong_field(&ana.request(Method::DELETE, "sync-list", Value::Null).await), "/ids");
    let none = json!({ "ids": [], "isActive": false });
    assert_eq!(wrong_field(&ana.request(Method::PATCH, "sync-list", none).await), "/ids");
    assert_eq!(world.db.count("select count(*) from public.sync_list").await, 0);

    let most = ana.invoke("sync-list", body(1000)).await.ok();
    assert_eq!(most["data"].as_array().map(Vec::len), Some(1000));
}
