//! Alerts: one while something is wrong, one when it is over, by rules that their users may change.

use super::{ANA, BOB, SHOP, Schema, connect, rights::as_user};
use crate::world::root;
use serde_json::json;

const OPEN: &str =
    "select coalesce(string_agg(concat_ws(' ', metric, times, message), '; ' order by metric, subject), '')
    from public.workflow_alerts where alert_type = 'failure' and resolved_at is null";
const ALL: &str = "select coalesce(string_agg(concat_ws(' ', alert_type, metric, times, case when resolved_at is null then 'open' end), ', '
    order by created_at, alert_type), '') from public.workflow_alerts";

/// Runs of a user, or of an organization, that ended lately in this way, each after this time.
async fn runs(schema: &Schema, (user, org): (&str, Option<&str>), count: u32, ended: &str, seconds: u32) {
    let (status, reason) = ended.split_once(' ').unwrap_or((ended, ""));
    let org = org.map_or("null".to_owned(), |org| format!("'{org}'"));
    schema
        .db
        .run(&format!(
            "insert into public.sync_runs (kind, user_id, org_id, sync_type, selection, status, reason, last_page_reached, finished_at, duration_ms)
             select 'sync', '{user}', {org}, 'workflows', 'changed', '{status}', nullif('{reason}', ''), true, now(), {seconds} * 1000
             from generate_series(1, {count})"
        ))
        .await;
}

async fn judge(schema: &Schema) -> String {
    schema.db.text("select sync.judge_alerts()::text").await;
    schema.db.text(OPEN).await
}

/// Lets what has been told be as long ago as no window reaches.
async fn much_later(schema: &Schema) {
    schema.db.run("update public.workflow_alerts set created_at = created_at - interval '8 days'").await;
}

#[tokio::test]
async fn more_than_a_tenth_of_failed_syncs_is_told_once_until_it_is_a_tenth_again() {
    let schema = Schema::fresh().await;
    let ana = (ANA, None);
    runs(&schema, ana, 36, "completed", 1).await;
    runs(&schema, ana, 4, "failed", 1).await;
    assert_eq!(judge(&schema).await, "", "a tenth is not more than a tenth");

    runs(&schema, ana, 1, "failed", 1).await;
    let told = judge(&schema).await;
    assert_eq!((told.as_str(), judge(&schema).await), ("failure_rate 1 5 of 41 syncs failed", told.clone()));
    assert_eq!(schema.db.text("select value::text from public.workflow_alerts").await, "12.2");

    runs(&schema, ana, 9, "completed", 1).await;
    assert_eq!(judge(&schema).await, "");
    assert_eq!(schema.db.text(ALL).await, "failure failure_rate 1, success failure_rate 1");

    runs(&schema, ana, 1, "failed", 1).await;
    judge(&schema).await;
    assert_eq!(
        schema.db.text(ALL).await,
        "failure failure_rate 2 open, success failure_rate 1",
        "it wavers: the same row"
    );
    schema.db.run("update public.sync_runs set finished_at = now() - interval '25 hours'").await;
    assert_eq!(judge(&schema).await, "", "what is older than a day counts no more");
}

#[tokio::test]
async fn reading_n8n_in_more_than_five_seconds_on_average_is_told() {
    let schema = Schema::fresh().await;
    runs(&schema, (ANA, None), 4, "completed", 9).await;
    assert_eq!(judge(&schema).await, "", "four readings say little");

    runs(&schema, (ANA, None), 1, "completed", 1).await;
    assert_eq!(judge(&schema).await, "average_duration 1 Reading n8n takes 7.4 s on average (5 times)");

    runs(&schema, (ANA, None), 5, "completed", 2).await;
    assert_eq!(judge(&schema).await, "", "4.7 seconds are well");
}

#[tokio::test]
async fn runs_that_somebody_stopped_or_that_another_went_on_with_say_nothing() {
    let schema = Schema::fresh().await;
    for ended in ["cancelled", "interrupted lease_expired", "interrupted budget_spent"] {
        runs(&schema, (ANA, None), 20, ended, 60).await;
    }
    runs(&schema, (ANA, None), 10, "completed", 1).await;
    assert_eq!(judge(&schema).await, "");

    runs(&schema, (ANA, None), 2, "interrupted broken_off", 1).await;
    assert_eq!(judge(&schema).await, "failure_rate 1 2 of 12 syncs failed");
}

