use super::{account, complete, contact, create, empty, entry, error, partly, update, with};
use crate::hubspot::Hubspot;
use crate::testing::{ok, play, play_some, reply};
use crate::{Connector, ErrorKind, Exchange, Outcome, Write};
use domain::ItemType;
use serde_json::{Value, json};

const TEN: &str = "2026-11-20T10:00:00.123Z";

fn write(writes: &[Write]) -> Exchange<Vec<Outcome>> {
    Hubspot.write_many(&with(&["score"]), ItemType::Customer, writes).unwrap()
}

/// A contact as a write answers with it.
fn result(id: u64, trace: Option<&str>, key: Option<&str>) -> Value {
    let mut result = contact(id, "a@example.com", TEN);
    result["new"] = json!(true);
    if let Some(trace) = trace {
        result["objectWriteTraceId"] = json!(trace);
    }
    if let Some(key) = key {
        result["properties"]["syncline_key"] = json!(key);
    }
    result
}

fn id(outcome: &Outcome) -> &str {
    &outcome.as_ref().unwrap().id
}

#[test]
fn a_create_is_an_upsert_by_our_key() {
    let content = json!({ "email": " Ana@Example.com ", "firstName": "Ana", "city": null, "properties": { "score": 12.50 } });
    let (sent, outcomes) =
        play(write(&[create("k1", content)]), &[ok(&complete(&[result(5, Some("0"), None)]))]);
    assert_eq!(sent[0].path, "/crm/v3/objects/contacts/batch/upsert");
    assert_eq!(
        sent[0].body,
        json!({ "inputs": [{
            "id": "k1", "idProperty": "syncline_key", "objectWriteTraceId": "0",
            "properties": { "email": "ana@example.com", "firstname": "Ana", "score": "12.5", "syncline_key": "k1" },
        }] })
    );
    assert_eq!(id(&outcomes.unwrap()[0]), "5");
}

#[test]
fn an_update_sends_what_changes_and_clears_what_is_empty() {
    let content = json!({ "lastName": "Meier", "phone": null });
    let (sent, outcomes) = play(write(&[update("5", content)]), &[ok(&complete(&[result(5, None, None)]))]);
    assert_eq!(sent[0].path, "/crm/v3/objects/contacts/batch/update");
    let input =
        json!({ "id": "5", "objectWriteTraceId": "0", "properties": { "lastname": "Meier", "phone": "" } });
    assert_eq!(sent[0].body, json!({ "inputs": [input] }));
    assert_eq!(id(&outcomes.unwrap()[0]), "5");
}

#[test]
fn outcomes_come_in_the_order_of_the_writes_whatever_the_order_of_the_answers() {
    let writes = [
        update("9", json!({ "city": "Bern" })),
        create("k1", json!({ "email": "a@example.com" })),
        create("k2", json!({ "sku": "no such field" })),
        create("k3", json!({ "email": "c@example.com" })),
        update("8", json!({ "city": "Basel" })),
    ];
    let taken = entry(
        "CONFLICT",
        "Contact already exists. Existing ID: 77",
        json!({ "objectWriteTraceId": ["1"], "id": ["77"] }),
    );
    let gone = entry("OBJECT_NOT_FOUND", "Could not get some CONTACT objects", json!({ "ids": ["9"] }));
    let (sent, outcomes) = play(
        write(&writes),
        &[partly(&[result(3, Some("3"), None)], &[taken]), partly(&[result(8, None, None)], &[gone])],
    );
    assert_eq!(sent.len(), 2);
    let outcomes = outcomes.unwrap();
    let kind = |at: usize| outcomes[at].as_ref().unwrap_err().kind;
    assert_eq!((kind(0), kind(1), kind(2)), (ErrorKind::NotFound, ErrorKind::Conflict, ErrorKind::Rejected));
    assert_eq!((id(&outcomes[3]), id(&outcomes[4])), ("3", "8"));
    assert_eq!(outcomes[1].as_ref().unwrap_err().message, "Contact already exists. Existing ID: 77");
}

#[test]
fn an_error_that_names_nothing_is_about_those_nothing_else_is_said_of() {
    let writes = [update("1", json!({ "city": "Bern" })), update("2", json!({ "city": "Bern" }))];
    let refusal = entry("VALIDATION_ERROR", "no", json!({}));
    let outcomes = play(write(&writes), &[partly(&[result(1, None, None)], &[refusal])]).1.unwrap();
    assert_eq!(id(&outcomes[0]), "1");
    assert_eq!(outcomes[1].as_ref().unwrap_err().kind, ErrorKind::Rejected);
    let silent = play(write(&writes), &[ok(&complete(&[result(1, None, None)]))]).1.unwrap();
    assert_eq!(silent[1].as_ref().unwrap_err().kind, ErrorKind::Unexpected);
}

