//! What an account remembers: contacts as they are, contacts as the index of the search has them, and definitions.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Duration, SubsecRound, Utc};

use super::properties::{Definition, defined};
use super::stamp;
use crate::clock::Clock;
use crate::journal::{Effect, Verb};

/// The first contact's id; the next ones are a little apart.
const FIRST_ID: u64 = 73_500_000_001;
const STEP: u64 = 50;

/// A contact at one time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    pub(crate) id: u64,
    /// What is set, by the names of properties. What is computed is not in it.
    pub(crate) values: BTreeMap<String, String>,
    pub(crate) created: DateTime<Utc>,
    pub(crate) modified: DateTime<Utc>,
    pub(crate) archived: Option<DateTime<Utc>>,
}

impl Record {
    /// A property's value, computed ones included.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        match name {
            "hs_object_id" => Some(self.id.to_string()),
            "createdate" => Some(stamp(self.created)),
            "lastmodifieddate" => Some(stamp(self.modified)),
            _ => self.values.get(name).cloned(),
        }
    }
}

/// What a batch that is refused has not done.
pub(crate) struct Snapshot {
    records: BTreeMap<u64, Record>,
    index: HashMap<u64, Vec<(DateTime<Utc>, Record)>>,
    owners: HashMap<(String, String), u64>,
    effects: Vec<Effect>,
}

/// Everything.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) clock: Clock,
    records: BTreeMap<u64, Record>,
    /// Versions with the time from which on searches see them, oldest first. The last one that is seen counts.
    index: HashMap<u64, Vec<(DateTime<Utc>, Record)>>,
    /// Who has a value of a unique property, of those that are not archived.
    owners: HashMap<(String, String), u64>,
    /// Contacts that were merged into another one.
    pub(crate) merged: HashMap<u64, u64>,
    pub(crate) definitions: BTreeMap<String, Definition>,
    pub(crate) index_delay: i64,
    next_id: u64,
    pub(crate) effects: Vec<Effect>,
}

impl State {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            records: BTreeMap::new(),
            index: HashMap::new(),
            owners: HashMap::new(),
            merged: HashMap::new(),
            definitions: defined(),
            index_delay: 0,
            next_id: FIRST_ID,
            effects: Vec::new(),
        }
    }

    /// The time now as contacts store it: whole milliseconds.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(3)
    }

    /// An id that no contact has.
    pub(crate) fn new_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += STEP;
        id
    }

    /// Every contact by its id, archived ones included.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// The contacts behind this id.
    pub(crate) fn behind(&self, id: u64) -> impl Iterator<Item = &Record> {
        self.records.range(id.saturating_add(1)..).map(|(_, record)| record)
    }

    /// A contact that is not archived; where it was merged, the one it was merged into.
    pub(crate) fn active(&self, id: u64) -> Option<&Record> {
        let id = self.merged.get(&id).unwrap_or(&id);
        self.records.get(id).filter(|record| record.archived.is_none())
    }

    /// A contact, archived or not.
    pub(crate) fn any(&self, id: u64) -> Option<&Record> {
        self.records.get(&id)
    }

    /// The contact that is not archived and has this value of a unique property.
    pub(crate) fn unique(&self, property: &str, value: &str) -> Option<&Record> {
        self.records.get(self.owners.get(&(property.to_owned(), value.to_owned()))?)
    }

    /// The names of unique properties.
    pub(crate) fn unique_properties(&self) -> Vec<String> {
        let unique = self.definitions.values().filter(|definition| definition.unique);
        unique.map(|definition| definition.name.clone()).collect()
    }

    /// Stores a contact and shows it to the index.
    pub(crate) fn put(&mut self, record: Record) {
        let seen_from = self.clock.now() + Duration::seconds(self.index_delay);
        self.own(&record);
        let versions = self.index.entry(record.id).or_default();
        versions.push((seen_from, record.clone()));
        self.records.insert(record.id, record);
    }

    /// Notes which values of unique properties a contact has from now on.
    fn own(&mut self, record: &Record) {
        for name in self.unique_properties() {
            let before = self.records.get(&record.id).and_then(|before| before.values.get(&name)).cloned();
            if let Some(value) = before {
                self.owners.remove(&(name.clone(), value));
            }
            let value = record.values.get(&name).filter(|_| record.archived.is_none());
            if let Some(value) = value {
                self.owners.insert((name, value.clone()), record.id);
            }
        }
    }

    /// The contacts as searches see them now.
    pub(crate) fn indexed(&mut self) -> Vec<&Record> {
        let now = self.clock.now();
        for versions in self.index.values_mut() {
            let seen = versions.iter().rposition(|(from, _)| *from <= now);
            versions.drain(..seen.unwrap_or(0));
        }
        let seen = self.index.values().filter_map(|versions| versions.first());
        let seen = seen.filter(|(from, record)| *from <= now && record.archived.is_none());
        seen.map(|(_, record)| record).collect()
    }

    /// Everything that a request may change, to take it back.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            records: self.records.clone(),
            index: self.index.clone(),
            owners: self.owners.clone(),
            effects: self.effects.clone(),
        }
    }

    /// Takes back what was done since.
    pub(crate) fn restore(&mut self, snapshot: Snapshot) {
        self.records = snapshot.records;
        self.index = snapshot.index;
        self.owners = snapshot.owners;
        self.effects = snapshot.effects;
    }

    /// Writes into the journal what the API did to a contact.
    pub(crate) fn tell(&mut self, verb: Verb, record: &Record) {
        let value = |name: &str| record.values.get(name).cloned().unwrap_or_default();
        let custom = self.unique_properties().into_iter().find(|name| name != "email");
        let effect = Effect::new(verb, "contact", record.id.to_string())
            .key("email", value("email"))
            .key("key", custom.map(|name| value(&name)).unwrap_or_default());
        self.effects.push(effect);
    }
}
