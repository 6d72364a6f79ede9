//! `scheduled-sync`: one tick of the clock does whatever is due, for everybody.

use super::{listed, names, retitle, title_in_erp};
use crate::world::{SECRET_KEY, User, World};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A user's part of a tick's answer.
fn part<'a>(tick: &'a Value, user: &User<'_>) -> &'a Value {
    let id = json!(user.id);
    let parts = tick["userResults"].as_array().unwrap();
    parts.iter().find(|part| part["userId"] == id).unwrap_or_else(|| panic!("{id} is not in {tick}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_brings_the_items_of_all_users_up_to_date_and_answers_user_by_user() {
    let world = World::start().await;
    let (ana, ben) = (world.merchant("ana").await, world.merchant("ben").await);
    listed(&ana, &["chair", "desk"]).await;
    listed(&ben, &["lamp"]).await;

    let tick = world.tick("scheduled-sync").await.ok();

    for field in ["totalUsers", "totalItems", "itemsProcessed", "itemsSucceeded", "itemsFailed", "duration"] {
        assert!(tick[field].is_u64(), "{field} is a number: {tick}");
    }
    let sums = (&tick["totalUsers"], &tick["totalItems"], &tick["itemsProcessed"], &tick["itemsSucceeded"]);
    assert_eq!(sums, (&json!(2), &json!(3), &json!(3), &json!(3)), "{tick}");
    assert_eq!(tick["itemsFailed"], 0, "{tick}");
    assert_eq!(tick["userResults"].as_array().map(Vec::len), Some(2), "each user is there once: {tick}");
    for (user, items) in [(&ana, 2), (&ben, 1)] {
        let part = part(&tick, user);
        assert_eq!(names(part), ["errors", "itemsFailed", "itemsProcessed", "itemsSucceeded", "userId"]);
        assert_eq!(
            (&part["itemsProcessed"], &part["itemsSucceeded"]),
            (&json!(items), &json!(items)),
            "{part}"
        );
        assert_eq!((&part["itemsFailed"], &part["errors"]), (&json!(0), &json!([])), "{part}");
    }
    assert_eq!((ana.erp().product_count(), ben.erp().product_count()), (2, 1));
    assert!(ana.erp().product("lamp").is_none(), "nobody gets what is somebody else's");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_users_trouble_is_told_and_stops_nobody_else() {
    let world = World::start().await;
    let mut users = Vec::new();
    for name in ["ana", "ben", "cleo"] {
        let user = world.merchant(name).await;
        listed(&user, &["chair"]).await;
        users.push(user);
    }
    // Whoever comes first in the order of the ids, and whoever comes last, must not matter: the middle one has luck.
    users.sort_by_key(|user| user.id);
    users[0].shop().revoke_token();
    users[2].erp().faults().always(platforms::Fault::status(500));

    let tick = world.tick("scheduled-sync").await.ok();

    let sums = (&tick["totalUsers"], &tick["itemsProcessed"], &tick["itemsSucceeded"], &tick["itemsFailed"]);
    assert_eq!(sums, (&json!(3), &json!(3), &json!(1), &json!(2)), "{tick}");
    for unlucky in [&users[0], &users[2]] {
        let part = part(&tick, unlucky);
        assert_eq!((&part["itemsFailed"], &part["itemsSucceeded"]), (&json!(1), &json!(0)), "{part}");
        assert_eq!(part["errors"].as_array().map(Vec::len), Some(1), "{part}");
        let list = unlucky.get("sync-list").await.ok();
        assert_eq!(list["data"][0]["lastSyncStatus"], "failed", "{list}");
    }
    assert_eq!(part(&tick, &users[1])["itemsSucceeded"], 1);
    assert_eq!(users[1].erp().product_count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_system_keeps_a_run_of_its_own_above_those_of_the_users() {
    let world = World::start().await;
    let (ana, ben) = (world.merchant("ana").await, world.merchant("ben").await);
    listed(&ana, &["chair", "desk"]).await;
    listed(&ben, &["lamp"]).await;

    let tick = world.tick("scheduled-sync").await.ok();

    let id = tick["runId"].as_str().unwrap();
    let system = world
        .db
        .text(&format!(
            "select concat_ws(' ', sync_type, status, items_processed, items_created, items_failed,
               coalesce(user_id::text, 'nobody'), duration_ms > 0) from public.sync_history where id = '{id}'"
        ))
        .await;
    assert_eq!(system, "scheduled completed 3 3 0 nobody t");
    for (user, items) in [(&ana, 2), (&ben, 1)] {
        let history = user.get("sync-history").await.ok();
        let run = &history["data"][0];
        assert_eq!(history["data"].as_array().map(Vec::len), Some(1), "only their own: {history}");
        assert_eq!((&run["syncType"], &run["itemsProcessed"]), (&json!("scheduled"), &json!(items)), "{run}");
        let above = format!(
            "select parent_run_id::text from public.sync_runs where id = '{}' and user_id = '{}'",
            run["id"].as_str().unwrap(),
            user.id
        );
        assert_eq!(world.db.text(&above).await, id);
        user.get(&format!("sync-history?id={id}")).await.problem("not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_answer_at_once_the_tick_leaves_the_work_to_the_queue() {
    let world = World::start().await;
    let (ana, ben) = (world.merchant("ana").await, world.merchant("ben").await);
    listed(&ana, &["chair"]).await;
    listed(&ben, &["lamp"]).await;
    // The first request of a component pays for its start: that is not what is measured.
    world.send("scheduled-sync", json!({ "not": "a field" }), &[("apikey", SECRET_KEY)]).await;
    for erp in [ana.erp(), ben.erp()] {
        erp.set_latency(Duration::from_secs(2));
    }
    let began = Instant::now();

    let headers = [("apikey", SECRET_KEY), ("prefer", "respond-async")];
    let reply = world.send("scheduled-sync", json!({}), &headers).await;

    let took = began.elapsed();
    let tick = reply.ok();
    assert_eq!(reply.status, 202, "{reply:?}");
    assert!(took < Duration::from_secs(2), "it has waited for a platform: {took:?}");
    assert_eq!((&tick["totalUsers"], &tick["totalItems"]), (&json!(2), &json!(2)), "{tick}");
    assert_eq!((ana.erp().requests(), ana.shop().requests()), (0, 0), "nothing has been done yet");
    let id = tick["runId"].as_str().unwrap();
    let status = format!("select status from public.sync_runs where id = '{id}'");
    assert_eq!(world.db.text(&status).await, "running");

    for erp in [ana.erp(), ben.erp()] {
        erp.set_latency(Duration::ZERO);
    }
    world.drain().await;

    assert_eq!((ana.erp().product_count(), ben.erp().product_count()), (1, 1));
    assert_eq!(world.db.text(&status).await, "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_due_a_tick_answers_zeros_and_leaves_a_trace() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    world.user("ben").await;
    let items = listed(&ana, &["chair"]).await;
    let off = json!({ "ids": items, "isActive": false });
    ana.request(reqwest::Method::PATCH, "sync-list", off).await.ok();

    let tick = world.tick("scheduled-sync").await.ok();

    for field in ["totalUsers", "totalItems", "itemsProcessed", "itemsSucceeded", "itemsFailed"] {
        assert_eq!(tick[field], 0, "{field}: {tick}");
    }
    assert_eq!(tick["userResults"], json!([]));
    let runs = "select string_agg(concat_ws(' ', kind, sync_type, status), ',') from public.sync_runs";
    assert_eq!(world.db.text(runs).await, "system scheduled completed");
    assert_eq!(ana.shop().requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_tick_right_after_the_first_writes_nothing() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair", "desk"]).await;
    world.tick("scheduled-sync").await.ok();
    let writes = ana.erp().writes();

    let second = world.tick("scheduled-sync").await.ok();
    retitle(&ana, "desk", "Renamed");
    let third = world.tick("scheduled-sync").await.ok();

    assert_eq!((&second["itemsProcessed"], &second["itemsSucceeded"]), (&json!(2), &json!(2)), "{second}");
    assert_eq!(third["itemsSucceeded"], 2, "{third}");
    let counts = "select string_agg(concat_ws('/', items_created, items_updated, items_unchanged), ' ' order by created_at)
                  from public.sync_history where user_id is not null";
    assert_eq!(world.db.text(counts).await, "2/0/0 0/0/2 0/1/1");
    assert_eq!(title_in_erp(&ana, "desk").as_deref(), Some("Renamed"));
    assert!(ana.erp().writes() > writes, "the control: the third tick had something to write");
}

#[tokio::test(flavor = "multi_thread")]
async fn ticks_at_the_same_time_do_the_work_once() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["a", "b", "c", "d", "e"]).await;
    ana.erp().set_latency(Duration::from_millis(50));

    let ticks = futures::future::join_all((0..4).map(|_| world.tick("scheduled-sync"))).await;

    assert!(ticks.iter().all(|tick| tick.status == 200), "{ticks:?}");
    world.time_passes().await;
    world.drain().await;
    assert_eq!(ana.erp().product_count(), 5);
    for (key, count) in ana.erp().creates_per_key() {
        assert_eq!(count, 1, "{key} was created {count} times");
    }
    assert_eq!(world.db.count("select count(*) from public.sync_runs where status = 'running'").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_legacy_service_key_opens_the_door_where_the_deployment_takes_it() {
    let claims = json!({ "iss": "supabase", "ref": "abcdefghijklmnopqrst", "role": "service_role",
        "iat": 1_700_000_000, "exp": crate::world::now() + 3600 });
    let key = format!("Bearer {}", crate::world::token(&claims));
    for (allowed, status) in [("true", 200), ("false", 401)] {
        let world = World::with(&[("allow_legacy_service_role", allowed)]).await;
        let ana = world.merchant("ana").await;
        listed(&ana, &["chair"]).await;

        let reply = world.send("scheduled-sync", json!({}), &[("authorization", &key)]).await;

        assert_eq!(reply.status, status, "allowed: {allowed}: {reply:?}");
        assert_eq!(ana.erp().product_count(), usize::from(status == 200));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_needs_no_body_and_takes_an_empty_one() {
    let world = World::start().await;
    let send = |body: &'static str| {
        let request = world.http.post(world.url("scheduled-sync")).header("apikey", SECRET_KEY);
        request.body(body).send()
    };

    for body in ["", " ", "{}"] {
        assert_eq!(send(body).await.unwrap().status().as_u16(), 200, "{body:?}");
    }
    for body in ["[]", r#"{"userId":"x"}"#] {
        assert_eq!(send(body).await.unwrap().status().as_u16(), 422, "{body:?}");
    }

    assert_eq!(world.db.count("select count(*) from public.sync_runs where kind = 'system'").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_key_of_a_system_nothing_is_done() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair"]).await;

    let nobody = world.send("scheduled-sync", json!({}), &[]).await;
    let stranger = world.send("scheduled-sync", json!({}), &[("apikey", "sb_secret_of_nobody_at_all")]).await;
    let user = ana.invoke("scheduled-sync", json!({})).await;

    assert_eq!((nobody.status, stranger.status, user.status), (401, 401, 401));
    assert_eq!(world.db.count("select count(*) from public.sync_runs").await, 0);
    assert_eq!((ana.shop().requests(), ana.erp().requests()), (0, 0));
}
