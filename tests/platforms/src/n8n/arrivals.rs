//! How often the API is asked, by the machine's clock. n8n itself has no limit; who asks may have one.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_mins(1);

/// The requests of the last minute, and the most there ever were in one.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    recent: VecDeque<Instant>,
    pub(crate) most: usize,
}

impl Arrivals {
    /// Counts a request that comes now.
    pub(crate) fn count(&mut self) {
        self.count_at(Instant::now());
    }

    fn count_at(&mut self, now: Instant) {
        self.recent.retain(|then| now.saturating_duration_since(*then) < MINUTE);
        self.recent.push_back(now);
        self.most = self.most.max(self.recent.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_requests_of_any_minute_are_remembered() {
        let (start, mut arrivals) = (Instant::now(), Arrivals::default());
        for second in [0, 1, 2, 61, 70, 200] {
            arrivals.count_at(start + Duration::from_secs(second));
        }
        assert_eq!(arrivals.most, 3);
    }
}
