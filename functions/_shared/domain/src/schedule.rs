//! When something is due: five cron fields, meant in a time zone, perhaps only in certain hours.
//!
//! # Where the clocks change
//! As in the cron of Unix. A schedule whose minute and hour are fixed (`30 2 * * *`) has one slot a day: where the clocks
//! skip it, it comes at the moment of the jump; where they show it twice, it comes the first time. A schedule that
//! repeats within the day (`*/15 * * * *`, its minute or hour begins with a star) follows real time: its slots are
//! neither made up where the clocks skip an hour nor left out where an hour comes twice.
//!
//! # What was missed
//! Slots that nobody followed are one: the latest of them runs once.

mod coalesce;
mod window;

pub use coalesce::Burst;
pub use window::{BadWindow, Window};

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// The most that clocks are changed by at once, except where a whole day is skipped.
const MOST_SHIFT: TimeDelta = TimeDelta::hours(3);
/// How many slots are looked at for one inside the windows, before there is taken to be none.
const MOST_TRIES: usize = 2_000;

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

/// A schedule as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Written {
    /// Five cron fields.
    pub cron: String,
    /// A time zone of the IANA database; UTC where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Only in these hours, when people work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_hours: Option<Window>,
    /// Only in these hours, when nobody minds the load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off_peak: Option<Window>,
}

/// A schedule that was read.
#[derive(Debug, Clone)]
pub struct Schedule {
    cron: Cron,
    /// Whether its minute and hour are fixed.
    is_fixed: bool,
    zone: Tz,
    windows: Vec<Window>,
}

