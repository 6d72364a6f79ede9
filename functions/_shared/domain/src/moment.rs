//! Dates and points in time, in the forms in which platforms write them.

use crate::record::Value;
use chrono::format::{Item, StrftimeItems};
use chrono::{
    DateTime, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeZone, Utc,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// The longest pattern.
const MAX_PATTERN: usize = 60;

/// How a date or a point in time is written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Form {
    /// `2026-03-29T01:30:00.5+01:00`, written `rfc3339`. A space in place of the `T` is read too.
    #[default]
    Rfc3339,
    /// `2026-03-29`, written `date`.
    Date,
    /// Seconds since 1970, written `unix`.
    Unix,
    /// Milliseconds since 1970, written `unix_ms`.
    UnixMillis,
    /// Anything else, as `strftime` has it: `%d.%m.%Y %H:%M`.
    Pattern(String),
}

/// A text that is no form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no form of a date: write rfc3339, date, unix, unix_ms or a pattern such as %Y-%m-%d")]
pub struct BadForm(String);

/// A day, or a point in time with the offset it was written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A day without a time.
    Day(NaiveDate),
    /// A point in time.
    Point(DateTime<FixedOffset>),
}

/// Why a value is no moment in this form.
const NOT_A_DATE: &str = "this is no date of the given form";
const NEEDS_A_ZONE: &str = "this time has no zone, and the mapping names none";
const IN_THE_GAP: &str = "this time does not exist there: the clocks were put forward";

impl Form {
    /// Reads a value. A time without an offset is meant in `zone`; one that the clocks show twice is the earlier.
    pub fn read(&self, value: &Value, zone: Option<Tz>) -> Result<Moment, &'static str> {
        match self {
            Self::Rfc3339 => {
                let text = value.as_str().ok_or(NOT_A_DATE)?.trim();
                if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
                    return Ok(Moment::Point(instant));
                }
                let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
                let local = local.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
                at(local.ok_or(NOT_A_DATE)?, zone)
            }
            Self::Date => day(value.as_str().ok_or(NOT_A_DATE)?, "%Y-%m-%d"),
            Self::Unix => from_unix(value, |seconds| DateTime::from_timestamp(seconds, 0)),
            Self::UnixMillis => from_unix(value, DateTime::from_timestamp_millis),
            Self::Pattern(pattern) => {
                let text = value.as_str().ok_or(NOT_A_DATE)?.trim();
                if let Ok(instant) = DateTime::parse_from_str(text, pattern) {
                    return Ok(Moment::Point(instant));
                }
                match NaiveDateTime::parse_from_str(text, pattern) {
                    Ok(local) => at(local, zone),
                    Err(_) => day(text, pattern),
                }
            }
        }
    }

    /// Writes a moment, in `zone` where that is given. A day that is written as a point in time is its midnight there.
    pub fn write(&self, moment: Moment, zone: Option<Tz>) -> Result<Value, &'static str> {
        if let (Self::Date, Moment::Day(day)) = (self, moment) {
            return Ok(Value::String(day.format("%Y-%m-%d").to_string()));
        }
        if let (Self::Pattern(pattern), Moment::Day(day)) = (self, moment) {
            return shown(day.and_time(NaiveTime::MIN).format(pattern));
        }
        let instant = match moment {
            Moment::Point(instant) => instant,
            Moment::Day(day) => match at(day.and_time(NaiveTime::MIN), Some(zone.unwrap_or(Tz::UTC)))? {
                Moment::Point(instant) => instant,
                Moment::Day(_) => return Err(NOT_A_DATE),
            },
        };
        let local = zone.map_or(instant, |zone| instant.with_timezone(&zone).fixed_offset());
        match self {
            Self::Rfc3339 => Ok(Value::String(rfc3339(local))),
            Self::Date => Ok(Value::String(local.format("%Y-%m-%d").to_string())),
            Self::Unix => Ok(local.timestamp().into()),
            Self::UnixMillis => Ok(local.timestamp_millis().into()),
            Self::Pattern(pattern) => shown(local.format(pattern)),
        }
    }
}

/// The shortest RFC 3339 text that loses nothing.
fn rfc3339(instant: DateTime<FixedOffset>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The point in time that a text means, in one form for all zones; `None` when it means none.
pub fn canonical(text: &str) -> Option<String> {
    match Form::Rfc3339.read(&Value::String(text.to_owned()), Some(Tz::UTC)).ok()? {
        Moment::Point(instant) => Some(rfc3339(instant.with_timezone(&Utc).fixed_offset())),
        Moment::Day(_) => None,
    }
}

/// Whether a text is a date or a point in time of ISO 8601.
pub fn is_date(text: &str) -> bool {
    canonical(text).is_some() || day(text, "%Y-%m-%d").is_ok()
}

fn day(text: &str, pattern: &str) -> Result<Moment, &'static str> {
    NaiveDate::parse_from_str(text.trim(), pattern).map(Moment::Day).map_err(|_| NOT_A_DATE)
}

fn at(local: NaiveDateTime, zone: Option<Tz>) -> Result<Moment, &'static str> {
    match zone.ok_or(NEEDS_A_ZONE)?.from_local_datetime(&local) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => {
            Ok(Moment::Point(instant.fixed_offset()))
        }
        LocalResult::None => Err(IN_THE_GAP),
    }
}

fn from_unix(value: &Value, read: impl Fn(i64) -> Option<DateTime<Utc>>) -> Result<Moment, &'static str> {
    let count = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let instant = count.and_then(read).ok_or(NOT_A_DATE)?;
    Ok(Moment::Point(instant.fixed_offset()))
}

fn shown(text: impl std::fmt::Display) -> Result<Value, &'static str> {
    let mut shown = String::new();
    write!(shown, "{text}").map_err(|_| "a day without a time cannot be written in this form")?;
    Ok(Value::String(shown))
}

impl TryFrom<String> for Form {
    type Error = BadForm;

    fn try_from(text: String) -> Result<Self, BadForm> {
        match text.as_str() {
            "rfc3339" | "iso8601" => Ok(Self::Rfc3339),
            "date" => Ok(Self::Date),
            "unix" => Ok(Self::Unix),
            "unix_ms" => Ok(Self::UnixMillis),
            pattern => {
                let known = pattern.len() <= MAX_PATTERN
                    && pattern.contains('%')
                    && StrftimeItems::new(pattern).all(|item| item != Item::Error);
                if known { Ok(Self::Pattern(text)) } else { Err(BadForm(text)) }
            }
        }
    }
}

impl From<Form> for String {
    fn from(form: Form) -> Self {
        match form {
            Form::Rfc3339 => "rfc3339".to_owned(),
            Form::Date => "date".to_owned(),
            Form::Unix => "unix".to_owned(),
            Form::UnixMillis => "unix_ms".to_owned(),
            Form::Pattern(pattern) => pattern,
        }
    }
}

#[cfg(test)]
mod tests;
