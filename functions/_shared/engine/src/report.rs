//! What people are told of a run.

use domain::{ItemId, RunId, RunStatus};
use schemars::JsonSchema;
use serde::Serialize;
use store::runs::Summary;

/// How a run went. `running`: it goes on by itself; ask `sync-history` for `runId`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunReport {
    /// The run, for `sync-history` and for support.
    pub run_id: RunId,
    /// How it stands.
    pub status: RunStatus,
    /// Why it ended badly, as a code.
    pub reason: Option<String>,
    /// The same for people.
    pub message: Option<String>,
    /// Records looked at so far.
    pub records_processed: u64,
    /// Records that were made on the other side.
    pub records_created: u64,
    /// Records that were changed, on one side or both.
    pub records_updated: u64,
    /// Records that are equal on both sides.
    pub records_unchanged: u64,
    /// Records left alone on purpose.
    pub records_skipped: u64,
    /// Records that were deleted.
    pub records_deleted: u64,
    /// Records that could not be synced; `errors` says why.
    pub records_failed: u64,
    /// Records that both sides changed.
    pub records_conflicted: u64,
    /// Records that wait for a person.
    pub records_held: u64,
    /// Milliseconds.
    pub duration: u64,
    /// The first hundred records that did not end well.
    pub errors: Vec<RecordError>,
}

/// One record that did not end well.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordError {
    /// Its row of the sync list.
    pub item_id: Option<ItemId>,
    /// The source platform's id.
    pub source_id: String,
    /// What is wrong, and where known what to do.
    pub error: String,
}

impl From<Summary> for RunReport {
    fn from(run: Summary) -> Self {
        Self {
            run_id: run.run_id,
            status: run.status,
            reason: run.reason,
            message: run.message,
            records_processed: run.seen,
            records_created: run.created,
            records_updated: run.updated,
            records_unchanged: run.unchanged,
            records_skipped: run.skipped,
            records_deleted: run.deleted,
            records_failed: run.failed,
            records_conflicted: run.conflicted,
            records_held: run.held,
            duration: run.duration_ms,
            errors: run
                .errors
                .into_iter()
                .map(|error| RecordError {
                    item_id: error.item_id,
                    source_id: error.source_id,
                    error: error.message,
                })
                .collect(),
        }
    }
}
