//! Reading, finding, writing and deleting rows of data tables.

use super::{TABLE, account, not_found, page, refusal, row, starting, strings, with_table};
use crate::n8n::{N8n, tables, writing};
use crate::testing::{fields, mutated, ok, play, play_some};
use crate::{Connector, ErrorKind, Exchange, Key, Outcome, Reply, Result, Write};
use domain::{ItemType, Record};
use proptest::prelude::*;
use serde_json::{Value, json};

const CUSTOMER: ItemType = ItemType::Customer;
const TEN: &str = "2026-11-20T10:00:00.123Z";

fn get(ids: &[&str]) -> Exchange<Vec<Record>> {
    N8n.get_many(&with_table(), CUSTOMER, &strings(ids)).unwrap()
}

/// Several at once, which the limits leave to one: how a batch goes on after a refusal must not depend on that.
fn write(writes: &[Write]) -> Exchange<Vec<Outcome>> {
    writing::write(&tables::of(&with_table(), CUSTOMER).unwrap(), writes).unwrap()
}

#[test]
fn a_write_is_one_row_so_that_each_that_went_well_is_recorded_before_the_next() {
    assert_eq!(N8n.limits(CUSTOMER).write, 1);
    let two = [create("k1", json!({})), create("k2", json!({}))];
    assert_eq!(N8n.write_many(&with_table(), CUSTOMER, &two).unwrap_err().kind, ErrorKind::Unexpected);
    assert!(N8n.write_many(&with_table(), CUSTOMER, &two[..1]).is_ok());
}

fn create(key: &str, content: Value) -> Write {
    Write { external_key: key.to_owned(), fields: fields(content), ..Write::default() }
}

fn update(id: &str, content: Value) -> Write {
    Write { id: Some(id.to_owned()), fields: fields(content), ..Write::default() }
}

/// The filter that stands in an address.
fn filter(path: &str) -> Value {
    let query = path.split_once('?').unwrap().1;
    let found = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "filter");
    serde_json::from_str(&found.unwrap().1).unwrap()
}

fn one(column: &str, value: Value) -> Value {
    let mut one = json!({ "columnName": column, "condition": "eq" });
    one["value"] = value;
    one
}

fn ids(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.id.as_str()).collect()
}

#[test]
fn rows_are_read_by_their_ids() {
    let there = page(&[row(2, "b@example.com", TEN), row(9, "x@example.com", TEN)], None);
    let (sent, records) = play(get(&["1", "2"]), &[ok(&there)]);
    assert!(sent[0].path.starts_with(&format!("/api/v1/data-tables/{TABLE}/rows?limit=250&")));
    let wanted = json!({ "type": "or", "filters": [one("id", json!(1)), one("id", json!(2))] });
    assert_eq!(filter(&sent[0].path), wanted);
    assert_eq!(ids(&records.unwrap()), ["2"]);
    let error = N8n.get_many(&with_table(), CUSTOMER, &strings(&["x"])).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected);
    let many: Vec<String> = (0..51).map(|id| id.to_string()).collect();
    assert_eq!(N8n.get_many(&with_table(), CUSTOMER, &many).unwrap_err().kind, ErrorKind::Unexpected);
}

#[test]
fn neither_a_web_page_nor_a_missing_table_looks_like_a_deletion() {
    let kind = |answer: Reply| play(get(&["1"]), &[answer]).1.unwrap_err().kind;
    assert_eq!(kind(starting()), ErrorKind::Unavailable);
    assert_eq!(kind(not_found()), ErrorKind::Rejected);
    assert_eq!(kind(refusal(404, "Could not find the data table")), ErrorKind::Rejected);
    assert_eq!(kind(refusal(404, "not found")), ErrorKind::Unsupported);
    let error = N8n.get_many(&account(), CUSTOMER, &strings(&["1"])).unwrap_err();
    assert!(error.message.contains("tables.customer"));
}

#[test]
fn rows_are_found_by_our_key_or_a_column_and_compared() {
    let key = Key::External(strings(&["k1", "k2"]));
    let first = page(&[row(1, "a@example.com", TEN), row(5, "e@example.com", TEN)], Some("c2"));
    let last = page(&[row(2, "b@example.com", TEN)], None);
    let exchange = N8n.find(&with_table(), CUSTOMER, &key).unwrap();
    let (sent, records) = play(exchange, &[ok(&first), ok(&last)]);
    let wanted = json!({ "type": "or", "filters": [one("external_id", json!("k1")), one("external_id", json!("k2"))] });
    assert_eq!(filter(&sent[0].path), wanted);
    assert!(sent[1].path.ends_with("&cursor=c2"));
    assert_eq!(ids(&records.unwrap()), ["1", "2"]);

    let by = |name: &str, values: &[&str]| {
        N8n.find(&with_table(), CUSTOMER, &Key::Field { name: name.to_owned(), values: strings(values) })
    };
    let answer = ok(&page(&[row(1, "a@example.com", TEN), row(2, "A@example.com", TEN)], None));
    assert_eq!(ids(&play(by("email", &["a@example.com", ""]).unwrap(), &[answer]).1.unwrap()), ["1"]);
    for (name, values) in [("updatedAt", ["x"]), ("external_id", ["x"]), ("a.b", ["x"]), ("email", [""])] {
        assert_eq!(by(name, &values).unwrap_err().kind, ErrorKind::Rejected, "{name}");
    }
    let orders = N8n.find(&with_table(), ItemType::Order, &key).unwrap_err();
    assert!(orders.message.contains("tables.order.key"));
}

