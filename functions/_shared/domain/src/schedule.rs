//! When something is due: five cron fields, meant in a time zone.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds};
use std::str::FromStr;

/// A schedule that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSchedule {
    /// Not five cron fields.
    #[error("`{0}` is not a schedule of five cron fields")]
    Cron(String),
    /// No time zone of the IANA database.
    #[error("`{0}` is not a time zone")]
    TimeZone(String),
}

/// The latest slot of a schedule that has come since `last`, if one has. Slots that were missed in between are one.
///
/// `last` is when it was followed before (`None`: never, then it is due at once). A slot that the clock skips in spring
/// comes at the moment of the jump; one that it repeats in autumn comes once.
pub fn due(
    schedule: &str,
    time_zone: &str,
    last: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, BadSchedule> {
    let zone = Tz::from_str(time_zone).map_err(|_| BadSchedule::TimeZone(time_zone.to_owned()))?;
    let bad = || BadSchedule::Cron(schedule.to_owned());
    let cron =
        CronParser::builder().seconds(Seconds::Disallowed).build().parse(schedule).map_err(|_| bad())?;
    let Some(last) = last else { return Ok(Some(now)) };
    let slot = cron
        .find_previous_occurrence(&now.with_timezone(&zone), true)
        .map_err(|_| bad())?
        .with_timezone(&Utc);
    Ok((slot > last).then_some(slot))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_slot_is_due_once() {
        let due = |last: &str, now: &str| super::due("7 * * * *", "UTC", Some(at(last)), at(now)).unwrap();
        assert_eq!(due("2026-01-01T10:00:00Z", "2026-01-01T10:06:59Z"), None);
        assert_eq!(due("2026-01-01T10:00:00Z", "2026-01-01T10:07:00Z"), Some(at("2026-01-01T10:07:00Z")));
        assert_eq!(due("2026-01-01T10:07:00Z", "2026-01-01T10:30:00Z"), None);
        assert_eq!(due("2026-01-01T10:07:00Z", "2026-01-01T14:30:00Z"), Some(at("2026-01-01T14:07:00Z")));
    }

    #[test]
    fn a_schedule_is_meant_where_its_people_live() {
        let noon =
            due("0 12 * * *", "Europe/Berlin", Some(at("2026-06-30T12:00:00Z")), at("2026-07-01T10:30:00Z"));
        assert_eq!(noon, Ok(Some(at("2026-07-01T10:00:00Z"))));
    }

    #[test]
    fn what_was_never_followed_is_due_now() {
        let now = at("2026-01-01T10:00:00Z");
        assert_eq!(due("0 0 1 1 *", "UTC", None, now), Ok(Some(now)));
    }

    #[test]
    fn a_schedule_that_cannot_be_read_is_told_apart_from_a_time_zone() {
        let now = at("2026-01-01T10:00:00Z");
        for schedule in ["", "x", "* * * *", "0 0 0 0 0 0", "61 * * * *"] {
            assert!(matches!(due(schedule, "UTC", None, now), Err(BadSchedule::Cron(_))), "{schedule}");
        }
        assert!(matches!(due("* * * * *", "Mars/Olympus", None, now), Err(BadSchedule::TimeZone(_))));
    }
}
