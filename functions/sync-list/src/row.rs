//! One item of the list as callers see it.

use chrono::{DateTime, Utc};
use domain::{ConfigId, Fields, IntegrationId, ItemId, ItemType, SyncMode};
use schemars::JsonSchema;
use serde::Serialize;
use store::PageOf;
use store::sync_list::ListItem;

/// One item.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The item.
    pub id: ItemId,
    /// What kind of thing it is.
    pub item_type: ItemType,
    /// The platform it comes from.
    pub source_platform: String,
    /// The platform it goes to.
    pub target_platform: String,
    /// The account it comes from.
    pub source_integration_id: IntegrationId,
    /// The account it goes to.
    pub target_integration_id: IntegrationId,
    /// The sync it belongs to.
    pub config_id: ConfigId,
    /// Its id at the source.
    pub source_id: String,
    /// Its id at the target, once it is there.
    pub target_id: Option<String>,
    /// Delta or full.
    pub sync_mode: SyncMode,
    /// Whether it takes part.
    pub is_active: bool,
    /// 1 (first) to 9.
    pub priority: i16,
    /// Five cron fields, if it has a schedule of its own.
    pub schedule: Option<String>,
    /// Only these fields of the target flow, if any are named.
    pub fields: Option<Vec<String>>,
    /// The filter that found it.
    pub filter_config: Option<Fields>,
    /// Name, SKU, price.
    pub metadata: Fields,
    /// When both sides last agreed.
    pub last_synced_at: Option<DateTime<Utc>>,
    /// `success`, `failed`, `pending`, or nothing yet.
    pub last_sync_status: Option<String>,
    /// What was wrong.
    pub error_message: Option<String>,
    /// When it was put on the list.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// One page of the list, newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Page {
    /// The items.
    pub data: Vec<Row>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

impl From<PageOf<ListItem>> for Page {
    fn from(page: PageOf<ListItem>) -> Self {
        let last = page.rows.last().filter(|_| page.has_more);
        let next_cursor = last.map(|row| edge::cursor::write(row.created_at, row.id));
        Self { next_cursor, has_more: page.has_more, data: page.rows.into_iter().map(Row::from).collect() }
    }
}

impl From<ListItem> for Row {
    fn from(item: ListItem) -> Self {
        Self {
            id: item.id,
            item_type: item.item_type,
            source_platform: item.source_platform,
            target_platform: item.target_platform,
            source_integration_id: item.source_integration_id,
            target_integration_id: item.target_integration_id,
            config_id: item.config_id,
            source_id: item.source_id,
            target_id: item.target_id,
            sync_mode: item.sync_mode,
            is_active: item.is_active,
            priority: item.priority,
            schedule: item.schedule,
            fields: item.fields,
            filter_config: item.filter_config,
            metadata: item.metadata,
            last_synced_at: item.last_synced_at,
            last_sync_status: item.last_sync_status,
            error_message: item.error_message,
            created_at: item.created_at,
            updated_at: item.updated_at,
        }
    }
}
