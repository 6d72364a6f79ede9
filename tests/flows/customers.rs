//! Customers of the dashboard (a table of the user's own) and contacts of a CRM, kept equal in both directions.

use super::two_way::perform;
use crate::world::{User, World};
use platforms::contact;
use serde_json::{Value, json};

/// The dashboard's customers: each row its owner's, changes noted by a trigger.
const CUSTOMERS: &str = "
set role postgres;
create table public.customers (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid not null default auth.uid(),
  email text not null unique,
  first_name text,
  last_name text,
  company text,
  updated_at timestamptz not null default now()
);
alter table public.customers enable row level security;
create policy \"Owners work with their customers\" on public.customers to authenticated
  using (owner_id = (select auth.uid())) with check (owner_id = (select auth.uid()));
grant select, insert, update, delete on public.customers to authenticated;
select sync.watch_table('public.customers', 'id', 'owner_id')";

/// Somebody with both, and the sync between them by these further rules.
async fn customers(world: &World, further: Value) -> (User<'_>, String) {
    world.db.run(CUSTOMERS).await;
    let mut ana = world.user("ana").await;
    let crm = ana.connect_hubspot("crm", &[]).await["id"].clone();
    let table = json!({ "table": "public.customers", "changes": "trigger" });
    let body =
        json!({ "name": "Dashboard", "platform": "supabase", "config": { "tables": { "customer": table } } });
    let dashboard = ana.invoke("integrations", body).await.ok()["id"].clone();
    let mut rules = json!({ "mapping": [
            { "source": "email", "target": "email", "transformation": { "format": "lowercase" } },
        { "source": "first_name", "target": "firstName" },
        { "source": "last_name", "target": "lastName" },
        { "source": "company", "target": "company" },
    ] });
    for (name, value) in further.as_object().unwrap() {
        rules[name] = value.clone();
    }
    let body = json!({ "name": "Customers", "itemType": "customer", "direction": "bidirectional", "rules": rules,
        "sourceIntegrationId": dashboard, "targetIntegrationId": crm });
    let config = ana.invoke("sync-configs", body).await.ok()["id"].as_str().unwrap().to_owned();
    (ana, config)
}

async fn add(user: &User<'_>, email: &str, name: &str) {
    let id = user.id;
    let row = format!(
        "insert into public.customers (owner_id, email, first_name) values ('{id}', '{email}', '{name}')"
    );
    user.world.db.run(&row).await;
}

