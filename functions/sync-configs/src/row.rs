//! Syncs and versions as callers see them.

use chrono::{DateTime, Utc};
use domain::{ConfigId, Fields, IntegrationId, ItemType, Platform, UserId};
use schemars::JsonSchema;
use serde::Serialize;
use store::PageOf;
use store::configs::{self, Config};

/// A sync.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The sync.
    pub id: ConfigId,
    /// What it is called.
    pub name: String,
    /// What kind of thing it syncs.
    pub item_type: ItemType,
    /// The account it reads.
    pub source_integration_id: IntegrationId,
    /// The account it writes.
    pub target_integration_id: IntegrationId,
    /// The source's platform.
    pub source_platform: Platform,
    /// The target's platform.
    pub target_platform: Platform,
    /// `unidirectional` or `bidirectional`.
    pub direction: String,
    /// Whether it works.
    pub enabled: bool,
    /// `batch` or `realtime`.
    pub mode: String,
    /// Five cron fields; null: only its list items, with every tick.
    pub schedule: Option<String>,
    /// The time zone that these are meant in.
    pub time_zone: String,
    /// Whether it was made for items of the list that name no sync.
    pub implicit: bool,
    /// Which version of the rules holds.
    pub version: i32,
    /// The rules; empty for the connectors' defaults.
    pub rules: Fields,
    /// The last slot of the schedule that was carried out.
    pub last_due_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// One page of syncs, newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Page {
    /// The syncs.
    pub data: Vec<Row>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// One version of a sync's rules.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// Its number, from 1.
    pub version: i32,
    /// The rules.
    pub rules: Fields,
    /// Who wrote them.
    pub created_by: Option<UserId>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// One page of versions, newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Versions {
    /// The versions.
    pub data: Vec<Version>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

impl From<Config> for Row {
    fn from(config: Config) -> Self {
        Self {
            id: config.id,
            name: config.name,
            item_type: config.item_type,
            source_integration_id: config.source_integration_id,
            target_integration_id: config.target_integration_id,
            source_platform: config.source_platform,
            target_platform: config.target_platform,
            direction: config.direction,
            enabled: config.enabled,
            mode: config.mode,
            schedule: config.schedule,
            time_zone: config.time_zone,
            implicit: config.implicit,
            version: config.current_version,
            rules: config.rules,
            last_due_at: config.last_due_at,
            created_at: config.created_at,
            updated_at: config.updated_at,
        }
    }
}

impl From<PageOf<Config>> for Page {
    fn from(page: PageOf<Config>) -> Self {
        let last = page.rows.last().filter(|_| page.has_more);
        let next_cursor = last.map(|row| edge::cursor::write(row.created_at, row.id));
        Self { next_cursor, has_more: page.has_more, data: page.rows.into_iter().map(Row::from).collect() }
    }
}

impl From<PageOf<configs::Version>> for Versions {
    fn from(page: PageOf<configs::Version>) -> Self {
        let last = page.rows.last().filter(|_| page.has_more);
        let next_cursor = last.map(|row| row.version.to_string());
        let data = page.rows.into_iter().map(|one| Version {
            version: one.version,
            rules: one.rules,
            created_by: one.created_by,
            created_at: one.created_at,
        });
        Self { next_cursor, has_more: page.has_more, data: data.collect() }
    }
}
