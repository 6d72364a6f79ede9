//! Starting a workflow by hand. n8n's API cannot do that; a webhook can, its MCP server can, and a failure can be tried again.

use super::executions::stored;
use super::{keep, line};
use crate::clock::Deadline;
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::wire::{Failure, Wire};
use connectors::n8n::{
    self as platform, Execution, ExecutionAsk, Hook, Started, Takes, Trigger, call_webhook, execute_by_mcp,
    retry,
};
use connectors::{ErrorKind, Exchange};
use domain::{ExecutionStatus, ExecutionWord, IntegrationId, UserId, Value};
use std::time::Duration;
use store::Db;
use store::n8n::{self, Record, Stored};
use store::workflows::{self, Start};

/// What to do where there is no way.
const NO_WAY: &str = "n8n's API cannot start a workflow. Add a Webhook node and publish the workflow; or let n8n's MCP server start it \
                      (a schedule, form or chat trigger, `availableInMCP` in its settings, and the server's key as `mcp_key` of the account).";

/// How long n8n is given to run what it has just published (measured: 0.2 to 0.8 s), each time before it is asked again.
const SOON: [Duration; 2] = [Duration::from_millis(700), Duration::from_millis(1_500)];

/// Which way a workflow is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Its production webhook.
    Webhook,
    /// n8n's MCP server.
    Mcp,
    /// Its last failed execution once more.
    Retry,
}

impl Way {
    /// As it stands in tables and answers.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Mcp => "mcp",
            Self::Retry => "retry",
        }
    }
}

/// A workflow that was started.
#[derive(Debug, Clone)]
pub struct Triggered {
    /// Which way it went.
    pub way: Way,
    /// The execution, where it could be told.
    pub execution_id: Option<i64>,
    /// How it stands, as far as it could be followed.
    pub status: Option<ExecutionStatus>,
}

/// Starts a workflow the best way there is, or this way. Nothing is sent twice: it might run twice.
///
/// [`Error::Conflict`] where there is no way, with what to add.
pub async fn trigger(
    db: &Db,
    settings: &Settings,
    who: UserId,
    (integration_id, workflow_id): (IntegrationId, &str),
    payload: &Value,
    way: Option<Way>,
    deadline: Deadline,
) -> Result<Triggered> {
    let (side, sealed) = line(db, integration_id).await?;
    let wire = Wire::open(db, settings, &side, sealed, deadline)?;
    let starter = Starter { db, wire: &wire, workflow_id };
    let ended = starter.carry_out(payload, way).await;
    wire.give_back().await?;
    let (way, execution) = ended?;
    let (execution_id, status) = match execution {
        Some(execution) => {
            let (id, status) = (execution.id, execution.word.status());
            let row = Stored { triggered_by: Some(who), trigger_way: Some(way.word()), ..stored(execution) };
            let record = Record { integration_id, fence: None, rows: &[row], descent: None, done: false };
            n8n::record(db, &record).await?;
            (Some(id), Some(status))
        }
        None => (None, None),
    };
    let noted =
        workflows::Triggered { integration_id, workflow_id, user_id: who, way: way.word(), execution_id };
    workflows::triggered(db, &noted).await?;
    Ok(Triggered { way, execution_id, status })
}

struct Starter<'a> {
    db: &'a Db,
    wire: &'a Wire<'a>,
    workflow_id: &'a str,
}

