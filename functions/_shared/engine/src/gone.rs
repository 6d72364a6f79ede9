//! Records that one side does not have any more: what a look at them tells, and who looks.
//!
//! A record that is missing from a listing is never taken for deleted. It is asked for by its id; when it is not there,
//! that is remembered, and another run asks again. What becomes of its counterpart is settled at the run's end.

use crate::clock;
use crate::error::Result;
use crate::gather::{self, Gathered, Stop};
use crate::outcome;
use crate::run::{Cut, Ended, Page, Progress, close_badly, pause, record};
use crate::sides::Sides;
use domain::deletes::{self, DeletePolicy, Knowledge, Missing, Sighting};
use std::time::Duration;
use store::links::{self, ToCheck};
use store::runs::{Gone, GoneStep, Item, ItemResult, Outcome, SideName};

/// Pairs that a run looks after besides those that were missed: a few requests, so that small plans can bear it.
const ROUND: i32 = 250;

/// What stands for a delete in a plan.
pub(crate) const PLANNED: &str = "delete";

/// What is told of a linked record that a side does not have. `None`: deletes of that side mean nothing in this sync, or
/// there is no pair to speak of.
pub(crate) fn told(sides: &Sides<'_>, item: &Item, side: SideName, sighting: Sighting) -> Option<ItemResult> {
    let counts = side == SideName::Source || sides.goes_both_ways();
    let linked = item.link.is_some() && item.target_id.is_some() && sides.straight.is_none();
    if sides.deletes == DeletePolicy::Ignore || !counts || !linked {
        return None;
    }
    let gone = |step| {
        let reason = if sighting == Sighting::Tombstone { "tombstone" } else { "not_found" };
        Some(Gone { step, side, reason, policy: sides.deletes, ended: None })
    };
    match knowledge(sides, item, side, sighting) {
        Knowledge::Gone => Some(found(sides, item, gone(GoneStep::Found))),
        Knowledge::Suspected(_) => Some(ItemResult { gone: gone(GoneStep::Suspected), ..not_there(item) }),
        Knowledge::AsBefore => Some(not_there(item)),
        Knowledge::Alive | Knowledge::Ask => None,
    }
}

fn knowledge(sides: &Sides<'_>, item: &Item, side: SideName, sighting: Sighting) -> Knowledge {
    let before = item.missing.as_ref().filter(|missing| missing.side == side);
    let before = before.map(|missing| Missing { run: missing.run.to_string(), since: missing.since });
    deletes::look(sighting, before.as_ref(), &sides.child.run_id.to_string(), clock::now())
}

fn found(sides: &Sides<'_>, item: &Item, gone: Option<Gone>) -> ItemResult {
    let planned = sides.plan.map(|plan| plan.get(&item.source_id));
    if planned.is_some_and(|planned| planned.map(String::as_str) != Some(PLANNED)) {
        return outcome::otherwise(item, (None, None));
    }
    ItemResult { gone, ..outcome::result(item, None, Outcome::Gone) }
}

fn not_there(item: &Item) -> ItemResult {
    let why = "The record was asked for and is not there. Another run asks again before its counterpart is touched.";
    ItemResult {
        error: Some(outcome::error("skipped", "maybe_gone", why)),
        ..outcome::result(item, None, Outcome::Skipped)
    }
}

/// Asks for pairs that no listing brings: those that an earlier run missed, and in turn all others. `Some`: the run
/// goes no further now.
pub(crate) async fn look_after(progress: &mut Progress<'_>) -> Result<Option<Ended>> {
    let sides = progress.sides;
    if sides.deletes == DeletePolicy::Ignore || !progress.has_time() {
        return Ok(None);
    }
    let (run_id, fence, lease_seconds) = (sides.child.run_id, sides.child.fence, sides.lease_seconds);
    let asked = ToCheck { run_id, fence, limit: ROUND, lease_seconds };
    let links::Checked { lost, items, position } = links::to_check(sides.db, &asked).await?;
    if lost {
        return Ok(Some(Ended::Lost));
    }
    let (results, stop) = look(sides, &items).await;
    let page = Page { results, position: 0, undone: Vec::new(), cut: None };
    let Some(page) = page.end(sides, &[], stop).await? else { return Ok(Some(Ended::Lost)) };
    let answer = record(progress, (page.results, Vec::new()), position, (None, true), 0).await?;
    match page.cut {
        _ if answer.lost => Ok(Some(Ended::Lost)),
        None => Ok(None),
        Some(Cut::Pause(wait)) => pause(sides.db, sides.child, wait).await.map(Some),
        Some(Cut::Close { reason, message }) => {
            close_badly(sides.db, sides.child, reason, message).await.map(Some)
        }
    }
}

/// A look at each of these pairs, for nothing but whether they are there.
async fn look(sides: &Sides<'_>, items: &[Item]) -> (Vec<ItemResult>, Option<Stop>) {
    let mut results: Vec<ItemResult> = Vec::new();
    let both = sides.goes_both_ways();
    for side in
        [SideName::Source, SideName::Target].into_iter().filter(|side| both || *side == SideName::Source)
    {
        let told = |item: &&Item| results.iter().all(|result| result.source_id != item.source_id);
        let pairs: Vec<(&Item, String)> =
            items.iter().filter(told).filter_map(|item| Some((item, id_at(item, side)?))).collect();
        let ids: Vec<String> = pairs.iter().map(|(_, id)| id.clone()).collect();
        let found = match gather::by_ids(sides.line(side), sides.child.item_type, &ids).await {
            Ok(found) => found,
            Err(stop) => return (results, Some(stop)),
        };
        let late = found.late;
        results.extend(pairs.into_iter().filter_map(|(item, id)| seen(sides, (item, &id), side, &found)));
        if let Some(wait) = late {
            return (results, Some(Stop::Later(wait.max(Duration::from_secs(1)))));
        }
    }
    (results, None)
}

fn id_at(item: &Item, side: SideName) -> Option<String> {
    match side {
        SideName::Source => Some(item.source_id.clone()),
        SideName::Target => item.target_id.clone(),
    }
}

/// What a look says; `None` where there is nothing to tell.
fn seen(
    sides: &Sides<'_>,
    (item, id): (&Item, &str),
    side: SideName,
    found: &Gathered,
) -> Option<ItemResult> {
    if found.failed.contains_key(id) || found.unanswered.contains(id) {
        return None;
    }
    let sighting = match found.records.get(id) {
        None => Sighting::NotFound,
        Some(record) if record.deleted => Sighting::Tombstone,
        Some(_) => return there_again(sides, item, side),
    };
    told(sides, item, side, sighting)
}

/// It was missed before, and is there: that is forgotten.
fn there_again(sides: &Sides<'_>, item: &Item, side: SideName) -> Option<ItemResult> {
    let missed = item.missing.as_ref().filter(|missing| missing.side == side);
    missed.map(|_| {
        let gone =
            Gone { step: GoneStep::There, side, reason: "not_found", policy: sides.deletes, ended: None };
        ItemResult { gone: Some(gone), ..outcome::untouched(item) }
    })
}
