//! Where the listings of a sync's sides stand.

use chrono::{DateTime, Utc};
use domain::cursor::{Cursor as Place, Progress};
use serde::{Deserialize, Serialize};

/// One of a sync's two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SideName {
    /// Where records come from.
    #[default]
    Source,
    /// Where they go.
    Target,
}

/// Where a `changed` listing stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "CursorRow", into = "CursorRow")]
pub struct Cursor {
    /// Whose listing it is.
    pub side: SideName,
    /// How far it has come.
    pub progress: Progress,
}

/// As it is stored.
#[derive(Serialize, Deserialize)]
struct CursorRow {
    #[serde(default)]
    side: SideName,
    seen_at: Option<DateTime<Utc>>,
    seen_id: Option<String>,
    begun_at: Option<DateTime<Utc>>,
    high_at: Option<DateTime<Utc>>,
    high_id: Option<String>,
    page: Option<String>,
}

impl From<CursorRow> for Cursor {
    fn from(row: CursorRow) -> Self {
        let place = |at: Option<DateTime<Utc>>, id: Option<String>| {
            at.map(|time| Place { time, id: id.unwrap_or_default() })
        };
        let (start, high) = (place(row.seen_at, row.seen_id), place(row.high_at, row.high_id));
        Self { side: row.side, progress: Progress { start, begun: row.begun_at, high, page: row.page } }
    }
}

impl From<Cursor> for CursorRow {
    fn from(cursor: Cursor) -> Self {
        let Progress { start, begun, high, page } = cursor.progress;
        let both = |place: Option<Place>| place.map(|place| (place.time, place.id)).unzip();
        let ((seen_at, seen_id), (high_at, high_id)) = (both(start), both(high));
        Self { side: cursor.side, seen_at, seen_id, begun_at: begun, high_at, high_id, page }
    }
}
