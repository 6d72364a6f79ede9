//! The end of a run: what becomes of the counterparts of records that are gone.

use crate::error::Result;
use crate::gather::{self, Gathered, Stop, stop_or_record};
use crate::gone;
use crate::outcome;
use crate::run::{Cut, Ended, Page, Progress, close_badly, lay_aside, record};
use crate::sides::Sides;
use crate::wire::{Failure, Wire};
use crate::write::{update, write_all};
use domain::deletes::{DeletePolicy, Sentence, is_held, sentence};
use domain::mapping::Mapping;
use domain::{Fields, ItemType, Record, SyncMode};
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;
use store::deletes::{self, Due, DueDeletes, Gone as Row};
use store::runs::{Gone, GoneStep, Item, ItemResult, Outcome, SideName};

/// Settles what this run found gone, what a run that was cut off has left, and what a person has approved. `Some`: the run goes no further now.
pub(crate) async fn settle(progress: &mut Progress<'_>) -> Result<Option<Ended>> {
    let sides = progress.sides;
    if sides.deletes == DeletePolicy::Ignore {
        return Ok(None);
    }
    let (run_id, fence, lease_seconds) = (sides.child.run_id, sides.child.fence, sides.lease_seconds);
    let mut after: Option<String> = None;
    loop {
        let asked = DueDeletes { run_id, fence, after: after.as_deref(), lease_seconds };
        let due = deletes::due(sides.db, &asked).await?;
        if due.lost {
            return Ok(Some(Ended::Lost));
        }
        let Some(last) = due.rows.last() else { return Ok(None) };
        after = Some(last.source_id.clone());
        if !progress.has_time() {
            return lay_aside(progress, Duration::ZERO).await.map(Some);
        }
        let (results, stop) = judge(sides, due).await;
        let page = Page { results, position: 0, undone: Vec::new(), cut: None };
        let Some(page) = page.end(sides, &[], stop).await? else { return Ok(Some(Ended::Lost)) };
        let answer = record(progress, (page.results, Vec::new()), 0, (None, true), 0).await?;
        match page.cut {
            _ if answer.lost => return Ok(Some(Ended::Lost)),
            None => {}
            Some(Cut::Pause(wait)) => return lay_aside(progress, wait).await.map(Some),
            Some(Cut::Close { reason, message }) => {
                return close_badly(sides.db, sides.child, reason, message).await.map(Some);
            }
        }
    }
}

/// Says of each whether a person is asked first, and does what is to be done about the others.
async fn judge(sides: &Sides<'_>, due: Due) -> (Vec<ItemResult>, Option<Stop>) {
    let verdict = sentence(sides.deletes, sides.delete_guard, due.open, due.linked, false);
    let (mut results, mut rows) = (Vec::new(), Vec::new());
    let planned = |row: &Row| {
        sides.plan.is_none_or(|plan| plan.get(&row.source_id).is_some_and(|one| one == gone::PLANNED))
    };
    for row in due.rows.into_iter().filter(planned) {
        if verdict == Sentence::Approve && !row.approved {
            let message = format!(
                "{} of {} records are gone at once. Approve their deletes, or keep their counterparts.",
                due.open, due.linked
            );
            results.push(told(sides, &row, Outcome::Held, Some(("held", "too_many_deletes", &message))));
        } else if sides.deletes == DeletePolicy::Unlink {
            results.push(unlinked(sides, &row));
        } else {
            rows.push(row);
        }
    }
    for side in [SideName::Source, SideName::Target] {
        let (here, others) = rows.into_iter().partition(|row| row.side == side);
        rows = others;
        if let Err(stop) = carry_out(sides, side, here, &mut results).await {
            return (results, Some(stop));
        }
    }
    (results, None)
}

