//! Issues: records that fail, until they succeed.

use crate::db::user_sql;
use crate::page::Rows;
use crate::{Claims, Db, PageOf, Result};
use chrono::{DateTime, Utc};
use domain::{ConfigId, IssueId, ItemId, RunId};
use serde::{Deserialize, Serialize};

/// One record that fails, or did.
#[derive(Debug, Clone, Deserialize)]
pub struct Issue {
    /// The issue.
    pub id: IssueId,
    /// The sync.
    pub config_id: ConfigId,
    /// Its row of the sync list.
    pub item_id: Option<ItemId>,
    /// The run in which it failed last.
    pub run_id: Option<RunId>,
    /// The source platform's id; `target:` and the target's for a record that only the target has.
    pub source_id: String,
    /// What can be done about it: one of [`domain::RetryClass`]'s words.
    pub error_class: String,
    /// The vendor's code, or ours.
    pub error_code: String,
    /// For people.
    pub message: String,
    /// `open`, `resolved` or `ignored`.
    pub status: String,
    /// How often it failed.
    pub times: u64,
    /// When it failed first.
    pub first_seen_at: DateTime<Utc>,
    /// When it failed last.
    pub last_seen_at: DateTime<Utc>,
    /// When it succeeded.
    pub resolved_at: Option<DateTime<Utc>>,
}

/// Which issues to list, those that failed last first.
#[derive(Debug, Clone, Default, Serialize)]
pub struct IssueQuery {
    /// Only these.
    pub ids: Option<Vec<IssueId>>,
    /// Only those of this sync.
    pub config_id: Option<ConfigId>,
    /// Only those in this state.
    pub status: Option<String>,
    /// Only those that fail in this way.
    pub error_code: Option<String>,
    /// Only those before the one at this place: `last_seen_at` and id of the last row of the page before.
    pub before: Option<(DateTime<Utc>, IssueId)>,
    /// How many, 1 to 1,000.
    pub limit: i32,
}

/// A record that an issue is about.
#[derive(Debug, Clone, Deserialize)]
pub struct Failing {
    /// The issue.
    pub id: IssueId,
    /// The sync.
    pub config_id: ConfigId,
    /// The source platform's id.
    pub source_id: String,
}

#[derive(Serialize)]
struct Ids<'a> {
    ids: &'a [IssueId],
}

/// The issues that this user may see.
pub async fn list(db: &Db, claims: &Claims, query: &IssueQuery) -> Result<PageOf<Issue>> {
    let rows: Rows<Issue> = db.call_as(claims, user_sql!("issues/list"), query).await?;
    Ok(PageOf::cut(rows, query.limit))
}

/// The records of these issues, where the user may have them tried again. `None`: one of them is not theirs.
pub async fn permitted(db: &Db, claims: &Claims, ids: &[IssueId]) -> Result<Option<Vec<Failing>>> {
    #[derive(Deserialize)]
    struct Answer {
        records: Option<Vec<Failing>>,
    }
    Ok(db.call_as::<_, Answer>(claims, user_sql!("issues/permitted"), &Ids { ids }).await?.records)
}

/// Ignores issues, or opens ignored ones again: all of them or none. `false`: one of them is not theirs, or is resolved.
pub async fn mark(db: &Db, claims: &Claims, ids: &[IssueId], ignored: bool) -> Result<bool> {
    #[derive(Serialize)]
    struct Input<'a> {
        ids: &'a [IssueId],
        status: &'static str,
    }
    #[derive(Deserialize)]
    struct Answer {
        marked: Vec<IssueId>,
    }
    let input = Input { ids, status: if ignored { "ignored" } else { "open" } };
    let answer: Answer = db.call_as(claims, user_sql!("issues/mark"), &input).await?;
    Ok(!answer.marked.is_empty())
}
