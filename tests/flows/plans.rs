//! What a sync would do: planned, compared, previewed; and how it stands.

use super::two_way::{both_ways, chair, edit, perform, titles, written};
use crate::world::{User, World};
use platforms::product;
use serde_json::{Value, json};

async fn plan(user: &User<'_>, config: &str) -> Value {
    user.invoke("sync-plan", json!({ "configId": config })).await.ok()
}

/// Ten products of the user that a sync both ways has made equal; answers the sync.
async fn ten_chairs(user: &User<'_>, rules: Value) -> String {
    for n in 0..10 {
        let key = format!("chair-{n}");
        user.shop().has(
            product(&key).handle(&key).title(&format!("Chair {n}")).variant(&format!("{key}-1"), "10.00"),
        );
    }
    let config = both_ways(user, rules).await;
    perform(user, &config).await;
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn applying_a_plan_does_exactly_what_it_says() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let config = ten_chairs(&ana, json!({})).await;
    world.platforms.clock().advance(chrono::TimeDelta::minutes(1));
    ana.shop().edit("chair-3", |product| product.title = "Stool".to_owned());
    ana.erp().edit("chair-4", |product| product.title = "Armchair".to_owned());
    let (shop, erp) = (ana.shop().products(), ana.erp().products());

    let planned = plan(&ana, &config).await;
    let untouched = (ana.shop().products() == shop, ana.erp().products() == erp);
    let applied = ana.invoke("sync-apply", json!({ "planId": planned["plan_id"] })).await.ok();
    let again = ana.invoke("sync-apply", json!({ "planId": planned["plan_id"] })).await;

    assert_eq!(untouched, (true, true), "a plan writes nothing");
    // Both sides are read, and one record is written on each.
    let reads = planned["platform_requests"].as_i64().unwrap();
    assert_eq!(planned["estimate"]["requests"], json!(reads + 2), "{planned}");
    assert_eq!(
        (&planned["counts"]["update"], &planned["counts"]["unchanged"]),
        (&json!(2), &json!(8)),
        "{planned}"
    );
    let updates: Vec<&Value> =
        planned["data"].as_array().unwrap().iter().filter(|row| row["action"] == "update").collect();
    assert_eq!(updates[0]["changes"][0]["field"], "displayName", "{updates:?}");
    let writes: Vec<&Value> = updates.iter().map(|row| &row["changes"][0]["writes"]).collect();
    assert_eq!(writes, [&json!("target"), &json!("source")], "{updates:?}");
    assert_eq!(
        (&applied["recordsUpdated"], &applied["recordsProcessed"]),
        (&json!(2), &json!(2)),
        "{applied}"
    );
    assert_eq!(ana.erp().product("chair-3").unwrap().title, "Stool");
    assert_eq!(ana.shop().product("chair-4").unwrap().title, "Armchair");
    again.problem("not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_changed_since_the_plan_is_left_alone() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let config = ten_chairs(&ana, json!({})).await;
    for key in ["chair-3", "chair-5"] {
        ana.shop().edit(key, |product| product.title = "Stool".to_owned());
    }
    let planned = plan(&ana, &config).await;
    ana.erp().edit("chair-3", |product| product.title = "Armchair".to_owned());

    let applied = ana.invoke("sync-apply", json!({ "planId": planned["plan_id"] })).await.ok();

    assert_eq!((&applied["recordsUpdated"], &applied["recordsFailed"]), (&json!(1), &json!(1)), "{applied}");
    assert!(applied["errors"][0]["error"].as_str().unwrap().contains("Plan again"), "{applied}");
    assert_eq!(ana.erp().product("chair-3").unwrap().title, "Armchair");
    assert_eq!(ana.erp().product("chair-5").unwrap().title, "Stool");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_its_makers_own_and_holds_for_the_rules_it_was_made_with() {
    let world = World::start().await;
    let (ana, ben) = (world.merchant("ana").await, world.user("ben").await);
    let config = ten_chairs(&ana, json!({})).await;
    ana.shop().edit("chair-3", |product| product.title = "Stool".to_owned());
    let planned = plan(&ana, &config).await;

    ben.invoke("sync-plan", json!({ "configId": config })).await.problem("not_found");
    ben.invoke("sync-compare", json!({ "configId": config })).await.problem("not_found");
    ben.invoke("sync-apply", json!({ "planId": planned["plan_id"] })).await.problem("not_found");
    let rules = json!({ "id": config, "rules": { "strategy": "manual" } });
    ana.request(reqwest::Method::PUT, "sync-configs", rules).await.ok();
    let stale = ana.invoke("sync-apply", json!({ "planId": planned["plan_id"] })).await;

    stale.problem("conflict");
    assert_eq!(ana.erp().product("chair-3").unwrap().title, "Chair 3");
}

#[tokio::test(flavor = "multi_thread")]
async fn comparing_finds_every_drift_and_a_plan_repairs_it() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    for n in 0..100 {
        let key = format!("p-{n:03}");
        ana.shop().has(product(&key).handle(&key).title(&key).variant(&format!("{key}-1"), "10.00"));
    }
    let config = both_ways(&ana, json!({})).await;
    perform(&ana, &config).await;
    let equal = ana.invoke("sync-compare", json!({ "configId": config, "limit": 1000 })).await.ok();
    for n in 0..100 {
        let key = format!("p-{n:03}");
        match n % 4 {
            0 => ana.erp().edit(&key, |product| product.title = "Drift".to_owned()),
            1 => ana.erp().edit(&key, |product| product.vendor = "Drift".to_owned()),
            2 => ana.erp().edit(&key, |product| product.variants[0].price = "9.99".to_owned()),
            _ => ana.shop().edit(&key, |product| product.tags = vec!["drift".to_owned()]),
        };
    }

    let body = json!({ "configId": config, "limit": 1000, "repair": true });
    let drifted = ana.invoke("sync-compare", body).await.ok();
    ana.invoke("sync-apply", json!({ "planId": drifted["plan_id"] })).await.ok();
    let repaired = ana.invoke("sync-compare", json!({ "configId": config, "limit": 1000 })).await.ok();

    assert_eq!((&equal["compared"], &equal["equal"]), (&json!(100), &json!(100)), "{equal}");
    assert_eq!((&drifted["compared"], &drifted["equal"]), (&json!(100), &json!(0)), "every one is found");
    assert_eq!(drifted["data"].as_array().unwrap().len(), 100);
    assert_eq!((&repaired["compared"], &repaired["equal"]), (&json!(100), &json!(100)), "{repaired}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_is_what_the_run_writes_and_says_what_is_wrong() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let rules = json!({ "mapping": [
        { "source": "title", "target": "displayName", "transformation": { "format": "upper" } },
        { "source": "email", "target": "email", "transformation": { "validate": "email" }, "required": true } ] });
    let body = json!({ "rules": rules, "itemType": "product", "sourcePlatform": "shopify", "targetPlatform": "netsuite",
        "records": [{ "title": "Chair", "email": "a@example.com" }, { "title": "Desk", "email": "nobody" }, {}] });

    let rows = ana.invoke("mapping-preview", body).await.ok()["data"].clone();

    assert_eq!(rows[0]["output"], json!({ "displayName": "CHAIR", "email": "a@example.com" }), "{rows}");
    assert_eq!((&rows[1]["ok"], &rows[2]["ok"]), (&json!(false), &json!(false)), "{rows}");
    let wrong = &rows[1]["violations"][0];
    assert_eq!((&wrong["target"], &wrong["source"]), (&json!("email"), &json!("email")), "{wrong}");
    assert!(wrong["rule"].as_str().unwrap().contains("email") && wrong["detail"].is_string(), "{wrong}");
    assert_eq!(rows[2]["violations"][0]["rule"], "required", "{rows}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_is_started_stopped_and_says_how_it_stands() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.erp().set_clock_skew(None);
    ana.shop().has(chair());
    let account = async |platform: &str| {
        ana.get(&format!("integrations?platform={platform}")).await.ok()["data"][0]["id"].clone()
    };
    let body = json!({ "sourceId": account("shopify").await, "targetId": account("netsuite").await, "mode": "batch",
        "config": { "sourceObject": "product", "targetObject": "product", "schedule": "0 3 * * *",
            "conflictResolution": "manual", "direction": "bidirectional" } });

    let started = ana.invoke("sync-start", body).await.ok();
    let id = started["syncId"].as_str().unwrap().to_owned();
    let before = ana.get(&format!("sync-status?id={id}")).await.ok();
    perform(&ana, &id).await;
    edit(&ana, |product| product.title = "Stool".to_owned(), |product| product.title = "Armchair".to_owned());
    perform(&ana, &id).await;
    let after = ana.get(&format!("sync-status?id={id}")).await.ok();
    let stopped = ana.invoke("sync-stop", json!({ "syncId": id })).await.ok();
    let refused = ana.invoke("sync-perform", json!({ "configId": id })).await;
    let off = ana.get(&format!("sync-status?id={id}")).await.ok();
    let on = ana.invoke("sync-start", json!({ "syncId": id })).await.ok();

    assert_eq!(
        (&started["status"], &before["status"], &on["status"]),
        (&json!("running"), &json!("running"), &json!("running"))
    );
    assert_eq!(
        (&before["statistics"]["runs"], &before["dataAgeSeconds"]),
        (&json!(0), &Value::Null),
        "{before}"
    );
    assert!(before["nextRunAt"].is_string(), "{before}");
    assert_eq!((&after["statistics"]["runs"], &after["pendingConflicts"]), (&json!(2), &json!(1)), "{after}");
    assert_eq!(after["statistics"]["successRate"], json!(0.5), "{after}");
    assert!(
        after["statistics"]["averageProcessingTime"].is_number() && after["cursor"].is_string(),
        "{after}"
    );
    assert_eq!(
        (&stopped["status"], &off["status"], &off["nextRunAt"]),
        (&json!("stopped"), &json!("stopped"), &Value::Null)
    );
    refused.problem("conflict");
    assert_eq!(titles(&ana), ("Stool".to_owned(), "Armchair".to_owned()));
    let overview = ana.get("sync-status").await.ok();
    assert_eq!(overview["data"][0]["syncId"], json!(id));
    world.user("ben").await.get(&format!("sync-status?id={id}")).await.problem("not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_failed_is_tried_again_alone_or_with_all_like_it() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let wrong = |key: &str| product(key).handle(key).title("").variant(&format!("{key}-1"), "10.00");
    for key in ["a", "b", "c"] {
        ana.shop().has(wrong(key));
    }
    let rules = json!({ "mapping": [
        { "source": "handle", "target": "itemId" },
        { "source": "title", "target": "displayName", "transformation": { "validate": { "length": { "min": 3 } } } },
        { "source": "variants[].sku", "target": "children[].itemId" },
        { "source": "variants[].price", "target": "children[].price" } ] });
    let config = both_ways(&ana, rules).await;
    let first = perform(&ana, &config).await;
    let issues = ana.get("issues?status=open").await.ok()["data"].clone();
    for key in ["a", "b", "c"] {
        ana.shop().edit(key, |product| product.title = format!("Chair {key}"));
    }

    let one = ana.invoke("issue-retry", json!({ "ids": [issues[0]["id"]] })).await.ok();
    let made = ana.erp().product_count();
    let ignored =
        ana.invoke("issue-retry", json!({ "ids": [issues[1]["id"]], "action": "ignore" })).await.ok();
    let all = ana.invoke("issue-retry", json!({ "allLike": issues[2]["id"] })).await.ok();
    let reopened =
        ana.invoke("issue-retry", json!({ "ids": [issues[1]["id"]], "action": "reopen" })).await.ok();

    assert_eq!((&first["recordsFailed"], issues.as_array().unwrap().len()), (&json!(3), 3), "{first}");
    assert_eq!((&one["data"][0]["status"], made), (&json!("resolved"), 1), "{one}");
    assert_eq!(ignored["data"][0]["status"], "ignored");
    assert_eq!(
        (all["data"].as_array().unwrap().len(), &all["data"][0]["status"]),
        (1, &json!("resolved")),
        "{all}"
    );
    assert_eq!((&reopened["data"][0]["status"], ana.erp().product_count()), (&json!("open"), 2));
    let ben = world.user("ben").await;
    ben.invoke("issue-retry", json!({ "ids": [issues[0]["id"]] })).await.problem("not_found");
    assert_eq!(written(&perform(&ana, &config).await), 1, "the last one comes with the next run");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_decided_again_decides_the_same_and_other_rules_show_what_they_would_do() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let config = ten_chairs(&ana, json!({ "strategy": "manual" })).await;
    world.platforms.clock().advance(chrono::TimeDelta::minutes(1));
    ana.shop().edit("chair-1", |product| product.title = "Stool".to_owned());
    ana.erp().edit("chair-2", |product| product.title = "Armchair".to_owned());
    ana.shop().edit("chair-3", |product| product.title = "Stool".to_owned());
    ana.erp().edit("chair-3", |product| product.title = "Armchair".to_owned());
    let run = perform(&ana, &config).await;
    let other = json!({ "id": config, "rules": { "strategy": "source_wins" } });
    ana.request(reqwest::Method::PUT, "sync-configs", other).await.ok();
    let (shop, erp) = (ana.shop().products(), ana.erp().products());

    let again = ana.invoke("run-replay", json!({ "runId": run["runId"] })).await.ok();
    let page = ana.invoke("run-replay", json!({ "runId": run["runId"], "limit": 2 })).await.ok();
    let body = json!({ "runId": run["runId"], "limit": 2, "cursor": page["next_cursor"] });
    let rest = ana.invoke("run-replay", body).await.ok();
    let otherwise = ana.invoke("run-replay", json!({ "runId": run["runId"], "version": 2 })).await.ok();

    assert_eq!((again["data"].as_array().unwrap().len(), &again["same"]), (3, &json!(3)), "{again}");
    assert_eq!((page["data"].as_array().unwrap().len(), rest["data"].as_array().unwrap().len()), (2, 1));
    let conflict =
        again["data"].as_array().unwrap().iter().find(|row| row["outcome"] == "conflicted").unwrap();
    assert_eq!(conflict["again"]["action"], "conflict", "{conflict}");
    assert_eq!(otherwise["same"], 2, "{otherwise}");
    let now = otherwise["data"].as_array().unwrap().iter().find(|row| row["again"]["same"] == false).unwrap();
    assert_eq!(
        (&now["again"]["action"], &now["again"]["changes"][0]["rule"]),
        (&json!("update"), &json!("source_wins"))
    );
    assert_eq!(
        (ana.shop().products() == shop, ana.erp().products() == erp),
        (true, true),
        "nothing is written"
    );
    let ben = world.user("ben").await;
    ben.invoke("run-replay", json!({ "runId": run["runId"] })).await.problem("not_found");
}
