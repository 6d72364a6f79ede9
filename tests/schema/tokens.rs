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
    let loaded = schema.call("credentials/load", json!({"integration_id": BOOKS, "run_id": SHOP})).await;
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
    let loaded = schema.call("credentials/load", json!({"integration_id": BOOKS, "run_id": null})).await;
    assert_eq!((&loaded["secret"], &loaded["token"]), (&json!("v1.k.n.other"), &json!(null)));
}

#[tokio::test]
async fn the_use_of_a_credential_is_audited_once_per_run() {
    let (schema, _) = Schema::with_items(&[]).await;
    for _ in 0..3 {
        schema.call("credentials/load", json!({"integration_id": SHOP, "run_id": BOOKS})).await;
    }
    assert_eq!(
        schema.db.count("select count(*) from public.sync_audit where action = 'credential_used'").await,
        1
    );
}

#[tokio::test]
async fn a_budget_is_spent_once_whoever_asks() {
    let (schema, _) = Schema::with_items(&[]).await;
    let ask = async |requests: i64| {
        schema.call("rates/admit", json!({"integration_id": SHOP, "requests": requests, "points": 0})).await
    };
    assert_eq!(ask(50).await["granted"], true);
    let refused = ask(50).await;
    assert_eq!(refused["granted"], false);
    assert!((30_000..=40_500).contains(&refused["wait_ms"].as_i64().unwrap()), "{refused}");
    assert_eq!(ask(5).await["granted"], true);
}

#[tokio::test]
async fn what_the_platform_says_goes_before_what_we_counted() {
    let (schema, _) = Schema::with_items(&[]).await;
    let ask = async |points: i64| {
        schema.call("rates/admit", json!({"integration_id": SHOP, "requests": 1, "points": points})).await
    };
    let say = async |said: Value| schema.call("rates/report", said).await;
    say(
        json!({"integration_id": SHOP, "successes": 1, "failures": 0, "points": 100, "points_capacity": 1000,
        "points_per_second": 50}),
    )
    .await;
    let refused = ask(600).await;
    assert!((8_000..=10_000).contains(&refused["wait_ms"].as_i64().unwrap()), "{refused}");
    say(json!({"integration_id": SHOP, "successes": 1, "failures": 0, "retry_after_ms": 5000})).await;
    let refused = ask(0).await;
    assert!((3_000..=5_000).contains(&refused["wait_ms"].as_i64().unwrap()), "{refused}");
}

#[tokio::test]
async fn a_platform_that_only_fails_is_left_alone_and_probed_by_one() {
    let (schema, _) = Schema::with_items(&[]).await;
    let ask = async || {
        schema.call("rates/admit", json!({"integration_id": SHOP, "requests": 1, "points": 0})).await
    };
    let say = async |well: i64, badly: i64| {
        schema
            .call("rates/report", json!({"integration_id": SHOP, "successes": well, "failures": badly}))
            .await
    };
    assert_eq!(say(0, 4).await["breaker"], "closed");
    assert_eq!(say(0, 1).await, json!({"breaker": "open", "opened": true}));
    assert_eq!(ask().await["breaker"], "open");
    schema.db.run("update sync.breakers set open_until = now()").await;
    assert_eq!(ask().await["breaker"], "probe");
    assert_eq!(ask().await["granted"], false);
    assert_eq!(say(1, 0).await["breaker"], "closed");
    assert_eq!(ask().await["granted"], true);
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
