//! The leaky bucket of points, one for each app and shop.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// A bucket that empties at a steady rate.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) capacity: f64,
    /// Points restored per second.
    pub(crate) rate: f64,
    available: f64,
    at: DateTime<Utc>,
    /// Requests that were refused.
    pub(crate) refused: u64,
}

impl Bucket {
    pub(crate) fn new(capacity: f64, rate: f64, now: DateTime<Utc>) -> Self {
        Self { capacity, rate, available: capacity, at: now, refused: 0 }
    }

    /// Sets size and rate and fills it up.
    pub(crate) fn resize(&mut self, capacity: f64, rate: f64, now: DateTime<Utc>) {
        *self = Self { refused: self.refused, ..Self::new(capacity, rate, now) };
    }

    /// Restores what has come back since the last look. A clock that went backwards restores nothing.
    pub(crate) fn restore(&mut self, now: DateTime<Utc>) {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a test fit")]
        let seconds = (now - self.at).num_milliseconds().max(0) as f64 / 1_000.0;
        self.available = (self.available + seconds * self.rate).min(self.capacity);
        self.at = now;
    }

    /// Whether a request of this cost may run now; counts it if not.
    pub(crate) fn affords(&mut self, cost: f64) -> bool {
        let affords = cost <= self.available;
        self.refused += u64::from(!affords);
        affords
    }

    pub(crate) fn take(&mut self, cost: f64) {
        self.available = (self.available - cost).max(0.0);
    }

    pub(crate) fn drain(&mut self) {
        self.available = 0.0;
    }

    /// `throttleStatus`, as every answer has it.
    pub(crate) fn status(&self) -> Value {
        #[expect(clippy::cast_possible_truncation, reason = "a bucket holds thousands of points")]
        let available = self.available.floor() as i64;
        json!({ "maximumAvailable": self.capacity, "currentlyAvailable": available, "restoreRate": self.rate })
    }
}
