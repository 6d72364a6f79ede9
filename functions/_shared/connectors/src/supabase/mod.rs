//! The user's own tables.

use crate::{
    Account, Capability, Connector, Error, Exchange, Limits, ListQuery, Page, Result, SchemaObject,
    TestReport,
};
use domain::auth::Scheme;
use domain::{ItemType, Record};

/// The user's own tables.
pub(crate) struct Supabase;

impl Connector for Supabase {
    fn hosts(&self) -> &'static [&'static str] {
        &[]
    }

    fn capability(&self, _: ItemType) -> Capability {
        Capability::default()
    }

    fn limits(&self, _: ItemType) -> Limits {
        Limits::ONE
    }

    fn scheme(&self, _: &Account) -> Option<Scheme> {
        None
    }

    fn list(&self, _: &Account, _: &ListQuery) -> Result<Exchange<Page>> {
        Err(Error::unsupported("to be written"))
    }

    fn get_many(&self, _: &Account, _: ItemType, _: &[String]) -> Result<Exchange<Vec<Record>>> {
        Err(Error::unsupported("to be written"))
    }

    fn schema(&self, _: &Account) -> Result<Exchange<Vec<SchemaObject>>> {
        Err(Error::unsupported("to be written"))
    }

    fn test(&self, _: &Account) -> Result<Exchange<TestReport>> {
        Err(Error::unsupported("to be written"))
    }
}
