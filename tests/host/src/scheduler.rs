//! What `pg_cron` and `pg_net` do on Supabase, for a database that has only their stand-ins. For `cargo dev`.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use chrono::{DateTime, Timelike, Utc};
use croner::Cron;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::migrate::connect;

/// How often the queue of requests is looked at.
const TICK: Duration = Duration::from_millis(250);
/// The most requests taken at once.
const BATCH: i64 = 200;

/// Sends queued requests and runs due jobs until it is dropped.
#[derive(Debug)]
pub struct Scheduler(JoinHandle<()>);

type Http = HttpClient<HttpConnector, Full<Bytes>>;
type Running = Arc<Mutex<HashSet<i64>>>;

impl Scheduler {
    /// Starts for the database of `url`, whose user must be able to write to the schemas `net` and `cron`
    /// ([`crate::Cluster::admin_url`]). Requests go out over plain HTTP only: this serves hosts on this machine.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn start(url: &str) -> Result<Self> {
        let client = connect(url).await?;
        let real_cron = has_extension(&client, "pg_cron").await?;
        let real_net = has_extension(&client, "pg_net").await?;
        let http: Http = HttpClient::builder(TokioExecutor::new()).build_http();
        let url = url.to_owned();
        Ok(Self(tokio::spawn(async move {
            let client = Arc::new(client);
            let running = Running::default();
            let mut minute = Utc::now().timestamp() / 60;
            let mut clock = tokio::time::interval(TICK);
            clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                clock.tick().await;
                if !real_net && let Err(error) = send_due(&client, &http).await {
                    eprintln!("scheduler: {error:#}");
                }
                let now = Utc::now();
                if !real_cron && now.timestamp() / 60 != minute {
                    // A minute that was slept through is not made up, as with pg_cron.
                    minute = now.timestamp() / 60;
                    if let Err(error) = run_due(&client, &url, now, &running).await {
                        eprintln!("scheduler: {error:#}");
                    }
                }
            }
        })))
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn has_extension(client: &Client, name: &str) -> Result<bool> {
    let sql = "select exists (select from pg_catalog.pg_extension where extname = $1)";
    Ok(client.query_one(sql, &[&name]).await?.get(0))
}

struct Outgoing {
    id: i64,
    method: String,
    url: String,
    headers: serde_json::Value,
    body: Option<Vec<u8>>,
    patience: Duration,
}

/// Takes requests off the queue and sends each in a task of its own. They are gone from the queue before they are sent,
/// so that none is sent twice.
async fn send_due(client: &Arc<Client>, http: &Http) -> Result<()> {
    let sql = "delete from net.http_request_queue where id in \
               (select id from net.http_request_queue order by id limit $1 for update skip locked) \
               returning id, method, url, headers::text, body, timeout_milliseconds";
    for row in client.query(sql, &[&BATCH]).await? {
        let milliseconds: i32 = row.try_get(5)?;
        let outgoing = Outgoing {
            id: row.try_get(0)?,
            method: row.try_get(1)?,
            url: row.try_get(2)?,
            headers: serde_json::from_str(row.try_get(3)?)?,
            body: row.try_get(4)?,
            patience: Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0)),
        };
        let (client, http) = (Arc::clone(client), http.clone());
        tokio::spawn(async move {
            if let Err(error) = send_one(&client, &http, outgoing).await {
                eprintln!("scheduler: {error:#}");
            }
        });
    }
    Ok(())
}

async fn send_one(client: &Client, http: &Http, outgoing: Outgoing) -> Result<()> {
    let (id, patience) = (outgoing.id, outgoing.patience);
    let insert = "insert into net._http_response \
                  (id, status_code, content_type, headers, content, timed_out, error_msg) \
                  values ($1, $2, $3, $4::text::jsonb, $5, $6, $7)";
    match tokio::time::timeout(patience, exchange(http, outgoing)).await {
        Ok(Ok((status, content_type, headers, content))) => {
            client
                .execute(insert, &[&id, &status, &content_type, &headers, &content, &false, &None::<&str>])
                .await
        }
        Ok(Err(error)) => {
            let text = format!("{error:#}");
            let none = None::<&str>;
            client.execute(insert, &[&id, &None::<i32>, &none, &none, &none, &false, &text]).await
        }
        Err(_) => {
            let text = format!("Timeout of {} ms reached", patience.as_millis());
            let none = None::<&str>;
            client.execute(insert, &[&id, &None::<i32>, &none, &none, &none, &true, &text]).await
        }
    }?;
    Ok(())
}

