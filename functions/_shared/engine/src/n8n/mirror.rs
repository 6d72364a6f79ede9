//! The mirror of a server's workflows: all of them, each time, since n8n tells of no changes by time.

use super::{Read, keep, mirrored};
use crate::send::TOO_LARGE;
use crate::wire::{Failure, Wire};
use connectors::n8n::{ListAsk, Listed, Workflow, workflow, workflows};
use std::collections::BTreeMap;
use store::Db;
use store::n8n::{self, Mirrored, Place, Told};

/// Workflows of one page: each comes with all its nodes. A page that is too large is asked for in smaller ones.
const PAGES: [u32; 3] = [100, 25, 5];
/// Missing workflows that are asked for one by one in one reading.
const DIRECT: usize = 5;

/// Reads all workflows and asks for those that are missing. None is taken for gone because a list lacks it: its pages
/// shift while workflows come and go.
pub(super) async fn read(db: &Db, wire: &Wire<'_>, place: &Place, read: &mut Read) -> Result<(), Failure> {
    let id = wire.integration_id();
    let etag = place.etag.as_deref().filter(|_| place.workflows_at.is_some());
    read.workflows = match list(wire, etag).await? {
        Some(List { found, etag }) => {
            let told: Vec<Mirrored> = found.values().map(mirrored).collect();
            let told = Told { integration_id: id, workflows: &told, complete: true, etag: etag.as_deref() };
            n8n::mirror(db, &told).await?
        }
        // Those that an earlier list lacked may still be waiting for their question.
        None => n8n::unchanged(db, id).await?,
    };
    let mut gone = Vec::new();
    for missing in read.workflows.missing.iter().take(DIRECT) {
        match wire.ask(workflow(&wire.account, missing)?).await? {
            Some(found) => drop(keep(db, id, &[found]).await?),
            None => gone.push(missing.clone()),
        }
    }
    if !gone.is_empty() {
        read.gone = n8n::gone(db, id, &gone).await?;
    }
    Ok(())
}

struct List {
    found: BTreeMap<String, Workflow>,
    /// Of a list on one page.
    etag: Option<String>,
}

/// Every workflow once; `None` when the list is the one that has this tag.
async fn list(wire: &Wire<'_>, etag: Option<&str>) -> Result<Option<List>, Failure> {
    let mut sizes = PAGES.into_iter();
    let mut size = sizes.next().unwrap_or(1);
    loop {
        match pages(wire, size, etag).await {
            Err(Failure::Platform(error)) if error.vendor_code.as_deref() == Some(TOO_LARGE) => {
                size = sizes.next().ok_or(error)?;
            }
            other => return other,
        }
    }
}

async fn pages(wire: &Wire<'_>, limit: u32, etag: Option<&str>) -> Result<Option<List>, Failure> {
    let mut found = BTreeMap::new();
    let (mut cursor, mut first_etag, mut count) = (None::<String>, None, 0_u32);
    loop {
        let etag = etag.filter(|_| cursor.is_none());
        let ask = ListAsk { limit, cursor: cursor.as_deref(), etag, tag: None, name: None };
        let Listed { workflows: page, next, etag, unchanged } =
            wire.ask(workflows(&wire.account, &ask)?).await?;
        if unchanged {
            return Ok(None);
        }
        count = count.saturating_add(1);
        first_etag = first_etag.or(etag);
        found.extend(page.into_iter().map(|workflow| (workflow.id.clone(), workflow)));
        match next {
            Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
            _ => return Ok(Some(List { found, etag: first_etag.filter(|_| count == 1) })),
        }
    }
}
