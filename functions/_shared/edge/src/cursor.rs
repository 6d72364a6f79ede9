//! Where a page of a list ended, as a text that callers hand back and need not understand.

use crate::Problem;
use chrono::{DateTime, SecondsFormat, Utc};
use std::fmt::Display;
use std::str::FromStr;

/// The cursor behind a row.
pub fn write(at: DateTime<Utc>, id: impl Display) -> String {
    format!("{}~{id}", at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// The place that a cursor names; [`Problem::bad_request`] when it is none of ours.
pub fn read<I: FromStr>(cursor: Option<&str>) -> Result<Option<(DateTime<Utc>, I)>, Problem> {
    let Some(text) = cursor else { return Ok(None) };
    let place = text.split_once('~').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    place.map(Some).ok_or_else(|| Problem::bad_request("This is not a cursor that an earlier page gave."))
}

/// The number that a cursor is, in lists that are counted; [`Problem::bad_request`] when it is none.
pub fn number(cursor: Option<&str>) -> Result<Option<i32>, Problem> {
    let number = cursor.map(str::parse).transpose();
    number.map_err(|_| Problem::bad_request("This is not a cursor that an earlier page gave."))
}

/// How many rows a page shall have: 1 to 1,000, 50 when not said.
pub fn limit(wanted: Option<i32>) -> Result<i32, Problem> {
    match wanted.unwrap_or(50) {
        limit @ 1..=1000 => Ok(limit),
        _ => Err(Problem::invalid("/limit", "This is a number from 1 to 1,000.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::RunId;

    #[test]
    fn a_cursor_comes_back_as_the_place_it_was_made_of() {
        let at: DateTime<Utc> = "2026-01-02T03:04:05.678901Z".parse().unwrap();
        let id = RunId::from_random([7; 16]);
        assert_eq!(read(Some(&write(at, id))).unwrap(), Some((at, id)));
        assert!(read::<RunId>(None).unwrap().is_none());
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        assert!(number(Some("7")).is_ok_and(|at| at == Some(7)) && number(Some("seven")).is_err());
        for text in ["", "~", "x~y", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z~1"] {
            assert!(read::<RunId>(Some(text)).is_err(), "{text}");
        }
        assert!(limit(Some(0)).is_err() && limit(Some(1001)).is_err() && limit(Some(1000)).is_ok());
    }
}
