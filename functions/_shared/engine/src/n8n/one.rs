//! One workflow, read by itself: what a person wants to see now.

use super::executions::stored;
use super::{keep, line};
use crate::clock::Deadline;
use crate::error::Result;
use crate::settings::Settings;
use crate::wire::{Failure, Wire};
use connectors::n8n::{ExecutionAsk, executions, workflow};
use domain::{ExecutionWord, IntegrationId};
use store::Db;
use store::n8n::{self, Record, Stored};

/// Its newest executions that are read.
const NEWEST: u32 = 50;

/// Reads a workflow and its newest executions; answers how many of those are news, and `None` when n8n has no such workflow.
pub async fn read_workflow(
    db: &Db,
    settings: &Settings,
    id: IntegrationId,
    workflow_id: &str,
    deadline: Deadline,
) -> Result<Option<u64>> {
    let (side, sealed) = line(db, id).await?;
    let wire = Wire::open(db, settings, &side, sealed, deadline)?;
    let read = read(db, &wire, workflow_id).await;
    wire.give_back().await?;
    Ok(read?)
}

async fn read(db: &Db, wire: &Wire<'_>, workflow_id: &str) -> Result<Option<u64>, Failure> {
    let integration_id = wire.integration_id();
    let Some(there) = wire.ask(workflow(&wire.account, workflow_id)?).await? else {
        n8n::gone(db, integration_id, &[workflow_id.to_owned()]).await?;
        return Ok(None);
    };
    keep(db, integration_id, &[there]).await?;
    let mut rows: Vec<Stored> = Vec::new();
    for word in [Some(ExecutionWord::Running), None] {
        let ask = ExecutionAsk {
            word,
            workflow_id: Some(workflow_id),
            below: None,
            limit: NEWEST,
            with_errors: false,
        };
        rows.extend(wire.ask(executions(&wire.account, &ask)?).await?.rows.into_iter().map(stored));
    }
    // The second list is the newer one: what ended between the two is in both.
    rows.reverse();
    rows.sort_by_key(|row| row.id);
    rows.dedup_by_key(|row| row.id);
    let record = Record { integration_id, fence: None, rows: &rows, descent: None, done: false };
    Ok(Some(n8n::record(db, &record).await?.unwrap_or(0)))
}
