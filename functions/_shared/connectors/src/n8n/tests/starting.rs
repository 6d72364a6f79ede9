use super::{ID, account, at, refusal, starting};
use crate::ErrorKind;
use crate::n8n::{Hook, Started, Takes, Trigger, call_webhook, execute_by_mcp};
use crate::testing::{mutated, ok, play, play_some, reply};
use domain::auth::Scheme;
use proptest::prelude::*;
use serde_json::{Value, json};

fn hook(method: &str, path: &str) -> Hook {
    Hook { method: method.to_owned(), path: path.to_owned(), node: "Webhook".to_owned() }
}

fn started(execution_id: Option<i64>) -> Started {
    Started { execution_id }
}

fn called(answer: crate::Reply) -> crate::Result<Started> {
    play(call_webhook(&account(), &hook("POST", "ok-1"), &json!({ "a": 1 })).unwrap(), &[answer]).1
}

#[test]
fn a_webhook_is_called_without_the_api_key() {
    let site = at("http://127.0.0.1:8080/n8n/acme/api/v1");
    let exchange = call_webhook(&site, &hook("POST", "in/neue büros"), &json!({ "a": [1] })).unwrap();
    assert_eq!(exchange.scheme, Scheme::None);
    let (sent, answer) = play(exchange, &[ok(&json!({ "executionId": "580" }))]);
    assert_eq!(sent[0].path, "/n8n/acme/webhook/in/neue%20b%C3%BCros");
    assert_eq!((sent[0].method.as_str(), &sent[0].body), ("POST", &json!({ "a": [1] })));
    assert_eq!(answer, Ok(started(Some(580))));
}

#[test]
fn a_webhook_without_a_body_gets_what_fits_into_an_address() {
    let payload = json!({ "a": 1.5, "b": "x y", "c": true, "d": null, "e": [1], "f": {} });
    let (sent, _) =
        play(call_webhook(&account(), &hook("GET", "ok-1"), &payload).unwrap(), &[reply(200, &[], "")]);
    assert_eq!(sent[0].path, "/webhook/ok-1?a=1.5&b=x+y&c=true");
    assert_eq!((sent[0].body.is_null(), sent[0].header("content-type")), (true, ""));
    let (sent, _) =
        play(call_webhook(&account(), &hook("GET", "ok-1"), &Value::Null).unwrap(), &[reply(204, &[], "")]);
    assert_eq!(sent[0].path, "/webhook/ok-1");
}

#[test]
fn an_answer_may_be_anything() {
    assert_eq!(called(ok(&json!({ "message": "Workflow was started" }))), Ok(started(None)));
    assert_eq!(called(reply(202, &[], r#"{"executionId":581}"#)), Ok(started(Some(581))));
    assert_eq!(called(reply(200, &[], "<html>Thank you</html>")), Ok(started(None)));
    assert_eq!(called(reply(200, &[], "")), Ok(started(None)));
}

#[test]
fn a_webhook_that_is_not_published_says_what_to_do() {
    let body = json!({
        "code": 404, "message": "The requested webhook \"POST ok-1\" is not registered.",
        "hint": "The workflow must be active for a production URL to run successfully.",
    });
    let error = called(reply(404, &[], &body.to_string())).unwrap_err();
    assert_eq!((error.kind, error.vendor_code.as_deref()), (ErrorKind::Conflict, Some("not_published")));
    assert!(error.message.contains("publish it"));
}

#[test]
fn what_a_workflow_answers_is_never_a_matter_of_the_api_key_and_never_tried_again() {
    for (answer, kind) in [
        (starting(), ErrorKind::Unavailable),
        (reply(502, &[], "<html>Bad Gateway"), ErrorKind::Unavailable),
        (refusal(503, "Database is not ready!"), ErrorKind::Unavailable),
        (refusal(500, "Error in workflow"), ErrorKind::Rejected),
        (reply(403, &[], "Authorization data is wrong!"), ErrorKind::Rejected),
        (reply(401, &[], "No token provided"), ErrorKind::Rejected),
        (refusal(404, "no such customer"), ErrorKind::Rejected),
        (reply(302, &[("location", "/")], ""), ErrorKind::Rejected),
        (reply(413, &[], "<html>"), ErrorKind::Rejected),
        (reply(429, &[], ""), ErrorKind::RateLimited),
    ] {
        let told = format!("{answer:?}");
        assert_eq!(called(answer).unwrap_err().kind, kind, "{told}");
    }
}

#[test]
fn a_path_that_is_not_one_is_refused_before_anything_is_sent() {
    for path in [":id", "orders/:id/lines", "", "a//b", "../rest/login", "a/.."] {
        let error = call_webhook(&account(), &hook("POST", path), &Value::Null).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Rejected, "{path}");
    }
    assert_eq!(
        call_webhook(&account(), &hook("P T", "x"), &Value::Null).unwrap_err().kind,
        ErrorKind::Rejected
    );
}

fn event(content: &Value) -> crate::Reply {
    let data =
        json!({ "result": { "structuredContent": content, "content": [] }, "jsonrpc": "2.0", "id": 1 });
    reply(
        200,
        &[("content-type", "text/event-stream")],
        &format!(": ping\n\nevent: message\r\ndata: {data}\r\n\r\n"),
    )
}

#[test]
fn a_workflow_is_run_through_the_mcp_server_from_its_trigger() {
    let payload = json!({ "a": 5 });
    let webhook = Trigger { node: "Webhook".to_owned(), takes: Takes::Webhook };
    let exchange = execute_by_mcp(&at("https://x.example/n8n"), ID, &webhook, &payload).unwrap();
    assert_eq!(exchange.scheme, Scheme::McpBearer);
    let (sent, answer) = play(exchange, &[event(&json!({ "executionId": "564", "status": "started" }))]);
    assert_eq!((sent[0].method.as_str(), sent[0].path.as_str()), ("POST", "/n8n/mcp-server/http"));
    assert_eq!(sent[0].header("accept"), "application/json, text/event-stream");
    assert_eq!(
        sent[0].body,
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "execute_workflow", "arguments": {
            "workflowId": ID, "executionMode": "production", "triggerNodeName": "Webhook",
            "inputs": { "webhookData": { "method": "POST", "body": { "a": 5 } } },
        } } })
    );
    assert_eq!(answer, Ok(started(Some(564))));
    assert_eq!(execute_by_mcp(&account(), ID, &webhook, &json!([1])).unwrap_err().kind, ErrorKind::Rejected);
}

