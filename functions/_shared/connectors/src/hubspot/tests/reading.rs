use super::{account, complete, contact, emails, entry, error, find, get, ids, partly, strings, with};
use crate::hubspot::Hubspot;
use crate::testing::{mutated, ok, play, play_some, reply};
use crate::{Account, Connector, ErrorKind, Key};
use domain::{ItemType, Value};
use proptest::prelude::*;
use serde_json::json;

const TEN: &str = "2026-11-20T10:00:00.123Z";

fn absent(ids: &[&str]) -> Value {
    let message =
        "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.";
    entry("OBJECT_NOT_FOUND", message, json!({ "ids": ids }))
}

#[test]
fn a_contact_becomes_a_neutral_record() {
    let mut shown = contact(17, "ana@example.com", TEN);
    shown["properties"]["score"] = json!("12.50");
    let exchange =
        Hubspot.get_many(&with(&["score", "tier"]), ItemType::Customer, &strings(&["17"])).unwrap();
    let (sent, records) = play(exchange, &[ok(&complete(&[shown]))]);
    assert_eq!(sent[0].path, "/crm/v3/objects/contacts/batch/read?archived=false");
    assert_eq!(sent[0].body["inputs"], json!([{ "id": "17" }]));
    let record = &records.unwrap()[0];
    assert_eq!(
        Value::Object(record.fields.clone()),
        json!({
            "email": "ana@example.com", "firstName": "Ana", "lastName": "Keller", "phone": "+41 31 000 00 00",
            "company": null, "jobTitle": null, "lifecycleStage": "lead", "city": "Bern", "country": null,
            "zip": "3011", "address": null, "properties": { "score": "12.50", "tier": null },
        })
    );
    assert_eq!((record.id.as_str(), record.version.as_deref(), record.deleted), ("17", Some(TEN), false));
    assert_eq!(record.modified_at, Some(TEN.parse().unwrap()));
}

#[test]
fn what_is_not_there_is_absent_and_what_cannot_be_read_is_an_error() {
    let there = contact(1, "a@example.com", TEN);
    let read = |answer| play(get(&["1", "2"]), &[answer]).1;
    assert_eq!(ids(&read(partly(std::slice::from_ref(&there), &[absent(&["2"])])).unwrap()), ["1"]);
    assert_eq!(ids(&read(ok(&complete(std::slice::from_ref(&there)))).unwrap()), ["1"]);

    let broken = entry("INTERNAL_ERROR", "internal error", json!({ "ids": ["2"] }));
    assert_eq!(read(partly(std::slice::from_ref(&there), &[broken])).unwrap_err().message, "internal error");
    let mut unfinished = complete(&[there]);
    unfinished["status"] = json!("PROCESSING");
    assert_eq!(read(ok(&unfinished)).unwrap_err().kind, ErrorKind::Unavailable);
}

#[test]
fn a_web_page_in_the_place_of_an_answer_never_looks_like_a_deletion() {
    for status in [200, 207, 400, 403, 404, 410, 500, 502, 524] {
        let page = reply(status, &[("content-type", "text/html")], "\n<!doctype html><title>Sorry</title>");
        let kind = play(get(&["1"]), &[page]).1.unwrap_err().kind;
        assert_eq!(kind, ErrorKind::Unavailable, "{status}");
    }
    let kind = |answer| play(get(&["1"]), &[answer]).1.unwrap_err().kind;
    assert_eq!(kind(reply(404, &[], "")), ErrorKind::Unexpected);
    assert_eq!(kind(reply(302, &[], "<html>")), ErrorKind::Unexpected);
    assert_eq!(kind(reply(204, &[], "")), ErrorKind::Unavailable);
}

#[test]
fn a_contact_that_was_merged_is_not_taken_for_a_deleted_one() {
    let answer = play(get(&["1"]), &[ok(&complete(&[contact(2, "b@example.com", TEN)]))]).1;
    let error = answer.unwrap_err();
    assert_eq!((error.kind, error.vendor_code.as_deref()), (ErrorKind::Rejected, Some("MERGED")));
}

