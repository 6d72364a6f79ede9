//! `sync-list`: the items that a user keeps in sync.

mod add;
mod row;

pub use add::{Input, Item, Output};
pub use row::{Page, Row};

use domain::{ConfigId, ItemId, ItemType, SyncMode};
use edge::describe::Operation;
use edge::{Call, Door, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Db;
use store::sync_list::{self, ItemChange, ListQuery};

/// Which items to show. What is absent does not narrow the choice.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Query {
    /// These items.
    pub ids: Option<Vec<ItemId>>,
    /// Items of this type.
    pub item_type: Option<ItemType>,
    /// Items whose last sync ended so: `success`, `failed`, `pending`, or `never`.
    pub status: Option<String>,
    /// Items that take part, or that do not.
    pub is_active: Option<bool>,
    /// Items of this sync.
    pub config_id: Option<ConfigId>,
    /// Where the page before ended (`next_cursor`).
    pub cursor: Option<String>,
    /// 1 to 1,000; 50 when absent.
    pub limit: Option<i32>,
}

/// What to change, of which items.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    /// The items, at most 1,000.
    pub ids: Vec<ItemId>,
    /// Which record of the target it is, of one item; an empty text forgets it, of any number of items: then the next run
    /// looks for it, and makes it where there is none.
    #[serde(default)]
    pub target_id: Option<String>,
    /// Delta or full.
    #[serde(default)]
    pub sync_mode: Option<SyncMode>,
    /// Whether they take part.
    #[serde(default)]
    pub is_active: Option<bool>,
    /// 1 (first) to 9.
    #[serde(default)]
    pub priority: Option<i16>,
    /// Five cron fields in UTC; an empty text for none: then they go with every tick.
    #[serde(default)]
    pub schedule: Option<String>,
    /// Only these fields of the target flow; an empty list for all.
    #[serde(default)]
    pub fields: Option<Vec<String>>,
}

/// Which items to remove.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Removal {
    /// The items, at most 1,000.
    pub ids: Vec<ItemId>,
}

/// The items as they are now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Changed {
    /// The items.
    pub data: Vec<Row>,
}

/// What was removed. Nothing changes on the platforms.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Removed {
    /// How many items.
    pub removed: usize,
}

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    edge::serve(request, Door::User).get(list).post(add::add).patch(change).delete(remove).answer().await
}

async fn list(call: Call<Query>) -> Result<Page, Problem> {
    let user = call.caller.user()?;
    let Query { ids, item_type, status, is_active, config_id, cursor, limit } = call.input;
    if status.as_deref().is_some_and(|status| !["success", "failed", "pending", "never"].contains(&status)) {
        return Err(Problem::invalid("/status", "This is one of success, failed, pending and never."));
    }
    let before = edge::cursor::read(cursor.as_deref())?;
    let query = ListQuery {
        ids,
        item_type,
        status,
        is_active,
        config_id,
        before,
        limit: edge::cursor::limit(limit)?,
    };
    let db = Db::open().await?;
    Ok(Page::from(sync_list::list(&db, &user.claims, &query).await?))
}

async fn change(call: Call<Change>) -> Result<Changed, Problem> {
    let user = call.caller.user()?;
    let Change { ids, target_id, sync_mode, is_active, priority, schedule, fields } = call.input;
    check_ids(&ids)?;
    if ids.len() > 1 && target_id.as_deref().is_some_and(|id| !id.is_empty()) {
        return Err(Problem::invalid("/targetId", "Two items cannot be the same record of the target."));
    }
    if priority.is_some_and(|priority| !(1..=9).contains(&priority)) {
        return Err(Problem::invalid("/priority", "This is a number from 1 (first) to 9."));
    }
    if let Some(schedule) = schedule.as_deref().filter(|schedule| !schedule.is_empty()) {
        domain::schedule::due(Some(schedule), ("UTC", &[]), None, call.now)
            .map_err(|error| Problem::invalid("/schedule", error.to_string()))?;
    }
    let change = ItemChange {
        target_id: target_id.map(|id| Some(id).filter(|id| !id.is_empty())),
        sync_mode,
        is_active,
        priority,
        schedule: schedule.map(|schedule| Some(schedule).filter(|schedule| !schedule.is_empty())),
        fields: fields.map(|fields| Some(fields).filter(|fields| !fields.is_empty())),
        filter_config: None,
    };
    let db = Db::open().await?;
    all_or_not_found(&ids, &sync_list::update(&db, &user.claims, &ids, &change).await?)?;
    let limit = i32::try_from(ids.len()).unwrap_or(1000);
    let query = ListQuery { ids: Some(ids), limit, ..ListQuery::default() };
    Ok(Changed { data: Page::from(sync_list::list(&db, &user.claims, &query).await?).data })
}

async fn remove(call: Call<Removal>) -> Result<Removed, Problem> {
    let user = call.caller.user()?;
    let ids = call.input.ids;
    check_ids(&ids)?;
    let db = Db::open().await?;
    let removed = sync_list::remove(&db, &user.claims, &ids).await?;
    all_or_not_found(&ids, &removed)?;
    Ok(Removed { removed: removed.len() })
}

fn check_ids(ids: &[ItemId]) -> Result<(), Problem> {
    match ids.len() {
        1..=1000 => Ok(()),
        0 => Err(Problem::invalid("/ids", "Name at least one item.")),
        _ => Err(Problem::invalid("/ids", "Name at most 1,000 items.")),
    }
}

/// Somebody else's items and items that do not exist are answered alike.
fn all_or_not_found(asked: &[ItemId], done: &[ItemId]) -> Result<(), Problem> {
    if asked.iter().all(|id| done.contains(id)) { Ok(()) } else { Err(Problem::not_found()) }
}

/// What it does, for `openapi`.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get(Door::User, list).summary("Shows items of the list, newest first."),
        Operation::post(Door::User, add::add)
            .summary("Puts items on the list: named ones, or all that a saved search finds."),
        Operation::patch(Door::User, change).summary("Changes items of the list."),
        Operation::delete(Door::User, remove).summary("Takes items off the list."),
    ]
}
