//! The brake on syncs that feed each other.
//!
//! Two syncs in a circle fall silent by themselves, because what comes back equals its base. Two that contradict each
//! other (one adds an exclamation mark, the other carries it back) would write for ever, and so would a sync against an
//! automation of its own target. Both show in the same way: what we write about came at once after what we wrote. People
//! and shops change records often, but not ten times in a row within the same minute as we did.

use chrono::{DateTime, TimeDelta, Utc};

/// How many answers in a row may be written before the link is held and its owner told.
pub const MAX_HOPS: u32 = 10;
/// How soon after our write a change is taken for an answer to it. Above the time between a platform's commit and our
/// note of it, and the difference of two clocks.
const AT_ONCE: TimeDelta = TimeDelta::seconds(60);

/// Whether a change made at this time answered a write of ours made at that one.
pub fn is_answer(changed_at: Option<DateTime<Utc>>, wrote_at: Option<DateTime<Utc>>) -> bool {
    changed_at
        .zip(wrote_at)
        .is_some_and(|(changed, wrote)| changed.signed_duration_since(wrote).abs() <= AT_ONCE)
}

/// The count of a link that is written once more.
#[must_use]
pub const fn after(hops: u32, answers: bool) -> u32 {
    if answers { hops.saturating_add(1) } else { 0 }
}

/// Whether the link has to be held.
pub const fn is_too_many(hops: u32) -> bool {
    hops > MAX_HOPS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(seconds, 0)
    }

    #[test]
    fn only_what_comes_at_once_is_an_answer() {
        assert!(is_answer(at(160), at(100)) && is_answer(at(40), at(100)), "clocks differ");
        assert!(!is_answer(at(161), at(100)) && !is_answer(at(39), at(100)));
        assert!(!is_answer(None, at(100)) && !is_answer(at(100), None), "who does not know does not accuse");
    }

    #[test]
    fn ten_answers_in_a_row_are_written_and_the_next_is_held_unless_one_change_came_by_itself() {
        let ten = (0..10).fold(0, |hops, _| after(hops, true));
        assert!(!is_too_many(ten) && is_too_many(after(ten, true)));
        assert!(!is_too_many(after(after(ten, false), true)));
    }
}
