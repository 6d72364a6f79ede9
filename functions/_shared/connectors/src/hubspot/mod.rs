//! HubSpot, through its CRM API: contacts, as customers.
//!
//! Read by lists, by search and by batches; written by batches of up to 100 contacts, whose answer may be of several
//! statuses. A create is an upsert by a unique property of ours. Failures come by status, with a category ([`failure`]).
//!
//! Settings: `properties` (none), the names of further properties, which stand under `properties` in the record;
//! `key_property` (`syncline_key`), the unique property that holds our external key.

mod account;
mod contact;
mod failure;
mod listing;
mod portal;
mod reading;
mod replies;
mod search;
#[cfg(test)]
mod tests;
mod writing;

use crate::{
    Account, Api, Capability, Connector, Error, Exchange, Key, Limits, ListQuery, Outcome, Page, Result,
    SchemaObject, TestReport, Write,
};
use chrono::TimeDelta;
use domain::auth::Scheme;
use domain::{ItemType, Record};

/// Records in one batch
/// (<https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide>).
const BATCH: usize = 100;

/// Requests side by side. An account takes 5 searches a second and 10 to 19 of the other requests, whoever sends them
/// (<https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines>).
const CONCURRENCY: usize = 3;

/// HubSpot.
pub(crate) struct Hubspot;

impl Connector for Hubspot {
    fn api(&self, _: &Account) -> Api {
        Api { name: "HubSpot CRM API", version: "v3".to_owned() }
    }

    fn hosts(&self) -> &'static [&'static str] {
        &["https://api.hubapi.com"]
    }

    fn capability(&self, item_type: ItemType) -> Capability {
        match item_type {
            // What a write answers with are the properties that were written, not all that we know.
            ItemType::Customer => {
                Capability { list: true, find: true, write: true, delete: true, answers_writes: false }
            }
            ItemType::Product | ItemType::Inventory | ItemType::Order => Capability::default(),
        }
    }

    fn limits(&self, item_type: ItemType) -> Limits {
        match item_type {
            ItemType::Customer => Limits {
                page: search::PAGE,
                read: BATCH,
                find: BATCH,
                write: BATCH,
                concurrency: CONCURRENCY,
            },
            ItemType::Product | ItemType::Inventory | ItemType::Order => Limits::ONE,
        }
    }

    fn scheme(&self, account: &Account) -> Option<Scheme> {
        portal::scheme(account.credential)
    }

    /// Its search may be minutes late (<https://developers.hubspot.com/docs/api/crm/search>).
    fn look_back(&self) -> TimeDelta {
        TimeDelta::minutes(5)
    }

    fn list(&self, account: &Account, query: &ListQuery) -> Result<Exchange<Page>> {
        only_contacts(query.item_type)?;
        listing::list(&portal::of(account)?, query)
    }

    fn get_many(
        &self,
        account: &Account,
        item_type: ItemType,
        ids: &[String],
    ) -> Result<Exchange<Vec<Record>>> {
        only_contacts(item_type)?;
        fits(ids.len())?;
        reading::get(&portal::of(account)?, ids)
    }

    fn find(&self, account: &Account, item_type: ItemType, key: &Key) -> Result<Exchange<Vec<Record>>> {
        only_contacts(item_type)?;
        let (Key::External(values) | Key::Field { values, .. }) = key;
        fits(values.len())?;
        reading::find(&portal::of(account)?, key)
    }

    fn write_many(
        &self,
        account: &Account,
        item_type: ItemType,
        writes: &[Write],
    ) -> Result<Exchange<Vec<Outcome>>> {
        only_contacts(item_type)?;
        fits(writes.len())?;
        writing::write(&portal::of(account)?, writes)
    }

    fn delete_many(
        &self,
        account: &Account,
        item_type: ItemType,
        ids: &[String],
    ) -> Result<Exchange<Vec<Result<()>>>> {
        only_contacts(item_type)?;
        fits(ids.len())?;
        writing::archive(&portal::of(account)?, ids)
    }

    fn prepare(&self, account: &Account, item_type: ItemType) -> Result<Option<Exchange<()>>> {
        only_contacts(item_type)?;
        account::prepare(&portal::of(account)?).map(Some)
    }

    fn schema(&self, account: &Account) -> Result<Exchange<Vec<SchemaObject>>> {
        account::schema(&portal::of(account)?)
    }

    fn test(&self, account: &Account) -> Result<Exchange<TestReport>> {
        account::test(&portal::of(account)?)
    }
}

fn only_contacts(item_type: ItemType) -> Result<()> {
    match item_type {
        ItemType::Customer => Ok(()),
        ItemType::Product | ItemType::Inventory | ItemType::Order => {
            Err(Error::unsupported("of HubSpot only contacts are synced, as customers"))
        }
    }
}

/// Refuses more records than one request can hold: the caller divides by the limits.
fn fits(count: usize) -> Result<()> {
    if count > BATCH {
        return Err(Error::unexpected(format!(
            "{count} records were asked for at once; {BATCH} are possible"
        )));
    }
    Ok(())
}
