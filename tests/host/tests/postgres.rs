//! The Postgres interface as a component sees it, fault for fault.

mod help;

use help::{World, get, post};

async fn query(world: &World, sql: &str) -> String {
    post(world, "/probe/query", sql).await.1.replace("DbValue::", "")
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_all_readable_types_arrive() {
    let world = World::start("types", |_| {}).await;
    for (sql, expected) in [
        ("select 1::int2 a, 2::int4 b, 3::int8 c", "[Int16(1), Int32(2), Int64(3)]"),
        ("select 'x'::text, 'y'::char(3), null::text", r#"[Str("x"), Str("y  "), DbNull]"#),
        ("select 1.10::numeric, true", r#"[Decimal("1.10"), Boolean(true)]"#),
        ("select timestamp '2026-01-02 03:04:05.000006'", "Datetime((2026, 1, 2, 3, 4, 5, 6000))"),
        (
            "select array[1,null]::int4[], array['a']::text[]",
            r#"ArrayInt32([Some(1), None]), ArrayStr([Some("a")])"#,
        ),
        (
            "select int4range(1,3)",
            "RangeInt32((Some((1, RangeBoundKind::Inclusive)), Some((3, RangeBoundKind::Exclusive))))",
        ),
        ("select interval '1 month 2 days'", "days: 2"),
        (
            "select '00000000-0000-0000-0000-000000000001'::uuid",
            r#"Uuid("00000000-0000-0000-0000-000000000001")"#,
        ),
        ("select '{\"b\":1.10,\"a\":12345678901234567890123.5}'::jsonb::text", "12345678901234567890123.5"),
        ("select '[1]'::json, 'a'::name", "Unsupported([91, 49, 93])"),
    ] {
        let text = query(&world, sql).await;
        assert!(text.contains(expected) && text.ends_with("end=Ok(())"), "{sql}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_loses_digits_on_the_way() {
    let world = World::start("json", |_| {}).await;
    let text = query(&world, "select '1.10'::jsonb").await;
    assert!(text.contains("Jsonb([49, 46, 49])"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_rows_means_no_columns() {
    let world = World::start("no-rows", |_| {}).await;
    assert_eq!(query(&world, "select 1 as a where false").await, "[] rows=0 [] end=Ok(())");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timestamptz_fails_late_even_when_null() {
    let world = World::start("late", |_| {}).await;
    let (_, text) = get(&world, "/probe/late").await;
    assert!(text.starts_with("rows=0 end=Err("), "{text}");
    assert!(text.contains("NaiveDateTime") && text.contains("timestamptz"), "{text}");
    let text = query(&world, "select null::timestamptz").await;
    assert!(text.contains("rows=0") && text.contains("timestamptz"), "{text}");
    assert!(query(&world, "select 'infinity'::date").await.contains("end=Err"));
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_need_the_exact_type() {
    let world = World::start("params", |_| {}).await;
    let text = get(&world, "/probe/params").await.1.replace("DbValue::", "");
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let expected = [
        r#"WrongType { postgres: Int4, rust: \"i64\" }"#,
        "[Int64(1)]",
        r#"[Str("x")]"#,
        "WrongType { postgres: Uuid",
        r#"[Str("1.10")]"#,
        "Jsonb([123, 34, 97, 34, 58, 50, 44, 34, 98, 34, 58, 49, 46, 49, 125])",
        "serde_json::value::Value",
        r#"Decimal("1.50")"#,
        "BadParameter",
        r#"ArrayStr([Some("a"), None])"#,
        "DbNull",
        "RangeInt32((Some((1, RangeBoundKind::Inclusive)), None))",
        "BadParameter",
    ];
    for want in expected {
        assert!(lines.iter().any(|line| line.contains(want)), "{want} is not in\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_the_server_keep_their_fields() {
    let world = World::start("errors", |_| {}).await;
    post(&world, "/probe/execute", "create table one (id int4 constraint one_key primary key)").await;
    assert_eq!(post(&world, "/probe/execute", "insert into one values (1)").await.1, "Ok(1)");
    let (_, text) = post(&world, "/probe/execute", "insert into one values (1)").await;
    for part in ["23505", "one_key", "constraint", "Key (id)=(1) already exists."] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let text = query(&world, "insert into one values (1) returning id").await;
    assert!(text.starts_with("early:") && text.contains("23505"), "{text}");
    let (_, text) = post(&world, "/probe/execute", "select 1; select 2").await;
    assert!(text.contains("cannot insert multiple commands into a prepared statement"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_listed_is_refused_by_name() {
    let world = World::start("address", |_| {}).await;
    for (address, message) in [
        ("postgres://u:secret@localhost:55432/x", "address postgres://localhost:55432 is not permitted"),
        ("postgres://127.0.0.1/x", "address postgres://127.0.0.1:5432 is not permitted"),
        ("host=/tmp user=x", "Unix sockets are not supported on WebAssembly"),
    ] {
        let (_, text) = post(&world, "/probe/open", address).await;
        assert!(text.contains("ConnectionFailed") && text.contains(message), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_left_open_is_continued_by_the_next_request() {
    let world = World::start("left-open", |config| config.strict_transactions = false).await;
    post(&world, "/probe/execute", "create table left_open (n int4)").await;
    assert_eq!(get(&world, "/probe/leave-open").await.0, 200);
    let seen = query(&world, "select count(*) from left_open").await;
    assert!(seen.contains("Int64(1)"), "{seen}");
    let (_, other) = post(&world, "/second/query", "select count(*) from left_open").await;
    assert!(other.contains("Int64(0)"), "{other}");
    assert!(world.host.logs().iter().any(|line| line.text.contains("inside a transaction")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_strict_host_answers_500_to_the_request_that_leaves_one_open() {
    let world = World::start("strict", |_| {}).await;
    post(&world, "/probe/execute", "create table left_open (n int4)").await;
    assert_eq!(get(&world, "/probe/leave-open").await.0, 500);
    assert_eq!(post(&world, "/probe/execute", "rollback").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unread_result_holds_up_its_connection() {
    let world = World::start("undrained", |_| {}).await;
    assert_eq!(get(&world, "/probe/undrained").await.1, "held_up=true then=Ok(1)");
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_counted_per_component_and_a_large_result_streams() {
    let world = World::start("counts", |_| {}).await;
    let text = query(&world, "select g from generate_series(1, 20000) g").await;
    assert!(text.contains("rows=20000"), "{text}");
    post(&world, "/second/execute", "select 1").await;
    assert_eq!((world.host.statements_of("probe"), world.host.statements_of("second")), (1, 1));
    assert_eq!(world.host.statements(), 2);
    assert_eq!(world.host.requests(), 2);
}
