//! `sync-history`: what was done, found again by those who ask: users, and support with an id in hand.

use super::{column, listed, names, retitle, wrong_field};
use crate::world::{User, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn detail(user: &User<'_>, run: &Value) -> Value {
    user.get(&format!("sync-history?id={}", run["syncHistoryId"].as_str().unwrap())).await.ok()
}

/// One product that the ERP takes and one that it refuses; answers the items.
async fn good_and_bad(user: &User<'_>) -> Vec<String> {
    let items = listed(user, &["good", "bad"]).await;
    user.shop().edit("bad", |product| product.handle = "h".repeat(80));
    items
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_found_by_type_and_by_how_they_ended() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = good_and_bad(&ana).await;
    ana.invoke("delta-sync", json!({ "syncListIds": [items[0]] })).await.ok();
    ana.invoke("delta-sync", json!({ "syncListIds": [items[1]] })).await.ok();
    ana.syncs().await;
    ana.invoke("delta-sync", json!({ "mode": "full", "itemType": "order" })).await.ok();
    world.tick("scheduled-sync").await.ok();

    for (query, expected) in [
        ("", "scheduled full delta manual manual"),
        ("syncType=manual", "manual manual"),
        ("syncType=delta", "delta"),
        ("syncType=full", "full"),
        ("syncType=scheduled", "scheduled"),
        ("status=completed", "full manual"),
        ("status=failed", "manual"),
        ("status=partial_success", "scheduled delta"),
        ("status=running", ""),
        ("syncType=manual&status=failed", "manual"),
        ("syncType=full&status=failed", ""),
    ] {
        let page = ana.get(&format!("sync-history?{query}")).await.ok();
        assert_eq!(column(&page["data"], "syncType").join(" "), expected, "{query}: {page}");
    }
    for (query, place) in
        [("syncType=hourly", "/syncType"), ("status=done", "/status"), ("limit=0", "/limit")]
    {
        assert_eq!(wrong_field(&ana.get(&format!("sync-history?{query}")).await), place);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_runs_come_page_by_page_without_loss_or_repeats_while_new_ones_are_made() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair"]).await;
    let mut all = BTreeSet::new();
    for _ in 0..5 {
        all.insert(ana.syncs().await["syncHistoryId"].as_str().unwrap().to_owned());
    }
    // Two of one moment, as two calls at once would leave them, just where a page ends.
    world
        .db
        .run(
            "update public.sync_runs set created_at = (select max(created_at) from (
               select created_at from public.sync_runs where kind = 'user' order by created_at limit 3) as first)
             where kind = 'user' and id in (select id from public.sync_runs where kind = 'user' order by created_at limit 4)",
        )
        .await;

    let (mut seen, mut query) = (Vec::new(), "sync-history?limit=2".to_owned());
    loop {
        let page = ana.get(&query).await.ok();
        seen.extend(column(&page["data"], "id"));
        let Some(next) = page["next_cursor"].as_str() else { break };
        assert_eq!(page["has_more"], true);
        query = format!("sync-history?limit=2&cursor={next}");
        ana.syncs().await;
    }

    assert_eq!(seen.len(), 5, "{seen:?}");
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_shows_its_figures_its_syncs_and_what_became_of_each_record() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = listed(&ana, &["new", "old", "same"]).await;
    ana.invoke("delta-sync", json!({ "syncListIds": items[1..] })).await.ok();
    retitle(&ana, "old", "Renamed");

    let run = ana.syncs().await;
    let shown = detail(&ana, &run).await;

    assert_eq!(names(&shown), ["events", "run", "syncs"]);
    let figures = &shown["run"];
    for (name, count) in [
        ("itemsProcessed", 3),
        ("itemsCreated", 1),
        ("itemsUpdated", 1),
        ("itemsUnchanged", 1),
        ("itemsFailed", 0),
        ("itemsSkipped", 0),
        ("itemsDeleted", 0),
        ("itemsConflicted", 0),
        ("itemsHeld", 0),
    ] {
        assert_eq!(figures[name], count, "{name}: {figures}");
    }
    assert_eq!((&figures["id"], &figures["status"]), (&run["syncHistoryId"], &json!("completed")));
    let created: chrono::DateTime<chrono::Utc> = figures["createdAt"].as_str().unwrap().parse().unwrap();
    assert!((chrono::Utc::now() - created).num_minutes() < 5, "{figures}");
    assert!(figures["metadata"]["platform_requests"].as_u64() > Some(0), "{figures}");
    assert_eq!(shown["syncs"].as_array().map(Vec::len), Some(1));
    assert_eq!(shown["syncs"][0]["item_type"], "product");
    let events = shown["events"].as_array().unwrap();
    let ended: BTreeSet<(&str, &str)> = events
        .iter()
        .map(|event| (event["itemId"].as_str().unwrap(), event["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(ended, BTreeSet::from([(items[0].as_str(), "created"), (items[1].as_str(), "updated")]));
    let update = events.iter().find(|event| event["outcome"] == "updated").unwrap();
    let fields = column(&update["changes"], "field");
    assert_eq!(fields, ["displayName"], "only what changed, field by field: {update}");
    assert!(update["targetId"].is_string() && update["sourceId"].is_string(), "{update}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runs_duration_is_that_of_the_run() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair"]).await;
    ana.erp().set_latency(std::time::Duration::from_millis(300));
    let began = std::time::Instant::now();

    let run = ana.syncs().await;

    let whole = u64::try_from(began.elapsed().as_millis()).unwrap();
    let shown = detail(&ana, &run).await["run"]["duration"].as_u64().unwrap();
    assert!((300..=whole).contains(&shown), "{shown} of {whole} ms");
    let stored = "select duration_ms from public.sync_history";
    assert_eq!(u64::try_from(world.db.count(stored).await).ok(), Some(shown));
    assert_eq!(detail(&ana, &run).await["run"]["duration"], shown, "it stands still once the run has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_id_of_a_run_support_finds_what_failed_and_why_and_the_item_is_retried_alone() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = good_and_bad(&ana).await;

    let run = ana.syncs().await;
    let shown = detail(&ana, &run).await;
    ana.shop().edit("bad", |product| product.handle = "bad".to_owned());
    let requests = ana.erp().requests();
    let retried = ana.invoke("delta-sync", json!({ "syncListIds": [items[1]] })).await.ok();

    assert_eq!((&run["status"], &run["itemsCreated"]), (&json!("partial_success"), &json!(1)), "{run}");
    let failed: Vec<&Value> =
        shown["events"].as_array().unwrap().iter().filter(|event| event["outcome"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{shown}");
    assert_eq!(failed[0]["itemId"], items[1]);
    assert_eq!(failed[0]["sourceId"], json!(ana.shop().product_id("bad")));
    assert_eq!(failed[0]["errorClass"], "rejected", "{}", failed[0]);
    for context in ["errorCode", "error", "configId", "createdAt"] {
        assert!(failed[0][context].as_str().is_some_and(|text| !text.is_empty()), "{context}: {}", failed[0]);
    }
    assert_eq!(failed[0]["error"], run["errors"][0]["error"], "the same words as in the answer");
    assert_eq!(
        (&retried["status"], &retried["itemsProcessed"]),
        (&json!("completed"), &json!(1)),
        "{retried}"
    );
    assert!(ana.erp().requests() > requests && ana.erp().product("bad").is_some());
    assert_eq!(detail(&ana, &run).await["run"]["itemsFailed"], 1, "the first run stays what it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_of_one_kind_are_seen_together() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    good_and_bad(&ana).await;
    ana.lists("product", &["gid://shopify/Product/404", "gid://shopify/Product/405"].map(ToOwned::to_owned))
        .await;

    for _ in 0..2 {
        ana.syncs().await;
    }

    let claims = json!({ "sub": ana.id, "role": "authenticated" });
    let client = super::connected(&world.db).await;
    client
        .batch_execute(&format!("set request.jwt.claims to '{claims}'; set role authenticated"))
        .await
        .unwrap();
    let rows = client
        .query(
            "select error_code, count(*), sum(times)::bigint from public.sync_issues where status = 'open'
             group by error_code order by 2 desc",
            &[],
        )
        .await
        .unwrap();
    let kinds: Vec<(String, i64, i64)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    assert_eq!(kinds[0], ("source_gone".to_owned(), 2, 4), "{kinds:?}");
    assert_eq!((kinds.len(), kinds[1].1, kinds[1].2), (2, 1, 2), "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_the_runs_of_others() {
    let world = World::start().await;
    let (ana, ben) = (world.merchant("ana").await, world.user("ben").await);
    listed(&ana, &["chair"]).await;
    let run = ana.syncs().await;
    let id = run["syncHistoryId"].as_str().unwrap();

    let foreign = ben.get(&format!("sync-history?id={id}")).await;
    let missing = ben.get("sync-history?id=00000000-0000-4000-8000-000000000000").await;

    assert_eq!(super::refusal(&foreign), super::refusal(&missing));
    assert_eq!(ben.get("sync-history").await.ok()["data"], json!([]));
    assert_eq!(column(&ana.get("sync-history").await.ok()["data"], "id"), [id]);
}
