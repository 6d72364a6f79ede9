//! Which of n8n's workflows are watched.

use crate::db::user_sql;
use crate::page::Rows;
use crate::{Claims, Db, PageOf, Result};
use chrono::{DateTime, Utc};
use domain::{IntegrationId, RegistryId};
use serde::{Deserialize, Serialize};

/// A watched workflow.
#[derive(Debug, Clone, Deserialize)]
pub struct Watched {
    /// Ours.
    pub id: RegistryId,
    /// The server.
    pub integration_id: IntegrationId,
    /// What the server calls it.
    pub workflow_id: String,
    /// Its name.
    pub workflow_name: String,
    /// What it brings into the CMDB; `None` until somebody says so.
    pub workflow_type: Option<String>,
    /// From where.
    pub provider: String,
    /// Whether it is watched.
    pub is_active: bool,
    /// Since when it is known.
    pub created_at: DateTime<Utc>,
    /// When it was changed.
    pub updated_at: DateTime<Utc>,
}

/// Which to list, newest first.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Query {
    /// Only these.
    pub ids: Option<Vec<RegistryId>>,
    /// Only those of this server.
    pub integration_id: Option<IntegrationId>,
    /// Only those of this type.
    pub workflow_type: Option<String>,
    /// Only those from this provider.
    pub provider: Option<String>,
    /// Only those that are watched, or are not.
    pub is_active: Option<bool>,
    /// Only those older than the one at this place.
    pub before: Option<(DateTime<Utc>, RegistryId)>,
    /// How many, 1 to 1,000.
    pub limit: i32,
}

/// How many of the servers' workflows are watched.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Coverage {
    /// Workflows that the servers have.
    pub total: u64,
    /// Those that are in the registry.
    pub registered: u64,
    /// Those of them that are watched.
    pub watched: u64,
    /// Those whose type nobody has said.
    pub unclassified: u64,
}

/// The watched workflows that this user may see, and how complete they are.
pub async fn list(db: &Db, claims: &Claims, query: &Query) -> Result<(PageOf<Watched>, Coverage)> {
    #[derive(Deserialize)]
    struct Answer {
        rows: Vec<Watched>,
        #[serde(flatten)]
        coverage: Coverage,
    }
    let answer: Answer = db.call_as(claims, user_sql!("workflows/registry"), query).await?;
    Ok((PageOf::cut(Rows::from(answer.rows), query.limit), answer.coverage))
}

/// A workflow to be watched, or what changes of one.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// Ours.
    pub id: RegistryId,
    /// The server; where it is absent, the only one.
    pub integration_id: Option<IntegrationId>,
    /// What the server calls it.
    pub workflow_id: Option<String>,
    /// Its name.
    pub workflow_name: Option<String>,
    /// What it brings into the CMDB.
    pub workflow_type: Option<String>,
    /// From where.
    pub provider: Option<String>,
    /// Whether it is watched.
    pub is_active: Option<bool>,
}

/// What became of a wish to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registered {
    /// It is watched from now on.
    Yes,
    /// It was in the registry already.
    Known,
    /// There is no server of this user's that it could be on.
    NoServer,
}

/// Watches a workflow.
pub async fn register(db: &Db, claims: &Claims, change: &Change) -> Result<Registered> {
    #[derive(Deserialize)]
    struct Answer {
        reason: Option<String>,
    }
    let answer: Answer = db.call_as(claims, user_sql!("workflows/register"), change).await?;
    Ok(match answer.reason.as_deref() {
        None => Registered::Yes,
        Some("server") => Registered::NoServer,
        Some(_) => Registered::Known,
    })
}

/// Changes what is known of a watched workflow; answers whether this user may and there is one.
pub async fn reclassify(db: &Db, claims: &Claims, change: &Change) -> Result<bool> {
    #[derive(Deserialize)]
    struct Answer {
        changed: bool,
    }
    Ok(db.call_as::<_, Answer>(claims, user_sql!("workflows/reclassify"), change).await?.changed)
}

/// What became of a wish to forget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Forgotten {
    /// It is forgotten, with its executions.
    pub removed: bool,
    /// It is kept: n8n still has it, or a user's workflow counts by it.
    pub kept: bool,
}

/// Forgets a workflow that is gone, and its executions; neither where there is none that this user may.
pub async fn forget(db: &Db, claims: &Claims, id: RegistryId) -> Result<Forgotten> {
    #[derive(Serialize)]
    struct Input {
        id: RegistryId,
    }
    db.call_as(claims, user_sql!("workflows/forget"), &Input { id }).await
}
