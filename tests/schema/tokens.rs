//! Credentials, budgets, breakers, idempotency keys: what many share, one at a time.

use super::{ANA, BOOKS, SHOP, Schema};
use serde_json::{Value, json};

#[tokio::test]
async fn one_buys_the_token_and_the_others_get_what_was_bought() {
    let (schema, _) = Schema::with_items(&[]).await;
    let take = |seen: i64| json!({"integration_id": BOOKS, "seen_fence": seen, "lease_seconds": 30});
    let fence = schema.call("credentials/take_refresh_lease", take(0)).await["fence"].clone();
    let waits = schema.call("credentials/take_refresh_lease", take(0)).await;
    assert!(waits["fence"].is_null() && waits["wait_ms"].as_i64().unwrap() > 0);

    let save = json!({"integration_id": BOOKS, "fence": fence, "sealed": "v1.k.n.t", "expires_at": "2099-01-01T00:00:00Z"});
    assert_eq!(schema.call("credentials/save_token", save.clone()).await["saved"], true);
    let bought = schema.call("credentials/take_refresh_lease", take(0)).await;
    assert_eq!(bought["token"]["sealed"], "v1.k.n.t");
    let loaded = schema.call("credentials/load", json!({"integration_ids": [BOOKS], "run_id": SHOP})).await;
    let loaded = &loaded["accounts"][0];
    assert_eq!(loaded["fence"], bought["token_fence"]);

    // Refused by the platform: whoever saw this token buys the next; a purchase that fails leaves the way free.
    let refused = take(loaded["fence"].as_i64().unwrap());
    let again = schema.call("credentials/take_refresh_lease", refused.clone()).await["fence"].clone();
    assert_eq!(schema.call("credentials/save_token", save).await["saved"], false);
    let release = json!({"integration_id": BOOKS, "fence": again});
    assert_eq!(schema.call("credentials/release_refresh_lease", release).await["released"], true);
    assert!(schema.call("credentials/take_refresh_lease", refused).await["fence"].is_i64());
}

#[tokio::test]
async fn a_new_secret_forgets_what_the_old_one_bought() {
    let (schema, _) = Schema::with_items(&[]).await;
    let take = json!({"integration_id": BOOKS, "seen_fence": 0, "lease_seconds": 30});
    let fence = schema.call("credentials/take_refresh_lease", take).await["fence"].clone();
    let change = json!({"id": BOOKS, "sealed": "v1.k.n.other"});
    schema.call_as(ANA, "integrations/update", change).await.unwrap();
    let save = json!({"integration_id": BOOKS, "fence": fence, "sealed": "v1.k.n.t", "expires_at": null});
    assert_eq!(schema.call("credentials/save_token", save).await["saved"], false);
    let loaded = schema.call("credentials/load", json!({"integration_ids": [BOOKS], "run_id": null})).await;
    let loaded = &loaded["accounts"][0];
    assert_eq!((&loaded["secret"], &loaded["token"]), (&json!("v1.k.n.other"), &json!(null)));
}

#[tokio::test]
async fn the_use_of_a_credential_is_audited_once_per_run() {
    let (schema, _) = Schema::with_items(&[]).await;
    for _ in 0..3 {
        let both = json!({"integration_ids": [SHOP, BOOKS], "run_id": BOOKS});
        assert_eq!(schema.call("credentials/load", both).await["accounts"].as_array().unwrap().len(), 2);
    }
    let uses = "select count(*) || ' ' || count(distinct subject_id) from public.sync_audit where action = 'credential_used'";
    assert_eq!(schema.db.text(uses).await, "2 2");
}

/// Asks to send so many requests of this cost.
fn admit(requests: i64, cost: i64) -> Value {
    json!({"integration_id": SHOP, "requests": requests, "cost": cost})
}

/// What the platform's newest reply says of its points.
fn seen(points: i64) -> Value {
    json!({"points": points, "capacity": 1000, "per_second": 50})
}

#[tokio::test]
async fn a_budget_is_spent_once_whoever_asks() {
    let (schema, _) = Schema::with_items(&[]).await;
    let granted = async |requests: i64| schema.call("rates/admit", admit(requests, 1)).await;
    assert_eq!(granted(50).await["granted"], 50);
    assert_eq!(granted(50).await["granted"], 10, "what is left of sixty");
    let refused = granted(50).await;
    assert_eq!(refused["granted"], 0);
    let wait = refused["wait_ms"].as_i64().unwrap();
    assert!((1_000..=2_000).contains(&wait), "one comes back each second, and two are waited for: {refused}");
    let one = schema.call("rates/admit", admit(1, 1)).await;
    assert!((1..=1_000).contains(&one["wait_ms"].as_i64().unwrap()), "who needs one waits for one: {one}");
}

#[tokio::test]
async fn what_was_not_needed_is_there_for_others() {
    let (schema, _) = Schema::with_items(&[]).await;
    assert_eq!(schema.call("rates/admit", admit(60, 1)).await["granted"], 60);
    let report = json!({"integration_id": SHOP, "successes": 20, "failures": 0, "unused_requests": 40, "unused_points": 40});
    schema.call("rates/report", json!({"reports": [report]})).await;
    assert_eq!(schema.call("rates/admit", admit(60, 1)).await["granted"], 40);
}

