//! Syncs: two accounts, a kind of item, rules in versions.

use crate::db::{sql, user_sql};
use crate::page::Rows;
use crate::runs::Direction;
use crate::{Claims, Db, PageOf, Result};
use chrono::{DateTime, Utc};
use domain::{ConfigId, Fields, IntegrationId, ItemType, OrgId, Platform, RunId, RunStatus, UserId};
use serde::{Deserialize, Serialize};

/// A sync with the rules it has now.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// The sync.
    pub id: ConfigId,
    /// Whose it is.
    pub user_id: UserId,
    /// The organization it is shared with.
    pub org_id: Option<OrgId>,
    /// What people call it.
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
    /// Five cron fields.
    pub schedule: Option<String>,
    /// In which these are meant.
    pub time_zone: String,
    /// Whether it was made for list rows that name no sync.
    pub implicit: bool,
    /// Which version of the rules holds.
    pub current_version: i32,
    /// Counts all changes.
    pub revision: i32,
    /// The rules; empty for the connectors' defaults.
    pub rules: Fields,
    /// The last slot of the schedule that was carried out.
    pub last_due_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which syncs to list, newest first.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ConfigQuery {
    /// Only this one.
    pub id: Option<ConfigId>,
    /// Only syncs of this kind of item.
    pub item_type: Option<ItemType>,
    /// Only syncs that work, or do not.
    pub enabled: Option<bool>,
    /// Only syncs older than the one at this place: `created_at` and id of the last row of the page before.
    pub before: Option<(DateTime<Utc>, ConfigId)>,
    /// How many, 1 to 1,000.
    pub limit: i32,
}

/// A sync to be made.
#[derive(Debug, Clone, Serialize)]
pub struct NewConfig {
    /// The organization to share it with.
    pub org_id: Option<OrgId>,
    /// What to call it.
    pub name: String,
    /// What kind of thing it syncs.
    pub item_type: ItemType,
    /// The account it reads.
    pub source_integration_id: IntegrationId,
    /// The account it writes.
    pub target_integration_id: IntegrationId,
    /// `unidirectional` or `bidirectional`.
    pub direction: Option<String>,
    /// Whether it works.
    pub enabled: Option<bool>,
    /// `batch` or `realtime`.
    pub mode: Option<String>,
    /// Five cron fields.
    pub schedule: Option<String>,
    /// In which these are meant.
    pub time_zone: Option<String>,
    /// The rules.
    pub rules: Fields,
}

/// A change of a sync. What is `None` stays.
#[derive(Debug, Clone, Serialize)]
pub struct ConfigChange {
    /// The sync.
    pub id: ConfigId,
    /// The revision that the caller saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<i32>,
    /// What to call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `unidirectional` or `bidirectional`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// Whether it works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// `batch` or `realtime`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Five cron fields; an empty text for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// In which these are meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// All of the rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<Fields>,
    /// A version whose rules are to hold again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore: Option<i32>,
}

/// One version of a sync's rules.
#[derive(Debug, Clone, Deserialize)]
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

#[derive(Serialize)]
struct Named {
    id: ConfigId,
}

#[derive(Deserialize)]
struct Known {
    id: Option<ConfigId>,
}

/// The syncs that this user may see.
pub async fn list(db: &Db, claims: &Claims, query: &ConfigQuery) -> Result<PageOf<Config>> {
    let rows: Rows<Config> = db.call_as(claims, user_sql!("configs/list"), query).await?;
    Ok(PageOf::cut(rows, query.limit))
}

/// One sync; `None` if there is none that this user may see.
pub async fn get(db: &Db, claims: &Claims, id: ConfigId) -> Result<Option<Config>> {
    let query = ConfigQuery { id: Some(id), limit: 1, ..ConfigQuery::default() };
    Ok(list(db, claims, &query).await?.rows.into_iter().next())
}

/// Makes a sync. `None` never comes; a refusal is [`crate::Error::Refused`].
pub async fn create(db: &Db, claims: &Claims, input: &NewConfig) -> Result<Option<ConfigId>> {
    Ok(db.call_as::<_, Known>(claims, user_sql!("configs/create"), input).await?.id)
}

/// Changes a sync; `false` if there is none that this user may change.
pub async fn update(db: &Db, claims: &Claims, input: &ConfigChange) -> Result<bool> {
    Ok(db.call_as::<_, Known>(claims, user_sql!("configs/update"), input).await?.id.is_some())
}

