//! The platforms. A connector builds requests and reads replies; it sends none.
//!
//! Each verb answers with an [`Exchange`]: the unsigned request, how it is to be authenticated, and the only function
//! that can read its reply. Sending, signing, retries, budgets and time-outs are written once, in `engine`.
//!
//! # How to add a platform
//! 1. A folder here with `mod.rs` (a `struct` that implements [`Connector`]), `replies.rs` (the vendor's JSON, only the
//!    fields we use), `failure.rs` (the one place that turns the vendor's failures into [`ErrorKind`]) and its queries as files.
//! 2. A variant of [`domain::Platform`]; the compiler then asks for the arm in [`of`].
//! 3. Its [`Connector::hosts`] in `spin.toml` (a tidy test compares) and its simulator in `tests/platforms`.

mod event;
mod exchange;
mod hubspot;
pub mod n8n;
mod netsuite;
mod query;
mod read;
mod shopify;
mod subscription;
mod supabase;
#[cfg(test)]
mod testing;

pub use domain::ErrorKind;
pub use event::{Event, Subject};
pub use exchange::{Error, Exchange, Reply, Request, Result, Step};
pub use query::{
    Account, Capability, Filter, Gauge, Key, Limits, ListQuery, Page, SchemaField, SchemaObject, TestReport,
    Token, Write, Written,
};
pub use subscription::Subscription;

use chrono::TimeDelta;
use domain::auth::{CredentialKind, Scheme, WebhookScheme};
use domain::{Fields, ItemType, Platform};
use http::HeaderMap;
use serde::Serialize;
use url::Url;

/// The result of one record of a batch: what the platform holds now, or why it refused.
pub type Outcome = Result<Written>;

/// The interface of a platform that a connector speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Api {
    /// Its name, as the vendor calls it.
    pub name: &'static str,
    /// Its version, as the vendor writes it.
    pub version: String,
}

/// A platform, verb by verb. A verb it does not have answers [`ErrorKind::Unsupported`]; that is the default.
pub trait Connector: Sync {
    /// What it speaks with this account.
    fn api(&self, account: &Account) -> Api;

