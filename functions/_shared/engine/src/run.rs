//! One sync of a run, from the lease to the last page.

use crate::budget;
use crate::chunk::{self, Done, Sides};
use crate::clock::Deadline;
use crate::error::{Error, Result};
use crate::gather::Stop;
use crate::integration;
use crate::outcome;
use crate::settings::Settings;
use crate::wire::{Failure, Wire};
use chrono::{DateTime, TimeDelta, Utc};
use connectors::{ErrorKind, Filter, ListQuery};
use domain::{Fault, ItemId, Record, RunStatus, defaults, rules};
use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use store::Db;
use store::credentials::{self, Sealed};
use store::runs::{
    self, Child, Close, Cursor, Item, ItemResult, Lookup, NextPage, PageResults, Pause, Selection, Work,
};

/// Records of one page; the statements take no more.
const PAGE: i32 = 1_000;
/// What must be left of the time to begin another page.
const MARGIN: Duration = Duration::from_secs(2);
/// How far a listing looks back behind its cursor: platforms index late, and their clocks have whole seconds.
const LOOK_BACK: TimeDelta = TimeDelta::minutes(2);

/// How the work on one sync ended, for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The run is closed; its ledger says how.
    Closed,
    /// Time or patience ran out; the queue goes on with it.
    Paused,
    /// Somebody else has it now.
    Lost,
}

/// Works on one sync until it is done or the time is up.
pub(crate) async fn work(db: &Db, settings: &Settings, child: &Child, deadline: Deadline) -> Result<Ended> {
    if let Some(error) =
        [&child.source, &child.target].into_iter().find_map(|side| integration::in_use(side).err())
    {
        return close_badly(db, child, reason_of(&error), error.detail()).await;
    }
    let accounts = [child.source.integration_id, child.target.integration_id];
    let sealed = credentials::load(db, &accounts, Some(child.run_id)).await?;
    let [Some(source), Some(target)] =
        accounts.map(|id| sealed.iter().find(|sealed| sealed.integration_id == id))
    else {
        let error = Error::NoCredential;
        return close_badly(db, child, reason_of(&error), error.detail()).await;
    };
    let sides = match sides(db, settings, child, (source, target), deadline) {
        Ok(sides) => sides,
        Err(error @ Error::Store(_)) => return Err(error),
        Err(error) => return close_badly(db, child, reason_of(&error), error.detail()).await,
    };
    let mut progress = Progress { sides: &sides, deadline, slowest: Duration::ZERO, recorded_requests: 0 };
    let ended = match child.selection {
        Selection::Listed => listed(&mut progress).await,
        Selection::Changed => changed(&mut progress).await,
    };
    budget::give_back(db, &[&sides.source.budget, &sides.target.budget]).await?;
    ended
}

fn sides<'a>(
    db: &'a Db,
    settings: &'a Settings,
    child: &'a Child,
    (source, target): (&'a Sealed, &'a Sealed),
    deadline: Deadline,
) -> Result<Sides<'a>> {
    let (from, to) = (child.source.platform, child.target.platform);
    Ok(Sides {
        db,
        child,
        rules: rules::read(&child.rules, child.item_type, from, to)?,
        matching: defaults::match_key(child.item_type, from),
        source: Wire::open(db, settings, &child.source, source, deadline)?,
        target: Wire::open(db, settings, &child.target, target, deadline)?,
        lease_seconds: settings.lease_seconds,
        prepared: Cell::new(false),
    })
}

/// What a run remembers from page to page.
struct Progress<'a> {
    sides: &'a Sides<'a>,
    deadline: Deadline,
    slowest: Duration,
    recorded_requests: i64,
}