#[test]
fn what_the_answer_leaves_out_of_creates_is_looked_up_by_key() {
    let writes = [create("k1", json!({})), create("k2", json!({})), create("k3", json!({}))];
    let first = complete(&[result(1, None, Some("k1")), result(2, None, None)]);
    let there = complete(&[result(2, None, Some("k2"))]);
    let (sent, outcomes) = play(write(&writes), &[ok(&first), ok(&there)]);
    assert_eq!(sent[1].path, "/crm/v3/objects/contacts/batch/read?archived=false");
    assert_eq!(sent[1].body["inputs"], json!([{ "id": "k2" }, { "id": "k3" }]));
    let outcomes = outcomes.unwrap();
    assert_eq!((id(&outcomes[0]), id(&outcomes[1])), ("1", "2"));
    assert_eq!(outcomes[2].as_ref().unwrap_err().kind, ErrorKind::Unexpected);
}

#[test]
fn fields_that_cannot_be_written_are_refused_before_anything_is_sent() {
    let refused = |content: Value| {
        let error = Hubspot.write_many(&account(), ItemType::Customer, &[create("k", content)]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Rejected);
        error.message
    };
    assert!(refused(json!({ "sku": "A" })).starts_with("sku: "));
    assert!(refused(json!({ "city": ["Bern"] })).starts_with("city: "));
    assert!(refused(json!({ "properties": { "score": "1" } })).starts_with("properties.score: "));
    assert!(refused(json!({ "properties": "x" })).starts_with("properties: "));
    let nameless = Hubspot.write_many(&account(), ItemType::Customer, &[Write::default()]);
    assert_eq!(nameless.unwrap_err().kind, ErrorKind::Unexpected);
}

#[test]
fn a_batch_that_is_refused_whole_is_an_error_of_the_exchange() {
    let writes = [create("k1", json!({})), create("k2", json!({}))];
    let answer = error(400, "VALIDATION_ERROR", "Property values were not valid");
    assert_eq!(play(write(&writes), &[answer]).1.unwrap_err().kind, ErrorKind::Rejected);
}

#[test]
fn what_is_gone_already_counts_as_deleted_and_a_web_page_deletes_nothing() {
    let delete = |ids: &[&str], answer| {
        let exchange = Hubspot.delete_many(&account(), ItemType::Customer, &super::strings(ids)).unwrap();
        play(exchange, &[answer]).1
    };
    assert_eq!(delete(&["1", "2"], reply(204, &[], "")).unwrap(), [Ok(()), Ok(())]);
    let gone = || error(404, "OBJECT_NOT_FOUND", "no");
    assert_eq!(delete(&["1"], gone()).unwrap(), [Ok(())]);
    assert_eq!(delete(&["1", "2"], gone()).unwrap_err().kind, ErrorKind::NotFound);
    for answer in [reply(200, &[], "<html>"), reply(404, &[], "<html>"), reply(207, &[], "")] {
        assert_eq!(delete(&["1"], answer).unwrap_err().kind, ErrorKind::Unavailable);
    }
    let errors = [
        entry("OBJECT_NOT_FOUND", "no", json!({ "ids": ["1"] })),
        entry("VALIDATION_ERROR", "not this one", json!({ "ids": ["2"] })),
    ];
    let outcomes = delete(&["1", "2", "3"], partly(&[], &errors)).unwrap();
    assert_eq!((&outcomes[0], &outcomes[2]), (&Ok(()), &Ok(())));
    assert_eq!(outcomes[1].as_ref().unwrap_err().message, "not this one");
}

#[test]
fn a_strange_answer_to_a_write_is_never_a_success() {
    let writes = [update("1", json!({ "city": "Bern" }))];
    for body in ["{}", r#"{"status":"COMPLETE"}"#, "[]"] {
        let (_, outcome) = play_some(write(&writes), &[reply(200, &[], body)]);
        assert_eq!(outcome.unwrap().unwrap_err().kind, ErrorKind::Unexpected, "{body}");
    }
    let (_, outcome) = play_some(write(&writes), &[empty()]);
    assert!(outcome.unwrap().is_err());
}
