//! What is said of whole runs.

use crate::integrations::Side;
use domain::{ConfigId, Fields, ItemId, ItemType, RunId, RunStatus, SyncMode, SyncType, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What shall be opened: the items of one user.
#[derive(Debug, Clone, Serialize)]
pub struct Open {
    /// Whose run it is.
    pub user_id: UserId,
    /// Why it takes place, as its history shows it.
    pub sync_type: SyncType,
    /// How all items are looked at. `None`: as each item says.
    pub mode: Option<SyncMode>,
    /// The items, as `sync_list::choose` permitted them.
    pub item_ids: Vec<ItemId>,
    /// The system run above (`scheduled-sync`), if any.
    pub parent_run_id: Option<RunId>,
    /// How long each lease lasts if nothing extends it, in seconds. Above the longest time between two statements.
    pub lease_seconds: i32,
}

/// What was opened: a parent run, and one child per sync whose lease we got.
#[derive(Debug, Clone, Deserialize)]
pub struct Opened {
    /// The run to tell people: the parent, or [`Opened::running`] when nothing could be opened.
    pub run_id: RunId,
    /// One per sync whose lease we got.
    pub children: Vec<Child>,
    /// Items of syncs that another run is working on and does not cover: they wait in the queue.
    pub queued: u64,
    /// The other run, when nothing at all could be opened here.
    pub running: Option<RunId>,
}

/// One sync within a run, under its own lease.
#[derive(Debug, Clone, Deserialize)]
pub struct Child {
    /// This run.
    pub run_id: RunId,
    /// The run above.
    pub parent_run_id: Option<RunId>,
    /// Whose run it is.
    pub user_id: UserId,
    /// The sync.
    pub config_id: ConfigId,
    /// Which version of its rules the run works with.
    pub config_version: i32,
    /// Every later write carries it; once it is out of date, the lease was lost.
    pub fence: i64,
    /// What kind of thing its records are.
    pub item_type: ItemType,
    /// How all records are looked at. `None`: as each item says.
    pub mode: Option<SyncMode>,
    /// `listed` or `changed`.
    pub selection: Selection,
    /// How many records the run is about, where that is known; 0 for `changed`.
    pub total: u64,
    /// How many of them are done already: above 0 for a resumed run.
    pub position: i64,
    /// Which ways the sync goes.
    pub direction: Direction,
    /// The config's rules (`sync_config_versions.rules`): mapping, strategy, match keys. Empty: the defaults.
    pub rules: Fields,
    /// Where records come from.
    pub source: Side,
    /// Where they go.
    pub target: Side,
}

/// Which ways a sync goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SyncDirection")]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the source to the target.
    Unidirectional,
    /// Both ways.
    Bidirectional,
}

/// Which records a run looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// Rows of the sync list.
    Listed,
    /// Whatever changed in the source since the cursor.
    Changed,
}

/// Ends a run.
#[derive(Debug, Clone, Serialize)]
pub struct Close {
    /// The run of one sync.
    pub run_id: RunId,
    /// As the run was opened or resumed with.
    pub fence: i64,
    /// `None`: the statement works it out from the counters (`completed`, `partial_success`, `failed`, or `interrupted` where
    /// records are unaccounted for).
    pub status: Option<RunStatus>,
    /// A reason code where the run ended badly (`unauthorized`, `platform_unavailable`, `suspicious_empty`, `broken_off`).
    pub reason: Option<String>,
    /// For people.
    pub message: Option<String>,
    /// Whether the run followed a listing to its end: then its being empty may say something.
    pub listing: bool,
}

/// Lays a run aside: the lease ends, its continuation in the queue becomes due.
#[derive(Debug, Clone, Serialize)]
pub struct Pause {
    /// The run of one sync.
    pub run_id: RunId,
    /// As the run was opened or resumed with.
    pub fence: i64,
    /// Seconds until the continuation is due (a platform's `Retry-After`); 0 for at once.
    pub delay_seconds: i64,
}

/// A run as its ledger has it. For a parent: the sum of its children.
#[derive(Debug, Clone, Deserialize)]
pub struct Summary {
    /// The run.
    pub run_id: RunId,
    /// How it stands, or ended.
    pub status: RunStatus,
    /// A code, where it ended badly.
    pub reason: Option<String>,
    /// The same for people.
    pub message: Option<String>,
    /// Records looked at: the sum of all that follow.
    pub seen: u64,
    /// New on the target.
    pub created: u64,
    /// Written on the target.
    pub updated: u64,
    /// Equal on both sides; nothing was written.
    pub unchanged: u64,
    /// Left out, by rule or because the item was switched off meanwhile.
    pub skipped: u64,
    /// Gone from the target.
    pub deleted: u64,
    /// Not brought up to date; an issue says why.
    pub failed: u64,
    /// Both sides changed the same field.
    pub conflicted: u64,
    /// Waiting for a person.
    pub held: u64,
    /// From its beginning to its end, or until now. Milliseconds.
    pub duration_ms: u64,
    /// The first hundred records that failed, conflict, or were held.
    pub errors: Vec<SummaryError>,
}

/// One record that did not end well.
#[derive(Debug, Clone, Deserialize)]
pub struct SummaryError {
    /// Its row of the sync list, if it has one.
    pub item_id: Option<ItemId>,
    /// The platform's id.
    pub source_id: String,
    /// What was wrong, for people.
    pub message: String,
}
