//! The user's own tables as sides of a sync: what their policies and rules make of it, and that nothing is made twice.

use crate::world::{User, World};
use serde_json::{Value, json};
use std::time::Duration;

/// Customers of the dashboard and contacts of the CRM, each row its owner's.
const TABLES: &str = "
set role postgres;
create table public.customers (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid not null default auth.uid(),
  email text not null unique,
  name text,
  credit numeric,
  updated_at timestamptz not null default now()
);
create table public.crm_contacts (
  id bigint generated always as identity primary key,
  owner_id uuid not null default auth.uid(),
  email text not null unique,
  full_name text check (full_name <> 'Nobody'),
  credit_limit numeric,
  updated_at timestamptz not null default now()
);
create index customers_by_change on public.customers (updated_at);
create index crm_contacts_by_change on public.crm_contacts (updated_at);
alter table public.customers enable row level security;
alter table public.crm_contacts enable row level security;
create policy \"Owners work with their customers\" on public.customers to authenticated
  using (owner_id = (select auth.uid())) with check (owner_id = (select auth.uid()));
create policy \"Owners work with their contacts\" on public.crm_contacts to authenticated
  using (owner_id = (select auth.uid())) with check (owner_id = (select auth.uid()));
grant select, insert, update, delete on public.customers, public.crm_contacts to authenticated";

/// Connects a table, through the function that a page would use; answers the account's id.
async fn connect(user: &User<'_>, name: &str, table: Value) -> String {
    let body = json!({ "name": name, "platform": "supabase", "config": { "tables": { "customer": table } } });
    user.invoke("integrations", body).await.ok()["id"].as_str().unwrap().to_owned()
}

/// A sync of the user's customers with the user's contacts; answers its id.
async fn both_ways(user: &User<'_>) -> String {
    let customers = connect(user, "Dashboard", json!({ "table": "public.customers" })).await;
    let contacts = connect(user, "CRM", json!({ "table": "public.crm_contacts" })).await;
    let mapping = json!([
        { "source": "email", "target": "email" },
        { "source": "name", "target": "full_name" },
        { "source": "credit", "target": "credit_limit" },
    ]);
    let body = json!({ "name": "Customers", "itemType": "customer", "direction": "bidirectional",
        "rules": { "mapping": mapping }, "sourceIntegrationId": customers, "targetIntegrationId": contacts });
    user.invoke("sync-configs", body).await.ok()["id"].as_str().unwrap().to_owned()
}

async fn perform(user: &User<'_>, config: &str) -> Value {
    user.invoke("sync-perform", json!({ "configId": config })).await.ok()
}

fn written(run: &Value) -> i64 {
    run["recordsCreated"].as_i64().unwrap() + run["recordsUpdated"].as_i64().unwrap()
}

/// Somebody whose dashboard has these customers (`email, name, credit`), and their sync.
async fn with_customers<'a>(world: &'a World, rows: &[&str]) -> (User<'a>, String) {
    world.db.run(TABLES).await;
    let ana = world.user("ana").await;
    add(&ana, rows).await;
    let config = both_ways(&ana).await;
    (ana, config)
}

async fn add(user: &User<'_>, rows: &[&str]) {
    for row in rows {
        let insert = format!(
            "insert into public.customers (owner_id, email, name, credit) values ('{}', {row})",
            user.id
        );
        user.world.db.run(&insert).await;
    }
}

