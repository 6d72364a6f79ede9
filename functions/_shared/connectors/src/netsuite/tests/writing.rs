use super::{accepted, account, child, create, parent, refusal, rows, state, tasks};
use crate::netsuite::Netsuite;
use crate::netsuite::batch::uuid_of;
use crate::netsuite::children::child_key;
use crate::testing::{fields, mutated, ok, play, play_some, reply};
use crate::{Connector, ErrorKind, Exchange, Outcome, Reply, Write};
use domain::ItemType;
use proptest::prelude::*;
use serde_json::{Value, json};

fn update(content: Value, current: Value) -> Write {
    let (fields, current) = (fields(content), fields(current));
    Write { id: Some("1".into()), fields, current, idempotency_key: "u1".into(), ..Write::default() }
}

fn write(writes: &[Write]) -> Exchange<Vec<Outcome>> {
    Netsuite.write_many(&account(), ItemType::Product, writes).unwrap()
}

fn repeated(job: u32) -> Reply {
    let body = json!({ "status": 400, "o:errorDetails": [{ "detail": "already submitted", "o:errorCode": "IDEMPOTENCY_ERROR" }] });
    reply(400, &[("location", &format!("/services/rest/async/v1/job/{job}"))], &body.to_string())
}

/// A product with one child, as it is wanted and as the rows of [`parent`] and [`child`] show it.
fn wanted() -> Value {
    json!({
        "itemId": "P-1", "displayName": "Chair", "tags": ["a"],
        "children": [{ "itemId": "C-11", "price": "19.9", "options": { "Size": "S" } }],
    })
}

#[test]
fn a_product_and_its_children_go_in_one_batch_the_product_first() {
    let shown = rows(&[parent(1, "2026-11-20T10:00:00"), child(1, 11, 1, "19.90")], false);
    let replies = [accepted(7), state(false), state(false), state(true), tasks(2), shown];
    let (sent, outcomes) = play(write(&[create(wanted())]), &replies);

    assert_eq!(
        (sent[0].method.as_str(), sent[0].path.as_str()),
        ("PUT", "/services/rest/record/v1/inventoryItem")
    );
    assert_eq!(sent[0].header("prefer"), "respond-async");
    assert_eq!(sent[0].header("content-type"), "application/vnd.oracle.resource+json; type=collection");
    assert_eq!(sent[0].header("x-netsuite-propertynamevalidation"), "Error");
    assert_eq!(sent[0].header("x-netsuite-idempotency-key").len(), 36);
    let price = json!({ "currencyPage": { "id": "1" }, "priceLevel": { "id": "1" }, "quantity": { "value": 0 }, "price": serde_json::from_str::<Value>("19.9").unwrap() });
    let expected = json!([
        { "externalId": "k1", "itemId": "P-1", "displayName": "Chair", "custitem_syncline_tags": "[\"a\"]" },
        {
            "externalId": child_key("k1", "C-11"), "itemId": "C-11", "parent": { "externalId": "k1" },
            "price": { "items": [price] }, "custitem_syncline_options": "{\"Size\":\"S\"}",
        },
    ]);
    assert_eq!(sent[0].body["items"], expected);
    let waits: Vec<u128> = sent[1..4].iter().map(|sent| sent.after.as_millis()).collect();
    assert_eq!(waits, [50, 100, 200]);
    assert_eq!(sent[1].path, "/services/rest/async/v1/job/7");
    assert_eq!(sent[4].path, "/services/rest/async/v1/job/7/task");
    let written = outcomes.unwrap().remove(0).unwrap();
    assert_eq!((written.id.as_str(), written.now.is_some()), ("1", true));
}

#[test]
fn a_job_that_does_not_end_is_given_up_and_found_again_by_its_key() {
    let mut replies = vec![accepted(7)];
    replies.extend(std::iter::repeat_with(|| state(false)).take(20));
    let (sent, outcomes) = play(write(&[create(wanted())]), &replies);
    let error = outcomes.unwrap_err();
    assert_eq!((error.kind, error.vendor_code.as_deref()), (ErrorKind::Unavailable, Some("JOB_PENDING")));
    assert_eq!(sent.last().unwrap().after.as_millis(), 2_000);

    let shown = rows(&[parent(1, "2026-11-20T10:00:00"), child(1, 11, 1, "19.90")], false);
    let (again, outcomes) = play(write(&[create(wanted())]), &[repeated(7), state(true), tasks(2), shown]);
    assert_eq!(again[0].header("x-netsuite-idempotency-key"), sent[0].header("x-netsuite-idempotency-key"));
    assert_eq!(again[1].path, "/services/rest/async/v1/job/7");
    assert!(outcomes.unwrap()[0].is_ok());
}

