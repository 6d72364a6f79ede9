//! `execution-report`: how executions went over a period, with figures that anybody can count again.

use super::{column, refusal, wrong_field};
use crate::world::{User, World};
use serde_json::{Value, json};

/// A Monday, and the one a week later.
pub(super) const WEEK: &str = "from=2024-03-04T00:00:00Z&to=2024-03-11T00:00:00Z";

/// An n8n server of this user's; answers its id.
pub(super) async fn server(user: &User<'_>) -> String {
    let insert = format!(
        "with made as (
           insert into public.integrations (user_id, name, platform, base_url, credential_kind)
           values ('{}', 'n8n ' || gen_random_uuid(), 'n8n', 'https://n8n.example.com', 'api_key') returning id)
         select id::text from made",
        user.id
    );
    user.world.db.text(&insert).await
}

/// A watched workflow of a server, by the name that it has there too; answers the registry's id.
pub(super) async fn watched(user: &User<'_>, server: &str, name: &str) -> String {
    let insert = format!(
        "with made as (
           insert into public.workflow_registry (user_id, integration_id, workflow_id, workflow_name)
           values ('{}', '{server}', '{name}', '{name}') returning id)
         select id::text from made",
        user.id
    );
    user.world.db.text(&insert).await
}

/// Executions of a watched workflow, as rows of `workflow_executions`; each has a number, a start and a status.
pub(super) async fn ran(world: &World, registry: &str, rows: Value) {
    let insert = format!(
        "insert into public.workflow_executions (user_id, registry_id, integration_id, workflow_id, execution_id, status,
           n8n_status, start_time, end_time, duration_ms, error_message, error_node, trigger_way)
         select r.user_id, r.id, r.integration_id, r.workflow_id, e.number, e.status,
           case e.status when 'failure' then 'error' when 'cancelled' then 'canceled' else e.status end, e.at,
           e.at + e.ms * interval '1 millisecond', e.ms, e.message, e.node, e.way
         from public.workflow_registry as r, json_to_recordset($rows${rows}$rows$) as e (number bigint, at timestamptz,
           status text, ms bigint, message text, node text, way text)
         where r.id = '{registry}'"
    );
    world.db.run(&insert).await;
}

