//! Runs: one at a time for each sync, every record accounted for, nothing written by those who lost their lease.

use super::{ANA, BOB, Schema, connect, opening, run, state};
use serde_json::{Value, json};

fn result(item: &Value, source: &str, outcome: &str) -> Value {
    let agreed = ["created", "updated", "unchanged"].contains(&outcome);
    json!({"item_id": item, "source_id": source, "target_id": agreed.then(|| format!("T{source}")), "outcome": outcome,
        "link": agreed.then(|| json!({"source_version": "1", "source_hash": "h", "target_version": "2",
            "base_source": "{\"price\":1.10}", "base_target": "{\"price\":\"1.1\"}"})),
        "metadata": "{\"name\":\"chair\"}", "changes": "[]",
        "error": (!agreed).then(|| json!({"class": "transient", "code": "x", "message": "no"})), "inputs": "{\"n\":1e3}"})
}

fn page(child: &Value, position: i64, results: &[Value], next: i64) -> Value {
    json!({"run_id": child["run_id"], "fence": child["fence"], "position": position, "results": results, "cursor": null,
        "last_page": false, "platform_requests": 2, "lease_seconds": 60, "next_limit": next})
}

fn held(child: &Value) -> Value {
    json!({"run_id": child["run_id"], "fence": child["fence"], "limit": 100, "lease_seconds": 60})
}