#[test]
fn a_key_used_for_an_earlier_content_is_no_success() {
    let before = json!({ "displayName": "Stool" });
    let stool = || {
        let mut row = parent(1, "2026-11-20T10:00:00");
        row["displayname"] = "Stool".into();
        rows(&[row], false)
    };
    let write_one = [update(json!({ "displayName": "Chair" }), before)];
    let shown = rows(&[parent(1, "2026-11-20T10:00:00")], false);
    let replies = [repeated(7), state(true), tasks(1), stool(), accepted(8), state(true), tasks(1), shown];
    let (sent, outcomes) = play(write(&write_one), &replies);
    assert_eq!(
        (sent[4].method.as_str(), sent[4].path.as_str()),
        ("PATCH", "/services/rest/record/v1/inventoryItem")
    );
    assert_ne!(sent[4].header("x-netsuite-idempotency-key"), sent[0].header("x-netsuite-idempotency-key"));
    assert!(outcomes.unwrap()[0].is_ok());
}

#[test]
fn a_product_fails_with_its_child_and_says_which() {
    let two = json!({ "itemId": "P-1", "displayName": "Chair", "children": [{ "itemId": "C-11", "price": "19.90" }, { "itemId": "C-12", "price": "1" }] });
    let mut other = create(json!({ "itemId": "P-2", "displayName": "Chair" }));
    other.external_key = "k2".into();
    let shown = rows(
        &[parent(1, "2026-11-20T10:00:00"), child(1, 11, 1, "19.90"), parent(2, "2026-11-20T10:00:00")],
        false,
    );
    let replies = [accepted(7), state(true), tasks(4), shown, refusal(400, "The item ID is taken")];
    let (sent, outcomes) = play(write(&[create(two), other]), &replies);

    assert_eq!(sent[4].path, "/services/rest/async/v1/job/7/task/3/result");
    let outcomes = outcomes.unwrap();
    let error = outcomes[0].as_ref().unwrap_err();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Rejected, "the child `C-12`: The item ID is taken")
    );
    assert_eq!(outcomes[1].as_ref().unwrap().id, "2");
}

#[test]
fn one_task_for_the_whole_batch_answers_for_each_record() {
    let two =
        json!({ "itemId": "P-1", "displayName": "Chair", "children": [{ "itemId": "C-12", "price": "1" }] });
    let shown = rows(&[parent(1, "2026-11-20T10:00:00")], false);
    let refused =
        json!({ "status": 400, "o:errorDetails": [{ "detail": "no", "o:errorCode": "USER_ERROR" }] });
    let result = ok(&json!({ "items": [{ "id": "1" }, refused] }));
    let (_, outcomes) = play(write(&[create(two)]), &[accepted(7), state(true), tasks(1), shown, result]);
    assert_eq!(outcomes.unwrap()[0].as_ref().unwrap_err().message, "the child `C-12`: no");
}

#[test]
fn a_result_that_lists_a_single_record_is_read_as_well() {
    let refused =
        json!({ "status": 400, "o:errorDetails": [{ "detail": "no", "o:errorCode": "USER_ERROR" }] });
    let result = ok(&json!({ "items": [refused] }));
    let replies = [accepted(7), state(true), tasks(1), rows(&[], false), result];
    let (_, outcomes) = play(write(&[create(json!({ "itemId": "P-1" }))]), &replies);
    assert_eq!(outcomes.unwrap()[0].as_ref().unwrap_err().message, "the product: no");
}

#[test]
fn a_value_that_netsuite_writes_in_its_own_way_is_asked_for_and_accepted() {
    let mut row = parent(1, "2026-11-20T10:00:00");
    row["displayname"] = "CHAIR".into();
    let accepted_result = reply(204, &[], "");
    let replies = [accepted(7), state(true), tasks(1), rows(&[row], false), accepted_result];
    let (_, outcomes) = play(write(&[create(json!({ "itemId": "P-1", "displayName": "Chair" }))]), &replies);
    assert_eq!(outcomes.unwrap()[0].as_ref().unwrap().now.as_ref().unwrap().fields["displayName"], "CHAIR");
}

