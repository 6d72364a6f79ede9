//! A record as a platform gave it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Any JSON value. Numbers keep the text they came with, of any size and precision.
pub type Value = serde_json::Value;

/// No value, to borrow.
pub(crate) const NULL: &Value = &Value::Null;

/// The fields of a record, by name.
pub type Fields = serde_json::Map<String, Value>;

/// One record of a platform, in the neutral form its connector documents.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Record {
    /// The platform's own id.
    pub id: String,
    /// What it holds. Money, ids and other exact numbers are strings or numbers with their text kept.
    pub fields: Fields,
    /// When the platform says it last changed, by the platform's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<DateTime<Utc>>,
    /// The platform's own version, where it has one (else the text of its modification time).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether the platform says that it was deleted.
    #[serde(default)]
    pub deleted: bool,
}