#[tokio::test]
async fn each_owner_is_told_of_their_own_runs_by_their_own_rules() {
    let schema = Schema::fresh().await;
    schema
        .db
        .run(&format!(
            "set request.jwt.claims to '{{\"sub\": \"{ANA}\"}}';
             insert into public.organizations (name) values ('Ana and sons');
             reset request.jwt.claims"
        ))
        .await;
    let org = schema.db.text("select id::text from public.organizations").await;
    let (ana, bob) = (as_user(&schema, ANA).await, as_user(&schema, BOB).await);
    let rule = "insert into public.alert_rules (metric, threshold, recipients) values ('failure_rate', 60, 'ops@example.com')";
    ana.batch_execute(rule).await.unwrap();
    for owner in [(ANA, None), (BOB, None), (ANA, Some(org.as_str()))] {
        runs(&schema, owner, 5, "completed", 1).await;
        runs(&schema, owner, 5, "failed", 1).await;
    }
    judge(&schema).await;

    let told = "select string_agg(concat_ws(' ', u.email, org_id is not null, recipients), ', ' order by u.email, recipients desc)
        from public.workflow_alerts as a join auth.users as u on u.id = a.user_id where a.alert_type = 'failure'";
    assert_eq!(schema.db.text(told).await, "ana@test t dashboard, bob@test f dashboard");

    ana.batch_execute("update public.alert_rules set threshold = 40").await.unwrap();
    bob.batch_execute("insert into public.alert_rules (metric, is_active) values ('failure_rate', false)")
        .await
        .unwrap();
    runs(&schema, (ANA, None), 1, "completed", 1).await;
    judge(&schema).await;
    let open = told.replace("'failure'", "'failure' and a.resolved_at is null");
    assert_eq!(schema.db.text(&open).await, "ana@test f ops@example.com, ana@test t dashboard");
}

#[tokio::test]
async fn a_sync_that_fails_a_thousand_times_in_a_minute_is_one_alert_and_its_recovery_another() {
    let schema = Schema::fresh().await;
    let config = sync_of_ana(&schema).await;
    let ended = |count: u32, status: &str, message: &str| {
        format!(
            "insert into public.sync_runs (kind, user_id, config_id, sync_type, selection, status, message, last_page_reached, finished_at)
             select 'sync', '{ANA}', '{config}', 'delta', 'changed', '{status}', nullif('{message}', ''), true, now()
             from generate_series(1, {count})"
        )
    };
    schema.db.run(&ended(1000, "failed", "The shop does not answer.")).await;
    assert_eq!(schema.db.text(OPEN).await, "sync_failed 1000 Chairs failed: The shop does not answer.");

    schema.db.run(&ended(3, "completed", "")).await;
    assert_eq!(schema.db.text(ALL).await, "failure sync_failed 1000, success sync_failed 1");

    // Good and bad in turns.
    for _ in 0..5 {
        schema.db.run(&ended(1, "failed", "no")).await;
        schema.db.run(&ended(1, "completed", "")).await;
    }
    assert_eq!(schema.db.text(ALL).await, "failure sync_failed 1005, success sync_failed 6");
    much_later(&schema).await;
    schema.db.run(&ended(1, "failed", "no")).await;
    assert_eq!(
        schema.db.text(ALL).await,
        "failure sync_failed 1005, success sync_failed 6, failure sync_failed 1 open"
    );

    schema.db.run("delete from public.sync_configs").await;
    schema.db.run("delete from public.sync_runs").await;
    assert_eq!(judge(&schema).await, "", "of what is gone nothing stays open");
}

