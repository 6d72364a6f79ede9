//! Saved search patterns: filters that a user keeps for later.

use crate::db::user_sql;
use crate::page::Rows;
use crate::{Claims, Db, PageOf, Result};
use chrono::{DateTime, Utc};
use domain::{Direction, Fields, PatternId, UserId};
use serde::{Deserialize, Serialize};

/// A saved pattern.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pattern {
    /// The pattern.
    pub id: PatternId,
    /// Whose it is.
    pub user_id: UserId,
    /// What they call it; unique for them.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Which way it looks.
    pub direction: Direction,
    /// `status[]`, `priceMin`, `priceMax`, `category`, `updatedAfter`, …
    pub filter_config: Fields,
    /// When it was saved.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A pattern to be saved.
#[derive(Debug, Clone, Serialize)]
pub struct NewPattern {
    /// What to call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Which way it looks.
    pub direction: Direction,
    /// The filter.
    pub filter_config: Fields,
}

/// A change of a pattern. What is `None` stays.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PatternChange {
    /// What to call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for; `Some(None)` clears it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Option<String>>,
    /// Which way it looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// The filter; replaces all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter_config: Option<Fields>,
}

/// Which patterns to list, newest first.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PatternQuery {
    /// Only this one.
    pub id: Option<PatternId>,
    /// Only patterns older than the one at this place: `created_at` and id of the last row of the page before.
    pub before: Option<(DateTime<Utc>, PatternId)>,
    /// How many, 1 to 1,000.
    pub limit: i32,
}

/// The user's patterns.
pub async fn list(db: &Db, claims: &Claims, query: &PatternQuery) -> Result<PageOf<Pattern>> {
    let rows: Rows<Pattern> = db.call_as(claims, user_sql!("patterns/list"), query).await?;
    Ok(PageOf::cut(rows, query.limit))
}

/// One pattern; `None` if there is none, or it is not this user's.
pub async fn get(db: &Db, claims: &Claims, id: PatternId) -> Result<Option<Pattern>> {
    let query = PatternQuery { id: Some(id), limit: 1, ..PatternQuery::default() };
    Ok(list(db, claims, &query).await?.rows.into_iter().next())
}

/// Saves a pattern.
///
/// # Errors
/// [`crate::Error::Constraint`] if the user has one of that name already.
pub async fn create(db: &Db, claims: &Claims, input: &NewPattern) -> Result<Pattern> {
    db.call_as(claims, user_sql!("patterns/create"), input).await
}

/// Changes a pattern; `None` if there is none, or it is not this user's.
pub async fn update(
    db: &Db,
    claims: &Claims,
    id: PatternId,
    change: &PatternChange,
) -> Result<Option<Pattern>> {
    #[derive(Serialize)]
    struct Input<'a> {
        id: PatternId,
        change: &'a PatternChange,
    }
    db.call_as(claims, user_sql!("patterns/update"), &Input { id, change }).await
}

/// Deletes a pattern. `false`: there is none, or it is not this user's.
pub async fn delete(db: &Db, claims: &Claims, id: PatternId) -> Result<bool> {
    #[derive(Serialize)]
    struct Input {
        id: PatternId,
    }
    #[derive(Deserialize)]
    struct Answer {
        deleted: bool,
    }
    Ok(db.call_as::<_, Answer>(claims, user_sql!("patterns/delete"), &Input { id }).await?.deleted)
}
