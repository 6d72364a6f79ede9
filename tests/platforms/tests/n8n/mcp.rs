//! The MCP server: whom it lets in and what it runs.

use platforms::{N8nHandle, Platforms};
use serde_json::{Value, json};

use crate::support::{Answer, send};

const BOTH: &str = "application/json, text/event-stream";

async fn tool(server: &N8nHandle, key: &str, accept: &str, arguments: Value) -> anyhow::Result<Answer> {
    let bearer = format!("Bearer {key}");
    let headers =
        [("authorization", bearer.as_str()), ("accept", accept), ("content-type", "application/json")];
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "execute_workflow", "arguments": arguments },
    });
    send("POST", &format!("{}/mcp-server/http", server.base_url()), &headers, &message.to_string()).await
}

/// What the tool gave, read from the stream of events.
fn given(answer: &Answer) -> Value {
    let data = answer.text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    serde_json::from_str::<Value>(data).unwrap()["result"]["structuredContent"].clone()
}

#[tokio::test]
async fn a_workflow_that_allows_it_is_run_through_mcp() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    let (id, key) = (server.add_workflow("ok", false, None), server.mcp_key());
    let run = |mode: &str| json!({ "workflowId": id, "executionMode": mode });
    assert_eq!(tool(&server, &server.api_key(), BOTH, run("manual")).await?.status, 401);
    assert_eq!(tool(&server, &key, "application/json", run("manual")).await?.status, 406);
    let closed = tool(&server, &key, BOTH, run("manual")).await?;
    assert_eq!((closed.status, closed.header("content-type")), (200, "text/event-stream"));
    assert_eq!(given(&closed)["status"], "error");
    assert!(given(&closed)["error"].as_str().unwrap().starts_with("Workflow is not available in MCP"));

    server.set_setting(&id, "availableInMCP", json!(true));
    assert_eq!(given(&tool(&server, &key, BOTH, run("production")).await?)["status"], "error");
    let started = given(&tool(&server, &key, BOTH, run("manual")).await?);
    assert_eq!(started, json!({ "executionId": "1", "status": "started" }));
    server.publish(&id);
    tool(&server, &key, BOTH, run("production")).await?;
    let modes: Vec<String> = server.executions().into_iter().map(|run| run.mode).collect();
    assert_eq!(modes, ["manual", "trigger"]);
    assert_eq!(server.writes(), 2);
    Ok(())
}
