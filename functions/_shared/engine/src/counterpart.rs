//! Which record of the target a record of the source is: the linked one, one with the same key, or none yet.

use crate::chunk::Pending;
use crate::gather::{self, Gathered, Stop};
use crate::outcome;
use crate::sides::{MET, Sides};
use connectors::Key;
use domain::{ItemType, Record, Value};
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use store::runs::ItemResult;

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
    let matched = find_by_match(sides, pending, item_type).await?;
    let (by_match, late) = (by_value(matched.records, sides.matching.target), found.late.or(matched.late));
    let mut taken = HashSet::new();
    let mut left = Vec::new();
    for mut one in std::mem::take(pending) {
        let unanswered = match &one.item.target_id {
            Some(id) => found.unanswered.contains(id),
            None => match_value(sides, &one).is_some_and(|value| matched.unanswered.contains(&value)),
        };
        if unanswered {
            continue;
        }
        let target = match &one.item.target_id {
            Some(id) => match (found.records.remove(id), found.failed.get(id)) {
                (Some(record), _) => Ok(Some(record)),
                (None, Some(error)) => Err(Box::new(outcome::refused(&one.item, Some(&one.source), error))),
                (None, None) => Err(Box::new(outcome::held(
                    &one.item,
                    &one.source,
                    "target_gone",
                    "The target no longer has the record that this one was linked to. Clear the item's target to make it anew.",
                ))),
            },
            None => chosen(sides, &one, &by_match),
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

type Found = HashMap<String, Vec<Record>>;

/// The record that an unlinked one turns out to be, if there is exactly one.
///
/// A record that an earlier attempt created without being able to say so is found here by its key; where it is not
/// (a search index that lags), creating it again meets it through the external key.
fn chosen(sides: &Sides<'_>, one: &Pending, by_match: &Found) -> Result<Option<Record>, Box<ItemResult>> {
    let matched = match_value(sides, one).and_then(|value| by_match.get(&value));
    match matched.map(Vec::as_slice) {
        Some([record]) if sides.straight.is_some() => Err(Box::new(ItemResult {
            target_id: Some(record.id.clone()),
            ..outcome::failed(&one.item, None, MET, "")
        })),
        Some([record]) => Ok(Some(record.clone())),
        Some([_, _, ..]) => Err(Box::new(outcome::held(
            &one.item,
            &one.source,
            "ambiguous",
            "Several records of the target match this one. Choose one of them as the item's target.",
        ))),
        _ if sides.matching.creates => Ok(None),
        _ if sides.straight.is_some() => {
            Err(Box::new(outcome::skipped(&one.item, "The source has no record that this one belongs to.")))
        }
        _ => Err(Box::new(outcome::failed(
            &one.item,
            Some(&one.source),
            "no_match",
            "The target has no record that this one belongs to. Sync its product first.",
        ))),
    }
}

/// Records of the target that carry the same key (a handle, a SKU), made by hand or by another system.
async fn find_by_match(
    sides: &Sides<'_>,
    pending: &[Pending],
    item_type: ItemType,
) -> Result<Gathered<Vec<Record>>, Stop> {
    let open = pending.iter().filter(|one| one.item.target_id.is_none());
    let mut values: Vec<String> = open.filter_map(|one| match_value(sides, one)).collect();
    values.sort();
    values.dedup();
    if values.is_empty() || !sides.target.connector.capability(item_type).find {
        return Ok(Gathered::default());
    }
    let field = sides.matching.target;
    let key = |values| Key::Field { name: field.to_owned(), values };
    gather::by_key(sides.target, item_type, values, key).await
}

/// Records by what this field of theirs holds.
fn by_value(records: Vec<Record>, field: &str) -> Found {
    let mut found = Found::new();
    for record in records {
        if let Some(Value::String(value)) = record.fields.get(field) {
            found.entry(value.clone()).or_default().push(record);
        }
    }
    found
}

fn match_value(sides: &Sides<'_>, one: &Pending) -> Option<String> {
    let value = one.source.fields.get(sides.matching.source)?.as_str()?;
    (!value.trim().is_empty()).then(|| value.to_owned())
}
