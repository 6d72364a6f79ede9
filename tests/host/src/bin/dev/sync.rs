//! Runs a sync to its end and says how it went.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON read by name is null where there is nothing, it never panics"
)]

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};
use tokio_postgres::Client;

use crate::api::{Caller, Refused};
use crate::bar::Bar;
use crate::session::{Person, text};
use crate::world::World;

/// How often the bar is drawn.
const FRAME: Duration = Duration::from_millis(200);
/// How long nothing may happen before we give up.
const PATIENCE: Duration = Duration::from_mins(2);
/// The errors that are shown.
const SHOWN: usize = 5;

/// How a run ended.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) status: String,
    pub(crate) processed: u64,
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) unchanged: u64,
    pub(crate) failed: u64,
    /// Items that are in conflict or wait for a person.
    pub(crate) open: u64,
    pub(crate) took: Duration,
    pub(crate) requests: u64,
    pub(crate) statements: u64,
    /// How often a function was called to bring the run to its end: `delta-sync`, then `queue-drain`.
    pub(crate) calls: u64,
    /// How many of them ran out of time before they could answer.
    pub(crate) cut: u64,
    /// How long the longest of them took.
    pub(crate) longest: Duration,
}

/// Sums over all runs.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    created: u64,
    updated: u64,
    failed: u64,
    took: Duration,
    requests: u64,
    statements: u64,
    bad: bool,
    /// How long after the start the first products were synced.
    first: Option<Duration>,
}

impl Totals {
    /// Adds a run that had so many items to look at.
    pub(crate) fn add(&mut self, items: usize, run: &Outcome) {
        self.created = self.created.saturating_add(run.created);
        self.updated = self.updated.saturating_add(run.updated);
        self.failed = self.failed.saturating_add(run.failed);
        self.took = self.took.saturating_add(run.took);
        self.requests = self.requests.saturating_add(run.requests);
        self.statements = self.statements.saturating_add(run.statements);
        // A run that did not look at its items is not a good one, whatever it says.
        let all = run.processed >= u64::try_from(items).unwrap_or(u64::MAX);
        self.bad |= run.status != "completed" || run.failed > 0 || !all;
    }

    /// Notes how long it took until there was something to see.
    pub(crate) fn first(&mut self, after: Duration) {
        self.first = Some(after);
    }

    /// Whether every run looked at all its items and none failed.
    pub(crate) fn good(&self) -> bool {
        !self.bad
    }

    /// The line of `--once`.
    pub(crate) fn line(&self) -> Value {
        json!({
            "itemsCreated": self.created, "itemsUpdated": self.updated, "itemsFailed": self.failed,
            "durationMs": millis(self.took), "platformRequests": self.requests, "statements": self.statements,
            "firstProductsMs": self.first.map(millis),
        })
    }
}

impl Outcome {
    /// The run in a sentence.
    pub(crate) fn text(&self) -> String {
        format!(
            "{}: {} items in {:.1} s: {} created, {} updated, {} unchanged, {} failed, {} open; \
             {} platform requests, {} statements",
            self.status,
            self.processed,
            self.took.as_secs_f64(),
            self.created,
            self.updated,
            self.unchanged,
            self.failed,
            self.open,
            self.requests,
            self.statements
        )
    }

    fn of(run: &Value, took: Duration) -> Self {
        let number = |name: &str| run[name].as_u64().unwrap_or(0);
        Self {
            status: text(&run["status"]).to_owned(),
            processed: number("itemsProcessed"),
            created: number("itemsCreated"),
            updated: number("itemsUpdated"),
            unchanged: number("itemsUnchanged"),
            failed: number("itemsFailed"),
            // `delta-sync` counts held items among the conflicted ones, `sync-history` apart.
            open: number("itemsConflicted").saturating_add(number("itemsHeld")),
            took,
            requests: 0,
            statements: 0,
            calls: 1,
            cut: 0,
            longest: Duration::ZERO,
        }
    }
}

