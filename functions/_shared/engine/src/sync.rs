//! The two ways in: a person's items, and whatever is due.

use crate::clock::{self, Deadline};
use crate::error::Result;
use crate::run::{self, Scope};
use crate::settings::Settings;
use chrono::{DateTime, Utc};
use domain::schedule::Window;
use domain::{ConfigId, ItemId, RunId, SyncMode, SyncType, UserId};
use futures::future::join_all;
use std::time::Duration;
use store::Db;
use store::runs::{self, Child, Open, Opened, Summary};
use store::schedules::{self, DueUser, ScheduledItem};

/// What a person wants synced. The items are the person's own: `sync_list::choose` has seen to that.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Whose items.
    pub user_id: UserId,
    /// The word that the history shows.
    pub sync_type: SyncType,
    /// For this run, instead of each item's own mode.
    pub mode: Option<SyncMode>,
    /// The items.
    pub item_ids: Vec<ItemId>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The run as its ledger has it.
    pub summary: Summary,
    /// Items left to the queue, because another run is at work on their sync.
    pub queued: u64,
    /// Whether the work was only taken on (202), not done or begun here.
    pub accepted: bool,
}

/// Syncs these items, for as long as the deadline allows; the queue goes on with the rest.
///
/// With `later` nothing is done here: the run is opened and laid aside, and the queue does all of it.
pub async fn sync_items(
    db: &Db,
    settings: &Settings,
    wish: Wish,
    deadline: Deadline,
    later: bool,
) -> Result<Answer> {
    let open = Open {
        user_id: wish.user_id,
        sync_type: wish.sync_type,
        mode: wish.mode,
        item_ids: wish.item_ids,
        parent_run_id: None,
        lease_seconds: settings.lease_seconds,
    };
    let opened = runs::open(db, &open).await?;
    let at_work_elsewhere = opened.children.is_empty().then_some(opened.running).flatten();
    if later {
        lay_aside(db, &opened.children).await?;
    } else {
        work(db, settings, &opened.children, deadline).await?;
    }
    let summary = runs::summary(db, at_work_elsewhere.unwrap_or(opened.run_id)).await?;
    Ok(Answer { summary, queued: opened.queued, accepted: later || at_work_elsewhere.is_some() })
}

/// Syncs the records with these ids at the source, at most 1,000 of them, whatever list they are on: as every run does,
/// both sides are read and decided about anew. `None`: another run of this sync is at work, or the sync is switched off.
pub async fn sync_records(
    db: &Db,
    settings: &Settings,
    config_id: ConfigId,
    source_ids: &[String],
    deadline: Deadline,
) -> Result<Option<Summary>> {
    let Some(child) = runs::open_changed(db, config_id, None, settings.lease_seconds).await? else {
        return Ok(None);
    };
    run::work(db, settings, &child, deadline, Scope::Named(source_ids)).await?;
    Ok(Some(runs::summary(db, child.run_id).await?))
}

/// Syncs whatever changed since the last time, on one side or on both. `None`: as for [`sync_records`].
pub async fn sync_changed(
    db: &Db,
    settings: &Settings,
    config_id: ConfigId,
    deadline: Deadline,
    later: bool,
) -> Result<Option<Summary>> {
    let Some(child) = runs::open_changed(db, config_id, None, settings.lease_seconds).await? else {
        return Ok(None);
    };
    if later {
        run::pause(db, &child, Duration::ZERO).await?;
    } else {
        run::work(db, settings, &child, deadline, Scope::Whole).await?;
    }
    Ok(Some(runs::summary(db, child.run_id).await?))
}

/// Works on all syncs of a run, side by side.
async fn work(db: &Db, settings: &Settings, children: &[Child], deadline: Deadline) -> Result<()> {
    let at_work = children.iter().map(|child| run::work(db, settings, child, deadline, Scope::Whole));
    join_all(at_work).await.into_iter().try_for_each(|ended| ended.map(|_| ()))
}

async fn lay_aside(db: &Db, children: &[Child]) -> Result<()> {
    for child in children {
        run::pause(db, child, Duration::ZERO).await?;
    }
    Ok(())
}

/// What a tick of the clock did.
#[derive(Debug, Clone)]
pub struct Scheduled {
    /// The system run above all users' runs.
    pub run_id: RunId,
    /// Users with something due.
    pub users: Vec<UserResult>,
    /// Items that were due, of all users.
    pub total_items: u64,
}

/// One user's part of a tick.
#[derive(Debug, Clone)]
pub struct UserResult {
    /// The user.
    pub user_id: UserId,
    /// The user's runs, summed up.
    pub summary: Summary,
}

