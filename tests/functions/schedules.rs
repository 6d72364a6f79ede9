//! When things are due: items with a schedule of their own, and syncs that follow whatever changed.

use super::{listed, retitle, small, title_in_erp};
use crate::world::{User, World};
use serde_json::{Value, json};

/// Once a year: due at once when it was never followed, and then not again today.
const YEARLY: &str = "0 0 1 1 *";

async fn patch(user: &User<'_>, change: Value) {
    user.request(reqwest::Method::PATCH, "sync-list", change).await.ok();
}

/// A sync over whatever changes at its source, as a user makes it; answers its id.
async fn follows(user: &User<'_>, source: &str, target: &str, schedule: &str) -> String {
    let id = user.id;
    // The platforms' clock goes on ahead of ours: the ERP must not refuse signatures for that.
    user.erp().set_clock_skew(None);
    let account = |platform: &str| {
        format!("(select id from public.integrations where user_id = '{id}' and platform = '{platform}')")
    };
    user.world
        .db
        .run(&format!(
            "insert into public.sync_configs
               (user_id, name, item_type, source_integration_id, target_integration_id, schedule)
             values ('{id}', 'Nightly', 'product', {}, {}, '{schedule}')",
            account(source),
            account(target)
        ))
        .await;
    let query =
        format!("select id::text from public.sync_configs where user_id = '{id}' and name = 'Nightly'");
    user.world.db.text(&query).await
}

