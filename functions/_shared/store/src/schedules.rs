//! What may be due with a tick of the clock, user by user.

use crate::db::sql;
use crate::{Db, Result};
use chrono::{DateTime, Utc};
use domain::schedule::Window;
use domain::{ConfigId, ItemId, UserId};
use serde::{Deserialize, Serialize};

/// Up to a hundred users, in the order of their ids.
#[derive(Debug, Clone, Deserialize)]
pub struct Due {
    /// The users, and what of theirs may be due.
    pub users: Vec<DueUser>,
    /// Whether there are more users after the last of them.
    pub more: bool,
}

/// What of one user's may be due.
#[derive(Debug, Clone, Deserialize)]
pub struct DueUser {
    /// The user.
    pub user_id: UserId,
    /// Active items without a schedule: they go with every tick. At most 20,000, those that waited longest.
    pub item_ids: Vec<ItemId>,
    /// Active items with a schedule of their own, or with hours.
    pub scheduled: Vec<ScheduledItem>,
    /// Syncs with a schedule: they look at whatever changed.
    pub configs: Vec<ScheduledConfig>,
}

/// An item with a schedule of its own, or of a sync that works in certain hours only.
#[derive(Debug, Clone, Deserialize)]
pub struct ScheduledItem {
    /// The item.
    pub item_id: ItemId,
    /// Five cron fields; `None`: with every tick inside the windows.
    pub schedule: Option<String>,
    /// In which they are meant.
    pub time_zone: String,
    /// When it was last looked at.
    pub last_checked_at: Option<DateTime<Utc>>,
    /// Only while all of these are open.
    pub windows: Vec<Window>,
}

/// A sync with a schedule.
#[derive(Debug, Clone, Deserialize)]
pub struct ScheduledConfig {
    /// The sync.
    pub config_id: ConfigId,
    /// Five cron fields.
    pub schedule: String,
    /// In which they are meant.
    pub time_zone: String,
    /// The slot that was followed last.
    pub last_due_at: Option<DateTime<Utc>>,
    /// Only while all of these are open.
    pub windows: Vec<Window>,
}

/// The next users with something that may be due, after the user with this id.
pub async fn due(db: &Db, after: Option<UserId>) -> Result<Due> {
    #[derive(Serialize)]
    struct Input {
        after_user_id: Option<UserId>,
    }
    db.call(sql!("schedules/due"), &Input { after_user_id: after }).await
}

/// Notes that the slot of a sync's schedule is being followed. `false`: somebody else was first.
pub async fn mark_due(db: &Db, config: &ScheduledConfig, due_at: DateTime<Utc>) -> Result<bool> {
    #[derive(Serialize)]
    struct Input {
        config_id: ConfigId,
        last_due_at: Option<DateTime<Utc>>,
        due_at: DateTime<Utc>,
    }
    #[derive(Deserialize)]
    struct Answer {
        marked: bool,
    }
    let input = Input { config_id: config.config_id, last_due_at: config.last_due_at, due_at };
    Ok(db.call::<_, Answer>(sql!("schedules/mark_due"), &input).await?.marked)
}
