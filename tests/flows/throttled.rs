//! Platforms that let only so much through at a time: the work takes longer, and none is lost or done twice.

use crate::world::{User, World};
use chrono::TimeDelta;
use platforms::{Fault, Matcher, Product, product, variant};
use serde_json::{Value, json};
use std::time::Duration;

/// How often the queue may be worked until a run has ended.
const ROUNDS: usize = 200;

/// A product in five variants: more than the first look at it shows.
fn wide(n: usize) -> Product {
    let sizes = ["XS", "S", "M", "L", "XL"];
    let one = |size: &&str| variant(&format!("W{n}-{size}"), "10.00").option("Size", size);
    let wide = product(&format!("w{n}")).handle(&format!("w-{n}")).option("Size", &sizes);
    sizes.iter().map(one).fold(wide, Product::variant_with)
}

/// So many products with variants in the shop, on the list.
async fn lists(user: &User<'_>, count: usize) {
    let ids: Vec<String> = (0..count).map(|n| user.shop().has(wide(n))).collect();
    user.lists("product", &ids).await;
}

/// Works the queue, ten seconds of the platforms' time after another, until the run has ended. Answers its end.
async fn until_done(world: &World, user: &User<'_>, run: &Value) -> Value {
    let path = format!("sync-history?id={}", run["syncHistoryId"].as_str().unwrap());
    for _ in 0..ROUNDS {
        let detail = user.get(&path).await.ok();
        if detail["run"]["status"] != "running" {
            return detail["run"].clone();
        }
        world.platforms.clock().advance(TimeDelta::seconds(10));
        world.db.run("update sync.rate_buckets set not_before = now()").await;
        world.time_passes().await;
        world.drain().await;
    }
    panic!("the run does not come to its end: {}", user.get(&path).await.ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_list_on_the_smallest_plan_is_done_in_the_end_with_hardly_more_requests() {
    let world = World::start().await;
    let (free, ana) = (world.merchant("free").await, world.merchant("ana").await);
    for user in [&free, &ana] {
        user.erp().set_clock_skew(None);
        lists(user, 300).await;
    }
    let easy = free.syncs().await;
    until_done(&world, &free, &easy).await;
    ana.shop().set_bucket(2_000.0, 100.0);

    let run = ana.syncs().await;
    let end = until_done(&world, &ana, &run).await;

    assert_eq!((&end["status"], &end["itemsCreated"]), (&json!("completed"), &json!(300)), "{end}");
    assert_eq!(end["itemsProcessed"], 300, "each item is counted once: {end}");
    assert_eq!(ana.erp().product_count(), 300);
    assert!(ana.erp().products().iter().all(|product| product.variants.len() == 5), "no variant is lost");
    assert!(ana.erp().creates_per_key().values().all(|count| *count == 1), "nothing is made twice");
    assert!(ana.shop().throttled() <= 3, "the budget waits before the shop must refuse");
    let (usual, needed) = (free.shop().requests(), ana.shop().requests());
    assert!(needed <= usual * 4, "{needed} requests to the throttled shop, {usual} to the other");
    let (usual, needed) = (free.erp().requests(), ana.erp().requests());
    assert!(needed <= usual * 4, "{needed} requests to the ERP behind it, {usual} behind the other");
    assert_eq!(ana.erp().writes(), free.erp().writes(), "as much was written as without the throttle");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttle_in_the_middle_of_a_page_keeps_what_was_read_before_it() {
    // Three requests read the list.
    for after in [0, 1, 2] {
        let world = World::start().await;
        let ana = world.merchant("ana").await;
        lists(&ana, 300).await;
        ana.shop().faults().on(Matcher::any().path("graphql").after(after), Fault::too_many(60));

        let run = ana.syncs().await;
        let asked = ana.shop().requests();
        let made = ana.erp().product_count();
        assert_eq!(run["status"], "running", "after {after}: {run}");
        assert!(asked <= after + 4, "after {after} requests, {asked} were sent: the shop asked for a minute");
        ana.shop().faults().clear();
        let end = until_done(&world, &ana, &run).await;

        assert_eq!(
            (&end["status"], &end["itemsProcessed"]),
            (&json!("completed"), &json!(300)),
            "{after}: {end}"
        );
        assert_eq!(ana.erp().product_count(), 300, "after {after}; {made} of them before the pause");
        assert!(ana.erp().creates_per_key().values().all(|count| *count == 1), "after {after}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_target_gets_every_record_once() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.erp().set_clock_skew(None);
    let ids: Vec<String> = (0..100).map(|n| ana.erp().has(wide(n))).collect();
    ana.lists_from("netsuite", "shopify", "product", &ids).await;
    ana.shop().set_bucket(2_000.0, 100.0);

    let run = ana.syncs().await;
    let end = until_done(&world, &ana, &run).await;
    let (writes, requests) = (ana.shop().writes(), ana.shop().requests());

    assert_eq!((&end["status"], &end["itemsProcessed"]), (&json!("completed"), &json!(100)), "{end}");
    assert_eq!(ana.shop().product_count(), 100);
    assert!(ana.shop().products().iter().all(|product| product.variants.len() == 5), "no variant is lost");
    let made: Vec<(String, u64)> =
        ana.shop().creates_per_key().into_iter().filter(|(_, count)| *count != 1).collect();
    assert!(made.is_empty(), "made more than once: {made:?}");
    assert!(requests <= 100, "{requests} requests, where some twenty would do without the throttle");
    ana.shop().set_bucket(20_000.0, 2_000.0);
    let full = ana.invoke("delta-sync", json!({ "mode": "full" })).await.ok();
    until_done(&world, &ana, &full).await;
    assert_eq!(ana.shop().writes(), writes, "and nothing is left to be written");
}

/// A bucket that holds just one of our largest requests, half of what the smallest plan has.
#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_holds_a_single_request_still_lets_the_run_advance() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.erp().set_clock_skew(None);
    lists(&ana, 130).await;
    ana.shop().set_bucket(1_000.0, 50.0);

    let run = ana.syncs().await;
    let end = until_done(&world, &ana, &run).await;

    assert_eq!((&end["status"], &end["itemsCreated"]), (&json!("completed"), &json!(130)), "{end}");
    assert!(ana.erp().creates_per_key().values().all(|count| *count == 1));
}

/// Products whose variants come in several parts.
#[tokio::test(flavor = "multi_thread")]
async fn products_of_many_variants_are_read_on_the_smallest_plan() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.erp().set_clock_skew(None);
    let many = |n: usize| {
        let sizes: Vec<String> = (0..30).map(|size| size.to_string()).collect();
        let names: Vec<&str> = sizes.iter().map(String::as_str).collect();
        let one = |size: &&str| variant(&format!("M{n}-{size}"), "10.00").option("Size", size);
        let many = product(&format!("m{n}")).handle(&format!("m-{n}")).option("Size", &names);
        names.iter().map(one).fold(many, Product::variant_with)
    };
    let ids: Vec<String> = (0..120).map(|n| ana.shop().has(many(n))).collect();
    ana.lists("product", &ids).await;
    ana.shop().set_bucket(2_000.0, 100.0);

    let run = ana.syncs().await;
    let end = until_done(&world, &ana, &run).await;

    assert_eq!((&end["status"], &end["itemsCreated"]), (&json!("completed"), &json!(120)), "{end}");
    assert!(ana.erp().products().iter().all(|product| product.variants.len() == 30), "no variant is lost");
}

/// An account's limit counts the requests of everybody who is connected to it.
#[tokio::test(flavor = "multi_thread")]
async fn two_users_of_one_erp_account_share_its_concurrency_and_both_come_to_their_end() {
    let world = World::start().await;
    let (mut ana, mut ben) = (world.user("ana").await, world.user("ben").await);
    for (user, name) in [(&mut ana, "ana"), (&mut ben, "ben")] {
        user.connect_shopify(name).await;
        user.connect_netsuite("shared").await;
    }
    for (user, name) in [(&ana, "ana"), (&ben, "ben")] {
        let one = |n: usize| {
            product(&format!("{name}{n}"))
                .handle(&format!("{name}-{n}"))
                .variant(&format!("{name}-SKU-{n}"), "10.00")
        };
        let ids: Vec<String> = (0..260).map(|n| user.shop().has(one(n))).collect();
        user.lists("product", &ids).await;
    }
    ana.erp().set_clock_skew(None);
    ana.erp().set_concurrency(2);
    ana.erp().set_latency(Duration::from_millis(30));

    let (first, second) = tokio::join!(ana.syncs(), ben.syncs());
    let ends = [until_done(&world, &ana, &first).await, until_done(&world, &ben, &second).await];

    let refused = ana.erp().journal().iter().filter(|entry| entry.status == 429).count();
    assert!(refused > 0, "the limit was reached");
    for end in ends {
        assert_eq!((&end["status"], &end["itemsCreated"]), (&json!("completed"), &json!(260)), "{end}");
    }
    assert_eq!(ana.erp().product_count(), 520);
    assert!(ana.erp().creates_per_key().values().all(|count| *count == 1));
    let requests = ana.erp().journal().len();
    assert!(refused * 2 < requests, "{refused} of {requests} requests were refused");
}