/// Why a page ended before its last record.
enum Cut {
    /// The time is up, or a platform asked for patience: go on after this long.
    Pause(Duration),
    /// The run cannot go on.
    Close { reason: &'static str, message: String },
}

/// What became of a page.
struct Page {
    results: Vec<ItemResult>,
    /// Where the run stands: behind the records that have a result.
    position: i64,
    /// Items that have none: they come next.
    undone: Vec<ItemId>,
    cut: Option<Cut>,
}

async fn listed(progress: &mut Progress<'_>) -> Result<Ended> {
    let (db, child, lease_seconds) = (progress.sides.db, progress.sides.child, progress.sides.lease_seconds);
    let first = NextPage { run_id: child.run_id, fence: child.fence, limit: PAGE, lease_seconds };
    let mut work = runs::next_page(db, &first).await?;
    let mut start = child.position;
    loop {
        if work.lost {
            return Ok(Ended::Lost);
        }
        if work.cancelled {
            return close(db, child, Some(RunStatus::Cancelled), None, None).await;
        }
        let remaining = work.remaining;
        if work.items.is_empty() && remaining == 0 && start >= work.position {
            return close(db, child, None, None, None).await;
        }
        let Some(page) = page(progress, work, start, None).await? else { return Ok(Ended::Lost) };
        let next_limit = if page.cut.is_none() && remaining > 0 && progress.has_time() { PAGE } else { 0 };
        start = page.position;
        work = record(progress, (page.results, page.undone), start, None, next_limit).await?;
        if work.lost {
            return Ok(Ended::Lost);
        }
        match page.cut {
            Some(Cut::Close { reason, message }) => return close_badly(db, child, reason, message).await,
            Some(Cut::Pause(wait)) => return pause(db, child, wait).await,
            None if remaining == 0 => return close(db, child, None, None, None).await,
            None if next_limit == 0 => return pause(db, child, Duration::ZERO).await,
            None => {}
        }
    }
}

/// Works through a page. `None`: the lease was lost.
async fn page(
    progress: &mut Progress<'_>,
    work: Work,
    start: i64,
    known: Option<HashMap<String, Record>>,
) -> Result<Option<Page>> {
    let (whole, items) = (work.position, work.items);
    let copies = items.clone();
    let in_order = known.is_none();
    let began = progress.deadline.elapsed();
    let Done { results, stop } = chunk::work(progress.sides, items, known).await;
    progress.slowest = progress.slowest.max(progress.deadline.elapsed().saturating_sub(began));
    let sides = progress.sides;
    budget::settle(sides.db, &[&sides.source.budget, &sides.target.budget]).await?;
    let mut page = Page { results, position: whole, undone: Vec::new(), cut: None };
    match stop {
        None => {}
        Some(Stop::Lost) => return Ok(None),
        Some(Stop::Store(error)) => return Err(error.into()),
        Some(Stop::Later(wait)) => {
            if in_order {
                page.undone = without_result(&copies, &page.results);
                let undone = i64::try_from(page.undone.len()).unwrap_or(i64::MAX);
                page.position = whole.saturating_sub(undone).max(start);
            }
            page.cut = Some(Cut::Pause(wait));
        }
        Some(Stop::Unauthorized(account, message)) => {
            integration::refused(sides.db, account, &message).await?;
            page.cut =
                Some(give_up(&copies, ErrorKind::Unauthorized, "unauthorized", message, &mut page.results));
        }
        Some(Stop::Unavailable(message)) => {
            page.cut = Some(give_up(
                &copies,
                ErrorKind::Unavailable,
                "platform_unavailable",
                message,
                &mut page.results,
            ));
        }
    }
    Ok(Some(page))
}

/// The items that have no result yet. They change places with those behind them that have one: what was written is
/// told as what it was, instead of being met again and found unchanged.
fn without_result(items: &[Item], results: &[ItemResult]) -> Vec<ItemId> {
    let done: HashSet<&str> = results.iter().map(|result| result.source_id.as_str()).collect();
    let undone = items.iter().filter(|item| !done.contains(item.source_id.as_str()));
    undone.filter_map(|item| item.item_id).collect()
}

/// The records that did not come to their end have failed, and stay due.
fn give_up(
    items: &[Item],
    kind: ErrorKind,
    reason: &'static str,
    message: String,
    results: &mut Vec<ItemResult>,
) -> Cut {
    let done: HashSet<String> = results.iter().map(|result| result.source_id.clone()).collect();
    let error = connectors::Error::new(kind, message.clone());
    let left = items.iter().filter(|item| !done.contains(&item.source_id));
    results.extend(left.map(|item| outcome::refused(item, None, &error)));
    Cut::Close { reason, message }
}

impl Progress<'_> {
    /// Whether another page like the slowest one so far still fits.
    fn has_time(&self) -> bool {
        self.deadline.left() > self.slowest.saturating_add(MARGIN)
    }

    /// Requests sent since this was last asked.
    fn requests(&mut self) -> i64 {
        let sent = self.sides.source.sent().saturating_add(self.sides.target.sent());
        let new = sent.saturating_sub(self.recorded_requests);
        self.recorded_requests = sent;
        new
    }
}

async fn record(
    progress: &mut Progress<'_>,
    (results, undone): (Vec<ItemResult>, Vec<ItemId>),
    position: i64,
    cursor: Option<(Cursor, bool)>,
    next_limit: i32,
) -> Result<Work> {
    let (cursor, last_page) = cursor.map_or((None, false), |(cursor, last)| (Some(cursor), last));
    let platform_requests = progress.requests();
    let sides = progress.sides;
    let input = PageResults {
        run_id: sides.child.run_id,
        fence: sides.child.fence,
        position,
        results: &results,
        undone: &undone,
        cursor,
        last_page,
        platform_requests,
        lease_seconds: sides.lease_seconds,
        next_limit,
    };
    Ok(runs::record_page(sides.db, &input).await?)
}