/// Lets more than a year pass for the schedules of syncs and items.
async fn a_year_passes(world: &World) {
    for statement in [
        "update public.sync_configs set last_due_at = last_due_at - interval '370 days'",
        "update public.sync_list set last_checked_at = last_checked_at - interval '370 days'",
    ] {
        world.db.run(statement).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_with_a_schedule_of_its_own_waits_for_its_slot() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = listed(&ana, &["hourly", "yearly"]).await;
    patch(&ana, json!({ "ids": [items[1]], "schedule": YEARLY })).await;

    let first = world.tick("scheduled-sync").await.ok();
    retitle(&ana, "hourly", "Hourly 2");
    retitle(&ana, "yearly", "Yearly 2");
    let second = world.tick("scheduled-sync").await.ok();
    let between = (title_in_erp(&ana, "hourly"), title_in_erp(&ana, "yearly"));
    a_year_passes(&world).await;
    let third = world.tick("scheduled-sync").await.ok();

    let due = [&first, &second, &third].map(|tick| tick["totalItems"].clone());
    assert_eq!(due, [json!(2), json!(1), json!(2)]);
    assert_eq!(between, (Some("Hourly 2".to_owned()), Some("Product yearly".to_owned())));
    assert_eq!(title_in_erp(&ana, "yearly").as_deref(), Some("Yearly 2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_with_a_schedule_follows_what_changed_and_moves_its_cursor() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has_all(["a", "b", "c"].map(small));
    let config = follows(&ana, "shopify", "netsuite", YEARLY).await;
    let cursor = format!("select seen_at::text from sync.cursors where config_id = '{config}'");

    let first = world.tick("scheduled-sync").await.ok();
    let seen = world.db.text(&cursor).await;
    // More than the look-back, so that only what changes now is in the next listing.
    world.platforms.clock().advance(chrono::TimeDelta::hours(1));
    retitle(&ana, "b", "Renamed");
    let second = world.tick("scheduled-sync").await.ok();
    let between = title_in_erp(&ana, "b");
    a_year_passes(&world).await;
    let third = world.tick("scheduled-sync").await.ok();

    assert_eq!((&first["itemsProcessed"], &first["itemsSucceeded"]), (&json!(3), &json!(3)), "{first}");
    assert_eq!(ana.erp().product_count(), 3);
    assert_eq!((&second["totalUsers"], &second["itemsProcessed"]), (&json!(0), &json!(0)), "{second}");
    assert_eq!(between.as_deref(), Some("Product b"), "not before its slot");
    // All three are as old as the newest that was seen, so the look-back meets the other two again.
    assert_eq!((&third["itemsProcessed"], &third["itemsFailed"]), (&json!(3), &json!(0)), "{third}");
    assert_eq!(title_in_erp(&ana, "b").as_deref(), Some("Renamed"));
    assert!(world.db.text(&cursor).await > seen, "the cursor has moved on");
    for (key, count) in ana.erp().creates_per_key() {
        assert_eq!(count, 1, "{key} was created {count} times");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_sync_is_in_its_users_history() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(small("chair"));
    follows(&ana, "shopify", "netsuite", YEARLY).await;

    world.tick("scheduled-sync").await.ok();

    let history = ana.get("sync-history?syncType=scheduled").await.ok();
    let runs: Vec<(&Value, &Value, &Value)> = history["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| (&run["status"], &run["itemsProcessed"], &run["itemsCreated"]))
        .collect();
    assert_eq!(runs, [(&json!("completed"), &json!(1), &json!(1))], "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_stays_where_it_is_while_the_source_is_away() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(small("a"));
    let config = follows(&ana, "shopify", "netsuite", YEARLY).await;
    world.tick("scheduled-sync").await.ok();
    let cursor = format!("select c::text from sync.cursors as c where config_id = '{config}'");
    let before = world.db.text(&cursor).await;
    ana.shop().has(small("b"));
    ana.shop().faults().always(platforms::Fault::status(503));
    a_year_passes(&world).await;

    world.tick("scheduled-sync").await.ok();
    let during = world.db.text(&cursor).await;
    ana.shop().faults().clear();
    world.db.run("update sync.breakers set open_until = now(), probe_until = now()").await;
    a_year_passes(&world).await;
    world.tick("scheduled-sync").await.ok();
    world.time_passes().await;
    world.drain().await;

    assert_eq!(during, before, "a failed listing moves no cursor");
    assert!(ana.erp().product("b").is_some(), "what came meanwhile is not lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_seen_although_the_erp_lives_in_another_time_zone() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    // A zone without summer time, so that the test is the same all year.
    assert!(ana.erp().set_time_zone("Asia/Tokyo"));
    let accounts = ana.get("integrations?platform=netsuite").await.ok();
    let config = json!({ "account_id": "ana-erp", "time_zone_offset_minutes": 540 });
    let change = json!({ "id": accounts["data"][0]["id"], "config": config });
    ana.request(reqwest::Method::PUT, "integrations", change).await.ok();
    ana.erp().has(small("a"));
    let key = ana.erp().products()[0].key.clone();
    follows(&ana, "netsuite", "shopify", YEARLY).await;

    world.tick("scheduled-sync").await.ok();
    world.platforms.clock().advance(chrono::TimeDelta::hours(1));
    assert!(ana.erp().edit(&key, |item| item.title = "Renamed".to_owned()));
    a_year_passes(&world).await;
    let tick = world.tick("scheduled-sync").await.ok();

    assert_eq!(ana.shop().product("a").map(|product| product.title).as_deref(), Some("Renamed"), "{tick}");
    let seen = "select to_char(seen_at at time zone 'UTC', 'YYYY-MM-DD HH24') from sync.cursors";
    let expected = world.platforms.clock().now().format("%Y-%m-%d %H").to_string();
    assert_eq!(world.db.text(seen).await, expected, "the cursor is a moment, not a time on somebody's wall");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_comparison_can_be_left_to_a_quiet_hour() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = listed(&ana, &["chair", "desk"]).await;
    patch(&ana, json!({ "ids": [items[0]], "syncMode": "full", "schedule": YEARLY })).await;
    world.tick("scheduled-sync").await.ok();
    let keys: Vec<String> = ana.erp().products().into_iter().map(|item| item.key).collect();
    for key in &keys {
        ana.erp().edit(key, |item| item.title = "Somebody else's".to_owned());
    }

    world.tick("scheduled-sync").await.ok();
    let at_day = title_in_erp(&ana, "chair");
    a_year_passes(&world).await;
    world.tick("scheduled-sync").await.ok();

    assert_eq!(at_day.as_deref(), Some("Somebody else's"), "not before its hour");
    assert_eq!(title_in_erp(&ana, "chair").as_deref(), Some("Product chair"));
    assert_eq!(
        title_in_erp(&ana, "desk").as_deref(),
        Some("Somebody else's"),
        "delta looks at the source only"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realtime_sync_without_a_schedule_is_polled_so_that_a_lost_message_is_made_good() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let config = follows(&ana, "shopify", "netsuite", YEARLY).await;
    let realtime =
        format!("update public.sync_configs set mode = 'realtime', schedule = null where id = '{config}'");
    world.db.run(&realtime).await;
    ana.shop().has(small("chair"));

    world.tick("scheduled-sync").await.ok();
    let soon = world.tick("scheduled-sync").await.ok();

    assert_eq!(title_in_erp(&ana, "chair").as_deref(), Some("Product chair"));
    assert_eq!(soon["userResults"], json!([]), "not again within the hour: {soon}");
}
