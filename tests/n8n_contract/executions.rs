//! Executions: started, listed, tried again.

use super::{BROKEN, FINE, Server, servers, soon};
use connectors::ErrorKind;
use connectors::n8n::{self, Execution, ExecutionAsk, Workflow};
use domain::ExecutionWord;
use serde_json::{Value, json};
use std::time::Duration;

/// The executions of this workflow, newest first, once there are as many.
async fn executions(server: &Server, workflow: &Workflow, count: usize) -> Vec<Execution> {
    let ask = ExecutionAsk {
        workflow_id: Some(&workflow.id),
        limit: 10,
        with_errors: true,
        ..ExecutionAsk::default()
    };
    for _ in 0..100 {
        let page = server.ask(n8n::executions(&server.account, &ask)).await.unwrap();
        if page.rows.len() >= count {
            return page.rows;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("there are no {count} executions");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_starts_an_execution_that_says_which_it_is() {
    for server in servers() {
        let workflow = server.has("contract", FINE).await;
        let workflow = server.publishes(&workflow).await;

        let started = server.calls(&workflow).await.unwrap();

        let rows = executions(&server, &workflow, 1).await;
        let [one] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((one.word, one.mode.as_deref()), (ExecutionWord::Success, Some("webhook")));
        assert_eq!(one.workflow_id.as_ref(), Some(&workflow.id));
        assert!(one.stopped_at >= one.started_at && one.error.is_none(), "{one:?}");
        // The simulated server runs no code.
        if server.simulated.is_none() {
            assert_eq!(started.execution_id, Some(one.id));
        }
        server.forgets(&workflow).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_says_why_and_where_and_is_tried_again_under_a_new_id() {
    for server in servers() {
        let workflow = server.has("contract", BROKEN).await;
        let workflow = server.publishes(&workflow).await;
        let answered = server.calls(&workflow).await;

        let failed = executions(&server, &workflow, 1).await.remove(0);
        let one = server.ask(n8n::execution(&server.account, failed.id, true)).await.unwrap().unwrap();
        let again = server.ask(n8n::retry(&server.account, failed.id)).await.unwrap().unwrap();

        assert_eq!(
            answered.unwrap_err().kind,
            ErrorKind::Rejected,
            "what the workflow answers is never tried again"
        );
        assert_eq!(failed.word, ExecutionWord::Error);
        for failure in [failed.error.clone(), one.error].map(Option::unwrap) {
            assert!(failure.message.contains("boom: customer 17 not found"), "{failure:?}");
            assert_eq!(failure.node.as_deref(), Some("Code"));
        }
        assert!(again.id > failed.id, "{again:?}");
        assert_eq!((again.retry_of, again.mode.as_deref()), (Some(failed.id), Some("retry")));
        let ids: Vec<i64> = executions(&server, &workflow, 2).await.iter().map(|row| row.id).collect();
        assert_eq!(ids, [again.id, failed.id], "newest first");
        server.forgets(&workflow).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn success_is_not_tried_again_and_what_is_not_there_is_no_failure() {
    for server in servers() {
        let workflow = server.has("contract", FINE).await;
        let workflow = server.publishes(&workflow).await;
        server.calls(&workflow).await.unwrap();
        let done = executions(&server, &workflow, 1).await.remove(0);

        let again = server.ask(n8n::retry(&server.account, done.id)).await;
        let ask = ExecutionAsk {
            word: Some(ExecutionWord::Error),
            workflow_id: Some(&workflow.id),
            limit: 5,
            ..ExecutionAsk::default()
        };
        let failed = server.ask(n8n::executions(&server.account, &ask)).await.unwrap();
        server.forgets(&workflow).await;
        let gone = server.ask(n8n::execution(&server.account, done.id, false)).await;

        assert_eq!(again.unwrap_err().kind, ErrorKind::Conflict);
        assert_eq!(failed.rows, []);
        assert_eq!(gone, Ok(None), "executions go with their workflow");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mcp_runs_what_allows_it() {
    for server in servers().into_iter().filter(|server| server.mcp_key.is_some()) {
        let closed = server.has("contract", FINE).await;
        let closed = server.publishes(&closed).await;
        let mut stored = super::flow(&super::unique(), FINE);
        stored["settings"] = json!({ "availableInMCP": true });
        let definition = n8n::Definition::of("contract", &stored).unwrap();
        let open = server.ask(n8n::create_workflow(&server.account, &definition)).await.unwrap();
        let open = server.publishes(&open).await;
        // A published workflow runs a little later.
        server.calls(&open).await.unwrap();

        let refused = server
            .ask(n8n::execute_by_mcp(
                &server.account,
                &closed.id,
                closed.trigger.as_ref().unwrap(),
                &json!({}),
            ))
            .await;
        let started = server
            .ask(n8n::execute_by_mcp(&server.account, &open.id, open.trigger.as_ref().unwrap(), &json!({})))
            .await
            .unwrap();

        assert!(refused.is_err(), "{refused:?}");
        let id = started.execution_id.expect("it says which");
        let timed = server.starts_by_itself().await;
        let by_hand = soon(async || {
            let start =
                n8n::execute_by_mcp(&server.account, &timed.id, timed.trigger.as_ref().unwrap(), &json!({}));
            server.ask(start).await
        });
        let by_hand = by_hand.await.unwrap();
        assert!(
            by_hand.execution_id > started.execution_id,
            "a schedule is started without inputs: {by_hand:?}"
        );
        server.forgets(&timed).await;
        assert!(executions(&server, &open, 2).await.iter().any(|row| row.id == id));
        server.forgets(&closed).await;
        server.forgets(&open).await;
    }
}

/// A trigger of this kind that is open to MCP, with the code behind it that runs well only with what it should be given.
async fn waits_for(server: &Server, (kind, version): (&str, f64), parameters: Value, code: &str) -> Workflow {
    let stored = json!({
        "nodes": [
            { "id": "t1", "name": "Trigger", "type": kind, "typeVersion": version, "position": [0, 0],
              "webhookId": super::unique(), "parameters": parameters },
            { "id": "c1", "name": "Code", "type": "n8n-nodes-base.code", "typeVersion": 2, "position": [220, 0],
              "parameters": { "jsCode": code } },
        ],
        "connections": { "Trigger": { "main": [[{ "node": "Code", "type": "main", "index": 0 }]] } },
        "settings": { "availableInMCP": true },
    });
    let definition = n8n::Definition::of("contract", &stored).unwrap();
    let made = server.ask(n8n::create_workflow(&server.account, &definition)).await.unwrap();
    server.publishes(&made).await
}

#[tokio::test(flavor = "multi_thread")]
async fn mcp_hands_a_form_its_fields_and_a_chat_its_message_and_both_run_to_their_end() {
    for server in servers().into_iter().filter(|server| server.mcp_key.is_some()) {
        let form = ("n8n-nodes-base.formTrigger", 2.2);
        let fields =
            json!({ "formTitle": "Order", "formFields": { "values": [{ "fieldLabel": "customer" }] } });
        let form_wants =
            "if ($json.customer !== 'Ana') { throw new Error(JSON.stringify($json)) }\nreturn $input.all()";
        let chat = ("@n8n/n8n-nodes-langchain.chatTrigger", 1.1);
        let chat_wants =
            "if ($json.chatInput !== 'Ana') { throw new Error(JSON.stringify($json)) }\nreturn $input.all()";
        let all = [
            (waits_for(&server, form, fields, form_wants).await, json!({ "customer": "Ana" })),
            (
                waits_for(&server, chat, json!({ "options": {} }), chat_wants).await,
                json!({ "chatInput": "Ana" }),
            ),
        ];
        for (workflow, payload) in all {
            let started = soon(async || {
                let trigger = workflow.trigger.as_ref().unwrap();
                server.ask(n8n::execute_by_mcp(&server.account, &workflow.id, trigger, &payload)).await
            });
            let id = started.await.unwrap().execution_id.expect("it says which");
            let rows = executions(&server, &workflow, 1).await;
            let row = rows.iter().find(|row| row.id == id).unwrap();
            assert_eq!(row.word, ExecutionWord::Success, "{row:?}");
            let (_, shown) =
                server.raw("GET", &format!("/executions/{id}?includeData=true"), &Value::Null).await;
            assert!(shown["data"].to_string().contains("\"Ana\""), "it has what it was given: {shown}");
            server.forgets(&workflow).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mcp_starts_nothing_that_waits_for_events_and_we_do_not_take_it_for_a_way() {
    for server in servers().into_iter().filter(|server| server.mcp_key.is_some()) {
        let kind = ("n8n-nodes-base.n8nTrigger", 1.0);
        let workflow = waits_for(&server, kind, json!({ "events": ["init"] }), "return $input.all()").await;
        let guessed = n8n::Trigger { node: "Trigger".to_owned(), takes: n8n::Takes::Nothing };

        let refused = soon(async || {
            server.ask(n8n::execute_by_mcp(&server.account, &workflow.id, &guessed, &json!({}))).await
        });

        let refused = refused.await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Rejected, "{refused:?}");
        assert!(refused.message.contains("not supported"), "{refused:?}");
        assert_eq!(workflow.trigger, None);
        server.forgets(&workflow).await;
    }
}