impl Starter<'_> {
    async fn carry_out(&self, payload: &Value, wanted: Option<Way>) -> Result<(Way, Option<Execution>)> {
        let start = self.start().await?;
        let hook = start.webhook.clone().and_then(|hook| serde_json::from_value::<Hook>(hook).ok());
        let hook = hook.filter(|_| start.is_active);
        let takes = start.trigger_takes.as_deref().and_then(Takes::from_word);
        let trigger = start.trigger_node.zip(takes).map(|(node, takes)| Trigger { node, takes });
        let possible = [
            (Way::Webhook, hook.is_some()),
            (Way::Mcp, start.in_mcp && trigger.is_some() && self.wire.has_mcp_key()),
            (Way::Retry, start.failed_execution.is_some()),
        ];
        let choice =
            possible.into_iter().find(|(way, can)| *can && wanted.is_none_or(|wanted| wanted == *way));
        let way = choice.map(|(way, _)| way).ok_or_else(|| Error::Conflict(NO_WAY.to_owned()))?;
        let account = &self.wire.account;
        // Whatever is newer than this was not there before.
        let newest = self.newest().await?.max(start.newest);
        let started = match (way, hook, trigger, start.failed_execution) {
            (Way::Webhook, Some(hook), _, _) => self.send(&call_webhook(account, &hook, payload)?).await,
            (Way::Mcp, _, Some(trigger), _) => {
                self.send(&execute_by_mcp(account, self.workflow_id, &trigger, payload)?).await
            }
            (Way::Retry, _, _, Some(failed)) => return self.retry(failed, newest).await,
            _ => return Err(Error::Conflict(NO_WAY.to_owned())),
        };
        let id = match started {
            Ok(started) => started.execution_id,
            // It may have begun although its answer did not come.
            Err(Failure::Platform(error)) if error.kind == ErrorKind::Unavailable => {
                let found = self.newer(newest, None).await?;
                return found.map(|found| (way, Some(found))).ok_or_else(|| error.into());
            }
            Err(Failure::Platform(error)) if is_not_running_yet(&error) => {
                return Err(Error::Conflict(error.message));
            }
            Err(other) => return Err(other.into()),
        };
        let execution = match id {
            Some(id) => self.wire.ask(platform::execution(account, id, true)?).await.ok().flatten(),
            None => self.newer(newest, None).await?,
        };
        Ok((way, execution))
    }

    /// Sends what starts it. What has just been published runs a moment later: then n8n has started nothing and is asked again.
    async fn send(&self, start: &Exchange<Started>) -> Result<Started, Failure> {
        for wait in SOON {
            match self.wire.ask_once(start).await {
                Err(Failure::Platform(error)) if is_not_running_yet(&error) => {
                    self.wire.wait(wait, wait).await.map_err(|_| error)?;
                }
                sent => return sent,
            }
        }
        self.wire.ask_once(start).await
    }

    /// How it can be started; of a workflow that the mirror does not have, or not whole, n8n is asked.
    async fn start(&self) -> Result<Start> {
        let id = self.wire.integration_id();
        let start = workflows::start(self.db, id, self.workflow_id).await?;
        let is_whole = start.trigger_node.is_none() || start.trigger_takes.is_some();
        if start.is_known && is_whole {
            return Ok(start);
        }
        let found = self.wire.ask(platform::workflow(&self.wire.account, self.workflow_id)?).await?;
        let found = found.ok_or_else(|| Error::Conflict("n8n has no such workflow any more.".to_owned()))?;
        keep(self.db, id, &[found]).await?;
        Ok(workflows::start(self.db, id, self.workflow_id).await?)
    }

    /// n8n answers when the new execution has ended, which may be long after our time-out: then it is looked for.
    async fn retry(&self, failed: i64, newest: i64) -> Result<(Way, Option<Execution>)> {
        let execution = match self.wire.ask_once(&retry(&self.wire.account, failed)?).await {
            Ok(execution) => execution,
            Err(Failure::Platform(error)) if error.kind == ErrorKind::Unavailable => {
                let found = self.newer(newest, Some(failed)).await?;
                Some(found.ok_or(error)?)
            }
            Err(other) => return Err(other.into()),
        };
        Ok((Way::Retry, execution))
    }

    /// The highest id that n8n has given to an execution of this workflow so far.
    async fn newest(&self) -> Result<i64> {
        let mut newest = 0;
        for word in [Some(ExecutionWord::Running), None] {
            let ask = ExecutionAsk {
                word,
                workflow_id: Some(self.workflow_id),
                below: None,
                limit: 1,
                with_errors: false,
            };
            let page = self.wire.ask(platform::executions(&self.wire.account, &ask)?).await?;
            newest = page.rows.iter().map(|row| row.id).max().unwrap_or(0).max(newest);
        }
        Ok(newest)
    }

    /// The newest execution of the workflow after this one, whether it still runs or not.
    async fn newer(&self, than: i64, retry_of: Option<i64>) -> Result<Option<Execution>> {
        let mut newest: Option<Execution> = None;
        for word in [Some(ExecutionWord::Running), None] {
            let ask = ExecutionAsk {
                word,
                workflow_id: Some(self.workflow_id),
                below: None,
                limit: 10,
                with_errors: false,
            };
            let page = match self.wire.ask(platform::executions(&self.wire.account, &ask)?).await {
                Ok(page) => page,
                // It has been started; which execution that is, the next reading shows.
                Err(Failure::Later(_) | Failure::Platform(_)) => return Ok(newest),
                Err(Failure::Store(error)) => return Err(error.into()),
            };
            let fits = |row: &Execution| row.id > than && (retry_of.is_none() || row.retry_of == retry_of);
            // Of one that is in both lists, the second list is the later word.
            newest = newest.into_iter().chain(page.rows.into_iter().filter(fits)).max_by_key(|row| row.id);
        }
        Ok(newest)
    }
}

/// Whether n8n has started nothing, because it does not run the workflow: nothing else says so.
fn is_not_running_yet(error: &connectors::Error) -> bool {
    error.kind == ErrorKind::Conflict && error.vendor_code.as_deref() == Some("not_published")
}
