//! Workflows: how they are listed, made, replaced and tagged.

use platforms::Platforms;
use serde_json::{Value, json};

use crate::support::send;
use crate::{ask, encoded, flow, ids, read, said};

#[tokio::test]
async fn lists_have_limits_cursors_filters_and_tags_of_their_content() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    for number in 0..7 {
        server.add_workflow(&format!("[USR-{number}] flow"), number == 3, None);
    }
    let archived = server.add_workflow("[USR-10] flow", false, None);
    server.archive(&archived);
    let all = ids(&read(&server, "/workflows?limit=0").await?);
    assert_eq!(all.len(), 8);
    assert!(all.is_sorted() && all.contains(&archived));
    let first = read(&server, "/workflows?limit=3").await?;
    let cursor = first.json()["nextCursor"].as_str().unwrap().to_owned();
    let second = read(&server, &format!("/workflows?cursor={}", encoded(&cursor))).await?;
    assert_eq!([ids(&first), ids(&second)].concat(), all[..6]);
    for limit in ["-1", "abc"] {
        assert_eq!(read(&server, &format!("/workflows?limit={limit}")).await?.status, 400);
    }
    let wrong = read(&server, "/workflows?cursor=abc").await?;
    assert_eq!(said(&wrong), (400, "An invalid cursor was provided".to_owned()));

    assert_eq!(ids(&read(&server, "/workflows?active=true").await?).len(), 1);
    let named = |name: &str| format!("/workflows?name={}", encoded(name));
    assert_eq!(ids(&read(&server, &named("[usr-1]")).await?).len(), 1);
    assert_eq!(ids(&read(&server, &named("[USR-1")).await?).len(), 2);
    assert_eq!(ids(&read(&server, &named("[USR-_]")).await?).len(), 7, "an underscore is any letter");

    let known = first.header("etag").to_owned();
    let key = server.api_key();
    let headers = [("x-n8n-api-key", key.as_str()), ("if-none-match", known.as_str())];
    let uri = format!("{}/api/v1/workflows?limit=3", server.base_url());
    let same = send("GET", &uri, &headers, "").await?;
    assert!(known.starts_with("W/\""));
    assert_eq!((same.status, same.text.as_str()), (304, ""));
    server.rename(&all[0], "another");
    assert_eq!(send("GET", &uri, &headers, "").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_body_with_anything_that_is_only_read_or_unknown_is_refused() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    let with = |name: &str, value: Value| {
        let mut body = flow("ok", "ok-1");
        body[name] = value;
        body
    };
    let post = async |body: Value| ask(&server, "POST", "/workflows", body).await.map(|answer| said(&answer));
    let missing = "request/body must have required property 'name'".to_owned();
    assert_eq!(post(json!({ "nodes": [] })).await?, (400, missing));
    assert_eq!(
        post(with("active", json!(true))).await?,
        (400, "request/body/active is read-only".to_owned())
    );
    let unknown = "request/body Unrecognized key(s) in object: 'foo'".to_owned();
    assert_eq!(post(with("foo", json!(1))).await?, (400, unknown));
    assert_eq!(post(with("description", json!("x"))).await?.0, 400);
    assert_eq!(post(with("settings", json!({ "foo": 1 }))).await?.0, 400);
    let long = "Workflow name must be 1 to 128 characters long.".to_owned();
    assert_eq!(post(with("name", json!("x".repeat(129)))).await?, (400, long));

    let made = ask(&server, "POST", "/workflows", flow("ok", "ok-1")).await?;
    assert_eq!((made.status, made.json()["activeVersionId"].clone()), (200, Value::Null));
    assert!(made.json()["nodes"][0]["webhookId"].is_string());
    let target = format!("/workflows/{}", made.json()["id"].as_str().unwrap());
    let copied = ask(&server, "PUT", &target, read(&server, &target).await?.json()).await?;
    assert_eq!(said(&copied), (400, "request/body/id is read-only".to_owned()));
    assert_eq!(ask(&server, "PUT", &target, with("description", json!("x"))).await?.status, 200);
    let nowhere = ask(&server, "PUT", "/workflows/none", flow("ok", "ok-1")).await?;
    assert_eq!(nowhere.status, 404);
    assert!(said(&nowhere).1.starts_with("You do not have permission to update this workflow."));
    assert_eq!(said(&read(&server, "/workflows/none").await?), (404, "Not Found".to_owned()));
    assert_eq!(server.creates_per_key()["workflow name ok"], 1);
    assert_eq!(server.writes(), 2);
    Ok(())
}

