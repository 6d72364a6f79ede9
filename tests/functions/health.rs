//! `health`, `live`, `ready`: how we are. What is a platform's trouble is not ours.

use super::{listed, names};
use crate::world::{Database, Reply, SECRET_KEY, World};
use platforms::Fault;
use serde_json::{Value, json};

async fn ask(world: &World, function: &str) -> Reply {
    Reply::of(world.http.get(world.url(function)).send().await.unwrap()).await
}

async fn figures(world: &World) -> Value {
    let request = world.http.get(world.url("health")).header("apikey", SECRET_KEY);
    Reply::of(request.send().await.unwrap()).await.ok()
}

fn warnings(health: &Value) -> String {
    health["warnings"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// Lets nobody in to this database any more, or lets them in again.
async fn close(db: &Database, closed: bool) {
    let client = {
        let url = db.cluster.admin_url("postgres");
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    };
    let name = db.url().rsplit_once('/').unwrap().1.split('?').next().unwrap().to_owned();
    client.batch_execute(&format!("alter database {name} with allow_connections {}", !closed)).await.unwrap();
    if closed {
        let end = format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'");
        client.batch_execute(&end).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn anybody_may_ask_and_learns_no_figures() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;

    assert_eq!(ask(&world, "live").await.ok(), json!({ "status": "ok" }));
    assert_eq!(ask(&world, "ready").await.ok(), json!({ "status": "ready" }));
    let summary = json!({ "status": "healthy", "warnings": [] });
    assert_eq!(ask(&world, "health").await.ok(), summary);
    assert_eq!(ana.get("health").await.ok(), summary, "a user is anybody here");
    let short = world.url("").replace("/functions/v1/", "/health");
    assert_eq!(Reply::of(world.http.get(short).send().await.unwrap()).await.ok(), summary);
    let wrong = world.http.get(world.url("health")).header("apikey", "sb_secret_wrong_but_long_enough");
    assert_eq!(Reply::of(wrong.send().await.unwrap()).await.ok(), summary);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_key_of_a_system_there_are_figures_of_every_part() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair", "desk"]).await;
    let before = figures(&world).await;
    world.tick("scheduled-sync").await.ok();
    ana.invoke("queue-add", json!({})).await.ok();

    let after = figures(&world).await;

    assert_eq!(
        names(&after),
        [
            "breakersOpen",
            "integrationsActive",
            "integrationsInError",
            "jobsDead",
            "jobsLeased",
            "jobsWaiting",
            "lastTickAt",
            "oldestDueSeconds",
            "partitionsAhead",
            "runsRunning",
            "runsStuck",
            "status",
            "time",
            "warnings"
        ]
    );
    assert_eq!((&before["lastTickAt"], &before["jobsWaiting"]), (&Value::Null, &json!(0)), "{before}");
    assert!(after["lastTickAt"].is_string(), "{after}");
    assert_eq!((&after["jobsWaiting"], &after["integrationsActive"]), (&json!(2), &json!(2)), "{after}");
    assert_eq!((&after["partitionsAhead"], &after["runsRunning"]), (&json!(3), &json!(0)), "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_the_deployment_is_alive_and_not_ready() {
    let world = World::start().await;
    ask(&world, "ready").await.ok();

    close(&world.db, true).await;
    let (live, ready, health) =
        (ask(&world, "live").await, ask(&world, "ready").await, ask(&world, "health").await);
    close(&world.db, false).await;

    assert_eq!(live.status, 200, "{live:?}");
    for down in [ready, health] {
        assert_eq!(down.problem("unavailable")["status"], 503);
        assert!(down.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0), "{down:?}");
        assert!(
            !down.text.contains("sync_functions") && !down.text.contains("test_"),
            "no address in it: {down:?}"
        );
    }
    assert_eq!(ask(&world, "ready").await.status, 200, "and it recovers by itself");
    assert_eq!(ask(&world, "health").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_users_request_without_the_database_asks_to_come_again() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair"]).await;

    close(&world.db, true).await;
    let reply = ana.invoke("delta-sync", json!({})).await;
    close(&world.db, false).await;

    assert_eq!(reply.problem("unavailable")["status"], 503);
    assert_eq!(ana.syncs().await["itemsCreated"], 1, "nothing is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_is_away_is_a_figure_and_not_our_failure() {
    let world = World::start().await;
    let (ana, ben) = (world.merchant("ana").await, world.merchant("ben").await);
    listed(&ana, &["chair"]).await;
    listed(&ben, &["lamp"]).await;
    ana.shop().faults().always(Fault::status(503));
    ben.shop().revoke_token();
    for user in [&ana, &ben] {
        for _ in 0..2 {
            user.syncs().await;
        }
    }

    let health = figures(&world).await;

    assert_eq!((&health["breakersOpen"], &health["integrationsInError"]), (&json!(1), &json!(1)), "{health}");
    assert_eq!(health["integrationsActive"], 3, "{health}");
    assert_eq!((ask(&world, "health").await.status, ask(&world, "ready").await.status), (200, 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_no_longer_ticks_is_a_warning() {
    let world = World::start().await;
    world.tick("scheduled-sync").await.ok();
    assert_eq!(ask(&world, "health").await.ok()["status"], "healthy");

    world.db.run("update public.sync_runs set created_at = now() - interval '3 hours 1 minute'").await;

    let reply = ask(&world, "health").await;
    assert_eq!((reply.status, &reply.ok()["status"]), (200, &json!("degraded")));
    assert!(warnings(&reply.ok()).contains("scheduled-sync has not run"), "{reply:?}");
    world.tick("scheduled-sync").await.ok();
    assert_eq!(ask(&world, "health").await.ok()["status"], "healthy");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_nobody_works_and_a_run_that_stands_still_are_warnings() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair"]).await;
    ana.invoke("queue-add", json!({})).await.ok();
    world.db.run("update sync.sync_queue set due_at = now() - interval '6 minutes'").await;

    let late = figures(&world).await;
    world.drain().await;
    let worked = figures(&world).await;
    world
        .db
        .run(
            "set session_replication_role to 'replica';
             update public.sync_runs set status = 'running', finished_at = null, updated_at = now() - interval '20 minutes'
             where kind = 'sync'",
        )
        .await;
    let stuck = figures(&world).await;

    assert_eq!(late["status"], "degraded", "{late}");
    assert!(late["oldestDueSeconds"].as_u64().is_some_and(|seconds| seconds >= 360), "{late}");
    assert!(warnings(&late).contains("queue-drain"), "{late}");
    assert_eq!(
        (&worked["status"], &worked["oldestDueSeconds"]),
        (&json!("healthy"), &Value::Null),
        "{worked}"
    );
    assert_eq!((&stuck["runsStuck"], &stuck["status"]), (&json!(1), &json!("degraded")), "{stuck}");
}

#[tokio::test(flavor = "multi_thread")]
async fn months_that_nobody_prepared_are_a_warning() {
    let world = World::start().await;
    world
        .db
        .run(
            "do $$ declare name text; begin
               for name in select c.oid::regclass::text from pg_inherits as h join pg_class as c on c.oid = h.inhrelid
                 where h.inhparent = 'public.sync_events'::regclass
                   and c.relname <> 'sync_events_' || to_char(now() at time zone 'UTC', 'YYYY_MM')
               loop execute 'drop table ' || name; end loop;
             end $$",
        )
        .await;

    let health = figures(&world).await;
    world.db.run("select sync.prune()").await;

    assert_eq!((&health["partitionsAhead"], &health["status"]), (&json!(0), &json!("degraded")), "{health}");
    assert_eq!(figures(&world).await["status"], "healthy", "the nightly job makes them");
}
