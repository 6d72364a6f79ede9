//! Shows the host's behaviour from the inside: the last segment of the path says what to do, the body what with, and
//! the answer is what came of it as text.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::future::{Either, select};
use http_body_util::{BodyExt, Full};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use spin_sdk::pg::{Connection, Error, ParameterValue, RangeBoundKind};
use spin_sdk::variables;

/// Shared by the requests of one instance.
static REQUESTS: AtomicU64 = AtomicU64::new(0);

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|all| all.to_bytes()).unwrap_or_default();
    let body = String::from_utf8_lossy(&body).into_owned();
    let text = match parts.uri.path().rsplit('/').next().unwrap_or_default() {
        "count" => (REQUESTS.fetch_add(1, Ordering::SeqCst) + 1).to_string(),
        "echo" => format!("{}\n{:?}\n{body}", parts.uri, parts.headers),
        "environment" => format!("{:?}", std::env::vars().collect::<Vec<_>>()),
        "execute" => execute(&body).await,
        "get" => fetch(http::Method::GET, &body).await,
        "late" => late().await,
        "leave-open" => leave_open().await,
        "open" => format!("{:?}", Connection::open(body).await.map(|_| ())),
        "panic" => panic!("on purpose"),
        "params" => params().await,
        "post" => fetch(http::Method::POST, &body).await,
        "print" => print(&body),
        "query" => query(&body, Vec::new()).await,
        "undrained" => undrained().await,
        "variable" => format!("{:?}", variables::get(body).await),
        other => format!("unknown: {other}"),
    };
    http::Response::builder().header("content-length", text.len()).body(Full::new(Bytes::from(text)))
}

fn print(body: &str) -> String {
    println!("out {body}");
    eprintln!("err {body}");
    String::new()
}

async fn open() -> Result<Connection, Error> {
    let address = variables::get("database_url").await.unwrap_or_default();
    Connection::open(address).await
}

async fn execute(sql: &str) -> String {
    match open().await {
        Ok(connection) => format!("{:?}", connection.execute(sql, Vec::new()).await),
        Err(error) => format!("open: {error:?}"),
    }
}

/// Columns, number of rows, the first two rows, the end.
async fn query(sql: &str, params: Vec<ParameterValue>) -> String {
    let connection = match open().await {
        Ok(connection) => connection,
        Err(error) => return format!("open: {error:?}"),
    };
    let (columns, mut rows, end) = match connection.query(sql, params).await {
        Ok(result) => result.into_inner(),
        Err(error) => return format!("early: {error:?}"),
    };
    let columns: Vec<String> = columns.iter().map(|c| format!("{} {:?}", c.name, c.data_type)).collect();
    let (mut number, mut shown) = (0, Vec::new());
    while let Some(row) = rows.next().await {
        number += 1;
        if number <= 2 {
            shown.push(row);
        }
    }
    format!("{columns:?} rows={number} {shown:?} end={:?}", end.await)
}

async fn params() -> String {
    let cases = [
        ("select $1::int4", ParameterValue::Int64(1)),
        ("select $1::int8", ParameterValue::Int64(1)),
        ("select $1::text", ParameterValue::Str("x".into())),
        ("select $1::uuid", ParameterValue::Str("x".into())),
        ("select $1::text::numeric::text", ParameterValue::Str("1.10".into())),
        ("select $1::jsonb", ParameterValue::Jsonb(br#"{"b":1.10,"a":2}"#.to_vec())),
        ("select $1::int4", ParameterValue::Jsonb(b"1".to_vec())),
        ("select $1::numeric", ParameterValue::Decimal("1.50".into())),
        ("select $1::numeric", ParameterValue::Decimal("1e400".into())),
        ("select $1::text[]", ParameterValue::ArrayStr(vec![Some("a".into()), None])),
        ("select $1::timestamptz::text", ParameterValue::DbNull),
        ("select $1::int4range", ParameterValue::RangeInt32((Some((1, RangeBoundKind::Inclusive)), None))),
        ("select $1::date", ParameterValue::Date((2026, 2, 30))),
    ];
    let mut answers = Vec::new();
    for (sql, value) in cases {
        answers.push(query(sql, vec![value]).await);
    }
    answers.join("\n")
}

/// Reads a `timestamptz` in the way that loses rows, and in the way that notices.
async fn late() -> String {
    let result = match open().await {
        Ok(connection) => connection.query("select 1 as a, now() as at", Vec::new()).await,
        Err(error) => return format!("open: {error:?}"),
    };
    let Ok(mut result) = result else { return "early".into() };
    let mut rows = 0;
    while result.next().await.is_some() {
        rows += 1;
    }
    format!("rows={rows} end={:?}", result.result().await)
}

async fn leave_open() -> String {
    match open().await {
        Ok(connection) => {
            let begun = connection.execute("begin", Vec::new()).await;
            let wrote = connection.execute("insert into left_open values (1)", Vec::new()).await;
            format!("{begun:?} {wrote:?}")
        }
        Err(error) => format!("open: {error:?}"),
    }
}

/// Whether a result that nobody reads holds up the next statement of its connection, and its end frees it.
async fn undrained() -> String {
    let (Ok(connection), Ok(other)) = (open().await, open().await) else { return "open".into() };
    let Ok(result) = connection.query("select g from generate_series(1, 1000) g", Vec::new()).await else {
        return "query".into();
    };
    let held_up = {
        let second = std::pin::pin!(connection.execute("select 1", Vec::new()));
        let clock = std::pin::pin!(other.execute("select pg_sleep(0.3)", Vec::new()));
        matches!(select(second, clock).await, Either::Right(_))
    };
    drop(result);
    format!("held_up={held_up} then={:?}", connection.execute("select 1", Vec::new()).await)
}

async fn fetch(method: http::Method, address: &str) -> String {
    let body = Full::new(Bytes::from_static(b"body"));
    let request = match http::Request::builder().method(method).uri(address).body(body) {
        Ok(request) => request,
        Err(error) => return format!("{error:?}"),
    };
    match spin_sdk::http::send(request).await {
        Ok(response) => {
            let status = response.status();
            let body = response.into_body().collect().await.map(|all| all.to_bytes());
            format!("{status} {:?}", body.map(|all| String::from_utf8_lossy(&all).into_owned()))
        }
        Err(error) => format!("{error:?}"),
    }
}
