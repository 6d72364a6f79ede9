//! A run over whatever changed: the source's listing, and the target's where the sync goes both ways.

use crate::error::Result;
use crate::gone;
use crate::outcome;
use crate::run::{Cut, Ended, Page, Progress, close, close_badly, end, lay_aside, page, pause, record};
use crate::sides::{Known, Sides};
use crate::turned;
use crate::wire::Failure;
use connectors::{ErrorKind, Filter, ListQuery};
use domain::cursor::Cursor as Place;
use domain::mapping::Mapping;
use domain::{Record, RunStatus, SyncMode};
use std::collections::HashMap;
use std::time::Duration;
use store::runs::{self, Cursor, Item, ItemResult, Lookup, SideName, Work};

/// Everything that changed since the cursors, page by page of the listings.
pub(crate) async fn changed(progress: &mut Progress<'_>) -> Result<Ended> {
    let both = progress.sides.goes_both_ways();
    if let Some(ended) = side(progress, SideName::Source, !both).await? {
        return Ok(ended);
    }
    if both && let Some(ended) = side(progress, SideName::Target, true).await? {
        return Ok(ended);
    }
    if let Some(ended) = gone::look_after(progress).await? {
        return Ok(ended);
    }
    progress.listing = true;
    close(progress).await
}

/// Only the records with these ids at the source; no cursor moves.
pub(crate) async fn named(progress: &mut Progress<'_>, ids: &[String]) -> Result<Ended> {
    let (db, child) = (progress.sides.db, progress.sides.child);
    let work = runs::lookup(db, &asked(progress.sides, ids, &[])).await?;
    if work.lost {
        return Ok(Ended::Lost);
    }
    let Some(page) = page(progress, work.items, (work.position, 0), Known::default()).await? else {
        return Ok(Ended::Lost);
    };
    let answer =
        record(progress, (page.results, Vec::new()), page.position, (None, page.cut.is_none()), 0).await?;
    match page.cut {
        _ if answer.lost => Ok(Ended::Lost),
        None => close(progress).await,
        Some(Cut::Close { reason, message }) => close_badly(db, child, reason, message).await,
        Some(Cut::Pause(wait)) => lay_aside(progress, wait).await,
    }
}

/// One side's listing to its end. `Some`: the run goes no further now.
async fn side(progress: &mut Progress<'_>, name: SideName, last_side: bool) -> Result<Option<Ended>> {
    let (db, child) = (progress.sides.db, progress.sides.child);
    let mut cursor = runs::cursor(db, child.run_id, name).await?;
    loop {
        if !progress.has_time() {
            return pause(db, child, Duration::ZERO).await.map(Some);
        }
        let (records, moved) = match list(progress.sides, &cursor).await {
            Ok(listed) => listed,
            Err(Failure::Later(wait)) => return pause(db, child, wait).await.map(Some),
            Err(Failure::Store(error)) => return Err(error.into()),
            Err(Failure::Platform(error)) => return away(progress.sides, name, error).await.map(Some),
        };
        let Some(page) = listed_page(progress, name, records).await? else { return Ok(Some(Ended::Lost)) };
        // The cursor of an unfinished page must not move: it is read again as a whole. But what was done stays done, or
        // a slow platform would never get beyond one page. What is met again counts again, as unchanged.
        let (whole, last) = (page.cut.is_none(), moved.progress.page.is_none());
        let cursor_now = whole.then(|| moved.clone());
        let ends = whole && last && last_side;
        let answer =
            record(progress, (page.results, Vec::new()), page.position, (cursor_now, ends), 0).await?;
        match page.cut {
            _ if answer.lost => return Ok(Some(Ended::Lost)),
            Some(Cut::Pause(wait)) => return pause(db, child, wait).await.map(Some),
            Some(Cut::Close { reason, message }) => {
                return close_badly(db, child, reason, message).await.map(Some);
            }
            None if answer.cancelled => {
                return end(db, child, Some(RunStatus::Cancelled), None, None).await.map(Some);
            }
            None if last => return Ok(None),
            None => cursor = moved,
        }
    }
}