/// Deletes or archives the counterparts of what is gone at `side`.
async fn carry_out(
    sides: &Sides<'_>,
    side: SideName,
    rows: Vec<Row>,
    results: &mut Vec<ItemResult>,
) -> Result<(), Stop> {
    if rows.is_empty() {
        return Ok(());
    }
    let (item_type, there, here) = (sides.child.item_type, sides.line(other(side)), sides.line(side));
    // Time has passed since these were found.
    let old = rows.iter().filter(|row| row.again).map(|row| id_at(row, side).to_owned()).collect();
    let again = gather::missing(here, item_type, old, HashMap::new()).await?;
    let ids = rows.iter().map(|row| id_at(row, other(side)).to_owned()).collect();
    let found = gather::missing(there, item_type, ids, HashMap::new()).await?;
    let late = again.late.or(found.late);
    let mut open: Vec<(Row, Record)> = Vec::new();
    for row in rows {
        match standing(sides, side, &row, (&again, &found)) {
            Standing::Ask => {}
            Standing::Told(result) => results.push(*result),
            Standing::There(record) => open.push((row, *record)),
        }
    }
    let stopped = match sides.deletes {
        DeletePolicy::Archive => archive(sides, there, open, results).await,
        _ => delete(sides, there, open, results).await,
    };
    match (stopped, late) {
        (Some(stop), _) => Err(stop),
        (None, Some(wait)) => Err(Stop::Later(wait)),
        (None, None) => Ok(()),
    }
}

/// How a counterpart stands.
enum Standing {
    /// The platform did not say; the run asks again later.
    Ask,
    /// Nothing is left to do, or a person must look.
    Told(Box<ItemResult>),
    /// It is there, as it was when both sides agreed, or a person has approved its end.
    There(Box<Record>),
}

fn standing(
    sides: &Sides<'_>,
    side: SideName,
    row: &Row,
    (again, found): (&Gathered, &Gathered),
) -> Standing {
    let (gone, left) = (id_at(row, side), id_at(row, other(side)));
    if again.unanswered.contains(gone) || again.failed.contains_key(gone) || found.unanswered.contains(left) {
        return Standing::Ask;
    }
    if again.records.get(gone).is_some_and(|record| !record.deleted) {
        return Standing::Told(Box::new(told(sides, row, Outcome::Unchanged, None)));
    }
    if let Some(error) = found.failed.get(left) {
        let refused = outcome::refused(&item(row), None, error);
        return Standing::Told(Box::new(ItemResult { gone: Some(settled(sides, row, None)), ..refused }));
    }
    let Some(record) = found.records.get(left).filter(|record| !record.deleted) else {
        return Standing::Told(Box::new(told(sides, row, Outcome::Deleted, None)));
    };
    if !row.approved && is_held(sides.deletes, has_changed(sides, side, row, record)) {
        let why = "The record is gone on one side and was changed on the other since both agreed. Approve its delete, or keep it.";
        let held = told(sides, row, Outcome::Held, Some(("held", "changed_before_delete", why)));
        return Standing::Told(Box::new(ItemResult { inputs: Some(left_over(record)), ..held }));
    }
    Standing::There(Box::new(record.clone()))
}

/// Whether the counterpart is not any more what it was when both sides agreed.
fn has_changed(sides: &Sides<'_>, side: SideName, row: &Row, record: &Record) -> bool {
    let mapping = &sides.rules.mapping;
    let (now, before): (Option<Fields>, &Option<Fields>) = match side {
        SideName::Source => (Some(mapping.project(&record.fields)), &row.base_target),
        SideName::Target => (mapping.apply_with(&record.fields, &sides.lookups).ok(), &row.base_source),
    };
    let (Some(now), Some(before)) = (now, before) else { return true };
    let (now, before) = (mapping.comparable(&now), mapping.comparable(before));
    !mapping.targets().iter().all(|field| Mapping::same(field, &now, &before))
}

async fn archive(
    sides: &Sides<'_>,
    wire: &Wire<'_>,
    open: Vec<(Row, Record)>,
    results: &mut Vec<ItemResult>,
) -> Option<Stop> {
    let item_type = sides.child.item_type;
    let Some(fields) = wire.connector.archived(item_type) else {
        let why = format!(
            "The platform has no state of being archived for records of kind {item_type}. Choose another delete policy."
        );
        let failed = |(row, _): &(Row, Record)| {
            told(sides, row, Outcome::Failed, Some(("rejected", "no_archive", &why)))
        };
        results.extend(open.iter().map(failed));
        return None;
    };
    let holds = |record: &Record| fields.iter().all(|(name, value)| record.fields.get(name) == Some(value));
    let writes = open.iter().enumerate().filter(|(_, (_, record))| !holds(record));
    let writes = writes.map(|(index, (_, record))| (index, update(record, &fields))).collect();
    let (mut answers, stop) = write_all(wire, item_type, writes).await;
    for (index, (row, record)) in open.into_iter().enumerate() {
        match answers.remove(&index) {
            None if !holds(&record) => {}
            Some(Err(error)) => results.push(refused(sides, &row, &error)),
            None | Some(Ok(_)) => results.push(ItemResult {
                inputs: Some(left_over(&record)),
                gone: Some(settled(sides, &row, Some("archived"))),
                ..told(sides, &row, Outcome::Deleted, None)
            }),
        }
    }
    stop
}