    /// The hosts it talks to in production, as patterns of `allowed_outbound_hosts`.
    fn hosts(&self) -> &'static [&'static str];

    /// What the platform can do with items of this kind.
    fn capability(&self, item_type: ItemType) -> Capability;

    /// How much at once, and how many side by side.
    fn limits(&self, item_type: ItemType) -> Limits;

    /// How requests are authenticated with a credential of this kind; `None` when the platform does not take it.
    fn scheme(&self, account: &Account) -> Option<Scheme>;

    /// The request that buys an access token, for the kinds of credential that need one.
    fn token(&self, account: &Account) -> Result<Exchange<Token>> {
        let _ = account;
        Err(Error::unsupported("this platform issues no tokens"))
    }

    /// What a reply says about the platform's budget; `None` where it says nothing, or counts in requests only.
    fn gauge(&self, reply: &Reply) -> Option<Gauge> {
        let _ = reply;
        None
    }

    /// One page of records, oldest change first where the platform can order so. Always holds the whole window's
    /// records exactly when followed to the page without `next`.
    fn list(&self, account: &Account, query: &ListQuery) -> Result<Exchange<Page>>;

    /// How far a listing has to look back behind its cursor: platforms index late, and their clocks have whole seconds.
    fn look_back(&self) -> TimeDelta {
        TimeDelta::minutes(2)
    }

    /// The records with these ids, at most [`Limits::read`] of them. An id that does not exist is absent from the answer.
    fn get_many(
        &self,
        account: &Account,
        item_type: ItemType,
        ids: &[String],
    ) -> Result<Exchange<Vec<domain::Record>>>;

    /// The records that carry one of these values in a field that identifies (an external key, a SKU), at most
    /// [`Limits::find`] values. Searches that the vendor documents as inexact are re-checked by equality here.
    fn find(
        &self,
        account: &Account,
        item_type: ItemType,
        key: &Key,
    ) -> Result<Exchange<Vec<domain::Record>>> {
        let _ = (account, item_type, key);
        Err(Error::unsupported("this platform cannot be searched by key"))
    }

    /// Writes records, at most [`Limits::write`] of them. The answer has one outcome per record, in their order.
    ///
    /// Repeating the same exchange never makes a second record: a create carries its external key, and the platform
    /// (or, where it has no upsert, a look-up before) finds what an earlier attempt made.
    fn write_many(
        &self,
        account: &Account,
        item_type: ItemType,
        writes: &[Write],
    ) -> Result<Exchange<Vec<Outcome>>> {
        let _ = (account, item_type, writes);
        Err(Error::unsupported("this platform cannot be written to"))
    }

    /// Deletes records, at most [`Limits::write`] of them; one that is already gone counts as deleted.
    fn delete_many(
        &self,
        account: &Account,
        item_type: ItemType,
        ids: &[String],
    ) -> Result<Exchange<Vec<Result<()>>>> {
        let _ = (account, item_type, ids);
        Err(Error::unsupported("this platform deletes nothing"))
    }

    /// The fields that put a record out of use without deleting it; `None` where the platform has no such state.
    fn archived(&self, item_type: ItemType) -> Option<Fields> {
        let _ = item_type;
        None
    }

    /// What must exist on the platform before the first create (a definition of the external key, for example).
    /// Repeatable; `None` when there is nothing to prepare.
    fn prepare(&self, account: &Account, item_type: ItemType) -> Result<Option<Exchange<()>>> {
        let _ = (account, item_type);
        Ok(None)
    }

    /// The fields of the kinds of item we know, as the platform describes them now.
    fn schema(&self, account: &Account) -> Result<Exchange<Vec<SchemaObject>>>;

    /// Proves, step by step, that the address, the credential and the permissions are right.
    fn test(&self, account: &Account) -> Result<Exchange<TestReport>>;

    /// How the platform signs what it tells us by itself; `None` when it tells nothing.
    fn webhooks(&self) -> Option<WebhookScheme> {
        None
    }

    /// Reads a message whose signature was verified. [`ErrorKind::Unexpected`] when it does not say which event it is,
    /// or of a followed topic which record.
    fn event(&self, headers: &HeaderMap, body: &[u8]) -> Result<Event> {
        let _ = (headers, body);
        Err(Error::unsupported(TELLS_NOTHING))
    }

    /// What the platform can be asked to tell of by itself about items of this kind, in the words of [`Event::topic`].
    /// Empty where there is nothing to subscribe to.
    fn topics(&self, item_type: ItemType) -> Vec<&'static str> {
        let _ = item_type;
        Vec::new()
    }

    /// What the platform sends to this address, and to this address only.
    fn subscriptions(&self, account: &Account, callback: &Url) -> Result<Exchange<Vec<Subscription>>> {
        let _ = (account, callback);
        Err(Error::unsupported(TELLS_NOTHING))
    }

    /// Has the platform send the events of one or more topics ([`Connector::topics`]) to this address. The answer has one
    /// outcome per topic, in their order. One that the address has already is refused by some platforms: what is there
    /// shows [`Connector::subscriptions`], before and after.
    fn subscribe(
        &self,
        account: &Account,
        callback: &Url,
        topics: &[&str],
    ) -> Result<Exchange<Vec<Result<Subscription>>>> {
        let _ = (account, callback, topics);
        Err(Error::unsupported(TELLS_NOTHING))
    }

    /// Ends one or more subscriptions, however many; one that is already gone counts as ended. The answer has one outcome per
    /// id, in their order.
    fn unsubscribe(&self, account: &Account, ids: &[String]) -> Result<Exchange<Vec<Result<()>>>> {
        let _ = (account, ids);
        Err(Error::unsupported(TELLS_NOTHING))
    }
}

/// Why there is nothing to subscribe to.
const TELLS_NOTHING: &str = "this platform tells nothing by itself";

/// The connector of a platform.
pub fn of(platform: Platform) -> &'static dyn Connector {
    match platform {
        Platform::Shopify => &shopify::Shopify,
        Platform::Netsuite => &netsuite::Netsuite,
        Platform::Hubspot => &hubspot::Hubspot,
        Platform::N8n => &n8n::N8n,
        Platform::Supabase => &supabase::Supabase,
    }
}

/// The kinds of credential a platform takes, the recommended one first.
pub const fn credential_kinds(platform: Platform) -> &'static [CredentialKind] {
    match platform {
        Platform::Shopify => &[CredentialKind::ClientCredentials, CredentialKind::AccessToken],
        Platform::Netsuite => &[CredentialKind::ClientAssertion, CredentialKind::TokenBased],
        Platform::Hubspot => &[CredentialKind::AccessToken],
        Platform::N8n => &[CredentialKind::ApiKey],
        Platform::Supabase => &[CredentialKind::None],
    }
}

/// The only address of accounts on [`Platform::Supabase`]. Nothing is there that could be called: what is asked at it,
/// our own database answers.
pub const TABLES: &str = "supabase://tables";
