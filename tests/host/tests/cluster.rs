//! The cluster: Supabase's roles and schemas, templates, crashes, the scheduler.

mod help;

use std::path::PathBuf;
use std::time::Duration;

use help::{Upstream, cluster};
use host::migrate::{connect, migrate};
use host::{Cluster, scheduler::Scheduler};

#[expect(clippy::unwrap_used, reason = "a helper of tests fails with its test")]
fn migrations(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("syncline-migrations-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (file, sql) in files {
        std::fs::write(folder.join(file), sql).unwrap();
    }
    folder
}

#[tokio::test]
async fn a_template_is_migrated_once_and_copied_many_times() {
    let folder = migrations(
        "template",
        &[
            ("20260101000000_table.sql", "create table public.things (id int4 primary key);"),
            (
                "20260102000000_row.sql",
                "insert into public.things values (1); insert into public.things values (2);",
            ),
            ("notes.sql", "this is no migration"),
        ],
    );
    let cluster = cluster();
    cluster.create_template("template_a", &folder).await.unwrap();
    assert!(migrate(&cluster.database("template_a"), &folder).await.unwrap().is_empty());
    for name in ["copy_1", "copy_2"] {
        let url = cluster.create_from_template("template_a", name).await.unwrap();
        let client = connect(&url).await.unwrap();
        let rows: i64 = client.query_one("select count(*) from things", &[]).await.unwrap().get(0);
        assert_eq!(rows, 2);
        let user: String = client.query_one("select current_user::text", &[]).await.unwrap().get(0);
        assert_eq!(user, "postgres");
    }
    cluster.drop_database("copy_1").await.unwrap();
}

#[tokio::test]
async fn a_failing_migration_leaves_nothing_and_names_its_line() {
    let folder = migrations(
        "failing",
        &[("20260101000000_bad.sql", "create table public.half (id int4);\n\nselect nonsense;\n")],
    );
    let cluster = cluster();
    cluster.create("failing").await.unwrap();
    let error = migrate(&cluster.database("failing"), &folder).await.unwrap_err();
    assert!(format!("{error:#}").contains("line 3"), "{error:#}");
    let client = connect(&cluster.database("failing")).await.unwrap();
    let left: bool =
        client.query_one("select to_regclass('public.half') is not null", &[]).await.unwrap().get(0);
    assert!(!left);
}

#[tokio::test]
async fn the_caller_is_who_the_claims_say_and_the_vault_is_closed_to_him() {
    let cluster = cluster();
    cluster.create("claims").await.unwrap();
    let client = connect(&cluster.database("claims")).await.unwrap();
    client.batch_execute("select vault.create_secret('s', 'n')").await.unwrap();
    let claims = r#"{"sub":"00000000-0000-0000-0000-000000000007","role":"authenticated"}"#;
    client.batch_execute("begin").await.unwrap();
    client.execute("select set_config('request.jwt.claims', $1, true)", &[&claims]).await.unwrap();
    client.batch_execute("set local role authenticated").await.unwrap();
    let who: String = client.query_one("select auth.uid()::text", &[]).await.unwrap().get(0);
    assert!(who.ends_with('7'));
    assert!(client.query("select * from vault.decrypted_secrets", &[]).await.is_err());
    client.batch_execute("rollback").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scheduler_sends_what_was_committed_and_nothing_else() {
    let upstream = Upstream::start().await;
    let cluster = cluster();
    cluster.create("scheduler").await.unwrap();
    let client = connect(&cluster.database("scheduler")).await.unwrap();
    let _scheduler = Scheduler::start(&cluster.admin_url("scheduler")).await.unwrap();
    let post = format!(
        "select net.http_post('http://{}/x', '{{\"a\":1}}', headers => '{{\"apikey\":\"k\"}}')",
        upstream.address()
    );
    client.batch_execute(&format!("begin; {post}; rollback")).await.unwrap();
    client.batch_execute(&post).await.unwrap();
    let mut answers = Vec::new();
    for _ in 0..100 {
        answers = client.query("select status_code, content from net._http_response", &[]).await.unwrap();
        if !answers.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].get::<_, i32>(0), 200);
    let content: String = answers[0].get(1);
    assert!(content.starts_with("POST /x") && content.contains("apikey: k"), "{content}");
}

#[tokio::test]
async fn what_was_committed_survives_a_restart() {
    // A cluster of its own: the other tests would notice.
    let cluster = tokio::task::spawn_blocking(|| Cluster::start_own(None).unwrap()).await.unwrap();
    cluster.create("crash").await.unwrap();
    let client = connect(&cluster.database("crash")).await.unwrap();
    client.batch_execute("create table kept (id int4)").await.unwrap_or_else(|e| panic!("{e}"));
    cluster.restart_immediate().unwrap();
    let client = connect(&cluster.database("crash")).await.unwrap();
    client.batch_execute("insert into kept values (1)").await.unwrap();
    let folder = cluster.data_dir().unwrap();
    drop(client);
    cluster.stop();
    assert!(!folder.exists());
}

#[tokio::test]
async fn on_a_server_that_is_not_ours_databases_belong_to_the_owner_and_nothing_else_is_touched() {
    let folder = migrations(
        "foreign",
        &[("20260101000000_table.sql", "create table public.things (id int4 primary key);")],
    );
    let ours = Cluster::start_own(None).unwrap();
    let admin = connect(&ours.admin_url("postgres")).await.unwrap();
    admin
        .batch_execute("create role boss superuser login password 'secret'; create role guest login")
        .await
        .unwrap();
    let address = |user: &str| format!("postgres://{user}@127.0.0.1:{}/anything", ours.port());
    let theirs = Cluster::at(&address("boss:secret")).unwrap();

    theirs.create_template("theirs", &folder).await.unwrap();

    let client = connect(&theirs.database("theirs")).await.unwrap();
    let ask = "select session_user::text, current_user::text, current_setting('search_path'), \
               (select tableowner::text from pg_catalog.pg_tables where tablename = 'things')";
    let row = client.query_one(ask, &[]).await.unwrap();
    let texts: Vec<String> = (0..4).map(|at| row.get(at)).collect();
    assert_eq!(texts, ["boss", "postgres", "\"$user\",public,extensions", "postgres"]);
    let refusal = Cluster::at(&address("guest")).unwrap().check().await.unwrap_err();
    assert!(refusal.to_string().contains("guest is no superuser"), "{refusal:#}");
    // A Syncline that people use: its functions' password is the same in all databases of the server.
    admin.batch_execute("create schema sync").await.unwrap();
    let refusal = theirs.create("another").await.unwrap_err();
    assert!(refusal.to_string().contains("Syncline is installed"), "{refusal:#}");
    ours.stop();
}
