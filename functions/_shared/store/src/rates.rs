//! How much of a platform may be used now, shared by everything that talks to it.

use crate::db::sql;
use crate::{Db, Result};
use domain::IntegrationId;
use serde::{Deserialize, Serialize};

/// Asks to send a batch of requests.
#[derive(Debug, Clone, Serialize)]
pub struct Admit {
    /// The account.
    pub integration_id: IntegrationId,
    /// How many requests.
    pub requests: i64,
    /// Their estimated cost, where the platform counts in points; else 0.
    pub points: i64,
}

/// Whether the batch may be sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Admission {
    /// It may, and its tokens are taken.
    pub granted: bool,
    /// Else: how long to wait before asking again, in milliseconds.
    pub wait_ms: u64,
    /// What the breaker says.
    pub breaker: Breaker,
}

/// Whether a platform is worth asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breaker {
    /// Everything is well.
    Closed,
    /// It only failed lately: nobody asks.
    Open,
    /// It only failed lately: if granted, this caller alone tries, with a single request.
    Probe,
}

/// How a batch of requests ended, and what the answers said of the platform's limits.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The account.
    pub integration_id: IntegrationId,
    /// Requests that the platform answered, whatever it thought of them.
    pub successes: i64,
    /// Requests that it did not answer, or with a failure of its own (5xx).
    pub failures: i64,
    /// The platform's `Retry-After`, in milliseconds: nothing is sent before, by anybody.
    pub retry_after_ms: Option<i64>,
    /// What is left of this minute, where an answer said so. Only ever lowers our own count.
    pub minute_left: Option<i64>,
    /// Cost points: what is there now, how many there can be, how many come back per second.
    pub points: Option<f64>,
    /// How many points there can be.
    pub points_capacity: Option<f64>,
    /// How many points come back per second.
    pub points_per_second: Option<f64>,
}

/// What became of the breaker.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Reported {
    /// How it stands.
    pub breaker: Breaker,
    /// It opened just now.
    pub opened: bool,
}

/// Asks to send a batch of requests. [`crate::Error::Missing`] if the account does not exist.
pub async fn admit(db: &Db, input: &Admit) -> Result<Admission> {
    db.call(sql!("rates/admit"), input).await
}

/// Tells how a batch of requests ended.
pub async fn report(db: &Db, input: &Report) -> Result<Reported> {
    db.call(sql!("rates/report"), input).await
}
