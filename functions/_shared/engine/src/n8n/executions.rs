//! A server's executions: none missed, none stored twice.
//!
//! n8n lists executions by id, newest first, and hides those that run. So each reading
//! 1. asks for those that run,
//! 2. descends through the list to the watermark: everything up to there that had ended is stored already,
//! 3. asks for those that were open and have not been seen: for all that wait, if there are several, and one by one,
//! 4. asks why the failures failed.
//!
//! An execution that begins after 1 and is still at work when 2 passes its place is in neither list. Its id is higher than
//! all that the reading before has seen; that is why the watermark only moves to the top of the reading *before*.

use super::Read;
use crate::send::TOO_LARGE;
use crate::wire::{Failure, Wire};
use connectors::n8n::{self as platform, Execution, ExecutionAsk};
use domain::{ExecutionStatus, ExecutionWord, IntegrationId};
use std::collections::BTreeSet;
use std::time::Duration;
use store::Db;
use store::n8n::{self, Descent, Place, Record, Resources, Stored};

/// Executions of one page, the most that n8n gives.
const PAGE: u32 = 250;
/// Failures whose data is asked for at once; it may be large, and only the reason is kept.
const REASONS: u32 = 20;
/// What stands where n8n has no reason.
const NO_REASON: &str = "n8n gives no reason.";
/// What stands where its data is more than we read.
const LARGE: &str = "n8n's data of this execution is too large to be read.";
/// What stands where n8n has not kept an execution.
const VANISHED: &str = "n8n has not kept this execution; how it ended is not known.";

/// Reads what is new, and settles what was open.
pub(super) async fn read(
    db: &Db,
    wire: &Wire<'_>,
    place: &Place,
    fence: i64,
    read: &mut Read,
) -> Result<(), Failure> {
    let reader = Reader { db, wire, fence };
    let mut open = BTreeSet::new();
    reader.open(ExecutionWord::Running, &mut open, read).await?;
    reader.descend(place, &mut open, read).await?;
    reader.settle(open, read).await?;
    reader.explain(read).await?;
    // What is newer than a descent that was laid aside comes in a reading of its own, and soon.
    if place.descent_top.is_some() { Err(Failure::Later(Duration::ZERO)) } else { Ok(()) }
}

struct Reader<'a> {
    db: &'a Db,
    wire: &'a Wire<'a>,
    fence: i64,
}

