use super::{ID, account, refusal, shown};
use crate::ErrorKind;
use crate::n8n::{Definition, create_workflow, update_workflow};
use crate::testing::{mutated, ok, play};
use proptest::prelude::*;
use serde_json::{Value, json};

fn wrong(name: &str, stored: &Value) -> String {
    let error = Definition::of(name, stored).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected);
    error.message
}

#[test]
fn of_what_n8n_shows_only_what_it_takes_is_written() {
    let mut stored = shown(ID);
    stored["settings"]["binaryMode"] = json!("separate");
    stored["nodes"][1]["createdAt"] = json!("2026-11-20T22:29:24.000Z");
    let definition = Definition::of("[USR-42] new", &stored).unwrap();
    let (sent, made) = play(create_workflow(&account(), &definition).unwrap(), &[ok(&shown(ID))]);
    assert_eq!((sent[0].method.as_str(), sent[0].path.as_str()), ("POST", "/api/v1/workflows"));
    assert_eq!(sent[0].header("content-type"), "application/json");
    assert_eq!(
        sent[0].body,
        json!({
            "name": "[USR-42] new", "nodes": shown(ID)["nodes"], "connections": shown(ID)["connections"],
            "settings": { "executionOrder": "v1", "availableInMCP": true },
        })
    );
    assert_eq!(made.unwrap().id, ID);
    assert!(!format!("{definition:?}").contains("hunter2"));
}

#[test]
fn what_cannot_be_written_is_said_in_words() {
    let good = shown(ID);
    assert!(wrong("", &good).contains("1 to 128"));
    assert!(wrong(&"ü".repeat(129), &good).contains("1 to 128"));
    assert!(Definition::of(&"ü".repeat(128), &good).is_ok());
    assert!(wrong("x", &json!("text")).contains("object"));
    for (field, value, expected) in [
        ("nodes", json!({}), "`nodes` must be a list"),
        ("connections", json!([]), "`connections` must be an object"),
        ("settings", json!("x"), "`settings` must be an object"),
        ("nodes", json!([1]), "node 1 must be an object"),
        ("nodes", json!([good["nodes"][0], { "name": "x" }]), "node 2 has no `type`"),
    ] {
        let mut stored = good.clone();
        stored[field] = value;
        assert!(wrong("x", &stored).ends_with(expected), "{expected}");
    }
    for field in ["nodes", "connections"] {
        let mut stored = good.clone();
        stored.as_object_mut().unwrap().remove(field);
        assert!(wrong("x", &stored).contains("is missing"));
    }
    let bare = Definition::of("x", &json!({ "nodes": [], "connections": {} })).unwrap();
    assert_eq!(bare.settings, json!({}));
}

#[test]
fn an_update_replaces_and_tells_when_there_is_nothing_to_replace() {
    let definition = Definition::of("x", &shown(ID)).unwrap();
    let (sent, _) = play(update_workflow(&account(), ID, &definition).unwrap(), &[ok(&shown(ID))]);
    assert_eq!(
        (sent[0].method.as_str(), sent[0].path.as_str()),
        ("PUT", &*format!("/api/v1/workflows/{ID}"))
    );
    let update = |reply| play(update_workflow(&account(), ID, &definition).unwrap(), &[reply]).1.unwrap_err();
    let gone = "You do not have permission to update this workflow. Ask the owner to share it with you.";
    assert_eq!(update(refusal(404, gone)).kind, ErrorKind::NotFound);
    let refused = update(refusal(400, "request/body/active is read-only"));
    assert_eq!(
        (refused.kind, refused.message.as_str()),
        (ErrorKind::Rejected, "request/body/active is read-only")
    );
}

proptest! {
    #[test]
    fn what_is_taken_holds_nothing_but_the_whitelist(stored in mutated(shown(ID))) {
        if let Ok(definition) = Definition::of("x", &stored) {
            prop_assert!(definition.nodes.is_array() && definition.connections.is_object());
            prop_assert!(definition.settings.as_object().unwrap().len() <= 2);
        }
    }
}
