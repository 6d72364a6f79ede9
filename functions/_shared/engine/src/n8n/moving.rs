//! A workflow that moves to another server: it stops on the one before, so that nothing is done twice.

use super::{keep, line};
use crate::clock::Deadline;
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::wire::{Failure, Wire};
use connectors::ErrorKind;
use connectors::n8n::{Workflow, unpublish, workflow};
use domain::{Fault, IntegrationId, WorkflowId};
use store::Db;
use store::workflows::{self, Deploying, Former};

/// Brings the workflow's row to another server, and takes the workflow back where it was before. What somebody there has made their
/// own (our tag is off) is left alone.
///
/// [`Error::Conflict`] where it was published and the server cannot be told: then nothing moves.
pub(super) async fn settle(
    db: &Db,
    settings: &Settings,
    (id, integration_id): (WorkflowId, IntegrationId),
    wanted: &Deploying,
    deadline: Deadline,
) -> Result<()> {
    let left = match &wanted.former {
        Some(former) => leave(db, settings, former, wanted, deadline).await?,
        None => None,
    };
    workflows::settle(db, id, integration_id).await?;
    // Only now: while the row was there, it would have taken over that nothing runs any more, and after a crash nothing would go on.
    if let (Some(former), Some(stopped)) = (&wanted.former, left) {
        keep(db, former.integration_id, &[stopped]).await?;
    }
    Ok(())
}

async fn leave(
    db: &Db,
    settings: &Settings,
    former: &Former,
    wanted: &Deploying,
    deadline: Deadline,
) -> Result<Option<Workflow>> {
    let why = match take_back(db, settings, former, &wanted.tag, deadline).await {
        Ok(stopped) => return Ok(stopped),
        Err(Error::Store(error)) => return Err(error.into()),
        // The budget of requests is spent: that passes.
        Err(Error::Platform(error)) if error.kind == ErrorKind::RateLimited => return Err(error.into()),
        Err(_) if !wanted.is_active => return Ok(None),
        Err(other) => other.detail(),
    };
    Err(Error::Conflict(format!(
        "It still runs on the server that it is on, which cannot be told to stop ({why}). Deploy it again when that answers, or remove that account."
    )))
}

async fn take_back(
    db: &Db,
    settings: &Settings,
    former: &Former,
    tag: &str,
    deadline: Deadline,
) -> Result<Option<Workflow>> {
    let (side, sealed) = line(db, former.integration_id).await?;
    let wire = Wire::open(db, settings, &side, sealed, deadline)?;
    let ended = stop(&wire, &former.n8n_workflow_id, tag).await;
    wire.give_back().await?;
    Ok(ended?)
}

async fn stop(wire: &Wire<'_>, id: &str, tag: &str) -> Result<Option<Workflow>, Failure> {
    let Some(there) = wire.ask(workflow(&wire.account, id)?).await? else { return Ok(None) };
    if !there.active || there.tags.iter().all(|known| known.name != tag) {
        return Ok(None);
    }
    let stopped = wire.ask(unpublish(&wire.account, id)?).await?;
    // The answer leaves the tags out.
    Ok(Some(Workflow { tags: there.tags, ..stopped }))
}
