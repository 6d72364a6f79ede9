use super::{ID, account, not_found, page, refusal, starting};
use crate::ErrorKind;
use crate::n8n::{Execution, ExecutionAsk, execution, executions, retry};
use crate::testing::{mutated, ok, play, play_some};
use domain::ExecutionWord;
use proptest::prelude::*;
use serde_json::{Value, json};

fn shown(id: &str, status: &str) -> Value {
    json!({
        "id": id, "finished": status == "success", "mode": "webhook", "retryOf": null, "retrySuccessId": null,
        "status": status, "startedAt": "2026-11-20T22:29:25.179Z", "stoppedAt": "2026-11-20T22:29:25.429Z",
        "workflowId": ID, "waitTill": null,
    })
}

/// A failed execution with its data, which holds what nobody else may see.
pub(super) fn with_data() -> Value {
    let mut shown = shown("21", "error");
    shown["data"] = json!({
        "resumeToken": "resume-me", "startData": {},
        "resultData": {
            "lastNodeExecuted": "Code",
            "error": { "message": "boom: customer 17 not found [line 1]", "name": "Error", "stack": "hunter2", "lineNumber": 1 },
            "runData": { "Webhook": [{ "startTime": 1_795_213_830_988_i64, "executionTime": 1.5, "data": { "main": [[{
                "json": { "headers": { "x-sync-secret": "s3cret" }, "body": {} },
            }]] } }] },
        },
    });
    shown
}

fn read(shown: &Value) -> Execution {
    play(execution(&account(), 21, true).unwrap(), &[ok(shown)]).1.unwrap().unwrap()
}

#[test]
fn an_execution_is_read() {
    let (sent, found) = play(execution(&account(), 1, false).unwrap(), &[ok(&shown("1", "success"))]);
    assert_eq!(sent[0].path, "/api/v1/executions/1?includeData=false");
    let found = found.unwrap().unwrap();
    assert_eq!((found.id, found.word, found.workflow_id.as_deref()), (1, ExecutionWord::Success, Some(ID)));
    assert_eq!(found.stopped_at, Some("2026-11-20T22:29:25.429Z".parse().unwrap()));
    assert_eq!((found.mode.as_deref(), found.error, found.retry_of), (Some("webhook"), None, None));
}

#[test]
fn one_that_has_not_ended_has_no_end_whatever_n8n_says() {
    for (status, word, ended) in [
        ("new", ExecutionWord::New, false),
        ("running", ExecutionWord::Running, false),
        ("waiting", ExecutionWord::Waiting, false),
        ("canceled", ExecutionWord::Canceled, true),
        ("crashed", ExecutionWord::Crashed, true),
        ("something new", ExecutionWord::Unknown, true),
    ] {
        let found = read(&shown("21", status));
        assert_eq!((found.word, found.stopped_at.is_some()), (word, ended), "{status}");
    }
    let mut waiting = shown("21", "waiting");
    waiting["waitTill"] = json!("3000-01-01T00:00:00.000Z");
    assert_eq!(read(&waiting).wait_till, Some("3000-01-01T00:00:00Z".parse().unwrap()));
    let mut silent = shown("21", "success");
    silent.as_object_mut().unwrap().remove("status");
    assert_eq!(read(&silent).word, ExecutionWord::Success, "older servers say only that it finished");
}

#[test]
fn of_the_data_of_a_failure_nothing_is_kept_but_the_reason() {
    let found = read(&with_data());
    let failure = found.error.as_ref().unwrap();
    assert_eq!(failure.message, "boom: customer 17 not found [line 1]");
    assert_eq!(failure.node.as_deref(), Some("Code"));
    for shown in [format!("{found:?}"), serde_json::to_string(&found).unwrap()] {
        assert!(!["s3cret", "resume-me", "hunter2"].iter().any(|secret| shown.contains(secret)), "{shown}");
    }
    let mut long = with_data();
    long["data"]["resultData"]["error"]["message"] = json!("ü\n".repeat(1_000));
    let message = read(&long).error.unwrap().message;
    assert_eq!((message.chars().count(), message.contains('\n')), (1_000, false));
}

#[test]
fn executions_are_listed_downwards_from_an_id() {
    let ask = ExecutionAsk {
        word: Some(ExecutionWord::Error),
        workflow_id: Some(ID),
        below: Some(23),
        limit: 3,
        with_errors: true,
    };
    let body = page(&[with_data(), shown("20", "error")], Some("eyJsYXN0SWQiOiIyMCJ9"));
    let (sent, listed) = play(executions(&account(), &ask).unwrap(), &[ok(&body)]);
    assert_eq!(
        sent[0].path,
        format!(
            "/api/v1/executions?limit=3&status=error&workflowId={ID}&cursor=eyJsYXN0SWQiOiIyMyIsImxpbWl0IjozfQ%3D%3D&includeData=true"
        )
    );
    let listed = listed.unwrap();
    assert_eq!(listed.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [21, 20]);
    assert!(listed.has_more && listed.rows[0].error.is_some() && listed.rows[1].error.is_none());
    let ask = ExecutionAsk { limit: 1_000, ..ExecutionAsk::default() };
    let (sent, listed) = play(executions(&account(), &ask).unwrap(), &[ok(&page(&[], None))]);
    assert_eq!(sent[0].path, "/api/v1/executions?limit=250&includeData=false");
    assert!(!listed.unwrap().has_more);
}

#[test]
fn only_n8n_itself_can_say_that_an_execution_is_gone() {
    let answer = |reply| play(execution(&account(), 1, false).unwrap(), &[reply]).1;
    assert_eq!(answer(not_found()), Ok(None));
    assert_eq!(answer(starting()).unwrap_err().kind, ErrorKind::Unavailable);
}

#[test]
fn a_failed_execution_is_tried_again_and_others_are_not() {
    let mut again = shown("567", "success");
    again["mode"] = json!("retry");
    again["retryOf"] = json!("565");
    let (sent, found) = play(retry(&account(), 565).unwrap(), &[ok(&again)]);
    assert_eq!((sent[0].method.as_str(), sent[0].path.as_str()), ("POST", "/api/v1/executions/565/retry"));
    assert_eq!(sent[0].body, json!({ "loadWorkflow": true }));
    let found = found.unwrap().unwrap();
    assert_eq!((found.id, found.retry_of), (567, Some(565)));
    let answer = |reply| play(retry(&account(), 1).unwrap(), &[reply]).1;
    assert_eq!(answer(not_found()), Ok(None));
    let refused = answer(refusal(409, "The execution succeeded, so it cannot be retried.")).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Conflict);
    assert_eq!(refused.message, "The execution succeeded, so it cannot be retried.");
    assert_eq!(answer(refusal(404, "not found")).unwrap_err().kind, ErrorKind::Unsupported);
}

proptest! {
    #[test]
    fn no_reply_is_too_strange_and_none_tells_a_secret(body in mutated(page(&[with_data()], None))) {
        let asked = executions(&account(), &ExecutionAsk { with_errors: true, ..ExecutionAsk::default() });
        let told = match play_some(asked.unwrap(), &[ok(&body)]).1.unwrap() {
            Ok(page) => format!("{page:?}"),
            Err(error) => format!("{error:?}"),
        };
        prop_assert!(!["s3cret", "resume-me", "hunter2"].iter().any(|secret| told.contains(secret)), "{}", told);
    }
}
