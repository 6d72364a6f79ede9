//! `delta-sync`: brings the caller's sync list up to date, leaving alone what did not change.

use crate::world::{User, World};
use platforms::{Fault, Matcher, Product, product};
use serde_json::json;

/// A chair in two sizes.
fn chair() -> Product {
    let chair = product("chair")
        .title("Chair é 椅子")
        .handle("chair")
        .description("<p>Sit.</p>")
        .vendor("Ana & Co")
        .tag("wood");
    chair
        .option("Size", &["S", "M"])
        .variant_with(sized("CHAIR-S", "S", "49.90"))
        .variant_with(sized("CHAIR-M", "M", "54.90"))
}

fn sized(sku: &str, size: &str, price: &str) -> platforms::Variant {
    platforms::variant(sku, price).option("Size", size).price_in("USD", "52.00").barcode("4006381333931")
}

/// So many small products, in the shop and on the list.
async fn many(user: &User<'_>, count: usize) -> Vec<String> {
    let products = (0..count)
        .map(|n| product(&format!("p{n}")).handle(&format!("p-{n}")).variant(&format!("SKU-{n}"), "10.00"));
    let ids: Vec<String> = products.map(|product| user.shop().has(product)).collect();
    user.lists("product", &ids).await
}

fn assert_no_duplicates(user: &User<'_>) {
    for (key, count) in user.erp().creates_per_key() {
        assert_eq!(count, 1, "{key} was created {count} times");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_product_appears_in_the_erp_with_its_variants() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let id = ana.shop().has(chair());
    ana.lists("product", &[id]).await;

    let run = ana.syncs().await;

    assert_eq!(run["status"], "completed", "{run}");
    assert_eq!(
        (&run["itemsProcessed"], &run["itemsCreated"], &run["itemsFailed"]),
        (&json!(1), &json!(1), &json!(0))
    );
    let item = ana.erp().product("chair").expect("the ERP has the chair");
    assert_eq!(
        (item.title.as_str(), item.vendor.as_str(), item.tags.as_slice()),
        ("Chair é 椅子", "Ana & Co", &["wood".to_owned()][..])
    );
    let prices: Vec<(&str, &str)> =
        item.variants.iter().map(|one| (one.sku.as_str(), one.price.as_str())).collect();
    assert_eq!(prices, [("CHAIR-S", "49.90"), ("CHAIR-M", "54.90")]);
    assert_eq!(item.variants[0].prices["USD"], "52.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_and_the_history_say_what_happened() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let id = ana.shop().has(chair());
    ana.lists("product", &[id]).await;

    let run = ana.syncs().await;

    let list = ana.get("sync-list?status=success").await.ok();
    let row = &list["data"][0];
    assert_eq!(
        (&row["lastSyncStatus"], &row["metadata"]["sku"]),
        (&json!("success"), &json!("CHAIR-S")),
        "{list}"
    );
    assert!(row["targetId"].is_string() && row["lastSyncedAt"].is_string(), "{list}");
    let detail = ana.get(&format!("sync-history?id={}", run["syncHistoryId"].as_str().unwrap())).await.ok();
    assert_eq!(detail["run"]["status"], "completed", "{detail}");
    assert_eq!(detail["events"][0]["outcome"], "created", "{detail}");
    let view = world
        .db
        .text("select string_agg(distinct status || ' ' || items_created, ',') from public.sync_history")
        .await;
    assert_eq!(view, "completed 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_item_is_not_written_again() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let id = ana.shop().has(chair());
    ana.lists("product", &[id]).await;

    ana.syncs().await;
    let (writes, requests) = (ana.erp().writes(), ana.erp().requests());
    let second = ana.syncs().await;
    let full = ana.invoke("delta-sync", json!({ "mode": "full" })).await.ok();

    assert_eq!((&second["itemsUnchanged"], &second["status"]), (&json!(1), &json!("completed")), "{second}");
    assert_eq!(full["itemsUnchanged"], 1, "{full}");
    assert_eq!(ana.erp().writes(), writes, "neither delta nor full may write what is equal");
    assert!(ana.erp().requests() > requests, "full mode looks at the ERP");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_changed_in_the_shop_is_written_to_the_erp() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    many(&ana, 20).await;
    ana.syncs().await;
    world.platforms.clock().advance(chrono::TimeDelta::seconds(60));
    ana.shop().edit("p7", |product| product.title = "Renamed".to_owned());

    let run = ana.syncs().await;

    assert_eq!((&run["itemsUpdated"], &run["itemsUnchanged"]), (&json!(1), &json!(19)), "{run}");
    assert_eq!(ana.erp().product("p-7").map(|item| item.title).as_deref(), Some("Renamed"));
    assert_no_duplicates(&ana);
}

#[tokio::test(flavor = "multi_thread")]
async fn full_mode_repairs_what_somebody_changed_in_the_erp() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let id = ana.shop().has(chair());
    ana.lists("product", &[id]).await;
    ana.syncs().await;
    let key = ana.erp().products()[0].key.clone();
    ana.erp().edit(&key, |item| item.title = "Somebody else's".to_owned());

    let delta = ana.syncs().await;
    let full = ana.invoke("delta-sync", json!({ "mode": "full" })).await.ok();

    assert_eq!(delta["itemsUnchanged"], 1, "{delta}");
    assert_eq!(full["itemsUpdated"], 1, "{full}");
    assert_eq!(ana.erp().products()[0].title, "Chair é 椅子");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_of_the_erp_appears_in_the_shop_and_falls_silent() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let id = ana.erp().has(chair());
    ana.lists_from("netsuite", "shopify", "product", &[id]).await;

    let first = ana.syncs().await;
    let second = ana.invoke("delta-sync", json!({ "mode": "full" })).await.ok();

    assert_eq!((&first["itemsCreated"], &first["status"]), (&json!(1), &json!("completed")), "{first}");
    let shown = ana.shop().product("chair").expect("the shop has the chair");
    assert_eq!((shown.title.as_str(), shown.variants.len()), ("Chair é 椅子", 2));
    assert_eq!(shown.variants[1].price, "54.90");
    assert_eq!(second["itemsUnchanged"], 1, "{second}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_synced_one_way_does_not_come_back_as_a_second_record() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let id = ana.shop().has(chair());
    ana.lists("product", &[id]).await;
    ana.syncs().await;
    let item = world.db.text("select target_id from public.sync_list").await;
    ana.lists_from("netsuite", "shopify", "product", &[item]).await;

    for _ in 0..3 {
        ana.syncs().await;
    }

    assert_eq!((ana.shop().product_count(), ana.erp().products().len()), (1, 1));
    let told = world.db.text("select coalesce(string_agg(changes::text, ' '), '') from public.sync_events where outcome = 'updated'").await;
    assert_eq!(ana.shop().writes(), 0, "the shop's own product must not be written back to it: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_is_in_both_systems_already_is_linked_and_not_made_again() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let id = ana.shop().has(chair());
    ana.erp().has(chair().title("Old name"));
    ana.lists("product", &[id]).await;

    let run = ana.syncs().await;

    assert_eq!((&run["itemsUpdated"], &run["itemsCreated"]), (&json!(1), &json!(0)), "{run}");
    assert_eq!(ana.erp().products().len(), 1);
    assert_eq!(ana.erp().products()[0].title, "Chair é 椅子");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_record_refused_in_a_batch_of_a_hundred_stops_nobody_else() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    many(&ana, 99).await;
    let long = ana.shop().has(product("bad").handle(&"h".repeat(80)).variant("BAD", "1.00"));
    let bad = ana.lists("product", &[long]).await;

    let run = ana.syncs().await;

    assert_eq!(
        (&run["status"], &run["itemsCreated"], &run["itemsFailed"]),
        (&json!("partial_success"), &json!(99), &json!(1)),
        "{run}"
    );
    assert_eq!(run["errors"][0]["itemId"], bad[0], "{run}");
    assert_eq!(ana.erp().products().len(), 99);
    let again = ana.invoke("delta-sync", json!({ "syncListIds": bad })).await.ok();
    assert_eq!((&again["status"], &again["itemsProcessed"]), (&json!("failed"), &json!(1)), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_the_source_no_longer_has_is_reported_and_nothing_is_deleted() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    many(&ana, 3).await;
    ana.syncs().await;
    ana.shop().delete("p1");

    let run = ana.syncs().await;

    assert_eq!((&run["itemsFailed"], &run["itemsUnchanged"]), (&json!(1), &json!(2)), "{run}");
    assert_eq!(ana.erp().products().len(), 3, "absence is no delete");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_calls_for_the_same_list_are_one_run() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    many(&ana, 120).await;
    ana.erp().set_latency(std::time::Duration::from_millis(60));

    let calls = (0..8).map(|_| ana.invoke("delta-sync", json!({})));
    let answers = futures::future::join_all(calls).await;

    let runs: std::collections::BTreeSet<String> =
        answers.iter().map(|answer| answer.ok()["syncHistoryId"].to_string()).collect();
    assert!(answers.iter().all(|answer| [200, 202].contains(&answer.status)));
    world.time_passes().await;
    world.drain().await;
    assert!(runs.len() <= 2, "a second run may begin only after the first has ended: {runs:?}");
    assert_eq!(ana.erp().products().len(), 120);
    assert_no_duplicates(&ana);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_shop_delays_the_run_and_loses_nothing() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    many(&ana, 30).await;
    ana.shop().faults().on(Matcher::any().path("graphql").times(1), Fault::too_many(1));

    let run = ana.syncs().await;

    assert_eq!((&run["status"], &run["itemsCreated"]), (&json!("completed"), &json!(30)), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_asks_for_more_patience_than_there_is_time_is_asked_again_from_the_queue() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    many(&ana, 5).await;
    ana.shop().faults().on(Matcher::any().path("graphql"), Fault::too_many(3600));

    let run = ana.syncs().await;
    assert_eq!(run["status"], "running", "{run}");
    let requests = ana.shop().requests();
    ana.syncs().await;
    assert_eq!(ana.shop().requests(), requests, "nobody asks before the hour is over");

    ana.shop().faults().clear();
    world.db.run("update sync.rate_buckets set not_before = now()").await;
    world.time_passes().await;
    world.drain().await;
    assert_eq!(ana.erp().products().len(), 5);
    let detail = ana.get(&format!("sync-history?id={}", run["syncHistoryId"].as_str().unwrap())).await.ok();
    assert_eq!(detail["run"]["status"], "completed", "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erp_that_fails_for_a_moment_is_tried_again() {
    for fault in [
        Fault::status(500),
        Fault::status(503),
        Fault::Html(502),
        Fault::DropBefore,
        Fault::Truncate,
        Fault::BadJson,
    ] {
        let world = World::start().await;
        let ana = world.merchant("ana").await;
        many(&ana, 10).await;
        ana.erp().faults().next(fault.clone());

        let run = ana.syncs().await;

        assert_eq!(run["itemsCreated"], 10, "after {}: {run}", fault.name());
        assert_no_duplicates(&ana);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erp_that_is_away_makes_the_run_fail_and_the_next_one_catch_up() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    many(&ana, 10).await;
    ana.erp().faults().always(Fault::status(503));

    let run = ana.syncs().await;
    assert_eq!((&run["status"], &run["itemsCreated"]), (&json!("failed"), &json!(0)), "{run}");

    ana.erp().faults().clear();
    world.db.run("update sync.breakers set open_until = now(), probe_until = now()").await;
    let next = ana.syncs().await;
    assert_eq!((&next["status"], &next["itemsCreated"]), (&json!("completed"), &json!(10)), "{next}");
    assert_no_duplicates(&ana);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_credential_ends_the_run_and_says_so() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    many(&ana, 3).await;
    ana.shop().revoke_token();

    let run = ana.syncs().await;

    assert_eq!((&run["status"], &run["itemsFailed"]), (&json!("failed"), &json!(3)), "{run}");
    let detail = ana.get(&format!("sync-history?id={}", run["syncHistoryId"].as_str().unwrap())).await.ok();
    assert_eq!(detail["run"]["metadata"]["reason"], "unauthorized", "{detail}");
}
