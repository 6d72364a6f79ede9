//! One account as callers see it: never a secret.

use chrono::{DateTime, Utc};
use domain::auth::CredentialKind;
use domain::{Fields, IntegrationId, Platform, Value};
use schemars::JsonSchema;
use serde::Serialize;
use store::PageOf;
use store::integrations::{Integration, Status};

/// One account.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The account.
    pub id: IntegrationId,
    /// What people call it.
    pub name: String,
    /// Which platform it is on.
    pub platform: Platform,
    /// Where it is.
    pub base_url: String,
    /// Its settings.
    pub config: Fields,
    /// What kind of credential it has; the credential itself is never shown.
    pub credential_kind: CredentialKind,
    /// `active`, `inactive`, or `error`: its credential was refused.
    pub status: Status,
    /// When it was last tested.
    pub last_test_time: Option<DateTime<Utc>>,
    /// How that went, step by step.
    pub last_test_result: Option<Value>,
    /// Requests per minute.
    pub rate_per_minute: i64,
    /// Requests per hour.
    pub rate_per_hour: i64,
    /// How often a request is tried again, 0 to 10.
    pub max_retries: u32,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// One page of accounts, newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Page {
    /// The accounts.
    pub data: Vec<Row>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

impl From<PageOf<Integration>> for Page {
    fn from(page: PageOf<Integration>) -> Self {
        let last = page.rows.last().filter(|_| page.has_more);
        let next_cursor = last.map(|row| edge::cursor::write(row.created_at, row.id));
        Self { next_cursor, has_more: page.has_more, data: page.rows.into_iter().map(Row::from).collect() }
    }
}

impl From<Integration> for Row {
    fn from(account: Integration) -> Self {
        Self {
            id: account.id,
            name: account.name,
            platform: account.platform,
            base_url: account.base_url,
            config: account.config,
            credential_kind: account.credential_kind,
            status: account.status,
            last_test_time: account.last_test_at,
            last_test_result: account.last_test_result,
            rate_per_minute: account.rate_per_minute,
            rate_per_hour: account.rate_per_hour,
            max_retries: account.max_retries,
            created_at: account.created_at,
            updated_at: account.updated_at,
        }
    }
}
