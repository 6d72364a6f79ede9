//! What n8n answers with, as far as we use it.
//!
//! Everything else is passed over while reading: the nodes of a workflow hold texts of any length, and the data of an
//! execution holds what nobody else may see, such as the headers of the request that started it.

use crate::read;
use chrono::{DateTime, Utc};
use domain::Value;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// A part of the form we know; or of any other, which is passed over. Nothing of it stands in an error.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Loose<T> {
    /// As we know it.
    Known(T),
    /// Anything else.
    Other(IgnoredAny),
}

impl<T> Default for Loose<T> {
    fn default() -> Self {
        Self::Other(IgnoredAny)
    }
}

impl<T> Loose<T> {
    /// What is of the form we know.
    pub(super) fn known(&self) -> Option<&T> {
        match self {
            Self::Known(known) => Some(known),
            Self::Other(_) => None,
        }
    }
}

/// A page of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listing<T> {
    pub(super) data: Vec<T>,
    #[serde(default)]
    next_cursor: Value,
}

impl<T> Listing<T> {
    /// Where the next page begins; `None` on the last one.
    pub(super) fn next(&self) -> Option<String> {
        self.next_cursor.as_str().filter(|cursor| !cursor.is_empty()).map(str::to_owned)
    }
}

/// A workflow.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawWorkflow {
    pub(super) id: Value,
    pub(super) name: Value,
    pub(super) active: Value,
    pub(super) is_archived: Value,
    pub(super) created_at: Value,
    pub(super) updated_at: Value,
    pub(super) version_id: Value,
    pub(super) active_version_id: Value,
    pub(super) tags: Loose<Vec<Loose<RawTag>>>,
    pub(super) nodes: Loose<Vec<Loose<RawNode>>>,
    pub(super) active_version: Loose<RawVersion>,
    pub(super) settings: Loose<RawSettings>,
}

/// A version of a workflow.
#[derive(Deserialize)]
pub(super) struct RawVersion {
    pub(super) nodes: Vec<Loose<RawNode>>,
}

/// The settings of a workflow.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawSettings {
    #[serde(rename = "availableInMCP")]
    pub(super) in_mcp: Value,
}

/// A tag.
#[derive(Deserialize)]
pub(super) struct RawTag {
    pub(super) id: Value,
    pub(super) name: Value,
}

/// A node of a workflow.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawNode {
    pub(super) name: Value,
    #[serde(rename = "type")]
    pub(super) kind: Value,
    pub(super) disabled: Value,
    pub(super) webhook_id: Value,
    pub(super) parameters: Loose<RawParameters>,
}

/// The parameters of a node that make it a webhook.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawParameters {
    pub(super) http_method: Value,
    pub(super) path: Value,
}

/// An execution.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawExecution {
    pub(super) id: Value,
    pub(super) workflow_id: Value,
    pub(super) status: Value,
    pub(super) finished: Value,
    pub(super) mode: Value,
    pub(super) started_at: Value,
    pub(super) stopped_at: Value,
    pub(super) wait_till: Value,
    pub(super) retry_of: Value,
    pub(super) retry_success_id: Value,
    pub(super) data: Loose<RawData>,
    /// Only in what n8n tells by itself.
    pub(super) error: Loose<RawError>,
    /// Only in what n8n tells by itself.
    pub(super) last_node_executed: Value,
}

/// The data of an execution.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawData {
    pub(super) result_data: Loose<RawResult>,
}

/// The result of an execution.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawResult {
    pub(super) error: Loose<RawError>,
    pub(super) last_node_executed: Value,
}

/// Why an execution failed.
#[derive(Deserialize)]
pub(super) struct RawError {
    pub(super) message: String,
    #[serde(default)]
    pub(super) node: Loose<RawNode>,
}

/// What n8n tells by itself: the body that an error workflow or a callback sends.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawTold {
    pub(super) execution: Loose<RawExecution>,
    pub(super) workflow: Loose<RawWorkflow>,
}

/// A text that is not empty, also from a number.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A time; `None` for what is none.
pub(super) fn time(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str().and_then(|text| read::time(text).ok())
}
