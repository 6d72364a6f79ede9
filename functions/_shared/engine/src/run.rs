//! One sync of a run: its lines, its pages, its end.

use crate::budget;
use crate::changed;
use crate::chunk;
use crate::clock::Deadline;
use crate::deletes;
use crate::error::{Error, Result};
use crate::gather::Stop;
use crate::integration;
use crate::listed;
use crate::outcome;
use crate::settings::Settings;
use crate::sides::{Known, Sides};
use crate::wire::Wire;
use connectors::ErrorKind;
use domain::{Fault, ItemId, RunStatus};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;
use store::Db;
use store::credentials;
use store::runs::{
    self, Child, Close, Cursor, Item, ItemResult, Outcome, PageResults, Pause, Selection, Work,
};

/// Records of one page; the statements take no more.
pub(crate) const PAGE: i32 = 1_000;
/// What must be left of the time to begin another page.
const MARGIN: Duration = Duration::from_secs(2);

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

/// Which records of a sync are worked on.
#[derive(Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// All that its selection says.
    Whole,
    /// Only those with these ids at the source.
    Named(&'a [String]),
    /// Only what was planned, by the record's id at the source.
    Planned(&'a BTreeMap<String, String>),
}

/// Works on one sync until it is done or the time is up.
pub(crate) async fn work(
    db: &Db,
    settings: &Settings,
    child: &Child,
    deadline: Deadline,
    scope: Scope<'_>,
) -> Result<Ended> {
    let lines = match lines(db, settings, child, deadline).await {
        Ok(lines) => lines,
        Err(error @ Error::Store(_)) => return Err(error),
        Err(error) => return close_badly(db, child, reason_of(&error), error.detail()).await,
    };
    let ended = at_work(db, settings, child, deadline, (&lines, scope)).await;
    budget::give_back(db, &[&lines.source.budget, &lines.target.budget]).await?;
    ended
}

async fn at_work(
    db: &Db,
    settings: &Settings,
    child: &Child,
    deadline: Deadline,
    (lines, scope): (&Lines<'_>, Scope<'_>),
) -> Result<Ended> {
    let plan = if let Scope::Planned(plan) = scope { Some(plan) } else { None };
    let sides = match Sides::new(db, child, &lines.source, &lines.target, settings.lease_seconds) {
        Ok(sides) => Sides { plan, ..sides },
        Err(error) => return close_badly(db, child, reason_of(&error), error.detail()).await,
    };
    let mut progress = Progress::new(&sides, deadline, matches!(scope, Scope::Whole));
    match (scope, child.selection) {
        (Scope::Planned(plan), _) => {
            let ids: Vec<String> = plan.keys().cloned().collect();
            changed::named(&mut progress, &ids).await
        }
        (Scope::Named(ids), _) => changed::named(&mut progress, ids).await,
        (Scope::Whole, Selection::Listed) => listed::listed(&mut progress).await,
        (Scope::Whole, Selection::Changed) => changed::changed(&mut progress).await,
    }
}

/// The lines to both accounts.
pub(crate) struct Lines<'a> {
    pub(crate) source: Wire<'a>,
    pub(crate) target: Wire<'a>,
}

/// Opens both lines; sends nothing yet.
pub(crate) async fn lines<'a>(
    db: &'a Db,
    settings: &'a Settings,
    child: &'a Child,
    deadline: Deadline,
) -> Result<Lines<'a>> {
    integration::in_use(&child.source)?;
    integration::in_use(&child.target)?;
    let accounts = [child.source.integration_id, child.target.integration_id];
    let sealed = credentials::load(db, &accounts, Some(child.run_id)).await?;
    let [source, target] = accounts.map(|id| {
        sealed.iter().find(|sealed| sealed.integration_id == id).cloned().ok_or(Error::NoCredential)
    });
    Ok(Lines {
        source: Wire::open(db, settings, &child.source, source?, deadline)?,
        target: Wire::open(db, settings, &child.target, target?, deadline)?,
    })
}

/// What a run remembers from page to page.
pub(crate) struct Progress<'a> {
    pub(crate) sides: &'a Sides<'a>,
    deadline: Deadline,
    slowest: Duration,
    recorded_requests: i64,
    /// Whether all that the sync's selection says is worked on, so that the queue may go on with it.
    whole: bool,
    /// Whether a whole listing was followed.
    pub(crate) listing: bool,
    /// How the records of the first side's listing ended, by the hash of their id on the other side.
    told: HashMap<u64, Outcome>,
}

