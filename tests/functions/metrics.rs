//! `metrics`: what monitoring counts, in the format that Prometheus reads.

use super::{listed, retitle};
use crate::world::{Reply, SECRET_KEY, World};
use serde_json::json;

async fn scrape(world: &World) -> Reply {
    Reply::of(world.http.get(world.url("metrics")).header("apikey", SECRET_KEY).send().await.unwrap()).await
}

/// The value of one series, by its name and labels as they are written.
fn value(text: &str, series: &str) -> Option<f64> {
    let line =
        text.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')))?;
    line.rsplit_once(' ').unwrap().1.parse().ok()
}

fn records(text: &str, outcome: &str) -> Option<f64> {
    let labels =
        format!("source=\"shopify\",target=\"netsuite\",item_type=\"product\",outcome=\"{outcome}\"");
    value(text, &format!("sync_records_total{{{labels}}}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_did_is_counted_and_stays_counted() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair", "desk"]).await;
    ana.invoke("delta-sync", json!({})).await.ok();
    retitle(&ana, "chair", "Armchair");
    ana.invoke("delta-sync", json!({})).await.ok();

    let first = scrape(&world).await;
    // What a user no longer wants to see, and what is deleted for good, was done all the same.
    world.db.run("delete from public.sync_runs").await;
    let later = scrape(&world).await;

    assert_eq!(first.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    for reply in [&first, &later] {
        let text = &reply.text;
        assert!(text.ends_with("# EOF\n"), "{text}");
        assert_eq!(records(text, "created"), Some(2.0), "{text}");
        assert_eq!(records(text, "updated"), Some(1.0), "{text}");
        assert_eq!(records(text, "unchanged"), Some(1.0), "{text}");
        let between = "source=\"shopify\",target=\"netsuite\",item_type=\"product\"";
        let runs = format!("sync_runs_total{{{between},sync_type=\"delta\",status=\"completed\"}}");
        assert_eq!(value(text, &runs), Some(2.0), "{text}");
        assert_eq!(
            value(text, &format!("sync_run_duration_seconds_count{{{between}}}")),
            Some(2.0),
            "{text}"
        );
        let all = format!("sync_run_duration_seconds_bucket{{le=\"+Inf\",{between}}}");
        assert_eq!(value(text, &all), Some(2.0), "{text}");
        assert!(value(text, &format!("sync_platform_requests_total{{{between}}}")) >= Some(4.0), "{text}");
        assert!(value(text, &format!("sync_lag_seconds{{{between}}}")) < Some(60.0), "{text}");
        assert_eq!(value(text, "sync_integrations{status=\"active\"}"), Some(2.0), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_shows_while_it_does() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair", "desk"]).await;
    world.tick("scheduled-sync").await.ok();
    ana.invoke("queue-add", json!({})).await.ok();

    let waiting = scrape(&world).await.text;
    world.drain().await;
    let done = scrape(&world).await.text;

    assert_eq!(value(&waiting, "sync_queue_jobs{state=\"waiting\"}"), Some(2.0), "{waiting}");
    assert_eq!(value(&done, "sync_queue_jobs{state=\"waiting\"}"), Some(0.0), "{done}");
    assert!(value(&done, "sync_last_tick_timestamp_seconds") > Some(1.7e9), "{done}");
    assert_eq!(value(&done, "sync_open_runs{state=\"stuck\"}"), Some(0.0), "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_end_side_by_side_are_each_counted_once() {
    let world = World::start().await;
    let mut users = Vec::new();
    for number in 0..8 {
        let user = world.merchant(&format!("user{number}")).await;
        listed(&user, &[&format!("chair{number}")]).await;
        users.push(user);
    }

    let syncs = users.iter().map(|user| user.invoke("delta-sync", json!({})));
    for reply in futures::future::join_all(syncs).await {
        reply.ok();
    }

    let text = scrape(&world).await.text;
    assert_eq!(records(&text, "created"), Some(8.0), "{text}");
    let sums = world.db.text("select sum(runs) || ' ' || sum(created) from sync.run_totals").await;
    assert_eq!(sums, "8 8");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_figures_without_the_key() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;

    let anybody = Reply::of(world.http.get(world.url("/metrics")).send().await.unwrap()).await;
    let user = ana.get("metrics").await;
    let key = world.http.get(world.url("/metrics")).header("apikey", SECRET_KEY).send().await.unwrap();

    assert_eq!((anybody.status, user.status, key.status().as_u16()), (401, 401, 200));
}
