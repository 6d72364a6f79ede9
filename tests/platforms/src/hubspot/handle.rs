//! A test's grip on a HubSpot account.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::properties::Definition;
use super::state::{Record, State};
use super::values::{self, Values};
use super::{Portal, writes};
use crate::account::{Account, handle_methods};

/// A contact as people see it: what is set, by HubSpot's names of properties.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// The values.
    pub values: BTreeMap<String, String>,
}

/// A contact with this e-mail address.
pub fn contact(email: &str) -> Contact {
    Contact::default().with("email", email)
}

impl Contact {
    /// With this value of a property; an empty one clears it.
    #[must_use]
    pub fn with(mut self, property: &str, value: &str) -> Self {
        self.set(property, value);
        self
    }

    /// Sets a property; an empty value clears it.
    pub fn set(&mut self, property: &str, value: &str) {
        self.values.insert(property.to_owned(), value.to_owned());
    }

    /// A property's value, empty when there is none.
    pub fn get(&self, property: &str) -> &str {
        self.values.get(property).map_or("", String::as_str)
    }
}

/// An account, as its own staff sees it. Clones are the same account.
#[derive(Debug, Clone)]
pub struct HubspotHandle {
    account: Arc<Account<Portal>>,
    address: String,
}

impl HubspotHandle {
    pub(crate) fn new(account: Arc<Account<Portal>>, address: String) -> Self {
        Self { account, address }
    }

    handle_methods!();

    // --- credentials and settings ---

    /// The token of a private app; empty after [`Self::revoke_token`].
    pub fn token(&self) -> String {
        self.account.platform().token.clone().unwrap_or_default()
    }

    /// Makes the token worthless.
    pub fn revoke_token(&self) {
        self.account.platform().token = None;
    }

    /// The scopes the private app has from now on.
    pub fn set_scopes(&self, scopes: &[&str]) {
        self.account.platform().scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    }

    /// Requests in ten seconds and searches in one second; 190 and 5 until set.
    pub fn set_limits(&self, in_ten_seconds: usize, searches_in_a_second: usize) {
        let mut portal = self.account.platform();
        portal.limits.in_a_window = in_ten_seconds;
        portal.limits.searches = searches_in_a_second;
    }

    /// Requests that are left of this day's.
    pub fn set_left_today(&self, requests: u64) {
        self.account.platform().limits.left_today = requests;
    }

    /// How many requests were throttled so far.
    pub fn throttled(&self) -> u64 {
        self.account.platform().limits.refused
    }

    /// Searches find changes made from now on only after so many seconds; 0 at once.
    pub fn set_index_delay(&self, seconds: i64) {
        self.account.platform().state.index_delay = seconds;
    }

    /// Whether batches whose inputs are all traced may succeed in part; yes until set. (The vendor's pages promise it for
    /// `batch/create`.)
    pub fn set_multi_status(&self, yes: bool) {
        self.account.platform().multi_status = yes;
    }

    /// Somebody in the company defines a property: `string`, `number`, `date`, `datetime`, `enumeration` or `bool`.
    pub fn define(&self, name: &str, kind: &str) {
        let definition = Definition::custom(name, kind);
        self.account.platform().state.definitions.insert(name.to_owned(), definition);
    }

    /// Whether a property is defined, and as a unique one.
    pub fn is_unique(&self, name: &str) -> bool {
        self.account.platform().state.definitions.get(name).is_some_and(|definition| definition.unique)
    }

    // --- contacts ---

    /// The account has this contact; one with the same e-mail address is changed to it. Answers its id. Not in the
    /// journal. Values that HubSpot would refuse are left out.
    pub fn has(&self, contact: impl Borrow<Contact>) -> String {
        seed(&mut self.account.platform().state, contact.borrow()).to_string()
    }

