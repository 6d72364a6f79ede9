//! What HubSpot answers with, as far as we use it.

use domain::{Fields, Value};
use serde::Deserialize;

/// A contact.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Contact {
    pub(super) id: String,
    /// The properties that were asked for, all of them text or null.
    #[serde(default)]
    pub(super) properties: Fields,
    #[serde(default)]
    pub(super) archived: bool,
    #[serde(default)]
    pub(super) updated_at: Option<String>,
    /// What we named the record with in a batch.
    #[serde(default)]
    pub(super) object_write_trace_id: Option<String>,
}

impl Contact {
    /// A property's text; `None` when it is empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.properties.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }
}

/// A page of a list or of a search.
#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) results: Vec<Contact>,
    /// Absent on the last page.
    #[serde(default)]
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct Paging {
    #[serde(default)]
    next: Option<Next>,
}

#[derive(Deserialize)]
struct Next {
    after: String,
}

impl Listed {
    /// Where the next page begins; `None` on the last one.
    pub(super) fn next(&self) -> Option<&str> {
        Some(self.paging.as_ref()?.next.as_ref()?.after.as_str())
    }
}

/// The answer to a batch: what was done, and, with status 207, what was not.
#[derive(Deserialize)]
pub(super) struct Batch {
    /// `COMPLETE`, or that it is not.
    pub(super) status: String,
    pub(super) results: Vec<Contact>,
    /// One entry per reason, which says in its context which records it is about.
    #[serde(default)]
    pub(super) errors: Vec<Value>,
}

/// The account itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Details {
    pub(super) portal_id: Value,
    #[serde(default)]
    pub(super) company_currency: Option<String>,
}

/// The description of a property.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Property {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) has_unique_value: Option<bool>,
    #[serde(default)]
    pub(super) modification_metadata: Option<Modification>,
}

/// What may be changed of a property.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Modification {
    pub(super) read_only_value: bool,
}

impl Property {
    /// Whether its values may be written.
    pub(super) fn is_writable(&self) -> bool {
        !self.modification_metadata.as_ref().is_some_and(|metadata| metadata.read_only_value)
    }
}

/// All descriptions.
#[derive(Deserialize)]
pub(super) struct Properties {
    pub(super) results: Vec<Property>,
}
