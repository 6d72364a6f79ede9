use super::*;
use crate::testing::{cases, dice};
use chrono::{Datelike, Offset, Timelike};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn a_slot_is_due_once() {
    let due =
        |last: &str, now: &str| super::due(Some("7 * * * *"), ("UTC", &[]), Some(at(last)), at(now)).unwrap();
    assert_eq!(due("2026-01-01T10:00:00Z", "2026-01-01T10:06:59Z"), None);
    assert_eq!(due("2026-01-01T10:00:00Z", "2026-01-01T10:07:00Z"), Some(at("2026-01-01T10:07:00Z")));
    assert_eq!(due("2026-01-01T10:07:00Z", "2026-01-01T10:30:00Z"), None);
    assert_eq!(due("2026-01-01T10:07:00Z", "2026-01-01T14:30:00Z"), Some(at("2026-01-01T14:07:00Z")));
}

#[test]
fn a_schedule_is_meant_where_its_people_live() {
    let noon = due(
        Some("0 12 * * *"),
        ("Europe/Berlin", &[]),
        Some(at("2026-06-30T12:00:00Z")),
        at("2026-07-01T10:30:00Z"),
    );
    assert_eq!(noon, Ok(Some(at("2026-07-01T10:00:00Z"))));
}

#[test]
fn what_was_never_followed_is_due_now() {
    let now = at("2026-01-01T10:00:00Z");
    assert_eq!(due(Some("0 0 1 1 *"), ("UTC", &[]), None, now), Ok(Some(now)));
}

#[test]
fn a_schedule_that_cannot_be_read_is_told_apart_from_a_time_zone() {
    let now = at("2026-01-01T10:00:00Z");
    for schedule in ["", "x", "* * * *", "0 0 0 0 0 0", "61 * * * *"] {
        assert!(
            matches!(due(Some(schedule), ("UTC", &[]), None, now), Err(BadSchedule::Cron(_))),
            "{schedule}"
        );
    }
    assert!(matches!(
        due(Some("* * * * *"), ("Mars/Olympus", &[]), None, now),
        Err(BadSchedule::TimeZone(_))
    ));
}

#[test]
fn where_the_clocks_change_a_daily_slot_comes_once_and_an_hourly_one_follows_real_time() {
    let latest = |cron: &str, now: &str| {
        Schedule::read(cron, "Europe/Berlin", Vec::new()).unwrap().latest(at(now)).unwrap()
    };
    // 02:30 does not exist on 29 March; the clocks jump at 01:00 UTC.
    assert_eq!(latest("30 2 * * *", "2026-03-29T12:00:00Z"), at("2026-03-29T01:00:00Z"));
    assert_eq!(latest("30 2 * * *", "2026-03-29T00:59:00Z"), at("2026-03-28T01:30:00Z"));
    // 02:30 comes twice on 25 October, at 00:30 and 01:30 UTC.
    assert_eq!(latest("30 2 * * *", "2026-10-25T12:00:00Z"), at("2026-10-25T00:30:00Z"));
    assert_eq!(latest("30 * * * *", "2026-10-25T01:10:00Z"), at("2026-10-25T00:30:00Z"));
    assert_eq!(latest("30 * * * *", "2026-10-25T01:30:00Z"), at("2026-10-25T01:30:00Z"));
    assert_eq!(latest("30 * * * *", "2026-03-29T01:29:00Z"), at("2026-03-29T00:30:00Z"));
}

fn hours(window: serde_json::Value) -> Window {
    serde_json::from_value(window).unwrap()
}