async fn report(user: &User<'_>, query: &str) -> Value {
    user.get(&format!("execution-report?{query}")).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_of_a_period_are_those_that_one_counts_by_hand() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let vpcs = watched(&ana, &server(&ana).await, "vpcs").await;
    let rows = json!([
        { "number": 1, "at": "2024-03-04T00:00:00Z", "status": "success", "ms": 100, "way": "webhook" },
        { "number": 2, "at": "2024-03-05T10:00:00Z", "status": "success", "ms": 200 },
        { "number": 3, "at": "2024-03-05T11:00:00Z", "status": "success", "ms": 300, "way": "mcp" },
        { "number": 4, "at": "2024-03-06T10:00:00Z", "status": "failure", "ms": 400, "message": "no" },
        { "number": 5, "at": "2024-03-07T10:00:00Z", "status": "cancelled", "ms": 1000 },
        { "number": 6, "at": "2024-03-10T23:59:59Z", "status": "running" },
        // Of the week before.
        { "number": 7, "at": "2024-02-26T00:00:00Z", "status": "success", "ms": 100 },
        { "number": 8, "at": "2024-03-03T23:59:59Z", "status": "failure", "ms": 300, "way": "retry" },
        // Of neither.
        { "number": 9, "at": "2024-02-25T23:59:59Z", "status": "failure", "ms": 9 },
        { "number": 10, "at": "2024-03-11T00:00:00Z", "status": "failure", "ms": 9 },
    ]);
    ran(&world, &vpcs, rows).await;

    let shown = report(&ana, WEEK).await;

    let totals = &shown["totals"];
    for (name, count) in [
        ("executions", 6),
        ("success", 3),
        ("failure", 1),
        ("cancelled", 1),
        ("running", 1),
        ("byHand", 2),
        // (100 + 200 + 300 + 400 + 1000) / 5, the third of five, and 0.8 and 0.96 of the way from the fourth to the fifth.
        ("averageMs", 400),
        ("p50Ms", 300),
        ("p95Ms", 880),
        ("p99Ms", 976),
    ] {
        assert_eq!(totals[name], count, "{name}: {totals}");
    }
    assert_eq!(totals["successRate"], 0.75, "what was stopped or goes on counts on neither side");
    let previous = &shown["previous"];
    assert_eq!((&previous["from"], &previous["to"]), (&json!("2024-02-26T00:00:00Z"), &shown["from"]));
    assert_eq!(
        (&previous["totals"]["executions"], &previous["totals"]["averageMs"]),
        (&json!(2), &json!(200))
    );
    let change = &shown["change"];
    for (name, expected) in
        [("executions", 2.0), ("failure", 0.0), ("byHand", 1.0), ("averageMs", 1.0), ("successRate", 0.25)]
    {
        assert_eq!(change[name], expected, "{name}: {change}");
    }
    assert_eq!(change["trend"], "better");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_has_every_piece_of_the_period_in_utc() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let vpcs = watched(&ana, &server(&ana).await, "vpcs").await;
    let rows = json!([
        { "number": 1, "at": "2024-03-04T11:00:00Z", "status": "success", "ms": 100 },
        { "number": 2, "at": "2024-03-04T13:00:00Z", "status": "success", "ms": 200 },
        { "number": 3, "at": "2024-03-06T23:59:59.999999Z", "status": "failure", "ms": 300, "message": "no" },
        { "number": 4, "at": "2024-03-07T01:00:00+02:00", "status": "success", "ms": 100 },
    ]);
    ran(&world, &vpcs, rows).await;
    let counts = |shown: &Value| {
        let points = shown["series"].as_array().unwrap().iter();
        points.map(|point| point["figures"]["executions"].as_u64().unwrap()).collect::<Vec<_>>()
    };

    let days = report(&ana, WEEK).await;
    let afternoon = report(&ana, "from=2024-03-04T12:00:00Z&to=2024-03-06T00:00:00Z").await;
    let hours = report(&ana, "from=2024-03-04T10:00:00Z&to=2024-03-04T14:00:00Z&bucket=hour").await;
    let weeks = report(&ana, "from=2024-02-28T00:00:00Z&to=2024-03-12T00:00:00Z&bucket=week").await;

    assert_eq!((counts(&days), &days["bucket"]), (vec![2, 0, 2, 0, 0, 0, 0], &json!("day")));
    let third = &days["series"][2];
    assert_eq!(
        (&third["start"], third["figures"]["p50Ms"].as_i64()),
        (&json!("2024-03-06T00:00:00Z"), Some(200))
    );
    assert!(days["series"][1]["figures"]["successRate"].is_null(), "nothing ended: {days}");
    assert_eq!(counts(&afternoon), [1, 0], "what began before the period is not in its first day");
    assert_eq!(counts(&hours), [0, 1, 0, 1]);
    assert_eq!(
        (counts(&weeks), column(&weeks["series"], "start").join(" ")),
        (vec![0, 4, 0], "2024-02-26T00:00:00Z 2024-03-04T00:00:00Z 2024-03-11T00:00:00Z".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worst_workflow_comes_first_and_each_can_be_asked_for_alone() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let server = server(&ana).await;
    let mut ids = Vec::new();
    for (number, (name, statuses)) in
        [("good", ["success", "success"]), ("half", ["success", "failure"]), ("bad", ["failure", "failure"])]
            .into_iter()
            .enumerate()
    {
        let id = watched(&ana, &server, name).await;
        let row = |place: usize| json!({ "number": number * 2 + place, "at": "2024-03-05T00:00:00Z", "status": statuses[place], "ms": 10 });
        ran(&world, &id, json!([row(0), row(1)])).await;
        ids.push(id);
    }
    let set = format!(
        "update public.workflow_registry set provider = 'aws', workflow_type = 'vpc' where id = '{}'",
        ids[1]
    );
    world.db.run(&set).await;
    let mvp = format!(
        "with made as (
           insert into public.mvp_workflows (user_id, name, definition, integration_id, n8n_workflow_id, status)
           values ('{}', 'Mine', '{{}}', '{server}', 'bad', 'deployed') returning id)
         select id::text from made",
        ana.id
    );
    let mvp = world.db.text(&mvp).await;

    let all = report(&ana, WEEK).await;

    assert_eq!(column(&all["workflows"], "workflowName"), ["bad", "half", "good"]);
    assert_eq!((&all["workflowCount"], &all["workflows"][0]["workflowId"]), (&json!(3), &json!(mvp)));
    assert_eq!(all["workflows"][1]["figures"]["successRate"], 0.5);
    for (query, expected) in [
        (format!("workflowId={}", ids[0]), vec!["good"]),
        (format!("workflowId={mvp}"), vec!["bad"]),
        ("provider=aws".to_owned(), vec!["half"]),
        ("workflowType=vpc".to_owned(), vec!["half"]),
        ("provider=azure".to_owned(), vec![]),
        (format!("workflowId={}&provider=aws", ids[0]), vec![]),
    ] {
        let shown = report(&ana, &format!("{WEEK}&{query}")).await;
        assert_eq!(column(&shown["workflows"], "workflowName"), expected, "{query}");
        assert_eq!(shown["totals"]["executions"], 2 * expected.len(), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_that_differ_in_ids_numbers_and_names_are_one_pattern() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let server = server(&ana).await;
    let (one, two) = (watched(&ana, &server, "one").await, watched(&ana, &server, "two").await);
    let failed = |number: u32, at: &str, message: Option<&str>, node: &str| json!({ "number": number, "at": at, "status": "failure", "ms": 1, "message": message, "node": node });
    let rows = json!([
        failed(1, "2024-03-04T01:00:00Z", Some("No subnet \"10.0.0.0/8\" in vpc-0a1b2c3d4e: gave up after 500 ms"), "Call"),
        failed(2, "2024-03-05T01:00:00Z", Some("No subnet \"b\" in vpc-ff00aa11: gave up  after 12.5 ms"), "Call"),
        failed(3, "2024-03-05T01:00:00Z", Some("No subnet \"b\" in vpc-ff00aa11: gave up after 12.5 ms"), "Other"),
        failed(4, "2024-03-06T01:00:00Z", Some("Can't reach 'a' for 3F2504E0-4F89-11D3-9A0C-0305E82C3301, don't wait"), "Call"),
        failed(5, "2024-03-06T01:00:00Z", None, "Call"),
        { "number": 6, "at": "2024-03-06T01:00:00Z", "status": "success", "ms": 1 },
    ]);
    ran(&world, &one, rows).await;
    let rows = json!([
        failed(
            7,
            "2024-03-08T01:00:00Z",
            Some("No subnet \"x y\" in vpc-123456789abc: gave up after 1 ms"),
            "Call"
        ),
        failed(8, "2024-03-01T01:00:00Z", Some("Of the week before"), "Call"),
    ]);
    ran(&world, &two, rows).await;

    let shown = report(&ana, WEEK).await;

    let (failures, first) = (&shown["failures"], &shown["failures"][0]);
    assert_eq!(failures.as_array().unwrap().len(), 4, "{failures}");
    assert_eq!(first["pattern"], "No subnet <text> in vpc-<id>: gave up after <n> ms");
    assert_eq!(
        (&first["count"], &first["node"], &first["workflowCount"]),
        (&json!(3), &json!("Call"), &json!(2))
    );
    assert_eq!(column(&first["workflows"], "workflowName"), ["one", "two"]);
    assert_eq!(
        (&first["firstSeen"], &first["lastSeen"]),
        (&json!("2024-03-04T01:00:00Z"), &json!("2024-03-08T01:00:00Z"))
    );
    assert_eq!(first["exampleExecutionId"], "7", "the last one");
    assert!(first["exampleMessage"].as_str().unwrap().contains("x y"), "{first}");
    let patterns = column(failures, "pattern");
    assert!(patterns.contains(&"Can't reach <text> for <id>, don't wait".to_owned()), "{patterns:?}");
    assert!(patterns.contains(&"null".to_owned()), "n8n was not yet asked: {patterns:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_counts_what_is_another_users() {
    let world = World::start().await;
    let (ana, ben) = (world.user("ana").await, world.user("ben").await);
    let hers = watched(&ana, &server(&ana).await, "hers").await;
    let his = watched(&ben, &server(&ben).await, "his").await;
    let row = |number: u32| json!([{ "number": number, "at": "2024-03-05T00:00:00Z", "status": "failure", "ms": 1, "message": "no" }]);
    ran(&world, &hers, row(1)).await;
    ran(&world, &his, row(2)).await;

    let shown = report(&ana, WEEK).await;
    let foreign = ana.get(&format!("execution-report?workflowId={his}")).await;
    let missing = ana.get("execution-report?workflowId=00000000-0000-4000-8000-000000000000").await;

    assert_eq!(shown["totals"]["executions"], 1, "{shown}");
    assert_eq!(column(&shown["workflows"], "workflowName"), ["hers"]);
    assert_eq!(
        (column(&shown["failures"], "count"), shown["servers"].as_array().unwrap().len()),
        (vec!["1".to_owned()], 1)
    );
    assert_eq!(refusal(&foreign), refusal(&missing));
    assert_eq!(
        report(&ana, &format!("{WEEK}&workflowId={hers}")).await["totals"]["executions"],
        1,
        "the control"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_says_how_old_it_is() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    let mut servers = Vec::new();
    for hours in [Some(1), Some(3), None] {
        let id = server(&ana).await;
        watched(&ana, &id, "w").await;
        if let Some(hours) = hours {
            let read = format!(
                "insert into sync.n8n_servers (integration_id, executions_at) values ('{id}', now() - interval '{hours} hours')
                 on conflict (integration_id) do update set executions_at = excluded.executions_at"
            );
            world.db.run(&read).await;
        }
        servers.push(id);
    }

    let shown = report(&ana, "").await;

    assert_eq!(shown["servers"].as_array().unwrap().len(), 3, "also without executions: {shown}");
    let average = shown["averageDataAgeSeconds"].as_u64().unwrap();
    assert!((7200..7320).contains(&average), "of one and three hours it is two: {average}");
    assert_eq!((&shown["totals"]["executions"], &shown["change"]["trend"]), (&json!(0), &json!("unknown")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_cannot_be_is_refused_with_the_field_that_is_wrong() {
    let world = World::start().await;
    let ana = world.user("ana").await;
    for (query, place) in [
        ("from=2024-03-04T00:00:00Z&to=2024-03-04T00:00:00Z", "/from"),
        ("from=2024-03-05T00:00:00Z&to=2024-03-04T00:00:00Z", "/from"),
        ("from=2024-01-01T00:00:00Z&to=2025-01-01T00:00:01Z", "/from"),
        ("to=2999-01-01T00:00:00Z", "/to"),
        ("from=yesterday", "/from"),
        ("bucket=minute", "/bucket"),
        ("format=pdf", "/format"),
        ("provider=nobody", "/provider"),
        ("workflowType=house", "/workflowType"),
        ("cursor=x", "/cursor"),
        ("format=csv&limit=0", "/limit"),
        ("format=ndjson&limit=10001", "/limit"),
    ] {
        assert_eq!(wrong_field(&ana.get(&format!("execution-report?{query}")).await), place, "{query}");
    }
    ana.get("execution-report?format=csv&cursor=x").await.problem("bad_request");
    report(&ana, "from=2024-01-01T00:00:00Z&to=2025-01-01T00:00:00Z").await;
}