async fn exchange(http: &Http, outgoing: Outgoing) -> Result<(i32, Option<String>, String, String)> {
    let mut request = http::Request::builder().method(outgoing.method.as_str()).uri(&outgoing.url);
    for (name, value) in outgoing.headers.as_object().into_iter().flatten() {
        request = request.header(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    request = request.header("user-agent", "pg_net/stand-in").header("accept", "*/*");
    let request = request.body(Full::new(Bytes::from(outgoing.body.unwrap_or_default())))?;
    let (parts, body) = http.request(request).await.context("Couldn't connect to server")?.into_parts();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: serde_json::Map<String, serde_json::Value> =
        parts.headers.iter().map(|(name, value)| (name.to_string(), text(value).into())).collect();
    let content = body.collect().await?.to_bytes();
    Ok((
        i32::from(parts.status.as_u16()),
        parts.headers.get(http::header::CONTENT_TYPE).map(text),
        serde_json::Value::Object(headers).to_string(),
        String::from_utf8_lossy(&content).into_owned(),
    ))
}

/// Starts the jobs of this minute, each in a session of its own; one that still runs is not started again.
async fn run_due(client: &Client, url: &str, now: DateTime<Utc>, running: &Running) -> Result<()> {
    let sql = "select jobid, schedule, command, username from cron.job \
               where active and database = current_database()";
    for row in client.query(sql, &[]).await? {
        let (id, schedule): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        let busy = || running.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_due(&schedule, now) || !busy().insert(id) {
            continue;
        }
        let (command, role): (String, String) = (row.try_get(2)?, row.try_get(3)?);
        let (url, running) = (url.to_owned(), Arc::clone(running));
        tokio::spawn(async move {
            if let Err(error) = run_job(&url, id, &role, &command).await {
                eprintln!("scheduler: job {id}: {error:#}");
            }
            running.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        });
    }
    Ok(())
}

/// Whether a schedule of five fields matches the minute of `now` (UTC). Schedules in seconds run once a minute here.
fn is_due(schedule: &str, now: DateTime<Utc>) -> bool {
    if schedule.contains("second") {
        return true;
    }
    // pg_cron writes the last day of the month as `$`, the crate as `L`.
    let Ok(cron) = schedule.replace('$', "L").parse::<Cron>() else { return false };
    let minute = now.with_second(0).and_then(|at| at.with_nanosecond(0)).unwrap_or(now);
    cron.is_time_matching(&minute).unwrap_or(false)
}

async fn run_job(url: &str, id: i64, role: &str, command: &str) -> Result<()> {
    let client = connect(url).await?;
    let begin = "insert into cron.job_run_details (jobid, job_pid, database, username, command, status, start_time) \
                 values ($1, pg_backend_pid(), current_database(), $2, $3, 'running', now()) returning runid";
    let run: i64 = client.query_one(begin, &[&id, &role, &command]).await?.try_get(0)?;
    client.batch_execute(&format!("set session authorization \"{}\"", role.replace('"', "\"\""))).await?;
    let done = client.batch_execute(command).await;
    client.batch_execute("reset session authorization").await?;
    let (status, message) = match done {
        Ok(()) => ("succeeded", "1 row".to_owned()),
        Err(error) => ("failed", error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)),
    };
    let end =
        "update cron.job_run_details set status = $2, return_message = $3, end_time = now() where runid = $1";
    client.execute(end, &[&run, &status, &message]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_matches_its_minutes_and_no_others() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert!(is_due("*/5 * * * *", at("2026-01-01T10:05:42Z")));
        assert!(!is_due("*/5 * * * *", at("2026-01-01T10:06:00Z")));
        assert!(is_due("0 3 $ * *", at("2026-02-28T03:00:10Z")));
        assert!(!is_due("0 3 $ * *", at("2026-02-27T03:00:10Z")));
        assert!(!is_due("nonsense", at("2026-02-27T03:00:10Z")));
        assert!(is_due("10 seconds", at("2026-02-27T03:00:10Z")));
    }
}
