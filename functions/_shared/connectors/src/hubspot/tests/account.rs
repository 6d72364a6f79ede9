use super::{account, empty, error, with};
use crate::hubspot::Hubspot;
use crate::testing::{ok, play, reply};
use crate::{Connector, ErrorKind};
use domain::{ItemType, Value};
use serde_json::json;

fn details() -> Value {
    json!({ "portalId": 147_893_286, "accountType": "STANDARD", "timeZone": "US/Eastern", "companyCurrency": "CHF" })
}

fn property(name: &str, kind: &str, unique: bool, read_only: bool) -> Value {
    json!({
        "name": name, "label": name, "type": kind, "fieldType": "text", "groupName": "contactinformation",
        "description": "", "options": [], "hasUniqueValue": unique, "calculated": false,
        "modificationMetadata": { "archivable": true, "readOnlyDefinition": false, "readOnlyValue": read_only },
    })
}

fn no_scope() -> crate::Reply {
    error(403, "MISSING_SCOPES", "This app hasn't been granted all required scopes to make this call.")
}

fn no_content() -> crate::Reply {
    error(400, "VALIDATION_ERROR", "Invalid input JSON")
}

#[test]
fn a_test_names_the_account_and_changes_nothing() {
    let key = property("syncline_key", "string", true, false);
    let answers = [ok(&details()), empty(), no_content(), ok(&key)];
    let (sent, report) = play(Hubspot.test(&account()).unwrap(), &answers);
    let asked: Vec<(&str, &str)> = sent.iter().map(|one| (one.method.as_str(), one.path.as_str())).collect();
    assert_eq!(
        asked,
        [
            ("GET", "/account-info/v3/details"),
            ("GET", "/crm/v3/objects/contacts?limit=1&archived=false"),
            ("POST", "/crm/v3/objects/contacts/batch/update"),
            ("GET", "/crm/v3/properties/contacts/syncline_key"),
        ]
    );
    assert_eq!(sent[2].body, json!({ "inputs": [] }));
    let report = report.unwrap();
    assert_eq!(
        (report.account_name.as_str(), report.currency.as_deref()),
        ("HubSpot account 147893286", Some("CHF"))
    );
    assert!(report.missing_permissions.is_empty() && report.warnings.is_empty());
}

#[test]
fn missing_permissions_are_told_one_by_one() {
    let absent = || error(404, "OBJECT_NOT_FOUND", "Property 'syncline_key' does not exist");
    let answers = [ok(&details()), no_scope(), no_scope(), absent(), no_scope()];
    let (sent, report) = play(Hubspot.test(&account()).unwrap(), &answers);
    assert_eq!(sent[4].body, json!({}));
    assert_eq!(
        report.unwrap().missing_permissions,
        ["crm.objects.contacts.read", "crm.objects.contacts.write", "crm.schemas.contacts.write"]
    );
    let answers = [ok(&details()), empty(), no_content(), absent(), no_content()];
    assert!(play(Hubspot.test(&account()).unwrap(), &answers).1.unwrap().missing_permissions.is_empty());
}

#[test]
fn a_key_that_is_not_unique_and_a_day_that_is_nearly_over_are_told() {
    let day = [("x-hubspot-ratelimit-daily", "250000"), ("x-hubspot-ratelimit-daily-remaining", "24999")];
    let key = property("syncline_key", "string", false, false);
    let answers = [reply(200, &day, &details().to_string()), empty(), no_content(), ok(&key)];
    let warnings = play(Hubspot.test(&account()).unwrap(), &answers).1.unwrap().warnings;
    assert!(warnings[0].contains("24999 of the day's 250000"));
    assert!(warnings[1].contains("is not unique"));
}

#[test]
fn a_token_that_is_refused_ends_the_test() {
    let refused = error(401, "INVALID_AUTHENTICATION", "The token is invalid");
    let error = play(Hubspot.test(&account()).unwrap(), &[refused]).1.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthorized);
    let away = [ok(&details()), empty(), reply(502, &[], "<html>")];
    assert_eq!(play(Hubspot.test(&account()).unwrap(), &away).1.unwrap_err().kind, ErrorKind::Unavailable);
}

#[test]
fn the_property_of_our_key_is_defined_once() {
    let prepare = || Hubspot.prepare(&account(), ItemType::Customer).unwrap().unwrap();
    let absent = || error(404, "OBJECT_NOT_FOUND", "Property does not exist");
    let key = property("syncline_key", "string", true, false);
    assert_eq!(play(prepare(), &[ok(&key)]).1, Ok(()));
    let (sent, done) = play(prepare(), &[absent(), reply(201, &[], &key.to_string())]);
    assert_eq!(done, Ok(()));
    assert_eq!(
        (&sent[1].body["name"], &sent[1].body["hasUniqueValue"]),
        (&json!("syncline_key"), &json!(true))
    );
    let exists = error(409, "CONFLICT", "A property named 'syncline_key' already exists.");
    assert_eq!(play(prepare(), &[absent(), exists]).1, Ok(()), "somebody else was faster");
    let plain = property("syncline_key", "string", false, false);
    assert_eq!(play(prepare(), &[ok(&plain)]).1.unwrap_err().kind, ErrorKind::Rejected);
    assert_eq!(play(prepare(), &[absent(), no_scope()]).1.unwrap_err().kind, ErrorKind::Unauthorized);
    assert_eq!(play(prepare(), &[reply(404, &[], "<html>")]).1.unwrap_err().kind, ErrorKind::Unavailable);
}

#[test]
fn the_schema_shows_the_fields_that_the_account_has() {
    let answer = json!({ "results": [
        property("email", "string", true, false), property("lifecyclestage", "enumeration", false, false),
        property("score", "number", false, true), property("birthday", "date", false, false),
        property("unnamed", "string", false, false),
    ] });
    let exchange = Hubspot.schema(&with(&["score", "birthday", "lost"])).unwrap();
    let (sent, objects) = play(exchange, &[ok(&answer)]);
    assert_eq!(sent[0].path, "/crm/v3/properties/contacts?archived=false");
    let objects = objects.unwrap();
    let shown: Vec<(&str, &str, bool)> = objects[0]
        .fields
        .iter()
        .map(|field| (field.path.as_str(), field.kind.as_str(), field.writable))
        .collect();
    assert_eq!(
        shown,
        [
            ("email", "text", true),
            ("lifecycleStage", "text", true),
            ("properties.score", "number", false),
            ("properties.birthday", "time", true),
        ]
    );
}
