//! `execution-report` as an export: every execution once, in parts that can be checked.

use super::execution_report::{WEEK, ran, server, watched};
use crate::world::{Reply, User, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A part in CSV, with its manifest and its lines below the names.
async fn csv(user: &User<'_>, query: &str) -> (Value, Vec<String>) {
    let reply = user.get(&format!("execution-report?format=csv&{query}")).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "text/csv; charset=utf-8"), "{reply:?}");
    let manifest: Value = serde_json::from_str(reply.header("x-export-manifest")).unwrap();
    assert_eq!(manifest["sha256"], domain::hash::bytes(reply.text.as_bytes()));
    let mut lines = reply.text.split_terminator("\r\n").map(ToOwned::to_owned);
    let names = lines.next().unwrap();
    assert_eq!(names.split(',').map(|name| json!(name)).collect::<Value>(), manifest["columns"]);
    (manifest, lines.collect())
}

/// A part in NDJSON, with its manifest and its rows.
async fn ndjson(user: &User<'_>, query: &str) -> (Value, Vec<Value>) {
    let reply = user.get(&format!("execution-report?format=ndjson&{query}")).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/x-ndjson"), "{reply:?}");
    let last = reply.text.trim_end().rfind('\n').map_or(0, |end| end + 1);
    let (rows, manifest) = reply.text.split_at(last);
    let manifest = serde_json::from_str::<Value>(manifest).unwrap()["manifest"].clone();
    assert_eq!(manifest["sha256"], domain::hash::bytes(rows.as_bytes()));
    (manifest, rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// So many executions of the week, several of each moment.
async fn many(user: &User<'_>, count: u32) {
    let registry = watched(user, &server(user).await, "vpcs").await;
    let row = |number: u32| json!({ "number": number, "at": format!("2024-03-05T{:02}:00:00Z", number / 4), "status": "success", "ms": number });
    ran(user.world, &registry, (1..=count).map(row).collect()).await;
}

fn next(manifest: &Value) -> Option<String> {
    manifest["nextCursor"].as_str().map(|cursor| format!("&cursor={}", cursor.replace('+', "%2B")))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_in_parts_has_every_execution_exactly_once() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    many(&ana, 25).await;

    let (mut in_csv, mut in_json, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
    let mut cursor = Some(String::new());
    while let Some(place) = cursor {
        let (manifest, lines) = csv(&ana, &format!("{WEEK}&limit=10{place}")).await;
        assert_eq!((&manifest["rows"], &manifest["format"]), (&json!(lines.len()), &json!("csv")));
        sizes.push(lines.len());
        in_csv.extend(lines.iter().map(|line| line.split(',').nth(1).unwrap().to_owned()));
        cursor = next(&manifest);
    }
    let mut cursor = Some(String::new());
    while let Some(place) = cursor {
        let (manifest, rows) = ndjson(&ana, &format!("{WEEK}&limit=7{place}")).await;
        assert_eq!(
            (&manifest["from"], &manifest["to"]),
            (&json!("2024-03-04T00:00:00Z"), &json!("2024-03-11T00:00:00Z"))
        );
        in_json.extend(rows.iter().map(|row| row["executionId"].as_str().unwrap().to_owned()));
        cursor = next(&manifest);
    }

    assert_eq!(sizes, [10, 10, 5]);
    assert_eq!(in_csv, in_json, "both in the same order");
    let all: BTreeSet<String> = (1..=25).map(|number: u32| number.to_string()).collect();
    assert_eq!((in_csv.len(), in_csv.into_iter().collect::<BTreeSet<_>>()), (25, all));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_just_holds_everything_is_the_last() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    many(&ana, 5).await;

    let (exact, rows) = ndjson(&ana, &format!("{WEEK}&limit=5")).await;
    let (whole, _) = csv(&ana, WEEK).await;
    let (empty, none) = csv(&ana, "from=2023-03-04T00:00:00Z&to=2023-03-11T00:00:00Z").await;

    assert_eq!((rows.len(), &exact["nextCursor"]), (5, &Value::Null));
    assert_eq!((&whole["rows"], &whole["nextCursor"]), (&json!(5), &Value::Null));
    assert_eq!((&empty["rows"], none.len()), (&json!(0), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_begins_while_an_export_goes_on_is_not_in_it() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let registry = watched(&ana, &server(&ana).await, "vpcs").await;
    let past = |minutes: i64| (chrono::Utc::now() - chrono::TimeDelta::minutes(minutes)).to_rfc3339();
    let row = |number: u32, minutes: i64| json!({ "number": number, "at": past(minutes), "status": "success", "ms": 1 });
    ran(&world, &registry, json!([row(1, 30), row(2, 20), row(3, 10)])).await;

    let (first, _) = ndjson(&ana, "limit=2").await;
    ran(&world, &registry, json!([row(4, 0)])).await;
    let (second, rows) = ndjson(&ana, &format!("limit=2{}", next(&first).unwrap())).await;

    assert_eq!(
        (&first["from"], &first["to"]),
        (&second["from"], &second["to"]),
        "all parts are of one period"
    );
    assert_eq!((rows.len(), &rows[0]["executionId"], &second["nextCursor"]), (1, &json!("3"), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_of_an_export_is_a_formula_and_none_breaks_a_line() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let registry = watched(&ana, &server(&ana).await, "=cmd|calc!A1").await;
    let messages = ["+1", "-1", "@SUM(A1)", "\tx", "\rx", "a, \"b\"\nc", "1-1"];
    let row = |(number, message): (usize, &&str)| json!({ "number": number + 1, "at": "2024-03-05T00:00:00Z", "status": "failure", "ms": 1, "message": message });
    ran(&world, &registry, messages.iter().enumerate().map(row).collect()).await;

    let reply: Reply = ana.get(&format!("execution-report?format=csv&{WEEK}")).await;
    let (_, rows) = ndjson(&ana, WEEK).await;

    // What n8n calls it, and its name.
    let both = reply.text.matches(",'=cmd|calc!A1,'=cmd|calc!A1,").count();
    assert_eq!(both, messages.len(), "{}", reply.text);
    for cell in [",'+1,", ",'-1,", ",'@SUM(A1),", ",'\tx,", ",\"'\rx\",", ",\"a, \"\"b\"\"\nc\",", ",1-1,"] {
        assert!(reply.text.contains(cell), "{cell:?}: {:?}", reply.text);
    }
    let texts: BTreeSet<&str> = rows.iter().map(|row| row["errorMessage"].as_str().unwrap()).collect();
    assert_eq!(texts, BTreeSet::from(messages), "programs read what was said");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_nothing_of_another_users() {
    let world = World::start().await;
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    many(&ana, 3).await;
    let (manifest, _) = ndjson(&ana, &format!("{WEEK}&limit=1")).await;

    let (_, own) = ndjson(&ben, WEEK).await;
    let (_, with_her_cursor) = ndjson(&ben, &next(&manifest).unwrap()[1..]).await;
    let registry = world.db.text("select id::text from public.workflow_registry").await;
    let hers = ben.get(&format!("execution-report?format=csv&{WEEK}&workflowId={registry}")).await;

    assert_eq!((own.len(), with_her_cursor.len()), (0, 0));
    hers.problem("not_found");
    let (_, named) = csv(&ana, &format!("{WEEK}&workflowId={registry}")).await;
    assert_eq!(named.len(), 3, "the control");
}
