//! `webhook-receive`: which jobs follow from a message that is believed, and for whom.

use super::webhook_receive::{answer, body, change, kept, sync_of_everything};
use super::{listed, small};
use crate::world::{User, World};
use futures::stream::{self, StreamExt};
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_fifty_messages_about_one_record_is_one_job() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair", "desk"]).await;
    let hook = ana.hears().await;
    let body = body(&ana.shop().product_id("chair").unwrap());

    let replies = futures::future::join_all((0..50).map(|_| hook.tells("products/update", &body))).await;

    assert!(replies.iter().all(|reply| reply.ok() == answer(false, 1)), "{replies:?}");
    assert_eq!(kept(&world).await, (50, 1));
    world.time_passes().await;
    world.drain().await;
    assert_eq!(ana.erp().product_count(), 1, "and it is about this record alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_waits_for_its_next_try_is_not_hurried_by_messages() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair"]).await;
    let hook = ana.hears().await;
    let body = body(&ana.shop().product_id("chair").unwrap());
    hook.tells("products/update", &body).await.ok();
    world.db.run("update sync.sync_queue set state = 'retry', due_at = now() + interval '1 hour'").await;

    let reply = hook.tells("products/update", &body).await;

    assert_eq!(reply.ok(), answer(false, 1));
    assert_eq!(kept(&world).await, (2, 1));
    let late = "select count(*) from sync.sync_queue where due_at > now() + interval '59 minutes'";
    assert_eq!(world.db.count(late).await, 1);
}

/// The first one's shop belongs to an organization in which the second works, who lists a record of it towards an ERP
/// of their own.
async fn share(world: &World, (ana, ben): (&User<'_>, &User<'_>), shop: &str, record: &str) {
    let (ana, ben) = (ana.id, ben.id);
    let statements = format!(
        "with made as (insert into public.organizations (name, created_by) values ('Both', '{ana}') returning id),
           joined as (insert into public.organization_members (org_id, user_id, role) select id, '{ben}', 'operator' from made)
         update public.integrations set org_id = (select id from made) where id = '{shop}';
         insert into public.sync_list (user_id, org_id, item_type, source_platform, target_platform,
           source_integration_id, target_integration_id, source_id)
         select '{ben}', shop.org_id, 'product', 'shopify', 'netsuite', shop.id, erp.id, '{record}'
         from public.integrations as shop, public.integrations as erp
         where shop.id = '{shop}' and erp.user_id = '{ben}' and erp.platform = 'netsuite'"
    );
    world.db.run(&statements).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_uses_the_account_is_served_each_with_a_job_of_their_own() {
    let world = World::start().await;
    let (ana, ben) = (world.merchant("ana").await, world.merchant("ben").await);
    listed(&ana, &["chair"]).await;
    let hook = ana.hears().await;
    let id = ana.shop().product_id("chair").unwrap();
    share(&world, (&ana, &ben), &hook.account, &id).await;

    let reply = hook.tells("products/update", &body(&id)).await;

    assert_eq!(reply.ok(), answer(false, 2));
    let owners = "select count(distinct user_id) from sync.sync_queue where kind = 'sync_items'";
    assert_eq!(world.db.count(owners).await, 2);
    world.time_passes().await;
    world.drain().await;
    assert_eq!((ana.erp().product_count(), ben.erp().product_count()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realtime_sync_without_items_looks_at_everything_once_for_many_messages() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let hook = ana.hears().await;
    let sync = sync_of_everything(&ana, "realtime").await;
    let ids: Vec<String> = ["chair", "desk", "lamp"].iter().map(|key| ana.shop().has(small(key))).collect();

    for id in &ids {
        assert_eq!(hook.tells("products/create", &body(id)).await.ok(), answer(false, 1));
    }
    let jobs = ana.get("queue").await.ok();
    world.time_passes().await;
    world.drain().await;

    assert_eq!(jobs["data"].as_array().map(Vec::len), Some(1), "{jobs}");
    assert_eq!((&jobs["data"][0]["kind"], &jobs["data"][0]["configId"]), (&json!("changed"), &json!(sync)));
    assert_eq!(ana.erp().product_count(), 3);
    let run = &ana.get("sync-history").await.ok()["data"][0];
    assert_eq!((&run["status"], &run["itemsCreated"]), (&json!("completed"), &json!(3)), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_during_a_run_is_looked_at_after_it_and_not_for_a_sync_that_was_switched_off() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let hook = ana.hears().await;
    let sync = sync_of_everything(&ana, "realtime").await;
    let id = ana.shop().has(small("chair"));
    hook.tells("products/create", &body(&id)).await.ok();
    // Another worker is at the sync.
    let run = "insert into sync.leases (key, run_id, top_run_id, expires_at)
        select 'config:' || id, gen_random_uuid(), gen_random_uuid(), now() + interval '1 hour' from public.sync_configs";
    world.db.run(run).await;
    world.db.run("update sync.sync_queue set due_at = now()").await;

    let busy = world.tick("queue-drain").await.ok();
    assert_eq!((&busy["claimed"], &busy["retried"]), (&json!(1), &json!(1)), "{busy}");
    world.time_passes().await;
    world.drain().await;
    assert_eq!(ana.erp().product_count(), 1, "after that run it is looked at");

    hook.tells("products/update", &body(&id)).await.ok();
    change(&ana, "sync-configs", json!({ "id": sync, "enabled": false })).await;
    world.time_passes().await;
    let off = world.tick("queue-drain").await.ok();
    assert_eq!((&off["claimed"], &off["done"]), (&json!(1), &json!(1)), "{off}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_far_side_of_a_sync_is_heard_only_where_it_goes_both_ways() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    ana.erp().has(small("chair"));
    let id = ana.erp().item_id("chair").unwrap();
    ana.lists_from("netsuite", "shopify", "product", &[id]).await;
    ana.syncs().await;
    let hook = ana.hears().await;
    let body = body(&ana.shop().product_id("chair").unwrap());

    let one_way = hook.tells("products/update", &body).await.ok();
    world.db.run("update public.sync_configs set direction = 'bidirectional'").await;
    let both_ways = hook.tells("products/update", &body).await.ok();

    assert_eq!((one_way, both_ways), (answer(false, 0), answer(false, 1)));
    assert_eq!(kept(&world).await, (2, 1));
}

/// Shopify gives up after five seconds, and drops a subscription that fails too often.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_a_thousand_messages_is_answered_in_time_and_none_is_lost() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let keys: Vec<String> = (0..40).map(|number| format!("p{number}")).collect();
    listed(&ana, &keys.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let hook = ana.hears().await;
    let bodies: Vec<String> = keys.iter().map(|key| body(&ana.shop().product_id(key).unwrap())).collect();

    let messages = (0..1_000).map(|number| {
        let (hook, body) = (&hook, &bodies[number % bodies.len()]);
        async move {
            let began = Instant::now();
            (hook.tells("products/update", body).await.status, began.elapsed())
        }
    });
    let mut answers: Vec<(u16, Duration)> = stream::iter(messages).buffer_unordered(50).collect().await;

    answers.sort_by_key(|(_, took)| *took);
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    assert!(answers[990].1 < Duration::from_secs(5), "{:?}", answers[990]);
    assert_eq!(kept(&world).await, (1_000, 40));
}