#[test]
fn a_slot_outside_business_hours_is_none() {
    let week = json!(["mon", "tue", "wed", "thu", "fri"]);
    let written: Written =
        serde_json::from_value(json!({"cron": "*/30 * * * *", "timeZone": "Europe/Berlin",
        "businessHours": {"days": week, "from": "09:00", "to": "17:00"}}))
        .unwrap();
    let schedule = written.read().unwrap();
    let due = |last: &str, now: &str| schedule.due(Some(at(last)), at(now));
    // Friday afternoon, the weekend, Monday morning.
    assert_eq!(due("2026-07-03T14:00:00Z", "2026-07-03T14:31:00Z"), Some(at("2026-07-03T14:30:00Z")));
    assert_eq!(due("2026-07-03T14:30:00Z", "2026-07-03T15:01:00Z"), None);
    assert_eq!(due("2026-07-03T14:30:00Z", "2026-07-06T06:59:00Z"), None);
    assert_eq!(due("2026-07-03T14:30:00Z", "2026-07-06T07:00:00Z"), Some(at("2026-07-06T07:00:00Z")));
    // Friday's last slot was missed: it is followed on Monday, before Monday's own.
    let weekly = Written { cron: "30 16 * * fri".to_owned(), ..written };
    let weekly = weekly.read().unwrap();
    assert_eq!(weekly.due(Some(at("2026-07-01T00:00:00Z")), at("2026-07-04T12:00:00Z")), None);
    let monday = weekly.due(Some(at("2026-07-01T00:00:00Z")), at("2026-07-06T08:00:00Z"));
    assert_eq!(monday, Some(at("2026-07-03T14:30:00Z")));
}

#[test]
fn an_off_peak_window_may_reach_into_the_next_day() {
    let night = hours(json!({"days": ["sat"], "from": "22:00", "to": "06:00"}));
    let open = |text: &str| night.is_open(text.parse().unwrap());
    assert!(open("2026-07-04T22:00:00") && open("2026-07-05T05:59:00"));
    assert!(!open("2026-07-04T21:59:00") && !open("2026-07-05T06:00:00") && !open("2026-07-05T22:00:00"));
    assert!(hours(json!({"from": "00:00", "to": "24:00"})).is_open("2026-07-05T23:59:00".parse().unwrap()));
    for bad in [
        json!({"from": "9", "to": "10:00"}),
        json!({"from": "25:00", "to": "10:00"}),
        json!({"days": ["x"], "from": "09:00", "to": "10:00"}),
    ] {
        assert!(serde_json::from_value::<Window>(bad).is_err());
    }
    assert_eq!(
        serde_json::to_value(&night).unwrap(),
        json!({"days": ["sat"], "from": "22:00", "to": "06:00"})
    );
}

/// One field of cron, read by somebody else: stars, steps, lists and ranges.
fn field(text: &str, least: u32, most: u32) -> BTreeSet<u32> {
    text.split(',')
        .flat_map(|part| {
            let (range, step) =
                part.split_once('/').map_or((part, 1), |(range, step)| (range, step.parse().unwrap()));
            let (from, to) = match range.split_once('-') {
                Some((from, to)) => (from.parse().unwrap(), to.parse().unwrap()),
                None if range == "*" => (least, most),
                None => (range.parse().unwrap(), range.parse().unwrap()),
            };
            (from..=to).step_by(step).collect::<Vec<_>>()
        })
        .collect()
}

