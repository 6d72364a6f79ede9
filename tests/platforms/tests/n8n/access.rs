//! Who is let in, what is refused before anything is looked at, and a server that is not there yet.

use platforms::{Fault, Platforms};
use serde_json::{Value, json};

use crate::support::send;
use crate::{ask, call, read, said};

#[tokio::test]
async fn only_the_key_in_its_own_header_is_let_in() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    let uri = format!("{}/api/v1/workflows", server.base_url());
    let unauthorized = (401, "Unauthorized".to_owned());
    assert_eq!(said(&send("GET", &uri, &[], "").await?), unauthorized);
    let bearer = format!("Bearer {}", server.api_key());
    assert_eq!(said(&send("GET", &uri, &[("authorization", &bearer)], "").await?), unauthorized);
    assert_eq!(read(&server, "/workflows").await?.status, 200);

    server.set_scopes(&["workflow:list"]);
    assert_eq!(read(&server, "/workflows").await?.status, 200);
    assert_eq!(said(&read(&server, "/executions").await?), (403, "Forbidden".to_owned()));
    let discovered = read(&server, "/discover").await?.json();
    assert_eq!(discovered["data"]["scopes"], json!(["workflow:list"]));
    assert_eq!(server.credential()["kind"], "api_key");
    server.expire_key();
    assert_eq!(said(&read(&server, "/workflows").await?), unauthorized);
    server.renew_key();
    assert_eq!(read(&server, "/workflows").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn what_the_api_cannot_read_is_refused_as_its_web_server_does() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    let (key, uri) = (server.api_key(), format!("{}/api/v1/workflows", server.base_url()));
    let json_type = [("x-n8n-api-key", key.as_str()), ("content-type", "application/json")];
    let broken = send("POST", &uri, &json_type, "{\"name\":").await?;
    assert_eq!(broken.status, 500);
    assert!(broken.header("content-type").starts_with("text/html"));
    let text = [("x-n8n-api-key", key.as_str()), ("content-type", "text/plain")];
    let refused = send("POST", &uri, &text, "name").await?;
    assert_eq!(said(&refused), (415, "unsupported media type text/plain".to_owned()));

    assert_eq!(said(&read(&server, "/nothing").await?), (404, "not found".to_owned()));
    let patched = ask(&server, "PATCH", "/workflows", json!({})).await?;
    assert_eq!(said(&patched), (405, "PATCH method not allowed".to_owned()));
    for path in ["/workflows/abc/execute", "/workflows/abc/run", "/executions"] {
        let posted = ask(&server, "POST", path, json!({})).await?;
        assert_eq!(said(&posted), (405, "POST method not allowed".to_owned()), "{path}");
    }
    assert_eq!(read(&server, "/projects").await?.status, 403);
    Ok(())
}

#[tokio::test]
async fn a_server_that_starts_is_healthy_but_has_no_api() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    let id = server.add_workflow("ok", true, Some("ok-1"));
    server.set_starting(true);
    let health = |path: &str| format!("{}{path}", server.base_url());
    assert_eq!(send("GET", &health("/healthz"), &[], "").await?.status, 200);
    assert_eq!(send("GET", &health("/healthz/readiness"), &[], "").await?.status, 503);
    let gone = read(&server, &format!("/workflows/{id}")).await?;
    assert_eq!((gone.status, gone.header("content-type").starts_with("text/html")), (404, true));
    assert!(gone.text.contains(&format!("Cannot GET /api/v1/workflows/{id}")));
    assert_eq!(call(&server, "ok-1", json!({})).await?.json(), Value::Null);

    server.set_starting(false);
    assert_eq!(send("GET", &health("/healthz/readiness"), &[], "").await?.status, 200);
    assert_eq!(read(&server, &format!("/workflows/{id}")).await?.status, 200);
    server.set_stopped(true);
    assert!(read(&server, "/workflows").await.is_err());
    assert!(send("GET", &health("/healthz"), &[], "").await.is_err());
    server.set_stopped(false);
    server.faults().next(Fault::Html(502));
    assert_eq!(read(&server, "/workflows").await?.status, 502);
    assert_eq!(server.most_in_a_minute(), 4, "health and webhooks are no requests to the API");
    Ok(())
}

#[tokio::test]
async fn settings_of_traces_are_replaced_whole() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    let mut settings = read(&server, "/settings/otel").await?.json();
    assert_eq!(settings["enabled"], false);
    let part = ask(&server, "PUT", "/settings/otel", json!({ "enabled": true })).await?;
    assert_eq!(part.status, 400);
    settings["enabled"] = json!(true);
    settings["exporterHeaders"] = json!("x-sync-secret=s3cret");
    assert_eq!(ask(&server, "PUT", "/settings/otel", settings).await?.status, 200);
    assert_eq!(server.otel()["exporterHeaders"], "x-sync-secret=s3cret");
    server.set_old_version(true);
    assert_eq!(said(&read(&server, "/settings/otel").await?), (404, "not found".to_owned()));
    Ok(())
}
