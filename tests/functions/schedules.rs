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
