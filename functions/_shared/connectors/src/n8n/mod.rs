//! n8n, through its public API: workflows, executions and tags, and data tables as a side of syncs.
//!
//! What is asked of workflows and executions is no verb of [`Connector`]: the engine asks for it by the functions of this
//! module. The verbs are about the rows of data tables. Failures come by status with a message (`failure.rs`).
//!
//! Settings: `tables` (none), which data table holds which kind of item, and which of its columns our external key:
//! `{"customer": {"table": "<id>", "key": "external_id"}}`.

mod account;
mod definition;
mod executions;
mod failure;
mod listing;
mod publishing;
mod reading;
mod replies;
mod site;
mod starting;
mod tables;
mod tags;
#[cfg(test)]
mod tests;
mod told;
mod traced;
mod trigger;
mod workflows;
mod writing;

pub use definition::{Definition, create_workflow, update_workflow};
pub use executions::{Execution, ExecutionAsk, Executions, Failure, execution, executions, retry};
pub use publishing::{archive, delete_workflow, publish, unpublish};
pub use starting::{Started, call_webhook, execute_by_mcp};
pub use tags::{set_tags, tag};
pub use told::told;
pub use traced::traced;
pub use trigger::{Takes, Trigger};
pub use workflows::{Hook, ListAsk, Listed, Tag, Workflow, workflow, workflows};

use crate::{
    Account, Api, Capability, Connector, Error, Exchange, Key, Limits, ListQuery, Outcome, Page, Result,
    SchemaObject, TestReport, Write,
};
use domain::auth::{Scheme, WebhookScheme};
use domain::{ItemType, Record};

/// Ids or keys in one question: they stand in its address.
const ASKED: usize = 50;
/// Rows in one write. Each is a request of its own.
const WRITTEN: usize = 1;
/// Requests side by side. n8n counts none; it shares its processor with the workflows.
const CONCURRENCY: usize = 2;

/// An n8n server.
pub(crate) struct N8n;

impl Connector for N8n {
    /// Wherever its owner runs it: the deployment says which host may be called.
    fn api(&self, _: &Account) -> Api {
        Api { name: "n8n public API", version: "v1".to_owned() }
    }

    fn hosts(&self) -> &'static [&'static str] {
        &["https://{{ n8n_host }}"]
    }

    fn capability(&self, _: ItemType) -> Capability {
        Capability { list: true, find: true, write: true, delete: true, answers_writes: true }
    }

    fn limits(&self, _: ItemType) -> Limits {
        Limits { page: listing::PAGE, read: ASKED, find: ASKED, write: WRITTEN, concurrency: CONCURRENCY }
    }

    fn scheme(&self, account: &Account) -> Option<Scheme> {
        site::scheme(account.credential)
    }

    fn list(&self, account: &Account, query: &ListQuery) -> Result<Exchange<Page>> {
        listing::list(&tables::of(account, query.item_type)?, query)
    }

    fn get_many(
        &self,
        account: &Account,
        item_type: ItemType,
        ids: &[String],
    ) -> Result<Exchange<Vec<Record>>> {
        fits(ids.len(), ASKED)?;
        reading::get(&tables::of(account, item_type)?, ids)
    }

    fn find(&self, account: &Account, item_type: ItemType, key: &Key) -> Result<Exchange<Vec<Record>>> {
        let (Key::External(values) | Key::Field { values, .. }) = key;
        fits(values.len(), ASKED)?;
        reading::find(&tables::of(account, item_type)?, key)
    }

    fn write_many(
        &self,
        account: &Account,
        item_type: ItemType,
        writes: &[Write],
    ) -> Result<Exchange<Vec<Outcome>>> {
        fits(writes.len(), WRITTEN)?;
        writing::write(&tables::of(account, item_type)?, writes)
    }

    fn delete_many(
        &self,
        account: &Account,
        item_type: ItemType,
        ids: &[String],
    ) -> Result<Exchange<Vec<Result<()>>>> {
        fits(ids.len(), ASKED)?;
        writing::delete(&tables::of(account, item_type)?, ids)
    }

    fn schema(&self, account: &Account) -> Result<Exchange<Vec<SchemaObject>>> {
        account::schema(account)
    }

    fn test(&self, account: &Account) -> Result<Exchange<TestReport>> {
        account::test(account)
    }

    fn webhooks(&self) -> Option<WebhookScheme> {
        Some(WebhookScheme::TimedHmacSha256 {
            signature: "x-signature",
            timestamp: "x-timestamp",
            secret: "x-sync-secret",
        })
    }
}

/// Refuses more records than one exchange can hold: the caller divides by the limits.
fn fits(count: usize, most: usize) -> Result<()> {
    if count <= most {
        return Ok(());
    }
    Err(Error::unexpected(format!("{count} records were asked for at once; {most} are possible")))
}
