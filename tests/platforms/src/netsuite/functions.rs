//! The functions SuiteQL has and `SQLite` does not.
//!
//! Times are kept as text in UTC behind a mark, `\u{1}2026-11-20 08:00:00`, so that they sort, and so that the answer
//! can tell them from texts: selected as they are they come out in the account's date format.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, Error, Result};

/// The mark of a time.
pub(crate) const MARK: char = '\u{1}';

/// What functions look up: the zone, the time now, and the names of records.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) zone: Tz,
    pub(crate) now: DateTime<Utc>,
    /// Column name, id and display text.
    pub(crate) names: HashMap<&'static str, HashMap<i64, String>>,
}

pub(crate) type Shared = Arc<Mutex<Surroundings>>;

/// A time as it is kept.
pub(crate) fn kept(time: DateTime<Utc>) -> String {
    format!("{MARK}{}", time.format("%Y-%m-%d %H:%M:%S"))
}

/// Adds the functions to a connection.
///
/// # Errors
/// `SQLite` refuses one.
pub(crate) fn register(connection: &Connection, around: &Shared) -> Result<()> {
    let pure = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    // Within one statement neither the zone nor the time moves, so that constants are computed once.
    let shared = Arc::clone(around);
    connection.create_scalar_function("to_char", -1, pure, move |context| to_char(context, &shared))?;
    for name in ["to_timestamp", "to_date", "to_timestamp_tz"] {
        let shared = Arc::clone(around);
        connection.create_scalar_function(name, -1, pure, move |context| to_time(context, &shared))?;
    }
    let shared = Arc::clone(around);
    connection.create_scalar_function("ns_now", 0, pure, move |_| Ok(kept(lock(&shared).now)))?;
    let shared = Arc::clone(around);
    connection.create_scalar_function("ns_literal", 1, pure, move |context| {
        let text: String = context.get(0)?;
        let format = if text.len() > 10 { "YYYY-MM-DD HH24:MI:SS" } else { "YYYY-MM-DD" };
        parsed(&text, format, lock(&shared).zone)
    })?;
    let shared = Arc::clone(around);
    connection.create_scalar_function("ns_df", 2, pure, move |context| display(context, &shared))?;
    connection.create_scalar_function("nvl", 2, pure, |context| {
        let first: Cell = context.get(0)?;
        if first == Cell::Null { context.get(1) } else { Ok(first) }
    })?;
    connection.create_scalar_function("nvl2", 3, pure, |context| {
        let first: Cell = context.get(0)?;
        context.get::<Cell>(if first == Cell::Null { 2 } else { 1 })
    })?;
    connection.create_scalar_function("to_number", 1, pure, |context| {
        let cell: Cell = context.get(0)?;
        match cell {
            Cell::Text(text) => {
                text.trim().parse::<f64>().map(Cell::Real).map_err(|_| failed("ORA-01722: invalid number"))
            }
            other => Ok(other),
        }
    })?;
    connection.create_scalar_function("greatest", -1, pure, |context| {
        extreme(context, std::cmp::Ordering::Greater)
    })?;
    connection
        .create_scalar_function("least", -1, pure, |context| extreme(context, std::cmp::Ordering::Less))?;
    connection.create_scalar_function("trunc", -1, pure, |context| {
        let cell: Cell = context.get(0)?;
        Ok(match cell {
            Cell::Real(number) => Cell::Real(number.trunc()),
            // The day of a time.
            Cell::Text(text) if text.starts_with(MARK) => {
                Cell::Text(format!("{} 00:00:00", text.get(..11).unwrap_or(&text)))
            }
            other => other,
        })
    })
}

fn lock(shared: &Shared) -> std::sync::MutexGuard<'_, Surroundings> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(message: &str) -> Error {
    Error::UserFunctionError(message.into())
}

fn extreme(context: &Context<'_>, wanted: std::cmp::Ordering) -> Result<Cell> {
    let mut best: Cell = context.get(0)?;
    for at in 1..context.len() {
        let next: Cell = context.get(at)?;
        let order = match (&next, &best) {
            (Cell::Null, _) => return Ok(Cell::Null),
            (Cell::Integer(left), Cell::Integer(right)) => left.cmp(right),
            (Cell::Text(left), Cell::Text(right)) => left.cmp(right),
            (left, right) => number(left).partial_cmp(&number(right)).unwrap_or(std::cmp::Ordering::Equal),
        };
        if order == wanted {
            best = next;
        }
    }
    Ok(best)
}

#[expect(clippy::cast_precision_loss, reason = "only compared with a fraction")]
fn number(cell: &Cell) -> f64 {
    match cell {
        Cell::Integer(number) => *number as f64,
        Cell::Real(number) => *number,
        _ => f64::NAN,
    }
}

