//! Conflicts: records that a person must look at before anything is written.

use crate::db::user_sql;
use crate::page::Rows;
use crate::{Claims, Db, PageOf, Result};
use chrono::{DateTime, Utc};
use domain::decide::Choice;
use domain::{ConfigId, ConflictId, ItemId, ItemType, RunId, UserId, Value};
use serde::{Deserialize, Serialize};

/// One record that waits for a person, or did.
#[derive(Debug, Clone, Deserialize)]
pub struct Conflict {
    /// The conflict.
    pub id: ConflictId,
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
    pub target_id: Option<String>,
    /// `conflicted` (both sides changed a field) or `held` (something else).
    pub kind: String,
    /// Why, as a code.
    pub reason: Option<String>,
    /// Why, for people.
    pub message: Option<String>,
    /// Per field: base, source, target, rule. Values about a person are masked.
    #[serde(default)]
    pub changes: Value,
    /// `pending`, `resolved` (a person decided) or `settled` (both sides agreed by themselves).
    pub status: String,
    /// What was decided.
    #[serde(default)]
    pub resolution: Value,
    /// Who decided.
    pub resolved_by: Option<UserId>,
    /// When it was over.
    pub resolved_at: Option<DateTime<Utc>>,
    /// When it was first met.
    pub created_at: DateTime<Utc>,
    /// When it was last met.
    pub updated_at: DateTime<Utc>,
}

/// Which conflicts to list, newest first.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ConflictQuery {
    /// Only these.
    pub ids: Option<Vec<ConflictId>>,
    /// Only those of this sync.
    pub config_id: Option<ConfigId>,
    /// Only those in this state.
    pub status: Option<String>,
    /// Only those older than the one at this place: `created_at` and id of the last row of the page before.
    pub before: Option<(DateTime<Utc>, ConflictId)>,
    /// How many, 1 to 1,000.
    pub limit: i32,
}

/// A record that a decision is about.
#[derive(Debug, Clone, Deserialize)]
pub struct Decided {
    /// The conflict.
    pub id: ConflictId,
    /// The sync.
    pub config_id: ConfigId,
    /// The source platform's id.
    pub source_id: String,
}

/// What people have chosen for a field of a sync.
#[derive(Debug, Clone, Deserialize)]
pub struct Chosen {
    /// The sync.
    pub config_id: ConfigId,
    /// The field, as conflicts name it.
    pub field: String,
    /// What was chosen.
    pub choice: Choice,
    /// How often, among the last hundred conflicts of the sync.
    pub times: u64,
}

/// How the newest decided conflicts of these syncs were decided, field by field.
pub async fn precedents(db: &Db, claims: &Claims, config_ids: &[ConfigId]) -> Result<Vec<Chosen>> {
    #[derive(Serialize)]
    struct Input<'a> {
        config_ids: &'a [ConfigId],
    }
    #[derive(Deserialize)]
    struct Told {
        rows: Vec<Chosen>,
    }
    let told: Told = db.call_as(claims, user_sql!("conflicts/precedents"), &Input { config_ids }).await?;
    Ok(told.rows)
}

/// The conflicts that this user may see.
pub async fn list(db: &Db, claims: &Claims, query: &ConflictQuery) -> Result<PageOf<Conflict>> {
    let rows: Rows<Conflict> = db.call_as(claims, user_sql!("conflicts/list"), query).await?;
    Ok(PageOf::cut(rows, query.limit))
}

/// Stores what a person decided, for all of these or none; the next run carries it out. `None`: one of them is not
/// theirs to decide.
///
/// # Errors
/// [`crate::Error::Constraint`] when one is over already, or waits for something else than a choice.
pub async fn decide(
    db: &Db,
    claims: &Claims,
    ids: &[ConflictId],
    decision: &Value,
) -> Result<Option<Vec<Decided>>> {
    #[derive(Serialize)]
    struct Input<'a> {
        ids: &'a [ConflictId],
        decision: &'a Value,
    }
    #[derive(Deserialize)]
    struct Answer {
        decided: Option<Vec<Decided>>,
    }
    let input = Input { ids, decision };
    Ok(db.call_as::<_, Answer>(claims, user_sql!("conflicts/decide"), &input).await?.decided)
}
