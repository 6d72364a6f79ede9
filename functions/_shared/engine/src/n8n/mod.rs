//! n8n servers: their workflows mirrored, their executions followed, the users' own workflows deployed and started.
//!
//! A server is asked little: every request counts against its budget of ten a minute. Reading stops when that is spent
//! and goes on where it was the next time; what was read is stored page by page.

mod cleanup;
mod deploy;
mod executions;
mod mirror;
mod moving;
mod one;
mod standing;
mod trigger;

pub use cleanup::{Cleanup, Removal, clean_up};
pub use deploy::{Deployed, check_definition, deploy};
pub use one::read_workflow;
pub use standing::Standing;
pub use trigger::{Triggered, Way, trigger};

use crate::clock::{self, Deadline};
use crate::error::{Error, Result};
use crate::integration::{in_use, refused};
use crate::settings::Settings;
use crate::wire::{Failure, Wire};
use chrono::TimeDelta;
use connectors::ErrorKind;
use connectors::n8n::Workflow;
use domain::{IntegrationId, SyncType, UserId, Value};
use futures::{StreamExt, stream};
use std::time::{Duration, Instant};
use store::Db;
use store::credentials::{self, Sealed};
use store::integrations::{self, Side};
use store::n8n::{self, Finish, Learned, Mirrored, Place, Reading};

pub(crate) use executions::store_told;

/// How long nobody else reads a server that is being read, in seconds.
const LEASE: i32 = 60;
/// A server is read again after this time, unless its setting `poll_minutes` says otherwise.
const USUAL: Duration = Duration::from_hours(1);
/// One that did not answer is asked again after this time.
const AWAY: Duration = Duration::from_mins(1);

/// Servers that one call reads at the same time.
const SIDE_BY_SIDE: usize = 4;

/// What of a server is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Its workflows.
    Workflows,
    /// Its executions.
    Executions,
}

/// What reading a server has brought.
#[derive(Debug, Clone, Default)]
pub struct Read {
    /// The workflows that were read, new, changed and unchanged ones.
    pub workflows: Learned,
    /// Workflows that are gone.
    pub gone: u64,
    /// Executions that are news.
    pub executions: u64,
    /// Whether everything was read that was to be.
    pub complete: bool,
    /// Whether another was reading it already. Then nothing was done.
    pub busy: bool,
    /// Why it could not be read, for people.
    pub failure: Option<String>,
    /// When it goes on, where it is not complete.
    pub wait: Option<Duration>,
    /// Requests that it took.
    pub requests: i64,
}

/// What is wanted of a server.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// What is to be read.
    pub parts: &'a [Part],
    /// Workflows that were read within this time are not read again.
    pub fresh: TimeDelta,
    /// Who asked; `None`: the clock.
    pub by: Option<UserId>,
}

/// Reads parts of a server and writes into the ledger how it went. That the server is away is a result, no error.
pub async fn read_n8n(
    db: &Db,
    settings: &Settings,
    id: IntegrationId,
    wanted: Wanted<'_>,
    deadline: Deadline,
) -> Result<Read> {
    let (side, sealed) = line(db, id).await?;
    let place = n8n::begin(db, id, LEASE).await?;
    let Some(fence) = place.fence else { return Ok(Read { busy: true, ..Read::default() }) };
    let is_fresh = place.workflows_at.is_some_and(|at| clock::now().signed_duration_since(at) < wanted.fresh);
    let wants = |part: &&Part| **part != Part::Workflows || !is_fresh;
    let parts: Vec<Part> = wanted.parts.iter().filter(wants).copied().collect();
    let usual = minutes(&side).unwrap_or(USUAL);
    let mut read = Read::default();
    let ended = match Wire::open(db, settings, &side, sealed, deadline) {
        Ok(wire) => {
            let ended = carry_out(db, &wire, &place, fence, &parts, wanted.by, &mut read).await;
            wire.give_back().await?;
            read.requests = wire.sent();
            ended
        }
        // A credential that does not open, or an address that may not be called, passes by nobody's waiting.
        Err(error) => {
            let error = connectors::Error::new(ErrorKind::Unauthorized, error.to_string());
            let failure = Failure::Platform(error);
            if let Some(part) = parts.first() {
                let told = Told { part: *part, by: wanted.by, took: Duration::ZERO, requests: 0 };
                log(db, id, told, &read, Some(&failure)).await?;
            }
            Err(failure)
        }
    };
    let mut next = usual;
    match ended {
        Ok(()) => read.complete = true,
        Err(Failure::Store(error)) => return Err(error.into()),
        Err(Failure::Later(wait)) => {
            next = wait;
            read.wait = Some(wait);
        }
        Err(Failure::Platform(error)) => {
            let away = error.kind.retry_class().is_temporary();
            if error.kind == ErrorKind::Unauthorized {
                refused(db, id, &error.message).await?;
            }
            next = if away { AWAY.max(error.retry_after.unwrap_or_default()) } else { usual };
            read.failure = Some(error.message);
        }
    }
    let finish = Finish {
        integration_id: id,
        fence,
        failure: read.failure.as_deref(),
        wait_seconds: next.as_secs_f64(),
        executions_read: read.complete && parts.contains(&Part::Executions),
    };
    n8n::finish(db, &finish).await?;
    Ok(read)
}