/// Calls `delta-sync`, and works the queue while the run is not over. `records` counts what the platforms have, which
/// moves the bar between the points at which a run writes down how far it is.
///
/// # Errors
/// When a function refuses, or nothing happens any more.
pub(crate) async fn run(
    world: &World,
    person: &Person,
    wish: &Value,
    items: usize,
    records: impl Fn() -> u64,
) -> Result<Outcome> {
    let begun = Instant::now();
    let (statements, requests) = world.counts();
    let before = records();
    let mut bar = Bar::new(person.name.clone(), u64::try_from(items).unwrap_or(u64::MAX));
    let mut look = || bar.show(records().saturating_sub(before));
    let (mut calls, mut cut) = (1_u64, 0_u64);
    let answer = world.api.post("delta-sync", Caller::User(&person.token), wish);
    let answer = while_looking(answer, &mut look).await;
    let mut longest = begun.elapsed();
    let mut run = match answer {
        Ok(run) => run,
        Err(error) if Refused::is_cut_short(&error) => {
            cut = cut.saturating_add(1);
            newest(world, person).await?
        }
        Err(error) => return Err(error),
    };
    let id = text(&run["syncHistoryId"]).to_owned();
    let mut moved = (Instant::now(), 0);
    while run["status"] == "running" {
        while_looking(something_due(world), &mut look).await?;
        let called = Instant::now();
        let answer = while_looking(drain(world), &mut look).await;
        longest = longest.max(called.elapsed());
        match answer {
            Ok(()) => {}
            Err(error) if Refused::is_cut_short(&error) => cut = cut.saturating_add(1),
            Err(error) => return Err(error),
        }
        calls = calls.saturating_add(1);
        let path = format!("sync-history?id={id}");
        run = world.api.get(&path, Caller::User(&person.token)).await?["run"].take();
        let done = run["itemsProcessed"].as_u64().unwrap_or(0).max(records());
        if done != moved.1 {
            moved = (Instant::now(), done);
        } else if moved.0.elapsed() > PATIENCE {
            bail!("run {id} does not go on: {run}");
        }
    }
    bar.clear();
    let (statements_now, requests_now) = world.counts();
    let outcome = Outcome {
        calls,
        cut,
        longest,
        statements: statements_now.saturating_sub(statements),
        requests: requests_now.saturating_sub(requests),
        ..Outcome::of(&run, begun.elapsed())
    };
    if outcome.status != "completed" || outcome.failed > 0 {
        complain(world, person, &id).await?;
    }
    Ok(outcome)
}

/// The run that began last.
async fn newest(world: &World, person: &Person) -> Result<Value> {
    let mut page = world.api.get("sync-history?limit=1", Caller::User(&person.token)).await?;
    let mut run = page["data"][0].take();
    let id = run["id"].take();
    run["syncHistoryId"] = id;
    Ok(run)
}

/// Waits until something is due. To drain the queue earlier would cost statements that no clock would.
async fn something_due(world: &World) -> Result<()> {
    let begun = Instant::now();
    let admin = world.admin().await?;
    loop {
        match due_in(&admin).await? {
            Some(wait) if !wait.is_zero() && begun.elapsed() < PATIENCE => {
                tokio::time::sleep(wait.min(Duration::from_secs(1))).await;
            }
            _ => return Ok(()),
        }
    }
}

/// Works the queue once.
async fn drain(world: &World) -> Result<()> {
    world.api.post("queue-drain", Caller::Secret(&world.keys.secret_key), &json!({})).await.map(drop)
}

/// How long until the first job is due; `None` when there is none.
async fn due_in(admin: &Client) -> Result<Option<Duration>> {
    let ask = "select extract(epoch from min(greatest(q.due_at, g.busy_until)) - clock_timestamp())::float8 \
               from sync.sync_queue as q join sync.queue_groups as g using (group_key) \
               where q.state in ('pending', 'retry', 'leased')";
    let seconds: Option<f64> = admin.query_one(ask, &[]).await?.try_get(0)?;
    Ok(seconds.map(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(PATIENCE)))
}

/// Waits for an answer and looks around every now and then.
async fn while_looking<T>(answer: impl Future<Output = Result<T>>, look: &mut dyn FnMut()) -> Result<T> {
    let mut answer = std::pin::pin!(answer);
    let mut clock = interval(FRAME);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            done = &mut answer => return done,
            _ = clock.tick() => look(),
        }
    }
}

/// Prints what the history says of a run that did not go well.
async fn complain(world: &World, person: &Person, id: &str) -> Result<()> {
    let detail = world.api.get(&format!("sync-history?id={id}"), Caller::User(&person.token)).await?;
    eprintln!(
        "{}: run {id} ended as {}: {}",
        person.name,
        text(&detail["run"]["status"]),
        detail["run"]["metadata"]
    );
    let events = detail["events"].as_array();
    let failed = events.into_iter().flatten().filter(|event| !event["error"].is_null());
    for event in failed.take(SHOWN) {
        eprintln!("  {}: {}", text(&event["sourceId"]), text(&event["error"]));
    }
    Ok(())
}

pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
