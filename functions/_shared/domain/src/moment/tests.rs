use super::*;
use crate::testing::cases;
use proptest::prelude::*;
use serde_json::json;

fn form(text: &str) -> Form {
    text.to_owned().try_into().unwrap()
}

fn change(
    value: &Value,
    from: &str,
    to: &str,
    zone: Option<Tz>,
    to_zone: Option<Tz>,
) -> Result<Value, &'static str> {
    form(to).write(form(from).read(value, zone)?, to_zone)
}

#[test]
fn a_form_is_written_as_it_was_read() {
    for text in ["rfc3339", "date", "unix", "unix_ms", "%d.%m.%Y"] {
        assert_eq!(String::from(form(text)), text);
    }
}

#[test]
fn a_date_is_written_in_the_form_of_the_other_side() {
    let berlin = Some(Tz::Europe__Berlin);
    for (value, from, to, zone, to_zone, expected) in [
        (
            json!("29.03.2026 01:30"),
            "%d.%m.%Y %H:%M",
            "rfc3339",
            berlin,
            None,
            json!("2026-03-29T01:30:00+01:00"),
        ),
        (json!("2026-07-01T12:00:00Z"), "rfc3339", "%d.%m.%Y %H:%M", None, berlin, json!("01.07.2026 14:00")),
        (json!("2026-07-01T23:30:00Z"), "rfc3339", "date", None, berlin, json!("2026-07-02")),
        (json!("2026-07-01"), "date", "%m/%d/%Y", None, None, json!("07/01/2026")),
        (json!("2026-07-01"), "date", "rfc3339", None, berlin, json!("2026-07-01T00:00:00+02:00")),
        (
            json!("2026-07-01T12:00:00.123456789Z"),
            "rfc3339",
            "rfc3339",
            None,
            None,
            json!("2026-07-01T12:00:00.123456789Z"),
        ),
        (json!(1_782_907_200), "unix", "rfc3339", None, None, json!("2026-07-01T12:00:00Z")),
        (json!("1782907200123"), "unix_ms", "rfc3339", None, None, json!("2026-07-01T12:00:00.123Z")),
        (json!("2026-07-01T12:00:00.999Z"), "rfc3339", "unix_ms", None, None, json!(1_782_907_200_999_i64)),
    ] {
        assert_eq!(change(&value, from, to, zone, to_zone), Ok(expected), "{value}");
    }
}

#[test]
fn a_time_that_does_not_exist_is_refused_and_one_that_comes_twice_is_the_earlier() {
    let berlin = Some(Tz::Europe__Berlin);
    let gap = change(&json!("2026-03-29 02:30:00"), "rfc3339", "rfc3339", berlin, None);
    assert_eq!(gap, Err(IN_THE_GAP));
    let twice = change(&json!("2026-10-25 02:30:00"), "rfc3339", "rfc3339", berlin, None);
    assert_eq!(twice, Ok(json!("2026-10-25T02:30:00+02:00")));
}

#[test]
fn a_time_without_a_zone_is_not_guessed() {
    assert_eq!(change(&json!("2026-07-01 12:00:00"), "rfc3339", "date", None, None), Err(NEEDS_A_ZONE));
    for value in [json!("yesterday"), json!(5), json!(null), json!("2026-02-30T00:00:00Z"), json!("")] {
        assert_eq!(change(&value, "rfc3339", "date", None, None), Err(NOT_A_DATE), "{value}");
    }
}

#[test]
fn a_form_that_is_none_is_refused_when_the_mapping_is_read() {
    for text in ["", "yyyy-mm-dd", "%Q", "%"] {
        assert!(Form::try_from(text.to_owned()).is_err(), "{text}");
    }
}

#[test]
fn a_leap_second_is_read_and_kept() {
    let value = json!("2016-12-31T23:59:60Z");
    assert_eq!(change(&value, "rfc3339", "rfc3339", None, None), Ok(value));
}

proptest! {
    #![proptest_config(cases(100_000))]

    #[test]
    fn every_point_in_time_survives_every_form_that_can_hold_it(
        seconds in -62_000_000_000_i64..250_000_000_000, nanos in 0u32..1_000_000_000, zone in 0usize..4,
    ) {
        let zone = [Tz::UTC, Tz::Europe__Berlin, Tz::America__New_York, Tz::Asia__Kathmandu][zone];
        let instant = DateTime::from_timestamp(seconds, nanos).unwrap().with_timezone(&zone).fixed_offset();
        for text in ["rfc3339", "%Y-%m-%dT%H:%M:%S%.9f%:z"] {
            // Zones had offsets with seconds before 1972; no form but our own could write them.
            if instant.offset().local_minus_utc() % 60 == 0 {
                let written = form(text).write(Moment::Point(instant), Some(zone)).unwrap();
                prop_assert_eq!(form(text).read(&written, None).unwrap(), Moment::Point(instant));
            }
        }
        let whole = DateTime::from_timestamp(seconds, 0).unwrap().fixed_offset();
        let written = form("unix").write(Moment::Point(whole), None).unwrap();
        prop_assert_eq!(form("unix").read(&written, None).unwrap(), Moment::Point(whole));
    }

    #[test]
    fn no_text_and_no_pattern_makes_it_panic(text in "[0-9TZ:+%a-zA-Z .-]{0,24}", pattern in "[%a-zA-Z: .-]{0,12}") {
        if let Ok(form) = Form::try_from(pattern) {
            if let Ok(moment) = form.read(&Value::String(text), Some(Tz::Europe__Berlin)) {
                let _ = form.write(moment, None);
            }
            let _ = form.write(Moment::Day(NaiveDate::MIN), None);
        }
    }
}
