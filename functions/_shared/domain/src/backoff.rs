//! How long to wait before the next attempt.

use std::time::Duration;

/// When a failed request is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Attempts after the first one, 0 to 10.
    pub retries: u32,
    /// The upper bound of the first wait.
    pub base: Duration,
    /// The upper bound of any wait.
    pub cap: Duration,
}

impl Default for Backoff {
    /// Three retries: up to 0.5 s, 1 s and 2 s.
    fn default() -> Self {
        Self { retries: 3, base: Duration::from_millis(500), cap: Duration::from_mins(1) }
    }
}

impl Backoff {
    /// The wait before retry number `retry` (1 is the first); `None` when there are no more.
    ///
    /// Full jitter: anything between nothing and `base · 2^(retry − 1)`, but never less than the platform asked for,
    /// and then up to a fifth more, so that a crowd that was told the same time does not come back as a crowd.
    /// `chance` is a random number from 0 up to, not including, 1.
    pub fn wait(&self, retry: u32, asked: Option<Duration>, chance: f64) -> Option<Duration> {
        if retry == 0 || retry > self.retries.min(10) {
            return None;
        }
        let chance = chance.clamp(0.0, 1.0);
        let ceiling = self.base.saturating_mul(1 << retry.saturating_sub(1).min(10)).min(self.cap);
        let jittered = ceiling.mul_f64(chance);
        Some(match asked {
            Some(asked) => jittered.max(asked.saturating_add(asked.mul_f64(chance / 5.0))),
            None => jittered,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn after_the_last_retry_there_is_no_wait() {
        let backoff = Backoff::default();
        assert!(backoff.wait(3, None, 0.5).is_some());
        assert_eq!(backoff.wait(4, None, 0.5), None);
        assert_eq!(backoff.wait(0, None, 0.5), None);
    }

    #[test]
    fn each_wait_may_be_twice_as_long_as_the_one_before() {
        let (base, cap) = (Duration::from_secs(1), Duration::from_secs(6));
        let backoff = Backoff { retries: 5, base, cap };
        let longest = [1, 2, 3, 4].map(|retry| backoff.wait(retry, None, 1.0).unwrap().as_secs());
        assert_eq!(longest, [1, 2, 4, 6]);
    }

    proptest! {
        #![proptest_config(crate::testing::cases(100_000))]

        #[test]
        fn never_earlier_than_asked_and_never_beyond_the_cap(
            retry in 1u32..=10, asked in proptest::option::of(0u64..600), chance in 0.0f64..1.0,
        ) {
            let backoff = Backoff { retries: 10, ..Backoff::default() };
            let asked = asked.map(Duration::from_secs);
            let wait = backoff.wait(retry, asked, chance).unwrap();
            prop_assert!(wait >= asked.unwrap_or_default());
            prop_assert!(wait <= backoff.cap.max(asked.unwrap_or_default().mul_f64(1.2)));
        }

        #[test]
        fn no_attempt_number_overflows(retry in any::<u32>(), chance in any::<f64>()) {
            let backoff = Backoff { retries: u32::MAX, base: Duration::MAX, cap: Duration::MAX };
            if !chance.is_nan() {
                let _ = Backoff { cap: Duration::from_hours(1), ..backoff }.wait(retry, None, chance);
            }
        }
    }
}
