//! First contact: records without a link are looked for on the target by the sync's match keys, one key after the other.

use crate::chunk::Pending;
use crate::gather::{self, Stop};
use crate::sides::Sides;
use connectors::Key;
use domain::matching::{self, Contact, MatchKey};
use domain::{ItemType, Record};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// What the search for one record came to.
pub(crate) enum Met {
    /// This one is the same thing.
    One(Box<Record>),
    /// Several could be.
    Several,
    /// None is.
    None,
    /// The record has nothing to be recognised by.
    Unknown,
}

/// What the searches came to, by the record's id at the source.
#[derive(Default)]
pub(crate) struct Contacts {
    pub(crate) contacts: HashMap<String, Result<Met, connectors::Error>>,
    /// Records about which the platform was not asked.
    pub(crate) unanswered: HashSet<String>,
    /// For how long it wants to be left alone.
    pub(crate) late: Option<Duration>,
}

/// Looks for the counterparts of those that have none. A key that finds something decides; only for the others is the
/// next one asked.
pub(crate) async fn find(
    sides: &Sides<'_>,
    pending: &[Pending],
    item_type: ItemType,
) -> Result<Contacts, Stop> {
    let mut found = Contacts::default();
    let mut open: Vec<&Pending> = pending.iter().filter(|one| one.item.target_id.is_none()).collect();
    if !sides.target.connector.capability(item_type).find {
        return Ok(found);
    }
    for key in &sides.match_keys {
        if open.is_empty() {
            break;
        }
        open = ask(sides, (key, item_type), open, &mut found).await?;
    }
    for one in open {
        let id = &one.item.source_id;
        if !found.contacts.contains_key(id) && !found.unanswered.contains(id) {
            let met =
                if matching::is_known(&sides.match_keys, &one.source) { Met::None } else { Met::Unknown };
            found.contacts.insert(id.clone(), Ok(met));
        }
    }
    Ok(found)
}

/// Asks by one key; answers for which records another may be asked.
async fn ask<'a>(
    sides: &Sides<'_>,
    (key, item_type): (&MatchKey, ItemType),
    open: Vec<&'a Pending>,
    found: &mut Contacts,
) -> Result<Vec<&'a Pending>, Stop> {
    let mut values: Vec<String> = open.iter().flat_map(|one| key.sought(&one.source)).collect();
    values.sort();
    values.dedup();
    if values.is_empty() {
        return Ok(open);
    }
    let field = |values| Key::Field { name: key.target.to_string(), values };
    let answer = gather::by_key(sides.target, item_type, values, field).await?;
    found.late = found.late.or(answer.late);
    let candidates = by_value(key, answer.records);
    let mut left = Vec::new();
    for one in open {
        let (id, sought) = (one.item.source_id.clone(), key.sought(&one.source));
        if sought.iter().any(|value| answer.unanswered.contains(value)) {
            found.unanswered.insert(id);
        } else if let Some(error) = sought.iter().find_map(|value| answer.failed.get(value)) {
            found.contacts.insert(id, Err(error.clone()));
        } else {
            match met(key, &one.source, &candidates) {
                Met::None | Met::Unknown => left.push(one),
                met => {
                    found.contacts.insert(id, Ok(met));
                }
            }
        }
    }
    Ok(left)
}

/// Candidates by what they hold of the key: comparing each with each would take too long.
fn by_value(key: &MatchKey, records: Vec<Record>) -> HashMap<String, Vec<Record>> {
    let mut found: HashMap<String, Vec<Record>> = HashMap::new();
    for record in records {
        for value in key.of_target(&record) {
            found.entry(value).or_default().push(record.clone());
        }
    }
    found
}

fn met(key: &MatchKey, source: &Record, candidates: &HashMap<String, Vec<Record>>) -> Met {
    let mut near: Vec<Record> = Vec::new();
    for candidate in key.of_source(source).iter().filter_map(|value| candidates.get(value)).flatten() {
        if near.iter().all(|other| other.id != candidate.id) {
            near.push(candidate.clone());
        }
    }
    match matching::contact(std::slice::from_ref(key), source, &near, |_| false) {
        Contact::Link { candidate, .. } => {
            near.into_iter().nth(candidate).map_or(Met::None, |record| Met::One(Box::new(record)))
        }
        Contact::Hold { .. } => Met::Several,
        Contact::Create => Met::None,
        Contact::Unknown => Met::Unknown,
    }
}