#[test]
fn children_are_changed_made_and_switched_off() {
    let current =
        json!({ "children": [{ "itemId": "C-11", "price": "19.90" }, { "itemId": "C-13", "price": "1" }] });
    let wanted = json!({ "children": [{ "itemId": "C-11", "price": "21" }, { "itemId": "C-14", "price": "2", "prices": { "EUR": "3" } }] });
    let there =
        |item: &str, id: &str| json!({ "product": "1", "externalid": "k1", "item": item, "itemid": id });
    let children = rows(&[there("11", "C-11"), there("13", "C-13")], false);
    let currencies =
        rows(&[json!({ "id": "1", "symbol": "USD" }), json!({ "id": "2", "symbol": "EUR" })], false);
    let shown = rows(
        &[
            parent(1, "2026-11-20T10:00:00"),
            child(1, 11, 1, "21"),
            child(1, 14, 1, "2"),
            child(1, 14, 2, "3"),
        ],
        false,
    );
    let replies =
        [children, currencies, accepted(7), state(true), tasks(2), accepted(8), state(true), tasks(1), shown];
    let (sent, outcomes) = play(write(&[update(wanted, current)]), &replies);

    assert_eq!(sent[2].method, "PATCH");
    assert_eq!(sent[2].body["items"][0]["id"], "11");
    assert_eq!(sent[2].body["items"][1], json!({ "id": "13", "isInactive": true }));
    assert_eq!(sent[5].method, "PUT");
    assert_eq!(sent[5].body["items"][0]["parent"], json!({ "id": "1" }));
    assert_eq!(sent[5].body["items"][0]["price"]["items"][1]["currencyPage"], json!({ "id": "2" }));
    assert!(outcomes.unwrap()[0].is_ok());
}

#[test]
fn a_whole_batch_that_is_refused_is_one_failure() {
    let (_, outcomes) = play(write(&[create(wanted())]), &[refusal(400, "items[0] is wrong")]);
    assert_eq!(outcomes.unwrap_err().kind, ErrorKind::Rejected);
    let busy = reply(
        429,
        &[],
        r#"{"o:errorDetails":[{"detail":"busy","o:errorCode":"CONCURRENCY_LIMIT_EXCEEDED"}]}"#,
    );
    assert_eq!(play(write(&[create(wanted())]), &[busy]).1.unwrap_err().kind, ErrorKind::RateLimited);
}

#[test]
fn a_location_elsewhere_is_not_followed() {
    let elsewhere = reply(202, &[("location", "https://evil.example/services/rest/async/v1/job/7")], "");
    let (sent, _) = play_some(write(&[create(wanted())]), &[elsewhere, state(false)]);
    assert_eq!(sent[1].path, "/services/rest/async/v1/job/7");
    for strange in [
        "https://evil.example/",
        "/services/rest/async/v1/job/",
        "/services/rest/async/v1/job/..%2f7",
        "/job/a b",
    ] {
        let (_, outcomes) = play(write(&[create(wanted())]), &[reply(202, &[("location", strange)], "")]);
        assert_eq!(outcomes.unwrap_err().kind, ErrorKind::Unexpected, "{strange}");
    }
}

#[test]
fn a_key_follows_from_the_content_alone() {
    assert_eq!(uuid_of("a"), uuid_of("a"));
    assert_ne!(uuid_of("a"), uuid_of("b"));
    let uuid = uuid_of("a");
    assert_eq!((uuid.len(), &uuid[14..15]), (36, "8"));
    assert!("89ab".contains(&uuid[19..20]), "{uuid}");
    assert_eq!(child_key("k1", "C-11").len(), "k1".len() + 11);
}

#[test]
fn children_are_deleted_before_their_product_and_what_is_gone_is_gone() {
    let there = json!({ "product": "1", "externalid": "k1", "item": "11", "itemid": "C-11" });
    let ids = ["1".to_owned(), "2".to_owned()];
    let exchange = Netsuite.delete_many(&account(), ItemType::Product, &ids).unwrap();
    let left = rows(&[json!({ "id": "1" })], false);
    let replies = [
        rows(&[there], false),
        accepted(7),
        state(true),
        tasks(2),
        left,
        refusal(400, "transactions name it"),
    ];
    let (sent, outcomes) = play(exchange, &replies);
    assert_eq!(
        (sent[1].method.as_str(), sent[1].path.as_str()),
        ("DELETE", "/services/rest/record/v1/inventoryItem?ids=11,1")
    );
    assert_eq!(sent[5].path, "/services/rest/async/v1/job/7/task/2/result");
    let outcomes = outcomes.unwrap();
    assert_eq!(outcomes[0].as_ref().unwrap_err().message, "transactions name it");
    assert_eq!(outcomes[1], Ok(()));
}

proptest! {
    #[test]
    fn no_job_or_task_can_make_us_panic(job in mutated(json!({ "completed": true })), list in mutated(json!({ "items": [{ "links": [{ "href": "/job/1/task/1" }] }] }))) {
        let shown = rows(&[parent(1, "2026-11-20T10:00:00")], false);
        let _ = play_some(write(&[create(wanted())]), &[accepted(7), ok(&job), ok(&list), shown, ok(&job), ok(&list)]);
    }

    #[test]
    fn no_wanted_product_can_make_us_panic(wanted in mutated(wanted())) {
        let content = wanted.as_object().cloned().unwrap_or_default();
        let _ = Netsuite.write_many(&account(), ItemType::Product, &[create(content.into())]);
    }
}