/// Every slot of ten years, found by looking at every minute.
fn slots(cron: &str, zone: Tz) -> Vec<DateTime<Utc>> {
    let parts: Vec<&str> = cron.split(' ').collect();
    let (minutes, hours) = (field(parts[0], 0, 59), field(parts[1], 0, 23));
    let (days, months, weekdays) = (field(parts[2], 1, 31), field(parts[3], 1, 12), field(parts[4], 0, 6));
    let on_day = |date: chrono::NaiveDate| {
        let (day, weekday) =
            (days.contains(&date.day()), weekdays.contains(&date.weekday().num_days_from_sunday()));
        let either = parts[2] != "*" && parts[4] != "*";
        months.contains(&date.month()) && if either { day || weekday } else { day && weekday }
    };
    let hits = |wall: NaiveDateTime| {
        minutes.contains(&wall.minute()) && hours.contains(&wall.hour()) && on_day(wall.date())
    };
    let is_fixed = !parts[0].starts_with('*') && !parts[1].starts_with('*');
    let offset = |time: i64| {
        zone.offset_from_utc_datetime(&DateTime::from_timestamp(time, 0).unwrap().naive_utc())
            .fix()
            .local_minus_utc()
    };
    let (mut slots, begin, end) =
        (Vec::new(), at("2026-01-01T00:00:00Z").timestamp(), at("2036-01-01T00:00:00Z").timestamp());
    let mut shift = offset(begin);
    let mut farthest = i64::MIN;
    let mut add = |time: i64| {
        if slots.last() != Some(&time) {
            slots.push(time);
        }
    };
    for quarter in (begin..end).step_by(900) {
        let now = offset(quarter);
        let jump = i64::from(now - shift);
        if jump > 0 && is_fixed {
            // What the clocks skipped comes at the jump.
            let skipped = (0..jump / 60).any(|minute| {
                hits(
                    DateTime::from_timestamp(quarter + i64::from(shift) + minute * 60, 0)
                        .unwrap()
                        .naive_utc(),
                )
            });
            if skipped {
                add(quarter);
            }
        }
        shift = now;
        let wall = DateTime::from_timestamp(quarter + i64::from(shift), 0).unwrap().naive_utc();
        if hours.contains(&wall.hour()) && on_day(wall.date()) {
            for minute in 0..15 {
                let time = quarter + minute * 60;
                let shown = time + i64::from(shift);
                // Offsets are whole quarters of an hour, so only the minute moves. What the wall showed before is no slot
                // of a fixed schedule.
                let minute = wall.minute() + u32::try_from(minute).unwrap();
                if minutes.contains(&minute) && !(is_fixed && shown <= farthest) {
                    add(time);
                }
            }
        }
        farthest = farthest.max(quarter + i64::from(shift) + 14 * 60);
    }
    slots.into_iter().map(|time| DateTime::from_timestamp(time, 0).unwrap()).collect()
}

const CRONS: [&str; 12] = [
    "* * * * *",
    "*/15 * * * *",
    "0 * * * *",
    "30 */2 * * *",
    "30 2 * * *",
    "15,45 1-3 * * *",
    "0 0 * * *",
    "0 3 * * 0",
    "0 12 1 * *",
    "59 23 31 * *",
    "0 2 29 2 *",
    "10 4 13 * 5",
];

/// When the clocks of a zone change in these years.
fn changes(zone: Tz) -> Vec<DateTime<Utc>> {
    let offset = |time: DateTime<Utc>| zone.offset_from_utc_datetime(&time.naive_utc()).fix();
    let hours = (0..24 * 3_652).map(|hour| at("2026-01-01T00:00:00Z") + TimeDelta::hours(hour));
    hours.filter(|time| offset(*time) != offset(*time - TimeDelta::hours(1))).collect()
}

/// How many zones are looked at below, which share the cases.
const ZONES: usize = 5;

/// All slots of what is rare, those around the changes of the clocks of what is frequent, and a share of the cases anywhere.
fn every_slot_of_ten_years(zone: Tz) {
    let changes = changes(zone);
    let mut roll = dice();
    for cron in CRONS {
        let expected = slots(cron, zone);
        let schedule = Schedule::read(cron, zone.name(), Vec::new()).unwrap();
        // Of the frequent ones, those around the changes of the clocks, and one in a thousand elsewhere.
        let all = expected.len() < 5_000;
        let step = if all { 1 } else { 1_009 };
        let mut chosen: BTreeSet<usize> = (1..expected.len()).step_by(step).collect();
        for change in &changes {
            let place = |hours| expected.partition_point(|slot| *slot < *change + TimeDelta::hours(hours));
            chosen.extend((place(-4)..place(4)).filter(|index| *index > 0));
        }
        for index in chosen {
            let (before, slot) = (expected[index - 1], expected[index]);
            let earlier = slot - TimeDelta::minutes(1);
            assert_eq!(schedule.latest(slot), Some(slot), "{cron} in {zone}");
            assert_eq!(schedule.latest(earlier), Some(before), "{cron} in {zone} before {slot}");
            assert_eq!(schedule.next(before), Some(slot), "{cron} in {zone} after {before}");
            assert_eq!(schedule.due(Some(before), slot - TimeDelta::seconds(1)), None);
            assert_eq!(schedule.due(Some(before), slot), Some(slot));
        }
        // Any other minute, and any second of it.
        for _ in 0..cases(100_000).cases as usize / (CRONS.len() * ZONES) {
            let now =
                at("2026-01-01T00:00:00Z") + TimeDelta::seconds(roll(3_652 * 86_400).try_into().unwrap());
            let place = expected.partition_point(|slot| *slot <= now);
            if let (Some(before), Some(after)) = (place.checked_sub(1), expected.get(place)) {
                let before = expected[before];
                assert_eq!(schedule.latest(now), Some(before), "{cron} in {zone} at {now}");
                assert_eq!(schedule.next(now), Some(*after), "{cron} in {zone} at {now}");
                assert_eq!(schedule.due(Some(before), now), None);
            }
        }
    }
}