/// A sync of hers.
async fn sync_of_ana(schema: &Schema) -> String {
    for (id, name, platform) in [(SHOP, "shop", "shopify"), (super::BOOKS, "books", "netsuite")] {
        let account = json!({"id": id, "name": name, "platform": platform, "base_url": "https://x.test",
            "credential_kind": "access_token", "sealed": "v1.k.n.c"});
        schema.call_as(ANA, "integrations/create", account).await.unwrap();
    }
    let sync = format!(
        "insert into public.sync_configs (user_id, name, item_type, source_integration_id, target_integration_id)
         values ('{ANA}', 'Chairs', 'product', '{SHOP}', '{}') returning id::text",
        super::BOOKS
    );
    schema.db.text(&sync).await
}

/// A server of hers with two workflows.
async fn server_of_ana(schema: &Schema) -> String {
    let id = schema
        .db
        .text(&format!(
            "insert into public.integrations (user_id, name, platform, base_url, credential_kind)
             values ('{ANA}', 'n8n', 'n8n', 'https://n8n.example.com', 'api_key') returning id::text"
        ))
        .await;
    let one = |id: &str| {
        json!({"id": id, "name": id, "active": true, "is_archived": false, "tags": [], "in_mcp": false, "node_types": [],
            "fingerprint": "f"})
    };
    let workflows = [one("w1"), one("w2")];
    schema.call("n8n/mirror", json!({"integration_id": id, "workflows": workflows, "complete": true})).await;
    id
}

#[tokio::test]
async fn alerts_of_single_executions_from_before_become_one_for_each_workflow_that_still_fails() {
    let schema = Schema::fresh().await;
    let id = server_of_ana(&schema).await;
    let failed = |number: i64| json!({"id": number, "workflow_id": format!("w{}", 1 + number % 2), "status": "failure", "n8n_status": "error"});
    let rows: Vec<_> = (1..=6).map(failed).collect();
    schema.call("n8n/record_executions", json!({"integration_id": id, "rows": rows})).await;
    schema
        .db
        .run(&format!(
            "drop index public.workflow_alerts_open;
             alter table public.workflow_alerts drop constraint alerts_are_about_something, drop column metric, drop column subject;
             delete from public.workflow_alerts;
             insert into public.workflow_alerts (user_id, execution_id, alert_type, message, created_at)
               select '{ANA}', e.id, 'failure', 'w failed', now() - e.execution_id * interval '1 minute' from public.workflow_executions as e"
        ))
        .await;

    for name in ["20261101002930_alerts", "20261101002940_alert_causes"] {
        let path = root().join(format!("supabase/migrations/{name}.sql"));
        schema.db.run(&std::fs::read_to_string(path).unwrap()).await;
    }

    assert_eq!(schema.db.text(OPEN).await, "execution_failed 1 w failed; execution_failed 1 w failed");
    assert_eq!(
        schema.db.count("select count(*) from public.workflow_alerts where resolved_at is not null").await,
        4
    );
    schema.call("n8n/record_executions", json!({"integration_id": id, "rows": [failed(7)]})).await;
    let more = "select max(times)::bigint from public.workflow_alerts where resolved_at is null";
    assert_eq!(schema.db.count(more).await, 2);
}

#[tokio::test]
async fn failures_that_are_told_side_by_side_and_out_of_order_are_one_alert_for_each_workflow() {
    let schema = Schema::fresh().await;
    let id = server_of_ana(&schema).await;
    let now = chrono::Utc::now() - chrono::TimeDelta::hours(1);
    let row = |number: i64, status: &str, word: &str| {
        let at = (now + chrono::TimeDelta::seconds(number)).to_rfc3339();
        json!({"id": number, "workflow_id": format!("w{}", 1 + number % 2), "status": status, "n8n_status": word, "started_at": at, "stopped_at": at})
    };
    let statement = super::statement("n8n/record_executions");
    let mut tellers = Vec::new();
    for teller in 0..4_i64 {
        let client = connect(&schema.db.url()).await;
        let mut numbers: Vec<i64> = (1..=40).collect();
        if teller % 2 == 0 {
            numbers.reverse();
        }
        let rows: Vec<_> = numbers.into_iter().map(|number| row(number, "failure", "error")).collect();
        let input = json!({"integration_id": id, "rows": rows}).to_string();
        let statement = statement.clone();
        tellers.push(tokio::spawn(async move { client.query_one(&statement, &[&input]).await.map(drop) }));
    }
    for teller in tellers {
        teller.await.unwrap().unwrap();
    }
    assert_eq!(
        schema.db.text(ALL).await,
        "failure execution_failed 20 open, failure execution_failed 20 open"
    );

    // One that succeeded before the last failure settles nothing; one after it does.
    let tell = async |number: i64, status: &str, word: &str| {
        schema
            .call("n8n/record_executions", json!({"integration_id": id, "rows": [row(number, status, word)]}))
            .await
    };
    tell(0, "success", "success").await;
    assert_eq!(
        schema.db.count("select count(*) from public.workflow_alerts where resolved_at is null").await,
        2
    );
    tell(41, "success", "success").await;
    tell(42, "success", "success").await;
    assert_eq!(schema.db.text(OPEN).await, "");
    // And one that is told when its success is known already is over at once.
    schema.db.run("delete from public.workflow_executions where execution_id = 39").await;
    tell(39, "failure", "error").await;
    assert_eq!(schema.db.text(OPEN).await, "");
}

