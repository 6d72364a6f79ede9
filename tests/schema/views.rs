//! The three views of the ledger.

use super::{ANA, BOB, Schema, connect};
use serde_json::json;

#[tokio::test]
async fn each_view_has_a_word_for_every_status() {
    let schema = Schema::fresh().await;
    let rule = schema
        .db
        .text("select pg_get_constraintdef(oid) from pg_constraint where conname = 'run_status_is_known'")
        .await;
    let statuses: Vec<&str> = rule.split('\'').skip(1).step_by(2).collect();
    assert!(statuses.len() >= 6, "{rule}");
    for function in ["history_word", "log_word", "operation_word"] {
        for status in &statuses {
            let word = schema.db.text(&format!("select coalesce(sync.{function}('{status}'), '')")).await;
            assert!(!word.is_empty(), "{function} has no word for {status}");
        }
    }
}

#[tokio::test]
async fn deleting_from_the_history_hides_ones_own_run_and_keeps_the_ledger() {
    let (schema, items) = Schema::with_items(&["1"]).await;
    let opened = schema.open(&items).await;
    let run = &opened["children"][0];
    let page = json!({"run_id": run["run_id"], "fence": run["fence"], "position": 1, "results": [], "cursor": null,
        "last_page": true, "platform_requests": 0, "lease_seconds": 60, "next_limit": 0});
    schema.call("runs/record_page", page).await;
    schema.call("runs/close", json!({"run_id": run["run_id"], "fence": run["fence"]})).await;
    let delete = async |user: &str| {
        let client = connect(&schema.db.url()).await;
        let claims = json!({"sub": user, "role": "authenticated"});
        client
            .batch_execute(&format!("set request.jwt.claims to '{claims}'; set role authenticated"))
            .await
            .unwrap();
        client.execute("delete from public.sync_history", &[]).await.unwrap()
    };

    assert_eq!(delete(BOB).await, 0);
    assert_eq!(delete(ANA).await, 1);

    let history = schema.call_as(ANA, "runs/history", json!({"limit": 10})).await.unwrap();
    assert_eq!(history["rows"], json!([]));
    assert_eq!(schema.db.count("select count(*) from public.sync_runs").await, 2);
}

#[tokio::test]
async fn the_history_of_a_run_at_work_shows_how_far_it_is() {
    let (schema, items) = Schema::with_items(&["1", "2", "3"]).await;
    let opened = schema.open(&items).await;
    let run = &opened["children"][0];
    let failed = json!({"item_id": items[0], "source_id": "1", "outcome": "failed",
        "error": {"class": "rejected", "code": "x", "message": "no"}});
    let page = json!({"run_id": run["run_id"], "fence": run["fence"], "position": 2, "results": [failed], "cursor": null,
        "last_page": false, "platform_requests": 4, "lease_seconds": 60, "next_limit": 0});
    schema.call("runs/record_page", page).await;

    let history = schema.call_as(ANA, "runs/history", json!({"limit": 10})).await.unwrap();

    let row = &history["rows"][0];
    assert_eq!((&row["id"], &row["status"]), (&opened["run_id"], &json!("running")));
    assert_eq!((&row["items_processed"], &row["items_failed"]), (&json!(2), &json!(1)), "{row}");
    assert_eq!(row["metadata"]["platform_requests"], 4, "{row}");
}
