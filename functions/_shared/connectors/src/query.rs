//! What goes into a connector and what comes out.

use chrono::{DateTime, Utc};
use domain::auth::CredentialKind;
use domain::{Fields, ItemType, Record, Value};
use serde::{Deserialize, Serialize};
use url::Url;

/// A connected account: where it is and how it is set up. Holds no secret.
#[derive(Debug, Clone)]
pub struct Account {
    /// The account's base address, without a trailing slash: `https://acme.myshopify.com`.
    pub base_url: Url,
    /// Which kind of credential it has.
    pub credential: CredentialKind,
    /// The integration's settings (`integrations.config`): API version, time zone, locations, custom field names.
    pub settings: Fields,
}

impl Account {
    /// A text setting, or its default.
    pub fn setting<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        self.settings.get(name).and_then(Value::as_str).unwrap_or(default)
    }
}

/// What a platform can do with one kind of item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a capability is a list of yes and no")]
pub struct Capability {
    /// It lists records by time of change.
    pub list: bool,
    /// It is searched by an identifying field.
    pub find: bool,
    /// It takes new records and changes.
    pub write: bool,
    /// It deletes.
    pub delete: bool,
    /// It tells what it holds after a write in the same reply (else we read back).
    pub answers_writes: bool,
}

/// How much at once, and how many side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Records in one page of a listing.
    pub page: usize,
    /// Ids in one read.
    pub read: usize,
    /// Keys in one search.
    pub find: usize,
    /// Records in one write.
    pub write: usize,
    /// Requests side by side for one account.
    pub concurrency: usize,
}

impl Limits {
    /// One of everything: for kinds of item that a platform does not have.
    pub const ONE: Self = Self { page: 1, read: 1, find: 1, write: 1, concurrency: 1 };
}

/// What a reply says about the platform's own budget, where that is counted in cost points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gauge {
    /// Points that are there now.
    pub points: f64,
    /// How many there can be.
    pub capacity: f64,
    /// How many come back per second.
    pub per_second: f64,
}

/// Which records to list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListQuery {
    /// The kind of item.
    pub item_type: ItemType,
    /// Only those the platform changed at or after this time (the look-back is already taken off).
    pub since: Option<DateTime<Utc>>,
    /// Only those that match.
    pub filter: Filter,
    /// Where the last page ended, as that page said.
    pub page: Option<String>,
    /// Records wanted; the connector takes no more than its [`Limits::page`].
    pub limit: usize,
}

/// A saved search, as `filter_config` writes it. What is absent does not narrow the choice.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Filter {
    /// One of these states (`active`, `draft`, `archived`; the connector knows its vendor's words).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<String>,
    /// At least this price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_min: Option<serde_json::Number>,
    /// At most this price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_max: Option<serde_json::Number>,
    /// This category (Shopify: product type; NetSuite: class).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Changed at or after this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_after: Option<DateTime<Utc>>,
    /// Words in the title, name or SKU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The records, in the platform's order.
    pub records: Vec<Record>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
}

/// Values of one identifying field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// The external key that we gave the record when we made it.
    External(Vec<String>),
    /// A field of the neutral record, by its name: `handle`, `sku`, `itemId`.
    Field {
        /// The field.
        name: String,
        /// The values looked for.
        values: Vec<String>,
    },
}

/// One record to be written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Write {
    /// The platform's id; `None` to create.
    pub id: Option<String>,
    /// Our external key for the record: letters, digits, `_` and `-`, at most 60 characters, the same for every
    /// attempt. A create is found again by it.
    pub external_key: String,
    /// A create: every field. An update: the fields that change, each with its whole new value.
    pub fields: Fields,
    /// An update: what the record holds now, as last read. Empty for a create.
    pub current: Fields,
    /// The version the decision was made on, where the platform can compare and swap.
    pub expected_version: Option<String>,
    /// The idempotency key of this very content: a UUID, the same for every attempt at it.
    pub idempotency_key: String,
}

/// What became of a written record.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Written {
    /// The platform's id.
    pub id: String,
    /// What the record holds now, where the reply says it; else it is read back.
    pub now: Option<Record>,
}

/// An access token and how long it is good for.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The token. Never logged: this type has no `Debug`.
    pub access_token: String,
    /// Seconds from now.
    pub expires_in: u64,
}

/// A kind of object on a platform, as it describes itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaObject {
    /// Our name for it.
    pub item_type: ItemType,
    /// Its fields.
    pub fields: Vec<SchemaField>,
}

/// One field of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaField {
    /// Its path in the neutral record.
    pub path: String,
    /// `text`, `number`, `money`, `boolean`, `time`, `list` or `object`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether we may write it.
    pub writable: bool,
    /// Whether a new record must have it.
    pub required: bool,
}

/// What a test of a connection found out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TestReport {
    /// The account's own name.
    pub account_name: String,
    /// The account's currency, where it has one.
    pub currency: Option<String>,
    /// Permissions that we need and the credential lacks; empty when all is well.
    pub missing_permissions: Vec<String>,
    /// What a person should know: an API version that fell forward, a quota nearly used up.
    pub warnings: Vec<String>,
}
