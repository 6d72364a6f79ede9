//! Plans: what a sync would do, decided and not done.

use crate::db::sql;
use crate::{Db, Result};
use domain::{ConfigId, PlanId, RunId, UserId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A plan to be kept.
#[derive(Debug, Clone, Serialize)]
pub struct NewPlan<'a> {
    /// Who made it; nobody else applies it.
    pub user_id: UserId,
    /// The sync.
    pub config_id: ConfigId,
    /// The version of its rules that decided.
    pub config_version: i32,
    /// By the record's id at the source, the fingerprint of what was decided.
    pub decisions: &'a BTreeMap<String, String>,
}

/// A plan that can be applied.
#[derive(Debug, Clone, Deserialize)]
pub struct Plan {
    /// The sync.
    pub config_id: ConfigId,
    /// By the record's id at the source, the fingerprint of what was decided.
    pub decisions: BTreeMap<String, String>,
    /// Whether the sync has other rules by now.
    pub stale: bool,
}

/// Keeps a plan for a day.
pub async fn save(db: &Db, plan: &NewPlan<'_>) -> Result<PlanId> {
    #[derive(Deserialize)]
    struct Answer {
        plan_id: PlanId,
    }
    Ok(db.call::<_, Answer>(sql!("plans/save"), plan).await?.plan_id)
}

/// A plan of this user. `None`: there is none, it is older than a day, or it was applied.
pub async fn load(db: &Db, plan_id: PlanId, user_id: UserId) -> Result<Option<Plan>> {
    #[derive(Serialize)]
    struct Input {
        plan_id: PlanId,
        user_id: UserId,
    }
    db.call(sql!("plans/load"), &Input { plan_id, user_id }).await
}

/// Says which run applied it: nobody applies it again.
pub async fn applied(db: &Db, plan_id: PlanId, run_id: RunId) -> Result<bool> {
    #[derive(Serialize)]
    struct Input {
        plan_id: PlanId,
        run_id: RunId,
    }
    #[derive(Deserialize)]
    struct Answer {
        applied: bool,
    }
    Ok(db.call::<_, Answer>(sql!("plans/applied"), &Input { plan_id, run_id }).await?.applied)
}
