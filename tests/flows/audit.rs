//! The trail: what was written stands in the history, who used what in the audit, and nothing can be taken out unseen.

use crate::world::{User, World};
use platforms::product;
use serde_json::json;

/// What stands in the history, as `outcome` and the record's place on the other side.
async fn events(world: &World) -> Vec<String> {
    let events =
        "select coalesce(string_agg(outcome || ' ' || target_id, ',' order by created_at, target_id), '')
        from public.sync_events";
    world.db.text(events).await.split(',').map(ToOwned::to_owned).collect()
}

/// Who is said to have done what to what.
async fn audited(user: &User<'_>, action: &str) -> i64 {
    let count = format!(
        "select count(*) from public.sync_audit where owner_id = '{}' and action = '{action}' and subject = 'integrations'",
        user.id
    );
    user.world.db.count(&count).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_write_is_missing_from_the_history_and_no_use_of_a_credential_from_the_audit() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let ids = ["chair", "desk"].map(|key| ana.shop().has(product(key).handle(key).variant(key, "10.00")));
    ana.lists("product", &ids).await;
    ana.invoke("delta-sync", json!({})).await.ok();
    world.platforms.clock().advance(chrono::TimeDelta::minutes(1));
    ana.shop().edit("chair", |chair| "Armchair".clone_into(&mut chair.title));
    ana.invoke("delta-sync", json!({})).await.ok();
    ana.invoke("delta-sync", json!({})).await.ok();

    let in_erp = |key: &str| ana.erp().product_id(key).unwrap();
    let mut wanted = vec![format!("created {}", in_erp("chair")), format!("created {}", in_erp("desk"))];
    wanted.sort_unstable();
    wanted.push(format!("updated {}", in_erp("chair")));
    assert_eq!(events(&world).await, wanted, "each write, in its order, and nothing that was none");
    let sums = "select sum(created) || ' ' || sum(updated) || ' ' || sum(unchanged) from public.sync_runs where kind = 'sync'";
    assert_eq!(world.db.text(sums).await, "2 1 3");

    assert_eq!(audited(&ana, "insert").await, 2, "both accounts");
    let runs = world.db.count("select count(*) from public.sync_runs where kind = 'sync'").await;
    let uses = format!(
        "select count(distinct (subject_id, details ->> 'run_id')) from public.sync_audit
         where owner_id = '{}' and action = 'credential_used' and details ->> 'run_id' is not null",
        ana.id
    );
    assert_eq!(world.db.count(&uses).await, runs * 2, "each run uses the credentials of both");
    let whole = format!("select coalesce(sync.audit_break('{}')::text, 'whole')", ana.id);
    assert_eq!(world.db.text(&whole).await, "whole");
    // Somebody with all the rights there are takes one row out.
    world
        .db
        .run("alter table public.sync_audit disable trigger all; delete from public.sync_audit where position = 3")
        .await;
    assert_eq!(world.db.text(&whole).await, "4", "the row after the one that is missing");
}
