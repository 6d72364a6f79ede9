//! Bad weather: cut lines, killed processes, a database that goes away. Nothing lost, nothing twice.

use crate::world::{Database, User, World};
use platforms::{Fault, Matcher, product};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often the line is cut behind a commit.
const CUTS: u64 = 200;
/// How often the process is killed in the middle of a run.
const KILLS: u32 = 50;

async fn many(user: &User<'_>, prefix: &str, count: usize) -> Vec<String> {
    let one = |n: usize| {
        product(&format!("{prefix}{n}"))
            .handle(&format!("{prefix}-{n}"))
            .variant(&format!("{prefix}-SKU-{n}"), "10.00")
    };
    let ids: Vec<String> = (0..count).map(|n| user.shop().has(one(n))).collect();
    user.lists("product", &ids).await
}

fn duplicates(creates: BTreeMap<String, u64>) -> Vec<String> {
    creates
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .map(|(key, count)| format!("{key}: {count}"))
        .collect()
}

/// Lets time pass and the queue work until every run has ended.
async fn settle(world: &World) {
    for _ in 0..20 {
        world.time_passes().await;
        world.db.run("update sync.rate_buckets set not_before = now()").await;
        world.db.run("update sync.breakers set open_until = now(), probe_until = now()").await;
        world.drain().await;
        if world.db.count("select count(*) from public.sync_runs where status = 'running'").await == 0 {
            return;
        }
    }
    let left = "select string_agg(r::text, ' ') from public.sync_runs as r where status = 'running'";
    let jobs = "select coalesce(string_agg(q::text, ' '), 'no job') from sync.sync_queue as q where state not in ('done', 'cancelled')";
    panic!("a run does not come to its end: {} {}", world.db.text(left).await, world.db.text(jobs).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_cut_behind_the_commit_make_no_record_twice() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.erp().set_clock_skew(None);
    many(&ana, "p", 300).await;
    let cut = || Matcher::any().path("/record/");
    ana.erp().faults().on(cut().times(CUTS), Fault::DropAfterCommit);
    let ids = many(&ana, "q", 100).await;

    let mut rounds = 0;
    while ana.erp().journal().iter().filter(|entry| entry.faults.contains(&"drop_after_commit")).count() < 200
        && rounds < 500
    {
        rounds += 1;
        ana.syncs().await;
        world.db.run("update sync.breakers set state = 'closed', recent = '', failures_in_row = 0").await;
        // Hundreds of rounds in a minute are more than the budget of one: that is not what this test is about.
        world.db.run("update sync.rate_buckets set minute_tokens = 1000, hour_tokens = 60000").await;
        world.time_passes().await;
        if ana.erp().product_count() >= 400 {
            // Everything is there: give the next cuts something to write.
            let part = usize::try_from(rounds).unwrap() % 100;
            world.platforms.clock().advance(chrono::TimeDelta::seconds(5));
            ana.shop().edit(&format!("q{part}"), |product| product.title = format!("Round {rounds}"));
        }
    }
    ana.erp().faults().clear();
    settle(&world).await;
    let last = ana.invoke("delta-sync", json!({ "mode": "full" })).await.ok();

    assert_eq!(last["status"], "completed", "{last}");
    assert_eq!(ana.erp().product_count(), 400);
    assert_eq!(duplicates(ana.erp().creates_per_key()), Vec::<String>::new());
    let cuts = ana.erp().journal().iter().filter(|entry| entry.faults.contains(&"drop_after_commit")).count();
    assert!(cuts >= 200, "only {cuts} lines were cut in {rounds} rounds; {} items", ids.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_in_the_middle_of_its_run_loses_nothing_and_makes_nothing_twice() {
    let mut world = World::start().await;
    world.be_a_process().await;
    let ana = world.merchant("ana").await;
    ana.erp().set_latency(Duration::from_millis(15));
    many(&ana, "p", 150).await;
    let (mut kills, mut dice) = (0, 17_u64);
    while kills < KILLS {
        let call = ana.try_invoke("delta-sync", json!({ "mode": "full" }));
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let pause = Duration::from_millis(20 + (dice >> 33) % 700);
        tokio::select! {
            _ = call => {}
            () = tokio::time::sleep(pause) => {}
        }
        world.kill_and_restart().await;
        kills += 1;
        world.time_passes().await;
        if ana.erp().product_count() >= 150 {
            many(&ana, &format!("k{kills}x"), 40).await;
        }
    }
    settle(&world).await;
    let last = ana.invoke("delta-sync", json!({ "mode": "full" })).await.ok();
    settle(&world).await;

    assert!(["completed", "running"].contains(&last["status"].as_str().unwrap()), "{last}");
    assert_eq!(ana.erp().product_count(), ana.shop().product_count(), "after {kills} kills");
    assert_eq!(duplicates(ana.erp().creates_per_key()), Vec::<String>::new());
    let failed = world
        .db
        .count("select count(*) from public.sync_list where last_sync_status is distinct from 'success'")
        .await;
    assert_eq!(failed, 0, "every item ended well");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_under_load_is_a_503_and_nothing_is_lost() {
    let world = World::on(Database::alone().await).await;
    let ana = world.merchant("ana").await;
    ana.erp().set_latency(Duration::from_millis(15));
    many(&ana, "p", 120).await;
    for _ in 0..10 {
        let call = ana.invoke("delta-sync", json!({ "mode": "full" }));
        let restart = async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            let cluster = world.db.cluster.clone();
            tokio::task::spawn_blocking(move || cluster.restart_immediate()).await.unwrap().unwrap();
        };
        let (answer, ()) = tokio::join!(call, restart);
        let last = world.host.logs().pop().map(|line| line.text).unwrap_or_default();
        assert!([200, 202, 503].contains(&answer.status), "{answer:?} {last}");
        if answer.status == 503 {
            assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
        }
        world.time_passes().await;
    }
    settle(&world).await;
    let last = ana.invoke("delta-sync", json!({ "mode": "full" })).await.ok();

    assert_eq!(last["status"], "completed", "{last}");
    assert_eq!(ana.erp().product_count(), 120);
    assert_eq!(duplicates(ana.erp().creates_per_key()), Vec::<String>::new());
}
