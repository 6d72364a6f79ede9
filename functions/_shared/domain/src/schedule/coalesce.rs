//! Many events, one job.

use chrono::{DateTime, TimeDelta, Utc};

/// Events about one record that come one after the other, and when the one job for all of them is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burst {
    /// When the first of them came.
    pub first: DateTime<Utc>,
    /// When the job is due.
    pub due: DateTime<Utc>,
}

impl Burst {
    /// An event that no job is waiting for.
    pub fn begin(now: DateTime<Utc>, quiet: TimeDelta) -> Self {
        Self { first: now, due: now.checked_add_signed(quiet).unwrap_or(now) }
    }

    /// Another event, while the job waits: it waits until nothing came for `quiet`, but never longer than `most` after
    /// the first event.
    #[must_use]
    pub fn add(self, now: DateTime<Utc>, quiet: TimeDelta, most: TimeDelta) -> Self {
        let (Some(calm), Some(end)) = (now.checked_add_signed(quiet), self.first.checked_add_signed(most))
        else {
            return self;
        };
        // The due time never goes back: clocks of two machines may differ.
        Self { first: self.first, due: calm.min(end).max(self.due) }
    }

    /// Whether the job is due.
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        now >= self.due
    }
}
