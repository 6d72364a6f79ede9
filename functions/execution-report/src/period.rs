//! The time that a report is about.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use edge::Problem;

/// How long it is when nobody says.
const USUAL: TimeDelta = TimeDelta::days(7);
/// How long it may be: a leap year.
const LONGEST: TimeDelta = TimeDelta::days(366);
/// No execution began before: 1 January 2000.
const EARLIEST: i64 = 946_684_800;

/// From then on, and up to but without that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    /// When it begins.
    pub(crate) from: DateTime<Utc>,
    /// When it ends.
    pub(crate) to: DateTime<Utc>,
}

impl Period {
    /// What was asked for, up to now and the seven days before where nothing was said.
    pub(crate) fn of(
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Self, Problem> {
        // The tables know microseconds; an end between two of them would not come back from a cursor.
        let to = to.unwrap_or(now).trunc_subsecs(6);
        let farthest = now.checked_add_signed(LONGEST).unwrap_or(now);
        if to.timestamp() < EARLIEST || to > farthest {
            return Err(Problem::invalid("/to", "This lies after 1999 and at most a year ahead."));
        }
        let usual = to.checked_sub_signed(USUAL).unwrap_or(to);
        let from = from.unwrap_or(usual).trunc_subsecs(6);
        let length = to.signed_duration_since(from);
        if length <= TimeDelta::zero() || length > LONGEST {
            return Err(Problem::invalid("/from", "This lies before `to`, by at most 366 days."));
        }
        Ok(Self { from, to })
    }

    /// When the period of the same length before this one begins.
    pub(crate) fn before(self) -> DateTime<Utc> {
        let length = self.to.signed_duration_since(self.from);
        self.from.checked_sub_signed(length).unwrap_or(self.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn without_a_word_it_is_the_last_seven_days() {
        let now = at("2026-03-10T12:00:00.123456789Z");
        let period = Period::of(None, None, now).unwrap();
        assert_eq!(period.to, at("2026-03-10T12:00:00.123456Z"));
        assert_eq!(period.from, at("2026-03-03T12:00:00.123456Z"));
        assert_eq!(period.before(), at("2026-02-24T12:00:00.123456Z"));
    }

    #[test]
    fn an_end_alone_is_that_of_seven_days() {
        let period = Period::of(None, Some(at("2026-01-08T00:00:00Z")), at("2026-03-10T00:00:00Z")).unwrap();
        assert_eq!(period.from, at("2026-01-01T00:00:00Z"));
    }

    #[test]
    fn a_period_ends_behind_its_beginning_and_within_366_days() {
        let now = at("2026-12-31T00:00:00Z");
        let of = |from: &str, to: &str| Period::of(Some(at(from)), Some(at(to)), now);
        assert!(of("2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z").is_ok(), "a leap year");
        for (from, to) in [
            ("2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z"),
            ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
            ("2025-01-01T00:00:00Z", "2026-01-03T00:00:00Z"),
            ("2029-01-01T00:00:00Z", "2029-01-02T00:00:00Z"),
            ("1999-01-01T00:00:00Z", "1999-02-01T00:00:00Z"),
            ("-262143-01-01T00:00:00Z", "+262142-12-31T00:00:00Z"),
        ] {
            assert!(of(from, to).is_err(), "{from} {to}");
        }
    }
}
