//! The sync list: the items that people want kept equal.

use crate::db::user_sql;
use crate::page::Rows;
use crate::{Claims, Db, PageOf, Result};
use chrono::{DateTime, Utc};
use domain::{ConfigId, Fields, IntegrationId, ItemId, ItemType, OrgId, SyncMode, UserId};
use serde::{Deserialize, Serialize};

/// Which items shall be synced. What is absent does not narrow the choice.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Choose {
    /// Only these; `None` or none: all.
    pub ids: Option<Vec<ItemId>>,
    /// Only items of this type.
    pub item_type: Option<ItemType>,
}

/// Which items may be synced now.
#[derive(Debug, Clone, Deserialize)]
pub struct Chosen {
    /// Active, and the user's own or their organization's (as operator). Those that waited longest come first; at most
    /// 50,000.
    pub item_ids: Vec<ItemId>,
    /// Named, but not to be seen, switched off, or of another type.
    pub missing: Vec<ItemId>,
}

/// One item of the list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListItem {
    /// The item.
    pub id: ItemId,
    /// Whose it is.
    pub user_id: UserId,
    /// The organization that shares it.
    pub org_id: Option<OrgId>,
    /// What kind of thing it is.
    pub item_type: ItemType,
    /// Where it comes from.
    pub source_platform: String,
    /// Where it goes.
    pub target_platform: String,
    /// The account it comes from.
    pub source_integration_id: IntegrationId,
    /// The account it goes to.
    pub target_integration_id: IntegrationId,
    /// The sync it belongs to.
    pub config_id: ConfigId,
    /// The source platform's id.
    pub source_id: String,
    /// The target platform's id; `None`: not there yet.
    pub target_id: Option<String>,
    /// How it is looked at.
    pub sync_mode: SyncMode,
    /// Whether it takes part.
    pub is_active: bool,
    /// 1 (first) to 9.
    pub priority: i16,
    /// Five cron fields; `None`: with every tick.
    pub schedule: Option<String>,
    /// Only these target fields flow; `None`: all.
    pub fields: Option<Vec<String>>,
    /// The filter that found it.
    pub filter_config: Option<Fields>,
    /// What people recognise it by: name, sku, price.
    pub metadata: Fields,
    /// When both sides last agreed.
    pub last_synced_at: Option<DateTime<Utc>>,
    /// When it was last looked at.
    pub last_checked_at: Option<DateTime<Utc>>,
    /// `success`, `failed`, `pending`, or `None`: never.
    pub last_sync_status: Option<String>,
    /// What was wrong, for people.
    pub error_message: Option<String>,
    /// When it was put on the list.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which items to list, newest first.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ListQuery {
    /// Only these.
    pub ids: Option<Vec<ItemId>>,
    /// Only items of this type.
    pub item_type: Option<ItemType>,
    /// Only items with this status: `success`, `failed`, `pending` or `never`.
    pub status: Option<String>,
    /// Only items that take part, or do not.
    pub is_active: Option<bool>,
    /// Only items of this sync.
    pub config_id: Option<ConfigId>,
    /// Only items older than the one at this place: `created_at` and id of the last row of the page before.
    pub before: Option<(DateTime<Utc>, ItemId)>,
    /// How many, 1 to 1,000.
    pub limit: i32,
}

/// An item to be put on the list.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NewItem {
    /// The organization to share it with.
    pub org_id: Option<OrgId>,
    /// What kind of thing it is; `None` where `config_id` says so.
    pub item_type: Option<ItemType>,
    /// Where it comes from; enough if the user has one account there.
    pub source_platform: Option<String>,
    /// Where it goes; enough if the user has one account there.
    pub target_platform: Option<String>,
    /// The account it comes from.
    pub source_integration_id: Option<IntegrationId>,
    /// The account it goes to.
    pub target_integration_id: Option<IntegrationId>,
    /// The sync it belongs to; decides type and accounts.
    pub config_id: Option<ConfigId>,
    /// The source platform's id.
    pub source_id: String,
    /// The record of the target that it is; `None`: it is looked for, and made.
    pub target_id: Option<String>,
    /// How it is looked at; `None`: delta.
    pub sync_mode: Option<SyncMode>,
    /// Whether it takes part; `None`: it does.
    pub is_active: Option<bool>,
    /// 1 (first) to 9; `None`: 5.
    pub priority: Option<i16>,
    /// Five cron fields.
    pub schedule: Option<String>,
    /// Only these target fields flow.
    pub fields: Option<Vec<String>>,
    /// The filter that found it.
    pub filter_config: Option<Fields>,
    /// What people recognise it by.
    pub metadata: Option<Fields>,
}

