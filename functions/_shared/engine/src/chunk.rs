//! A page of records, from reading to results. Nothing is recorded here: the page does that in one statement.

use crate::counterpart;
use crate::gather::{self, Gathered, Stop};
use crate::gone;
use crate::look;
use crate::lookups::Lookups;
use crate::outcome;
use crate::sides::{Known, Sides};
use crate::trail;
use crate::write::{self, Task};
use domain::decide::{Aids, Bases, Decision, Resolution, Situation, decide_with};
use domain::defaults;
use domain::deletes::Sighting;
use domain::{Fields, Record, SyncMode, hash};
use std::collections::HashMap;
use store::runs::{Intent, Item, ItemResult, Outcome, Selection, SideName};

/// A conflict that the platform reports (the record changed while we wrote) is read and decided again this often.
const PASSES: u32 = 3;

/// A record whose source was read and that may have to be written.
pub(crate) struct Pending {
    pub(crate) item: Item,
    pub(crate) source: Record,
    pub(crate) wanted: Fields,
    pub(crate) target: Option<Record>,
}

impl Pending {
    /// What a decision about it depends on.
    pub(crate) fn situation(&self) -> Situation<'_> {
        Situation {
            source: &self.source,
            target: self.target.as_ref(),
            bases: self
                .item
                .link
                .as_ref()
                .map(|link| Bases { source: &link.base_source, target: &link.base_target }),
            only: self.item.fields.as_deref(),
        }
    }
}

/// What the content of a source is known by: that of the fields that flow.
pub(crate) fn fingerprint(item: &Item, wanted: &Fields) -> String {
    match &item.fields {
        None => hash::content(wanted),
        Some(only) => {
            let chosen = wanted.iter().filter(|(name, _)| only.contains(name));
            hash::content(&chosen.map(|(name, value)| (name.clone(), value.clone())).collect())
        }
    }
}

/// How far the work on these records came.
pub(crate) struct Done {
    /// One result per record that came to its end.
    pub(crate) results: Vec<ItemResult>,
    /// Why the others did not.
    pub(crate) stop: Option<Stop>,
}

/// Works on these records.
pub(crate) async fn work(sides: &Sides<'_>, items: Vec<Item>, known: Known) -> Done {
    let mut results = Vec::with_capacity(items.len());
    let stop = attempt(sides, items, known, &mut results).await.err();
    Done { results, stop }
}

async fn attempt(
    sides: &Sides<'_>,
    items: Vec<Item>,
    mut known: Known,
    results: &mut Vec<ItemResult>,
) -> Result<(), Stop> {
    let sources = std::mem::take(&mut known.sources);
    let ids = items.iter().map(|item| item.source_id.clone()).collect();
    let mut sources = gather::missing(sides.source, sides.child.item_type, ids, sources).await?;
    let mut late = sources.late.take();
    Lookups::learn(sides, || learn_of(sides, &sources)).await?;
    let answered = items.into_iter().filter(|item| !sources.unanswered.contains(&item.source_id)).collect();
    let mut pending = sort(sides, answered, (sources, &known.targets), results);
    for pass in 1..=PASSES {
        if pending.is_empty() {
            break;
        }
        late = counterpart::find(sides, &mut pending, std::mem::take(&mut known.targets), results)
            .await?
            .or(late);
        Lookups::learn(sides, || pending.iter().for_each(|one| drop(decided(sides, one)))).await?;
        let tasks = decide_all(sides, pending, results);
        pending = write::carry_out(sides, tasks, pass == PASSES, results).await?;
    }
    late.map_or(Ok(()), |wait| Err(Stop::Later(wait)))
}

/// Runs the mapping over these, for what it asks.
fn learn_of(sides: &Sides<'_>, sources: &Gathered) {
    for source in sources.records.values() {
        drop(sides.rules.mapping.apply_with(&source.fields, &sides.lookups));
    }
}

/// Tells apart what is settled by the source alone from what must be compared with the target.
fn sort(
    sides: &Sides<'_>,
    items: Vec<Item>,
    (mut sources, targets): (Gathered, &HashMap<String, Record>),
    results: &mut Vec<ItemResult>,
) -> Vec<Pending> {
    let mut pending = Vec::new();
    for item in items {
        let Some(source) = sources.records.remove(&item.source_id) else {
            results.push(match sources.failed.get(&item.source_id) {
                Some(error) => outcome::refused(&item, None, error),
                None => gone::told(sides, &item, SideName::Source, Sighting::NotFound).unwrap_or_else(|| {
                    outcome::failed(&item, None, "source_gone", "The source no longer has this record.")
                }),
            });
            continue;
        };
        if source.deleted {
            let told = gone::told(sides, &item, SideName::Source, Sighting::Tombstone);
            results.push(told.unwrap_or_else(|| {
                outcome::skipped(
                    &item,
                    "The source has deleted this record; deletes are ignored in this sync.",
                )
            }));
            continue;
        }
        match sides.rules.mapping.apply_with(&source.fields, &sides.lookups) {
            Err(violations) => results.push(outcome::invalid(&item, &source, &violations)),
            Ok(wanted) => {
                let at_hand = item.target_id.as_ref().is_some_and(|id| targets.contains_key(id));
                match settled(sides, &item, &source, &wanted).filter(|_| !at_hand) {
                    Some(result) => results.push(result),
                    None => pending.push(Pending { item, source, wanted, target: None }),
                }
            }
        }
    }
    pending
}

