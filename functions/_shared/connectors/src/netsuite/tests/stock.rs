use super::{accepted, create, refusal, rows, state, tasks, with};
use crate::netsuite::Netsuite;
use crate::testing::{fields, play};
use crate::{Connector, ErrorKind, Exchange, Outcome, Reply, Write};
use domain::ItemType;
use serde_json::{Value, json};

fn stock(to: i64, from: i64) -> Write {
    Write {
        id: Some("11".into()),
        fields: fields(json!({ "quantities": { "Main": to } })),
        current: fields(json!({ "quantities": { "Main": from } })),
        idempotency_key: "u1".into(),
        ..Write::default()
    }
}

fn adjust(write: Write) -> Exchange<Vec<Outcome>> {
    let account = with(&[("adjustment_account_id", json!("54"))]);
    Netsuite.write_many(&account, ItemType::Inventory, &[write]).unwrap()
}

fn on_hand(count: i64) -> Reply {
    rows(
        &[
            json!({ "item": "11", "itemid": "C-11", "modified": "2026-11-20T10:00:00", "locationid": "1", "location": "Main", "onhand": count.to_string() }),
        ],
        false,
    )
}

fn locations() -> Reply {
    rows(&[json!({ "id": "1", "name": "Main" })], false)
}

fn adjustment(key: &str) -> Value {
    json!({ "id": "900", "externalid": key })
}

#[test]
fn stock_is_adjusted_by_the_difference_under_a_key() {
    let replies = [
        locations(),
        on_hand(10),
        rows(&[], false),
        accepted(7),
        state(true),
        tasks(1),
        rows(&[adjustment("u1")], false),
    ];
    let (sent, outcomes) = play(adjust(stock(7, 10)), &replies);
    assert_eq!(
        (sent[3].method.as_str(), sent[3].path.as_str()),
        ("POST", "/services/rest/record/v1/inventoryAdjustment")
    );
    let lines = json!([{ "item": { "id": "11" }, "location": { "id": "1" }, "adjustQtyBy": -3 }]);
    assert_eq!(
        sent[3].body["items"],
        json!([{ "externalId": "u1", "account": { "id": "54" }, "inventory": { "items": lines } }])
    );
    assert_eq!(sent[3].header("x-netsuite-idempotency-key"), "", "a refusal must not be remembered");
    assert_eq!(outcomes.unwrap()[0].as_ref().unwrap().id, "11");
}

#[test]
fn stock_that_is_right_already_is_left_alone_and_stock_that_moved_is_decided_anew() {
    let (_, outcomes) = play(adjust(stock(7, 10)), &[locations(), on_hand(7)]);
    assert!(outcomes.unwrap()[0].is_ok(), "an earlier attempt was heard");
    let (_, outcomes) = play(adjust(stock(7, 10)), &[locations(), on_hand(9)]);
    assert_eq!(outcomes.unwrap()[0].as_ref().unwrap_err().kind, ErrorKind::Conflict);
}

#[test]
fn the_same_change_a_second_time_is_a_second_adjustment() {
    let there = || vec![adjustment("u1")];
    let replies = [
        locations(),
        on_hand(10),
        rows(&there(), false),
        accepted(7),
        state(true),
        tasks(1),
        rows(&[adjustment("u1"), adjustment("u1-2")], false),
    ];
    let (sent, outcomes) = play(adjust(stock(7, 10)), &replies);
    assert_eq!(sent[3].body["items"][0]["externalId"], "u1-2");
    assert!(outcomes.unwrap()[0].is_ok());
}

#[test]
fn an_adjustment_that_is_not_there_was_refused() {
    let replies = [
        locations(),
        on_hand(10),
        rows(&[], false),
        accepted(7),
        state(true),
        tasks(1),
        rows(&[], false),
        refusal(400, "period is closed"),
    ];
    let (_, outcomes) = play(adjust(stock(7, 10)), &replies);
    assert_eq!(outcomes.unwrap()[0].as_ref().unwrap_err().message, "period is closed");
}

#[test]
fn an_order_names_items_and_currency_by_their_ids() {
    let wanted = json!({ "otherRefNum": "#1001", "currency": "USD", "total": "39.80", "lines": [{ "itemId": "C-11", "quantity": 2, "rate": "19.90" }], "shippingAddress": { "addressee": "Ana", "country": "CH" } });
    let items = rows(&[json!({ "id": "11", "itemid": "C-11" })], false);
    let currencies = rows(&[json!({ "id": "1", "symbol": "USD" })], false);
    let head = rows(
        &[
            json!({ "id": "5", "externalid": "k1", "modified": "2026-11-20T10:00:00", "otherrefnum": "#1001", "currency": "USD", "addressee": "Ana", "country": "CH" }),
        ],
        false,
    );
    let line = rows(&[json!({ "id": "5", "itemid": "C-11", "quantity": "2", "rate": "19.9" })], false);
    let account = with(&[("default_customer_id", json!(77))]);
    let exchange = Netsuite.write_many(&account, ItemType::Order, &[create(wanted.clone())]).unwrap();
    let (sent, outcomes) =
        play(exchange, &[items, currencies, accepted(7), state(true), tasks(1), head, line]);

    assert_eq!(
        sent[2].path, "/services/rest/record/v1/salesOrder?replace=item",
        "a repeated create must not add its lines again"
    );
    let body = &sent[2].body["items"][0];
    assert_eq!(
        (sent[2].method.as_str(), &body["entity"], &body["externalId"]),
        ("PUT", &json!({ "id": "77" }), &json!("k1"))
    );
    assert_eq!(body["item"]["items"][0].to_string(), r#"{"item":{"id":"11"},"quantity":2,"rate":19.90}"#);
    assert_eq!(body["shippingAddress"]["country"], json!({ "id": "CH" }));
    assert_eq!(outcomes.unwrap()[0].as_ref().unwrap().id, "5");

    let without = Netsuite.write_many(&super::account(), ItemType::Order, &[create(json!({ "memo": "x" }))]);
    assert!(without.unwrap_err().message.contains("default_customer_id"));
}
