//! Records that are gone on one side, and what becomes of their counterparts.

use crate::db::{sql, user_sql};
use crate::page::Rows;
use crate::runs::SideName;
use crate::{Claims, Db, PageOf, Result};
use chrono::{DateTime, Utc};
use domain::{ConfigId, DeleteId, Fields, ItemId, ItemType, RunId, UserId};
use serde::{Deserialize, Serialize};

/// Asks for what is found gone, and for what was approved since.
#[derive(Debug, Clone, Serialize)]
pub struct DueDeletes<'a> {
    /// The run of one sync.
    pub run_id: RunId,
    /// As the run was opened or resumed with.
    pub fence: i64,
    /// Only those behind this id at the source.
    pub after: Option<&'a str>,
    /// How long the lease lasts from now, in seconds.
    pub lease_seconds: i32,
}

/// What a run has to settle.
#[derive(Debug, Clone, Deserialize)]
pub struct Due {
    /// The lease was lost: stop, write nothing more.
    pub lost: bool,
    /// How many pairs the sync has.
    pub linked: u64,
    /// How many of them are gone on one side, not approved by a person.
    pub open: u64,
    /// At most 1,000 of them, by their ids at the source.
    pub rows: Vec<Gone>,
}

/// A pair of which one side is gone.
#[derive(Debug, Clone, Deserialize)]
pub struct Gone {
    /// Its row of the sync list.
    pub item_id: Option<ItemId>,
    /// The source platform's id.
    pub source_id: String,
    /// The target platform's id.
    pub target_id: String,
    /// Where it is gone.
    pub side: SideName,
    /// `tombstone` or `not_found`.
    pub reason: String,
    /// A person has said so.
    pub approved: bool,
    /// This run has not looked at it itself: a run that was cut off has left it, or a person has decided since.
    pub again: bool,
    /// The mapped view of the source when both sides last agreed.
    pub base_source: Option<Fields>,
    /// What the target held then.
    pub base_target: Option<Fields>,
}

/// What is found gone, page by page.
pub async fn due(db: &Db, input: &DueDeletes<'_>) -> Result<Due> {
    db.call(sql!("deletes/due"), input).await
}

/// One record that is gone, for people.
#[derive(Debug, Clone, Deserialize)]
pub struct Delete {
    /// The question.
    pub id: DeleteId,
    /// The sync.
    pub config_id: ConfigId,
    /// The run that met it last.
    pub run_id: Option<RunId>,
    /// Its row of the sync list.
    pub item_id: Option<ItemId>,
    /// What kind of thing it is.
    pub item_type: ItemType,
    /// The source platform's id.
    pub source_id: String,
    /// The target platform's id.
    pub target_id: String,
    /// Where it is gone: `source` or `target`.
    pub gone_side: String,
    /// `tombstone` (the platform says so) or `not_found` (asked for by its id in two runs).
    pub reason: String,
    /// What the sync does about it: `archive`, `delete` or `unlink`.
    pub policy: String,
    /// `found`, `held`, `approved`, `done`, `kept` or `settled`.
    pub status: String,
    /// Why it waits, as a code.
    pub code: Option<String>,
    /// Why it waits, for people.
    pub message: Option<String>,
    /// Who decided.
    pub decided_by: Option<UserId>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
    /// When it was found.
    pub created_at: DateTime<Utc>,
    /// When it was last met.
    pub updated_at: DateTime<Utc>,
}

/// Which of them to list, newest first.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DeleteQuery {
    /// Only these.
    pub ids: Option<Vec<DeleteId>>,
    /// Only those of this sync.
    pub config_id: Option<ConfigId>,
    /// Only those in this state.
    pub status: Option<String>,
    /// Only those older than the one at this place: `created_at` and id of the last row of the page before.
    pub before: Option<(DateTime<Utc>, DeleteId)>,
    /// How many, 1 to 1,000.
    pub limit: i32,
}

/// The deletes that this user may see.
pub async fn list(db: &Db, claims: &Claims, query: &DeleteQuery) -> Result<PageOf<Delete>> {
    let rows: Rows<Delete> = db.call_as(claims, user_sql!("deletes/list"), query).await?;
    Ok(PageOf::cut(rows, query.limit))
}

/// A person's decision.
#[derive(Debug, Clone, Serialize)]
pub struct Decision {
    /// About these; `None`: about all of the sync that wait.
    pub ids: Option<Vec<DeleteId>>,
    /// The sync, where no ids are given.
    pub config_id: Option<ConfigId>,
    /// Whether the counterparts are deleted, or kept.
    pub approved: bool,
}

/// A record that a decision is about.
#[derive(Debug, Clone, Deserialize)]
pub struct Decided {
    /// The question.
    pub id: DeleteId,
    /// The sync.
    pub config_id: ConfigId,
}

/// Stores what a person decided, for all of these or none. `None`: one of them is not theirs to decide.
///
/// # Errors
/// [`crate::Error::Constraint`] when one does not wait for a decision.
pub async fn decide(db: &Db, claims: &Claims, decision: &Decision) -> Result<Option<Vec<Decided>>> {
    #[derive(Deserialize)]
    struct Answer {
        decided: Option<Vec<Decided>>,
    }
    Ok(db.call_as::<_, Answer>(claims, user_sql!("deletes/decide"), decision).await?.decided)
}
