//! Runs a sync to its end and says how it went.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON read by name is null where there is nothing, it never panics"
)]

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

use crate::api::Caller;
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
    let mut run = {
        let mut look = || bar.show(records().saturating_sub(before));
        while_looking(world.api.post("delta-sync", Caller::User(&person.token), wish), &mut look).await?
    };
    let id = text(&run["syncHistoryId"]).to_owned();
    let mut calls = 1_u64;
    if run["status"] == "running" {
        let caller = Caller::Secret(&world.keys.secret_key);
        let mut moved = (Instant::now(), 0);
        while run["status"] == "running" {
            let mut look = || bar.show(records().saturating_sub(before));
            let drained = while_looking(world.api.post("queue-drain", caller, &json!({})), &mut look).await?;
            calls = calls.saturating_add(1);
            if drained["claimed"] == 0 {
                // A job waits for its time, or the database's clock has it.
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            let path = format!("sync-history?id={id}");
            run = world.api.get(&path, Caller::User(&person.token)).await?["run"].take();
            let done = run["itemsProcessed"].as_u64().unwrap_or(0).max(records());
            if done != moved.1 {
                moved = (Instant::now(), done);
            } else if moved.0.elapsed() > PATIENCE {
                bail!("run {id} does not go on: {run}");
            }
        }
    }
    bar.clear();
    let mut outcome = Outcome::of(&run, begun.elapsed());
    outcome.calls = calls;
    let (statements_now, requests_now) = world.counts();
    outcome.statements = statements_now.saturating_sub(statements);
    outcome.requests = requests_now.saturating_sub(requests);
    if outcome.status != "completed" || outcome.failed > 0 {
        complain(world, person, &id).await?;
    }
    Ok(outcome)
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
