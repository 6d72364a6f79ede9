//! Which record of the target a record of the source is: the linked one, one with the same key, or none yet.

use crate::chunk::Pending;
use crate::contact::{self, Met};
use crate::gather::{self, Stop};
use crate::gone;
use crate::outcome;
use crate::sides::{MET, Sides};
use domain::Record;
use domain::deletes::Sighting;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use store::runs::{ItemResult, SideName};

/// Reads the targets that are known, and looks for those that are not. Records about which the platform did not want to
/// be asked now are left out; the answer says for how long.
pub(crate) async fn find(
    sides: &Sides<'_>,
    pending: &mut Vec<Pending>,
    known: HashMap<String, Record>,
    results: &mut Vec<ItemResult>,
) -> Result<Option<Duration>, Stop> {
    let item_type = sides.child.item_type;
    let ids = pending.iter().filter_map(|pending| pending.item.target_id.clone()).collect();
    let mut found = gather::missing(sides.target, item_type, ids, known).await?;
    let mut met = contact::find(sides, pending, item_type).await?;
    let late = found.late.or(met.late);
    let mut taken = HashSet::new();
    let mut left = Vec::new();
    for mut one in std::mem::take(pending) {
        let unanswered = match &one.item.target_id {
            Some(id) => found.unanswered.contains(id),
            None => met.unanswered.contains(&one.item.source_id),
        };
        if unanswered {
            continue;
        }
        let target = match &one.item.target_id {
            Some(id) => match (found.records.remove(id), found.failed.get(id)) {
                (Some(record), _) if record.deleted => Err(lost(sides, &one, Sighting::Tombstone)),
                (Some(record), _) => Ok(Some(record)),
                (None, Some(error)) => Err(Box::new(outcome::refused(&one.item, Some(&one.source), error))),
                (None, None) => Err(lost(sides, &one, Sighting::NotFound)),
            },
            None => chosen(sides, &one, met.contacts.remove(&one.item.source_id)),
        };
        match target {
            Ok(Some(target)) if !taken.insert(target.id.clone()) => results.push(outcome::held(
                &one.item,
                &one.source,
                "ambiguous",
                "Two records of the source would be the same record of the target.",
            )),
            Ok(target) => {
                one.target = target;
                left.push(one);
            }
            Err(result) => results.push(*result),
        }
    }
    *pending = left;
    Ok(late)
}

/// The target no longer has the record of this one.
fn lost(sides: &Sides<'_>, one: &Pending, sighting: Sighting) -> Box<ItemResult> {
    let told = gone::told(sides, &one.item, SideName::Target, sighting);
    Box::new(told.unwrap_or_else(|| outcome::held(
        &one.item,
        &one.source,
        "target_gone",
        "The target no longer has the record that this one was linked to. Clear the item's target to make it anew.",
    )))
}

/// The record that an unlinked one turns out to be, if there is exactly one.
///
/// A record that an earlier attempt created without being able to say so is found here by its key; where it is not
/// (a search index that lags), creating it again meets it through the external key.
fn chosen(
    sides: &Sides<'_>,
    one: &Pending,
    met: Option<Result<Met, connectors::Error>>,
) -> Result<Option<Record>, Box<ItemResult>> {
    let (item, source) = (&one.item, &one.source);
    let held = |code, message| Err(Box::new(outcome::held(item, source, code, message)));
    match met.transpose().map_err(|error| Box::new(outcome::refused(item, Some(source), &error)))? {
        Some(Met::One(record)) if sides.straight.is_some() => {
            Err(Box::new(ItemResult { target_id: Some(record.id), ..outcome::failed(item, None, MET, "") }))
        }
        Some(Met::One(record)) => Ok(Some(*record)),
        Some(Met::Several) => held(
            "ambiguous",
            "Several records of the target match this one. Choose one of them as the item's target.",
        ),
        Some(Met::Unknown) if sides.creates() => held(
            "no_key",
            "The record has none of the fields by which it could be recognised on the other side. Fill one of them, or choose the item's target.",
        ),
        _ if sides.creates() => Ok(None),
        _ if sides.straight.is_some() => {
            Err(Box::new(outcome::skipped(item, "The source has no record that this one belongs to.")))
        }
        _ => Err(Box::new(outcome::failed(
            item,
            Some(source),
            "no_match",
            "The target has no record that this one belongs to. Sync its product first.",
        ))),
    }
}