/// All contacts, as `email name credit`.
async fn contacts(world: &World) -> String {
    let query = "select coalesce(string_agg(concat_ws(' ', email, full_name, credit_limit), ', ' order by email), '') from public.crm_contacts";
    world.db.text(query).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_flow_both_ways_and_every_digit_with_them() {
    let world = World::start().await;
    let (ana, config) = with_customers(&world, &["'ana@x', 'Ana', 12345678901234567890.10"]).await;

    let first = perform(&ana, &config).await;
    assert_eq!(contacts(&world).await, "ana@x Ana 12345678901234567890.10", "{first}");
    world
        .db
        .run("update public.crm_contacts set full_name = 'Ana B', credit_limit = 0.10, updated_at = now()")
        .await;
    let second = perform(&ana, &config).await;
    let quiet = perform(&ana, &config).await;

    let customer = world.db.text("select concat_ws(' ', email, name, credit) from public.customers").await;
    assert_eq!(customer, "ana@x Ana B 0.10", "{second}");
    assert_eq!((written(&first), written(&second), written(&quiet)), (1, 1, 0), "{first} {second} {quiet}");
    assert_eq!(quiet["status"], "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_one_microsecond_all_arrive() {
    let world = World::start().await;
    let (ana, config) = with_customers(&world, &[]).await;
    world
        .db
        .run(&format!(
            "insert into public.customers (owner_id, email, updated_at)
             select '{}', n || '@x', timestamptz '2026-11-21T12:00:00.123456Z' from generate_series(1, 1201) as n",
            ana.id
        ))
        .await;

    let run = perform(&ana, &config).await;
    let quiet = perform(&ana, &config).await;

    assert_eq!(run["recordsCreated"], 1201, "{run}");
    assert_eq!(world.db.count("select count(distinct email) from public.crm_contacts").await, 1201);
    assert_eq!(written(&quiet), 0, "{quiet}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_other_table_refuses_stops_no_other() {
    let world = World::start().await;
    let rows = ["'a@x', 'Ana', 1", "'b@x', 'Nobody', 2", "'c@x', 'Cem', 3"];
    let (ana, config) = with_customers(&world, &rows).await;

    let run = perform(&ana, &config).await;

    assert_eq!(contacts(&world).await, "a@x Ana 1, c@x Cem 3");
    assert_eq!((&run["recordsCreated"], &run["recordsFailed"]), (&json!(2), &json!(1)), "{run}");
    let why = world.db.text("select message from public.sync_issues").await;
    assert!(why.contains("crm_contacts_full_name_check"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_syncs_its_owners_rows_and_nobody_elses() {
    let world = World::start().await;
    let (ana, config) = with_customers(&world, &["'ana@x', 'Ana', 1"]).await;
    let ben = world.user("ben").await;
    add(&ben, &["'ben@x', 'Ben', 2"]).await;

    perform(&ana, &config).await;

    assert_eq!(contacts(&world).await, "ana@x Ana 1");
    let owner = world.db.text("select owner_id::text from public.crm_contacts").await;
    assert_eq!(owner, ana.id.to_string(), "what is made is its owner's");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_before_a_cut_is_not_made_again() {
    let world = World::start().await;
    let (ana, config) = with_customers(&world, &["'ana@x', 'Ana', 1"]).await;
    perform(&ana, &config).await;
    // As after a cut between the write and its record: we remember that it was to be made, and not that it was. The row
    // has another address by now, so that only our own key can find it.
    world
        .db
        .run(
            "delete from sync.sync_links; delete from sync.cursors;
             update public.crm_contacts set email = 'other@x'",
        )
        .await;

    let run = perform(&ana, &config).await;

    assert_eq!(world.db.count("select count(*) from public.crm_contacts").await, 1, "{run}");
}

const CONTACTS: &str = "select count(*) from public.crm_contacts";

/// Until there are more contacts than these.
async fn more_than(world: &World, before: i64) {
    while world.db.count(CONTACTS).await <= before {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_between_its_writes_makes_no_row_twice() {
    let mut world = World::start().await;
    world.be_a_process().await;
    let (ana, config) = with_customers(&world, &[]).await;
    // Nothing of the table itself would refuse a second row, and by its address the first one is not found again.
    world
        .db
        .run(&format!(
            "alter table public.crm_contacts drop constraint crm_contacts_email_key;
             create function public.rename() returns trigger language plpgsql as $$
             begin new.email := 'crm+' || new.email; return new; end $$;
             create trigger rename before insert on public.crm_contacts for each row execute function public.rename();
             insert into public.customers (owner_id, email, name) select '{}', n || '@x', 'n' from generate_series(1, 3000) as n",
            ana.id
        ))
        .await;
    let mut halfway = 0;
    for _ in 0..5 {
        let before = world.db.count(CONTACTS).await;
        tokio::select! {
            _ = ana.try_invoke("sync-perform", json!({ "configId": config })) => {}
            () = more_than(&world, before) => {}
        }
        world.kill_and_restart().await;
        world.time_passes().await;
        halfway += i32::from((1..3000).contains(&world.db.count(CONTACTS).await));
    }

    for _ in 0..5 {
        world.time_passes().await;
        world.drain().await;
    }
    let last = perform(&ana, &config).await;

    assert!(halfway > 0, "no run was cut between its writes");
    assert_eq!(world.db.count(CONTACTS).await, 3000, "{}", last["status"]);
    assert_eq!(world.db.count("select count(*) from public.customers").await, 3000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connected_table_is_tested_and_says_what_it_lacks() {
    let world = World::start().await;
    world.db.run(TABLES).await;
    let ana = world.user("ana").await;
    let good = connect(&ana, "Dashboard", json!({ "table": "public.customers" })).await;
    let refused = connect(&ana, "Secrets", json!({ "table": "sync.credentials" })).await;
    let unwatched =
        connect(&ana, "CRM", json!({ "table": "public.crm_contacts", "changes": "trigger" })).await;
    let test = async |id: &str| ana.invoke("integration-test", json!({ "integrationId": id })).await.ok();

    let fine = test(&good).await;
    assert_eq!((&fine["ok"], &fine["accountName"]), (&json!(true), &json!("public.customers")), "{fine}");
    let steps = |answer: &Value| answer["steps"].as_array().unwrap().last().unwrap()["detail"].to_string();
    let answer = test(&refused).await;
    assert!(answer["ok"] == false && steps(&answer).contains("own parts"), "{answer}");
    let answer = test(&unwatched).await;
    assert!(steps(&answer).contains("sync.watch_table"), "{answer}");
    world.db.run("revoke insert on public.customers from authenticated").await;
    let answer = test(&good).await;
    let warnings = answer["warnings"].to_string();
    assert!(
        answer["ok"] == true && warnings.contains("grant insert on public.customers to authenticated"),
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_for_own_tables_takes_no_other_address_and_no_secret() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let shop = world.platforms.shopify("ana");
    let account = |address: &str, credential: Value| json!({ "name": "x", "platform": "supabase", "baseUrl": address, "credential": credential });

    for address in [shop.address(), "https://acme.myshopify.com", "supabase://tables/x"] {
        ana.invoke("integrations", account(address, json!({}))).await.problem("invalid");
    }
    let token = json!({ "kind": "access_token", "access_token": "x" });
    ana.invoke("integrations", account("supabase://tables", token)).await.problem("invalid");
    let made = ana.invoke("integrations", account("supabase://tables", json!({}))).await.ok();

    assert_eq!((&made["baseUrl"], &made["credentialKind"]), (&json!("supabase://tables"), &json!("none")));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_table_are_searched_before_they_are_synced() {
    let world = World::start().await;
    let (ana, _) = with_customers(&world, &["'ana@x', 'Ana', 1", "'ben@x', 'Ben', 2"]).await;
    let id = ana.get("integrations?platform=supabase").await.ok()["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == "Dashboard")
        .unwrap()["id"]
        .clone();

    let body = json!({ "integrationId": id, "itemType": "customer", "filterConfig": { "text": "ben" } });
    let found = ana.invoke("item-search", body).await.ok();

    assert_eq!(found["data"].as_array().map_or(0, Vec::len), 1, "{found}");
}