#[test]
fn every_slot_of_ten_years_in_berlin() {
    every_slot_of_ten_years(Tz::Europe__Berlin);
}

#[test]
fn every_slot_of_ten_years_in_new_york() {
    every_slot_of_ten_years(Tz::America__New_York);
}

#[test]
fn every_slot_of_ten_years_where_the_clocks_change_by_half_an_hour() {
    every_slot_of_ten_years(Tz::Australia__Lord_Howe);
}

#[test]
fn every_slot_of_ten_years_where_they_never_change() {
    every_slot_of_ten_years(Tz::Asia__Kathmandu);
}

#[test]
fn every_slot_of_ten_years_where_they_change_at_midnight() {
    every_slot_of_ten_years(Tz::America__Santiago);
}

proptest! {
    #![proptest_config(cases(100_000))]

    #[test]
    fn however_late_the_clock_ticks_the_latest_slot_inside_the_windows_runs_once(
        cron in prop_oneof![Just("*/20 * * * *"), Just("0 * * * *"), Just("30 8,12,16 * * *"), Just("0 9 * * 1")],
        from in 0u32..24, length in 1u32..24, days in proptest::collection::btree_set(0u8..7, 0..4),
        ticks in proptest::collection::vec(1i64..4_000, 1..16), start in 0i64..300_000,
    ) {
        let names = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
        let days: Vec<&str> = days.iter().map(|day| names[usize::from(*day)]).collect();
        let window = hours(json!({"days": days, "from": format!("{from:02}:00"), "to": format!("{:02}:00", (from + length) % 24)}));
        let zone = "Europe/Berlin";
        let plain = Schedule::read(cron, zone, Vec::new()).unwrap();
        let schedule = Schedule::read(cron, zone, vec![window]).unwrap();
        let mut now = at("2026-03-20T00:00:00Z") + TimeDelta::minutes(start);
        let (mut last, mut ran) = (now, BTreeSet::new());
        for tick in ticks {
            now += TimeDelta::minutes(tick);
            // Slot by slot, as the slow way has it.
            let mut slot = plain.latest(now).filter(|slot| *slot > last);
            while let Some(time) = slot && !schedule.allows(time) {
                slot = plain.latest(time - TimeDelta::minutes(1)).filter(|slot| *slot > last);
            }
            let expected = if schedule.allows(now) { slot } else { None };
            let due = schedule.due(Some(last), now);
            prop_assert_eq!(due, expected);
            if let Some(slot) = due {
                prop_assert!(ran.insert(slot), "{} ran twice", slot);
                last = now;
            }
        }
    }

    #[test]
    fn a_burst_of_events_becomes_few_jobs_and_none_waits_too_long(gaps in proptest::collection::vec(0i64..5_000, 1..200)) {
        let (quiet, most) = (TimeDelta::milliseconds(2_000), TimeDelta::milliseconds(10_000));
        let mut now = at("2026-01-01T00:00:00Z");
        let mut open: Option<Burst> = None;
        let mut jobs: Vec<(DateTime<Utc>, DateTime<Utc>)> = Vec::new();
        for gap in &gaps {
            now += TimeDelta::milliseconds(*gap);
            if let Some(burst) = open.filter(|burst| burst.is_due(now)) {
                jobs.push((burst.first, burst.due));
                open = None;
            }
            open = Some(open.map_or_else(|| Burst::begin(now, quiet), |burst| burst.add(now, quiet, most)));
            prop_assert!(open.unwrap().due > now && open.unwrap().due - open.unwrap().first <= most);
        }
        for pair in jobs.windows(2) {
            prop_assert!(pair[1].0 >= pair[0].1, "an event belongs to one job only");
            prop_assert!(pair[0].1 - pair[0].0 >= quiet);
        }
    }
}