#[test]
fn a_create_is_an_upsert_by_the_column_of_our_key() {
    let content = json!({ "email": "a@example.com", "age": 41.5, "member": null });
    let (sent, outcomes) =
        play(write(&[create("k1", content)]), &[ok(&json!([row(1, "a@example.com", TEN)]))]);
    assert_eq!(
        (sent[0].method.as_str(), sent[0].path.as_str()),
        ("POST", &*format!("/api/v1/data-tables/{TABLE}/rows/upsert"))
    );
    assert_eq!(
        sent[0].body,
        json!({
            "filter": { "type": "and", "filters": [one("external_id", json!("k1"))] },
            "data": { "email": "a@example.com", "age": 41.5, "external_id": "k1" },
            "returnData": true,
        })
    );
    let outcomes = outcomes.unwrap();
    let written = outcomes[0].as_ref().unwrap();
    assert_eq!((written.id.as_str(), written.now.as_ref().unwrap().version.as_deref()), ("1", Some(TEN)));
}

#[test]
fn an_update_names_the_row_and_where_a_version_is_expected_what_it_held() {
    let plain = update("5", json!({ "email": "b@example.com" }));
    let (sent, _) = play(write(std::slice::from_ref(&plain)), &[ok(&json!([row(5, "b@example.com", TEN)]))]);
    assert_eq!(
        (sent[0].method.as_str(), sent[0].path.as_str()),
        ("PATCH", &*format!("/api/v1/data-tables/{TABLE}/rows/update"))
    );
    assert_eq!(sent[0].body["filter"], json!({ "type": "and", "filters": [one("id", json!(5))] }));
    assert_eq!(sent[0].body["data"], json!({ "email": "b@example.com" }));
    let gone = play(write(std::slice::from_ref(&plain)), &[ok(&json!([]))]).1.unwrap();
    assert_eq!(gone[0].as_ref().unwrap_err().kind, ErrorKind::NotFound);

    let guarded = Write {
        current: fields(json!({ "email": "a@example.com", "since": TEN, "age": 7 })),
        expected_version: Some(TEN.to_owned()),
        ..update("5", json!({ "email": "b@example.com", "since": null }))
    };
    let (sent, outcomes) = play(write(&[guarded]), &[ok(&json!([]))]);
    let filters = json!([one("id", json!(5)), one("email", json!("a@example.com"))]);
    assert_eq!(sent[0].body["filter"]["filters"], filters, "times cannot be compared");
    assert_eq!(outcomes.unwrap()[0].as_ref().unwrap_err().kind, ErrorKind::Conflict);
}

#[test]
fn the_refusal_of_one_row_is_not_the_end_and_an_outage_is() {
    let writes = [
        create("k1", json!({ "unknown": "x" })),
        create("k2", json!({ "tags": ["x"] })),
        update("5", json!({ "email": "b@example.com" })),
        create("k3", json!({ "external_id": "x" })),
    ];
    let refused = refusal(400, "unknown column name 'unknown'");
    let (sent, outcomes) =
        play(write(&writes), &[refused.clone(), ok(&json!([row(5, "b@example.com", TEN)]))]);
    assert_eq!(sent.len(), 2);
    let outcomes = outcomes.unwrap();
    assert_eq!(outcomes.len(), 4);
    assert_eq!(outcomes[0].as_ref().unwrap_err().message, "unknown column name 'unknown'");
    assert!(outcomes[1].as_ref().unwrap_err().message.starts_with("tags: "));
    assert_eq!(outcomes[2].as_ref().unwrap().id, "5");
    assert!(outcomes[3].as_ref().unwrap_err().message.contains("holds our key"));
    for (answer, kind) in [
        (starting(), ErrorKind::Unavailable),
        (refusal(403, "Forbidden"), ErrorKind::Unauthorized),
        (not_found(), ErrorKind::Rejected),
    ] {
        assert_eq!(play(write(&writes), &[answer]).1.unwrap_err().kind, kind);
    }
    let nothing = N8n.write_many(&with_table(), CUSTOMER, &writes[1..2]).unwrap_err();
    assert_eq!(nothing.kind, ErrorKind::Rejected);
}

#[test]
fn a_strange_answer_to_a_write_is_never_a_success() {
    for answer in [json!(true), json!({}), json!([{}]), json!([])] {
        let outcomes = play(write(&[create("k1", json!({}))]), &[ok(&answer)]).1.unwrap();
        assert_eq!(outcomes[0].as_ref().unwrap_err().kind, ErrorKind::Unexpected, "{answer}");
    }
}

#[test]
fn rows_are_deleted_together() {
    let delete = |ids: &[&str], answer| -> Result<Vec<Result<()>>> {
        let (sent, done) = play(N8n.delete_many(&with_table(), CUSTOMER, &strings(ids)).unwrap(), &[answer]);
        assert_eq!(sent[0].method, "DELETE");
        assert!(sent[0].path.contains("/rows/delete?filter="));
        assert_eq!(filter(&sent[0].path)["type"], "or");
        done
    };
    assert_eq!(delete(&["1", "2"], ok(&json!(true))), Ok(vec![Ok(()), Ok(())]));
    assert_eq!(delete(&["1"], starting()).unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(N8n.delete_many(&with_table(), CUSTOMER, &[]).unwrap_err().kind, ErrorKind::Unexpected);
}

proptest! {
    #[test]
    fn no_reply_is_too_strange(body in mutated(page(&[row(1, "a", TEN)], None)), rows in mutated(json!([row(1, "a", TEN)]))) {
        let _ = play_some(get(&["1"]), &[ok(&body)]);
        let _ = play_some(write(&[create("k1", json!({ "email": "a" }))]), &[ok(&rows)]);
    }
}