/// Deletes a sync; `false` if there is none that this user may delete.
///
/// # Errors
/// [`crate::Error::Constraint`] while items of the list belong to it.
pub async fn delete(db: &Db, claims: &Claims, id: ConfigId) -> Result<bool> {
    #[derive(Deserialize)]
    struct Answer {
        deleted: bool,
    }
    Ok(db.call_as::<_, Answer>(claims, user_sql!("configs/delete"), &Named { id }).await?.deleted)
}

/// The versions of a sync's rules, newest first; `before` is the last one of the page before.
pub async fn versions(
    db: &Db,
    claims: &Claims,
    id: ConfigId,
    before: Option<i32>,
    limit: i32,
) -> Result<PageOf<Version>> {
    #[derive(Serialize)]
    struct Input {
        id: ConfigId,
        before: Option<i32>,
        limit: i32,
    }
    let rows: Rows<Version> =
        db.call_as(claims, user_sql!("configs/versions"), &Input { id, before, limit }).await?;
    Ok(PageOf::cut(rows, limit))
}

/// The syncs that this user may have carried out, at most 100, the newest first.
pub async fn permitted(
    db: &Db,
    claims: &Claims,
    id: Option<ConfigId>,
    item_type: Option<ItemType>,
    direction: Option<Direction>,
) -> Result<Vec<ConfigId>> {
    #[derive(Serialize)]
    struct Input {
        id: Option<ConfigId>,
        item_type: Option<ItemType>,
        direction: Option<Direction>,
    }
    #[derive(Deserialize)]
    struct Answer {
        config_ids: Vec<ConfigId>,
    }
    let input = Input { id, item_type, direction };
    Ok(db.call_as::<_, Answer>(claims, user_sql!("configs/permitted"), &input).await?.config_ids)
}

/// How a sync stands.
#[derive(Debug, Clone, Deserialize)]
pub struct Standing {
    /// The sync.
    pub config_id: ConfigId,
    /// The run that is at work.
    pub running_run_id: Option<RunId>,
    /// The last run that ended.
    pub last_run: Option<LastRun>,
    /// Runs that ended in the last 30 days.
    pub runs: u64,
    /// Those of them with nothing left to do.
    pub runs_succeeded: u64,
    /// Records that these brought up to date, or found so.
    pub records_synced: u64,
    /// Records that failed in them.
    pub errors: u64,
    /// When a run last came to its end.
    pub last_sync_at: Option<DateTime<Utc>>,
    /// Milliseconds per record.
    pub average_ms: Option<f64>,
    /// Records that fail.
    pub open_issues: u64,
    /// Records that wait for a person.
    pub pending_conflicts: u64,
    /// Up to which time of the platforms themselves changes were seen.
    pub cursor_at: Option<DateTime<Utc>>,
    /// Jobs that wait.
    pub jobs_waiting: u64,
    /// The last ten records that fail.
    pub last_errors: Vec<LastError>,
}

/// How a run ended.
#[derive(Debug, Clone, Deserialize)]
pub struct LastRun {
    /// The run.
    pub run_id: RunId,
    /// How it ended.
    pub status: RunStatus,
    /// Why it ended badly, as a code.
    pub reason: Option<String>,
    /// The same for people.
    pub message: Option<String>,
    /// When.
    pub finished_at: Option<DateTime<Utc>>,
}

/// One record that fails.
#[derive(Debug, Clone, Deserialize)]
pub struct LastError {
    /// The source platform's id.
    pub source_id: String,
    /// The vendor's code, or ours.
    pub code: String,
    /// For people.
    pub message: String,
    /// When it failed last.
    pub at: DateTime<Utc>,
}

/// How these syncs stand. Whether the caller may see them, the function has asked before.
pub async fn standing(db: &Db, ids: &[ConfigId]) -> Result<Vec<Standing>> {
    #[derive(Serialize)]
    struct Input<'a> {
        ids: &'a [ConfigId],
    }
    #[derive(Deserialize)]
    struct Answer {
        rows: Vec<Standing>,
    }
    Ok(db.call::<_, Answer>(sql!("configs/status"), &Input { ids }).await?.rows)
}

/// Asks the runs of a sync that are at work to stop; answers how many there were. Only the user's own runs, and those
/// of organizations where they are operators.
pub async fn stop_runs(db: &Db, claims: &Claims, config_id: ConfigId) -> Result<u64> {
    #[derive(Serialize)]
    struct Input {
        config_id: ConfigId,
    }
    #[derive(Deserialize)]
    struct Answer {
        cancelled: u64,
    }
    let answer: Answer = db.call_as(claims, user_sql!("configs/stop"), &Input { config_id }).await?;
    Ok(answer.cancelled)
}
