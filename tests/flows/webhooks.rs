//! Messages of the shop on their way: what it tells of by itself arrives without the clock, and nothing of it is believed.

use super::merchant;
use crate::world::{Hook, User, World, number};
use chrono::TimeDelta;
use platforms::{Fault, LOCATIONS, order, product, variant};
use serde_json::json;

/// These products are in the shop, in the ERP, and on the list.
async fn synced(user: &User<'_>, keys: &[&str]) -> Vec<String> {
    let one = |key: &str| product(key).title(key).handle(key).variant(&format!("{key}-1"), "10.00");
    let ids: Vec<String> = keys.iter().map(|key| user.shop().has(one(key))).collect();
    let items = user.lists("product", &ids).await;
    user.syncs().await;
    assert_eq!(user.erp().product_count(), keys.len());
    items
}

fn retitle(user: &User<'_>, key: &str, title: &str) {
    user.world.platforms.clock().advance(TimeDelta::seconds(7));
    assert!(user.shop().edit(key, |product| title.clone_into(&mut product.title)), "the shop has {key}");
}

fn title(user: &User<'_>, key: &str) -> String {
    user.erp().product(key).unwrap().title
}

/// The shop delivers what happened, and the queue does what follows from it, without the clock. Answers how many
/// messages there were.
async fn arrives(hook: &Hook<'_>, world: &World) -> usize {
    let count = hook.deliver().await;
    world.time_passes().await;
    world.drain().await;
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_edited_in_the_shop_is_in_the_erp_without_a_tick() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    synced(&ana, &["chair", "desk"]).await;
    let hook = ana.hears().await;
    hook.subscribes(&["PRODUCTS_UPDATE"]).await;
    let before = ana.erp().writes();

    retitle(&ana, "chair", "Throne");
    let count = arrives(&hook, &world).await;

    assert_eq!((count, title(&ana, "chair").as_str()), (1, "Throne"));
    assert!(ana.erp().writes() > before);
    let writes = ana.erp().writes();
    retitle(&ana, "desk", "desk");
    arrives(&hook, &world).await;
    assert_eq!(ana.erp().writes(), writes, "a message about nothing writes nothing");
    let ticks = "select count(*) from public.sync_runs where sync_type = 'scheduled'";
    assert_eq!(world.db.count(ticks).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn counted_stock_and_an_edited_order_arrive_like_products() {
    let world = World::start().await;
    let ana = merchant(&world, "ana").await;
    let goods =
        || product("goods").handle("goods").variant_with(variant("GOOD-1", "10.00").stock(LOCATIONS[0], 3));
    ana.shop().has(goods());
    ana.erp().has(goods());
    let order = order("#1001").email("buyer@example.com").currency("EUR").line("GOOD-1", "Good", 1, "10.00");
    let order = ana.shop().has_order(order.note("Before"));
    ana.lists("inventory", &[ana.shop().inventory_id("GOOD-1").unwrap()]).await;
    ana.lists("order", &[order]).await;
    let first = ana.syncs().await;
    assert_eq!(first["status"], "completed", "{first}");
    let hook = ana.hears().await;
    hook.subscribes(&["INVENTORY_LEVELS_UPDATE", "ORDERS_UPDATED"]).await;

    world.platforms.clock().advance(TimeDelta::minutes(1));
    assert!(ana.shop().set_stock("GOOD-1", LOCATIONS[0], 42));
    assert!(ana.shop().edit_order("#1001", |order| "After".clone_into(&mut order.note)));
    let count = arrives(&hook, &world).await;

    assert_eq!(count, 2);
    assert_eq!(ana.erp().product("goods").unwrap().variants[0].stock[LOCATIONS[0]], 42);
    assert_eq!(ana.erp().orders()[0].note, "After");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_message_says_of_the_record_is_not_believed() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    synced(&ana, &["chair"]).await;
    let hook = ana.hears().await;
    let id = ana.shop().product_id("chair").unwrap();
    let lie = json!({
        "id": number(&id).parse::<u64>().unwrap(), "title": "Free chair", "status": "archived",
        "updated_at": "2099-01-01T00:00:00Z", "variants": [{ "sku": "chair-1", "price": "0.00" }],
    });
    let writes = ana.erp().writes();

    hook.tells("products/update", &lie.to_string()).await.ok();
    hook.tells("products/delete", &lie.to_string()).await.ok();
    world.time_passes().await;
    world.drain().await;

    assert_eq!(ana.erp().writes(), writes, "it was read, and is what it was");
    assert_eq!(title(&ana, "chair"), "chair");
    retitle(&ana, "chair", "Throne");
    ana.syncs().await;
    assert_eq!(title(&ana, "chair"), "Throne", "and the true time of its change counts");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_come_late_twice_and_out_of_order_overwrite_nothing_newer() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    // The platforms' time passes here, the functions' does not.
    ana.erp().set_clock_skew(None);
    let keys = ["a", "b", "c"];
    synced(&ana, &keys).await;
    let hook = ana.hears().await;
    hook.subscribes(&["PRODUCTS_UPDATE"]).await;
    ana.shop().faults().always(Fault::DuplicateEvents);
    ana.shop().faults().always(Fault::ReorderEvents);

    for round in 0..6 {
        for step in 0..4 {
            for key in keys {
                retitle(&ana, key, &format!("{key} {round}.{step}"));
            }
        }
        assert_eq!(arrives(&hook, &world).await, 24);
        for key in keys {
            assert_eq!(title(&ana, key), format!("{key} {round}.3"));
        }
    }
    let events = "select count(*) from sync.webhook_events";
    assert_eq!(world.db.count(events).await, 72, "each is kept once");
    // One that was held up on its way, long after the record has become something else.
    let writes = ana.erp().writes();
    let late = json!({ "id": number(&ana.shop().product_id("a").unwrap()).parse::<u64>().unwrap(), "title": "a 0.0" });
    hook.tells("products/update", &late.to_string()).await.ok();
    world.time_passes().await;
    world.drain().await;
    assert_eq!((title(&ana, "a").as_str(), ana.erp().writes()), ("a 5.3", writes));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_lost_is_made_good_by_the_next_tick() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    synced(&ana, &["chair"]).await;
    let hook = ana.hears().await;
    // Nobody subscribed: what happens now is never told.
    retitle(&ana, "chair", "Throne");
    assert_eq!(arrives(&hook, &world).await, 0);
    assert_eq!(title(&ana, "chair"), "chair");

    world.tick("scheduled-sync").await.ok();

    assert_eq!(title(&ana, "chair"), "Throne");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_product_is_looked_for_and_reported_not_deleted_on_hearsay() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    synced(&ana, &["chair"]).await;
    let hook = ana.hears().await;
    hook.subscribes(&["PRODUCTS_DELETE"]).await;

    ana.shop().delete("chair");
    arrives(&hook, &world).await;

    let item = ana.get("sync-list").await.ok()["data"][0].clone();
    assert_eq!(
        (&item["lastSyncStatus"], &item["errorMessage"]),
        (&json!("failed"), &json!("The source no longer has this record.")),
        "{item}"
    );
    assert_eq!(ana.erp().product_count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_while_the_record_is_at_work_is_not_missed() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    synced(&ana, &["chair"]).await;
    let hook = ana.hears().await;
    hook.subscribes(&["PRODUCTS_UPDATE"]).await;
    retitle(&ana, "chair", "First");
    hook.deliver().await;
    world.time_passes().await;
    ana.erp().set_latency(std::time::Duration::from_millis(400));

    let (_, ()) = tokio::join!(world.tick("queue-drain"), async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        retitle(&ana, "chair", "Second");
        hook.deliver().await;
    });
    ana.erp().set_latency(std::time::Duration::ZERO);
    world.time_passes().await;
    world.drain().await;

    assert_eq!(title(&ana, "chair"), "Second");
}