/// Does whatever is due, one run per user under one system run. What time does not allow is left to the queue.
pub async fn scheduled(db: &Db, settings: &Settings, deadline: Deadline, later: bool) -> Result<Scheduled> {
    let run_id = runs::open_system(db).await?;
    let mut result = Scheduled { run_id, users: Vec::new(), total_items: 0 };
    let mut after = None;
    loop {
        let due = schedules::due(db, after).await?;
        after = due.users.last().map(|user| user.user_id);
        for user in due.users {
            let tick = Tick { db, settings, deadline, later: later || deadline.left() < HANDOVER, run_id };
            tick.user(user, &mut result).await?;
        }
        if !due.more || after.is_none() {
            break;
        }
    }
    runs::close_system(db, run_id).await?;
    Ok(result)
}

struct Tick<'a> {
    db: &'a Db,
    settings: &'a Settings,
    deadline: Deadline,
    later: bool,
    run_id: RunId,
}

impl Tick<'_> {
    /// Opens and works on what is due for one user.
    async fn user(&self, user: DueUser, result: &mut Scheduled) -> Result<()> {
        let now = clock::now();
        let is_due = |item: &ScheduledItem| {
            let hours = (item.time_zone.as_str(), item.windows.as_slice());
            slot(item.schedule.as_deref(), hours, item.last_checked_at, now).is_some()
        };
        let own_time = user.scheduled.iter().filter(|item| is_due(item)).map(|item| item.item_id);
        let item_ids: Vec<ItemId> = user.item_ids.iter().copied().chain(own_time).collect();
        let mut children = Vec::new();
        for config in &user.configs {
            let due_at = slot(
                Some(&config.schedule),
                (config.time_zone.as_str(), config.windows.as_slice()),
                config.last_due_at,
                now,
            );
            if let Some(due_at) = due_at
                && schedules::mark_due(self.db, config, due_at).await?
            {
                let lease = self.settings.lease_seconds;
                children
                    .extend(runs::open_changed(self.db, config.config_id, Some(self.run_id), lease).await?);
            }
        }
        if item_ids.is_empty() && children.is_empty() {
            return Ok(());
        }
        let count = u64::try_from(item_ids.len()).unwrap_or(u64::MAX);
        result.total_items = result.total_items.saturating_add(count);
        let mut run_ids = Vec::new();
        if !item_ids.is_empty() {
            let opened = self.open(user.user_id, item_ids).await?;
            children.extend(opened.children);
            run_ids.push(opened.running.unwrap_or(opened.run_id));
        }
        run_ids.extend(
            children
                .iter()
                .filter(|child| child.parent_run_id == Some(self.run_id))
                .map(|child| child.run_id),
        );
        self.work(&children).await?;
        let mut sum: Option<Summary> = None;
        for run_id in run_ids {
            let next = runs::summary(self.db, run_id).await?;
            sum = Some(sum.map_or_else(|| next.clone(), |sum| added(sum, &next)));
        }
        result.users.extend(sum.map(|summary| UserResult { user_id: user.user_id, summary }));
        Ok(())
    }

    async fn open(&self, user_id: UserId, item_ids: Vec<ItemId>) -> Result<Opened> {
        let open = Open {
            user_id,
            sync_type: SyncType::Scheduled,
            mode: None,
            item_ids,
            parent_run_id: Some(self.run_id),
            lease_seconds: self.settings.lease_seconds,
        };
        Ok(runs::open(self.db, &open).await?)
    }

    async fn work(&self, children: &[Child]) -> Result<()> {
        if self.later {
            lay_aside(self.db, children).await
        } else {
            work(self.db, self.settings, children, self.deadline).await
        }
    }
}

/// The slot that is due, if one is. A schedule that cannot be read is never due; saving it was refused, so it was
/// written around us.
fn slot(
    schedule: Option<&str>,
    hours: (&str, &[Window]),
    last: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    domain::schedule::due(schedule, hours, last, now).ok().flatten()
}

/// Two runs' sums.
fn added(sum: Summary, next: &Summary) -> Summary {
    Summary {
        seen: sum.seen.saturating_add(next.seen),
        created: sum.created.saturating_add(next.created),
        updated: sum.updated.saturating_add(next.updated),
        unchanged: sum.unchanged.saturating_add(next.unchanged),
        skipped: sum.skipped.saturating_add(next.skipped),
        deleted: sum.deleted.saturating_add(next.deleted),
        failed: sum.failed.saturating_add(next.failed),
        conflicted: sum.conflicted.saturating_add(next.conflicted),
        held: sum.held.saturating_add(next.held),
        errors: sum.errors.iter().chain(&next.errors).take(100).cloned().collect(),
        ..sum
    }
}

/// What must be left of the time to begin with another user's items here, instead of in the queue.
const HANDOVER: Duration = Duration::from_secs(5);
