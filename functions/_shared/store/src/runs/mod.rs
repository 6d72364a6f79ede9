//! Runs: opening, working page by page, closing, and what people see of them.
//!
//! A run of a sync holds the sync's lease, under a fence that counts up with every holder. Each statement that writes
//! for a run checks the fence, and each that extends the lease also moves the run's continuation in the queue behind
//! it: so a process that dies is followed by the queue, and one that was only slow writes nothing more.

mod cursor;
mod history;
mod page;
mod replay;
mod types;

pub use cursor::{Cursor, SideName};
pub use history::{Event, HistoryDetail, HistoryQuery, HistoryRow, cancel, history, history_one};
pub use page::{
    Decided, Gone, GoneStep, Intent, Intents, Item, ItemError, ItemResult, Link, Look, Looked, Lookup,
    Missing, NextPage, Outcome, PageResults, Trail, Unlinked, Work, Written, Wrote,
};
pub use replay::{ReplayQuery, ReplayRow, ReplaySync, replay};
pub use types::{Child, Close, Direction, Open, Opened, Pause, Selection, Summary, SummaryError};

use crate::db::sql;
use crate::{Db, Result};
use domain::{ConfigId, RunId};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct MaybeChild {
    child: Option<Child>,
}

#[derive(Deserialize)]
struct Held {
    held: bool,
}

#[derive(Serialize)]
struct OneRun {
    run_id: RunId,
}

#[derive(Serialize)]
struct OneSync {
    config_id: ConfigId,
    parent_run_id: Option<RunId>,
    lease_seconds: i32,
}

/// Opens a run for items of one user: a run above, and one per sync whose lease is free.
///
/// What waits in the queue for these syncs comes along, and so does what a cut-off run left behind. Items of a sync
/// that another run is at are queued, unless that run still has them before it.
pub async fn open(db: &Db, input: &Open) -> Result<Opened> {
    db.call(sql!("runs/open"), input).await
}

/// Goes on with the open run of a sync. `None`: nothing is open, or somebody is at it.
pub async fn resume(db: &Db, config_id: ConfigId, lease_seconds: i32) -> Result<Option<Child>> {
    let input = OneSync { config_id, parent_run_id: None, lease_seconds };
    Ok(db.call::<_, MaybeChild>(sql!("runs/resume"), &input).await?.child)
}

/// Opens a run over whatever changed in a sync's source since its cursor. `None`: another run is at this sync, or the
/// sync does not exist or is switched off.
///
/// The run's kind is that of the run above (`scheduled` under a tick of the clock), else `delta`.
pub async fn open_changed(
    db: &Db,
    config_id: ConfigId,
    parent: Option<RunId>,
    lease_seconds: i32,
) -> Result<Option<Child>> {
    let input = OneSync { config_id, parent_run_id: parent, lease_seconds };
    Ok(db.call::<_, MaybeChild>(sql!("runs/open_changed"), &input).await?.child)
}

/// Opens the system's own run of one tick, above those of its users. It ends with [`close_system`].
pub async fn open_system(db: &Db) -> Result<RunId> {
    #[derive(Deserialize)]
    struct Answer {
        run_id: RunId,
    }
    Ok(db.call::<_, Answer>(sql!("runs/open_system"), &()).await?.run_id)
}

/// Says that no more runs will be opened below this one: it ends with the last of them, at once if all have ended.
/// Answers how it stands.
pub async fn close_system(db: &Db, run_id: RunId) -> Result<Summary> {
    db.call::<_, Closed>(sql!("runs/close_system"), &OneRun { run_id }).await?;
    summary(db, run_id).await
}

#[derive(Deserialize)]
struct Closed {}

/// The page of a listed run at its position. Later pages come with [`record_page`].
pub async fn next_page(db: &Db, input: &NextPage) -> Result<Work> {
    db.call(sql!("runs/next_page"), input).await
}

/// Where a side's listing of a `changed` run stands; all empty before the first.
pub async fn cursor(db: &Db, run_id: RunId, side: SideName) -> Result<Cursor> {
    #[derive(Serialize)]
    struct Input {
        run_id: RunId,
        side: SideName,
    }
    let stored: Cursor = db.call(sql!("runs/cursor"), &Input { run_id, side }).await?;
    Ok(Cursor { side, ..stored })
}

/// What is known of these records, for a `changed` run. Records whose row of the sync list is switched off are
/// left out; the order is the given one.
pub async fn lookup(db: &Db, input: &Lookup<'_>) -> Result<Work> {
    db.call(sql!("runs/lookup"), input).await
}

/// A sync and what is known of records of it, to decide about them without a run. `None`: there is no such sync.
pub async fn look(db: &Db, input: &Look<'_>) -> Result<Option<Looked>> {
    db.call(sql!("runs/look"), input).await
}

/// Writes down which records are about to be created. `false`: the lease was lost, nothing was written.
pub async fn record_intents(db: &Db, input: &Intents<'_>) -> Result<bool> {
    Ok(db.call::<_, Held>(sql!("runs/record_intents"), input).await?.held)
}

/// Stores how the records of a page ended, all of them or, if the lease was lost, none; answers with the next page.
///
/// A result whose target is linked to another source already is stored as failed (`target_already_linked`). Items of
/// a listed page without a result count as skipped. The same page stored twice counts once.
pub async fn record_page(db: &Db, input: &PageResults<'_>) -> Result<Work> {
    db.call(sql!("runs/record_page"), input).await
}

/// Lays a run aside. `false`: the lease was lost.
///
/// Anybody may [`resume`] it at once; for two minutes beyond the delay no other run of this sync can be opened.
pub async fn pause(db: &Db, input: &Pause) -> Result<bool> {
    Ok(db.call::<_, Held>(sql!("runs/pause"), input).await?.held)
}

/// Ends the run of one sync. `None`: the lease was lost. The run above ends with the last one below it.
///
/// # Errors
/// A status that the run's own sums contradict breaks the rule `runs_balance`: [`crate::Error::Constraint`].
pub async fn close(db: &Db, input: &Close) -> Result<Option<Summary>> {
    #[derive(Deserialize)]
    struct Answer {
        summary: Option<Summary>,
    }
    Ok(db.call::<_, Answer>(sql!("runs/close"), input).await?.summary)
}

/// A run as it stands: of a run above, the sums of those below. [`crate::Error::Missing`] if there is none.
pub async fn summary(db: &Db, run_id: RunId) -> Result<Summary> {
    db.call(sql!("runs/summary"), &OneRun { run_id }).await
}
