//! Links: which records are the same thing.

use crate::db::sql;
use crate::runs::Item;
use crate::{Db, Result};
use domain::{ConfigId, RunId};
use serde::{Deserialize, Serialize};

/// Asks for pairs to be looked after.
#[derive(Debug, Clone, Serialize)]
pub struct ToCheck {
    /// The run of one sync.
    pub run_id: RunId,
    /// As the run was opened or resumed with.
    pub fence: i64,
    /// At most this many that nobody misses yet (the statement caps it at 1,000).
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

/// A record whose other half is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Half {
    /// The kind of item.
    pub object: String,
    /// Its id on the side that is at hand.
    pub id: String,
    /// Whether that is the source of the sync that asks.
    pub to_target: bool,
}

/// The other halves of these records, in the syncs of the same two accounts.
pub async fn resolve(db: &Db, config_id: ConfigId, wanted: &[Half]) -> Result<Vec<(Half, String)>> {
    #[derive(Serialize)]
    struct Input<'a> {
        config_id: ConfigId,
        wanted: &'a [Half],
    }
    #[derive(Deserialize)]
    struct Row {
        object: String,
        id: String,
        to_target: bool,
        other: String,
    }
    #[derive(Deserialize)]
    struct Answer {
        found: Vec<Row>,
    }
    let answer: Answer = db.call(sql!("links/resolve"), &Input { config_id, wanted }).await?;
    let pair = |Row { object, id, to_target, other }| (Half { object, id, to_target }, other);
    Ok(answer.found.into_iter().map(pair).collect())
}
