//! Links: which records are the same thing.

use crate::db::sql;
use crate::runs::Item;
use crate::{Db, Result};
use domain::RunId;
use serde::{Deserialize, Serialize};

/// Asks for pairs to be looked after.
#[derive(Debug, Clone, Serialize)]
pub struct ToCheck {
    /// The run of one sync.
    pub run_id: RunId,
    /// As the run was opened or resumed with.
    pub fence: i64,
    /// At most this many of each kind (the statement caps it at 1,000).
    pub limit: i32,
    /// How long the lease lasts from now, in seconds.
    pub lease_seconds: i32,
}

/// Pairs to be looked after.
#[derive(Debug, Clone, Deserialize)]
pub struct Checked {
    /// The lease was lost: stop, write nothing more.
    pub lost: bool,
    /// The pairs.
    pub items: Vec<Item>,
    /// To be handed back with what became of them.
    pub position: i64,
}

/// Pairs that no listing brings: those that an earlier run did not find, and the next ones in turn.
pub async fn to_check(db: &Db, input: &ToCheck) -> Result<Checked> {
    db.call(sql!("links/to_check"), input).await
}