#[tokio::test]
async fn what_the_platform_says_goes_before_what_we_counted() {
    let (schema, _) = Schema::with_items(&[]).await;
    let said = json!({"integration_id": SHOP, "successes": 1, "failures": 0, "seen": seen(100)});
    schema.call("rates/report", json!({"reports": [said]})).await;
    let refused = schema.call("rates/admit", admit(1, 600)).await;
    assert!((8_000..=10_000).contains(&refused["wait_ms"].as_i64().unwrap()), "{refused}");
    let mut ask = admit(9, 100);
    ask["seen"] = seen(1000);
    assert_eq!(schema.call("rates/admit", ask).await["granted"], 9, "nobody else is at work");
    let whole = schema.call("rates/admit", admit(1, 5000)).await;
    assert!(
        (10_000..=18_000).contains(&whole["wait_ms"].as_i64().unwrap()),
        "until the bucket is full: {whole}"
    );

    let said = json!({"integration_id": SHOP, "successes": 1, "failures": 0, "retry_after_ms": 5000});
    schema.call("rates/report", json!({"reports": [said]})).await;
    let refused = schema.call("rates/admit", admit(1, 0)).await;
    assert!((3_000..=5_000).contains(&refused["wait_ms"].as_i64().unwrap()), "{refused}");
}

#[tokio::test]
async fn two_syncs_at_work_leave_each_other_half_of_the_points() {
    let (schema, _) = Schema::with_items(&[]).await;
    let statement = format!(
        "with made as (
           insert into public.sync_configs (user_id, name, item_type, source_integration_id, target_integration_id)
           select '{ANA}', name, 'product', '{SHOP}', '{BOOKS}' from unnest(array['one', 'two']) as one (name)
           returning id)
         insert into sync.leases (key, run_id, top_run_id, expires_at)
         select 'config:' || id, gen_random_uuid(), gen_random_uuid(), now() + interval '1 minute' from made"
    );
    schema.db.run(&statement).await;
    let mut ask = admit(9, 100);
    ask["seen"] = seen(1000);
    let answer = schema.call("rates/admit", ask).await;
    assert_eq!((&answer["granted"], &answer["sharers"]), (&json!(5), &json!(2)), "{answer}");
}

#[tokio::test]
async fn points_of_a_report_are_those_of_now() {
    let (schema, _) = Schema::with_items(&[]).await;
    schema
        .db
        .run("update sync.rate_buckets set refreshed_at = now() - interval '1 hour', minute_tokens = 0")
        .await;
    let said = json!({"integration_id": SHOP, "successes": 1, "failures": 0, "seen": seen(100)});
    schema.call("rates/report", json!({"reports": [said]})).await;
    assert_eq!(schema.call("rates/admit", admit(1, 600)).await["granted"], 0, "not a full bucket");
    assert_eq!(
        schema.call("rates/admit", admit(60, 1)).await["granted"],
        60,
        "and the minute went on filling"
    );
}

#[tokio::test]
async fn who_asks_is_told_how_many_syncs_share_the_account() {
    let (schema, _) = Schema::with_items(&["p1"]).await;
    assert_eq!(schema.call("rates/admit", admit(1, 1)).await["sharers"], 0);
    schema
        .db
        .run(
            "insert into sync.leases (key, run_id, expires_at)
             select 'config:' || id, gen_random_uuid(), now() + interval '1 minute' from public.sync_configs",
        )
        .await;
    let configs = schema.db.count("select count(*) from public.sync_configs").await;
    assert_eq!(schema.call("rates/admit", admit(1, 1)).await["sharers"], configs);
    assert!(configs > 0);
}

#[tokio::test]
async fn a_platform_that_only_fails_is_left_alone_and_probed_by_one() {
    let (schema, _) = Schema::with_items(&[]).await;
    let ask = async || schema.call("rates/admit", admit(9, 1)).await;
    let say = async |well: i64, badly: i64| {
        let report = json!({"integration_id": SHOP, "successes": well, "failures": badly});
        schema.call("rates/report", json!({"reports": [report]})).await["accounts"][0].clone()
    };
    assert_eq!(say(0, 4).await["breaker"], "closed");
    assert_eq!(say(0, 1).await, json!({"integration_id": SHOP, "breaker": "open", "opened": true}));
    assert_eq!(ask().await["breaker"], "open");
    schema.db.run("update sync.breakers set open_until = now()").await;
    let probe = ask().await;
    assert_eq!((&probe["breaker"], &probe["granted"]), (&json!("probe"), &json!(1)));
    assert_eq!(ask().await["granted"], 0);
    assert_eq!(say(1, 0).await["breaker"], "closed");
    assert_eq!(ask().await["granted"], 9);
}

#[tokio::test]
async fn a_request_that_comes_twice_is_carried_out_once() {
    let schema = Schema::fresh().await;
    let begin = |print: &str| json!({"scope": ANA, "function": "f", "key": "k", "fingerprint": print, "lock_seconds": 30});
    let fresh = schema.call("idempotency/begin", begin("a")).await;
    assert_eq!(fresh["result"], "fresh");
    assert_eq!(schema.call("idempotency/begin", begin("a")).await["result"], "running");
    assert_eq!(schema.call("idempotency/begin", begin("b")).await["result"], "mismatch");

    let end = json!({"scope": ANA, "function": "f", "key": "k", "attempt": fresh["attempt"], "status": 200, "body": "{\"n\":1.10}"});
    assert_eq!(schema.call("idempotency/finish", end).await["kept"], true);
    let replay = schema.call("idempotency/begin", begin("a")).await;
    assert_eq!(replay, json!({"result": "replay", "status": 200, "body": "{\"n\":1.10}"}));

    schema.db.run("update sync.idempotency_keys set expires_at = now()").await;
    let anew = schema.call("idempotency/begin", begin("b")).await;
    assert_eq!(anew["result"], "fresh");
    let forget = json!({"scope": ANA, "function": "f", "key": "k", "attempt": anew["attempt"]});
    assert_eq!(schema.call("idempotency/forget", forget).await["forgotten"], true);
    assert_eq!(schema.call("idempotency/begin", begin("c")).await["result"], "fresh");
}
