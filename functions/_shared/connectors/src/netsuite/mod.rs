//! NetSuite, through SuiteTalk REST and SuiteQL.
//!
//! Read by SuiteQL, many records in one query; written by asynchronous batches of up to 100 records, which are polled.
//! Times come in the account's zone; failures by status with `o:errorDetails` ([`failure`]).
//!
//! Settings: `account_id` (else taken from the address), `time_zone_offset_minutes` (0), `base_currency_id` (1),
//! `price_level_id` (1), `default_customer_id`, `adjustment_account_id`, `subsidiary_id`, `item_defaults`, and the custom
//! fields `tags_field`, `images_field`, `options_field`, `category_field`, `compare_at_price_field`.

mod account;
mod batch;
mod children;
mod delete;
mod failure;
mod inventory;
mod listing;
mod order_write;
mod orders;
mod product_write;
mod products;
mod site;
mod suiteql;
#[cfg(test)]
mod tests;
mod upsert;

use crate::{
    Account, Api, Capability, Connector, Error, Exchange, Key, Limits, ListQuery, Outcome, Page, Result,
    SchemaObject, TestReport, Token, Write,
};
use domain::auth::Scheme;
use domain::{Fields, ItemType, Record, Value};

/// Requests side by side: an account has 5 for all its integrations together in the standard tier
/// (<https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_1500275531.html>).
const CONCURRENCY: usize = 3;

/// What the connector does not do.
const NO_CUSTOMERS: &str = "customers of NetSuite are not synced";

/// NetSuite.
pub(crate) struct Netsuite;

impl Connector for Netsuite {
    fn api(&self, _: &Account) -> Api {
        Api { name: "SuiteTalk REST", version: "v1".to_owned() }
    }

    fn hosts(&self) -> &'static [&'static str] {
        &["https://*.suitetalk.api.netsuite.com"]
    }

    fn capability(&self, item_type: ItemType) -> Capability {
        let all = Capability { list: true, find: true, write: true, delete: true, answers_writes: true };
        match item_type {
            ItemType::Customer => Capability::default(),
            ItemType::Product | ItemType::Order => all,
            ItemType::Inventory => Capability { delete: false, answers_writes: false, ..all },
        }
    }

    fn limits(&self, item_type: ItemType) -> Limits {
        let of = |read, write| Limits { page: read, read, find: read, write, concurrency: CONCURRENCY };
        match item_type {
            ItemType::Customer => Limits::ONE,
            ItemType::Product => of(products::READ, product_write::AT_ONCE),
            ItemType::Inventory => of(inventory::READ, inventory::AT_ONCE),
            ItemType::Order => of(orders::READ, order_write::AT_ONCE),
        }
    }

    fn scheme(&self, account: &Account) -> Option<Scheme> {
        site::scheme(account)
    }

    fn token(&self, account: &Account) -> Result<Exchange<Token>> {
        account::token(account)
    }

    fn list(&self, account: &Account, query: &ListQuery) -> Result<Exchange<Page>> {
        let site = site::of(account)?;
        match query.item_type {
            ItemType::Customer => Err(Error::unsupported(NO_CUSTOMERS)),
            ItemType::Product => listing::products(&site, query),
            ItemType::Inventory => listing::stock(&site, query),
            ItemType::Order => listing::orders(&site, query),
        }
    }

    fn get_many(
        &self,
        account: &Account,
        item_type: ItemType,
        ids: &[String],
    ) -> Result<Exchange<Vec<Record>>> {
        let site = site::of(account)?;
        fits(ids.len(), self.limits(item_type).read)?;
        match item_type {
            ItemType::Customer => Err(Error::unsupported(NO_CUSTOMERS)),
            ItemType::Product => products::get(&site, ids),
            ItemType::Inventory => inventory::get(&site, ids),
            ItemType::Order => orders::get(&site, ids),
        }
    }

    fn find(&self, account: &Account, item_type: ItemType, key: &Key) -> Result<Exchange<Vec<Record>>> {
        let site = site::of(account)?;
        let (Key::External(values) | Key::Field { values, .. }) = key;
        fits(values.len(), self.limits(item_type).find)?;
        match item_type {
            ItemType::Customer => Err(Error::unsupported(NO_CUSTOMERS)),
            ItemType::Product => products::find(&site, key),
            ItemType::Inventory => inventory::find(&site, key),
            ItemType::Order => orders::find(&site, key),
        }
    }

    fn write_many(
        &self,
        account: &Account,
        item_type: ItemType,
        writes: &[Write],
    ) -> Result<Exchange<Vec<Outcome>>> {
        let site = site::of(account)?;
        match item_type {
            ItemType::Customer => Err(Error::unsupported(NO_CUSTOMERS)),
            ItemType::Product => product_write::write(&site, writes),
            ItemType::Inventory => inventory::write(&site, writes),
            ItemType::Order => order_write::write(&site, writes),
        }
    }

    fn delete_many(
        &self,
        account: &Account,
        item_type: ItemType,
        ids: &[String],
    ) -> Result<Exchange<Vec<Result<()>>>> {
        let site = site::of(account)?;
        fits(ids.len(), self.limits(item_type).write)?;
        match item_type {
            ItemType::Product => delete::products(&site, ids),
            ItemType::Order => delete::orders(&site, ids),
            ItemType::Customer => Err(Error::unsupported(NO_CUSTOMERS)),
            ItemType::Inventory => Err(Error::unsupported("stock is changed, not deleted")),
        }
    }

    fn archived(&self, item_type: ItemType) -> Option<Fields> {
        let state = ("isInactive".to_owned(), Value::from(true));
        matches!(item_type, ItemType::Product).then(|| Fields::from_iter([state]))
    }

    fn schema(&self, account: &Account) -> Result<Exchange<Vec<SchemaObject>>> {
        account::schema(&site::of(account)?)
    }

    fn test(&self, account: &Account) -> Result<Exchange<TestReport>> {
        account::test(account, &site::of(account)?)
    }
}

/// Refuses more records than one request can hold: the caller divides by the limits.
fn fits(count: usize, most: usize) -> Result<()> {
    if count > most {
        return Err(Error::unexpected(format!(
            "{count} records were asked for at once; {most} are possible"
        )));
    }
    Ok(())
}
