//! A run over rows of the sync list, page by page.

use crate::error::Result;
use crate::run::{Cut, Ended, PAGE, Progress, close, close_badly, end, page, pause, record};
use crate::sides::Known;
use domain::RunStatus;
use std::time::Duration;
use store::runs::{self, NextPage};

/// Works through the list from where the run stands.
pub(crate) async fn listed(progress: &mut Progress<'_>) -> Result<Ended> {
    let (db, child, lease_seconds) = (progress.sides.db, progress.sides.child, progress.sides.lease_seconds);
    let first = NextPage { run_id: child.run_id, fence: child.fence, limit: PAGE, lease_seconds };
    let mut work = runs::next_page(db, &first).await?;
    let mut start = child.position;
    loop {
        if work.lost {
            return Ok(Ended::Lost);
        }
        if work.cancelled {
            return end(db, child, Some(RunStatus::Cancelled), None, None).await;
        }
        let remaining = work.remaining;
        if work.items.is_empty() && remaining == 0 && start >= work.position {
            return close(progress).await;
        }
        let Some(page) = page(progress, work.items, (work.position, start), Known::default()).await? else {
            return Ok(Ended::Lost);
        };
        let next_limit = if page.cut.is_none() && remaining > 0 && progress.has_time() { PAGE } else { 0 };
        start = page.position;
        work = record(progress, (page.results, page.undone), start, (None, false), next_limit).await?;
        if work.lost {
            return Ok(Ended::Lost);
        }
        match page.cut {
            Some(Cut::Close { reason, message }) => return close_badly(db, child, reason, message).await,
            Some(Cut::Pause(wait)) => return pause(db, child, wait).await,
            None if remaining == 0 => return close(progress).await,
            None if next_limit == 0 => return pause(db, child, Duration::ZERO).await,
            None => {}
        }
    }
}