/// Why a page ended before its last record.
pub(crate) enum Cut {
    /// The time is up, or a platform asked for patience: go on after this long.
    Pause(Duration),
    /// The run cannot go on.
    Close { reason: &'static str, message: String },
}

/// What became of a page.
pub(crate) struct Page {
    pub(crate) results: Vec<ItemResult>,
    /// Where the run stands: behind the records that have a result.
    pub(crate) position: i64,
    /// Items that have none: they come next.
    pub(crate) undone: Vec<ItemId>,
    pub(crate) cut: Option<Cut>,
}

/// Works through a page that leads the run from `start` to `whole`. `None`: the lease was lost.
pub(crate) async fn page(
    progress: &mut Progress<'_>,
    items: Vec<Item>,
    (whole, start): (i64, i64),
    known: Known,
) -> Result<Option<Page>> {
    let copies = items.clone();
    let in_order = known.is_empty();
    let began = progress.deadline.elapsed();
    let done = chunk::work(progress.sides, items, known).await;
    progress.slowest = progress.slowest.max(progress.deadline.elapsed().saturating_sub(began));
    let stop = done.stop;
    let mut page = Page { results: done.results, position: whole, undone: Vec::new(), cut: None };
    if matches!(stop, Some(Stop::Later(_))) && in_order {
        page.undone = without_result(&copies, &page.results);
        let undone = i64::try_from(page.undone.len()).unwrap_or(i64::MAX);
        page.position = whole.saturating_sub(undone).max(start);
    }
    page.end(progress.sides, &copies, stop).await
}

impl Page {
    /// What stopped the work on a page, told to whom it concerns. `None`: the lease was lost.
    pub(crate) async fn end(
        mut self,
        sides: &Sides<'_>,
        items: &[Item],
        stop: Option<Stop>,
    ) -> Result<Option<Self>> {
        budget::settle(sides.db, &[&sides.source.budget, &sides.target.budget]).await?;
        self.cut = match stop {
            None => None,
            Some(Stop::Lost) => return Ok(None),
            Some(Stop::Store(error)) => return Err(error.into()),
            Some(Stop::Later(wait)) => Some(Cut::Pause(wait)),
            Some(Stop::Unauthorized(account, message)) => {
                integration::refused(sides.db, account, &message).await?;
                let results = &mut self.results;
                Some(give_up(items, ErrorKind::Unauthorized, "unauthorized", message, results))
            }
            Some(Stop::Unavailable(message)) => {
                let results = &mut self.results;
                Some(give_up(items, ErrorKind::Unavailable, "platform_unavailable", message, results))
            }
        };
        Ok(Some(self))
    }
}

fn short(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
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

impl<'a> Progress<'a> {
    fn new(sides: &'a Sides<'a>, deadline: Deadline, whole: bool) -> Self {
        let (slowest, told) = (Duration::ZERO, HashMap::new());
        Self { sides, deadline, slowest, recorded_requests: 0, whole, listing: false, told }
    }

    /// Remembers how records ended, for the other side's listing.
    pub(crate) fn remember(&mut self, results: &[ItemResult]) {
        let ended = results.iter().filter_map(|one| Some((short(one.target_id.as_ref()?), one.outcome)));
        self.told.extend(ended);
    }

    /// Whether this run has told the same of this record already: then it does not count again.
    pub(crate) fn is_told(&self, result: &ItemResult) -> bool {
        let before = result.target_id.as_ref().and_then(|id| self.told.get(&short(id)));
        match result.outcome {
            Outcome::Unchanged => before.is_some() && result.link.is_none(),
            Outcome::Conflicted | Outcome::Held | Outcome::Failed | Outcome::Skipped => {
                before == Some(&result.outcome)
            }
            _ => false,
        }
    }

    /// Whether another page like the slowest one so far still fits.
    pub(crate) fn has_time(&self) -> bool {
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

pub(crate) async fn record(
    progress: &mut Progress<'_>,
    (results, undone): (Vec<ItemResult>, Vec<ItemId>),
    position: i64,
    (cursor, last_page): (Option<Cursor>, bool),
    next_limit: i32,
) -> Result<Work> {
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

/// Lays a run aside for so long. Of named records it ends instead: the queue would go on with whatever changed. What was
/// named is asked for again by its caller.
pub(crate) async fn lay_aside(progress: &Progress<'_>, wait: Duration) -> Result<Ended> {
    let (db, child) = (progress.sides.db, progress.sides.child);
    if progress.whole {
        return pause(db, child, wait).await;
    }
    let message =
        "There was no time for all of it, or a platform asks for patience; try again later.".to_owned();
    end(db, child, Some(RunStatus::Interrupted), Some("patience".to_owned()), Some(message)).await
}

pub(crate) async fn pause(db: &Db, child: &Child, wait: Duration) -> Result<Ended> {
    // Whole seconds, rounded up: never earlier than the platform asked.
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
    let delay_seconds = i64::try_from(seconds).unwrap_or(i64::MAX).min(86_400);
    let kept = runs::pause(db, &Pause { run_id: child.run_id, fence: child.fence, delay_seconds }).await?;
    Ok(if kept { Ended::Paused } else { Ended::Lost })
}

/// Ends a run that has come to its end: what it found gone is settled, and its sums say how it went.
pub(crate) async fn close(progress: &mut Progress<'_>) -> Result<Ended> {
    if let Some(ended) = deletes::settle(progress).await? {
        return Ok(ended);
    }
    let (db, child) = (progress.sides.db, progress.sides.child);
    let input = Close { listing: progress.listing, ..as_it_stands(child) };
    Ok(if runs::close(db, &input).await?.is_some() { Ended::Closed } else { Ended::Lost })
}

const fn as_it_stands(child: &Child) -> Close {
    Close {
        run_id: child.run_id,
        fence: child.fence,
        status: None,
        reason: None,
        message: None,
        listing: false,
    }
}

/// Ends a run as it stands.
pub(crate) async fn end(
    db: &Db,
    child: &Child,
    status: Option<RunStatus>,
    reason: Option<String>,
    message: Option<String>,
) -> Result<Ended> {
    let input = Close { status, reason, message, ..as_it_stands(child) };
    Ok(if runs::close(db, &input).await?.is_some() { Ended::Closed } else { Ended::Lost })
}

pub(crate) async fn close_badly(db: &Db, child: &Child, reason: &str, message: String) -> Result<Ended> {
    end(db, child, Some(RunStatus::Failed), Some(reason.to_owned()), Some(message)).await
}

/// The reason code of a sync that could not even begin.
fn reason_of(error: &Error) -> &'static str {
    match error {
        Error::Rules(_) => "invalid_rules",
        Error::Address(_) => "address_refused",
        Error::NoCredential | Error::Secrets(_) => "no_credential",
        Error::NotInUse(_) => "account_not_in_use",
        Error::Platform(_)
        | Error::Store(_)
        | Error::Settings(_)
        | Error::Filter(_)
        | Error::Conflict(_)
        | Error::Unheard { .. } => "not_set_up",
    }
}
