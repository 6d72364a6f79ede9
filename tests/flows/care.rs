//! Syncs that would do harm by themselves: those that feed each other, empty listings, the wrong hours; and links that
//! mappings follow.

use super::two_way::{both_ways, chair, perform};
use crate::world::{User, World};
use platforms::product;
use serde_json::{Value, json};

/// A sync of products one way, by these rules; answers its id.
async fn one_way(user: &User<'_>, (source, target): (&str, &str), rules: Value) -> String {
    user.erp().set_clock_skew(None);
    let account = async |platform: &str| {
        user.get(&format!("integrations?platform={platform}")).await.ok()["data"][0]["id"].clone()
    };
    let body = json!({ "name": "One way", "itemType": "product", "rules": rules,
        "sourceIntegrationId": account(source).await, "targetIntegrationId": account(target).await });
    user.invoke("sync-configs", body).await.ok()["id"].as_str().unwrap().to_owned()
}

/// A mapping that carries the title with a mark behind it.
fn marked(from: &str, to: &str, key: (&str, &str)) -> Value {
    json!({ "mapping": [
        { "source": key.0, "target": key.1 },
        { "source": from, "target": to, "transformation": { "custom": "value + '!'" } },
    ], "onFirstSync": "source_wins" })
}

#[tokio::test(flavor = "multi_thread")]
async fn two_syncs_that_feed_each_other_are_stopped_and_a_person_is_told() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(chair());
    ana.erp().has(chair());
    let there =
        one_way(&ana, ("shopify", "netsuite"), marked("title", "displayName", ("handle", "itemId"))).await;
    let back =
        one_way(&ana, ("netsuite", "shopify"), marked("displayName", "title", ("itemId", "handle"))).await;

    let mut last = (json!(null), json!(null));
    for _ in 0..15 {
        // At once: the platforms' clock is ours.
        last = (
            ana.invoke("sync-perform", json!({ "configId": there })).await.ok(),
            ana.invoke("sync-perform", json!({ "configId": back })).await.ok(),
        );
    }

    let marks = ana.shop().product("chair").unwrap().title.matches('!').count();
    assert!((5..=26).contains(&marks), "it went on for a while and then stopped: {marks}");
    let told = ana.get("conflicts?status=pending").await.ok();
    let reasons: Vec<&Value> = told["data"].as_array().unwrap().iter().map(|one| &one["reason"]).collect();
    assert!(!reasons.is_empty() && reasons.iter().all(|reason| *reason == "ping_pong"), "{told} {last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_changes_all_the_time_by_itself_is_written_all_the_time() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(chair());
    let config = one_way(&ana, ("shopify", "netsuite"), json!({})).await;
    perform(&ana, &config).await;

    for round in 0..15 {
        world.platforms.clock().advance(chrono::TimeDelta::minutes(1));
        assert!(ana.shop().edit("chair", |product| product.title = format!("Chair {round}")));
        let run = perform(&ana, &config).await;
        assert_eq!(run["recordsUpdated"], 1, "{run}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_listing_after_ten_full_ones_is_a_failure_and_says_so_once() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has_all((0..25).map(|number| {
        let name = format!("chair-{number}");
        product(&name).handle(&name).title("Chair").variant(&format!("{name}-1"), "10.00")
    }));
    let config = one_way(&ana, ("shopify", "netsuite"), json!({})).await;
    for round in 0..10 {
        world.platforms.clock().advance(chrono::TimeDelta::hours(1));
        for number in 0..25 {
            assert!(
                ana.shop()
                    .edit(&format!("chair-{number}"), |product| product.title = format!("Chair {round}"))
            );
        }
        assert_eq!(perform(&ana, &config).await["recordsProcessed"], 25);
    }
    world.platforms.clock().advance(chrono::TimeDelta::hours(1));
    for number in 0..25 {
        assert!(ana.shop().delete(&format!("chair-{number}")));
    }

    let empty = perform(&ana, &config).await;
    let next = perform(&ana, &config).await;

    assert_eq!(
        (&empty["status"], &empty["reason"]),
        (&json!("failed"), &json!("suspicious_empty")),
        "{empty}"
    );
    assert!(empty["message"].as_str().unwrap().contains("rights and filters"), "{empty}");
    assert_eq!((&next["status"], ana.erp().product_count()), (&json!("completed"), 25), "{next}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_with_hours_waits_until_they_come_and_a_person_need_not() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let id = ana.shop().has(chair());
    ana.lists("product", &[id]).await;
    let config = world.db.text("select id::text from public.sync_configs").await;
    let hour = world.db.text("select to_char(now() at time zone 'utc' + interval '6 hours', 'HH24')").await;
    let closed = json!({ "from": format!("{hour}:00"), "to": format!("{hour}:59") });
    let rules = |rules: Value| json!({ "id": config, "rules": rules });
    ana.request(reqwest::Method::PUT, "sync-configs", rules(json!({ "businessHours": closed }))).await.ok();

    let outside = world.tick("scheduled-sync").await.ok();
    let nothing = ana.erp().product_count();
    let by_hand = ana.syncs().await;
    assert!(ana.shop().edit("chair", |product| product.title = "Armchair".to_owned()));
    let open = json!({ "from": "00:00", "to": "00:00" });
    ana.request(reqwest::Method::PUT, "sync-configs", rules(json!({ "offPeak": open }))).await.ok();
    world.db.run("update public.sync_list set last_checked_at = last_checked_at - interval '2 hours'").await;
    let inside = world.tick("scheduled-sync").await.ok();

    assert_eq!(
        (&outside["totalItems"], nothing, &by_hand["itemsCreated"]),
        (&json!(0), 0, &json!(1)),
        "{outside}"
    );
    assert_eq!(inside["totalItems"], 1, "{inside}");
    assert_eq!(ana.erp().product("chair").unwrap().title, "Armchair");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_records_keeps_the_inputs_of_what_did_not_change_too() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(chair());
    ana.erp().has(chair());
    let config = both_ways(&ana, json!({ "record": true })).await;

    perform(&ana, &config).await;
    let run = perform(&ana, &config).await;

    assert_eq!((&run["recordsUnchanged"], &run["recordsUpdated"]), (&json!(1), &json!(0)), "{run}");
    let kept = "select count(*) from public.sync_events where outcome = 'unchanged' and inputs -> 'source' ->> 'handle' = 'chair'";
    assert_eq!(world.db.count(kept).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_follows_the_link_of_another_kind_of_item_in_both_directions() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    // The stool's vendor names the chair by its id in the shop; the ERP shall hold the chair's id there.
    let chair_id = ana.shop().has(chair());
    let products = one_way(&ana, ("shopify", "netsuite"), json!({})).await;
    perform(&ana, &products).await;
    let chair_there = ana.erp().product_id("chair").unwrap();
    let stool = product("stool").handle("stool").title("Stool").variant("stool-1", "5.00");
    ana.shop().has(platforms::Product { vendor: chair_id, ..stool });
    let lost = product("lost").handle("lost").title("Lost").variant("lost-1", "5.00");
    ana.shop().has(platforms::Product { vendor: "gid://shopify/Product/1".to_owned(), ..lost });
    let rules = json!({ "mapping": [
        { "source": "handle", "target": "itemId" },
        { "source": "title", "target": "displayName" },
        { "source": "vendor", "target": "manufacturer", "transformation": { "lookup": { "link": "product" } } },
        { "source": "variants[].sku", "target": "children[].itemId" },
    ] });
    let config = both_ways(&ana, rules).await;

    let run = perform(&ana, &config).await;

    assert_eq!(ana.erp().product("stool").map(|stool| stool.vendor), Some(chair_there.clone()), "{run}");
    let wrong: Vec<&Value> = run["errors"].as_array().unwrap().iter().map(|one| &one["error"]).collect();
    assert!(wrong.iter().any(|error| error.as_str().unwrap().contains("nothing stands for")), "{run}");
    assert!(ana.erp().product("lost").is_none(), "a link that leads nowhere writes nothing");
    let preview = ana.invoke("mapping-preview", json!({ "configId": config, "sample": 20 })).await.ok();
    let shown: Vec<&Value> =
        preview["data"].as_array().unwrap().iter().filter(|row| row["ok"] == true).collect();
    assert!(shown.iter().any(|row| row["output"]["manufacturer"] == json!(chair_there)), "{preview}");
    let again = ana.invoke("run-replay", json!({ "runId": run["runId"] })).await.ok();
    assert!(!again["data"].as_array().unwrap().is_empty(), "{again}");
    assert!(again["data"].as_array().unwrap().iter().all(|row| row["again"]["same"] == true), "{again}");
}
