//! A shop that is asked, through the functions, to tell of its changes by itself; and asked to stop.

use crate::world::{Hook, Reply, User, World};
use chrono::TimeDelta;
use platforms::{Fault, Matcher, product};
use reqwest::Method;
use serde_json::{Value, json};

const PUBLIC: &str = "https://sync.example.com";
const PRODUCTS: [&str; 3] = ["products/create", "products/update", "products/delete"];

/// A world that platforms reach under a public address.
async fn reachable() -> World {
    World::with(&[("public_url", PUBLIC)]).await
}

/// Somebody whose shop's messages can be verified, and arrive.
async fn hearing<'a>(world: &World, user: &'a User<'a>) -> Hook<'a> {
    let local = world.url("/");
    user.shop().reaches(PUBLIC, local.trim_end_matches('/'));
    let hook = user.hears().await;
    // A shop waits for five seconds only, which the first start of a component may take on a busy machine.
    world.send(&format!("webhook-receive/{}", hook.account), json!({}), &[]).await;
    hook
}

/// Asks for what is told of these kinds of item.
async fn subscribes(user: &User<'_>, account: &str, item_types: &[&str]) -> Reply {
    user.invoke("webhook-subscriptions", json!({ "integrationId": account, "itemTypes": item_types })).await
}

async fn shown(user: &User<'_>, account: &str) -> Reply {
    user.get(&format!("webhook-subscriptions?integrationId={account}")).await
}

async fn ends(user: &User<'_>, account: &str, ids: &[&str]) -> Reply {
    let ids = if ids.is_empty() { String::new() } else { format!("&ids={}", ids.join(",")) };
    let query = format!("webhook-subscriptions?integrationId={account}{ids}");
    user.request(Method::DELETE, &query, Value::Null).await
}

async fn account_on(user: &User<'_>, platform: &str) -> String {
    let accounts = user.get(&format!("integrations?platform={platform}")).await.ok();
    accounts["data"][0]["id"].as_str().unwrap().to_owned()
}

/// One field of every row.
fn column(answer: &Value, field: &str) -> Vec<Value> {
    answer["data"].as_array().unwrap().iter().map(|row| row[field].clone()).collect()
}

