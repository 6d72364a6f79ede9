//! `queue-drain`: what becomes of jobs when they are worked, fail, or are worked by several at once.

use super::{column, listed};
use crate::world::{SECRET_KEY, World};
use serde_json::json;
use std::time::Duration;

/// From now on no run can be opened: the ledger refuses.
const LEDGER_REFUSES: &str = "
    create function public.refuses() returns trigger language plpgsql as $$
    begin
      raise exception using errcode = 'PT409', message = 'The ledger is closed.';
    end $$;
    create trigger refuses before insert on public.sync_runs for each row execute function public.refuses()";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_again_and_again_ends_dead_and_is_shown_with_its_error() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = listed(&ana, &["chair"]).await;
    ana.invoke("queue-add", json!({ "syncListIds": items })).await.ok();
    world.db.run(LEDGER_REFUSES).await;

    let mut results = Vec::new();
    for _ in 0..5 {
        let drained = world.tick("queue-drain").await.ok();
        results.push((drained["claimed"].clone(), drained["retried"].clone()));
        world.time_passes().await;
    }

    let dead = ana.get("queue?state=dead").await.ok();
    assert_eq!(dead["data"].as_array().map(Vec::len), Some(1), "{dead}");
    let job = &dead["data"][0];
    assert_eq!((&job["attempts"], &job["maxAttempts"]), (&json!(4), &json!(4)), "{job}");
    assert_eq!(job["lastError"], "The ledger is closed.");
    assert!(job["finishedAt"].is_string(), "{job}");
    assert_eq!(results[4].0, 0, "what is dead is not tried again by itself: {results:?}");
    let figures = world.http.get(world.url("health")).header("apikey", SECRET_KEY).send().await.unwrap();
    assert_eq!(figures.json::<serde_json::Value>().await.unwrap()["jobsDead"], 1);

    world.db.run("drop trigger refuses on public.sync_runs").await;
    let again = ana.invoke("queue-add", json!({ "syncListIds": items })).await.ok();
    world.drain().await;
    assert_ne!(again["jobIds"][0], job["id"], "a dead job takes nothing in");
    assert_eq!(ana.erp().product_count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_failed_waits_longer_before_each_next_try() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair"]).await;
    ana.invoke("queue-add", json!({})).await.ok();
    world.db.run(LEDGER_REFUSES).await;

    let first = world.tick("queue-drain").await.ok();
    let second = world.tick("queue-drain").await.ok();

    assert_eq!((&first["claimed"], &first["retried"]), (&json!(1), &json!(1)), "{first}");
    assert_eq!(second["claimed"], 0, "it is not its turn yet: {second}");
    let waits =
        "select count(*) from sync.sync_queue where state = 'retry' and due_at > now() and attempts = 1";
    assert_eq!(world.db.count(waits).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_workers_do_each_job_once() {
    let world = World::start().await;
    let (ana, ben) = (world.merchant("ana").await, world.merchant("ben").await);
    listed(&ana, &["a", "b", "c", "d", "e"]).await;
    listed(&ben, &["a", "b", "c", "d", "e"]).await;
    for user in [&ana, &ben] {
        user.erp().set_latency(Duration::from_millis(30));
        user.invoke("queue-add", json!({})).await.ok();
    }

    let drains = futures::future::join_all((0..6).map(|_| world.tick("queue-drain"))).await;
    world.time_passes().await;
    world.drain().await;

    assert!(drains.iter().all(|drain| drain.status == 200), "{drains:?}");
    for user in [&ana, &ben] {
        assert_eq!(user.erp().product_count(), 5);
        for (key, count) in user.erp().creates_per_key() {
            assert_eq!(count, 1, "{key} was created {count} times");
        }
        let jobs = user.get("queue?limit=100").await.ok();
        assert!(column(&jobs["data"], "state").iter().all(|state| state == "done"), "{jobs}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_answer_at_once_the_drain_goes_on_behind_its_answer() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair"]).await;
    ana.invoke("queue-add", json!({})).await.ok();
    ana.erp().set_latency(Duration::from_millis(200));

    let reply =
        world.send("queue-drain", json!({}), &[("apikey", SECRET_KEY), ("prefer", "respond-async")]).await;

    assert_eq!((reply.status, &reply.ok()["claimed"]), (202, &json!(0)), "{reply:?}");
    for _ in 0..200 {
        if ana.erp().product_count() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ana.erp().product_count(), 1, "the work was done without another call");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_died_leaves_its_job_to_the_next_one() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair"]).await;
    ana.invoke("queue-add", json!({})).await.ok();
    // What a worker leaves behind that claimed the job and was never heard of again.
    world
        .db
        .run(
            "update sync.sync_queue set state = 'leased', attempts = 1, fence = 1, due_at = now() + interval '60 seconds';
             update sync.queue_groups set busy_until = now() + interval '60 seconds', fence = 1",
        )
        .await;

    let during = world.tick("queue-drain").await.ok();
    world.time_passes().await;
    let after = world.tick("queue-drain").await.ok();

    assert_eq!((&during["claimed"], &after["claimed"], &after["done"]), (&json!(0), &json!(1), &json!(1)));
    assert_eq!(ana.erp().product_count(), 1);
    let job = "select concat_ws(' ', state, attempts) from sync.sync_queue where kind = 'sync_items'";
    assert_eq!(world.db.text(job).await, "done 2");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_empty_queue_a_drain_says_so() {
    let world = World::start().await;

    let drained = world.tick("queue-drain").await.ok();

    assert_eq!((&drained["claimed"], &drained["empty"]), (&json!(0), &json!(true)), "{drained}");
    assert_eq!(world.send("queue-drain", json!({ "limit": 3 }), &[("apikey", SECRET_KEY)]).await.status, 422);
}
