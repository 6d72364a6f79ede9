//! Records that are gone on one side: what becomes of their counterparts, when, and who is asked first.

use super::two_way::{both_ways, perform};
use crate::world::{User, World};
use platforms::{Fault, product};
use serde_json::{Value, json};

/// A merchant with so many chairs in the shop, synced to the ERP by these rules.
async fn chairs(user: &User<'_>, count: usize, rules: Value) -> String {
    for number in 0..count {
        let name = format!("chair-{number}");
        user.shop().has(product(&name).handle(&name).title("Chair").variant(&format!("{name}-1"), "10.00"));
    }
    let config = both_ways(user, rules).await;
    let run = perform(user, &config).await;
    assert_eq!(run["recordsCreated"], json!(count), "{run}");
    config
}

/// Turns a sync that goes both ways into one that goes one way.
async fn one_way(user: &User<'_>, config: &str) {
    let change = json!({ "id": config, "direction": "unidirectional" });
    user.request(reqwest::Method::PUT, "sync-configs", change).await.ok();
}

async fn deletes(user: &User<'_>, status: &str) -> Vec<Value> {
    user.get(&format!("deletes?status={status}")).await.ok()["data"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_deleted_in_the_shop_is_asked_for_twice_and_then_archived_in_the_erp() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let config = chairs(&ana, 3, json!({ "deletes": "archive" })).await;
    assert!(ana.shop().delete("chair-1"));

    let first = perform(&ana, &config).await;
    let still_there = ana.erp().product("chair-1").unwrap().status == "ACTIVE";
    let second = perform(&ana, &config).await;
    let quiet = [perform(&ana, &config).await, perform(&ana, &config).await];

    assert_eq!(
        (&first["recordsDeleted"], &first["recordsSkipped"], still_there),
        (&json!(0), &json!(1), true),
        "{first}"
    );
    assert_eq!(second["recordsDeleted"], 1, "{second}");
    assert_ne!(ana.erp().product("chair-1").unwrap().status, "ACTIVE", "it is archived");
    assert!(ana.shop().product("chair-1").is_none(), "and does not come back to the shop");
    for run in &quiet {
        assert_eq!(
            (&run["recordsCreated"], &run["recordsUpdated"], &run["recordsDeleted"]),
            (&json!(0), &json!(0), &json!(0)),
            "{run}"
        );
        assert_eq!(run["status"], "completed", "{run}");
    }
    let done = deletes(&ana, "done").await;
    assert_eq!(
        (done.len(), &done[0]["reason"], &done[0]["goneSide"]),
        (1, &json!("not_found"), &json!("source"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_in_the_erp_means_deleted_in_the_shop_where_the_sync_says_so() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let config = chairs(&ana, 3, json!({ "deletes": "delete" })).await;
    assert!(ana.erp().delete("chair-2"));

    perform(&ana, &config).await;
    let run = perform(&ana, &config).await;
    let quiet = perform(&ana, &config).await;

    assert_eq!((&run["recordsDeleted"], &quiet["recordsCreated"]), (&json!(1), &json!(0)), "{run} {quiet}");
    assert_eq!((ana.shop().product_count(), ana.erp().product_count()), (2, 2));
    let before =
        world.db.text("select inputs ->> 'deleted' from public.sync_events where outcome = 'deleted'").await;
    assert!(before.contains("chair-2"), "what was deleted can be read again: {before}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deletes_are_ignored_unless_the_sync_says_otherwise() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let config = chairs(&ana, 2, json!({})).await;
    assert!(ana.shop().delete("chair-1"));

    for _ in 0..3 {
        let run = perform(&ana, &config).await;
        assert_eq!(run["recordsDeleted"], 0, "{run}");
    }

    assert_eq!(ana.erp().product("chair-1").unwrap().status, "ACTIVE");
}

#[tokio::test(flavor = "multi_thread")]
async fn unlinked_counterparts_go_their_own_ways_for_good() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let config = chairs(&ana, 2, json!({ "deletes": "unlink" })).await;
    assert!(ana.shop().delete("chair-1"));
    perform(&ana, &config).await;
    perform(&ana, &config).await;
    assert!(ana.erp().edit("chair-1", |product| product.title = "Throne".to_owned()));

    let run = perform(&ana, &config).await;

    assert_eq!(run["recordsCreated"], 0, "it is not brought back: {run}");
    assert_eq!(
        (ana.shop().product_count(), ana.erp().product("chair-1").unwrap().title.as_str()),
        (1, "Throne")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn more_deletes_than_the_guard_allows_wait_for_a_person_who_approves_them() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let ben = world.merchant("ben").await;
    let config =
        chairs(&ana, 6, json!({ "deletes": "delete", "deleteGuard": { "records": 2, "percent": 5 } })).await;
    for number in 0..3 {
        assert!(ana.shop().delete(&format!("chair-{number}")));
    }

    perform(&ana, &config).await;
    let held = perform(&ana, &config).await;
    let again = perform(&ana, &config).await;
    let waiting = deletes(&ana, "held").await;

    assert_eq!((&held["recordsDeleted"], &held["recordsHeld"]), (&json!(0), &json!(3)), "{held}");
    assert_eq!(
        (&held["status"], &again["recordsDeleted"]),
        (&json!("partial_success"), &json!(0)),
        "{again}"
    );
    assert_eq!((waiting.len(), ana.erp().product_count()), (3, 6));
    assert_eq!(waiting[0]["code"], "too_many_deletes");

    let ids: Vec<&Value> = waiting.iter().map(|one| &one["id"]).collect();
    let refused = ben.invoke("delete-approve", json!({ "ids": ids, "decision": "approve" })).await;
    assert_eq!(refused.status, 404, "they are not Ben's: {}", refused.json());
    let kept = ana.invoke("delete-approve", json!({ "ids": [ids[0]], "decision": "keep" })).await.ok();
    let approved =
        ana.invoke("delete-approve", json!({ "configId": config, "decision": "approve" })).await.ok();
    let quiet = perform(&ana, &config).await;

    assert_eq!((&kept["data"][0]["status"], &approved["decided"]), (&json!("kept"), &json!(2)), "{approved}");
    assert_eq!((ana.erp().product_count(), ana.shop().product_count()), (4, 3), "{approved}");
    assert_eq!(
        (&quiet["recordsDeleted"], &quiet["recordsHeld"], &quiet["recordsCreated"]),
        (&json!(0), &json!(0), &json!(0)),
        "{quiet}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_changed_on_the_other_side_is_not_deleted_unasked() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let config = chairs(&ana, 2, json!({ "deletes": "delete" })).await;
    one_way(&ana, &config).await;
    assert!(ana.shop().delete("chair-1"));
    assert!(ana.erp().edit("chair-1", |product| product.title = "Throne".to_owned()));

    perform(&ana, &config).await;
    let run = perform(&ana, &config).await;
    let waiting = deletes(&ana, "held").await;

    assert_eq!((&run["recordsHeld"], waiting.len()), (&json!(1), 1), "{run}");
    assert_eq!(waiting[0]["code"], "changed_before_delete");
    assert_eq!(ana.erp().product("chair-1").unwrap().title, "Throne");

    ana.invoke("delete-approve", json!({ "ids": [waiting[0]["id"]], "decision": "approve" })).await.ok();
    assert!(ana.erp().product("chair-1").is_none(), "a person has said so");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_loses_its_memory_for_a_while_costs_nobody_a_record() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let config = chairs(&ana, 4, json!({ "deletes": "delete" })).await;
    one_way(&ana, &config).await;

    for round in 0..12 {
        let fault =
            [Fault::Html(404), Fault::Truncate, Fault::status(500), Fault::status(404)][round % 4].clone();
        for _ in 0..3 {
            ana.shop().faults().next(fault.clone());
        }
        perform(&ana, &config).await;
    }
    ana.shop().faults().clear();
    let after = perform(&ana, &config).await;

    assert_eq!((after["recordsDeleted"].as_i64(), ana.erp().product_count()), (Some(0), 4), "{after}");
    assert_eq!(world.db.count("select count(*) from public.sync_deletes").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_of_a_list_is_switched_off_with_its_record() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    for name in ["chair", "table"] {
        ana.shop().has(product(name).handle(name).title(name).variant(&format!("{name}-1"), "10.00"));
    }
    let ids = ["chair", "table"].map(|name| ana.shop().product_id(name).unwrap());
    ana.lists("product", &ids).await;
    ana.invoke("delta-sync", json!({})).await.ok();
    let config = world.db.text("select id::text from public.sync_configs").await;
    let rules = json!({ "id": config, "rules": { "deletes": "delete" } });
    ana.request(reqwest::Method::PUT, "sync-configs", rules).await.ok();
    assert!(ana.shop().delete("chair"));

    let asked = ana.invoke("delta-sync", json!({})).await.ok();
    let run = ana.invoke("delta-sync", json!({})).await.ok();
    let third = ana.invoke("delta-sync", json!({})).await.ok();

    assert_eq!(
        (
            ana.erp().product_count(),
            world.db.count("select count(*) from public.sync_list where is_active").await
        ),
        (1, 1),
        "{asked} {run}"
    );
    let balances = "select count(*) from public.sync_runs where seen <> created + updated + unchanged + skipped + deleted + failed + conflicted + held";
    assert_eq!(
        (
            world.db.count(balances).await,
            world.db.count("select sum(deleted)::bigint from public.sync_runs where kind = 'sync'").await
        ),
        (0, 1)
    );
    assert_eq!(
        world.db.count("select count(*) from public.sync_issues where status = 'open'").await,
        0,
        "{third}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_missed_once_and_is_there_again_is_not_deleted_the_next_time_it_is_missed() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let config = chairs(&ana, 2, json!({ "deletes": "delete" })).await;
    one_way(&ana, &config).await;
    let missing = "select count(*) from sync.sync_links where missing_run is not null";

    for _ in 0..3 {
        world.db.run("update sync.sync_links set missing_side = 'source', missing_run = gen_random_uuid(), missing_since = now()").await;
        let run = perform(&ana, &config).await;
        assert_eq!((&run["recordsDeleted"], world.db.count(missing).await), (&json!(0), 0), "{run}");
    }

    assert_eq!(ana.erp().product_count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_deletes_and_applying_it_does_them_and_no_others() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let config = chairs(&ana, 3, json!({ "deletes": "delete" })).await;
    one_way(&ana, &config).await;
    assert!(ana.shop().delete("chair-1"));
    perform(&ana, &config).await;

    let plan = ana.invoke("sync-plan", json!({ "configId": config })).await.ok();
    let planned: Vec<&Value> =
        plan["data"].as_array().unwrap().iter().filter(|one| one["action"] == "delete").collect();
    assert_eq!((planned.len(), ana.erp().product_count()), (1, 3), "{plan}");
    let applied = ana.invoke("sync-apply", json!({ "planId": plan["plan_id"] })).await.ok();

    assert_eq!(
        (
            applied["recordsDeleted"].as_i64().or(applied["run"]["recordsDeleted"].as_i64()),
            ana.erp().product_count()
        ),
        (Some(1), 2),
        "{applied}"
    );
}