/// Reads several servers, a few side by side: each has its own budget, and one that is away keeps none from its turn.
pub async fn read_servers(
    db: &Db,
    settings: &Settings,
    ids: impl IntoIterator<Item = IntegrationId>,
    wanted: Wanted<'_>,
    deadline: Deadline,
) -> Vec<(IntegrationId, Result<Read>)> {
    let reading = |id| async move { (id, read_n8n(db, settings, id, wanted, deadline).await) };
    stream::iter(ids.into_iter().map(reading)).buffered(SIDE_BY_SIDE).collect().await
}

/// Each part by itself, with a row of the ledger: how long it took, and whether it came to its end.
async fn carry_out(
    db: &Db,
    wire: &Wire<'_>,
    place: &Place,
    fence: i64,
    parts: &[Part],
    by: Option<UserId>,
    read: &mut Read,
) -> Result<(), Failure> {
    for part in parts {
        let (began, sent) = (Instant::now(), wire.sent());
        let ended = match part {
            Part::Workflows => mirror::read(db, wire, place, read).await,
            Part::Executions => executions::read(db, wire, place, fence, read).await,
        };
        let told =
            Told { part: *part, by, took: began.elapsed(), requests: wire.sent().saturating_sub(sent) };
        log(db, wire.integration_id(), told, read, ended.as_ref().err()).await?;
        ended?;
    }
    Ok(())
}

/// One part of a reading, for the ledger.
struct Told {
    part: Part,
    by: Option<UserId>,
    took: Duration,
    requests: i64,
}

async fn log(
    db: &Db,
    id: IntegrationId,
    told: Told,
    read: &Read,
    failure: Option<&Failure>,
) -> Result<(), store::Error> {
    let Told { part, by, took, requests } = told;
    let Learned { created, updated, unchanged, .. } = read.workflows;
    let (sync_type, (created, updated, unchanged)) = match part {
        Part::Workflows => (SyncType::Workflows, (created, updated, unchanged)),
        Part::Executions => (SyncType::Executions, (read.executions, 0, 0)),
    };
    let (reason, message) = match failure {
        None => (None, None),
        Some(Failure::Later(_)) => (Some("budget_spent"), Some(CUT_OFF)),
        Some(Failure::Platform(error)) if error.kind.retry_class().is_temporary() => {
            (Some("platform_unavailable"), Some(error.message.as_str()))
        }
        Some(Failure::Platform(error)) => (Some("platform_rejected"), Some(error.message.as_str())),
        Some(Failure::Store(_)) => return Ok(()),
    };
    let reading = Reading {
        integration_id: id,
        user_id: by,
        sync_type,
        duration_ms: i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
        seen: created.saturating_add(updated).saturating_add(unchanged),
        created,
        updated,
        unchanged,
        requests,
        reason,
        message,
    };
    n8n::log(db, &reading).await?;
    Ok(())
}

/// What stands in the ledger where the budget has ended a reading.
const CUT_OFF: &str = "The budget of requests is spent; the next reading goes on from here.";

/// Sixteen random bytes, for an identity.
pub fn random() -> [u8; 16] {
    clock::random()
}

/// The account and its sealed credential; an error where it may not be used.
async fn line(db: &Db, id: IntegrationId) -> Result<(Side, Sealed)> {
    let side = integrations::load_for_run(db, id).await?.ok_or(store::Error::Missing("integration"))?;
    in_use(&side)?;
    let sealed = credentials::load_one(db, id).await?.ok_or(Error::NoCredential)?;
    Ok((side, sealed))
}

/// How often a server is read, where its settings say so: 1 minute to a day.
fn minutes(side: &Side) -> Option<Duration> {
    let minutes = side.config.get("poll_minutes").and_then(Value::as_u64)?;
    Some(Duration::from_mins(minutes.clamp(1, 1_440)))
}

/// Stores what a server says of some of its workflows.
async fn keep(db: &Db, id: IntegrationId, workflows: &[Workflow]) -> Result<Learned, store::Error> {
    let mirrored: Vec<Mirrored> = workflows.iter().map(mirrored).collect();
    let told = n8n::Told { integration_id: id, workflows: &mirrored, complete: false, etag: None };
    n8n::mirror(db, &told).await
}

fn mirrored(workflow: &Workflow) -> Mirrored {
    Mirrored {
        id: workflow.id.clone(),
        name: workflow.name.clone(),
        active: workflow.active,
        is_archived: workflow.is_archived,
        tags: workflow.tags.iter().map(|tag| tag.name.clone()).collect(),
        webhook: workflow.webhook.as_ref().and_then(|hook| serde_json::to_value(hook).ok()),
        trigger_node: workflow.trigger.as_ref().map(|trigger| trigger.node.clone()),
        trigger_takes: workflow.trigger.as_ref().map(|trigger| trigger.takes.word()),
        in_mcp: workflow.in_mcp,
        node_types: workflow.node_types.clone(),
        fingerprint: workflow.fingerprint(),
        created_at: workflow.created_at,
        updated_at: workflow.updated_at,
    }
}
