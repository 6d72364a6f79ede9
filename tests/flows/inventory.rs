//! Stock on its way between a shop and an ERP: what is counted on one side is what the other side has.

use super::{errors, merchant};
use crate::world::{User, World};
use platforms::{Fault, LOCATIONS, Matcher, Product, product, variant};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A product with one SKU, and how many of it are at each of the three locations.
fn stocked(name: &str, counts: [i64; 3]) -> Product {
    let mut one = variant(&sku(name), "10.00");
    for (location, count) in LOCATIONS.iter().zip(counts) {
        one = one.stock(location, count);
    }
    product(name).handle(name).variant_with(one)
}

fn sku(name: &str) -> String {
    format!("{}-1", name.to_uppercase())
}

/// How many of it the product's SKU has at each location; a location without a count has none.
fn counts(product: Option<Product>) -> [i64; 3] {
    let stock: BTreeMap<String, i64> = product.unwrap().variants[0].stock.clone();
    LOCATIONS.map(|location| stock.get(location).copied().unwrap_or_default())
}

/// Lists the stock of these products, from the shop to the ERP or the other way round.
async fn lists_stock(user: &User<'_>, from: &str, names: &[&str]) -> Vec<String> {
    let (target, ids): (&str, Vec<String>) = match from {
        "shopify" => {
            ("netsuite", names.iter().map(|name| user.shop().inventory_id(&sku(name)).unwrap()).collect())
        }
        _ => ("shopify", names.iter().map(|name| user.erp().item_id(&sku(name)).unwrap()).collect()),
    };
    user.lists_from(from, target, "inventory", &ids).await
}

