//! What is left in n8n of workflows that nobody has any more.

use super::deploy::{is_marked, is_named_by_us};
use super::{Part, Wanted, keep, line, read_n8n};
use crate::clock::Deadline;
use crate::error::Result;
use crate::settings::Settings;
use crate::wire::{Failure, Wire};
use chrono::TimeDelta;
use connectors::ErrorKind;
use connectors::n8n::{archive, delete_workflow, workflow};
use domain::IntegrationId;
use store::workflows::{self, Leftover};
use store::{Db, n8n};

/// What is to be removed.
#[derive(Debug, Clone, Copy)]
pub struct Cleanup {
    /// Only what has not changed and not run for so many days.
    pub days: u32,
    /// Whether it is only listed.
    pub dry_run: bool,
}

/// One workflow that nothing stands for.
#[derive(Debug, Clone)]
pub struct Removal {
    /// The workflow.
    pub leftover: Leftover,
    /// Whether it was removed; `None` where nothing was tried.
    pub removed: Option<bool>,
    /// Why it was not.
    pub reason: Option<String>,
}

/// Lists our own workflows that nothing stands for, and removes them where that is wanted: archived, so that a person can
/// take it back, or deleted on servers that know no archive. Each is read again before: what a user has renamed, published or
/// taken over is left. What the budget does not allow is left for the next time.
pub async fn clean_up(
    db: &Db,
    settings: &Settings,
    id: IntegrationId,
    cleanup: Cleanup,
    deadline: Deadline,
) -> Result<Vec<Removal>> {
    let wanted = Wanted { parts: &[Part::Workflows], fresh: TimeDelta::zero(), by: None };
    let read = read_n8n(db, settings, id, wanted, deadline).await?;
    if let Some(failure) = read.failure {
        return Err(connectors::Error::new(ErrorKind::Unavailable, failure).into());
    }
    let leftovers = workflows::leftovers(db, id, cleanup.days).await?;
    let mut removals: Vec<Removal> =
        leftovers.into_iter().map(|leftover| Removal { leftover, removed: None, reason: None }).collect();
    if cleanup.dry_run || removals.is_empty() {
        return Ok(removals);
    }
    let (side, sealed) = line(db, id).await?;
    let wire = Wire::open(db, settings, &side, sealed, deadline)?;
    let mut end = Ok(());
    for removal in &mut removals {
        match remove(db, &wire, &removal.leftover.workflow_id).await {
            Ok(None) => removal.removed = Some(true),
            Ok(Some(reason)) => {
                removal.removed = Some(false);
                removal.reason = Some(reason);
            }
            Err(Failure::Platform(error)) => {
                removal.removed = Some(false);
                removal.reason = Some(error.message);
            }
            Err(Failure::Later(_)) => break,
            Err(Failure::Store(error)) => {
                end = Err(error);
                break;
            }
        }
    }
    wire.give_back().await?;
    end?;
    Ok(removals)
}

/// Removes one; answers why not.
async fn remove(db: &Db, wire: &Wire<'_>, id: &str) -> Result<Option<String>, Failure> {
    let integration_id = wire.integration_id();
    let Some(there) = wire.ask(workflow(&wire.account, id)?).await? else {
        n8n::gone(db, integration_id, &[id.to_owned()]).await?;
        return Ok(None);
    };
    if !is_named_by_us(&there.name) || !is_marked(&there) {
        keep(db, integration_id, &[there]).await?;
        return Ok(Some("Somebody has renamed it or taken our tag away: it is theirs now.".to_owned()));
    }
    if there.active {
        keep(db, integration_id, &[there]).await?;
        return Ok(Some("It is published.".to_owned()));
    }
    match wire.ask(archive(&wire.account, id)?).await {
        Ok(archived) => {
            let archived = connectors::n8n::Workflow { tags: there.tags, ..archived };
            keep(db, integration_id, &[archived]).await?;
        }
        Err(Failure::Platform(error)) if error.kind == ErrorKind::Unsupported => {
            wire.ask(delete_workflow(&wire.account, id)?).await?;
            n8n::gone(db, integration_id, &[id.to_owned()]).await?;
        }
        Err(other) => return Err(other),
    }
    Ok(None)
}
