//! `queue-add` and `queue`: work that waits, seen and cancelled by whom it belongs to.

use super::{column, listed, names, refusal, wrong_field};
use crate::world::{User, World};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Puts items into the queue; answers the jobs' ids.
async fn enqueues(user: &User<'_>, items: &[String], priority: u8) -> Vec<String> {
    let reply = user.invoke("queue-add", json!({ "syncListIds": items, "priority": priority })).await;
    assert_eq!(reply.status, 202, "{reply:?}");
    let ids = reply.ok()["jobIds"].clone();
    ids.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

async fn state(user: &User<'_>, job: &str) -> Value {
    user.get(&format!("queue?id={job}")).await.ok()["data"][0]["state"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_is_enqueued_waits_and_is_worked_by_the_next_drain() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = listed(&ana, &["chair", "desk"]).await;

    let job = enqueues(&ana, &items[..1], 2).await.remove(0);
    let waiting = ana.get(&format!("queue?id={job}")).await.ok()["data"][0].clone();
    let drained = world.tick("queue-drain").await.ok();

    assert_eq!(
        names(&waiting),
        [
            "attempts",
            "configId",
            "createdAt",
            "dueAt",
            "finishedAt",
            "id",
            "kind",
            "lastError",
            "maxAttempts",
            "payload",
            "priority",
            "runId",
            "state"
        ]
    );
    assert_eq!(
        (&waiting["state"], &waiting["priority"], &waiting["kind"], &waiting["attempts"]),
        (&json!("pending"), &json!(2), &json!("sync_items"), &json!(0))
    );
    assert_eq!(waiting["payload"]["item_ids"], json!(items[..1]), "{waiting}");
    assert_eq!(names(&drained), ["claimed", "dead", "done", "duration", "empty", "retried"]);
    assert_eq!(
        (&drained["claimed"], &drained["done"], &drained["retried"], &drained["dead"], &drained["empty"]),
        (&json!(1), &json!(1), &json!(0), &json!(0), &json!(true))
    );
    assert_eq!(state(&ana, &job).await, "done");
    assert!(ana.erp().product("chair").is_some());
    assert!(ana.erp().product("desk").is_none(), "only what was enqueued");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_enqueue_of_what_waits_is_absorbed_and_the_more_urgent_word_holds() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = listed(&ana, &["chair"]).await;

    let first = enqueues(&ana, &items, 5).await;
    let again = enqueues(&ana, &items, 9).await;
    let urgent = enqueues(&ana, &items, 1).await;
    let (jobs, priority) = (world.db.count("select count(*) from sync.sync_queue").await, {
        ana.get("queue").await.ok()["data"][0]["priority"].clone()
    });
    let drained = world.tick("queue-drain").await.ok();
    let later = enqueues(&ana, &items, 5).await;

    assert_eq!((&again, &urgent), (&first, &first), "the answer is the job that waited already");
    assert_eq!((jobs, priority), (1, json!(1)));
    assert_eq!(drained["claimed"], 1, "{drained}");
    assert_ne!(later, first, "what is done absorbs nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_cancelled_is_not_worked() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = listed(&ana, &["chair", "desk"]).await;
    let jobs = enqueues(&ana, &items, 5).await;

    let answer = ana.request(Method::DELETE, &format!("queue?ids={}", jobs[0]), Value::Null).await.ok();
    let cancelled = ana.get("queue?state=cancelled").await.ok()["data"][0]["payload"]["item_ids"][0].clone();
    world.drain().await;

    assert_eq!(answer["cancelled"], json!([jobs[0]]));
    assert_eq!(
        (state(&ana, &jobs[0]).await, state(&ana, &jobs[1]).await),
        (json!("cancelled"), json!("done"))
    );
    let (left, worked) = if cancelled == json!(items[0]) { ("chair", "desk") } else { ("desk", "chair") };
    assert!(ana.erp().product(left).is_none() && ana.erp().product(worked).is_some());
    let ended = ana.request(Method::DELETE, &format!("queue?ids={}", jobs.join(",")), Value::Null).await.ok();
    assert_eq!(ended["cancelled"], json!([]), "what has ended cannot be cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_more_urgent_sync_goes_first() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let slow = listed(&ana, &["chair"]).await;
    let source = ana.erp().has(super::small("lamp"));
    let urgent = ana.lists_from("netsuite", "shopify", "product", &[source]).await;
    enqueues(&ana, &slow, 9).await;
    enqueues(&ana, &urgent, 1).await;

    world.drain().await;

    let order = "select string_agg(s.platform, ' ' order by r.created_at) from public.sync_runs as r
                 join public.sync_configs as c on c.id = r.config_id
                 join public.integrations as s on s.id = c.source_integration_id where r.kind = 'sync'";
    assert_eq!(world.db.text(order).await, "netsuite shopify");
    assert!(ana.shop().product("lamp").is_some() && ana.erp().product("chair").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_shown_by_state_and_page_by_page_without_loss_or_repeats() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = listed(&ana, &["a", "b", "c", "d", "e"]).await;
    let jobs = enqueues(&ana, &items, 5).await;
    ana.request(Method::DELETE, &format!("queue?ids={}", jobs[0]), Value::Null).await.ok();

    let (mut seen, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = ana.get(&format!("queue?limit=2{cursor}")).await.ok();
        pages += 1;
        seen.extend(column(&page["data"], "id"));
        assert_eq!(page["has_more"], json!(page["next_cursor"].is_string()), "{page}");
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={}", next.replace('+', "%2B"));
    }

    assert_eq!((pages, seen.len()), (3, 5));
    assert_eq!(BTreeSet::from_iter(&seen), BTreeSet::from_iter(&jobs));
    for (wanted, count) in [("pending", 4), ("cancelled", 1), ("dead", 0), ("leased", 0)] {
        let page = ana.get(&format!("queue?state={wanted}")).await.ok();
        assert_eq!(column(&page["data"], "state"), vec![wanted; count]);
    }
    for (query, place) in
        [("state=waiting", "/state"), ("limit=0", "/limit"), ("limit=1001", "/limit"), ("id=x", "/id")]
    {
        assert_eq!(wrong_field(&ana.get(&format!("queue?{query}")).await), place);
    }
    ana.get("queue?cursor=x").await.problem("bad_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_job_is_as_if_it_did_not_exist() {
    let world = World::start().await;
    let (ana, ben) = (world.merchant("ana").await, world.merchant("ben").await);
    let items = listed(&ana, &["chair"]).await;
    let his = listed(&ben, &["lamp"]).await;
    let job = enqueues(&ana, &items, 5).await.remove(0);
    let own = enqueues(&ben, &his, 5).await.remove(0);
    let nobodys = "00000000-0000-4000-8000-000000000000";
    let delete =
        async |ids: String| ben.request(Method::DELETE, &format!("queue?ids={ids}"), Value::Null).await;

    let shown = (ben.get(&format!("queue?id={job}")).await, ben.get(&format!("queue?id={nobodys}")).await);
    let cancelled = (delete(job.clone()).await, delete(nobodys.to_owned()).await);
    let mixed = delete(format!("{own},{job}")).await;

    assert_eq!(refusal(&shown.0), refusal(&shown.1));
    assert_eq!(refusal(&cancelled.0), refusal(&cancelled.1));
    mixed.problem("not_found");
    assert_eq!(column(&ben.get("queue").await.ok()["data"], "id"), std::slice::from_ref(&own));
    let states = "select string_agg(distinct state, ' ') from sync.sync_queue";
    assert_eq!(world.db.text(states).await, "pending", "one's own beside it is not cancelled either");
    let foreign = ben.invoke("queue-add", json!({ "syncListIds": items })).await;
    let missing = ben.invoke("queue-add", json!({ "syncListIds": [nobodys] })).await;
    assert_eq!(refusal(&foreign), refusal(&missing));
    assert_eq!(world.db.count("select count(*) from sync.sync_queue").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_enqueued_is_refused_and_nothing_waits() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = listed(&ana, &["chair"]).await;

    for (body, place) in [
        (json!({ "priority": 0 }), "/priority"),
        (json!({ "priority": 10 }), "/priority"),
        (json!({ "priority": "high" }), "/priority"),
        (json!({ "syncListIds": ["x"] }), "/syncListIds/0"),
        (json!({ "itemType": "car" }), "/itemType"),
        (json!({ "ids": items }), "/ids"),
    ] {
        assert_eq!(wrong_field(&ana.invoke("queue-add", body).await), place);
    }
    assert_eq!(wrong_field(&ana.request(Method::DELETE, "queue", Value::Null).await), "/ids");

    assert_eq!(world.db.count("select count(*) from sync.sync_queue").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_active_is_enqueued_when_nothing_is_named_narrowed_by_type() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = listed(&ana, &["a", "b", "c"]).await;
    let off = json!({ "ids": [items[2]], "isActive": false });
    ana.request(Method::PATCH, "sync-list", off).await.ok();

    let orders = ana.invoke("queue-add", json!({ "itemType": "order" })).await.ok();
    let products = ana.invoke("queue-add", json!({ "itemType": "product" })).await.ok();
    world.drain().await;

    assert_eq!(orders["jobIds"], json!([]));
    assert_eq!(products["jobIds"].as_array().map(Vec::len), Some(2), "{products}");
    assert_eq!(ana.erp().product_count(), 2);
    assert!(ana.erp().product("c").is_none(), "what is switched off is not enqueued");
}