fn outcome(run: &Value) -> [&Value; 4] {
    ["status", "itemsUpdated", "itemsUnchanged", "itemsFailed"].map(|name| &run[name])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_shop_counts_at_three_locations_is_what_the_erp_has() {
    let world = World::start().await;
    let ana = merchant(&world, "ana").await;
    for (name, there, here) in [("chair", [12, 0, 7], [0, 0, 0]), ("lamp", [3, 4, 5], [100, 4, 0])] {
        ana.shop().has(stocked(name, there));
        ana.erp().has(stocked(name, here));
    }
    lists_stock(&ana, "shopify", &["chair", "lamp"]).await;

    let first = ana.syncs().await;
    let writes = ana.erp().writes();
    let delta = ana.syncs().await;
    let full = ana.invoke("delta-sync", json!({ "mode": "full" })).await.ok();

    assert_eq!(outcome(&first), [&json!("completed"), &json!(2), &json!(0), &json!(0)], "{first}");
    assert_eq!(counts(ana.erp().product("chair")), [12, 0, 7]);
    assert_eq!(counts(ana.erp().product("lamp")), [3, 4, 5]);
    for run in [delta, full] {
        assert_eq!(outcome(&run), [&json!("completed"), &json!(0), &json!(2), &json!(0)], "{run}");
    }
    assert_eq!(ana.erp().writes(), writes, "what is equal is not written, in full mode neither");
    assert_eq!(ana.shop().writes(), 0, "the side that was counted stays as it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_erp_counts_at_three_locations_is_what_the_shop_has() {
    let world = World::start().await;
    let ana = merchant(&world, "ana").await;
    for (name, there, here) in [("chair", [12, 0, 7], [0, 0, 0]), ("lamp", [3, 4, 5], [100, 4, 0])] {
        ana.erp().has(stocked(name, there));
        ana.shop().has(stocked(name, here));
    }
    lists_stock(&ana, "netsuite", &["chair", "lamp"]).await;

    let first = ana.syncs().await;
    let writes = ana.shop().writes();
    let delta = ana.syncs().await;
    let full = ana.invoke("delta-sync", json!({ "mode": "full" })).await.ok();

    assert_eq!(outcome(&first), [&json!("completed"), &json!(2), &json!(0), &json!(0)], "{first}");
    assert_eq!(counts(ana.shop().product("chair")), [12, 0, 7]);
    assert_eq!(counts(ana.shop().product("lamp")), [3, 4, 5]);
    for run in [delta, full] {
        assert_eq!(outcome(&run), [&json!("completed"), &json!(0), &json!(2), &json!(0)], "{run}");
    }
    assert_eq!(ana.shop().writes(), writes, "what is equal is not written, in full mode neither");
    assert_eq!(ana.erp().writes(), 0, "the side that was counted stays as it is");
}

/// 10, 20, 10, 20: each is a change of its own, although the same two were there before.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_two_counts_over_and_over_each_arrive_in_the_erp() {
    let world = World::start().await;
    let ana = merchant(&world, "ana").await;
    ana.erp().set_clock_skew(None);
    for touches in [true, false] {
        let name = format!("chair{touches}");
        ana.shop().set_stock_touches_item(touches);
        ana.erp().set_stock_touches_item(touches);
        ana.shop().has(stocked(&name, [1, 2, 3]));
        ana.erp().has(stocked(&name, [1, 2, 3]));
        lists_stock(&ana, "shopify", &[&name]).await;
        ana.syncs().await;

        for (round, count) in [10, 20, 10, 20, 10, 20].into_iter().enumerate() {
            world.platforms.clock().advance(chrono::TimeDelta::seconds(30));
            assert!(ana.shop().set_stock(&sku(&name), LOCATIONS[0], count));
            let run = ana.syncs().await;
            assert_eq!(run["itemsUpdated"], 1, "round {round}: {run}");
            assert_eq!(counts(ana.erp().product(&name)), [count, 2, 3], "round {round}, {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_two_counts_over_and_over_each_arrive_in_the_shop() {
    let world = World::start().await;
    let ana = merchant(&world, "ana").await;
    ana.erp().set_clock_skew(None);
    for touches in [true, false] {
        let name = format!("chair{touches}");
        ana.shop().set_stock_touches_item(touches);
        ana.erp().set_stock_touches_item(touches);
        ana.shop().has(stocked(&name, [1, 2, 3]));
        ana.erp().has(stocked(&name, [1, 2, 3]));
        lists_stock(&ana, "netsuite", &[&name]).await;
        ana.syncs().await;

        for (round, count) in [10, 20, 10, 20, 10, 20].into_iter().enumerate() {
            world.platforms.clock().advance(chrono::TimeDelta::seconds(30));
            assert!(ana.erp().set_stock(&sku(&name), LOCATIONS[0], count));
            let run = ana.syncs().await;
            assert_eq!(run["itemsUpdated"], 1, "round {round}: {run}");
            assert_eq!(counts(ana.shop().product(&name)), [count, 2, 3], "round {round}, {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn full_mode_brings_back_a_count_that_somebody_changed_at_the_target() {
    let world = World::start().await;
    let ana = merchant(&world, "ana").await;
    ana.shop().has(stocked("chair", [5, 6, 7]));
    ana.erp().has(stocked("chair", [5, 6, 7]));
    lists_stock(&ana, "shopify", &["chair"]).await;
    ana.syncs().await;
    ana.erp().set_stock("CHAIR-1", LOCATIONS[1], 99);

    let full = ana.invoke("delta-sync", json!({ "mode": "full" })).await.ok();

    assert_eq!(outcome(&full), [&json!("completed"), &json!(1), &json!(0), &json!(0)], "{full}");
    assert_eq!(counts(ana.erp().product("chair")), [5, 6, 7]);
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_of_a_product_that_the_target_does_not_have_fails_alone() {
    let world = World::start().await;
    let ana = merchant(&world, "ana").await;
    for name in ["chair", "ghost", "lamp"] {
        ana.shop().has(stocked(name, [1, 2, 3]));
    }
    for name in ["chair", "lamp"] {
        ana.erp().has(stocked(name, [0, 0, 0]));
    }
    let items = lists_stock(&ana, "shopify", &["chair", "ghost", "lamp"]).await;

    let run = ana.syncs().await;

    assert_eq!(outcome(&run), [&json!("partial_success"), &json!(2), &json!(0), &json!(1)], "{run}");
    let failed = errors(&run);
    assert_eq!(failed.len(), 1, "{run}");
    assert_eq!(failed[0].0, items[1]);
    assert!(failed[0].1.contains("no record that this one belongs to"), "{run}");
    for name in ["chair", "lamp"] {
        assert_eq!(counts(ana.erp().product(name)), [1, 2, 3], "{name}");
    }
    assert_eq!(ana.erp().product_count(), 2, "stock makes no product");
    let list = ana.get("sync-list?status=failed").await.ok();
    assert_eq!(list["data"][0]["id"], items[1], "{list}");
    // Once the product is there, its stock follows by itself.
    ana.erp().has(stocked("ghost", [0, 0, 0]));
    assert_eq!(ana.syncs().await["itemsUpdated"], 1);
    assert_eq!(counts(ana.erp().product("ghost")), [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_at_a_location_that_the_target_does_not_have_fails_alone() {
    for from in ["shopify", "netsuite"] {
        let world = World::start().await;
        let ana = merchant(&world, "ana").await;
        let (here, there) = ([0, 0, 0], [1, 2, 3]);
        for name in ["chair", "lamp"] {
            let (shop, erp) = if from == "shopify" { (there, here) } else { (here, there) };
            ana.shop().has(stocked(name, shop));
            ana.erp().has(stocked(name, erp));
        }
        if from == "shopify" {
            ana.shop().add_location("Wien");
            assert!(ana.shop().set_stock("CHAIR-1", "Wien", 4));
        } else {
            ana.erp().add_location("Wien");
            assert!(ana.erp().set_stock("CHAIR-1", "Wien", 4));
        }
        let items = lists_stock(&ana, from, &["chair", "lamp"]).await;

        let run = ana.syncs().await;

        assert_eq!(
            outcome(&run),
            [&json!("partial_success"), &json!(1), &json!(0), &json!(1)],
            "{from}: {run}"
        );
        let failed = errors(&run);
        assert_eq!((failed.len(), &failed[0].0), (1, &items[0]), "{from}: {run}");
        assert!(failed[0].1.contains("Wien") && failed[0].1.contains("no such location"), "{from}: {run}");
        let target =
            |name: &str| if from == "shopify" { ana.erp().product(name) } else { ana.shop().product(name) };
        assert_eq!(counts(target("lamp")), [1, 2, 3], "{from}");
    }
}

/// An ERP has more locations than a shop, most of them without any of a shop's products.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_location_that_the_target_does_not_have_stops_nothing() {
    for from in ["shopify", "netsuite"] {
        let world = World::start().await;
        let ana = merchant(&world, "ana").await;
        let (shop, erp) = if from == "shopify" { ([1, 2, 3], [0, 0, 0]) } else { ([0, 0, 0], [1, 2, 3]) };
        ana.shop().has(stocked("chair", shop));
        ana.erp().has(stocked("chair", erp));
        if from == "shopify" {
            ana.shop().add_location("Wien");
            assert!(ana.shop().set_stock("CHAIR-1", "Wien", 0));
        } else {
            ana.erp().add_location("Wien");
            assert!(ana.erp().set_stock("CHAIR-1", "Wien", 0));
        }
        lists_stock(&ana, from, &["chair"]).await;

        let run = ana.syncs().await;

        assert_eq!(outcome(&run), [&json!("completed"), &json!(1), &json!(0), &json!(0)], "{from}: {run}");
        let target = if from == "shopify" { ana.erp().product("chair") } else { ana.shop().product("chair") };
        assert_eq!(counts(target), [1, 2, 3], "{from}");
    }
}

/// An adjustment is relative: made twice, the stock is wrong.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_cut_behind_an_adjustment_adjusts_nothing_twice() {
    let world = World::start().await;
    let ana = merchant(&world, "ana").await;
    for name in ["chair", "lamp", "mug"] {
        ana.shop().has(stocked(name, [10, 20, 30]));
        ana.erp().has(stocked(name, [1, 2, 3]));
    }
    lists_stock(&ana, "shopify", &["chair", "lamp", "mug"]).await;
    let cut = Matcher::any().path("inventoryAdjustment").method("POST").times(2);
    ana.erp().faults().on(cut, Fault::DropAfterCommit);

    ana.syncs().await;
    world.time_passes().await;
    world.drain().await;
    let last = ana.invoke("delta-sync", json!({ "mode": "full" })).await.ok();

    assert_eq!(outcome(&last)[0], &json!("completed"), "{last}");
    let cuts = ana.erp().journal().iter().filter(|entry| entry.faults.contains(&"drop_after_commit")).count();
    assert!(cuts > 0, "a line was cut");
    for name in ["chair", "lamp", "mug"] {
        assert_eq!(counts(ana.erp().product(name)), [10, 20, 30], "{name}");
    }
}