#[tokio::test]
async fn a_run_goes_page_by_page_and_its_sums_balance() {
    let (schema, items) = Schema::with_items(&["1", "2", "3"]).await;
    let opened = schema.open(&items).await;
    let child = &opened["children"][0];

    let mut first = held(child);
    first["limit"] = json!(2);
    let first = schema.call("runs/next_page", first).await;
    assert_eq!((first["items"].as_array().unwrap().len(), &first["position"]), (2, &json!(2)));
    let results = [result(&items[0], "1", "created"), result(&items[1], "2", "failed")];
    let second = schema.call("runs/record_page", page(child, 2, &results, 100)).await;
    assert_eq!(second["items"][0]["source_id"], "3");
    assert_eq!(second["remaining"], 0);
    let mut same = result(&items[2], "3", "unchanged");
    same["inputs"] = json!(null);
    schema.call("runs/record_page", page(child, 3, &[same], 0)).await;
    let closed = schema.call("runs/close", json!({"run_id": child["run_id"], "fence": child["fence"]})).await;

    let summary = &closed["summary"];
    assert_eq!((&summary["status"], &summary["seen"]), (&json!("partial_success"), &json!(3)));
    assert_eq!(
        (&summary["created"], &summary["failed"], &summary["unchanged"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!(summary["errors"][0]["item_id"], items[1]);
    let above = schema.call("runs/summary", json!({"run_id": opened["run_id"]})).await;
    assert_eq!((&above["status"], &above["seen"]), (&json!("partial_success"), &json!(3)));
    assert_eq!(schema.db.text("select last_sync_status || target_id || (metadata ->> 'name') from public.sync_list where source_id = '1'").await, "successT1chair");
    assert_eq!(
        schema.db.text("select base_source::text from sync.sync_links where source_id = '1'").await,
        "{\"price\":1.10}"
    );
    assert_eq!(
        schema.db.count("select count(*) from public.sync_events where outcome = 'unchanged'").await,
        0
    );
}

#[tokio::test]
async fn items_that_did_not_come_to_their_end_come_next_and_nothing_done_is_met_again() {
    let (schema, items) = Schema::with_items(&["1", "2", "3", "4"]).await;
    let opened = schema.open(&items).await;
    let child = &opened["children"][0];
    let results = [result(&items[1], "2", "updated"), result(&items[3], "4", "created")];
    let mut cut = page(child, 2, &results, 0);
    cut["undone"] = json!([items[0], items[2]]);

    schema.call("runs/record_page", cut.clone()).await;
    schema.call("runs/record_page", cut).await;
    let next = schema.call("runs/next_page", held(child)).await;

    let sources: Vec<&Value> =
        next["items"].as_array().unwrap().iter().map(|item| &item["source_id"]).collect();
    assert_eq!(sources, [&json!("1"), &json!("3")]);
    let rest = [result(&items[0], "1", "updated"), result(&items[2], "3", "unchanged")];
    schema.call("runs/record_page", page(child, 4, &rest, 0)).await;
    let closed = schema.call("runs/close", json!({"run_id": child["run_id"], "fence": child["fence"]})).await;
    let summary = &closed["summary"];
    assert_eq!((&summary["status"], &summary["seen"]), (&json!("completed"), &json!(4)), "{summary}");
    assert_eq!((&summary["updated"], &summary["created"]), (&json!(2), &json!(1)));
}

#[tokio::test]
async fn a_run_cannot_call_itself_a_success_while_a_record_is_unaccounted_for() {
    let (schema, items) = Schema::with_items(&["1", "2"]).await;
    let opened = schema.open(&items).await;
    let child = &opened["children"][0];
    let close = |status: &str| json!({"run_id": child["run_id"], "fence": child["fence"], "status": status});

    assert_eq!(state(schema.try_call("runs/close", close("completed")).await), "23514");
    schema.call("runs/record_page", page(child, 2, &[result(&items[0], "1", "failed")], 0)).await;
    assert_eq!(state(schema.try_call("runs/close", close("completed")).await), "23514");
    let closed = schema.call("runs/close", close("partial_success")).await;
    assert_eq!((&closed["summary"]["skipped"], &closed["summary"]["failed"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn a_run_that_stops_early_is_interrupted_by_its_own_sums() {
    let (schema, items) = Schema::with_items(&["1", "2"]).await;
    let opened = schema.open(&items).await;
    let child = &opened["children"][0];
    schema.call("runs/record_page", page(child, 1, &[result(&items[0], "1", "created")], 0)).await;
    let closed = schema.call("runs/close", json!({"run_id": child["run_id"], "fence": child["fence"]})).await;
    assert_eq!(
        (&closed["summary"]["status"], &closed["summary"]["reason"]),
        (&json!("interrupted"), &json!("broken_off"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_eight_who_open_at_once_one_works_and_the_others_learn_who() {
    let (schema, items) = Schema::with_items(&["1", "2"]).await;
    let mut openers = Vec::new();
    for _ in 0..8 {
        let (url, input) = (schema.db.functions_url(), opening(&items));
        openers
            .push(tokio::spawn(async move { run(&connect(&url).await, "runs/open", input).await.unwrap() }));
    }
    let mut opened = Vec::new();
    for opener in openers {
        opened.push(opener.await.unwrap());
    }

    let working: Vec<&Value> = opened.iter().filter(|opened| opened["children"] != json!([])).collect();
    assert_eq!(working.len(), 1);
    assert!(opened.iter().all(|other| other["run_id"] == working[0]["run_id"]));
    let others = opened.iter().filter(|other| other["children"] == json!([]));
    assert!(others.into_iter().all(|other| other["running"] == working[0]["run_id"]));
}

#[tokio::test]
async fn items_that_the_other_run_does_not_cover_wait_in_the_queue_and_come_along_with_the_next() {
    let (schema, items) = Schema::with_items(&["1", "2", "3"]).await;
    let first = schema.open(&items[..1]).await;
    let second = schema.open(&items).await;
    assert_eq!((&second["queued"], &second["running"]), (&json!(2), &first["run_id"]));

    let child = &first["children"][0];
    schema.call("runs/record_page", page(child, 1, &[result(&items[0], "1", "created")], 0)).await;
    schema.call("runs/close", json!({"run_id": child["run_id"], "fence": child["fence"]})).await;
    let third = schema.open(&items[1..2]).await;
    assert_eq!(third["children"][0]["total"], 2);
    assert_eq!(
        schema
            .db
            .count("select count(*) from sync.sync_queue where kind = 'sync_items' and state = 'pending'")
            .await,
        0
    );
}

#[tokio::test]
async fn a_lease_that_ran_out_is_taken_over_with_what_was_left_and_its_old_holder_writes_nothing() {
    let (schema, items) = Schema::with_items(&["1", "2", "3"]).await;
    let first = schema.open(&items).await;
    let old = &first["children"][0];
    schema.call("runs/record_page", page(old, 1, &[result(&items[0], "1", "created")], 0)).await;
    schema.db.run("update sync.leases set expires_at = now()").await;

    let second = schema.open(&items[2..]).await;
    let new = &second["children"][0];
    assert_eq!((&new["total"], &new["fence"]), (&json!(2), &json!(2)));
    let cut_off = schema.call("runs/summary", json!({"run_id": first["run_id"]})).await;
    assert_eq!((&cut_off["status"], &cut_off["reason"]), (&json!("interrupted"), &json!("lease_expired")));

    let late = schema.call("runs/record_page", page(old, 2, &[result(&items[1], "2", "created")], 0)).await;
    assert_eq!(late["lost"], true);
    let intents = json!({"run_id": old["run_id"], "fence": old["fence"], "lease_seconds": 60,
        "intents": [{"source_id": "2", "external_key": "e", "idempotency_key": "i"}]});
    assert_eq!(schema.call("runs/record_intents", intents).await["held"], false);
    assert_eq!(
        schema.call("runs/close", json!({"run_id": old["run_id"], "fence": 1})).await["summary"],
        json!(null)
    );
    assert_eq!(schema.db.count("select count(*) from sync.sync_links where source_id = '2'").await, 0);
    assert_eq!(schema.db.count("select count(*) from sync.intents").await, 0);
}

#[tokio::test]
async fn a_paused_run_keeps_its_place_and_is_gone_on_with() {
    let (schema, items) = Schema::with_items(&["1", "2"]).await;
    let opened = schema.open(&items).await;
    let child = &opened["children"][0];
    schema.call("runs/record_page", page(child, 1, &[result(&items[0], "1", "created")], 0)).await;
    schema
        .call("runs/pause", json!({"run_id": child["run_id"], "fence": child["fence"], "delay_seconds": 0}))
        .await;
    assert_eq!(schema.open(&items[1..]).await["running"], opened["run_id"]);

    let job =
        schema.call("queue/finish_and_claim", json!({"finished": [], "limit": 5})).await["jobs"][0].clone();
    assert_eq!(job["kind"], "run");
    let resume = json!({"config_id": job["config_id"], "lease_seconds": 60});
    let resumed = schema.call("runs/resume", resume.clone()).await["child"].clone();
    assert_eq!(
        (&resumed["run_id"], &resumed["position"], &resumed["fence"]),
        (&child["run_id"], &json!(1), &json!(2))
    );
    assert_eq!(schema.call("runs/resume", resume).await["child"], json!(null));
    // While the job that resumed it is still leased, its own continuation stands ready behind it.
    assert_eq!(
        schema
            .db
            .count("select count(*) from sync.sync_queue where kind = 'run' and state = 'pending'")
            .await,
        1
    );
    assert_eq!(schema.call("runs/next_page", held(&resumed)).await["items"][0]["source_id"], "2");
}

#[tokio::test]
async fn a_page_that_is_recorded_twice_counts_once() {
    let (schema, items) = Schema::with_items(&["1", "2"]).await;
    let opened = schema.open(&items).await;
    let child = &opened["children"][0];
    let results = [result(&items[0], "1", "created")];
    schema.call("runs/record_page", page(child, 1, &results, 10)).await;
    let again = schema.call("runs/record_page", page(child, 1, &results, 10)).await;
    assert_eq!(again["items"][0]["source_id"], "2");
    assert_eq!(schema.db.count("select created from public.sync_runs where kind = 'sync'").await, 1);
    assert_eq!(schema.db.count("select count(*) from public.sync_events").await, 1);
}

#[tokio::test]
async fn two_sources_for_one_target_fail_one_record_and_not_the_page() {
    let (schema, items) = Schema::with_items(&["1", "2"]).await;
    let opened = schema.open(&items).await;
    let child = &opened["children"][0];
    let mut second = result(&items[1], "2", "created");
    second["target_id"] = json!("T1");
    schema.call("runs/record_page", page(child, 2, &[result(&items[0], "1", "created"), second], 0)).await;
    let closed = schema.call("runs/close", json!({"run_id": child["run_id"], "fence": child["fence"]})).await;
    assert_eq!((&closed["summary"]["created"], &closed["summary"]["failed"]), (&json!(1), &json!(1)));
    assert_eq!(schema.db.text("select error_code from public.sync_issues").await, "target_already_linked");
}

#[tokio::test]
async fn issues_and_conflicts_close_themselves_when_the_record_succeeds() {
    let (schema, items) = Schema::with_items(&["1", "2"]).await;
    for (first, second) in [("failed", "conflicted"), ("updated", "unchanged")] {
        let opened = schema.open(&items).await;
        let child = &opened["children"][0];
        let results = [result(&items[0], "1", first), result(&items[1], "2", second)];
        schema.call("runs/record_page", page(child, 2, &results, 0)).await;
        schema.call("runs/close", json!({"run_id": child["run_id"], "fence": child["fence"]})).await;
    }
    assert_eq!(schema.db.text("select status from public.sync_issues").await, "resolved");
    assert_eq!(schema.db.text("select status from public.data_sync_conflicts").await, "settled");
}

#[tokio::test]
async fn items_switched_off_meanwhile_count_as_skipped() {
    let (schema, items) = Schema::with_items(&["1", "2"]).await;
    let opened = schema.open(&items).await;
    let child = &opened["children"][0];
    schema.db.run("update public.sync_list set is_active = false where source_id = '1'").await;
    let work = schema.call("runs/next_page", held(child)).await;
    assert_eq!((work["items"].as_array().unwrap().len(), &work["items"][0]["place"]), (1, &json!(2)));
    schema.call("runs/record_page", page(child, 2, &[result(&items[1], "2", "created")], 0)).await;
    let closed = schema.call("runs/close", json!({"run_id": child["run_id"], "fence": child["fence"]})).await;
    assert_eq!(
        (&closed["summary"]["status"], &closed["summary"]["skipped"]),
        (&json!("completed"), &json!(1))
    );
}

#[tokio::test]
async fn a_person_stops_their_own_run_before_its_next_page() {
    let (schema, items) = Schema::with_items(&["1", "2"]).await;
    let opened = schema.open(&items).await;
    let child = &opened["children"][0];
    let cancel = json!({"run_id": opened["run_id"]});
    assert_eq!(schema.call_as(BOB, "runs/cancel", cancel.clone()).await.unwrap()["cancelled"], 0);
    assert_eq!(schema.call_as(ANA, "runs/cancel", cancel).await.unwrap()["cancelled"], 1);
    let work = schema.call("runs/next_page", held(child)).await;
    assert_eq!((&work["cancelled"], &work["items"]), (&json!(true), &json!([])));
    schema
        .call(
            "runs/close",
            json!({"run_id": child["run_id"], "fence": child["fence"], "status": "cancelled"}),
        )
        .await;
    assert_eq!(schema.call("runs/summary", json!({"run_id": opened["run_id"]})).await["status"], "cancelled");
}

#[tokio::test]
async fn the_other_direction_knows_what_this_one_linked() {
    let (schema, items) = Schema::with_items(&["1"]).await;
    let opened = schema.open(&items).await;
    schema
        .call("runs/record_page", page(&opened["children"][0], 1, &[result(&items[0], "1", "created")], 0))
        .await;
    let back = json!({"items": [{"item_type": "product", "source_platform": "shopify", "target_platform": "netsuite", "source_id": "T1"}]});
    let added = schema.call_as(ANA, "sync_list/add", back).await.unwrap();
    let opened = schema.open(&[added["added"][0].clone()]).await;
    let work = schema.call("runs/next_page", held(&opened["children"][0])).await;
    assert_eq!(work["items"][0]["target_id"], "1");
}

#[tokio::test]
async fn a_run_over_changes_keeps_its_cursor_and_looks_records_up() {
    let (schema, items) = Schema::with_items(&["1"]).await;
    let config = schema.db.text("select id::text from public.sync_configs").await;
    let open = json!({"config_id": config, "parent_run_id": null, "lease_seconds": 60});
    let child = schema.call("runs/open_changed", open.clone()).await["child"].clone();
    assert_eq!(schema.call("runs/open_changed", open).await["child"], json!(null));
    let looked = schema
        .call(
            "runs/lookup",
            json!({"run_id": child["run_id"], "fence": child["fence"],
        "source_ids": ["9", "1"], "target_ids": [], "lease_seconds": 60}),
        )
        .await;
    assert_eq!((&looked["items"][0]["item_id"], &looked["items"][1]["item_id"]), (&json!(null), &items[0]));
    let mut results = page(
        &child,
        looked["position"].as_i64().unwrap(),
        &[result(&json!(null), "9", "created"), result(&items[0], "1", "created")],
        0,
    );
    results["cursor"] = json!({"side": "source", "seen_at": "2026-11-01T00:00:00Z", "seen_id": "9", "since": null, "page": null});
    results["last_page"] = json!(true);
    schema.call("runs/record_page", results).await;
    assert_eq!(
        schema.call("runs/cursor", json!({"run_id": child["run_id"], "side": "source"})).await["seen_id"],
        "9"
    );
    let closed = schema.call("runs/close", json!({"run_id": child["run_id"], "fence": child["fence"]})).await;
    assert_eq!(
        (&closed["summary"]["status"], &closed["summary"]["created"]),
        (&json!("completed"), &json!(2))
    );
}

#[tokio::test]
async fn the_systems_run_ends_with_the_last_of_its_users_runs() {
    let (schema, items) = Schema::with_items(&["1"]).await;
    let system = schema.call("runs/open_system", json!({})).await["run_id"].clone();
    let mut input = opening(&items);
    input["parent_run_id"] = system.clone();
    let opened = schema.call("runs/open", input).await;
    schema.call("runs/close_system", json!({"run_id": system})).await;
    assert_eq!(schema.call("runs/summary", json!({"run_id": system})).await["status"], "running");
    let child = &opened["children"][0];
    schema.call("runs/record_page", page(child, 1, &[result(&items[0], "1", "updated")], 0)).await;
    schema.call("runs/close", json!({"run_id": child["run_id"], "fence": child["fence"]})).await;
    let summary = schema.call("runs/summary", json!({"run_id": system})).await;
    assert_eq!((&summary["status"], &summary["updated"]), (&json!("completed"), &json!(1)));
}

#[tokio::test]
async fn a_page_holds_a_thousand_items_at_most() {
    let ids: Vec<String> = (0..1_001).map(|number| number.to_string()).collect();
    let (schema, items) = Schema::with_items(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let opened = schema.open(&items).await;
    let mut asked = held(&opened["children"][0]);
    asked["limit"] = json!(5_000);

    let page = schema.call("runs/next_page", asked).await;

    assert_eq!((page["items"].as_array().unwrap().len(), &page["remaining"]), (1_000, &json!(1)));
}

#[tokio::test]
async fn what_waits_for_a_person_is_counted_and_what_lags_is_told() {
    let (schema, items) = Schema::with_items(&["1", "2", "3"]).await;
    let opened = schema.open(&items).await;
    let child = &opened["children"][0];
    schema.call("runs/next_page", held(child)).await;
    let results = [
        result(&items[0], "1", "created"),
        result(&items[1], "2", "failed"),
        result(&items[2], "3", "conflicted"),
    ];
    schema.call("runs/record_page", page(child, 3, &results, 0)).await;
    schema.call("runs/close", json!({"run_id": child["run_id"], "fence": child["fence"]})).await;
    schema.db.run("update public.sync_runs set started_at = started_at - interval '1 hour'").await;

    let told = schema.call("health/metrics", json!({})).await;

    assert_eq!((&told["conflicts_open"], &told["issues_open"]), (&json!(1), &json!(1)), "{told}");
    let total = &told["totals"][0];
    assert_eq!((&total["status"], &total["runs"]), (&json!("partial_success"), &json!(1)), "{total}");
    assert_eq!(
        (&total["created"], &total["failed"], &total["conflicted"]),
        (&json!(1), &json!(1), &json!(1)),
        "{total}"
    );
    let lag = told["lags"][0]["seconds"].as_i64().unwrap();
    assert!((3_600..4_200).contains(&lag), "{told}");
}