#[test]
fn e_mail_addresses_are_looked_up_as_hubspot_keeps_them_and_compared() {
    let answer = complete(&[contact(1, "ana@example.com", TEN), contact(2, "first@example.com", TEN)]);
    let exchange = find("email", &[" Ana@Example.com", "ana@example.com", "second@example.com"]);
    let (sent, records) = play(exchange, &[ok(&answer)]);
    assert_eq!(sent[0].body["idProperty"], "email");
    assert_eq!(sent[0].body["inputs"], json!([{ "id": "ana@example.com" }, { "id": "second@example.com" }]));
    assert_eq!(emails(&records.unwrap()), ["ana@example.com"], "another's further address is no match");
}

#[test]
fn our_key_is_looked_up_by_its_property() {
    let mut shown = contact(1, "ana@example.com", TEN);
    shown["properties"]["syncline_key"] = json!("k1");
    let other = contact(2, "b@example.com", TEN);
    let exchange =
        Hubspot.find(&account(), ItemType::Customer, &Key::External(strings(&["k2", "k1"]))).unwrap();
    let (sent, records) = play(exchange, &[partly(&[shown, other], &[absent(&["k2"])])]);
    assert_eq!(sent[0].body["idProperty"], "syncline_key");
    assert!(sent[0].body["properties"].as_array().unwrap().contains(&json!("syncline_key")));
    assert_eq!(ids(&records.unwrap()), ["1"]);
}

#[test]
fn other_fields_are_searched_for_and_compared() {
    let shown = |id, tier: &str| {
        let mut shown = contact(id, "a@example.com", TEN);
        shown["properties"]["tier"] = json!(tier);
        shown
    };
    let first = super::page(&[shown(1, "Gold"), shown(2, "gold")], Some("200"));
    let last = super::page(&[shown(3, "Gold")], None);
    let (sent, records) = play(find("properties.tier", &["Gold"]), &[ok(&first), ok(&last)]);
    let filter = json!({ "propertyName": "tier", "operator": "IN", "values": ["gold"] });
    assert_eq!(sent[0].body["filterGroups"], json!([{ "filters": [filter] }]));
    assert_eq!(sent[1].body["after"], "200");
    assert_eq!(ids(&records.unwrap()), ["1", "3"]);
}

#[test]
fn what_cannot_be_searched_by_is_refused_before_anything_is_sent() {
    let refused = |name: &str, values: &[&str]| {
        let key = Key::Field { name: name.to_owned(), values: strings(values) };
        Hubspot.find(&account(), ItemType::Customer, &key).unwrap_err().kind
    };
    assert_eq!(refused("sku", &["A"]), ErrorKind::Rejected);
    assert_eq!(refused("properties.tier", &["A"]), ErrorKind::Rejected);
    assert_eq!(refused("email", &[" "]), ErrorKind::Rejected);
    let many: Vec<String> = (0..101).map(|id| id.to_string()).collect();
    let error = Hubspot.get_many(&account(), ItemType::Customer, &many).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unexpected);
    let error = Hubspot.get_many(&account(), ItemType::Order, &strings(&["1"])).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
}

#[test]
fn settings_that_cannot_be_used_are_refused() {
    let refused = |account: &Account| {
        let error = Hubspot.get_many(account, ItemType::Customer, &strings(&["1"])).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Rejected);
        error.message
    };
    assert!(refused(&with(&["Tier"])).contains("internal name"));
    assert!(refused(&with(&["jobtitle"])).contains("`jobTitle`"));
    assert!(refused(&with(&["syncline_key"])).contains("the key"));
    let mut settings = account();
    settings.settings.insert("properties".into(), json!("tier"));
    assert!(refused(&settings).contains("list"));
    let mut settings = account();
    settings.settings.insert("key_property".into(), json!("email"));
    assert!(refused(&settings).contains("key_property"));
}

#[test]
fn a_refused_credential_is_told() {
    let answer = error(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.");
    assert_eq!(play(get(&["1"]), &[answer]).1.unwrap_err().kind, ErrorKind::Unauthorized);
    let mut other = account();
    other.credential = domain::auth::CredentialKind::TokenBased;
    assert_eq!(Hubspot.scheme(&other), None);
    assert_eq!(Hubspot.scheme(&account()), Some(domain::auth::Scheme::Bearer));
}

proptest! {
    #[test]
    fn no_reply_is_too_strange(body in mutated(complete(&[contact(1, "a@example.com", TEN)]))) {
        let _ = play_some(get(&["1"]), &[ok(&body)]);
        let _ = play_some(super::list(Some(TEN), None), &[ok(&body), ok(&body)]);
    }
}