/// A change of items. What is `None` stays; `Some(None)` clears.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ItemChange {
    /// Which record of the target they are; cleared, it is looked for and made anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_id: Option<Option<String>>,
    /// How they are looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_mode: Option<SyncMode>,
    /// Whether they take part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// 1 (first) to 9.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i16>,
    /// Five cron fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Option<String>>,
    /// Only these target fields flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Option<Vec<String>>>,
    /// The filter that found them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter_config: Option<Option<Fields>>,
}

/// What became of new items.
#[derive(Debug, Clone, Deserialize)]
pub struct Added {
    /// The new ones.
    pub added: Vec<ItemId>,
    /// How many were on the list already; they stay as they are.
    pub already: u64,
}

/// Which records of a source are on the list.
#[derive(Debug, Clone, Serialize)]
pub struct KnownSources<'a> {
    /// The account they come from.
    pub source_integration_id: IntegrationId,
    /// The account they go to; `None`: any.
    pub target_integration_id: Option<IntegrationId>,
    /// What kind of thing they are.
    pub item_type: ItemType,
    /// The source platform's ids.
    pub source_ids: &'a [String],
}

/// A record that is on the list.
#[derive(Debug, Clone, Deserialize)]
pub struct KnownSource {
    /// The source platform's id.
    pub source_id: String,
    /// The item.
    pub item_id: ItemId,
}

#[derive(Serialize)]
struct Ids<'a> {
    ids: &'a [ItemId],
}

/// The items that this user may have synced now.
pub async fn choose(db: &Db, claims: &Claims, input: &Choose) -> Result<Chosen> {
    db.call_as(claims, user_sql!("sync_list/choose"), input).await
}

/// The items that this user may see.
pub async fn list(db: &Db, claims: &Claims, query: &ListQuery) -> Result<PageOf<ListItem>> {
    let rows: Rows<ListItem> = db.call_as(claims, user_sql!("sync_list/list"), query).await?;
    Ok(PageOf::cut(rows, query.limit))
}

/// Puts items on the user's list: all of them, or none.
///
/// # Errors
/// [`crate::Error::Refused`] where an account or a sync cannot be told, with the field it is about.
pub async fn add(db: &Db, claims: &Claims, items: &[NewItem]) -> Result<Added> {
    #[derive(Serialize)]
    struct Input<'a> {
        items: &'a [NewItem],
    }
    db.call_as(claims, user_sql!("sync_list/add"), &Input { items }).await
}

/// Changes items; answers those that the user may change.
pub async fn update(db: &Db, claims: &Claims, ids: &[ItemId], change: &ItemChange) -> Result<Vec<ItemId>> {
    #[derive(Serialize)]
    struct Input<'a> {
        ids: &'a [ItemId],
        change: &'a ItemChange,
    }
    #[derive(Deserialize)]
    struct Answer {
        updated: Vec<ItemId>,
    }
    Ok(db.call_as::<_, Answer>(claims, user_sql!("sync_list/update"), &Input { ids, change }).await?.updated)
}

/// Takes items off the list; answers those that the user may remove. Nothing changes on the platforms.
pub async fn remove(db: &Db, claims: &Claims, ids: &[ItemId]) -> Result<Vec<ItemId>> {
    #[derive(Deserialize)]
    struct Answer {
        removed: Vec<ItemId>,
    }
    Ok(db.call_as::<_, Answer>(claims, user_sql!("sync_list/remove"), &Ids { ids }).await?.removed)
}

/// Which of these records are on the list already.
pub async fn known_sources(db: &Db, claims: &Claims, input: &KnownSources<'_>) -> Result<Vec<KnownSource>> {
    #[derive(Deserialize)]
    struct Answer {
        items: Vec<KnownSource>,
    }
    Ok(db.call_as::<_, Answer>(claims, user_sql!("sync_list/known_sources"), input).await?.items)
}
