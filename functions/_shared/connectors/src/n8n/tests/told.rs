use super::ID;
use crate::ErrorKind;
use crate::n8n::traced::{AnyValue, Attribute, Export, ResourceSpans, ScopeSpans, Span, SpanEvent};
use crate::n8n::{told, traced};
use crate::testing::mutated;
use domain::ExecutionWord;
use proptest::prelude::*;
use prost::Message;
use serde_json::{Value, json};

/// What an error workflow sends.
fn failed() -> Value {
    json!({
        "execution": {
            "id": "231", "url": "https://n8n.example.com/workflow/W/executions/231", "retryOf": "34", "mode": "webhook",
            "error": { "message": "boom", "stack": "hunter2", "node": { "name": "HTTP" } }, "lastNodeExecuted": "Code",
        },
        "workflow": { "id": ID, "name": "[USR-42] ok" },
    })
}

fn read(body: &Value) -> crate::Result<crate::n8n::Execution> {
    told(body.to_string().as_bytes())
}

#[test]
fn an_error_workflow_tells_of_a_failure() {
    let execution = read(&failed()).unwrap();
    assert_eq!(
        (execution.id, execution.word, execution.workflow_id.as_deref()),
        (231, ExecutionWord::Error, Some(ID))
    );
    assert_eq!((execution.mode.as_deref(), execution.retry_of), (Some("webhook"), Some(34)));
    let failure = execution.error.as_ref().unwrap();
    assert_eq!((failure.message.as_str(), failure.node.as_deref()), ("boom", Some("Code")));
    assert!(!format!("{execution:?}").contains("hunter2"));
}

#[test]
fn a_callback_tells_how_an_execution_ended() {
    let body = json!({
        "execution": { "id": 7, "status": "success", "startedAt": "2026-11-20T22:29:25.179Z", "stoppedAt": "2026-11-20T22:29:26Z" },
        "workflow": { "id": ID, "name": "x" },
    });
    let execution = read(&body).unwrap();
    assert_eq!((execution.id, execution.word, execution.error), (7, ExecutionWord::Success, None));
    assert!(execution.started_at.is_some() && execution.stopped_at.is_some());
    let bare = read(&json!({ "execution": { "id": "7" } })).unwrap();
    assert_eq!((bare.word, bare.workflow_id), (ExecutionWord::Unknown, None));
}

#[test]
fn a_message_about_no_execution_is_none_and_is_not_repeated() {
    let trigger = json!({ "trigger": { "error": { "message": "hunter2" }, "mode": "trigger" }, "workflow": { "id": ID } });
    for body in [
        trigger.to_string(),
        "hunter2".to_owned(),
        "[]".to_owned(),
        String::new(),
        "{\"execution\":\"hunter2\"}".into(),
    ] {
        let error = told(body.as_bytes()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unexpected);
        assert!(!error.message.contains("hunter2"));
    }
}

fn text(key: &str, value: &str) -> Attribute {
    let value = AnyValue { text: Some(value.to_owned()), integer: None };
    Attribute { key: key.to_owned(), value: Some(value) }
}

fn span(id: &str, status: &str) -> Span {
    Span {
        name: "workflow.execute".to_owned(),
        start_time_unix_nano: 1_795_213_765_179_999_999,
        end_time_unix_nano: 1_795_213_765_429_000_000,
        attributes: vec![
            text("n8n.execution.id", id),
            text("n8n.execution.status", status),
            text("n8n.execution.mode", "webhook"),
            text("n8n.workflow.id", ID),
        ],
        events: Vec::new(),
    }
}

fn export(spans: Vec<Span>) -> Vec<u8> {
    Export { resource_spans: vec![ResourceSpans { scope_spans: vec![ScopeSpans { spans }] }] }.encode_to_vec()
}

#[test]
fn a_span_tells_of_an_execution() {
    let mut failed = span("564", "error");
    failed.events.push(SpanEvent { attributes: vec![text("exception.message", "boom")] });
    let node = Span { name: "node.execute".to_owned(), ..span("1", "success") };
    let found = traced(&export(vec![node, span("563", "success"), failed, span("none", "success")])).unwrap();
    assert_eq!(
        found.iter().map(|one| (one.id, one.word)).collect::<Vec<_>>(),
        [(563, ExecutionWord::Success), (564, ExecutionWord::Error)]
    );
    assert_eq!(found[0].started_at, Some("2026-11-20T22:29:25.179Z".parse().unwrap()));
    assert_eq!(found[0].stopped_at, Some("2026-11-20T22:29:25.429Z".parse().unwrap()));
    assert_eq!((found[0].workflow_id.as_deref(), found[0].mode.as_deref()), (Some(ID), Some("webhook")));
    assert_eq!(found[1].error.as_ref().unwrap().message, "boom");
}

#[test]
fn the_bytes_are_those_of_the_protocol() {
    // Written by hand, with fields that we do not know: a resource, a trace, a kind, an attribute that says yes.
    fn part(tag: u8, bytes: &[u8]) -> Vec<u8> {
        [&[(tag << 3) | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
    }
    let attribute = |key: &str, value: &[u8]| part(9, &[part(1, key.as_bytes()), part(2, value)].concat());
    let mut span =
        [part(1, &[1; 16]), part(2, &[2; 8]), part(5, b"workflow.execute"), vec![6 << 3, 1]].concat();
    span.extend([(7 << 3) | 1]);
    span.extend(1_795_213_765_179_000_000_u64.to_le_bytes());
    span.extend(attribute("n8n.execution.id", &part(1, b"580")));
    span.extend(attribute("n8n.execution.is_retry", &[2 << 3, 1]));
    let body = part(1, &[part(1, b""), part(2, &part(2, &span))].concat());
    // The length of a longer part would take two bytes.
    assert!(body.len() < 128, "{}", body.len());
    let found = traced(&body).unwrap();
    assert_eq!((found[0].id, found[0].word, found[0].stopped_at), (580, ExecutionWord::Unknown, None));
    assert_eq!(found[0].started_at, Some("2026-11-20T22:29:25.179Z".parse().unwrap()));
}

#[test]
fn nothing_and_rubbish_are_told_apart() {
    assert_eq!(traced(b""), Ok(Vec::new()));
    assert_eq!(traced(b"{\"resourceSpans\":[]}").unwrap_err().kind, ErrorKind::Unexpected);
}

proptest! {
    #[test]
    fn no_message_is_too_strange(body in mutated(failed()), bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..400, byte: u8) {
        let _ = read(&body);
        let _ = traced(&bytes);
        let mut changed = export(vec![span("563", "success"), span("564", "error")]);
        let length = changed.len();
        changed[at % length] = byte;
        let _ = traced(&changed);
    }
}
