//! What the database answers.

use chrono::{DateTime, Utc};
use domain::{Fields, Record, Value};
use serde::Deserialize;

/// One row.
#[derive(Deserialize)]
pub(super) struct Row {
    id: String,
    fields: Fields,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    modified_at: Option<DateTime<Utc>>,
    deleted: bool,
}

impl From<Row> for Record {
    fn from(row: Row) -> Self {
        let Row { id, fields, version, modified_at, deleted } = row;
        Self { id, fields, modified_at, version, deleted }
    }
}

/// Some rows, and where the next page begins.
#[derive(Deserialize)]
pub(super) struct Rows {
    pub(super) records: Vec<Row>,
    #[serde(default)]
    pub(super) next: Value,
}

/// What became of each record of a batch.
#[derive(Deserialize)]
pub(super) struct Outcomes {
    pub(super) outcomes: Vec<One>,
}

/// What became of one record.
#[derive(Deserialize)]
pub(super) struct One {
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) now: Option<Row>,
    #[serde(default)]
    pub(super) error: Option<Refusal>,
}

/// Why the database refused.
#[derive(Deserialize)]
pub(super) struct Refusal {
    /// The SQLSTATE; `PT` and an HTTP status for what our own functions say.
    pub(super) state: String,
    pub(super) message: String,
    #[serde(default)]
    pub(super) constraint: Option<String>,
    #[serde(default)]
    pub(super) column: Option<String>,
}

/// A whole question that was refused.
#[derive(Deserialize)]
pub(super) struct Refused {
    #[serde(default)]
    pub(super) error: Option<Refusal>,
}

/// What a table is like.
#[derive(Deserialize)]
pub(super) struct Description {
    pub(super) columns: Vec<Column>,
    pub(super) findings: Findings,
}

/// One column.
#[derive(Deserialize)]
pub(super) struct Column {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) writable: bool,
    pub(super) required: bool,
}

/// What of a table does not do for a sync.
#[derive(Deserialize)]
pub(super) struct Findings {
    pub(super) problems: Vec<String>,
    pub(super) warnings: Vec<String>,
}
