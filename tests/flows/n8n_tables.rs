//! A data table of n8n as a side of a sync: what the dashboard knows flows there, and what workflows write there comes back.

use super::n8n::AMPLE;
use super::two_way::perform;
use crate::world::{User, World};
use platforms::{Fault, Matcher};
use serde_json::{Value, json};

const USERS: &str = "
set role postgres;
create table public.people (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid not null default auth.uid(),
  email text not null unique,
  plan text,
  visits numeric,
  updated_at timestamptz not null default now()
);
alter table public.people enable row level security;
create policy \"Owners work with their people\" on public.people to authenticated
  using (owner_id = (select auth.uid())) with check (owner_id = (select auth.uid()));
grant select, insert, update, delete on public.people to authenticated;
select sync.watch_table('public.people', 'id', 'owner_id')";

/// Somebody whose people are kept equal with a data table; answers the sync and the table.
async fn people(world: &World) -> (User<'_>, String, String) {
    world.db.run(USERS).await;
    let mut ana = world.user("ana").await;
    let server = ana.connect_n8n("n8n", AMPLE).await;
    let columns = [("email", "string"), ("plan", "string"), ("visits", "number"), ("syncline_key", "string")];
    let table = ana.n8n().add_table("people", &columns);
    let config = json!({ "tables": { "customer": { "table": table, "key": "syncline_key" } } });
    let change = json!({ "id": server, "config": config });
    ana.request(reqwest::Method::PUT, "integrations", change).await.ok();
    let own = json!({ "name": "Dashboard", "platform": "supabase",
        "config": { "tables": { "customer": { "table": "public.people", "changes": "trigger" } } } });
    let own = ana.invoke("integrations", own).await.ok()["id"].clone();
    let fields = ["email", "plan", "visits"].map(|name| json!({ "source": name, "target": name }));
    let body = json!({ "name": "People", "itemType": "customer", "direction": "bidirectional",
        "rules": { "mapping": fields, "matchKeys": [{ "source": "email", "target": "email" }] },
        "sourceIntegrationId": own, "targetIntegrationId": server });
    let config = ana.invoke("sync-configs", body).await.ok()["id"].as_str().unwrap().to_owned();
    (ana, config, table)
}

async fn add(ana: &User<'_>, email: &str, plan: &str, visits: u32) {
    let row = format!(
        "insert into public.people (owner_id, email, plan, visits) values ('{}', '{email}', '{plan}', {visits})",
        ana.id
    );
    ana.world.db.run(&row).await;
}

fn emails(rows: &[Value]) -> Vec<&str> {
    let mut emails: Vec<&str> = rows.iter().map(|row| row["email"].as_str().unwrap()).collect();
    emails.sort_unstable();
    emails
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_dashboard_knows_flows_into_n8n_and_what_workflows_write_comes_back() {
    let world = World::start().await;
    let (ana, config, table) = people(&world).await;
    add(&ana, "mia@example.com", "free", 3).await;
    add(&ana, "noor@example.com", "pro", 7).await;
    ana.n8n().insert_row(&table, &json!({ "email": "only@n8n.example", "plan": "trial", "visits": 1 }));

    let first = perform(&ana, &config).await;
    let second = perform(&ana, &config).await;

    let rows = ana.n8n().rows(&table);
    assert_eq!(
        emails(&rows),
        ["mia@example.com", "noor@example.com", "only@n8n.example"],
        "{first} {second}"
    );
    let mine =
        "select string_agg(concat_ws(' ', email, plan, visits), ', ' order by email) from public.people";
    assert_eq!(
        world.db.text(mine).await,
        "mia@example.com free 3, noor@example.com pro 7, only@n8n.example trial 1",
        "{first} {second}"
    );

    let mia = rows.iter().find(|row| row["email"] == "mia@example.com").unwrap()["id"].as_u64().unwrap();
    ana.world.platforms.clock().advance(chrono::TimeDelta::minutes(1));
    ana.n8n().edit_row(&table, mia, &json!({ "plan": "pro" }));
    world.db.run("update public.people set visits = 8 where email = 'noor@example.com'").await;
    let third = perform(&ana, &config).await;
    perform(&ana, &config).await;

    assert!(world.db.text(mine).await.contains("mia@example.com pro 3, noor@example.com pro 8"), "{third}");
    let rows = ana.n8n().rows(&table);
    let noor = rows.iter().find(|row| row["email"] == "noor@example.com").unwrap();
    assert_eq!((rows.len(), &noor["visits"]), (3, &json!(8)), "nobody twice");
    ana.n8n().clear_journal();
    let quiet = perform(&ana, &config).await;
    assert_eq!(ana.n8n().writes(), 0, "{quiet}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_behind_a_page_that_was_read_is_found_by_the_next_listing() {
    let world = World::start().await;
    let (ana, config, table) = people(&world).await;
    let insert = |number: u32| json!({ "email": format!("{number:03}@n8n.example"), "plan": "trial", "visits": number });
    let ids: Vec<u64> =
        (0..260).map(|number| ana.n8n().insert_row(&table, &insert(number)).unwrap()).collect();
    world.platforms.clock().advance(chrono::TimeDelta::hours(1));
    let began = world.platforms.clock().now() - chrono::TimeDelta::minutes(1);
    // n8n lists 250 rows at once, by id. The second page does not come.
    ana.n8n().faults().on(Matcher::any().method("GET").path("/rows").after(1), Fault::status(503));
    let broken = perform(&ana, &config).await;
    let arrived = world.db.count("select count(*) from public.people").await;
    assert!((240..260).contains(&arrived), "{arrived}: {broken}");
    let told = format!("select count(*) from sync.cursors where side = 'target' and begun_at > '{began}'");
    assert_eq!(world.db.count(&told).await, 1, "the listing began at n8n's time, not at that of a row");
    ana.n8n().faults().clear();
    world.db.run("update sync.breakers set state = 'closed', open_until = '-infinity'").await;

    // The first row changes, and long after it the last one; then the listing goes on.
    for (row, plan) in [(ids[0], "early"), (ids[259], "late")] {
        world.platforms.clock().advance(chrono::TimeDelta::hours(1));
        ana.n8n().edit_row(&table, row, &json!({ "plan": plan }));
    }
    let rest = perform(&ana, &config).await;
    let next = perform(&ana, &config).await;

    let plans = "select string_agg(distinct plan, ', ' order by plan) || ' ' || count(*) from public.people";
    assert_eq!(world.db.text(plans).await, "early, late, trial 260", "{rest} {next}");
}