/// The field that a refusal is about, and what it says.
fn refusal(reply: &Reply) -> (String, String) {
    let problem = reply.problem("invalid");
    assert_eq!(problem["status"], 422, "{problem}");
    let error = &problem["errors"][0];
    let text = |name: &str| error[name].as_str().unwrap().to_owned();
    (text("pointer"), text("detail"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_is_asked_to_tells_of_a_product_and_it_is_synced_without_a_tick() {
    let world = reachable().await;
    let ana = world.merchant("ana").await;
    let chair = ana.shop().has(product("chair").title("Chair").handle("chair").variant("CHAIR-1", "10.00"));
    ana.lists("product", &[chair]).await;
    ana.syncs().await;
    let hook = hearing(&world, &ana).await;

    let made = subscribes(&ana, &hook.account, &["product"]).await.ok();
    world.platforms.clock().advance(TimeDelta::seconds(7));
    ana.shop().edit("chair", |product| "Throne".clone_into(&mut product.title));
    let messages = hook.deliver().await;
    world.time_passes().await;
    world.drain().await;

    assert_eq!(column(&made, "topic"), PRODUCTS, "{made}");
    assert_eq!(column(&made, "created"), [true; 3], "{made}");
    assert_eq!(made["address"], format!("{PUBLIC}/functions/v1/{}", hook.path()));
    assert_eq!((messages, ana.erp().product("chair").unwrap().title.as_str()), (1, "Throne"));
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_followed_is_subscribed_once_however_often_it_is_asked_for() {
    let world = reachable().await;
    let ana = world.merchant("ana").await;
    let hook = hearing(&world, &ana).await;
    let first = subscribes(&ana, &hook.account, &["order"]).await.ok();

    let all = ana.invoke("webhook-subscriptions", json!({ "integrationId": hook.account })).await.ok();
    let again = ana.invoke("webhook-subscriptions", json!({ "integrationId": hook.account })).await.ok();

    let rows = |answer: &Value| answer["data"].as_array().unwrap().len();
    assert_eq!((rows(&first), rows(&all), rows(&again)), (8, 17, 17), "{all}");
    let new = |answer: &Value| column(answer, "created").into_iter().filter(|one| *one == true).count();
    assert_eq!((new(&first), new(&all), new(&again)), (8, 9, 0));
    assert_eq!(column(&all, "error"), vec![Value::Null; 17]);
    assert_eq!(column(&all, "id"), column(&again, "id"));
    assert_eq!(ana.shop().webhook_subscriptions().len(), 17);
    let shown = shown(&ana, &hook.account).await.ok();
    assert_eq!((rows(&shown), &shown["address"]), (17, &all["address"]), "{shown}");
    assert!(column(&shown, "itemType").iter().all(Value::is_string));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_whose_answer_is_lost_is_made_once_and_found() {
    let world = reachable().await;
    let ana = world.merchant("ana").await;
    let hook = hearing(&world, &ana).await;
    let subscribing = Matcher::any().body("webhookSubscriptionCreate").times(1);
    ana.shop().faults().on(subscribing, Fault::DropAfterCommit);

    let made = subscribes(&ana, &hook.account, &["product"]).await.ok();

    assert_eq!(column(&made, "created"), [true; 3], "{made}");
    assert!(column(&made, "id").iter().all(Value::is_string), "{made}");
    assert_eq!(ana.shop().webhook_subscriptions().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_app_may_not_read_is_refused_topic_by_topic() {
    let world = reachable().await;
    let ana = world.merchant("ana").await;
    let hook = hearing(&world, &ana).await;
    ana.shop().set_scopes(&["read_products", "write_products"]);

    let made = subscribes(&ana, &hook.account, &["product", "order"]).await.ok();

    assert_eq!(column(&made, "created").into_iter().filter(|one| *one == true).count(), 3, "{made}");
    let refused = &made["data"][3];
    assert_eq!((&refused["topic"], &refused["id"]), (&json!("orders/create"), &Value::Null), "{made}");
    assert!(refused["error"].as_str().unwrap().contains("permission"), "{refused}");
    assert_eq!(ana.shop().webhook_subscriptions().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_takes_away_ours_and_leaves_a_strangers() {
    let world = reachable().await;
    let ana = world.merchant("ana").await;
    let hook = hearing(&world, &ana).await;
    // Another address of the same shop and app.
    hook.subscribes(&["PRODUCTS_UPDATE"]).await;
    let stranger = ana.shop().webhook_subscriptions();
    let made = subscribes(&ana, &hook.account, &["product", "inventory"]).await.ok();
    let id = made["data"][0]["id"].as_str().unwrap().to_owned();

    let one = ends(&ana, &hook.account, &[&id]).await.ok();
    let gone = ends(&ana, &hook.account, &[&id]).await.ok();
    let rest = ends(&ana, &hook.account, &[]).await.ok();
    let none = ends(&ana, &hook.account, &[]).await.ok();

    assert_eq!(
        (column(&one, "topic"), column(&one, "removed")),
        (vec![json!("products/create")], vec![json!(true)])
    );
    assert_eq!(
        (&gone["data"][0]["removed"], &gone["data"][0]["topic"]),
        (&json!(false), &Value::Null),
        "{gone}"
    );
    assert_eq!(column(&rest, "removed"), [true; 8], "{rest}");
    assert_eq!(none["data"], json!([]));
    assert_eq!(ana.shop().webhook_subscriptions(), stranger);
    assert_eq!(shown(&ana, &hook.account).await.ok()["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_subscription_is_not_ended_by_naming_it() {
    let world = reachable().await;
    let (ana, ben) = (world.merchant("ana").await, world.merchant("ben").await);
    let (hook, other) = (hearing(&world, &ana).await, hearing(&world, &ben).await);
    let made = subscribes(&ana, &hook.account, &["product"]).await.ok();
    let id = made["data"][0]["id"].as_str().unwrap().to_owned();

    let ended = ends(&ben, &other.account, &[&id]).await.ok();

    assert_eq!(column(&ended, "removed"), [false], "{ended}");
    assert_eq!(ana.shop().webhook_subscriptions().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_and_operators_of_the_organization_may_and_nobody_else() {
    let world = reachable().await;
    let (ana, ben) = (world.merchant("ana").await, world.user("ben").await);
    let hook = hearing(&world, &ana).await;
    for reply in [
        subscribes(&ben, &hook.account, &["product"]).await,
        shown(&ben, &hook.account).await,
        ends(&ben, &hook.account, &[]).await,
    ] {
        assert_eq!(reply.problem("not_found")["status"], 404);
    }
    let share = format!(
        "with made as (insert into public.organizations (name, created_by) values ('Both', '{}') returning id),
           joined as (insert into public.organization_members (org_id, user_id, role) select id, '{}', 'viewer' from made)
         update public.integrations set org_id = (select id from made) where id = '{}'",
        ana.id, ben.id, hook.account
    );
    world.db.run(&share).await;
    for reply in [
        subscribes(&ben, &hook.account, &["product"]).await,
        shown(&ben, &hook.account).await,
        ends(&ben, &hook.account, &[]).await,
    ] {
        assert_eq!(reply.problem("forbidden")["status"], 403, "a viewer");
    }
    assert!(ana.shop().webhook_subscriptions().is_empty());

    world
        .db
        .run(&format!(
            "update public.organization_members set role = 'operator' where user_id = '{}'",
            ben.id
        ))
        .await;

    subscribes(&ben, &hook.account, &["product"]).await.ok();
    assert_eq!(ana.shop().webhook_subscriptions().len(), 3, "an operator");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_heard_is_refused_with_what_to_do() {
    let world = reachable().await;
    let ana = world.merchant("ana").await;
    let (shop, erp) = (account_on(&ana, "shopify").await, account_on(&ana, "netsuite").await);

    let (pointer, detail) = refusal(&subscribes(&ana, &erp, &["product"]).await);
    assert!(pointer == "/integrationId" && detail.contains("schedule"), "{pointer}: {detail}");
    let (pointer, detail) = refusal(&subscribes(&ana, &shop, &["product", "customer"]).await);
    assert!(pointer == "/itemTypes/1" && detail.contains("shopify"), "{pointer}: {detail}");
    assert_eq!(refusal(&subscribes(&ana, &shop, &[]).await).0, "/itemTypes");
    let (pointer, detail) = refusal(&subscribes(&ana, &shop, &["product"]).await);
    assert!(pointer == "/integrationId" && detail.contains("webhook_secret"), "{pointer}: {detail}");
    assert_eq!(refusal(&ana.get("webhook-subscriptions").await).0, "/integrationId");
    assert!(ana.shop().webhook_subscriptions().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_without_an_address_says_which_variable_to_set() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let hook = ana.hears().await;

    for reply in [
        subscribes(&ana, &hook.account, &["product"]).await,
        shown(&ana, &hook.account).await,
        ends(&ana, &hook.account, &[]).await,
    ] {
        let (pointer, detail) = refusal(&reply);
        assert!(pointer.is_empty() && detail.contains("public_url"), "{pointer}: {detail}");
    }
    assert!(ana.shop().webhook_subscriptions().is_empty());
}