/// In delta mode a record whose content is what it was when both sides agreed needs no look at the target; but where
/// changes of the target are to be found, unless its own listing brings them.
fn settled(sides: &Sides<'_>, item: &Item, source: &Record, wanted: &Fields) -> Option<ItemResult> {
    let brings = sides.child.selection == Selection::Changed;
    if sides.goes_both_ways() && !brings || item.resolution.is_some() || sides.plan.is_some() {
        return None;
    }
    let link = item.link.as_ref().filter(|_| item.mode == SyncMode::Delta && item.target_id.is_some())?;
    let same = link.source_hash.as_deref() == Some(fingerprint(item, wanted).as_str());
    same.then(|| {
        let inputs = sides.record.then(|| outcome::inputs(Some(source), None));
        ItemResult { inputs, ..outcome::unchanged_at_source(item, source, link) }
    })
}

/// What shall happen to a record. A person's choice counts for the values they saw, and for no others.
fn decided(sides: &Sides<'_>, one: &Pending) -> Decision {
    let (rules, situation) = (&sides.rules, one.situation());
    let aids = Aids { resolver: &sides.lookups, resolution: None };
    let plain = decide_with(rules, &situation, aids).decision;
    let conflicts = match &plain {
        Decision::Conflict { conflicts } | Decision::Update { conflicts, .. } => conflicts.as_slice(),
        _ => &[],
    };
    let Some(choice) = one.item.resolution.as_ref().filter(|_| !conflicts.is_empty()) else { return plain };
    match Resolution::read(&choice.decided) {
        Some(resolution) if choice.seen.as_ref() == Some(&outcome::seen(conflicts)) => {
            let aids = Aids { resolution: Some(&resolution), ..aids };
            decide_with(rules, &situation, aids).decision
        }
        _ => plain,
    }
}

/// What would be written, with how the other records would end. Nothing is.
pub(crate) async fn forecast(
    sides: &Sides<'_>,
    items: Vec<Item>,
) -> Result<(Vec<Task>, Vec<ItemResult>), Stop> {
    let mut results = Vec::new();
    let ids = items.iter().map(|item| item.source_id.clone()).collect();
    let sources = gather::missing(sides.source, sides.child.item_type, ids, HashMap::new()).await?;
    if let Some(wait) = sources.late {
        return Err(Stop::Later(wait));
    }
    Lookups::learn(sides, || learn_of(sides, &sources)).await?;
    let mut pending = sort(sides, items, (sources, &HashMap::new()), &mut results);
    if let Some(wait) = counterpart::find(sides, &mut pending, HashMap::new(), &mut results).await? {
        return Err(Stop::Later(wait));
    }
    Lookups::learn(sides, || pending.iter().for_each(|one| drop(decided(sides, one)))).await?;
    let tasks = decide_all(sides, pending, &mut results);
    Ok((tasks, results))
}

fn decide_all(sides: &Sides<'_>, pending: Vec<Pending>, results: &mut Vec<ItemResult>) -> Vec<Task> {
    let mut tasks = Vec::new();
    for one in pending {
        let decision = decided(sides, &one);
        let planned = sides.plan.map(|plan| plan.get(&one.item.source_id));
        let otherwise = planned.is_some_and(|planned| planned != Some(&look::fingerprint(&decision)));
        match &decision {
            // What has come to be equal in the meantime needs no plan any more.
            Decision::Create { .. } | Decision::Update { .. } if otherwise => {
                results.push(outcome::otherwise(&one.item, (Some(&one.source), one.target.as_ref())));
            }
            Decision::Create { .. } | Decision::Update { .. } => match trail::held(&one, &decision) {
                Some(held) => results.push(held),
                None => tasks.push(Task::new(sides, one, decision)),
            },
            Decision::Unchanged { kept } => results.push(outcome::unchanged(sides, &one, &decision, kept)),
            Decision::Conflict { conflicts } => {
                results.push(outcome::conflicted(sides, &one, &decision, conflicts));
            }
            Decision::Filtered { violation } => {
                results.push(outcome::skipped(&one.item, &violation.to_string()));
            }
            Decision::Invalid { violations } => {
                results.push(outcome::invalid(&one.item, &one.source, violations));
            }
        }
    }
    tasks
}

/// The key under which a record of the source is created on the target: the same for every attempt, for every run, and
/// for a sync that was deleted and made again.
pub(crate) fn external_key(sides: &Sides<'_>, source_id: &str) -> String {
    let text = format!("{}|{}|{source_id}", sides.source.integration_id(), sides.child.item_type);
    let digest = hash::bytes(text.as_bytes());
    format!("sl-{}", digest.get(..32).unwrap_or(&digest))
}

/// The intent to create this record.
pub(crate) fn intent(sides: &Sides<'_>, external_key: &str, one: &Pending) -> Intent {
    Intent {
        source_id: sides.name_of(&one.item.source_id),
        external_key: external_key.to_owned(),
        idempotency_key: uuid_of(&format!("{external_key}|{}", hash::content(&one.wanted))),
    }
}

/// A UUID that stands for a text: the same for the same text.
pub(crate) fn uuid_of(text: &str) -> String {
    let digest = hash::bytes(text.as_bytes());
    let mut bytes = [0_u8; 16];
    for (byte, pair) in bytes.iter_mut().zip(digest.as_bytes().chunks_exact(2)) {
        *byte =
            std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()).unwrap_or(0);
    }
    domain::RunId::from_random(bytes).to_string()
}

/// The metadata that lists show of a record.
pub(crate) fn metadata(source: &Record) -> Fields {
    defaults::metadata(&source.fields)
}

/// Whether the outcome of a record that turned out to be there already is that an earlier attempt of ours created it.
pub(crate) fn was_ours(one: &Pending) -> Option<Outcome> {
    (one.item.intent.is_some() && one.item.link.is_none()).then_some(Outcome::Created)
}
