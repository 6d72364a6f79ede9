//! The dashboard's own tables beside a shop, and tables that note their changes themselves.

use super::two_way::{chair, perform};
use crate::world::{User, World};
use serde_json::{Value, json};

/// Products as a dashboard keeps them, the variants as one document.
const PRODUCTS: &str = "
set role postgres;
create table public.products (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid not null default auth.uid(),
  \"itemId\" text not null unique,
  title text not null,
  variants jsonb not null default '[]',
  seen integer not null default 0,
  updated_at timestamptz not null default now()
);
alter table public.products enable row level security;
create policy \"Owners work with their products\" on public.products to authenticated
  using (owner_id = (select auth.uid())) with check (owner_id = (select auth.uid()));
grant select, insert, update, delete on public.products to authenticated";

/// A sync of the shop's products with the dashboard's, both ways; answers its id.
async fn shop_and_dashboard(user: &User<'_>, changes: &str) -> String {
    user.world.db.run(PRODUCTS).await;
    if changes == "trigger" {
        user.world
            .db
            .run("set role postgres; select sync.watch_table('public.products', 'id', 'owner_id')")
            .await;
    }
    let shop = user.get("integrations?platform=shopify").await.ok()["data"][0]["id"].clone();
    let table =
        json!({ "table": "public.products", "columns": ["itemId", "title", "variants"], "changes": changes });
    let body =
        json!({ "name": "Dashboard", "platform": "supabase", "config": { "tables": { "product": table } } });
    let dashboard = user.invoke("integrations", body).await.ok()["id"].clone();
    let mapping = json!([
        { "source": "handle", "target": "itemId" },
        { "source": "title", "target": "title" },
        { "source": "variants[].sku", "target": "variants[].sku", "key": true },
        { "source": "variants[].price", "target": "variants[].price", "type": "number" },
    ]);
    let body = json!({ "name": "Products", "itemType": "product", "direction": "bidirectional",
        "rules": { "mapping": mapping, "matchKeys": [{ "source": "handle", "target": "itemId" }] }, "sourceIntegrationId": shop, "targetIntegrationId": dashboard });
    user.invoke("sync-configs", body).await.ok()["id"].as_str().unwrap().to_owned()
}

async fn rows(world: &World) -> String {
    let query = "select coalesce(string_agg(concat_ws(' ', \"itemId\", title, variants -> 0 ->> 'price'), ', '), '') from public.products";
    world.db.text(query).await
}

fn written(run: &Value) -> i64 {
    run["recordsCreated"].as_i64().unwrap() + run["recordsUpdated"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_and_the_shop_stay_in_step() {
    for changes in ["column", "trigger"] {
        let world = World::start().await;
        let ana = world.merchant("ana").await;
        ana.shop().has(chair());
        let config = shop_and_dashboard(&ana, changes).await;

        let first = perform(&ana, &config).await;
        assert_eq!(rows(&world).await, "chair Chair 10.00", "{changes}: {first}");
        world.db.run("update public.products set title = 'Armchair', updated_at = now()").await;
        let back = perform(&ana, &config).await;
        assert_eq!(ana.shop().product("chair").unwrap().title, "Armchair", "{changes}: {back}");
        ana.shop().edit("chair", |product| product.variants[0].price = "12.50".to_owned());
        let there = perform(&ana, &config).await;
        let quiet = perform(&ana, &config).await;

        assert_eq!(rows(&world).await, "chair Armchair 12.50", "{changes}: {there}");
        assert_eq!(written(&quiet), 0, "{changes}: {quiet}");
        assert_eq!(world.db.count("select count(*) from public.products").await, 1);
        let owner = world.db.text("select owner_id::text from public.products").await;
        assert_eq!(owner, ana.id.to_string(), "{changes}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_touches_no_shown_column_writes_nothing() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(chair());
    let config = shop_and_dashboard(&ana, "trigger").await;
    perform(&ana, &config).await;

    world.db.run("update public.products set seen = seen + 1, updated_at = now()").await;
    let run = perform(&ana, &config).await;

    assert_eq!((written(&run), &run["status"]), (0, &json!("completed")), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_taken_away_pauses_the_account_until_a_test_succeeds() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.shop().has(chair());
    let config = shop_and_dashboard(&ana, "column").await;
    world.db.run("revoke all on public.products from authenticated").await;

    let run = perform(&ana, &config).await;
    let account = ana.get("integrations?platform=supabase").await.ok()["data"][0].clone();
    let test = async || ana.invoke("integration-test", json!({ "integrationId": account["id"] })).await.ok();
    let unreadable = test().await;
    world.db.run("grant select, insert, update on public.products to authenticated").await;
    let readable = test().await;
    let again = perform(&ana, &config).await;

    assert_eq!((&run["status"], &account["status"]), (&json!("failed"), &json!("error")), "{run}");
    assert_eq!(
        (&unreadable["ok"], &readable["ok"]),
        (&json!(false), &json!(true)),
        "{unreadable} {readable}"
    );
    assert_eq!(
        (&again["status"], rows(&world).await.as_str()),
        (&json!("completed"), "chair Chair 10.00"),
        "{again}"
    );
}