#[tokio::test]
async fn people_close_what_they_were_told_and_nobody_elses() {
    let schema = Schema::fresh().await;
    runs(&schema, (ANA, None), 5, "failed", 1).await;
    judge(&schema).await;
    let (ana, bob) = (as_user(&schema, ANA).await, as_user(&schema, BOB).await);
    let close = "update public.workflow_alerts set resolved_at = now() where resolved_at is null";

    assert_eq!(bob.execute(close, &[]).await.unwrap(), 0);
    assert!(ana.execute("update public.workflow_alerts set message = 'all is well'", &[]).await.is_err());
    assert_eq!(ana.execute(close, &[]).await.unwrap(), 1);
    assert_eq!(schema.db.text(ALL).await, "failure failure_rate 1", "it stays in the history");
    let open = "update public.workflow_alerts set resolved_at = null";
    let refused = ana.execute(open, &[]).await.unwrap_err();
    assert_eq!(
        refused.code().map(tokio_postgres::error::SqlState::code),
        Some("42501"),
        "opening is not theirs"
    );

    assert_eq!(judge(&schema).await, "failure_rate 2 5 of 5 syncs failed", "it is still wrong");
}

#[tokio::test]
async fn rules_are_made_changed_and_removed_by_whose_they_are_and_say_what_they_can() {
    let schema = Schema::fresh().await;
    let (ana, bob) = (as_user(&schema, ANA).await, as_user(&schema, BOB).await);
    let make =
        |columns: &str, values: &str| format!("insert into public.alert_rules ({columns}) values ({values})");

    ana.batch_execute(&make(
        "metric, threshold, least_runs, window_minutes, recipients",
        "'average_duration', 2.5, 3, 60, 'a@x, b@x'",
    ))
    .await
    .unwrap();
    // What supabase-js sends for an upsert.
    let again = "on conflict (owner_id, metric) do update set metric = excluded.metric, threshold = excluded.threshold";
    ana.batch_execute(&format!("{} {again}", make("metric, threshold", "'average_duration', 4")))
        .await
        .unwrap();
    let kept = "select concat_ws(' ', count(*), min(threshold), min(least_runs)) from public.alert_rules";
    assert_eq!(schema.db.text(kept).await, "1 4 3");
    for (columns, values) in [
        ("metric", "'average_duration'"),
        ("metric", "'weather'"),
        ("metric, threshold", "'sync_failed', 3"),
        ("metric, threshold", "'failure_rate', 100"),
        ("metric, window_minutes", "'failure_rate', 0"),
        ("metric, recipients", "'failure_rate', ''"),
        ("metric, org_id", "'failure_rate', gen_random_uuid()"),
    ] {
        assert!(ana.batch_execute(&make(columns, values)).await.is_err(), "{columns} {values}");
    }
    for change in ["update public.alert_rules set is_active = false", "delete from public.alert_rules"] {
        assert_eq!(bob.execute(change, &[]).await.unwrap(), 0, "{change}");
        assert_eq!(ana.execute(change, &[]).await.unwrap(), 1, "{change}");
    }
}
