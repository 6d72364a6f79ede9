//! The user's own tables, in the very project that we live in. Its requests go to our own database, not over a network:
//! their scheme is [`Scheme::Database`], their path the verb, their body the question.
//!
//! Whose rows are seen and what may be written, the tables' own policies decide: the database asks as the account's owner.

mod account;
mod failure;
mod reading;
mod replies;
mod setup;
#[cfg(test)]
mod tests;
mod writing;

use crate::{
    Account, Api, Capability, Connector, Exchange, Key, Limits, ListQuery, Outcome, Page, Result,
    SchemaObject, TestReport, Write,
};
use domain::auth::{CredentialKind, Scheme};
use domain::{ItemType, Record};
use setup::Setup;

/// The user's own tables.
pub(crate) struct Supabase;

/// Records in one statement. A write is about a millisecond, and statements end after 15 s.
const AT_ONCE: usize = 500;

impl Connector for Supabase {
    fn api(&self, _: &Account) -> Api {
        Api { name: "Supabase tables", version: "1".to_owned() }
    }

    fn hosts(&self) -> &'static [&'static str] {
        &[]
    }

    fn capability(&self, _: ItemType) -> Capability {
        Capability { list: true, find: true, write: true, delete: true, answers_writes: true }
    }

    /// One statement at a time: they share a connection with everything else that the run asks of the database.
    fn limits(&self, _: ItemType) -> Limits {
        Limits { page: AT_ONCE, read: AT_ONCE, find: AT_ONCE, write: AT_ONCE, concurrency: 1 }
    }

    fn scheme(&self, account: &Account) -> Option<Scheme> {
        (account.credential == CredentialKind::None).then_some(Scheme::Database)
    }

    fn list(&self, account: &Account, query: &ListQuery) -> Result<Exchange<Page>> {
        reading::list(&Setup::of(account)?.table(query.item_type)?, query)
    }

    fn get_many(
        &self,
        account: &Account,
        item_type: ItemType,
        ids: &[String],
    ) -> Result<Exchange<Vec<Record>>> {
        reading::get(&Setup::of(account)?.table(item_type)?, ids)
    }

    fn find(&self, account: &Account, item_type: ItemType, key: &Key) -> Result<Exchange<Vec<Record>>> {
        reading::find(&Setup::of(account)?.table(item_type)?, key)
    }

    fn write_many(
        &self,
        account: &Account,
        item_type: ItemType,
        writes: &[Write],
    ) -> Result<Exchange<Vec<Outcome>>> {
        writing::write(&Setup::of(account)?.table(item_type)?, writes)
    }

    fn delete_many(
        &self,
        account: &Account,
        item_type: ItemType,
        ids: &[String],
    ) -> Result<Exchange<Vec<Result<()>>>> {
        writing::delete(&Setup::of(account)?.table(item_type)?, ids)
    }

    fn schema(&self, account: &Account) -> Result<Exchange<Vec<SchemaObject>>> {
        account::schema(Setup::of(account)?)
    }

    fn test(&self, account: &Account) -> Result<Exchange<TestReport>> {
        account::test(Setup::of(account)?)
    }
}