#[tokio::test]
async fn each_change_moves_what_it_moves_and_nothing_else() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    platforms.clock().stop();
    let server = platforms.n8n("demo");
    let made = ask(&server, "POST", "/workflows", flow("ok", "ok-1")).await?.json();
    let id = made["id"].as_str().unwrap().to_owned();
    let mut body = flow("ok", "ok-1");
    body["nodes"] = made["nodes"].clone();
    let target = format!("/workflows/{id}");
    let put = async |body: &Value| {
        platforms.clock().advance(chrono::Duration::seconds(1));
        let before = server.workflow(&id).unwrap();
        let answer = ask(&server, "PUT", &target, body.clone()).await?;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let after = server.workflow(&id).unwrap();
        assert!(after.updated_at > before.updated_at);
        anyhow::Ok((after.version_id != before.version_id, after.version_counter - before.version_counter))
    };
    assert_eq!(put(&body).await?, (false, 0));
    body["name"] = json!("another");
    assert_eq!(put(&body).await?, (false, 0));
    body["settings"] = json!({ "executionTimeout": 5 });
    assert_eq!(put(&body).await?, (false, 1));
    body["settings"] = json!({ "availableInMCP": true });
    assert_eq!(put(&body).await?, (false, 1));
    let merged = json!({ "executionTimeout": 5, "availableInMCP": true });
    assert_eq!(server.workflow(&id).unwrap().settings, merged);
    body["settings"] = json!({ "executionTimeout": -1 });
    assert_eq!(put(&body).await?, (false, 1));
    body["nodes"][0]["position"] = json!([9, 9]);
    assert_eq!(put(&body).await?, (true, 1));

    let before = server.workflow(&id).unwrap();
    platforms.clock().advance(chrono::Duration::seconds(1));
    let tag = ask(&server, "POST", "/tags", json!({ "name": "usr:42" })).await?;
    assert_eq!(tag.status, 201);
    let chosen = json!([{ "id": tag.json()["id"] }]);
    assert_eq!(ask(&server, "PUT", &format!("{target}/tags"), chosen).await?.status, 200);
    assert_eq!(ask(&server, "POST", &format!("{target}/publish"), json!({})).await?.status, 200);
    server.run(&id, &platforms::Plan::Success);
    let after = server.workflow(&id).unwrap();
    assert_eq!((after.updated_at, after.version_counter), (before.updated_at, before.version_counter));
    assert_eq!((after.tags.as_slice(), after.active), (["usr:42".to_owned()].as_slice(), true));

    platforms.clock().advance(chrono::Duration::milliseconds(1_500));
    let archived = ask(&server, "POST", &format!("{target}/archive"), Value::Null).await?.json();
    let now = server.workflow(&id).unwrap();
    assert_eq!((now.active, now.archived, now.version_id == after.version_id), (false, true, false));
    assert_ne!(
        archived["updatedAt"],
        read(&server, &target).await?.json()["updatedAt"],
        "the answer is stale"
    );
    assert_eq!(now.updated_at.timestamp_subsec_millis(), 0);
    let refused = ask(&server, "PUT", &target, body).await?;
    assert_eq!(said(&refused), (400, "Cannot update an archived workflow.".to_owned()));
    Ok(())
}

#[tokio::test]
async fn a_tag_that_is_taken_or_too_long_is_refused_with_the_same_words() -> anyhow::Result<()> {
    let platforms = Platforms::start(1)?;
    let server = platforms.n8n("demo");
    let id = server.add_workflow("ok", false, None);
    server.tag(&id, "usr:42");
    let taken = (409, "Tag already exists".to_owned());
    for name in ["usr:42".to_owned(), "x".repeat(25)] {
        assert_eq!(said(&ask(&server, "POST", "/tags", json!({ "name": name })).await?), taken);
    }
    let target = format!("/workflows/{id}/tags");
    let unknown = ask(&server, "PUT", &target, json!([{ "id": "none" }])).await?;
    assert_eq!(said(&unknown), (404, "Some tags not found".to_owned()));
    assert_eq!(ids(&read(&server, "/workflows?tags=usr%3A42").await?), [id]);
    assert!(ids(&read(&server, "/workflows?tags=usr%3A42,other").await?).is_empty());
    assert_eq!(ids(&read(&server, "/tags").await?).len(), 1);
    Ok(())
}