async fn delete(
    sides: &Sides<'_>,
    wire: &Wire<'_>,
    open: Vec<(Row, Record)>,
    results: &mut Vec<ItemResult>,
) -> Option<Stop> {
    let item_type = sides.child.item_type;
    for batch in open.chunks(wire.connector.limits(item_type).write.max(1)) {
        let ids: Vec<String> = batch.iter().map(|(_, record)| record.id.clone()).collect();
        let answers = match delete_batch(wire, item_type, &ids).await {
            Ok(answers) => answers,
            Err(stop) => return Some(stop),
        };
        for ((row, record), answer) in batch.iter().zip(answers) {
            results.push(match answer {
                Ok(()) => {
                    ItemResult { inputs: Some(left_over(record)), ..told(sides, row, Outcome::Deleted, None) }
                }
                Err(error) => refused(sides, row, &error),
            });
        }
    }
    None
}

/// One answer per record, in their order. What concerns all of them is told of each.
async fn delete_batch(
    wire: &Wire<'_>,
    item_type: ItemType,
    ids: &[String],
) -> Result<Vec<connectors::Result<()>>, Stop> {
    let asked = match wire.connector.delete_many(&wire.account, item_type, ids) {
        Ok(exchange) => wire.ask(exchange).await,
        Err(error) => Err(Failure::Platform(error)),
    };
    match asked {
        Ok(mut answers) => {
            let silent = || {
                Err(connectors::Error::unexpected(
                    "the platform does not say whether this record was deleted",
                ))
            };
            answers.resize_with(ids.len(), silent);
            Ok(answers)
        }
        Err(failure) => {
            let error = stop_or_record(failure, wire)?;
            Ok(ids.iter().map(|_| Err(error.clone())).collect())
        }
    }
}

fn refused(sides: &Sides<'_>, row: &Row, error: &connectors::Error) -> ItemResult {
    ItemResult { gone: Some(settled(sides, row, None)), ..outcome::refused(&item(row), None, error) }
}

fn unlinked(sides: &Sides<'_>, row: &Row) -> ItemResult {
    let why = "The record is gone on one side; its counterpart goes its own ways.";
    let result = told(sides, row, Outcome::Skipped, Some(("skipped", "unlinked", why)));
    ItemResult { gone: Some(settled(sides, row, Some("unlinked"))), ..result }
}

/// How one of them ended. What was done and why is its explanation.
fn told(sides: &Sides<'_>, row: &Row, outcome: Outcome, why: Option<(&str, &str, &str)>) -> ItemResult {
    let gone = json!([{
        "field": "*", "rule": sides.deletes, "gone": row.side, "reason": row.reason, "approved": row.approved,
    }]);
    ItemResult {
        changes: gone,
        error: why.map(|(class, code, message)| outcome::error(class, code, message)),
        gone: Some(settled(sides, row, None)),
        ..outcome::result(&item(row), None, outcome)
    }
}

fn settled(sides: &Sides<'_>, row: &Row, ended: Option<&'static str>) -> Gone {
    let reason = if row.reason == "tombstone" { "tombstone" } else { "not_found" };
    Gone { step: GoneStep::Settled, side: row.side, reason, policy: sides.deletes, ended }
}

/// The record as it was, for those who want it back.
fn left_over(record: &Record) -> domain::Value {
    json!({ "deleted": record.fields })
}

fn item(row: &Row) -> Item {
    Item {
        item_id: row.item_id,
        place: 0,
        source_id: row.source_id.clone(),
        target_id: Some(row.target_id.clone()),
        mode: SyncMode::Full,
        link: None,
        intent: None,
        fields: None,
        resolution: None,
        missing: None,
        trail: None,
    }
}

const fn other(side: SideName) -> SideName {
    match side {
        SideName::Source => SideName::Target,
        SideName::Target => SideName::Source,
    }
}

fn id_at(row: &Row, side: SideName) -> &str {
    match side {
        SideName::Source => &row.source_id,
        SideName::Target => &row.target_id,
    }
}