    /// [`Self::has`] for many, all of them at the same time. Answers their ids.
    pub fn has_all(&self, contacts: impl IntoIterator<Item: Borrow<Contact>>) -> Vec<String> {
        let mut portal = self.account.platform();
        contacts.into_iter().map(|contact| seed(&mut portal.state, contact.borrow()).to_string()).collect()
    }

    /// A contact by its id, its e-mail address or the value of another unique property.
    pub fn contact(&self, key: &str) -> Option<Contact> {
        let portal = self.account.platform();
        find(&portal.state, key).map(|record| Contact { values: record.values.clone() })
    }

    /// A contact's id, found as [`Self::contact`] does.
    pub fn contact_id(&self, key: &str) -> Option<String> {
        find(&self.account.platform().state, key).map(|record| record.id.to_string())
    }

    /// Every contact that is not archived, oldest first.
    pub fn contacts(&self) -> Vec<Contact> {
        let portal = self.account.platform();
        let active = portal.state.all().filter(|record| record.archived.is_none());
        active.map(|record| Contact { values: record.values.clone() }).collect()
    }

    /// How many contacts are not archived.
    pub fn contact_count(&self) -> usize {
        self.account.platform().state.all().filter(|record| record.archived.is_none()).count()
    }

    /// When a contact last changed, by the account's clock.
    pub fn updated_at(&self, key: &str) -> Option<DateTime<Utc>> {
        find(&self.account.platform().state, key).map(|record| record.modified)
    }

    /// Someone in the company changes a contact. `false` if there is none.
    pub fn edit(&self, key: &str, change: impl FnOnce(&mut Contact)) -> bool {
        let mut portal = self.account.platform();
        let Some(record) = find(&portal.state, key).cloned() else { return false };
        let mut contact = Contact { values: record.values.clone() };
        change(&mut contact);
        let mut edited = record.clone();
        edited.values = acceptable(&portal.state, &contact);
        edited.values.retain(|_, value| !value.is_empty());
        if edited.values != record.values {
            edited.modified = writes::later(portal.state.now(), record.modified);
            portal.state.put(edited);
        }
        true
    }

    /// Someone in the company deletes a contact, which archives it. `false` if there is none.
    pub fn delete(&self, key: &str) -> bool {
        let mut portal = self.account.platform();
        let Some(id) = find(&portal.state, key).map(|record| record.id) else { return false };
        let gone = writes::gone(&mut portal.state, id);
        portal.state.effects.clear();
        gone
    }

    /// Someone in the company merges a contact into another one, which answers to both ids. `false` if one is not there.
    pub fn merge(&self, gone: &str, kept: &str) -> bool {
        let mut portal = self.account.platform();
        let state = &mut portal.state;
        let ids = (find(state, gone).map(|record| record.id), find(state, kept).map(|record| record.id));
        let (Some(gone), Some(kept)) = ids else { return false };
        writes::gone(state, gone);
        state.effects.clear();
        state.merged.insert(gone, kept);
        true
    }
}

fn find<'a>(state: &'a State, key: &str) -> Option<&'a Record> {
    let by_id = key.parse().ok().and_then(|id| state.active(id));
    let names = state.unique_properties();
    by_id.or_else(|| names.iter().find_map(|name| state.unique(name, key)))
}

/// The values as HubSpot keeps them, without those it refuses.
fn acceptable(state: &State, contact: &Contact) -> Values {
    let kept = |(name, value): (&String, &String)| {
        let definition = state.definitions.get(name)?;
        Some((name.clone(), values::kept(definition, value).ok()?))
    };
    contact.values.iter().filter_map(kept).collect()
}

fn seed(state: &mut State, contact: &Contact) -> u64 {
    let values = acceptable(state, contact);
    let there = values.get("email").and_then(|email| state.unique("email", email)).cloned();
    let Some(mut record) = there else { return writes::seeded(state, &values).id };
    if values::set(&mut record, &values) {
        record.modified = writes::later(state.now(), record.modified);
        state.put(record.clone());
    }
    record.id
}
