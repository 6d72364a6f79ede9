//! What a run decided, to decide it again.

use super::Direction;
use crate::db::user_sql;
use crate::page::Rows;
use crate::{Claims, Db, PageOf, Result};
use chrono::{DateTime, Utc};
use domain::{ConfigId, Fields, ItemType, Platform, RunId, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Which decisions of which run.
#[derive(Debug, Clone, Serialize)]
pub struct ReplayQuery {
    /// The run; of a run above, all syncs below it.
    pub run_id: RunId,
    /// Another version of the sync's rules than the run's.
    pub version: Option<i32>,
    /// Only those behind this place: `created_at` and id of the last row of the page before.
    pub after: Option<(DateTime<Utc>, Uuid)>,
    /// How many, 1 to 1,000.
    pub limit: i32,
}

/// A sync of the run, with the rules to decide by.
#[derive(Debug, Clone, Deserialize)]
pub struct ReplaySync {
    /// Its run.
    pub run_id: RunId,
    /// The sync.
    pub config_id: ConfigId,
    /// What kind of thing its records are.
    pub item_type: ItemType,
    /// Which ways it goes.
    pub direction: Direction,
    /// The source's platform.
    pub source_platform: Platform,
    /// The target's platform.
    pub target_platform: Platform,
    /// The version of the rules.
    pub version: i32,
    /// The rules.
    pub rules: Fields,
}

/// One decision of the run.
#[derive(Debug, Clone, Deserialize)]
pub struct ReplayRow {
    /// The event.
    pub id: Uuid,
    /// The run of the sync.
    pub run_id: RunId,
    /// The source platform's id.
    pub source_id: String,
    /// How the record ended.
    pub outcome: String,
    /// Why, field by field.
    #[serde(default)]
    pub changes: Value,
    /// All that was decided on.
    pub inputs: Value,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A run's decisions, in their order, with the rules of its syncs. `None`: there is no such run, it is not for this user
/// to see, or its sync has no such version.
pub async fn replay(
    db: &Db,
    claims: &Claims,
    query: &ReplayQuery,
) -> Result<Option<(Vec<ReplaySync>, PageOf<ReplayRow>)>> {
    #[derive(Deserialize)]
    struct Answer {
        syncs: Vec<ReplaySync>,
        rows: Vec<ReplayRow>,
    }
    let answer: Option<Answer> = db.call_as(claims, user_sql!("runs/replay"), query).await?;
    Ok(answer.map(|Answer { syncs, rows }| (syncs, PageOf::cut(Rows::from(rows), query.limit))))
}
