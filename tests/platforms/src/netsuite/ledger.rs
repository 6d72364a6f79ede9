//! What an account holds: records with their lines, by type and id, and the stock of items.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::metadata::{is_item, type_named};
use crate::clock::Clock;
use crate::journal::Effect;

/// A record. References are kept as `{"id": "…"}`, amounts as text.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) id: u64,
    pub(crate) kind: &'static str,
    pub(crate) external_id: Option<String>,
    pub(crate) fields: Map<String, Value>,
    pub(crate) lines: BTreeMap<&'static str, Vec<Map<String, Value>>>,
    pub(crate) created: DateTime<Utc>,
    pub(crate) modified: DateTime<Utc>,
}

impl Record {
    pub(crate) fn text(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The id of a referenced record.
    pub(crate) fn reference(&self, name: &str) -> Option<u64> {
        reference(self.fields.get(name)?)
    }

    pub(crate) fn lines(&self, sublist: &str) -> &[Map<String, Value>] {
        self.lines.get(sublist).map_or(&[], Vec::as_slice)
    }
}

/// The id in a reference.
pub(crate) fn reference(value: &Value) -> Option<u64> {
    value.get("id")?.as_str()?.parse().ok()
}

/// A record that was deleted, as SuiteQL's `deletedrecord` shows it.
#[derive(Debug, Clone)]
pub(crate) struct Gone {
    pub(crate) id: u64,
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) at: DateTime<Utc>,
}

/// Stock of one item at one location.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stock {
    /// In thousandths, so that quantities stay exact.
    pub(crate) on_hand: i128,
}