impl Reader<'_> {
    /// Those that stand like this now.
    async fn open(
        &self,
        word: ExecutionWord,
        open: &mut BTreeSet<i64>,
        read: &mut Read,
    ) -> Result<(), Failure> {
        let mut below = None;
        loop {
            let page = self.page(Some(word), below, PAGE, false).await?;
            let lowest = page.rows.iter().map(|row| row.id).min();
            open.extend(page.rows.iter().map(|row| row.id));
            self.store(page.rows, None, false, read).await?;
            match lowest {
                Some(lowest) if page.has_more && below != Some(lowest) => below = Some(lowest),
                _ => return Ok(()),
            }
        }
    }

    /// From the newest, or from where the last reading stopped, down to the watermark.
    async fn descend(&self, place: &Place, open: &mut BTreeSet<i64>, read: &mut Read) -> Result<(), Failure> {
        let mut top = place.descent_top;
        let mut below = place.descent_below;
        loop {
            let page = self.page(None, below, PAGE, false).await?;
            let highest = page.rows.iter().map(|row| row.id).max().unwrap_or(place.top);
            let lowest = page.rows.iter().map(|row| row.id).min().unwrap_or(0);
            let newest = *top.get_or_insert(highest);
            let done = !page.has_more || lowest <= place.watermark || below == Some(lowest);
            // Those that are queued or wait stand in this list, and are open as well.
            let is_open = |row: &&Execution| row.word.status() == ExecutionStatus::Running;
            open.extend(page.rows.iter().filter(is_open).map(|row| row.id));
            let news =
                page.rows.into_iter().filter(|row| row.id > place.watermark || is_open(&row)).collect();
            self.store(news, Some(Descent { top: newest, below: lowest }), done, read).await?;
            if done {
                return Ok(());
            }
            below = Some(lowest);
        }
    }

    /// Those that were open and are not among the open ones any more. Long waits lie below the watermark.
    async fn settle(&self, mut open: BTreeSet<i64>, read: &mut Read) -> Result<(), Failure> {
        let was_open = n8n::unsettled(self.db, self.wire.integration_id()).await?.open;
        if was_open.iter().filter(|id| !open.contains(id)).count() > 1 {
            self.open(ExecutionWord::Waiting, &mut open, read).await?;
        }
        for id in was_open.into_iter().filter(|id| !open.contains(id)) {
            match self.one(id).await? {
                Some(execution) => self.store(vec![execution], None, false, read).await?,
                None => self.forget(id).await?,
            }
        }
        Ok(())
    }

    /// One execution with the reason of its failure, or without where its data is too large.
    async fn one(&self, id: i64) -> Result<Option<Execution>, Failure> {
        match self.wire.ask(platform::execution(&self.wire.account, id, true)?).await {
            Err(failure) if is_too_large(&failure) => {
                let bare = self.wire.ask(platform::execution(&self.wire.account, id, false)?).await?;
                let reason = || Some(platform::Failure { message: LARGE.to_owned(), node: None });
                Ok(bare.map(|row| Execution { error: reason().filter(|_| is_failure(&row)), ..row }))
            }
            other => other,
        }
    }

    /// Why failures failed. The list of them is read with its data, of which only the reason is kept.
    async fn explain(&self, read: &mut Read) -> Result<(), Failure> {
        let mut before = BTreeSet::new();
        loop {
            let unsettled = n8n::unsettled(self.db, self.wire.integration_id()).await?;
            let wanted: BTreeSet<i64> = unsettled.unexplained.into_iter().collect();
            let Some(highest) = wanted.last().copied() else { return Ok(()) };
            if wanted == before {
                return Ok(());
            }
            let below = Some(highest.saturating_add(1));
            let listed = match self.page(Some(ExecutionWord::Error), below, REASONS, true).await {
                Ok(page) => page.rows,
                Err(failure) if is_too_large(&failure) => Vec::new(),
                Err(other) => return Err(other),
            };
            let mut explained: Vec<Execution> =
                listed.into_iter().filter(|row| wanted.contains(&row.id)).collect();
            if explained.iter().all(|row| row.id != highest) {
                // A crash stands in another list.
                match self.one(highest).await? {
                    Some(execution) => explained.push(execution),
                    None => self.forget(highest).await?,
                }
            }
            for row in &mut explained {
                let none = || platform::Failure { message: NO_REASON.to_owned(), node: None };
                row.error.get_or_insert_with(none);
            }
            self.store(explained, None, false, read).await?;
            before = wanted;
        }
    }

    async fn page(
        &self,
        word: Option<ExecutionWord>,
        below: Option<i64>,
        limit: u32,
        with_errors: bool,
    ) -> Result<platform::Executions, Failure> {
        let ask = ExecutionAsk { word, workflow_id: None, below, limit, with_errors };
        self.wire.ask(platform::executions(&self.wire.account, &ask)?).await
    }

    async fn store(
        &self,
        rows: Vec<Execution>,
        descent: Option<Descent>,
        done: bool,
        read: &mut Read,
    ) -> Result<(), Failure> {
        if rows.is_empty() && descent.is_none() {
            return Ok(());
        }
        let rows: Vec<Stored> = rows.into_iter().map(stored).collect();
        let integration_id = self.wire.integration_id();
        let record = Record { integration_id, fence: Some(self.fence), rows: &rows, descent, done };
        match n8n::record(self.db, &record).await? {
            Some(news) => read.executions = read.executions.saturating_add(news),
            // Another took the server over: it goes on from what is stored.
            None => return Err(Failure::Later(Duration::ZERO)),
        }
        Ok(())
    }

    /// One that n8n has dropped, or never kept.
    async fn forget(&self, id: i64) -> Result<(), Failure> {
        n8n::vanished(self.db, self.wire.integration_id(), id, VANISHED).await?;
        Ok(())
    }
}

fn is_too_large(failure: &Failure) -> bool {
    matches!(failure, Failure::Platform(error) if error.vendor_code.as_deref() == Some(TOO_LARGE))
}

fn is_failure(execution: &Execution) -> bool {
    execution.word.status() == ExecutionStatus::Failure
}

/// An execution as it is stored.
pub(super) fn stored(execution: Execution) -> Stored {
    let (error_message, error_node) = match execution.error {
        Some(error) => (Some(error.message), error.node),
        None => (None, None),
    };
    Stored {
        id: execution.id,
        workflow_id: execution.workflow_id,
        status: execution.word.status(),
        n8n_status: execution.word,
        mode: execution.mode,
        started_at: execution.started_at,
        stopped_at: execution.stopped_at,
        retry_of: execution.retry_of,
        retry_success_id: execution.retry_success_id,
        error_message,
        error_node,
        resources: None,
        triggered_by: None,
        trigger_way: None,
    }
}

/// What does not say how it ended is open: the next reading asks for it.
fn opened(execution: Execution) -> Execution {
    let is_open = execution.word == ExecutionWord::Unknown;
    Execution { word: if is_open { ExecutionWord::Running } else { execution.word }, ..execution }
}

/// Stores what a server has told by itself; answers how much of it was news.
pub(crate) async fn store_told(
    db: &Db,
    id: IntegrationId,
    told: Vec<(Execution, Option<Resources>)>,
) -> Result<u64, store::Error> {
    let rows: Vec<Stored> = told
        .into_iter()
        .map(|(execution, resources)| Stored { resources, ..stored(opened(execution)) })
        .collect();
    let record = Record { integration_id: id, fence: None, rows: &rows, descent: None, done: false };
    Ok(n8n::record(db, &record).await?.unwrap_or(0))
}