fn display(context: &Context<'_>, shared: &Shared) -> Result<Cell> {
    let column: String = context.get(0)?;
    let cell: Cell = context.get(1)?;
    let id = match &cell {
        Cell::Integer(id) => Some(*id),
        Cell::Text(text) => text.parse().ok(),
        _ => None,
    };
    let around = lock(shared);
    let found = id.and_then(|id| around.names.get(column.as_str())?.get(&id).cloned());
    Ok(match (found, cell) {
        (Some(name), _) => Cell::Text(name),
        (None, Cell::Text(text)) if column == "status" => {
            Cell::Text(super::show::status_name(&text).to_owned())
        }
        (None, other) => other,
    })
}

/// `TO_CHAR(time, format)`, `TO_CHAR(number)`.
fn to_char(context: &Context<'_>, shared: &Shared) -> Result<Cell> {
    let cell: Cell = context.get(0)?;
    Ok(match cell {
        Cell::Text(text) => match text.strip_prefix(MARK) {
            Some(time) => {
                let format: String =
                    if context.len() > 1 { context.get(1)? } else { "DD/MM/YYYY".to_owned() };
                let time = NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S")
                    .map_err(|_| failed("invalid date"))?;
                let local = time.and_utc().with_timezone(&lock(shared).zone).naive_local();
                Cell::Text(formatted(local, &format)?)
            }
            None => Cell::Text(text),
        },
        Cell::Integer(number) => Cell::Text(number.to_string()),
        Cell::Real(number) => Cell::Text(number.to_string()),
        other => other,
    })
}

/// `TO_TIMESTAMP(text, format)`, `TO_DATE(text, format)`: the text is in the account's zone.
fn to_time(context: &Context<'_>, shared: &Shared) -> Result<Cell> {
    let Cell::Text(text) = context.get::<Cell>(0)? else { return Ok(Cell::Null) };
    if context.len() < 2 {
        return Err(failed("a format is required"));
    }
    let format: String = context.get(1)?;
    parsed(&text, &format, lock(shared).zone).map(Cell::Text)
}

const ELEMENTS: [(&str, &str); 11] = [
    ("YYYY", "%Y"),
    ("HH24", "%H"),
    ("HH12", "%I"),
    ("MON", "%b"),
    ("FF3", "000"),
    ("FF", "000"),
    ("MM", "%m"),
    ("DD", "%d"),
    ("MI", "%M"),
    ("SS", "%S"),
    ("HH", "%I"),
];

/// Oracle's date format as chrono's.
fn pattern(format: &str) -> Result<String> {
    let mut out = String::new();
    let mut rest = format;
    while let Some(letter) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix('"') {
            let (literal, after) =
                after.split_once('"').ok_or_else(|| failed("ORA-01821: date format not recognized"))?;
            out.push_str(&literal.replace('%', "%%"));
            rest = after;
            continue;
        }
        let upper = rest.get(..4.min(rest.len())).map_or_else(String::new, str::to_ascii_uppercase);
        if let Some((element, code)) = ELEMENTS.iter().find(|(element, _)| upper.starts_with(element)) {
            out.push_str(code);
            rest = rest.get(element.len()..).unwrap_or_default();
        } else if letter.is_alphabetic() {
            return Err(failed("ORA-01821: date format not recognized"));
        } else {
            out.push(letter);
            rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        }
    }
    Ok(out)
}

fn formatted(time: NaiveDateTime, format: &str) -> Result<String> {
    Ok(time.format(&pattern(format)?).to_string())
}

fn parsed(text: &str, format: &str, zone: Tz) -> Result<String> {
    let pattern = pattern(format)?;
    let wrong = || failed("ORA-01861: literal does not match format string");
    let local = match NaiveDateTime::parse_from_str(text, &pattern) {
        Ok(time) => time,
        Err(_) => NaiveDate::parse_from_str(text, &pattern)
            .map_err(|_| wrong())?
            .and_hms_opt(0, 0, 0)
            .ok_or_else(wrong)?,
    };
    // In the hour that happens twice the first is meant; an hour that does not happen is taken as UTC.
    let utc =
        zone.from_local_datetime(&local).earliest().map_or_else(|| local.and_utc(), |time| time.to_utc());
    Ok(kept(utc))
}

/// A time that was selected as it is: the day, in the account's zone and date format.
pub(crate) fn shown(time: &str, zone: Tz) -> String {
    match NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S") {
        Ok(time) => time.and_utc().with_timezone(&zone).format("%d/%m/%Y").to_string(),
        Err(_) => time.to_owned(),
    }
}