/// Works through a page of a listing. `None`: the lease was lost.
async fn listed_page(
    progress: &mut Progress<'_>,
    name: SideName,
    records: HashMap<String, Record>,
) -> Result<Option<Page>> {
    let ids: Vec<String> = records.keys().cloned().collect();
    let (db, sides) = (progress.sides.db, progress.sides);
    if name == SideName::Source {
        let work = runs::lookup(db, &asked(sides, &ids, &[])).await?;
        if work.lost {
            return Ok(None);
        }
        let known = Known { sources: records, ..Known::default() };
        let done = page(progress, work.items, (work.position, 0), known).await?;
        if sides.goes_both_ways()
            && let Some(page) = &done
        {
            progress.remember(&page.results);
        }
        return Ok(done);
    }
    let work = runs::lookup(db, &asked(sides, &[], &ids)).await?;
    if work.lost {
        return Ok(None);
    }
    let Work { items, unlinked, position, .. } = work;
    let (mut results, items) = silent(sides, items, &records);
    let new: Vec<Record> = unlinked
        .iter()
        .filter_map(|one| records.get(&one.target_id).filter(|record| !record.deleted).cloned())
        .collect();
    let known = Known { targets: records, ..Known::default() };
    let Some(mut done) = page(progress, items, (position, 0), known).await? else { return Ok(None) };
    if done.cut.is_none() && !new.is_empty() {
        let Some(adopted) = turned::adopt(progress, new, unlinked, position).await? else { return Ok(None) };
        done.results.extend(adopted.results);
        done.cut = adopted.cut;
    }
    results.extend(done.results);
    results.retain(|result| !progress.is_told(result));
    Ok(Some(Page { results, ..done }))
}

/// Records of the target that look as they did when both sides agreed: an echo of what we wrote, or a touch. The source
/// needs no look; its own changes came with its own listing.
fn silent(
    sides: &Sides<'_>,
    items: Vec<Item>,
    records: &HashMap<String, Record>,
) -> (Vec<ItemResult>, Vec<Item>) {
    let mapping = &sides.rules.mapping;
    let as_agreed = |item: &Item| {
        let link =
            item.link.as_ref().filter(|_| item.mode == SyncMode::Delta && item.resolution.is_none())?;
        let record = records.get(item.target_id.as_ref()?).filter(|record| !record.deleted)?;
        let now = mapping.comparable(&mapping.project(&record.fields));
        let before = mapping.comparable(&link.base_target);
        let same = mapping.targets().iter().all(|field| Mapping::same(field, &now, &before));
        same.then(|| {
            let inputs = sides.record.then(|| outcome::inputs(None, Some(record)));
            ItemResult { inputs, ..outcome::untouched(item) }
        })
    };
    let (mut results, mut open) = (Vec::new(), Vec::new());
    for item in items {
        match as_agreed(&item) {
            Some(result) => results.push(result),
            None => open.push(item),
        }
    }
    (results, open)
}

pub(crate) fn asked<'a>(sides: &Sides<'_>, source_ids: &'a [String], target_ids: &'a [String]) -> Lookup<'a> {
    let (run_id, fence) = (sides.child.run_id, sides.child.fence);
    Lookup { run_id, fence, source_ids, target_ids, lease_seconds: sides.lease_seconds }
}

/// A side that cannot be listed.
async fn away(sides: &Sides<'_>, name: SideName, error: connectors::Error) -> Result<Ended> {
    let reason = if error.kind == ErrorKind::Unauthorized {
        let wire = sides.line(name);
        crate::integration::refused(sides.db, wire.integration_id(), &error.message).await?;
        "unauthorized"
    } else {
        "platform_unavailable"
    };
    close_badly(sides.db, sides.child, reason, error.message).await
}

/// One page of what changed at a side: its records by id, and the cursor behind it.
async fn list(sides: &Sides<'_>, cursor: &Cursor) -> Result<(HashMap<String, Record>, Cursor), Failure> {
    let (wire, item_type) = (sides.line(cursor.side), sides.child.item_type);
    let query = ListQuery {
        item_type,
        since: cursor.progress.since(wire.connector.look_back()),
        filter: Filter::default(),
        page: cursor.progress.page.clone(),
        limit: wire.connector.limits(item_type).page,
    };
    let (page, now) = wire.ask_when(wire.connector.list(&wire.account, &query)?).await?;
    if page.next.is_some() && page.next == cursor.progress.page {
        return Err(connectors::Error::unexpected("the platform's listing does not advance").into());
    }
    let place = |record: &Record| Some(Place { time: record.modified_at?, id: record.id.clone() });
    let newest = page.records.iter().filter_map(place).max();
    let moved = Cursor { side: cursor.side, progress: cursor.progress.after(newest, now, page.next) };
    Ok((page.records.into_iter().map(|record| (record.id.clone(), record)).collect(), moved))
}
