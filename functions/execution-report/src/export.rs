//! The executions of a period themselves, part by part.

use crate::part::{COLUMNS, Manifest, Part};
use crate::period::Period;
use chrono::{DateTime, SecondsFormat, Utc};
use domain::ExecutionId;
use edge::{Deadline, Problem, Raw};
use serde_json::json;
use std::time::Duration;
use store::reports::{self, ExportQuery, Filter};
use store::{Claims, Db};

/// The rows of a part, unless fewer are asked for.
pub(crate) const ROWS: usize = 10_000;
/// The rows that are read at once: more than these and a part of text are never held.
const AT_ONCE: usize = 1_000;
/// A part ends early when less time than this is left.
const RESERVE: Duration = Duration::from_secs(8);

/// The kinds of export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Csv,
    Ndjson,
}

/// Where a row stands among all others.
type Place = (DateTime<Utc>, ExecutionId);

/// What to export.
pub(crate) struct Export {
    pub(crate) kind: Kind,
    pub(crate) period: Period,
    pub(crate) filter: Filter,
    /// The last row of the part before.
    pub(crate) after: Option<Place>,
    /// The rows that a part has at most.
    pub(crate) rows: usize,
    pub(crate) now: DateTime<Utc>,
}

impl Export {
    /// One part. It ends when it has its rows, is long enough or has taken its time, and always holds what it began with.
    pub(crate) async fn part(&self, db: &Db, claims: &Claims, deadline: Deadline) -> Result<Raw, Problem> {
        let mut part = match self.kind {
            Kind::Csv => Part::csv()?,
            Kind::Ndjson => Part::ndjson(),
        };
        let mut after = self.after;
        let next = loop {
            let wanted = self.rows.saturating_sub(part.rows()).clamp(1, AT_ONCE);
            let query = ExportQuery {
                from: self.period.from,
                to: self.period.to,
                filter: self.filter,
                after,
                limit: i32::try_from(wanted).unwrap_or(1),
            };
            let page = reports::export(db, claims, &query).await?.ok_or_else(Problem::not_found)?;
            for row in &page.rows {
                part.push(row)?;
                after = Some((row.start_time, row.id));
            }
            if !page.has_more {
                break None;
            }
            if part.rows() >= self.rows || part.is_full() || deadline.remaining() < RESERVE {
                break after;
            }
        };
        self.answer(part, next)
    }

    /// The part with its manifest: beside CSV, which stays what spreadsheets read; below NDJSON, as its last line.
    fn answer(&self, part: Part, next: Option<Place>) -> Result<Raw, Problem> {
        let rows = part.rows();
        let mut text = part.into_text()?;
        let manifest = Manifest {
            format: self.kind.word(),
            columns: COLUMNS,
            from: self.period.from,
            to: self.period.to,
            rows,
            sha256: domain::hash::bytes(&text),
            next_cursor: next.map(|place| write(self.period, place)),
            generated_at: self.now,
        };
        let raw = match self.kind {
            Kind::Csv => {
                let manifest = json!(manifest).to_string();
                Raw::new("text/csv; charset=utf-8", text).with("x-export-manifest", manifest)
            }
            Kind::Ndjson => {
                text.extend_from_slice(json!({"manifest": manifest}).to_string().as_bytes());
                text.push(b'\n');
                Raw::new("application/x-ndjson", text)
            }
        };
        let name = format!("attachment; filename=\"executions.{}\"", self.kind.word());
        Ok(raw.with("content-disposition", name))
    }
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

/// The cursor behind a row. It holds the period too: that of all parts is the first one's, also where it ended with "now".
fn write(period: Period, (at, id): Place) -> String {
    let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Micros, true);
    format!("{}~{}~{}", time(period.from), time(period.to), edge::cursor::write(at, id))
}

/// The period and the place that a cursor names; [`Problem::bad_request`] when it is none of ours.
pub(crate) fn read(cursor: &str, now: DateTime<Utc>) -> Result<(Period, Option<Place>), Problem> {
    let mut parts = cursor.splitn(3, '~');
    let mut time = || parts.next().and_then(|text| text.parse().ok());
    let (Some(from), Some(to)) = (time(), time()) else {
        return Err(Problem::bad_request("This is not a cursor that an earlier part gave."));
    };
    let place = edge::cursor::read(Some(parts.next().unwrap_or_default()))?;
    Ok((Period::of(Some(from), Some(to), now)?, place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn export(kind: Kind) -> Export {
        let period = Period { from: at("2026-03-01T00:00:00Z"), to: at("2026-03-08T00:00:00Z") };
        Export {
            kind,
            period,
            filter: Filter::default(),
            after: None,
            rows: ROWS,
            now: at("2026-03-09T00:00:00Z"),
        }
    }

    #[test]
    fn a_cursor_brings_back_the_period_and_the_place() {
        let export = export(Kind::Csv);
        let place = (at("2026-03-02T03:04:05.678901Z"), ExecutionId::from_random([7; 16]));
        assert_eq!(read(&write(export.period, place), export.now).unwrap(), (export.period, Some(place)));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let now = at("2026-03-09T00:00:00Z");
        let (from, to) = ("2026-03-01T00:00:00Z", "2026-03-08T00:00:00Z");
        let id = ExecutionId::from_random([7; 16]);
        for text in [
            String::new(),
            "~~".to_owned(),
            format!("{from}~{to}"),
            format!("{from}~{to}~{from}"),
            format!("{from}~{to}~x~{id}"),
            format!("{to}~{from}~{from}~{id}"),
            format!("2020-03-01T00:00:00Z~{to}~{from}~{id}"),
        ] {
            assert!(read(&text, now).is_err(), "{text}");
        }
        assert!(read(&format!("{from}~{to}~{from}~{id}"), now).is_ok());
    }

    #[test]
    fn the_manifest_of_csv_is_a_header_and_that_of_ndjson_the_last_line() {
        let csv = export(Kind::Csv).answer(Part::csv().unwrap(), None).unwrap();
        let manifest = csv.headers.iter().find(|(name, _)| *name == "x-export-manifest").unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&manifest.1).unwrap();
        assert_eq!(manifest["sha256"], domain::hash::bytes(&csv.body));
        assert_eq!((&manifest["rows"], &manifest["format"]), (&json!(0), &json!("csv")));
        assert_eq!(manifest["nextCursor"], json!(null));

        let lines = export(Kind::Ndjson).answer(Part::ndjson(), None).unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&lines.body).unwrap();
        assert_eq!(manifest["manifest"]["sha256"], domain::hash::bytes(b""));
        assert_eq!(manifest["manifest"]["columns"], json!(COLUMNS));
    }
}
