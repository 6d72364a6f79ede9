//! What was asked of a platform and what it did: the ledger that the reliability checks read.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

/// Bodies longer than this are kept up to here; their length is always exact.
const BODY_KEPT: usize = 16 * 1024;

/// What a request did to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// It made the record.
    Created,
    /// It wrote the record.
    Updated,
    /// It removed the record.
    Deleted,
}

/// One committed change of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// What was done.
    pub verb: Verb,
    /// The kind of record in the platform's words: `product`, `variant`, `inventoryItem`, `salesOrder`.
    pub kind: String,
    /// The platform's id of the record.
    pub id: String,
    /// Identifying values at that moment, by name: `sku`, `handle`, `externalId`, `itemId`, `key`.
    pub keys: Vec<(&'static str, String)>,
}

impl Effect {
    pub(crate) fn new(verb: Verb, kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self { verb, kind: kind.into(), id: id.into(), keys: Vec::new() }
    }

    /// Adds an identifying value, unless it is empty.
    pub(crate) fn key(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            self.keys.push((name, value));
        }
        self
    }
}

/// One request and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The platform's time when the request came.
    pub at: DateTime<Utc>,
    /// `GET`, `POST`, …
    pub method: String,
    /// Path inside the account, with the query.
    pub path: String,
    /// The body; cut after 16 KiB.
    pub body: String,
    /// The length of the whole body in bytes.
    pub body_length: usize,
    /// The status the platform answered with, or would have, had the reply not been cut; 0 when the request was
    /// dropped before any work, or its answer had to be waited for.
    pub status: u16,
    /// What was committed, whether or not the caller learned of it.
    pub effects: Vec<Effect>,
    /// The faults that were applied, by name.
    pub faults: Vec<&'static str>,
}

/// The requests of one account, in the order of their arrival, and exact counts.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: Vec<Entry>,
    writes: u64,
    creates: BTreeMap<String, u64>,
}

impl Journal {
    pub(crate) fn add(&mut self, entry: Entry) {
        self.count(&entry.effects);
        self.entries.push(entry);
    }

    /// Counts effects that have no request of their own, such as those of a job that ran later.
    pub(crate) fn count(&mut self, effects: &[Effect]) {
        for effect in effects {
            self.writes += 1;
            if effect.verb == Verb::Created {
                for (name, value) in &effect.keys {
                    *self.creates.entry(format!("{} {name} {value}", effect.kind)).or_default() += 1;
                }
            }
        }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn writes(&self) -> u64 {
        self.writes
    }

    pub(crate) fn creates(&self) -> &BTreeMap<String, u64> {
        &self.creates
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// A body as the journal keeps it.
pub(crate) fn kept(body: &[u8]) -> String {
    String::from_utf8_lossy(body.get(..BODY_KEPT).unwrap_or(body)).into_owned()
}
