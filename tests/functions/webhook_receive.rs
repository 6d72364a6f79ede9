//! `webhook-receive`: which messages are believed, and what becomes of them.

use super::{listed, small};
use crate::world::{Reply, SIGNATURE, User, World, number, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// What stands in our tables of a message: events, and jobs that wait.
pub(super) async fn kept(world: &World) -> (i64, i64) {
    let events = world.db.count("select count(*) from sync.webhook_events").await;
    (events, world.db.count("select count(*) from sync.sync_queue where state in ('pending', 'retry')").await)
}

/// An answer to a message that was taken in.
pub(super) fn answer(duplicate: bool, queued: u64) -> Value {
    json!({ "received": true, "duplicate": duplicate, "queued": queued })
}

/// A product's body as small as messages have it.
pub(super) fn body(id: &str) -> String {
    format!(r#"{{"id":{}}}"#, number(id))
}

/// A refusal without what differs from request to request.
fn refusal(reply: &Reply) -> (u16, Value) {
    let mut body = reply.problem("unauthorized");
    for field in ["instance", "request_id"] {
        body.as_object_mut().unwrap().remove(field);
    }
    (reply.status, body)
}

pub(super) async fn change(user: &User<'_>, function: &str, body: Value) {
    user.request(reqwest::Method::PUT, function, body).await.ok();
}

/// A sync of the user's own, from the shop to the ERP, without items.
pub(super) async fn sync_of_everything(user: &User<'_>, mode: &str) -> String {
    let id = async |platform: &str| {
        let accounts = user.get(&format!("integrations?platform={platform}")).await.ok();
        accounts["data"][0]["id"].clone()
    };
    let sync = json!({
        "name": format!("All, {mode}"), "itemType": "product", "mode": mode,
        "sourceIntegrationId": id("shopify").await, "targetIntegrationId": id("netsuite").await,
    });
    user.invoke("sync-configs", sync).await.ok()["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_answered_at_once_and_its_work_waits_two_seconds() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = listed(&ana, &["chair"]).await;
    let hook = ana.hears().await;
    let id = ana.shop().product_id("chair").unwrap();
    let before = (ana.shop().requests(), ana.erp().requests());

    let reply = hook.tells("products/update", &body(&id)).await;

    assert_eq!(reply.ok(), answer(false, 1));
    assert_eq!((ana.shop().requests(), ana.erp().requests()), before, "no platform is asked");
    let job = world
        .db
        .text(
            "select concat_ws(' ', kind, state, payload -> 'item_ids' ->> 0, dedupe_key, extract(epoch from due_at - created_at))
             from sync.sync_queue",
        )
        .await;
    assert_eq!(job, format!("sync_items pending {0} item:{0} 2.000000", items[0]));
    let event = "select concat_ws(' ', event_id, topic, record_id, state) from sync.webhook_events";
    assert_eq!(world.db.text(event).await, format!("event-1 products/update {id} queued"));
    assert_eq!(world.tick("queue-drain").await.ok()["claimed"], 0, "it is gathered for a while");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_again_does_nothing() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair"]).await;
    let hook = ana.hears().await;
    let body = body(&ana.shop().product_id("chair").unwrap());
    let signature = ana.shop().sign(&body);
    let send = async |headers: &[(&str, &str)]| {
        let all =
            [&[("x-shopify-topic", "products/update"), (SIGNATURE, signature.as_str())], headers].concat();
        hook.sends(&all, &body).await.ok()
    };

    let first = send(&[("x-shopify-event-id", "e"), ("x-shopify-webhook-id", "w-1")]).await;
    world.time_passes().await;
    world.drain().await;
    let again = send(&[("x-shopify-event-id", "e"), ("x-shopify-webhook-id", "w-2")]).await;
    let many = futures::future::join_all((0..10).map(|_| send(&[("x-shopify-webhook-id", "w-3")]))).await;

    assert_eq!((first, again), (answer(false, 1), answer(true, 0)));
    let fresh = many.iter().filter(|one| **one == answer(false, 1)).count();
    assert_eq!(fresh, 1, "without an event's id the message's own counts: {many:?}");
    assert_eq!(kept(&world).await, (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_not_proved_is_refused_in_the_same_words_and_leaves_no_trace() {
    let world = World::start().await;
    let (ana, ben) = (world.merchant("ana").await, world.merchant("ben").await);
    listed(&ana, &["chair"]).await;
    let (hook, bens) = (ana.hears().await, ben.hears().await);
    let body = body(&ana.shop().product_id("chair").unwrap());
    let good = ana.shop().sign(&body);
    let audit = "select count(*) from public.sync_audit";
    let audited = world.db.count(audit).await;
    let topic = [("x-shopify-topic", "products/update"), ("x-shopify-event-id", "e")];
    let send = async |path: &str, signatures: &[&str], body: &str| {
        let signatures = signatures.iter().map(|one| (SIGNATURE, *one));
        let headers: Vec<_> = topic.iter().copied().chain(signatures).collect();
        refusal(&post(&ana, path, &headers, body).await)
    };
    let own = hook.path();
    let nobody = "webhook-receive/00000000-0000-4000-8000-000000000000";
    let unknown = send(nobody, &[&good], &body).await;

    let bytes = STANDARD.decode(&good).unwrap();
    let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let other = ana.shop().sign("{}");
    let of_ben = ben.shop().sign(&body);
    for signatures in [&[][..], &[""], &["="], &[&hex], &[&other], &[&of_ben], &[&good, &good], &[&good[1..]]]
    {
        assert_eq!(send(&own, signatures, &body).await, unknown, "{signatures:?}");
    }
    assert_eq!(send(&own, &[&good], &body.replace('}', " }")).await, unknown, "another body");
    assert_eq!(send(&bens.path(), &[&good], &body).await, unknown, "somebody else's account");
    for odd in ["webhook-receive/x", "webhook-receive/%27", &format!("{own}x")] {
        assert_eq!(send(odd, &[&good], &body).await, unknown, "{odd}");
    }
    assert_eq!(kept(&world).await, (0, 0));
    assert_eq!(world.db.count(audit).await, audited);

    let headers = [&topic[..], &[(SIGNATURE, &good)]].concat();
    assert_eq!(hook.sends(&headers, &body).await.ok(), answer(false, 1), "and the true one is believed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_can_prove_nothing_believes_nothing() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair"]).await;
    let body = body(&ana.shop().product_id("chair").unwrap());
    let signature = ana.shop().sign(&body);
    let headers =
        [("x-shopify-topic", "products/update"), ("x-shopify-event-id", "e"), (SIGNATURE, &signature)];
    let nobody = post(&ana, "webhook-receive/00000000-0000-4000-8000-000000000000", &headers, &body).await;

    for platform in ["shopify", "netsuite"] {
        let accounts = ana.get(&format!("integrations?platform={platform}")).await.ok();
        let path = format!("webhook-receive/{}", accounts["data"][0]["id"].as_str().unwrap());
        let reply = post(&ana, &path, &headers, &body).await;
        assert_eq!(refusal(&reply), refusal(&nobody), "{platform}: no secret for messages");
    }
    // What somebody seals around us, without a text for the secret, opens no account either.
    let hook = ana.hears().await;
    world.db.run("update sync.credentials set sealed = 'v1.k1.AAAA.AAAA'").await;
    assert_eq!(refusal(&hook.sends(&headers, &body).await), refusal(&nobody));
    assert_eq!(kept(&world).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_with_a_client_secret_needs_nothing_else() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    listed(&ana, &["chair"]).await;
    let hook = ana.hears().await;
    let shop = ana.shop();
    let body = body(&shop.product_id("chair").unwrap());
    let enter = async |further: Value| {
        let mut credential = json!({
            "kind": "client_credentials", "client_id": shop.client_id(), "client_secret": shop.client_secret(),
        });
        credential.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
        change(&ana, "integrations", json!({ "id": hook.account, "credential": credential })).await;
    };

    enter(json!({})).await;
    let own = hook.tells("products/update", &body).await;
    // During a rotation either of two secrets may have signed.
    enter(json!({ "client_secret": "the-next-one", "webhook_secret": shop.client_secret() })).await;
    let former = hook.tells("products/update", &body).await;
    enter(json!({ "client_secret": "the-next-one" })).await;
    let gone = hook.tells("products/update", &body).await;

    assert_eq!((own.ok(), former.ok()), (answer(false, 1), answer(false, 1)));
    assert_eq!(gone.status, 401);
    let shown = ana.get("integrations").await.text;
    assert!(!shown.contains(&shop.client_secret()) && !shown.contains("webhook_secret"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_follows_is_taken_in_and_ignored() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let items = listed(&ana, &["chair", "off"]).await;
    let lamp = ana.shop().has(small("lamp"));
    let hook = ana.hears().await;
    let id = |key: &str| ana.shop().product_id(key).unwrap();
    let off = json!({ "ids": [items[1]], "isActive": false });
    ana.request(reqwest::Method::PATCH, "sync-list", off).await.ok();
    sync_of_everything(&ana, "batch").await;

    for (topic, body) in [
        ("app/uninstalled", "{}".to_owned()),
        ("products/update", body(&lamp)),
        ("products/update", body(&id("off"))),
        ("orders/updated", body(&id("chair"))),
    ] {
        assert_eq!(hook.tells(topic, &body).await.ok(), answer(false, 0), "{topic} {body}");
    }
    let account = json!({ "id": hook.account, "status": "inactive" });
    change(&ana, "integrations", account).await;
    assert_eq!(
        hook.tells("products/update", &body(&id("chair"))).await.ok(),
        answer(false, 0),
        "switched off"
    );
    change(&ana, "integrations", json!({ "id": hook.account, "status": "active" })).await;
    world.db.run("update public.sync_configs set enabled = false").await;
    assert_eq!(
        hook.tells("products/update", &body(&id("chair"))).await.ok(),
        answer(false, 0),
        "its sync is"
    );

    assert_eq!(kept(&world).await, (6, 0));
    let ignored = "select count(*) from sync.webhook_events where state = 'ignored'";
    assert_eq!(world.db.count(ignored).await, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_does_not_say_what_it_must_is_a_bad_request() {
    let world = World::start().await;
    let ana = world.merchant("ana").await;
    let hook = ana.hears().await;
    for body in ["", "no JSON", "[]", "{}", r#"{"id":"7"}"#, r#"{"id":1.5}"#] {
        let problem = hook.tells("products/update", body).await.problem("bad_request");
        assert!(!problem.to_string().contains("unexpected"), "{problem}");
    }
    let signature = ana.shop().sign("{}");
    let without_id = [("x-shopify-topic", "app/uninstalled"), (SIGNATURE, &signature)];
    hook.sends(&without_id, "{}").await.problem("bad_request");
    let without_topic = [("x-shopify-event-id", "e"), (SIGNATURE, &signature)];
    hook.sends(&without_topic, "{}").await.problem("bad_request");
    assert_eq!(kept(&world).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_of_a_message_goes_after_two_weeks_or_with_its_account() {
    let world = World::start().await;
    let (ana, ben) = (world.merchant("ana").await, world.merchant("ben").await);
    let (hook, bens) = (ana.hears().await, ben.hears().await);
    for _ in 0..2 {
        hook.tells("app/uninstalled", "{}").await.ok();
    }
    bens.tells("app/uninstalled", "{}").await.ok();
    let old =
        "update sync.webhook_events set received_at = now() - interval '15 days' where event_id = 'event-1'";
    world.db.run(&format!("{old} and integration_id = '{}'", hook.account)).await;

    let pruned = world.db.text("select sync.prune() ->> 'webhooks'").await;
    let left = kept(&world).await.0;
    let path = format!("integrations?id={}", bens.account);
    ben.request(reqwest::Method::DELETE, &path, Value::Null).await;

    assert_eq!((pruned.as_str(), left), ("1", 2));
    assert_eq!(kept(&world).await.0, 1, "an account takes its messages along");
}