/// The dashboard's customers as text.
async fn rows(world: &World) -> String {
    let query = "select coalesce(string_agg(concat_ws(' ', email, first_name, company), ', ' order by email), '') from public.customers";
    world.db.text(query).await
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_and_contacts_meet_by_their_address_and_stay_equal() {
    let world = World::start().await;
    let (ana, config) = customers(&world, json!({})).await;
    add(&ana, "Mia@Example.com", "Mia").await;
    add(&ana, "new@example.com", "Noor").await;
    ana.crm().has(contact("mia@example.com").with("firstname", "Mia").with("company", "Oak & Co"));
    ana.crm().has(contact("only@crm.example").with("firstname", "Olga"));

    let first = perform(&ana, &config).await;
    let second = perform(&ana, &config).await;
    let quiet = perform(&ana, &config).await;

    assert_eq!(ana.crm().contact_count(), 3, "nobody twice: {first} {second}");
    assert_eq!(world.db.count("select count(*) from public.customers").await, 3, "{first} {second}");
    assert!(rows(&world).await.contains("only@crm.example Olga"), "{}", rows(&world).await);
    assert_eq!(ana.crm().contact("new@example.com").unwrap().get("firstname"), "Noor");
    assert_eq!((&quiet["recordsCreated"], &quiet["recordsUpdated"]), (&json!(0), &json!(0)), "{quiet}");

    world.db.run("update public.customers set first_name = 'Maria' where email ilike 'mia@%'").await;
    assert!(ana.crm().edit("new@example.com", |contact| contact.set("company", "Birch Ltd")));
    let both = perform(&ana, &config).await;

    assert_eq!(ana.crm().contact("mia@example.com").unwrap().get("firstname"), "Maria", "{both}");
    assert!(rows(&world).await.contains("new@example.com Noor Birch Ltd"), "{both}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_deleted_in_the_dashboard_is_deleted_in_the_crm_at_once_because_the_table_says_so() {
    let world = World::start().await;
    let (ana, config) = customers(&world, json!({ "deletes": "delete" })).await;
    add(&ana, "mia@example.com", "Mia").await;
    add(&ana, "noor@example.com", "Noor").await;
    perform(&ana, &config).await;
    world.db.run("delete from public.customers where first_name = 'Mia'").await;

    let run = perform(&ana, &config).await;
    let quiet = perform(&ana, &config).await;

    assert_eq!((&run["recordsDeleted"], ana.crm().contact_count()), (&json!(1), 1), "{run}");
    assert_eq!(
        (rows(&world).await.as_str(), &quiet["recordsCreated"]),
        ("noor@example.com Noor", &json!(0)),
        "{quiet}"
    );
    let done = ana.get("deletes?status=done").await.ok();
    assert_eq!(done["data"][0]["reason"], "tombstone", "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_found_gone_before_it_was_cut_off_is_looked_at_again_by_the_next_one() {
    let world = World::start().await;
    let (ana, config) = customers(&world, json!({ "deletes": "delete" })).await;
    add(&ana, "mia@example.com", "Mia").await;
    add(&ana, "noor@example.com", "Noor").await;
    perform(&ana, &config).await;
    // A run took in that both are gone, moved its cursor, and died. Noor is there again since then.
    world
        .db
        .run(
            "insert into public.sync_deletes (user_id, config_id, run_id, item_type, source_id, target_id, gone_side, reason, policy)
             select c.user_id, c.id, gen_random_uuid(), 'customer', l.source_id, l.target_id, 'source', 'tombstone', 'delete'
             from sync.sync_links as l join public.sync_configs as c on c.id = l.config_id;
             delete from public.customers where first_name = 'Mia'; delete from sync.table_changes where op = 'delete'",
        )
        .await;

    let run = perform(&ana, &config).await;

    assert_eq!((&run["recordsDeleted"], &run["status"]), (&json!(1), &json!("completed")), "{run}");
    assert_eq!((ana.crm().contact_count(), rows(&world).await.as_str()), (1, "noor@example.com Noor"));
    let left = "select string_agg(status, ',' order by status) from public.sync_deletes";
    assert_eq!(world.db.text(left).await, "done,settled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_does_not_fit_its_sides_is_refused_with_its_place() {
    let world = World::start().await;
    let (ana, config) = customers(&world, json!({})).await;
    let rules = json!({ "mapping": [
        { "source": "email", "target": "email" },
        { "source": "shoe_size", "target": "firstName" },
        { "source": "last_name", "target": "noSuchField" },
    ] });

    let change = json!({ "id": config, "rules": rules });
    let refused = ana.request(reqwest::Method::PUT, "sync-configs", change).await;

    assert_eq!(refused.status, 422, "{}", refused.json());
    let pointers: Vec<Value> =
        refused.json()["errors"].as_array().unwrap().iter().map(|one| one["pointer"].clone()).collect();
    assert_eq!(
        pointers,
        [json!("/rules/mapping/1/source"), json!("/rules/mapping/2/target")],
        "{}",
        refused.json()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_shows_what_records_of_now_would_become() {
    let world = World::start().await;
    let (ana, config) = customers(&world, json!({})).await;
    add(&ana, "Mia@Example.com", "Mia").await;

    let preview = ana.invoke("mapping-preview", json!({ "configId": config, "sample": 5 })).await.ok();
    let both =
        ana.invoke("mapping-preview", json!({ "configId": config, "sample": 5, "records": [{}] })).await;

    assert_eq!(preview["data"][0]["output"]["email"], "mia@example.com", "{preview}");
    assert_eq!(
        (preview["data"].as_array().unwrap().len(), preview["problems"].as_array().unwrap().len()),
        (1, 0),
        "{preview}"
    );
    assert_eq!(both.status, 422);
    assert_eq!(ana.crm().contact_count(), 0, "a preview writes nothing");
}