/// Everything the source changed since the cursor, page by page of its listing.
async fn changed(progress: &mut Progress<'_>) -> Result<Ended> {
    let (db, child) = (progress.sides.db, progress.sides.child);
    let mut cursor = runs::cursor(db, child.run_id).await?;
    loop {
        if !progress.has_time() {
            return pause(db, child, Duration::ZERO).await;
        }
        let (records, next) = match list(progress.sides, &cursor).await {
            Ok(listed) => listed,
            Err(Failure::Later(wait)) => return pause(db, child, wait).await,
            Err(Failure::Store(error)) => return Err(error.into()),
            Err(Failure::Platform(error)) => {
                let reason = if error.kind == ErrorKind::Unauthorized {
                    integration::refused(db, child.source.integration_id, &error.message).await?;
                    "unauthorized"
                } else {
                    "platform_unavailable"
                };
                return close_badly(db, child, reason, error.message).await;
            }
        };
        let ids: Vec<String> = records.keys().cloned().collect();
        let lookup = Lookup {
            run_id: child.run_id,
            fence: child.fence,
            source_ids: &ids,
            lease_seconds: progress.sides.lease_seconds,
        };
        let work = runs::lookup(db, &lookup).await?;
        if work.lost {
            return Ok(Ended::Lost);
        }
        let moved = advanced(&cursor, &records, next.clone());
        let Some(page) = page(progress, work, 0, Some(records)).await? else { return Ok(Ended::Lost) };
        match page.cut {
            // The cursor of an unfinished page must not move: it is read again as a whole. But what was done stays done,
            // or a slow platform would never get beyond one page. What is met again counts again, as unchanged.
            Some(Cut::Pause(wait)) => {
                let answer = record(progress, (page.results, Vec::new()), page.position, None, 0).await?;
                return if answer.lost { Ok(Ended::Lost) } else { pause(db, child, wait).await };
            }
            Some(Cut::Close { reason, message }) => return close_badly(db, child, reason, message).await,
            None => {}
        }
        let last = next.is_none();
        let answer =
            record(progress, (page.results, Vec::new()), page.position, Some((moved.clone(), last)), 0)
                .await?;
        if answer.lost {
            return Ok(Ended::Lost);
        }
        if answer.cancelled {
            return close(db, child, Some(RunStatus::Cancelled), None, None).await;
        }
        if last {
            return close(db, child, None, None, None).await;
        }
        cursor = moved;
    }
}

/// One page of what changed at the source: its records by id, and where the next page begins.
async fn list(
    sides: &Sides<'_>,
    cursor: &Cursor,
) -> Result<(HashMap<String, Record>, Option<String>), Failure> {
    let since = window(cursor);
    let item_type = sides.child.item_type;
    let query = ListQuery {
        item_type,
        since,
        filter: Filter::default(),
        page: cursor.page.clone(),
        limit: sides.source.connector.limits(item_type).page,
    };
    let page = sides.source.ask(sides.source.connector.list(&sides.source.account, &query)?).await?;
    if page.next.is_some() && page.next == cursor.page {
        return Err(connectors::Error::unexpected("the platform's listing does not advance").into());
    }
    Ok((page.records.into_iter().map(|record| (record.id.clone(), record)).collect(), page.next))
}

/// The start of the listing's window: kept while paging through it, taken anew from the greatest time seen after that.
fn window(cursor: &Cursor) -> Option<DateTime<Utc>> {
    match cursor.page {
        Some(_) => cursor.since,
        None => cursor.seen_at.and_then(|seen| seen.checked_sub_signed(LOOK_BACK)),
    }
}

/// The cursor behind this page: the greatest time and id seen, by the source's own clock.
fn advanced(cursor: &Cursor, records: &HashMap<String, Record>, next: Option<String>) -> Cursor {
    let newest = records.values().filter_map(|record| Some((record.modified_at?, record.id.clone()))).max();
    let before = cursor.seen_at.map(|at| (at, cursor.seen_id.clone().unwrap_or_default()));
    let (seen_at, seen_id) = newest.max(before).unzip();
    Cursor { seen_at, seen_id, since: next.is_some().then(|| window(cursor)).flatten(), page: next }
}

pub(crate) async fn pause(db: &Db, child: &Child, wait: Duration) -> Result<Ended> {
    // Whole seconds, rounded up: never earlier than the platform asked.
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
    let delay_seconds = i64::try_from(seconds).unwrap_or(i64::MAX).min(86_400);
    let kept = runs::pause(db, &Pause { run_id: child.run_id, fence: child.fence, delay_seconds }).await?;
    Ok(if kept { Ended::Paused } else { Ended::Lost })
}

async fn close(
    db: &Db,
    child: &Child,
    status: Option<RunStatus>,
    reason: Option<String>,
    message: Option<String>,
) -> Result<Ended> {
    let input = Close { run_id: child.run_id, fence: child.fence, status, reason, message };
    Ok(if runs::close(db, &input).await?.is_some() { Ended::Closed } else { Ended::Lost })
}

async fn close_badly(db: &Db, child: &Child, reason: &str, message: String) -> Result<Ended> {
    close(db, child, Some(RunStatus::Failed), Some(reason.to_owned()), Some(message)).await
}

/// The reason code of a sync that could not even begin.
fn reason_of(error: &Error) -> &'static str {
    match error {
        Error::Rules(_) => "invalid_rules",
        Error::Address(_) => "address_refused",
        Error::NoCredential | Error::Secrets(_) => "no_credential",
        Error::NotInUse(_) => "account_not_in_use",
        Error::Platform(_) | Error::Store(_) | Error::Settings(_) | Error::Filter(_) => "not_set_up",
    }
}
