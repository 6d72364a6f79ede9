use super::{ID, account, at, not_found, page, refusal, shown, starting};
use crate::ErrorKind;
use crate::n8n::{Hook, ListAsk, Workflow, workflow, workflows};
use crate::testing::{mutated, ok, play, play_some, reply};
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(shown: &Value) -> Workflow {
    play(workflow(&account(), ID).unwrap(), &[ok(shown)]).1.unwrap().unwrap()
}

fn hook_of(nodes: Value) -> Option<Hook> {
    let mut shown = shown(ID);
    shown["activeVersion"]["nodes"] = nodes;
    read(&shown).webhook
}

#[test]
fn a_workflow_is_read_without_what_its_nodes_hold() {
    let (sent, found) = play(workflow(&account(), ID).unwrap(), &[ok(&shown(ID))]);
    assert_eq!(sent[0].path, format!("/api/v1/workflows/{ID}?excludePinnedData=true"));
    let found = found.unwrap().unwrap();
    assert_eq!((found.id.as_str(), found.name.as_str()), (ID, "[USR-42] ok"));
    assert!(found.active && found.in_mcp && !found.is_archived);
    assert_eq!(found.updated_at, Some("2026-11-20T22:29:25.179Z".parse().unwrap()));
    assert_eq!(found.tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>(), ["usr:42", "shop"]);
    let trigger = found.trigger.as_ref().unwrap();
    assert_eq!(
        (trigger.node.as_str(), trigger.takes.word()),
        ("Webhook", "webhook"),
        "an error trigger starts nothing"
    );
    assert_eq!(
        found.node_types,
        ["n8n-nodes-base.code", "n8n-nodes-base.errorTrigger", "n8n-nodes-base.webhook"]
    );
    assert!(!format!("{found:?}").contains("hunter2"));
}

#[test]
fn the_webhook_is_that_of_the_published_version() {
    let hook = read(&shown(ID)).webhook.unwrap();
    assert_eq!(
        (hook.method.as_str(), hook.path.as_str(), hook.node.as_str()),
        ("POST", "ok-live", "Webhook")
    );
    let mut draft = shown(ID);
    draft["activeVersion"] = Value::Null;
    assert_eq!(read(&draft).webhook.unwrap().path, "ok-1");
    draft.as_object_mut().unwrap().remove("activeVersion");
    assert_eq!(read(&draft).webhook.unwrap().path, "ok-1", "older servers show no versions");
}

#[test]
fn a_webhook_that_is_switched_off_or_an_expression_is_none() {
    let node = |name: &str, parameters: Value, more: Value| {
        let mut node = json!({ "name": name, "type": "n8n-nodes-base.webhook", "parameters": parameters });
        node.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        node
    };
    let off = node("Off", json!({ "path": "off" }), json!({ "disabled": true }));
    let guessed = node("Guessed", json!({ "path": "={{ $json.path }}" }), json!({}));
    let plain = node("Plain", json!({ "path": "/in/orders/" }), json!({}));
    let hook = hook_of(json!([off, guessed, plain])).unwrap();
    assert_eq!((hook.method.as_str(), hook.path.as_str(), hook.node.as_str()), ("GET", "in/orders", "Plain"));
    let unnamed = node("Unnamed", json!({ "httpMethod": ["PUT", "POST"] }), json!({ "webhookId": "w-9" }));
    let hook = hook_of(json!([unnamed])).unwrap();
    assert_eq!((hook.method.as_str(), hook.path.as_str()), ("PUT", "w-9"));
    assert_eq!(hook_of(json!([off])), None);
}

#[test]
fn whatever_tells_two_states_apart_changes_the_fingerprint() {
    let before = read(&shown(ID)).fingerprint();
    for (field, value) in [
        ("name", json!("other")),
        ("updatedAt", json!("2026-11-20T22:29:25.180Z")),
        ("versionId", json!("v2")),
        ("activeVersionId", Value::Null),
        ("isArchived", json!(true)),
        ("tags", json!([{ "id": "T2", "name": "usr:42" }])),
    ] {
        let mut changed = shown(ID);
        changed[field] = value;
        assert_ne!(read(&changed).fingerprint(), before, "{field}");
    }
    let mut turned = shown(ID);
    turned["tags"].as_array_mut().unwrap().reverse();
    turned["triggerCount"] = json!(7);
    assert_eq!(read(&turned).fingerprint(), before);
}

