//! How much an account may be asked: in ten seconds, of searches in one second, and in a day.

use std::collections::VecDeque;

use chrono::{DateTime, Duration, Utc};

use super::problem::Problem;
use crate::web::Reply;

/// What a private app of a Professional account may ask in ten seconds.
const IN_A_WINDOW: usize = 190;
const WINDOW: Duration = Duration::seconds(10);
/// Searches in a second.
const SEARCHES: usize = 5;
/// Requests in a day.
const IN_A_DAY: u64 = 625_000;

/// The counts.
#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) in_a_window: usize,
    pub(crate) searches: usize,
    pub(crate) left_today: u64,
    recent: VecDeque<DateTime<Utc>>,
    recent_searches: VecDeque<DateTime<Utc>>,
    /// Requests that were refused.
    pub(crate) refused: u64,
}

impl Limits {
    pub(crate) fn new() -> Self {
        Self {
            in_a_window: IN_A_WINDOW,
            searches: SEARCHES,
            left_today: IN_A_DAY,
            recent: VecDeque::new(),
            recent_searches: VecDeque::new(),
            refused: 0,
        }
    }

    /// Counts a request, or refuses it.
    pub(crate) fn take(&mut self, now: DateTime<Utc>, is_search: bool) -> Result<(), Problem> {
        forget(&mut self.recent, now, WINDOW);
        forget(&mut self.recent_searches, now, Duration::seconds(1));
        let refusal = if self.left_today == 0 {
            Some(Problem::throttled("DAILY", "daily"))
        } else if is_search && self.recent_searches.len() >= self.searches {
            Some(Problem::throttled("SECONDLY", "secondly"))
        } else if self.recent.len() >= self.in_a_window {
            Some(Problem::throttled("TEN_SECONDLY_ROLLING", "ten_secondly_rolling"))
        } else {
            None
        };
        if let Some(problem) = refusal {
            self.refused += 1;
            return Err(problem);
        }
        self.left_today -= 1;
        self.recent.push_back(now);
        if is_search {
            self.recent_searches.push_back(now);
        }
        Ok(())
    }

    /// Says in headers what is left. Searches say nothing.
    pub(crate) fn tell(&self, reply: Reply) -> Reply {
        let left = self.in_a_window.saturating_sub(self.recent.len());
        reply
            .with("x-hubspot-ratelimit-max", self.in_a_window.to_string())
            .with("x-hubspot-ratelimit-remaining", left.to_string())
            .with("x-hubspot-ratelimit-interval-milliseconds", WINDOW.num_milliseconds().to_string())
            .with("x-hubspot-ratelimit-daily", IN_A_DAY.to_string())
            .with("x-hubspot-ratelimit-daily-remaining", self.left_today.to_string())
    }
}

/// Forgets what is no longer within the window; a clock that went backwards forgets everything.
fn forget(times: &mut VecDeque<DateTime<Utc>>, now: DateTime<Utc>, window: Duration) {
    times.retain(|time| *time <= now && now - *time < window);
}
