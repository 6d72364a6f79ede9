use super::{TABLE, account, at, not_found, page, refusal, starting, with_table};
use crate::n8n::N8n;
use crate::testing::{ok, play, reply};
use crate::{Connector, ErrorKind, Reply, Result, TestReport};
use domain::auth::WebhookScheme;
use serde_json::{Value, json};

fn ready() -> Reply {
    ok(&json!({ "status": "ok" }))
}

fn scopes(without: &[&str]) -> Reply {
    let all = [
        "workflow:list",
        "workflow:read",
        "workflow:create",
        "workflow:update",
        "workflow:delete",
        "workflow:activate",
        "workflow:deactivate",
        "workflowTags:list",
        "workflowTags:update",
        "tag:list",
        "tag:create",
        "execution:list",
        "execution:read",
        "execution:retry",
        "dataTable:read",
        "dataTableRow:read",
        "dataTableRow:update",
        "dataTableRow:upsert",
        "dataTableRow:delete",
        "user:list",
    ];
    let scopes: Vec<&str> = all.into_iter().filter(|scope| !without.contains(scope)).collect();
    ok(
        &json!({ "data": { "scopes": scopes, "resources": {}, "filters": {}, "specUrl": "/api/v1/openapi.yml" } }),
    )
}

fn table(key: &str) -> Value {
    json!({
        "id": TABLE, "name": "Customers", "projectId": "p", "createdAt": "2026-11-20T09:00:00.000Z",
        "columns": [
            { "id": "c1", "name": key, "type": "string", "index": 0 },
            { "id": "c2", "name": "email", "type": "string", "index": 1 },
            { "id": "c3", "name": "age", "type": "number", "index": 2 },
            { "id": "c4", "name": "since", "type": "date", "index": 3 },
        ],
    })
}

fn test(account: &crate::Account, answers: &[Reply]) -> Result<TestReport> {
    play(N8n.test(account).unwrap(), answers).1
}

#[test]
fn a_test_names_the_server_and_what_the_key_lacks() {
    let account = at("https://example.com/n8n/acme/api/v1");
    let (sent, report) = play(N8n.test(&account).unwrap(), &[ready(), scopes(&[])]);
    let asked: Vec<&str> = sent.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(asked, ["/n8n/acme/healthz/readiness", "/n8n/acme/api/v1/discover"]);
    let report = report.unwrap();
    assert_eq!(report.account_name, "n8n at example.com/n8n/acme");
    assert!(report.missing_permissions.is_empty() && report.warnings.is_empty());
    let lacking = ["workflow:create", "execution:retry", "dataTableRow:read"];
    let report = test(&account, &[ready(), scopes(&lacking)]).unwrap();
    assert_eq!(
        report.missing_permissions,
        ["workflow:create", "execution:retry"],
        "there is no table to read"
    );
    let tables = [ready(), scopes(&lacking), ok(&table("external_id")), refusal(403, "Forbidden")];
    let report = test(&with_table(), &tables).unwrap();
    let missing = ["workflow:create", "execution:retry", "dataTableRow:read", "dataTable:read"];
    assert_eq!(report.missing_permissions, missing);
}

#[test]
fn a_server_that_is_starting_or_refuses_the_key_ends_the_test() {
    let error = test(&account(), &[reply(503, &[], r#"{"status":"error"}"#)]).unwrap_err();
    assert_eq!((error.kind, error.message.contains("n8n is starting")), (ErrorKind::Unavailable, true));
    assert_eq!(test(&account(), &[ready(), starting()]).unwrap_err().kind, ErrorKind::Unavailable);
    let refused = test(&account(), &[starting(), refusal(401, "Unauthorized")]).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unauthorized, "not every proxy lets the health of n8n through");
}

#[test]
fn an_older_server_is_asked_for_the_least() {
    let older = || [ready(), refusal(404, "not found")];
    let (sent, report) =
        play(N8n.test(&account()).unwrap(), &[older().as_slice(), &[ok(&page(&[], None))]].concat());
    assert_eq!(sent[2].path, "/api/v1/workflows?limit=1");
    assert!(report.unwrap().warnings[0].contains("does not say"));
    let report = test(&account(), &[older().as_slice(), &[refusal(403, "Forbidden")]].concat()).unwrap();
    assert_eq!(report.missing_permissions, ["workflow:list"]);
}

#[test]
fn a_table_that_is_missing_or_has_no_column_for_the_key_ends_the_test() {
    let mut account = account();
    account
        .settings
        .insert("tables".to_owned(), json!({ "customer": { "table": TABLE, "key": "external_id" } }));
    let of = |answer: Reply| test(&account, &[ready(), scopes(&[]), answer]).unwrap_err();
    let error = of(not_found());
    assert_eq!((error.kind, error.message.contains(TABLE)), (ErrorKind::Rejected, true));
    assert!(of(ok(&table("other"))).message.contains("`external_id`"));
}

#[test]
fn the_schema_shows_the_columns_of_each_table() {
    let bare = json!({ "id": "ordersOrdersOrde", "name": "Orders" });
    let columns = json!({ "data": [{ "id": "c9", "name": "paid", "type": "boolean", "index": 0 }] });
    let answers = [ok(&bare), ok(&columns), ok(&table("external_id"))];
    let (sent, objects) = play(N8n.schema(&with_table()).unwrap(), &answers);
    let asked: Vec<&str> = sent.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(
        asked,
        [
            "/api/v1/data-tables/ordersOrdersOrde",
            "/api/v1/data-tables/ordersOrdersOrde/columns",
            &format!("/api/v1/data-tables/{TABLE}"),
        ]
    );
    let objects = objects.unwrap();
    let shown: Vec<(&str, &str)> = objects
        .iter()
        .flat_map(|object| &object.fields)
        .map(|field| (field.path.as_str(), field.kind.as_str()))
        .collect();
    assert_eq!(shown, [("paid", "boolean"), ("email", "text"), ("age", "number"), ("since", "time")]);
    assert_eq!(N8n.schema(&account()).unwrap_err().kind, ErrorKind::Rejected);
}

#[test]
fn settings_that_cannot_be_used_are_refused() {
    for tables in [
        json!([]),
        json!({ "customer": "x" }),
        json!({ "contact": { "table": "x" } }),
        json!({ "customer": { "table": "../x" } }),
        json!({ "customer": { "table": "x", "key": "id" } }),
        json!({ "customer": { "table": "x", "key": "a b" } }),
        json!({ "customer": { "table": "x", "more": 1 } }),
    ] {
        let mut account = account();
        account.settings.insert("tables".to_owned(), tables.clone());
        assert_eq!(N8n.schema(&account).unwrap_err().kind, ErrorKind::Rejected, "{tables}");
    }
}

#[test]
fn what_n8n_tells_by_itself_is_signed_with_its_time() {
    let scheme = WebhookScheme::TimedHmacSha256 {
        signature: "x-signature",
        timestamp: "x-timestamp",
        secret: "x-sync-secret",
    };
    assert_eq!(N8n.webhooks(), Some(scheme));
}