#[test]
fn only_n8n_itself_can_say_that_a_workflow_is_gone() {
    let answer = |reply| play(workflow(&account(), ID).unwrap(), &[reply]).1;
    assert_eq!(answer(not_found()), Ok(None));
    assert_eq!(answer(starting()).unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(answer(refusal(404, "not found")).unwrap_err().kind, ErrorKind::Unsupported);
    assert_eq!(answer(reply(404, &[], "")).unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(answer(ok(&json!({}))).unwrap_err().kind, ErrorKind::Unexpected);
    let error = workflow(&account(), "../users").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected);
}

#[test]
fn workflows_are_listed_page_by_page() {
    let ask = ListAsk {
        limit: 1_000,
        cursor: Some("eyJsaW1pdCI6M30="),
        tag: Some("usr:42"),
        name: Some("[USR-42] "),
        ..ListAsk::default()
    };
    let body = page(&[shown("A1"), shown("B2")], Some("eyJsaW1pdCI6Nn0="));
    let answer = reply(200, &[("etag", "W/\"e72-x\"")], &body.to_string());
    let (sent, listed) = play(workflows(&account(), &ask).unwrap(), &[answer]);
    assert_eq!(
        sent[0].path,
        "/api/v1/workflows?limit=250&excludePinnedData=true&cursor=eyJsaW1pdCI6M30%3D&tags=usr%3A42&name=%5BUSR-42%5D+"
    );
    assert_eq!((sent[0].header("accept"), sent[0].header("if-none-match")), ("application/json", ""));
    let listed = listed.unwrap();
    assert_eq!(listed.workflows.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["A1", "B2"]);
    assert_eq!(
        (listed.next.as_deref(), listed.etag.as_deref()),
        (Some("eyJsaW1pdCI6Nn0="), Some("W/\"e72-x\""))
    );
    assert!(!listed.unchanged);
}

#[test]
fn a_page_that_is_known_is_not_shown_again() {
    let ask = ListAsk { limit: 0, etag: Some("W/\"e72-x\""), ..ListAsk::default() };
    let (sent, listed) = play(workflows(&account(), &ask).unwrap(), &[reply(304, &[], "")]);
    assert_eq!(sent[0].path, "/api/v1/workflows?limit=1&excludePinnedData=true");
    assert_eq!(sent[0].header("if-none-match"), "W/\"e72-x\"");
    let listed = listed.unwrap();
    assert!(listed.unchanged && listed.workflows.is_empty() && listed.next.is_none());
    assert_eq!(listed.etag.as_deref(), Some("W/\"e72-x\""));
    // Nobody asked whether it is known.
    let plain = workflows(&account(), &ListAsk::default()).unwrap();
    assert_eq!(play(plain, &[reply(304, &[], "")]).1.unwrap_err().kind, ErrorKind::Unexpected);
}

#[test]
fn the_address_may_name_the_api_and_lie_below_a_path() {
    for (address, expected) in [
        ("https://n8n.example.com", "/api/v1/workflows/W"),
        ("https://n8n.example.com/api/v1", "/api/v1/workflows/W"),
        ("https://n8n.example.com/api/v1/", "/api/v1/workflows/W"),
        ("http://127.0.0.1:8080/n8n/acme", "/n8n/acme/api/v1/workflows/W"),
        ("http://127.0.0.1:8080/n8n/acme/api/v1?x=1#y", "/n8n/acme/api/v1/workflows/W"),
    ] {
        let (sent, _) = play(workflow(&at(address), "W").unwrap(), &[not_found()]);
        assert_eq!(sent[0].path, format!("{expected}?excludePinnedData=true"), "{address}");
    }
}

proptest! {
    #[test]
    fn no_reply_is_too_strange(body in mutated(page(&[shown(ID)], None)), alone in mutated(shown(ID))) {
        let _ = play_some(workflows(&account(), &ListAsk::default()).unwrap(), &[ok(&body)]);
        let _ = play_some(workflow(&account(), ID).unwrap(), &[ok(&alone)]);
    }
}
