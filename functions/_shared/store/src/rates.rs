//! How much of a platform may be used now, shared by everything that talks to it.

use crate::db::sql;
use crate::{Db, Result};
use domain::IntegrationId;
use serde::{Deserialize, Serialize};

/// Asks to send requests.
#[derive(Debug, Clone, Serialize)]
pub struct Admit {
    /// The account.
    pub integration_id: IntegrationId,
    /// How many requests would be welcome.
    pub requests: i64,
    /// What each of them costs, where the platform counts in points; else 1.
    pub cost: i64,
    /// The platform's points, as its newest reply has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<Points>,
}

/// A platform's cost points.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Points {
    /// What is there now.
    pub points: f64,
    /// How many there can be.
    pub capacity: f64,
    /// How many come back per second.
    pub per_second: f64,
}

/// Whether requests may be sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Admission {
    /// How many may, at most as many as were asked for; their tokens are taken.
    pub granted: i64,
    /// If none: how long to wait before asking again, in milliseconds.
    pub wait_ms: u64,
    /// What the breaker says.
    pub breaker: Breaker,
    /// Syncs at work with this account now.
    pub sharers: usize,
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
    /// Requests that were granted and not sent: others may have them.
    pub unused_requests: i64,
    /// The points that those would have cost.
    pub unused_points: i64,
    /// The platform's points, as its newest reply has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<Points>,
}

/// What became of the breaker.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Reported {
    /// The account.
    pub integration_id: IntegrationId,
    /// How it stands.
    pub breaker: Breaker,
    /// It opened just now.
    pub opened: bool,
}

/// Asks to send requests. [`crate::Error::Missing`] if the account does not exist.
pub async fn admit(db: &Db, input: &Admit) -> Result<Admission> {
    db.call(sql!("rates/admit"), input).await
}

/// Tells how requests ended, of one account each, and gives back what was not needed.
pub async fn report(db: &Db, reports: &[Report]) -> Result<Vec<Reported>> {
    #[derive(Serialize)]
    struct Input<'a> {
        reports: &'a [Report],
    }
    #[derive(Deserialize)]
    struct Answer {
        accounts: Vec<Reported>,
    }
    Ok(db.call::<_, Answer>(sql!("rates/report"), &Input { reports }).await?.accounts)
}