#[test]
fn each_kind_of_trigger_is_given_what_it_wants_and_nothing_else() {
    let given = |takes, payload: Value| {
        let trigger = Trigger { node: "Start".to_owned(), takes };
        let exchange = execute_by_mcp(&account(), ID, &trigger, &payload).map_err(|error| error.kind)?;
        let (sent, _) = play_some(exchange, &[ok(&json!({}))]);
        Ok(sent[0].body["params"]["arguments"]["inputs"].clone())
    };
    let request = json!({ "webhookData": { "method": "POST", "body": {} } });
    assert_eq!(given(Takes::Webhook, Value::Null), Ok(request.clone()), "also of nothing");
    assert_eq!(given(Takes::Webhook, json!({})), Ok(request));
    assert_eq!(given(Takes::Form, json!({ "a": 1 })), Ok(json!({ "formData": { "a": 1 } })));
    assert_eq!(given(Takes::Chat, json!({ "chatInput": "Hello" })), Ok(json!({ "chatInput": "Hello" })));
    assert_eq!(given(Takes::Chat, json!({ "a": 1 })), Err(ErrorKind::Rejected));
    assert_eq!(given(Takes::Nothing, json!({})), Ok(Value::Null));
    assert_eq!(given(Takes::Nothing, json!({ "a": 1 })), Err(ErrorKind::Rejected));
    for takes in [Takes::Webhook, Takes::Form, Takes::Chat, Takes::Nothing] {
        assert_eq!(Takes::from_word(takes.word()), Some(takes));
    }
}

fn schedule() -> Trigger {
    Trigger { node: "Schedule".to_owned(), takes: Takes::Nothing }
}

#[test]
fn what_the_mcp_server_refuses_is_told_in_its_words() {
    let run = |answer| play(execute_by_mcp(&account(), ID, &schedule(), &Value::Null).unwrap(), &[answer]).1;
    let refused = |answer, expected: &str| {
        let error = run(answer).unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Rejected, expected));
    };
    let closed = "Workflow is not available in MCP";
    refused(event(&json!({ "executionId": null, "status": "error", "error": closed })), closed);
    refused(event(&json!({ "success": false, "error": { "message": "no" } })), "no");
    refused(ok(&json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32602, "message": "bad" } })), "bad");
    let text =
        json!({ "result": { "isError": true, "content": [{ "type": "text", "text": "MCP error -32602" }] } });
    refused(ok(&text), "MCP error -32602");
    let plain = json!({ "result": { "content": [{ "type": "text", "text": "{\"executionId\":\"9\"}" }] } });
    assert_eq!(run(ok(&plain)), Ok(started(Some(9))));
    let error = run(refusal(401, "Unauthorized")).unwrap_err();
    assert_eq!((error.kind, error.message.contains("MCP key")), (ErrorKind::Unauthorized, true));
    assert_eq!(run(starting()).unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(run(reply(200, &[], "<html>")).unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(run(reply(200, &[], "data: nothing\n\n")).unwrap_err().kind, ErrorKind::Unexpected);
}

proptest! {
    #[test]
    fn no_reply_is_too_strange(body in mutated(json!({
        "jsonrpc": "2.0", "id": 1, "executionId": "7",
        "result": { "structuredContent": { "executionId": "564", "status": "started", "error": null }, "content": [{ "text": "{}" }] },
    }))) {
        let _ = play_some(execute_by_mcp(&account(), ID, &schedule(), &Value::Null).unwrap(), &[ok(&body)]);
        let _ = called(ok(&body));
    }
}
