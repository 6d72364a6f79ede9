//! The schema as operators bring it to a project: with the Supabase CLI.

use crate::world::root;
use host::Cluster;
use std::path::Path;
use std::process::{Command, Output};
use tokio_postgres::NoTls;

/// What the database looks like: tables, views, functions, policies and rights of our schemas.
const SHAPE: &str = "
select md5(coalesce(string_agg(line, E'\\n' order by line), '')) || ' ' || count(*) from (
  select format('column %s.%s.%s %s', table_schema, table_name, column_name, data_type) as line
  from information_schema.columns where table_schema in ('public', 'sync')
  union all
  select format('function %s %s', p.oid::regprocedure, md5(p.prosrc)) from pg_catalog.pg_proc as p
  where p.pronamespace in ('public'::regnamespace, 'sync'::regnamespace)
  union all
  select format('policy %s.%s %s %s %s', schemaname, tablename, policyname, roles, qual) from pg_catalog.pg_policies
  where schemaname in ('public', 'sync')
  union all
  select format('right %s.%s %s %s', table_schema, table_name, grantee, privilege_type)
  from information_schema.table_privileges where table_schema in ('public', 'sync')
  union all
  select format('index %s.%s %s', schemaname, tablename, indexdef) from pg_catalog.pg_indexes
  where schemaname in ('public', 'sync')
) as lines";

#[tokio::test(flavor = "multi_thread")]
async fn the_supabase_cli_applies_the_migrations_and_finds_nothing_to_do_the_second_time() {
    let cluster = tokio::task::spawn_blocking(|| Cluster::start_own(None)).await.unwrap().unwrap();
    cluster.create("pushed").await.unwrap();
    cluster.create_template("applied", &root().join("supabase/migrations")).await.unwrap();
    let folder = std::env::temp_dir().join(format!("syncline-push-{}", std::process::id()));
    copy(&root().join("supabase"), &folder.join("supabase"));
    let url = format!("{}?sslmode=disable", cluster.database("pushed"));

    let (first, second) = (push(&folder, &url), push(&folder, &url));

    std::fs::remove_dir_all(&folder).unwrap();
    let said = |output: &Output| {
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    assert!(first.status.success(), "{}", said(&first));
    assert!(second.status.success(), "{}", said(&second));
    assert!(said(&second).contains("up to date"), "{}", said(&second));
    let versions =
        "select string_agg(version, ' ' order by version) from supabase_migrations.schema_migrations";
    for query in [versions, SHAPE] {
        let (pushed, applied) =
            (text(&cluster, "pushed", query).await, text(&cluster, "applied", query).await);
        assert_eq!(pushed, applied, "the CLI makes the same database as the tests have: {query}");
    }
}

/// One `supabase db push`, as an operator types it.
fn push(folder: &Path, url: &str) -> Output {
    let cli = root().join("tests/flows/cli");
    let binary = cli.join("node_modules/@supabase/cli-linux-x64/bin/supabase");
    if !binary.exists() {
        let install = ["ci", "--no-audit", "--no-fund", "--ignore-scripts"];
        let done = Command::new("npm").args(install).current_dir(&cli).status().unwrap();
        assert!(done.success(), "npm ci failed in {}", cli.display());
    }
    Command::new(binary)
        .args(["db", "push", "--yes", "--db-url", url, "--workdir"])
        .arg(folder)
        .env("HOME", folder)
        .env("DO_NOT_TRACK", "1")
        .env("SUPABASE_TELEMETRY_DISABLED", "1")
        .output()
        .unwrap()
}

/// Copies a folder, so that what the CLI notes beside the migrations does not stay in the repository.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target);
        } else {
            std::fs::copy(source, target).unwrap();
        }
    }
}

async fn text(cluster: &Cluster, database: &str, query: &str) -> String {
    let (client, connection) = tokio_postgres::connect(&cluster.admin_url(database), NoTls).await.unwrap();
    tokio::spawn(connection);
    client.query_one(query, &[]).await.unwrap().get(0)
}
