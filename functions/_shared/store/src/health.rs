//! How our own part is doing, and the tidying up.

use crate::db::sql;
use crate::{Db, Result};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How our own part is doing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Health {
    /// The database's time.
    pub time: DateTime<Utc>,
    /// The queue.
    pub queue: QueueHealth,
    /// When the clock last ticked.
    pub last_tick_at: Option<DateTime<Utc>>,
    /// The runs.
    pub runs: RunHealth,
    /// How many of the next three months have their partition. 0 is an emergency on the last of the month.
    pub partitions_ahead: u64,
    /// The accounts.
    pub integrations: IntegrationHealth,
    /// Accounts whose platform only failed lately.
    pub breakers_open: u64,
}

/// The queue. Counts stop at 10,000.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct QueueHealth {
    /// Jobs that wait, due or not.
    pub waiting: u64,
    /// Jobs that somebody has.
    pub leased: u64,
    /// Jobs that need a person.
    pub dead: u64,
    /// For how long the oldest due job has been due; `None`: nothing is due.
    pub oldest_due_seconds: Option<u64>,
}

/// The runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunHealth {
    /// At work, or waiting to be continued.
    pub running: u64,
    /// Among them, those without a sign of life for 15 minutes.
    pub stuck: u64,
}

/// The accounts, by their state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IntegrationHealth {
    /// In use.
    pub active: u64,
    /// Switched off.
    pub inactive: u64,
    /// Their credential was refused.
    pub error: u64,
}

/// How long things are kept. `None`: the default of `sync.prune`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Keep {
    /// Months of events are dropped whole, this many days after their end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_days: Option<i32>,
    /// Jobs that were done or cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_days: Option<i32>,
    /// Jobs that died.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_job_days: Option<i32>,
    /// Messages of platforms, by which one that comes again is recognised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_days: Option<i32>,
}

/// What was dropped and made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pruned {
    /// Partitions made for months to come.
    pub partitions_made: u64,
    /// Partitions dropped, by name.
    pub partitions_dropped: Vec<String>,
    /// Jobs deleted.
    pub jobs: u64,
    /// Empty groups deleted.
    pub groups: u64,
    /// Idempotency keys deleted.
    pub keys: u64,
    /// Traces of which run used which credential; the audit keeps its own.
    pub uses: u64,
    /// Messages of platforms deleted.
    pub webhooks: u64,
}

/// What monitoring wants to know of syncs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Metrics {
    /// Sums over all runs that have ended. They only grow.
    pub totals: Vec<RunTotals>,
    /// How far syncs lag, by what they connect.
    pub lags: Vec<Lag>,
    /// Conflicts that wait for a person. Stops at 10,000.
    pub conflicts_open: u64,
    /// Records that fail. Stops at 10,000.
    pub issues_open: u64,
}

/// Sums over the ended runs that were begun for the same and ended the same way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunTotals {
    /// The platform that is read; empty for runs that read an n8n server.
    pub source: String,
    /// The platform that is written; empty for those as well.
    pub target: String,
    /// The kind of item; empty for those as well.
    pub item_type: String,
    /// What they were begun for.
    pub sync_type: String,
    /// How they ended.
    pub status: String,
    /// How many they are.
    pub runs: u64,
    /// Records they created.
    pub created: u64,
    /// Records they updated.
    pub updated: u64,
    /// Records they found equal.
    pub unchanged: u64,
    /// Records they were to leave alone.
    pub skipped: u64,
    /// Records they deleted.
    pub deleted: u64,
    /// Records that failed.
    pub failed: u64,
    /// Records that both sides had changed.
    pub conflicted: u64,
    /// Records held for a person.
    pub held: u64,
    /// Requests they sent to platforms.
    pub platform_requests: u64,
    /// How long they took in all, in seconds.
    pub seconds: f64,
    /// How many took at most [`RUN_SECONDS`], each counted in the first that it fits.
    pub within: Vec<u64>,
}

/// The classes of [`RunTotals::within`], in seconds.
pub const RUN_SECONDS: [f64; 6] = [1.0, 5.0, 30.0, 120.0, 600.0, 3600.0];

/// How far syncs lag.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Lag {
    /// The platform that is read; empty for runs that read an n8n server.
    pub source: String,
    /// The platform that is written; empty for those as well.
    pub target: String,
    /// The kind of item; empty for those as well.
    pub item_type: String,
    /// Of the one that lags most: the seconds since its last run that ended well began.
    pub seconds: u64,
}

/// How our own part is doing.
pub async fn check(db: &Db) -> Result<Health> {
    db.call(sql!("health/check"), &()).await
}

/// What monitoring wants to know of syncs.
pub async fn metrics(db: &Db) -> Result<Metrics> {
    db.call(sql!("health/metrics"), &()).await
}

/// Drops what has been kept long enough, and makes the partitions of the months to come.
pub async fn prune(db: &Db, keep: &Keep) -> Result<Pruned> {
    db.call(sql!("retention/prune"), keep).await
}