/// Ids are numbered per space: items of all types share one, so do transactions.
pub(crate) type Key = (&'static str, u64);

/// The space that records of a type are numbered in.
pub(crate) fn space(kind: &'static str) -> &'static str {
    match kind {
        "salesOrder" | "inventoryAdjustment" => "transaction",
        kind if is_item(kind) => "item",
        kind => kind,
    }
}

/// Everything the account holds.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) clock: Clock,
    pub(crate) records: BTreeMap<Key, Record>,
    pub(crate) by_external: HashMap<(&'static str, String), u64>,
    pub(crate) by_name: HashMap<(Option<u64>, String), u64>,
    pub(crate) children: HashMap<u64, BTreeSet<u64>>,
    /// Products: items without a parent. Benchmarks count them again and again.
    pub(crate) parents: BTreeSet<u64>,
    pub(crate) stock: HashMap<u64, BTreeMap<u64, Stock>>,
    pub(crate) stock_changed: HashMap<u64, DateTime<Utc>>,
    pub(crate) gone: Vec<Gone>,
    /// Records that the tables of SuiteQL do not have yet as they are now.
    pub(crate) dirty: BTreeSet<Key>,
    /// Custom fields that are defined besides `custitem_syncline_…` and `custbody_syncline_…`.
    pub(crate) custom_fields: BTreeSet<String>,
    pub(crate) stock_touches_item: bool,
    pub(crate) effects: Vec<Effect>,
    next_ids: HashMap<&'static str, u64>,
    next_number: HashMap<&'static str, u64>,
}

/// Ids of the currencies every account has; the first is the base currency.
pub(crate) const CURRENCIES: [(&str, &str); 5] = [
    ("EUR", "Euro"),
    ("USD", "US Dollar"),
    ("JPY", "Yen"),
    ("KWD", "Kuwaiti Dinar"),
    ("GBP", "British Pound"),
];

impl Ledger {
    pub(crate) fn new(clock: Clock) -> Self {
        let mut ledger = Self {
            clock,
            records: BTreeMap::new(),
            by_external: HashMap::new(),
            by_name: HashMap::new(),
            children: HashMap::new(),
            parents: BTreeSet::new(),
            stock: HashMap::new(),
            stock_changed: HashMap::new(),
            gone: Vec::new(),
            dirty: BTreeSet::new(),
            custom_fields: BTreeSet::new(),
            stock_touches_item: true,
            effects: Vec::new(),
            next_ids: HashMap::from([("item", 1_000), ("transaction", 5_000), ("customer", 300)]),
            next_number: HashMap::new(),
        };
        for (symbol, name) in CURRENCIES {
            ledger.add("currency", &json!({ "name": name, "symbol": symbol }));
        }
        for name in PRICE_LEVELS {
            ledger.add("priceLevel", &json!({ "name": name }));
        }
        for name in ["Main Company", "Second Subsidiary"] {
            ledger.add("subsidiary", &json!({ "name": name }));
        }
        for name in crate::LOCATIONS {
            ledger.add("location", &json!({ "name": name }));
        }
        ledger.add("customer", &json!({ "entityId": "Web Customer", "companyName": "Web Customer" }));
        ledger
    }

    fn add(&mut self, kind: &'static str, fields: &Value) -> u64 {
        let now = self.clock.second();
        let fields = fields.as_object().cloned().unwrap_or_default();
        let id = self.id(kind);
        let record = Record {
            id,
            kind,
            external_id: None,
            fields,
            lines: BTreeMap::new(),
            created: now,
            modified: now,
        };
        self.put(record);
        id
    }

    /// One more location; answers its id.
    pub(crate) fn add_location(&mut self, name: &str) -> u64 {
        self.add("location", &json!({ "name": name }))
    }

    /// The next id for a record of this type.
    pub(crate) fn id(&mut self, kind: &'static str) -> u64 {
        let id = self.next_ids.entry(space(kind)).or_default();
        *id += 1;
        *id
    }

    /// The next document number: `SO1`, `INVADJ1`.
    pub(crate) fn number(&mut self, prefix: &'static str) -> String {
        let number = self.next_number.entry(prefix).or_default();
        *number += 1;
        format!("{prefix}{number}")
    }

    /// A record of this type. Item types are separate paths to one set of ids, so the type must fit.
    pub(crate) fn record(&self, kind: &'static str, id: u64) -> Option<&Record> {
        self.records.get(&(space(kind), id)).filter(|record| record.kind == kind)
    }

    /// A record of any type that a field of this type may refer to.
    pub(crate) fn referred(&self, kind: &'static str, id: u64) -> Option<&Record> {
        self.records.get(&(space(kind), id))
    }

    /// The item with this id, of whatever type.
    pub(crate) fn item(&self, id: u64) -> Option<&Record> {
        self.records.get(&("item", id))
    }

    pub(crate) fn by_external(&self, kind: &'static str, external: &str) -> Option<u64> {
        self.by_external.get(&(space(kind), external.to_owned())).copied()
    }

    pub(crate) fn location_named(&self, name: &str) -> Option<u64> {
        self.of_kind("location").find(|record| record.text("name") == name).map(|record| record.id)
    }

    pub(crate) fn currency_with(&self, symbol: &str) -> Option<u64> {
        self.of_kind("currency").find(|record| record.text("symbol") == symbol).map(|record| record.id)
    }

    /// The records of a type in the order of their ids.
    pub(crate) fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = &Record> {
        let numbered = self.records.range((space(kind), 0)..=(space(kind), u64::MAX));
        numbered.map(|(_, record)| record).filter(move |record| record.kind == kind)
    }

    /// Puts a record in, new or changed, and brings the indexes up to date.
    pub(crate) fn put(&mut self, record: Record) {
        let key = (space(record.kind), record.id);
        if let Some(old) = self.records.remove(&key) {
            self.unindex(&old);
        }
        if let Some(external) = &record.external_id {
            self.by_external.insert((space(record.kind), external.clone()), record.id);
        }
        if is_item(record.kind) {
            let parent = record.reference("parent");
            self.by_name.insert((parent, record.text("itemId").to_lowercase()), record.id);
            if let Some(parent) = parent {
                self.children.entry(parent).or_default().insert(record.id);
            } else if record.kind == "inventoryItem" {
                self.parents.insert(record.id);
            }
        }
        self.dirty.insert(key);
        self.records.insert(key, record);
    }

    fn unindex(&mut self, old: &Record) {
        if let Some(external) = &old.external_id {
            self.by_external.remove(&(space(old.kind), external.clone()));
        }
        if is_item(old.kind) {
            let parent = old.reference("parent");
            self.by_name.remove(&(parent, old.text("itemId").to_lowercase()));
            self.parents.remove(&old.id);
            if let Some(siblings) = parent.and_then(|parent| self.children.get_mut(&parent)) {
                siblings.remove(&old.id);
            }
        }
    }

    /// Takes a record out.
    pub(crate) fn remove(&mut self, kind: &'static str, id: u64) -> Option<Record> {
        let key = (space(kind), id);
        let record = self.records.remove(&key)?;
        self.unindex(&record);
        if is_item(kind) {
            self.stock.remove(&id);
        }
        self.dirty.insert(key);
        let name = display_name(&record);
        self.gone.push(Gone { id, kind: record.kind, name, at: self.clock.second() });
        Some(record)
    }

    /// Adds to the stock of an item; thousandths.
    pub(crate) fn adjust(&mut self, item: u64, location: u64, by: i128) {
        let place = self.stock.entry(item).or_default().entry(location).or_default();
        place.on_hand = place.on_hand.saturating_add(by);
        let now = self.clock.second();
        self.stock_changed.insert(item, now);
        self.dirty.insert(("item", item));
        if self.stock_touches_item
            && let Some(record) = self.records.get_mut(&("item", item))
        {
            record.modified = now;
        }
    }

    pub(crate) fn on_hand(&self, item: u64, location: u64) -> i128 {
        self.stock.get(&item).and_then(|places| places.get(&location)).map_or(0, |place| place.on_hand)
    }

    /// Whether a custom field of this name exists on records with this prefix.
    pub(crate) fn custom_field(&self, prefix: &str, name: &str) -> bool {
        let ours = name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with("_syncline_"));
        ours || (name.starts_with(prefix) && self.custom_fields.contains(name))
    }

    /// The name of a record as references show it.
    pub(crate) fn name_of(&self, kind: &str, id: u64) -> Option<String> {
        self.referred(type_named(kind)?.name, id).map(display_name)
    }
}

/// The price levels every account has; level 1 is the base price.
pub(crate) const PRICE_LEVELS: [&str; 5] =
    ["Base Price", "Alternate Price 1", "Alternate Price 2", "Alternate Price 3", "Online Price"];

/// The name of a record as references show it.
pub(crate) fn display_name(record: &Record) -> String {
    let names = ["itemId", "name", "entityId", "tranId", "companyName"];
    names.iter().map(|name| record.text(name)).find(|text| !text.is_empty()).unwrap_or_default().to_owned()
}

/// A quantity in thousandths as text.
pub(crate) fn quantity_text(thousandths: i128) -> String {
    crate::money::bare(&crate::money::text(thousandths, 3))
}