/// The latest slot of a schedule that has come since `last`, if one has. Slots that were missed in between are one.
/// Only while all windows are open, and only for slots inside them. Without a schedule every open minute is a slot.
///
/// `last` is when it was followed before (`None`: never, then it is due as soon as the windows allow).
pub fn due(
    schedule: Option<&str>,
    (time_zone, windows): (&str, &[Window]),
    last: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, BadSchedule> {
    Ok(Schedule::read(schedule.unwrap_or("* * * * *"), time_zone, windows.to_vec())?.due(last, now))
}

impl Written {
    /// Reads it.
    pub fn read(&self) -> Result<Schedule, BadSchedule> {
        let windows = self.business_hours.iter().chain(&self.off_peak).cloned().collect();
        Schedule::read(&self.cron, self.time_zone.as_deref().unwrap_or("UTC"), windows)
    }
}

impl Schedule {
    /// Reads five cron fields, meant in this zone, inside all of these windows.
    pub fn read(cron: &str, time_zone: &str, windows: Vec<Window>) -> Result<Self, BadSchedule> {
        let zone = Tz::from_str(time_zone).map_err(|_| BadSchedule::TimeZone(time_zone.to_owned()))?;
        let bad = |_| BadSchedule::Cron(cron.to_owned());
        let parsed = CronParser::builder().seconds(Seconds::Disallowed).build().parse(cron).map_err(bad)?;
        let is_fixed = cron.split_whitespace().take(2).all(|field| !field.starts_with('*'));
        Ok(Self { cron: parsed, is_fixed, zone, windows })
    }

    /// The latest slot that has come since `last`, if one has and now is a time to follow it.
    ///
    /// `last` is when it was followed before (`None`: never, then it is due as soon as the windows allow).
    pub fn due(&self, last: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if !self.allows(now) {
            return None;
        }
        match last {
            None => Some(now),
            Some(last) => self.latest_allowed(last, now),
        }
    }

    /// Whether all windows are open at this time.
    pub fn allows(&self, time: DateTime<Utc>) -> bool {
        let local = time.with_timezone(&self.zone).naive_local();
        self.windows.iter().all(|window| window.is_open(local))
    }

    /// The latest slot at or before `now`, and after `last`, that lies inside the windows.
    fn latest_allowed(&self, last: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut until = now;
        for _ in 0..MOST_TRIES {
            let slot = self.latest(until).filter(|slot| *slot > last)?;
            if self.allows(slot) {
                return Some(slot);
            }
            // Straight to where the windows were open, not slot by slot.
            let local = slot.with_timezone(&self.zone).naive_local();
            let closed = self.windows.iter().filter(|window| !window.is_open(local));
            let open = closed.filter_map(|window| window.last_open(local)).min()?;
            let earlier = slot.checked_sub_signed(TimeDelta::minutes(1))?;
            // An hour more, because the clocks may have changed in between; the slots there are looked at again.
            let guess = self.instants(open).max().and_then(|time| time.checked_add_signed(MOST_SHIFT));
            until = guess.map_or(earlier, |guess| guess.min(earlier));
        }
        None
    }

    /// The latest slot at or before `now`, whatever the windows.
    pub fn latest(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let wall = self.wall(now);
        let before = now.checked_sub_signed(MOST_SHIFT)?;
        let moved = self.wall(before) != wall.checked_sub_signed(MOST_SHIFT)?;
        let mut best: Option<DateTime<Utc>> = None;
        let mut from = if moved { wall.checked_add_signed(MOST_SHIFT)? } else { wall };
        let last = wall.checked_sub_signed(MOST_SHIFT)?;
        loop {
            let slot = self.cron.find_previous_occurrence(&from.and_utc(), true).ok()?.naive_utc();
            let times = self.times(slot).filter(|time| *time <= now).max();
            best = best.max(times);
            // Around a change of the clocks, an earlier time on the wall may be a later one in fact.
            if best.is_some() && (!moved || slot < last) {
                return best;
            }
            from = slot.checked_sub_signed(TimeDelta::minutes(1))?;
        }
    }

    /// The next slot after `now`, whatever the windows.
    pub fn next(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut from = self.wall(now).checked_sub_signed(MOST_SHIFT)?;
        let mut best: Option<DateTime<Utc>> = None;
        loop {
            let slot = self.cron.find_next_occurrence(&from.and_utc(), true).ok()?.naive_utc();
            for time in self.times(slot).filter(|time| *time > now) {
                best = Some(best.map_or(time, |best| best.min(time)));
            }
            let enough = best.is_some_and(|best| {
                self.wall(best).checked_add_signed(MOST_SHIFT).is_none_or(|enough| slot > enough)
            });
            if enough {
                return best;
            }
            from = slot.checked_add_signed(TimeDelta::minutes(1))?;
        }
    }

    /// What the clocks on the wall show.
    fn wall(&self, time: DateTime<Utc>) -> NaiveDateTime {
        time.with_timezone(&self.zone).naive_local()
    }

    /// When a slot on the wall comes in fact.
    fn times(&self, slot: NaiveDateTime) -> impl Iterator<Item = DateTime<Utc>> {
        let (first, second) = match self.zone.from_local_datetime(&slot) {
            LocalResult::Single(time) => (Some(time.to_utc()), None),
            LocalResult::Ambiguous(first, _) if self.is_fixed => (Some(first.to_utc()), None),
            LocalResult::Ambiguous(first, second) => (Some(first.to_utc()), Some(second.to_utc())),
            LocalResult::None if self.is_fixed => (self.after_the_gap(slot), None),
            LocalResult::None => (None, None),
        };
        first.into_iter().chain(second)
    }

    /// Every time at which the wall shows this; the end of the gap where it never does.
    fn instants(&self, wall: NaiveDateTime) -> impl Iterator<Item = DateTime<Utc>> {
        let (first, second) = match self.zone.from_local_datetime(&wall) {
            LocalResult::Single(time) => (Some(time.to_utc()), None),
            LocalResult::Ambiguous(first, second) => (Some(first.to_utc()), Some(second.to_utc())),
            LocalResult::None => (self.after_the_gap(wall), None),
        };
        first.into_iter().chain(second)
    }

    /// The moment at which the clocks jumped over this time.
    fn after_the_gap(&self, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        // A gap is at most a day: an island may move to the other side of the date line.
        (1..=1_500).find_map(|minutes| {
            let later = wall.checked_add_signed(TimeDelta::minutes(minutes))?;
            self.zone.from_local_datetime(&later).earliest().map(|time| time.to_utc())
        })
    }
}

#[cfg(test)]
mod tests;
