//! What belongs to an organization: its members see it, operators decide about it, viewers only look.

use super::{ANA, BOB, Schema, opening};
use serde_json::{Value, json};

const VERA: &str = "00000000-0000-4000-8000-00000000000c";

/// Ana's sync belongs to an organization in which Bob is an operator and Vera a viewer. It has a record in conflict, one
/// that failed, and one that is gone and waits.
async fn shared() -> Schema {
    let (schema, items) = Schema::with_items(&["1", "2", "3"]).await;
    schema
        .db
        .run(&format!(
            "insert into auth.users (id, email) values ('{VERA}', 'vera@test');
             set request.jwt.claims to '{{\"sub\": \"{ANA}\"}}';
             insert into public.organizations (name) values ('Ana and sons');
             insert into public.organization_members (org_id, user_id, role)
               select o.id, one.id::uuid, one.role from public.organizations as o,
                 (values ('{BOB}', 'operator'), ('{VERA}', 'viewer')) as one (id, role);
             reset request.jwt.claims;
             update public.integrations set org_id = (select id from public.organizations);
             update public.sync_configs set org_id = (select id from public.organizations)"
        ))
        .await;
    let opened = schema.call("runs/open", opening(&items)).await;
    let run = &opened["children"][0];
    let result = |source: &str, outcome: &str, gone: Value| {
        json!({"source_id": source, "target_id": format!("T{source}"), "outcome": outcome, "changes": "[]", "gone": gone,
            "error": {"class": "held", "code": "x", "message": "no"}})
    };
    let gone =
        |step: &str| json!({"step": step, "side": "source", "reason": "tombstone", "policy": "delete"});
    let page = |position: i64, results: Vec<Value>| {
        json!({"run_id": run["run_id"], "fence": run["fence"], "position": position, "last_page": true,
            "results": results, "platform_requests": 0, "lease_seconds": 60, "next_limit": 0})
    };
    let first =
        [("1", "conflicted", json!(null)), ("2", "failed", json!(null)), ("3", "gone", gone("found"))];
    let first = first.into_iter().map(|(source, outcome, gone)| result(source, outcome, gone)).collect();
    schema.call("runs/record_page", page(3, first)).await;
    schema.call("runs/record_page", page(3, vec![result("3", "held", gone("settled"))])).await;
    schema
}

async fn id(schema: &Schema, table: &str) -> Value {
    json!(schema.db.text(&format!("select id::text from public.{table}")).await)
}

#[tokio::test]
async fn members_see_what_waits_and_strangers_do_not() {
    let schema = shared().await;
    for list in ["conflicts/list", "issues/list", "deletes/list"] {
        for (who, count) in [(ANA, 1), (BOB, 1), (VERA, 1)] {
            let rows = schema.call_as(who, list, json!({"limit": 10})).await.unwrap();
            assert_eq!(rows["rows"].as_array().unwrap().len(), count, "{list} as {who}");
        }
    }
    schema.db.run(&format!("delete from public.organization_members where user_id = '{BOB}'")).await;
    for list in ["conflicts/list", "issues/list", "deletes/list"] {
        let rows = schema.call_as(BOB, list, json!({"limit": 10})).await.unwrap();
        assert_eq!(rows["rows"], json!([]), "{list}");
    }
}

#[tokio::test]
async fn an_operator_decides_and_a_viewer_does_not() {
    let schema = shared().await;
    let conflict = json!({"ids": [id(&schema, "data_sync_conflicts").await], "decision": {"rest": "source"}});
    let delete = json!({"ids": [id(&schema, "sync_deletes").await], "approved": false});
    let issue = json!({"ids": [id(&schema, "sync_issues").await]});
    let decisions = [
        ("conflicts/decide", "decided", &conflict),
        ("deletes/decide", "decided", &delete),
        ("issues/permitted", "records", &issue),
    ];

    for (statement, name, input) in decisions {
        let viewer = schema.call_as(VERA, statement, input.clone()).await.unwrap();
        assert_eq!(viewer[name], json!(null), "{statement}: a viewer only looks");
        let operator = schema.call_as(BOB, statement, input.clone()).await.unwrap();
        assert_eq!(operator[name].as_array().map(Vec::len), Some(1), "{statement}: {operator}");
    }

    assert_eq!(schema.db.text("select status from public.sync_deletes").await, "kept");
    let whole = json!({"config_id": id(&schema, "sync_configs").await, "approved": true});
    assert_eq!(schema.call_as(VERA, "deletes/decide", whole.clone()).await.unwrap()["decided"], json!(null));
    assert_eq!(
        schema.call_as(BOB, "deletes/decide", whole).await.unwrap()["decided"],
        json!([]),
        "none is left"
    );
}

#[tokio::test]
async fn what_was_decided_is_not_decided_again() {
    let schema = shared().await;
    let keep = json!({"ids": [id(&schema, "sync_deletes").await], "approved": false});
    schema.call_as(ANA, "deletes/decide", keep.clone()).await.unwrap();

    let again = schema.call_as(BOB, "deletes/decide", keep).await;

    assert!(again.is_err(), "it does not wait any more: {again:?}");
    assert_eq!(
        schema.db.count("select count(*) from public.sync_audit where subject = 'sync_deletes'").await,
        1
    );
}
