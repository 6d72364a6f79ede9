//! The clock in the database: the jobs of `pg_cron`, and the calls they make through `pg_net`.

use super::{connected, listed};
use crate::world::{Database, SECRET_KEY, World, root};
use host::scheduler::Scheduler;
use serde_json::{Value, json};
use std::time::Duration;

/// What the operator of a project does once: the address and the key go to the vault.
async fn sets_up(world: &World, key: &str) {
    let url = world.url("").replace("/functions/v1/", "");
    world
        .db
        .run(&format!(
            "select vault.create_secret('{url}/', 'syncline_functions_url'), vault.create_secret('{key}', 'syncline_secret_key')"
        ))
        .await;
    // The first call makes the host compile a component, for which a slow machine takes longer than pg_net waits.
    for name in ["scheduled-sync", "queue-drain"] {
        world.http.get(world.url(name)).send().await.unwrap();
    }
}

/// Runs a job as the clock would.
async fn rings(world: &World, job: &str) {
    let command = world.db.text(&format!("select command from cron.job where jobname = '{job}'")).await;
    world.db.run(&command).await;
}

/// The status that the functions answered to the first call; `None` if there is none after ten seconds.
async fn answered(world: &World) -> Option<i64> {
    for _ in 0..100 {
        let count = "select count(*) from net._http_response";
        if world.db.count(count).await > 0 {
            return Some(
                world.db.count("select coalesce(min(status_code), 0)::bigint from net._http_response").await,
            );
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn the_migrations_make_a_job_for_every_hour_one_for_every_minute_and_one_for_the_night() {
    let db = Database::fresh().await;

    let jobs = db
        .text(
            "select string_agg(jobname || ' ' || schedule, ', ' order by jobname) from cron.job where active",
        )
        .await;

    assert_eq!(
        jobs,
        "syncline-alerts * * * * *, syncline-execution-poll * * * * *, syncline-prune 17 3 * * *, syncline-queue-drain * * * * *, \
         syncline-scheduled-sync 7 * * * *, syncline-workflow-cleanup 43 3 * * *"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_reads_address_and_key_from_the_vault_when_it_runs() {
    let world = World::start().await;
    let text = world.db.text("select string_agg(command, ' ') from cron.job").await;
    sets_up(&world, SECRET_KEY).await;

    rings(&world, "syncline-scheduled-sync").await;

    for part in ["net.http_post", "vault.decrypted_secrets", "timeout_milliseconds := 5000"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let after = world.db.text("select string_agg(command, ' ') from cron.job").await;
    assert_eq!(after, text, "neither address nor key is written into the job");
    let call = "select json_build_object('method', method, 'url', url, 'headers', headers, 'patience', timeout_milliseconds,
                  'body', convert_from(body, 'UTF8'))::text from net.http_request_queue";
    let call: Value = serde_json::from_str(&world.db.text(call).await).unwrap();
    assert_eq!(
        call,
        json!({ "method": "POST", "url": world.url("scheduled-sync"), "patience": 5000, "body": "{}", "headers": {
            "Content-Type": "application/json", "Prefer": "respond-async", "apikey": SECRET_KEY } })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_the_database_alone_brings_an_item_to_the_erp() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair"]).await;
    sets_up(&world, SECRET_KEY).await;
    let _net = Scheduler::start(&world.db.url()).await.unwrap();

    rings(&world, "syncline-scheduled-sync").await;
    assert_eq!(answered(&world).await, Some(202));
    world.db.run("delete from net._http_response").await;
    rings(&world, "syncline-queue-drain").await;
    assert_eq!(answered(&world).await, Some(202));

    for _ in 0..200 {
        if ana.erp().product_count() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ana.erp().product_count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_scheduled_sync_does_not_run_can_be_found_out() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair"]).await;
    let client = connected(&world.db).await;
    let command =
        world.db.text("select command from cron.job where jobname = 'syncline-scheduled-sync'").await;

    // Nothing in the vault: the job itself fails, which pg_cron writes down.
    assert!(client.batch_execute(&command).await.is_err());
    // A wrong key: the call is made and refused, which pg_net writes down.
    sets_up(&world, "sb_secret_that_nobody_knows_here").await;
    let _net = Scheduler::start(&world.db.url()).await.unwrap();
    rings(&world, "syncline-scheduled-sync").await;

    assert_eq!(answered(&world).await, Some(401));
    let content = world.db.text("select content from net._http_response").await;
    assert!(content.contains(r#""code":"unauthorized""#), "{content}");
    // And in the log of the function, under the request's id, without the key.
    let request: Value = serde_json::from_str(&content).unwrap();
    let id = request["request_id"].as_str().unwrap();
    let lines: Vec<String> =
        world.host.logs().into_iter().map(|line| line.text).filter(|line| line.contains(id)).collect();
    assert!(lines.iter().any(|line| line.contains("401")), "{lines:?}");
    assert!(!lines.join(" ").contains("that_nobody_knows"), "{lines:?}");
    assert_eq!(world.db.count("select count(*) from public.sync_runs").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_extensions_the_migration_does_what_it_can() {
    let db = Database::fresh().await;
    let path = root().join("supabase/migrations/20261101001800_scheduled_jobs.sql");
    let migration = std::fs::read_to_string(path).unwrap();
    let jobs = "select coalesce(string_agg(jobname, ' '), '') from cron.job";

    db.run("delete from cron.job; drop schema net cascade").await;
    db.run(&migration).await;
    let without_net = db.text(jobs).await;
    db.run("delete from cron.job; drop schema vault cascade").await;
    db.run(&migration).await;
    let without_vault = db.text(jobs).await;
    db.run("drop schema cron cascade").await;
    db.run(&migration).await;

    assert_eq!((without_net.as_str(), without_vault.as_str()), ("syncline-prune", "syncline-prune"));
    assert_eq!(db.text("select sync.schedule_jobs()::text").await, "{}");
    db.run("select sync.prune()").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_may_name_the_secrets_otherwise_and_schedule_again() {
    let db = Database::fresh().await;

    // On Supabase the operator is who the migrations ran as.
    let schedule =
        "set session authorization postgres; select sync.schedule_jobs('my url''s name', 'my key')";
    db.run(schedule).await;
    db.run(schedule).await;

    assert_eq!(db.count("select count(*) from cron.job").await, 6, "the same jobs, changed");
    let command = db.text("select command from cron.job where jobname = 'syncline-queue-drain'").await;
    assert!(command.contains("'my url''s name'") && command.contains("'my key'"), "{command}");
    assert!(!command.contains("syncline_secret_key"), "{command}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_can_neither_see_nor_make_jobs() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    sets_up(&world, SECRET_KEY).await;
    let client = connected(&world.db).await;
    let session =
        format!("set request.jwt.claims to '{}'; set role authenticated", crate::world::claims(ana.id));
    client.batch_execute(&session).await.unwrap();

    for statement in [
        "select * from cron.job",
        "select * from vault.decrypted_secrets",
        "select sync.schedule_jobs()",
        "select sync.call_text('x', 'y', 'z')",
        "select sync.prune()",
        "select sync.judge_alerts()",
    ] {
        let refused = client.batch_execute(statement).await.unwrap_err();
        assert_eq!(refused.code().unwrap().code(), "42501", "{statement}");
    }
}
