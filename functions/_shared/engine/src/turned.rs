//! Records that only the target has, in a sync that goes both ways: they are found on the source, or made there.

use crate::changed::asked;
use crate::chunk::{self, Done};
use crate::error::Result;
use crate::outcome;
use crate::run::{Page, Progress, page};
use crate::sides::{self, Known, Sides};
use domain::{Record, SyncMode};
use std::collections::HashMap;
use store::runs::{self, Intent, Item, ItemResult, Unlinked};

/// Brings new records of the target to the source. `None`: the lease was lost.
///
/// One that the source has too, under the same key, meets it as two records of the sync meet for the first time.
pub(crate) async fn adopt(
    progress: &mut Progress<'_>,
    records: Vec<Record>,
    unlinked: Vec<Unlinked>,
    position: i64,
) -> Result<Option<Page>> {
    let sides = progress.sides.turned();
    let mut intents: HashMap<String, Intent> =
        unlinked.into_iter().filter_map(|one| Some((one.target_id, one.intent?))).collect();
    let items: Vec<Item> = records.iter().map(|record| item(record, intents.remove(&record.id))).collect();
    let sources = records.iter().map(|record| (record.id.clone(), record.clone())).collect();
    let Done { results, stop } = chunk::work(&sides, items, Known { sources, ..Known::default() }).await;
    let (met, results): (Vec<ItemResult>, Vec<ItemResult>) = results.into_iter().partition(is_known_there);
    let results = results.into_iter().map(|result| outcome::turned(&sides, result)).collect();
    let first = Page { results, position, undone: Vec::new(), cut: None };
    let Some(mut first) = first.end(progress.sides, &[], stop).await? else { return Ok(None) };
    if first.cut.is_none() && !met.is_empty() {
        let targets = records.into_iter().map(|record| (record.id.clone(), record)).collect();
        let Some(second) = meet(progress, met, targets, position).await? else { return Ok(None) };
        first.results.extend(second.results);
        first.cut = second.cut;
    }
    Ok(Some(first))
}

fn item(record: &Record, intent: Option<Intent>) -> Item {
    Item {
        item_id: None,
        place: 0,
        source_id: record.id.clone(),
        target_id: None,
        mode: SyncMode::Full,
        link: None,
        intent,
        fields: None,
        resolution: None,
        missing: None,
        trail: None,
    }
}

/// Whether the record turned out to be there already; then nothing was decided about it yet.
fn is_known_there(result: &ItemResult) -> bool {
    result.error.as_ref().is_some_and(|error| error.code == sides::MET)
}

/// Pairs that have found each other go through the sync as it is written: its rules for the first contact hold.
async fn meet(
    progress: &mut Progress<'_>,
    met: Vec<ItemResult>,
    targets: HashMap<String, Record>,
    position: i64,
) -> Result<Option<Page>> {
    let target_of: HashMap<String, String> =
        met.into_iter().filter_map(|result| Some((result.target_id?, result.source_id))).collect();
    let source_ids: Vec<String> = target_of.keys().cloned().collect();
    let line: &Sides<'_> = progress.sides;
    let work = runs::lookup(line.db, &asked(line, &source_ids, &[])).await?;
    if work.lost {
        return Ok(None);
    }
    let (mut items, mut taken) = (Vec::new(), Vec::new());
    for mut item in work.items {
        let Some(target) = target_of.get(&item.source_id) else { continue };
        match &item.target_id {
            Some(other) if other != target => taken.push(outcome::already_linked(&item, target)),
            _ => {
                item.target_id = Some(target.clone());
                items.push(item);
            }
        }
    }
    let known = Known { targets, ..Known::default() };
    let Some(mut page) = page(progress, items, (position, 0), known).await? else { return Ok(None) };
    page.results.extend(taken);
    Ok(Some(page))
}
