//! Workflows: made, found, changed, published, removed.

use super::{FINE, flow, servers, unique};
use connectors::ErrorKind;
use connectors::n8n::{self, Definition, ListAsk};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_cannot_be_written_back_as_it_is_and_the_whitelist_can() {
    for server in servers() {
        let made = server.has("contract", FINE).await;
        let path = format!("/workflows/{}", made.id);

        let (_, read) = server.raw("GET", &path, &Value::Null).await;
        let (refused, why) = server.raw("PUT", &path, &read).await;
        let definition = Definition::of("contract renamed", &read).unwrap();
        let updated = server.ask(n8n::update_workflow(&server.account, &made.id, &definition)).await;

        assert_eq!(refused, 400, "{why}");
        assert!(why["message"].as_str().unwrap_or_default().contains("read-only"), "{why}");
        let updated = updated.unwrap();
        assert_eq!((updated.id.as_str(), updated.name.as_str()), (made.id.as_str(), "contract renamed"));
        server.forgets(&made).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_changes_the_fingerprint_and_not_the_time_of_change() {
    for server in servers() {
        let made = server.has("contract", FINE).await;

        let published = server.publishes(&made).await;

        assert!(!made.active && published.active);
        assert_eq!(made.updated_at, published.updated_at, "publishing leaves it");
        assert_ne!(made.fingerprint(), published.fingerprint());
        assert_eq!(published.active_version_id, published.version_id);
        let taken_back = server.ask(n8n::unpublish(&server.account, &made.id)).await.unwrap();
        assert!(!taken_back.active && taken_back.active_version_id.is_none(), "{taken_back:?}");
        server.forgets(&made).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_change_the_fingerprint_and_find_a_workflow_again() {
    for server in servers() {
        let made = server.has("contract", FINE).await;
        let name = format!("sync-{}", unique());

        let tag = server.ask(n8n::tag(&server.account, &name)).await.unwrap();
        let same = server.ask(n8n::tag(&server.account, &name)).await.unwrap();
        server.ask(n8n::set_tags(&server.account, &made.id, std::slice::from_ref(&tag.id))).await.unwrap();
        let ask = ListAsk { limit: 10, tag: Some(&name), ..ListAsk::default() };
        let found = server.ask(n8n::workflows(&server.account, &ask)).await.unwrap();

        assert_eq!(tag, same, "a name is taken once, and then found");
        let [one] = found.workflows.as_slice() else { panic!("{found:?}") };
        assert_eq!((&one.id, &one.tags), (&made.id, &vec![tag.clone()]));
        assert_eq!(one.updated_at, made.updated_at, "tags leave it");
        assert_ne!(one.fingerprint(), made.fingerprint());
        server.forgets(&made).await;
        let (status, _) = server.raw("DELETE", &format!("/tags/{}", tag.id), &Value::Null).await;
        assert_eq!(status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_comes_in_pages_and_one_that_is_known_is_not_sent_again() {
    for server in servers() {
        let name = format!("pages {}", unique());
        let mut made = Vec::new();
        for _ in 0..3 {
            made.push(server.has(&name, FINE).await);
        }

        let ask = ListAsk { limit: 2, name: Some(&name), ..ListAsk::default() };
        let first = server.ask(n8n::workflows(&server.account, &ask)).await.unwrap();
        let etag = first.etag.clone();
        let known = ListAsk { etag: etag.as_deref(), ..ask };
        let again = server.ask(n8n::workflows(&server.account, &known)).await.unwrap();
        let rest = ListAsk { cursor: first.next.as_deref(), ..ask };
        let second = server.ask(n8n::workflows(&server.account, &rest)).await.unwrap();

        assert_eq!((first.workflows.len(), second.workflows.len()), (2, 1));
        assert_eq!(second.next, None);
        assert!(etag.is_some() && again.unchanged, "{again:?}");
        let mut ids: Vec<String> =
            first.workflows.iter().chain(&second.workflows).map(|w| w.id.clone()).collect();
        let mut wanted: Vec<String> = made.iter().map(|w| w.id.clone()).collect();
        ids.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(ids, wanted);
        for workflow in &made {
            server.forgets(workflow).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_is_gone_is_known_from_a_server_that_does_not_know_us() {
    for mut server in servers() {
        let made = server.has("contract", FINE).await;
        server.publishes(&made).await;
        server.calls(&made).await.unwrap();

        server.forgets(&made).await;
        let gone = server.ask(n8n::workflow(&server.account, &made.id)).await;
        let twice = server.ask(n8n::delete_workflow(&server.account, &made.id)).await;
        server.api_key = "wrong".to_owned();
        let stranger = server.ask(n8n::workflow(&server.account, &made.id)).await;

        assert_eq!(gone, Ok(None));
        assert_eq!(twice, Ok(false), "what is gone need not be removed");
        assert_eq!(stranger.map_err(|error| error.kind), Err(ErrorKind::Unauthorized));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_archived_is_listed_and_no_longer_runs() {
    for server in servers() {
        let made = server.has("contract", FINE).await;
        server.publishes(&made).await;

        let archived = server.ask(n8n::archive(&server.account, &made.id)).await.unwrap();
        let read = server.ask(n8n::workflow(&server.account, &made.id)).await.unwrap().unwrap();

        assert!(archived.is_archived && read.is_archived && !read.active, "{read:?}");
        server.forgets(&made).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_trigger_starts_cannot_be_published() {
    for server in servers() {
        let mut stored = flow(&unique(), FINE);
        stored["nodes"].as_array_mut().unwrap().remove(0);
        stored["connections"] = json!({});
        let definition = Definition::of("contract", &stored).unwrap();
        let made = server.ask(n8n::create_workflow(&server.account, &definition)).await.unwrap();

        let published = server.ask(n8n::publish(&server.account, &made.id)).await;

        let error = published.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Rejected, "{error}");
        assert!(error.message.contains("trigger"), "{error}");
        server.forgets(&made).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_our_page_tells_people_to_ask_with_curl_is_answered() {
    for server in servers() {
        let at = server.account.base_url.as_str().trim_end_matches('/');
        let ask = async |path: &str, key: Option<&str>| {
            let request = server.http.get(format!("{at}{path}"));
            let request = key.into_iter().fold(request, |request, key| request.header("X-N8N-API-KEY", key));
            request.send().await.unwrap().status().as_u16()
        };

        let list = "/api/v1/workflows?limit=1";
        let statuses = (
            ask("/healthz/readiness", None).await,
            ask(list, Some(&server.api_key)).await,
            ask(list, Some("mistyped")).await,
        );

        assert_eq!(statuses, (200, 200, 401));
    }
}
